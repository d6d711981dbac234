"""From what a user names to what operations work on: settings, an org, a warehouse, type overrides."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from lht.config import orgs
from lht.config.settings import Settings, given_login, load_settings
from lht.config.snowflake import snowflake_login
from lht.errors import CapabilityMissingError, ConfigError
from lht.mapping.registry import registered_mappings
from lht.mapping.types import merge_overrides
from lht.sfdc.auth import Login

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.config.connections import WarehouseConnection
    from lht.model.table import Capabilities, ColumnType
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse

    AccessInfo = Org | Login | Mapping[str, str]

LOCK_TIMEOUT_S = 10.0
PARTS_LIFE = timedelta(days=7)
"""The next run of its table removes what a killed run left; after so long any run does."""
ACCESS_HINT = "It is a dict with access_token and instance_url, or what lht.connect_org() gives."


@dataclass(frozen=True, slots=True)
class Target:
    """An open warehouse. `schema`: where tables lie that name none; `note`: what people should be told."""

    warehouse: Warehouse
    schema: str | None = None
    note: str = ""


def settings_here() -> Settings:
    """Reads the files and variables that count in the working directory."""
    return load_settings(Path.cwd(), os.environ)


def settings_of(folder: Path) -> Settings:
    """Reads a folder's own files only: no variable of the user's points elsewhere."""
    own = {key: value for key, value in os.environ.items() if not key.startswith(("LHT_", "SNOWFLAKE_"))}
    return load_settings(folder, own)


def spool_directory(settings: Settings) -> Path:
    """Where downloaded pages lie until they are committed."""
    return _cache_directory(settings) / "spool"


def work_directory(settings: Settings) -> Path:
    """Where a run that writes to Salesforce has its files, while it works."""
    return _cache_directory(settings) / "retl"


def _cache_directory(settings: Settings) -> Path:
    """Gives `LHT_CACHE_DIR`, else the platform's cache, else a temporary folder of this run's own."""
    import platformdirs  # noqa: PLC0415 - only runs that download ask for it

    chosen = settings.environment.variables.get("LHT_CACHE_DIR", "").strip()
    if chosen:
        return Path(chosen)
    cache = platformdirs.user_cache_path("lht", appauthor=False)
    # In a stored procedure of Snowflake's nobody is at home, and only /tmp can be written to.
    return cache if _can_be_made(cache) else Path(tempfile.mkdtemp(prefix="lht-"))


def _can_be_made(folder: Path) -> bool:
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    return nearest.is_dir() and os.access(nearest, os.W_OK)


def overrides(settings: Settings | None = None) -> dict[str, ColumnType]:
    """Type overrides: what was registered, and over it `[types]` of lht.toml."""
    project = settings.project().types if settings else {}
    return merge_overrides(registered_mappings(), project)


@contextmanager
def open_org(settings: Settings, username: str | None = None) -> Iterator[Org]:
    """Opens a login's org for the block."""
    org = orgs.open_org(settings, username)
    try:
        yield org
    finally:
        org.close()


@contextmanager
def open_target(
    settings: Settings,
    db_connect: str | None = None,
    *,
    schema: str | None = None,
    lock_timeout_s: float = LOCK_TIMEOUT_S,
) -> Iterator[Target]:
    """Opens a warehouse for the block."""
    target = connect(settings, db_connect, schema=schema, lock_timeout_s=lock_timeout_s)
    try:
        yield target
    finally:
        target.warehouse.close()


def connect(
    settings: Settings,
    db_connect: str | None = None,
    *,
    schema: str | None = None,
    lock_timeout_s: float = LOCK_TIMEOUT_S,
) -> Target:
    """Opens a warehouse by connection name, URL or default; the caller closes it."""
    found = settings.warehouse(db_connect, schema=schema)
    if found.type == "snowflake":
        return connect_snowflake(settings, found)
    from lht.warehouse.duckdb import open_duckdb  # noqa: PLC0415 - the driver loads where it is needed

    note = f"No warehouse is configured: using {found.path}." if found.is_default else _chosen(found)
    warehouse = open_duckdb(str(found.path), schema=found.schema, lock_timeout_s=lock_timeout_s)
    return Target(warehouse, found.schema, note)


