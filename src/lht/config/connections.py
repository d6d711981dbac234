"""Salesforce apps and warehouses by name: which one is meant, and what its table says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lht.config import snowflake
from lht.config.files import expand_home
from lht.config.sources import CONFIG_FILE, FILE, NOWHERE, VARIABLE, Default, Origin, kind_of, read_sources
from lht.config.suggest import did_you_mean
from lht.errors import ConfigError, UnknownConnectionError
from lht.sfdc.auth import PRODUCTION, SANDBOX, SF_CLI, App, normal_flow
from lht.sfdc.messages import check_url
from lht.warehouse.snowflake.keys import GENERIC, PATHS, RENAMED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lht.config.environment import Environment

DEFAULT = "default"
DEFAULT_FILE = "lht.duckdb"
MEMORY = ":memory:"
_APP_KEYS = frozenset(
    {
        "type", "client_id", "client_secret", "sandbox", "login_url", "instance_url", "my_domain", "flow", "username",
        "private_key_path", "redirect_uri", "api_version", "audience",
    }
)  # fmt: skip
_DUCKDB_KEYS = frozenset({"type", "path", "schema"})
_CREDENTIALS = ("password", "token", "token_file_path", "private_key")
_URL_HINT = (
    "DuckDB is duckdb:///file.duckdb; Snowflake is a table of connections.toml, named by --db_connect."
)
_TYPES = ("salesforce", "duckdb", "snowflake")


@dataclass(frozen=True, slots=True)
class WarehouseConnection:
    """A warehouse to open. `path` is DuckDB's file, absolute, or `:memory:`; `options` are Snowflake's keys.

    `is_default` says that nothing was configured: the file in the working directory is used, and should be named.
    `chosen_by` is what chose it among several where the user named none; `origin` is where its table stands.
    """

    name: str
    type: str
    path: str | None = None
    schema: str | None = None
    options: Mapping[str, object] = field(default_factory=dict, repr=False)
    is_default: bool = False
    chosen_by: str = ""
    origin: Origin = NOWHERE

    @property
    def description(self) -> str:
        """The connection for people, without its secrets."""
        if self.type == "duckdb":
            return f"duckdb {self.path}"
        return f"snowflake {_shown_account(self.options)}"


@dataclass(frozen=True, slots=True)
class ConnectionSummary:
    """A line of `lht connections`: `kind` is salesforce, duckdb or snowflake; `flow` is what an app's table says."""

    name: str
    kind: str
    description: str
    flow: str | None = None


