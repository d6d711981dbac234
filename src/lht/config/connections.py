"""connections.toml: Salesforce apps and warehouses by name."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from lht.config.files import can_others_read, expand_home, line_of, parse_toml, place, read_text
from lht.config.suggest import did_you_mean
from lht.errors import ConfigError, UnknownConnectionError
from lht.sfdc.auth import PRODUCTION, SANDBOX, SF_CLI, App, normal_flow
from lht.sfdc.messages import check_url

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lht.config.environment import Environment

FILE = "connections.toml"
DEFAULT_FILE = "lht.duckdb"
MEMORY = ":memory:"
_APP_KEYS = frozenset(
    {
        "type", "client_id", "client_secret", "sandbox", "login_url", "instance_url", "my_domain", "flow", "username",
        "private_key_path", "redirect_uri", "api_version", "audience",
    }
)  # fmt: skip
_DUCKDB_KEYS = frozenset({"type", "path", "schema"})
_SECRET_KEYS = frozenset({"client_secret", "password", "token", "passcode", "private_key_passphrase"})
_TYPES = ("salesforce", "duckdb", "snowflake")


@dataclass(frozen=True, slots=True)
class WarehouseConnection:
    """A warehouse to open. `path` is DuckDB's file, absolute, or `:memory:`; `options` are Snowflake's keys.

    `is_default` says that nothing was configured: the file in the working directory is used, and should be named.
    """

    name: str
    type: str
    path: str | None = None
    schema: str | None = None
    options: Mapping[str, object] = field(default_factory=dict, repr=False)
    is_default: bool = False

    @property
    def description(self) -> str:
        """The connection for people, without its secrets."""
        if self.type == "duckdb":
            return f"duckdb {self.path}"
        return f"snowflake {self.options.get('account', '?')}"


@dataclass(frozen=True, slots=True)
class ConnectionSummary:
    """A line of `lht connections`: `kind` is salesforce, duckdb or snowflake; `flow` is what an app's table says."""

    name: str
    kind: str
    description: str
    flow: str | None = None