def connect_snowflake(settings: Settings, found: WarehouseConnection) -> Target:
    """Logs in to Snowflake; what the connection lacks is told before anything is sent."""
    login = snowflake_login(found)
    from lht.records.spool import remove_forgotten  # noqa: PLC0415 - needed here only
    from lht.warehouse.snowflake.connect import open_snowflake  # noqa: PLC0415 - takes a second or two

    work_dir = _cache_directory(settings) / "parts"
    remove_forgotten(work_dir, before=datetime.now(UTC) - PARTS_LIFE)
    warehouse = open_snowflake(login.options, name=found.name, schema=found.schema, work_dir=work_dir)
    notes = [_chosen(found), *(f"warning: {note}" for note in login.notes)]
    return Target(warehouse, found.schema, "\n".join(note for note in notes if note))


def _chosen(found: WarehouseConnection) -> str:
    return (
        f"Using the {found.type} connection '{found.name}', by {found.chosen_by}." if found.chosen_by else ""
    )


def missing_file(settings: Settings, db_connect: str | None = None) -> str | None:
    """The DuckDB file that a command would only read, if there is none: opening it would make one."""
    found = settings.warehouse(db_connect)
    is_file = found.type == "duckdb" and found.path not in {None, ":memory:"}
    return found.path if is_file and not Path(str(found.path)).exists() else None


def capabilities_of(settings: Settings, db_connect: str | None = None) -> Capabilities:
    """What the warehouse can do, without opening it; a name that is given must be known."""
    if settings.warehouse_kind(db_connect) == "snowflake":
        from lht.warehouse.snowflake.dialect import CAPABILITIES as SNOWFLAKE  # noqa: PLC0415

        return SNOWFLAKE
    from lht.warehouse.duckdb import CAPABILITIES  # noqa: PLC0415

    return CAPABILITIES


def org_of(access_info: AccessInfo) -> Org:
    """Takes the guide's `access_info`: a dict with `access_token` and `instance_url`, a login, or an open org."""
    from lht.sfdc.org import Org  # noqa: PLC0415

    if isinstance(access_info, Org):
        return access_info.for_object()
    if isinstance(access_info, Login):
        return orgs.open_org(settings_here(), login=access_info)
    if not isinstance(access_info, Mapping):
        raise ConfigError(f"access_info is a {type(access_info).__name__}.", hint=ACCESS_HINT)
    missing = [key for key in ("access_token", "instance_url") if not access_info.get(key)]
    if missing:
        raise ConfigError(
            f"access_info has no {' and no '.join(missing)}.",
            hint=ACCESS_HINT,
        )
    login = given_login(access_info["access_token"], access_info["instance_url"])
    return orgs.open_org(settings_here(), login=login)


def warehouse_of(session: object) -> Warehouse:
    """Takes the guide's `session`: a Snowpark session, a Snowflake or DuckDB connection, or an LHT warehouse.

    What the caller opened stays the caller's: no setting is changed, and it is never closed.
    """
    kind = type(session)
    if kind.__name__ == "DuckDBPyConnection":
        from lht.warehouse.duckdb import from_connection  # noqa: PLC0415

        return from_connection(session)  # type: ignore[arg-type]  # recognised by its class's name
    if hasattr(session, "capabilities") and hasattr(session, "stage"):
        return session  # type: ignore[return-value]  # the port, by its shape
    from lht.warehouse.snowflake import sessions  # noqa: PLC0415

    if sessions.is_session(session):
        return sessions.from_session(session)
    raise CapabilityMissingError(
        f"LHT cannot write through a {kind.__module__}.{kind.__qualname__}.",
        hint="Pass a Snowpark Session, a Snowflake connection, a DuckDB connection, "
        "or what lht.connect_warehouse() gives.",
    )