@dataclass(frozen=True, slots=True)
class Connections:
    """The tables that count, values not yet expanded; `warnings` are for people.

    `path` is the file that a new connection would go into. `hidden` are Snowflake's tables that do not count, as
    another place of theirs outdoes the one they stand in.
    """

    path: Path
    tables: Mapping[str, Mapping[str, Any]] = field(repr=False)
    environment: Environment = field(repr=False)
    cwd: Path
    default: Default | None = None
    warnings: tuple[str, ...] = ()
    origins: Mapping[str, Origin] = field(default_factory=dict)
    hidden: Mapping[str, Origin] = field(default_factory=dict)

    @property
    def app_names(self) -> tuple[str, ...]:
        return tuple(name for name in self.tables if self._kind(name) == "salesforce")

    @property
    def warehouse_names(self) -> tuple[str, ...]:
        return tuple(name for name in self.tables if self._kind(name) != "salesforce")

    def summaries(self) -> tuple[ConnectionSummary, ...]:
        """Every connection, none opened, no secret read."""
        return tuple(
            ConnectionSummary(name, self._kind(name), self._described(name), self._flow(name))
            for name in self.tables
        )

    def apps_of(self, flow: str) -> tuple[str, ...]:
        """The apps that are configured for a flow."""
        return tuple(name for name in self.app_names if self._flow(name) == flow)

    def app(self, name: str | None = None) -> App:
        """A Salesforce app; without a name the only one."""
        return self._read_app(self._pick(name, self.app_names, "Salesforce app", "--app"))

    def warehouse(self, name: str | None = None) -> WarehouseConnection:
        """A warehouse by table name or URL.

        Without either the default that a variable or a file names, else the table `default`, else the only one, or
        `./lht.duckdb` where there is none.
        """
        name = name or self.environment.db_connect
        if name and "://" in name:
            return _from_url(name, self.cwd, self.environment.variables)
        if not name and not self.warehouse_names and not self.default:
            return WarehouseConnection(DEFAULT_FILE, "duckdb", str(self.cwd / DEFAULT_FILE), is_default=True)
        default = None if name else self._default()
        connections, known = self._find(name or (default.name if default else None), default)
        is_choice = default is not None and len(connections.warehouse_names) > 1
        found = connections._read_warehouse(known)  # noqa: SLF001 - it is one of these
        return replace(found, chosen_by=default.said_by) if default and is_choice else found

    def warehouse_kind(self, name: str | None = None) -> str:
        """Duckdb or snowflake, without a look at any value. A name that is given must be known."""
        name = name or self.environment.db_connect
        if name and "://" in name:
            return self.warehouse(name).type
        default = None if name else self._default()
        if not name and not default:
            kinds = {self._kind(known) for known in self.warehouse_names}
            return kinds.pop() if len(kinds) == 1 else "duckdb"
        connections, known = self._find(name or (default.name if default else None), default)
        return connections._kind(known)  # noqa: SLF001 - it is one of these

    def default_warehouse(self) -> str | None:
        """The warehouse of commands that name none, where there is a choice."""
        default = self._default()
        return default.name if default and len(self.warehouse_names) > 1 else None

    # --- inside -----------------------------------------------------------------------------------------

    def _kind(self, name: str) -> str:
        return kind_of(self.tables[name])

    def _flow(self, name: str) -> str | None:
        flow = self.tables[name].get("flow")
        return normal_flow(str(flow)) if flow and self._kind(name) == "salesforce" else None

    def _default(self) -> Default | None:
        is_there = DEFAULT in self.warehouse_names
        return self.default or (Default(DEFAULT, "its name") if is_there else None)

    def _find(self, name: str | None, default: Default | None) -> tuple[Connections, str]:
        """The name of a warehouse that is there. Variables alone can make one, so these are not always `self`."""
        found = self._with_variables_of(name) if name else self
        try:
            return found, found._pick(name, found.warehouse_names, "warehouse", "--db_connect")  # noqa: SLF001
        except UnknownConnectionError as error:
            said = f"{default.said_by} is '{default.name}'. " if default else ""
            raise UnknownConnectionError(said + error.message, hint=error.hint) from None

    def _with_variables_of(self, name: str) -> Connections:
        """These connections with one that is written down in variables only, if there are any of that name."""
        if name.lower() in {known.lower() for known in self.tables}:
            return self
        values = self.environment.overrides([*self.tables, name]).get(name)
        if not values:
            return self
        place = f"SNOWFLAKE_CONNECTIONS_{name.upper()}_…"
        return replace(
            self,
            tables={**self.tables, name: values},
            origins={**self.origins, name: Origin(place, name)},
        )

    def _pick(self, name: str | None, known: tuple[str, ...], kind: str, option: str) -> str:
        if name is None:
            return self._only(known, kind, option)
        if name in known:
            return name
        same = [candidate for candidate in known if candidate.lower() == name.lower()]
        if len(same) == 1:
            return same[0]
        if name in self.tables:
            message = f"{self._origin(name).where} is no {kind}."
        elif name in self.hidden:
            raise self._hidden_error(name, kind)
        else:
            message = f"There is no {kind} '{name}' in {self.path}."
        raise UnknownConnectionError(message, hint=did_you_mean(name, known, otherwise=self._how_to_add()))

    def _hidden_error(self, name: str, kind: str) -> UnknownConnectionError:
        nearer = VARIABLE if self.environment.variables.get(VARIABLE, "").strip() else self.path
        return UnknownConnectionError(
            f"There is no {kind} '{name}': {self.hidden[name].where} does not count, as {nearer} stands for all.",
            hint="That is Snowflake's own rule. Write the connection there as well.",
        )

    def _origin(self, name: str) -> Origin:
        return self.origins.get(name) or Origin(str(self.path), name)

    def _only(self, known: tuple[str, ...], kind: str, option: str) -> str:
        if len(known) == 1:
            return known[0]
        if known:
            raise ConfigError(
                f"There are several: which {kind}?", hint=f"Name it with {option}: {', '.join(known)}."
            )
        raise ConfigError(f"No {kind} is configured in {self.path}.", hint=self._how_to_add())

    def _how_to_add(self) -> str:
        return f"'lht init' writes a {FILE} to fill in."

    def _values(self, name: str) -> dict[str, Any]:
        """A table's values: the environment's over the file's, references expanded."""
        where = self._origin(name).where
        merged = {**self.tables[name], **self.environment.overrides(self.tables).get(name, {})}
        values = {key: self.environment.expanded(value, f"{key} of {where}") for key, value in merged.items()}
        return values if self._kind(name) != "snowflake" else self._filled_in(values)

    def _filled_in(self, values: dict[str, Any]) -> dict[str, Any]:
        """Snowflake's values with what `SNOWFLAKE_<KEY>` says of keys that nothing nearer names, and whole paths.

        The Snowflake CLI has the same order (`snow_connector.py`). A key for signing is not put beside another way
        to log in: the connector would take the key.
        """
        named = {RENAMED.get(key, key) for key, value in values.items() if value != ""}
        has_credentials = any(key in named for key in _CREDENTIALS)
        for key in GENERIC:
            known = RENAMED.get(key, key)
            value = self.environment.generic(key)
            if value and known not in named and not (has_credentials and known.startswith("private_key")):
                named.add(known)
                values[key] = value
        phrase = self.environment.variables.get("PRIVATE_KEY_PASSPHRASE")
        if phrase and "private_key_passphrase" not in named:
            values["private_key_passphrase"] = phrase
        for key in PATHS:
            if values.get(key):
                values[key] = self._whole_path(str(values[key]))
        return values

    def _whole_path(self, path: str) -> str:
        return str(self._base() / expand_home(path, self.environment.variables))

    def _described(self, name: str) -> str:
        table = self.tables[name]
        match self._kind(name):
            case "salesforce":
                return str(table.get("login_url") or table.get("my_domain") or _host(table))
            case "duckdb":
                return str(table.get("path", ""))
        return _shown_account(table)

    def _read_app(self, name: str) -> App:
        values = self._values(name)
        return App(
            name=name,
            client_id=_client_id(values, name, self._origin(name).place),
            client_secret=_text(values, "client_secret") or "",
            login_url=_login_url(values, name),
            flow=_text(values, "flow"),
            username=_text(values, "username"),
            private_key_path=self._private_key_path(values),
            redirect_uri=_text(values, "redirect_uri"),
            api_version=_text(values, "api_version"),
            sandbox=_is_sandbox(values),
            audience=_text(values, "audience"),
        )

    def _private_key_path(self, values: Mapping[str, Any]) -> str | None:
        path = _text(values, "private_key_path")
        return self._whole_path(path) if path else None

    def _read_warehouse(self, name: str) -> WarehouseConnection:
        values = self._values(name)
        origin = self._origin(name)
        schema = _text(values, "schema")
        if self._kind(name) == "duckdb":
            path = _database_path(
                _required(values, "path", name, origin.place), self._base(), self.environment.variables
            )
            return WarehouseConnection(name, "duckdb", path, schema, origin=origin)
        if "path" in values and "account" not in values:
            raise ConfigError(f"{origin.where} has a path but no type.", hint='Add type = "duckdb".')
        return WarehouseConnection(name, "snowflake", None, schema, values, origin=origin)

    def _base(self) -> Path:
        """What relative paths start from: the project that holds `.snowflake/`, else the working directory."""
        project = self.path.parent.parent
        return project if self.cwd == project or project in self.cwd.parents else self.cwd