@dataclass(frozen=True, slots=True)
class Connections:
    """The tables of connections.toml, values not yet expanded; `warnings` are for people."""

    path: Path
    tables: Mapping[str, Mapping[str, Any]] = field(repr=False)
    environment: Environment = field(repr=False)
    cwd: Path
    default_name: str | None = None
    warnings: tuple[str, ...] = ()

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
        """A warehouse by table name or URL; without either the only one, or `./lht.duckdb` where there is none."""
        name = name or self.environment.db_connect
        if name and "://" in name:
            return _from_url(name, self.cwd, self.environment.variables)
        if not name and not self.warehouse_names:
            return WarehouseConnection(DEFAULT_FILE, "duckdb", str(self.cwd / DEFAULT_FILE), is_default=True)
        default = self.default_name if self.default_name in self.warehouse_names else None
        return self._read_warehouse(
            self._pick(name or default, self.warehouse_names, "warehouse", "--db_connect")
        )

    # --- inside -----------------------------------------------------------------------------------------

    def _kind(self, name: str) -> str:
        table = self.tables[name]
        if "client_id" in table:
            return "salesforce"
        return str(table.get("type", "snowflake")).lower()

    def _flow(self, name: str) -> str | None:
        flow = self.tables[name].get("flow")
        return normal_flow(str(flow)) if flow and self._kind(name) == "salesforce" else None

    def _pick(self, name: str | None, known: tuple[str, ...], kind: str, option: str) -> str:
        if name is None:
            return self._only(known, kind, option)
        if name in known:
            return name
        same = [candidate for candidate in known if candidate.lower() == name.lower()]
        if len(same) == 1:
            return same[0]
        if name in self.tables:
            raise UnknownConnectionError(
                f"'{name}' in {self.path} is no {kind}.",
                hint=did_you_mean(name, known, otherwise=self._how_to_add()),
            )
        raise UnknownConnectionError(
            f"There is no {kind} '{name}' in {self.path}.",
            hint=did_you_mean(name, known, otherwise=self._how_to_add()),
        )

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
        merged = {**self.tables[name], **self.environment.overrides(self.tables).get(name, {})}
        return {
            key: self.environment.expand(value, f"{key} of [{name}] in {self.path}")
            if isinstance(value, str)
            else value
            for key, value in merged.items()
        }

    def _described(self, name: str) -> str:
        table = self.tables[name]
        match self._kind(name):
            case "salesforce":
                return str(table.get("login_url") or table.get("my_domain") or _host(table))
            case "duckdb":
                return str(table.get("path", ""))
        return str(table.get("account", ""))

    def _read_app(self, name: str) -> App:
        values = self._values(name)
        return App(
            name=name,
            client_id=_client_id(values, name, self.path),
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
        return str(self._base() / expand_home(path, self.environment.variables)) if path else None

    def _read_warehouse(self, name: str) -> WarehouseConnection:
        values = self._values(name)
        schema = _text(values, "schema")
        if self._kind(name) == "duckdb":
            path = _database_path(
                _required(values, "path", name, self.path), self._base(), self.environment.variables
            )
            return WarehouseConnection(name, "duckdb", path, schema)
        if "path" in values and "account" not in values:
            raise ConfigError(f"[{name}] in {self.path} has a path but no type.", hint='Add type = "duckdb".')
        return WarehouseConnection(name, "snowflake", None, schema, values)

    def _base(self) -> Path:
        """What relative paths start from: the project that holds `.snowflake/`, else the working directory."""
        project = self.path.parent.parent
        return project if self.cwd == project or project in self.cwd.parents else self.cwd


def load_connections(directory: Path, environment: Environment, cwd: Path) -> Connections:
    """Reads the file; one that is not there is empty."""
    path = directory / FILE
    text = read_text(path)
    if text is None:
        return Connections(path, {}, environment, cwd, environment.default_connection)
    parsed = parse_toml(text, path)
    tables = {
        name: _lowered(name, value, text, path) for name, value in parsed.items() if isinstance(value, dict)
    }
    default = environment.default_connection or parsed.get("default_connection_name")
    warnings = [*_unknown_keys(tables, text, path), *_readable(tables, path)]
    for name, table in tables.items():
        _check_type(name, table, text, path)
    return Connections(path, tables, environment, cwd, default, tuple(warnings))


def _lowered(name: str, table: dict[str, Any], text: str, path: Path) -> dict[str, Any]:
    """A table with its keys in lower case; the same key in two spellings is a mistake."""
    lowered: dict[str, Any] = {}
    for key, value in table.items():
        if key.lower() in lowered:
            where = place(path, line_of(text, name, key))
            raise ConfigError(
                f"{where}: [{name}] has '{key}' twice.", hint="Keys ignore letter case; keep one."
            )
        lowered[key.lower()] = value
    return lowered


def _check_type(name: str, table: Mapping[str, Any], text: str, path: Path) -> None:
    kind = str(table.get("type", "snowflake")).lower()
    if "client_id" not in table and kind not in _TYPES:
        where = place(path, line_of(text, name, "type"))
        raise ConfigError(
            f"{where}: [{name}] has the unknown type '{kind}'.", hint=did_you_mean(kind, _TYPES)
        )
    if "client_id" not in table and kind == "salesforce" and not _is_sf_cli(table):
        raise ConfigError(f"{place(path, line_of(text, name, None))}: [{name}] has no CLIENT_ID.")


def _unknown_keys(tables: Mapping[str, Mapping[str, Any]], text: str, path: Path) -> list[str]:
    """Keys that nothing reads are told, not refused: other tools share the file."""
    found = []
    for name, table in tables.items():
        is_app = "client_id" in table or str(table.get("type", "")).lower() == "salesforce"
        if not is_app and str(table.get("type", "")).lower() != "duckdb":
            continue  # Snowflake's connector knows its own keys
        known = _APP_KEYS if is_app else _DUCKDB_KEYS
        for key in table:
            if key not in known:
                where = place(path, line_of(text, name, key) or line_of(text, name, None))
                found.append(f"{where}: [{name}] has the unknown key '{key}'. {did_you_mean(key, known)}")
    return found


def _readable(tables: Mapping[str, Mapping[str, Any]], path: Path) -> list[str]:
    """A warning where secrets stand in a file that other users can read."""
    has_secret = any(
        key in _SECRET_KEYS and value and "${" not in str(value)
        for table in tables.values()
        for key, value in table.items()
    )
    if has_secret and can_others_read(path):
        return [f"{path} holds secrets, and other users can read it: chmod 600 {path}"]
    return []


def _text(values: Mapping[str, Any], key: str) -> str | None:
    value = values.get(key)
    return None if value is None or value == "" else str(value)


def _required(values: Mapping[str, Any], key: str, name: str, path: Path) -> str:
    value = _text(values, key)
    if value is None:
        raise ConfigError(f"[{name}] in {path} has no {key}.", hint=f'Add {key} = "…".')
    return value


def _client_id(values: Mapping[str, Any], name: str, path: Path) -> str:
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
            hint="DuckDB is duckdb:///file.duckdb; Snowflake is a table of connections.toml, named by --db_connect.",
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
