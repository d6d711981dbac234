"""getUpdated and getDeleted: what changed, and what went, within a window of whole minutes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org.reads.render import Json, stamp_text
from lht.simulator.store.database import LOG_TABLE
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from lht.simulator.org.clock import Clock
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.org.writes.open_transactions import OpenTransactions
    from lht.simulator.store.database import Database

UPDATED_DAYS, DELETED_DAYS = 30, 15
MOST_IDS = 600_000
ONE_MINUTE = timedelta(minutes=1)
STAMPS = ("SystemModstamp", "LastModifiedDate", "CreatedDate")


@dataclass(slots=True)
class ReplicationSettings:
    """What an admin may set to see how a client copes."""

    most_ids: int = MOST_IDS
    earliest_date_available: datetime | None = None
    """From when on deletions are known; fifteen days back unless set."""
    latest_date_covered: datetime | None = None
    """Nothing later is promised; without it, nothing after the start of the oldest open transaction."""


class Replication:
    """Answers what changed between two moments, for the objects that can be replicated."""

    def __init__(self, db: Database, catalog: Catalog, clock: Clock, transactions: OpenTransactions) -> None:
        self._transactions = transactions
        self._db = db
        self._catalog = catalog
        self._clock = clock
        self.settings = ReplicationSettings()

    def updated(self, object_name: str, start: str, end: str) -> Json:
        """Gives the ids of records made or changed in the window; those deleted since are not among them."""
        schema = self._replicateable(object_name)
        first, last = self._window(start, end, _minute(self._clock.now()) - timedelta(days=UPDATED_DAYS))
        stamp = quoted(next(name for name in STAMPS if schema.find(name)))
        alive = ' AND "IsDeleted" IS NOT TRUE' if schema.find("IsDeleted") else ""
        sql = f'SELECT "Id" FROM {quoted(schema.name)} WHERE {stamp} >= ? AND {stamp} < ? AND _hidden IS NOT TRUE{alive}'
        found = self._db.rows(f'{sql} ORDER BY "Id"', (_naive(first), _naive(last)))
        self._check_number(len(found))
        return {"ids": [row[0] for row in found], "latestDateCovered": stamp_text(self._covered(last))}

    def deleted(self, object_name: str, start: str, end: str) -> Json:
        """Gives the records deleted in the window and not undeleted since, purged ones too."""
        schema = self._replicateable(object_name)
        earliest = self._earliest()
        first, last = self._window(start, end, earliest)
        sql = (
            f'SELECT l.id, max(l.deleted_at) FROM {LOG_TABLE} l LEFT JOIN {quoted(schema.name)} r ON r."Id" = l.id '
            "WHERE l.object = ? AND l.deleted_at >= ? AND l.deleted_at < ? AND r._hidden IS NOT TRUE GROUP BY 1 ORDER BY 2, 1"
        )
        found = self._db.rows(sql, (schema.name, _naive(first), _naive(last)))
        self._check_number(len(found))
        records = [
            {"id": row[0], "deletedDate": stamp_text(row[1])} for row in found if isinstance(row[1], datetime)
        ]
        return {
            "deletedRecords": records,
            "earliestDateAvailable": stamp_text(earliest),
            "latestDateCovered": stamp_text(self._covered(last)),
        }

    def _replicateable(self, object_name: str) -> ObjectSchema:
        schema = self._catalog.need(object_name)
        if not schema.replicateable:
            message = f"object type {schema.name} is not replicateable"
            raise ApiFault(400, "INVALID_TYPE_FOR_OPERATION", message)
        return schema

    def _window(self, start: str, end: str, earliest: datetime) -> tuple[datetime, datetime]:
        """Reads both ends, cut to minutes; they must lie more than one minute apart and not too far back."""
        first, last = _minute(_moment(start, "start")), _minute(_moment(end, "end"))
        if last - first <= ONE_MINUTE:
            raise _bad_date("startDate must precede endDate by more than one minute")
        if first < earliest:
            raise _bad_date(
                f"startDate {stamp_text(first)} is before the earliest date available, {stamp_text(earliest)}"
            )
        return first, last

    def _covered(self, last: datetime) -> datetime:
        bounds = [last, _minute(self._clock.now())]
        if (oldest := self._transactions.oldest()) is not None:
            bounds.append(oldest.replace(tzinfo=UTC))
        if self.settings.latest_date_covered is not None:
            bounds.append(self.settings.latest_date_covered)
        return min(bounds)

    def _earliest(self) -> datetime:
        usual = _minute(self._clock.now()) - timedelta(days=DELETED_DAYS)
        return self.settings.earliest_date_available or usual

    def _check_number(self, found: int) -> None:
        if found > self.settings.most_ids:
            message = (
                f"The number of ids exceeds the limit of {self.settings.most_ids}; ask for a shorter window"
            )
            raise ApiFault(400, "EXCEEDED_ID_LIMIT", message)


def _moment(text: str, name: str) -> datetime:
    """Reads an ISO moment; it must say its zone."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            raise _bad_date(f"{name}: a time zone is needed: {text}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise _bad_date(f"{name}: not a date and time: {text}") from None


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _bad_date(message: str) -> ApiFault:
    return ApiFault(400, "INVALID_REPLICATION_DATE", message)