def load_connections(directory: Path, environment: Environment, cwd: Path) -> Connections:
    """Reads the files; those that are not there are empty."""
    found = read_sources(directory, environment)
    for name, table in found.tables.items():
        _check_type(name, table, found.origins[name])
    files = [directory / FILE, directory / CONFIG_FILE]
    return Connections(
        path=next((path for path in files if path.exists()), files[0]),
        tables=found.tables,
        environment=environment,
        cwd=cwd,
        default=found.default,
        warnings=(*_unknown_keys(found.tables, found.origins), *found.warnings),
        origins=found.origins,
        hidden=found.hidden,
    )


def _check_type(name: str, table: Mapping[str, Any], origin: Origin) -> None:
    kind = kind_of(table)
    if "client_id" not in table and kind not in _TYPES:
        raise ConfigError(
            f"{origin.at('type')}: [{name}] has the unknown type '{kind}'.", hint=did_you_mean(kind, _TYPES)
        )
    if "client_id" not in table and kind == "salesforce" and not _is_sf_cli(table):
        raise ConfigError(f"{origin.at()}: [{name}] has no CLIENT_ID.")


def _unknown_keys(tables: Mapping[str, Mapping[str, Any]], origins: Mapping[str, Origin]) -> list[str]:
    """Keys that nothing reads are told, not refused: other tools share the file."""
    found = []
    for name, table in tables.items():
        if kind_of(table) == "snowflake":
            unknown = snowflake.unknown_keys({key: value for key, value in table.items() if key != "type"})
        else:
            known = _APP_KEYS if kind_of(table) == "salesforce" else _DUCKDB_KEYS
            unknown = {key: did_you_mean(key, known) for key in table if key not in known}
        found += [
            f"{origins[name].at(key)}: [{name}] has the unknown key '{key}'. {hint}".rstrip()
            for key, hint in unknown.items()
        ]
    return found


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    return None if value is None or value == "" else str(value)


