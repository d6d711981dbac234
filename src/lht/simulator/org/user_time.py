"""The running user's time zone and the org's fiscal year. The rows of User and Organization are the truth."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from lht.simulator.org.effects.derive import fiscal_columns
from lht.simulator.org.objects.time_zones import zone_labels

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.org.writes.working_set import WorkingSet
    from lht.simulator.store.database import Connection, Database

GMT = "GMT"
ZONES = tuple(dict(zone_labels()))
"""The zones that a user can have: fewer than there are, so that a record never holds what its field does not list."""
MONTHS = range(1, 13)
SETTINGS = ("timezone", "fiscal_year_start_month")


@dataclass(frozen=True, slots=True)
class UserTime:
    """How the running user reads dates."""

    zone: str = GMT
    fiscal_start: int = 1

    @property
    def timezone(self) -> tzinfo:
        return zone_called(self.zone)

    def settings(self) -> dict[str, Any]:
        """Gives them as an admin sees them."""
        return {"timezone": self.zone, "fiscal_year_start_month": self.fiscal_start}


def zone_called(name: str) -> tzinfo:
    """Gives a time zone; raises ValueError for a name that no zone has."""
    try:
        return UTC if name == GMT else ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ValueError(
            f"no time zone is called {name!r}; take an IANA name such as Europe/Berlin"
        ) from None


def user_time(db: Database, catalog: Catalog, user_id: str) -> UserTime:
    """Reads the rows."""
    zone = _value(db, catalog, "User", "TimeZoneSidKey", user_id)
    start = _value(db, catalog, "Organization", "FiscalYearStartMonth")
    return UserTime(str(zone or GMT), int(str(start or 1)))


def fiscal_year_start(work: WorkingSet, catalog: Catalog, schema: ObjectSchema) -> int:
    """Gives the month in which fiscal years begin, where it matters to an object's records."""
    if schema.name != "Opportunity":
        return 1
    sql = 'SELECT "FiscalYearStartMonth" FROM "Organization"'
    found = work.once(catalog.object("Organization"), sql, lambda at: at.execute(sql).fetchone())
    return int(found[0] or 1) if found else 1


def checked(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Gives the settings of this kind among some; raises ValueError for one that makes no sense."""
    mine = {name: changes[name] for name in SETTINGS if name in changes}
    zone, month = mine.get("timezone", GMT), mine.get("fiscal_year_start_month", 1)
    if zone not in ZONES:
        near = difflib.get_close_matches(str(zone), ZONES, n=1)
        meant = f" (is {near[0]} meant?)" if near else ""
        raise ValueError(
            f"no user has the time zone {zone!r}{meant}; take an entry of User.TimeZoneSidKey, such as Europe/Berlin"
        )
    if isinstance(month, bool) or not isinstance(month, int) or month not in MONTHS:
        raise ValueError("fiscal_year_start_month must be a whole number from 1 to 12")
    return mine


def change(connection: Connection, now: datetime, user_id: str, settings: Mapping[str, Any]) -> None:
    """Writes checked settings into the rows. Opportunities get new fiscal periods; their stamps stay."""
    touched = '"LastModifiedDate" = ?, "SystemModstamp" = ?'
    if "timezone" in settings:
        zone = [settings["timezone"], now, now]
        connection.execute(f'UPDATE "Organization" SET "TimeZoneSidKey" = ?, {touched}', zone)
        sql = f'UPDATE "User" SET "TimeZoneSidKey" = ?, {touched} WHERE "Id" = ?'
        connection.execute(sql, [*zone, user_id])
    if "fiscal_year_start_month" in settings:
        start = settings["fiscal_year_start_month"]
        sql = f'UPDATE "Organization" SET "FiscalYearStartMonth" = ?, {touched}'
        connection.execute(sql, [start, now, now])
        columns = fiscal_columns('"CloseDate"', start)
        changes = ", ".join(f'"{name}" = {sql}' for name, sql in columns.items())
        connection.execute(f'UPDATE "Opportunity" SET {changes}')


def _value(db: Database, catalog: Catalog, table: str, column: str, record_id: str | None = None) -> object:
    """Gives one value, or None where an admin has dropped the field."""
    schema = catalog.object(table)
    if schema is None or not any(f.name == column for f in schema.fields):
        return None
    chosen = ' WHERE "Id" = ?' if record_id else ""
    return db.value(f'SELECT "{column}" FROM "{table}"{chosen}', [record_id] if record_id else [])
