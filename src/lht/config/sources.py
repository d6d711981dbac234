"""Where connections are written down: connections.toml, config.toml and one variable, by Snowflake's own rules.

Snowflake's connector takes its connections from one place: the variable, else connections.toml, else the
`[connections]` of config.toml. A place that is there hides the later ones, name or no name:
https://docs.snowflake.com/en/developer-guide/python-connector/python-connector-connect
Tables that only LHT reads, Salesforce apps and DuckDB files, count wherever they stand; the nearest wins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lht.config.files import (
    can_others_read,
    is_of_somebody_else,
    is_open_to_writers,
    line_of,
    parse_toml,
    place,
    read_text,
)
from lht.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lht.config.environment import Environment

FILE = "connections.toml"
CONFIG_FILE = "config.toml"
VARIABLE = "SNOWFLAKE_CONNECTIONS"
SECTION = "connections"
DEFAULT_KEY = "default_connection_name"
DEFAULT_VARIABLE = "SNOWFLAKE_DEFAULT_CONNECTION_NAME"
_SECRET_KEYS = frozenset(
    {
        "client_secret", "password", "token", "passcode", "private_key", "private_key_raw", "private_key_passphrase",
        "private_key_file_pwd", "private_key_password", "proxy_password", "oauth_client_secret", "session_token", "master_token",
    }
)  # fmt: skip

Table = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection's table stands, for messages: `place` is a file or a variable."""

    place: str
    header: str
    text: str = field(default="", repr=False)

    def at(self, *keys: str) -> str:
        """The place with the line of the first key that has one, else of the table's heading."""
        names = [*keys, None]
        lines = (line_of(self.text, self.header, name) for name in names)
        return place(self.place, next((line for line in lines if line), None))

    @property
    def where(self) -> str:
        """`[name] in file`, or the variable."""
        return f"[{self.header}] in {self.place}"


NOWHERE = Origin(FILE, "")


@dataclass(frozen=True, slots=True)
class Default:
    """A name that stands for every command without one, and what says so."""

    name: str
    said_by: str


@dataclass(frozen=True, slots=True)
class Sources:
    """All connection tables that count, keys in lower case. `hidden`: Snowflake's that another place hides."""

    tables: Mapping[str, Table] = field(repr=False)
    origins: Mapping[str, Origin]
    hidden: Mapping[str, Origin]
    default: Default | None
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Layer:
    """One place, and the connections in it."""

    tables: Mapping[str, Table] = field(repr=False)
    origins: Mapping[str, Origin]
    default: Default | None = None
    warnings: tuple[str, ...] = ()


def kind_of(table: Mapping[str, Any]) -> str:
    """What a table is for: salesforce, or the type it names, or snowflake."""
    return "salesforce" if "client_id" in table else str(table.get("type", "snowflake")).lower()


def read_sources(directory: Path, environment: Environment) -> Sources:
    """Reads the places; one that is not there is no place."""
    skips = environment.skips_permission_warnings
    variable = _from_variable(environment)
    connections = _from_connections_file(directory / FILE, skip_warnings=skips)
    config = _from_config_file(directory / CONFIG_FILE, skip_warnings=skips)
    layers = [layer for layer in (variable, connections, config) if layer]
    defaults = [layer.default for layer in (config, connections) if layer and layer.default]
    if environment.default_connection:
        defaults.insert(0, Default(environment.default_connection, DEFAULT_VARIABLE))
    tables, origins, hidden = _merged(layers)
    warnings = tuple(warning for layer in layers for warning in layer.warnings)
    return Sources(tables, origins, hidden, defaults[0] if defaults else None, warnings)


def _merged(layers: list[_Layer]) -> tuple[dict[str, Table], dict[str, Origin], dict[str, Origin]]:
    tables: dict[str, Table] = {}
    origins: dict[str, Origin] = {}
    hidden: dict[str, Origin] = {}
    for number, layer in enumerate(layers):
        for name, table in layer.tables.items():
            counts = number == 0 or kind_of(table) in {"salesforce", "duckdb"}
            if counts and name not in tables:
                tables[name], origins[name] = table, layer.origins[name]
            elif not counts:
                hidden.setdefault(name, layer.origins[name])
    return tables, origins, hidden


def _from_variable(environment: Environment) -> _Layer | None:
    text = environment.variables.get(VARIABLE, "")
    if not text.strip():
        return None
    return _layer(parse_toml(text, Path(VARIABLE)), text, VARIABLE)


def _from_connections_file(path: Path, *, skip_warnings: bool) -> _Layer | None:
    text = read_text(path)
    if text is None:
        return None
    _refuse_if_open(path)
    parsed = parse_toml(text, path)
    misplaced = parsed.get(SECTION)
    warnings: list[str] = []
    if isinstance(misplaced, dict) and misplaced and all(isinstance(v, dict) for v in misplaced.values()):
        del parsed[SECTION]
        warnings.append(
            f"{path}: [{SECTION}.{next(iter(misplaced))}] is a heading of {CONFIG_FILE}; here a connection is "
            f"[{next(iter(misplaced))}]."
        )
    return _layer(parsed, text, str(path), parsed, warnings, skip_warnings=skip_warnings)


def _from_config_file(path: Path, *, skip_warnings: bool) -> _Layer | None:
    text = read_text(path)
    if text is None:
        return None
    _refuse_if_open(path)
    parsed = parse_toml(text, path)
    tables = parsed.get(SECTION, {})
    return _layer(
        tables if isinstance(tables, dict) else {},
        text,
        str(path),
        parsed,
        skip_warnings=skip_warnings,
        prefix=f"{SECTION}.",
    )


def _layer(
    entries: Mapping[str, Any],
    text: str,
    where: str,
    top: Mapping[str, Any] | None = None,
    warnings: list[str] | None = None,
    *,
    skip_warnings: bool = True,
    prefix: str = "",
) -> _Layer:
    origins = {name: Origin(where, prefix + name, text) for name, v in entries.items() if isinstance(v, dict)}
    tables = {name: _lowered(entries[name], origin) for name, origin in origins.items()}
    said = (top or {}).get(DEFAULT_KEY)
    default = Default(str(said), f"{DEFAULT_KEY} in {where}") if said else None
    told = [*(warnings or []), *([] if skip_warnings else _too_open(tables, Path(where)))]
    return _Layer(tables, origins, default, tuple(told))


def _lowered(table: Table, origin: Origin) -> Table:
    """A table with its keys in lower case; the same key in two spellings is a mistake."""
    lowered: Table = {}
    for key, value in table.items():
        if key.lower() in lowered:
            raise ConfigError(
                f"{origin.at(key)}: [{origin.header}] has '{key}' twice.",
                hint="Keys ignore letter case; keep one.",
            )
        lowered[key.lower()] = value
    return lowered


def _refuse_if_open(path: Path) -> None:
    """Refuses a file that others may change, as Snowflake's connector does: it decides where secrets are sent."""
    if is_open_to_writers(path):
        raise ConfigError(
            f"{path} can be changed by other users, so it cannot be trusted.", hint=f"Type: chmod 600 {path}"
        )


def _too_open(tables: Mapping[str, Table], path: Path) -> Iterator[str]:
    """Warns where secrets stand in a file that others can read, or that is another user's."""
    if is_of_somebody_else(path):
        yield f"{path} belongs to another user, who can change it: chown $USER {path}"
    has_secret = any(
        key in _SECRET_KEYS and value and "${" not in str(value)
        for table in tables.values()
        for key, value in table.items()
    )
    if has_secret and can_others_read(path):
        yield f"{path} holds secrets, and other users can read it: chmod 600 {path}"