def _shown_account(table: Mapping[str, Any]) -> str:
    """An account for people; where an address with a password was pasted, without that."""
    return re.sub(r"//.*@", "//***@", str(table.get("account", "")))


def _required(values: Mapping[str, Any], key: str, name: str, path: str) -> str:
    value = _text(values, key)
    if value is None:
        raise ConfigError(f"[{name}] in {path} has no {key}.", hint=f'Add {key} = "…".')
    return value


def _client_id(values: Mapping[str, Any], name: str, path: str) -> str:
    """An app's id. What the Salesforce CLI logged in to needs none: it has an app of its own."""
    return (
        _text(values, "client_id") or "" if _is_sf_cli(values) else _required(values, "client_id", name, path)
    )


def _is_sf_cli(values: Mapping[str, Any]) -> bool:
    return normal_flow(str(values.get("flow", ""))) == SF_CLI


def _is_sandbox(values: Mapping[str, Any]) -> bool:
    return str(values.get("sandbox", "false")).strip().lower() in {"true", "1", "yes", "on"}


def _host(values: Mapping[str, Any]) -> str:
    return SANDBOX if _is_sandbox(values) else PRODUCTION


def _login_url(values: Mapping[str, Any], name: str) -> str:
    """Where an app logs in: `login_url`, else its My Domain, else Salesforce's common host."""
    if url := _text(values, "login_url") or _text(values, "instance_url"):
        return normal_login_url(url, name)
    domain = _text(values, "my_domain")
    if domain is None:
        return _host(values)
    if "." not in domain and "/" not in domain:
        domain += ".sandbox.my.salesforce.com" if _is_sandbox(values) else ".my.salesforce.com"
    return normal_login_url(domain, name)


def normal_login_url(url: str, name: str) -> str:
    """A login URL without its path; https is added where no scheme stands."""
    parts = urlsplit(url if "://" in url else f"https://{url}")
    try:
        return check_url(f"{parts.scheme}://{parts.netloc}")
    except ConfigError as error:
        raise ConfigError(f"The login URL of [{name}]: {error.message}", hint=error.hint) from error


def _from_url(url: str, cwd: Path, variables: Mapping[str, str]) -> WarehouseConnection:
    """A warehouse named by URL: `duckdb:///lake.duckdb` is relative, `duckdb:////srv/lake.duckdb` absolute."""
    parts = urlsplit(url)
    if parts.scheme.lower() != "duckdb" or parts.netloc:
        raise ConfigError(
            f"'{re.sub('//.*@', '//***@', url)}' is no warehouse URL that LHT opens.",
            hint=_URL_HINT,
        )
    path = unquote(parts.path.removeprefix("/"))
    if not path:
        raise ConfigError(
            f"'{url}' names no file.",
            hint=f"Write duckdb:///file.duckdb, or duckdb:///{MEMORY} to keep nothing.",
        )
    return WarehouseConnection(url, "duckdb", _database_path(path, cwd, variables))


def _database_path(path: str, base: Path, variables: Mapping[str, str]) -> str:
    return path if path == MEMORY else str(base / expand_home(path, variables))
