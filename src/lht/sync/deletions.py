"""Finds records that are gone without a row that says so: by getDeleted, or by comparing all Ids."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from lht.errors import ApiError
from lht.model.sync import DeletePolicy, SyncMode
from lht.model.table import Column, ColumnKind, ColumnType
from lht.sfdc import rest
from lht.sync.window import REPLICATION_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lht.model.salesforce import DeletedRecord
    from lht.model.sync import SyncPlan, Watermark
    from lht.sync.run import Run

SHORTEST_WINDOW = timedelta(minutes=3)
"""getDeleted cuts seconds off and refuses windows of a minute or less; reading more is harmless."""
ID = Column("Id", ColumnType(ColumnKind.TEXT, 18), "Id")
DELETED_AT = Column("deleted_at", ColumnType(ColumnKind.TIMESTAMP))
UNANSWERED = ("INVALID_REPLICATION_DATE", "EXCEEDED_ID_LIMIT")
"""Replication calls refuse a window that is too old, or that holds too much however short it is."""


@dataclass(frozen=True, slots=True)
class Gone:
    """What is known of unseen deletions.

    `read_until` is where the next getDeleted window starts; `compare_ids` says that getDeleted cannot tell
    everything since the last run, so that all Ids must be compared; `reason` says why, for people.
    """

    records: Sequence[DeletedRecord] = ()
    read_until: datetime | None = None
    compare_ids: bool = False
    reason: str = ""


def find_gone(run: Run, plan: SyncPlan, stored: Watermark | None, *, table_has_rows: bool) -> Gone:
    """Asks what was deleted since the last run; a full sync needs no answer, as absence tells it."""
    now = run.org_time()
    if plan.deletes is DeletePolicy.KEEP:
        return Gone()  # should the policy change, all that was passed over must be found
    if plan.mode is SyncMode.FULL:
        return Gone(read_until=now)
    if not table_has_rows:
        return Gone(read_until=now)
    if not plan.reads_deleted:
        # Rows of such objects (shares, above all) vanish without passing the recycle bin.
        return Gone(read_until=now, compare_ids=True, reason=f"{plan.object} does not tell its deletions")
    if stored is None or stored.deleted_until is None:
        return Gone(read_until=now, compare_ids=True, reason="deletions were never read for this table")
    return _by_get_deleted(run, plan, stored.deleted_until, now)


def _by_get_deleted(run: Run, plan: SyncPlan, since: datetime, now: datetime) -> Gone:
    start = min(since, now - SHORTEST_WINDOW)
    too_old = Gone(read_until=now, compare_ids=True, reason="getDeleted does not reach back to the last sync")
    if now - start >= timedelta(days=REPLICATION_DAYS):
        return too_old
    try:
        answer = rest.deleted(run.org, plan.object, start, now)
    except ApiError as error:
        if error.error_code not in UNANSWERED:
            raise
        return too_old
    if answer.earliest_available > start:
        return too_old
    # The window may begin before the last one ended; what that one had is applied, and need not be staged again.
    begin = since.replace(microsecond=0)
    records = [record for record in answer.records if record.deleted_at >= begin]
    return Gone(records, min(answer.covered_until, now))
