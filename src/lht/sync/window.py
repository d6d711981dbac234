"""Which span of the cursor field a run reads, and where the table stands afterwards. Pure."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.model.salesforce import SObject
    from lht.model.sync import Watermark
    from lht.model.table import ColumnType

APPEND_ONLY_CURSORS = ("CreatedDate", "LoginTime")
CHANGE_CURSORS = ("SystemModstamp", "LastModifiedDate")
REPLICATION_DAYS = 15
"""getDeleted looks back this far and no further."""


def is_append_only(object_name: str) -> bool:
    """Tells whether records of the object are only ever added, so that their creation date is a cursor."""
    return object_name.lower().endswith(("history", "__history"))


def fingerprint(
    sobject: SObject, key: str, cursor: str | None, where: str | None, types: Mapping[str, ColumnType]
) -> str:
    """Stands for the question that a table answers: a table that answered another one is read in full.

    Type overrides count where they are of a field of the object.
    """
    overrides = {}
    for name, kind in types.items():
        object_name, _, field = name.lower().rpartition(".")
        if object_name in {"", sobject.name.lower()} and sobject.find(field):
            overrides[name.lower()] = str(kind)
    question = [key.lower(), cursor, (where or "").strip(), sorted(overrides.items())]
    return hashlib.sha256(json.dumps(question).encode()).hexdigest()[:32]


def next_lower_bound(read_until: datetime, overlap_s: int) -> datetime:
    """Starts before the end of the last read: records committed late carry stamps from before it."""
    return (read_until - timedelta(seconds=overlap_s)).replace(microsecond=0)


def advance(
    old: Watermark | None,
    *,
    newest: datetime | None,
    job_created: datetime,
    lower_bound: datetime | None,
    by_hand: bool,
    overlap_s: int,
    is_full: bool = False,
) -> tuple[datetime | None, datetime | None]:
    """Gives the new (`watermark`, `read_until`).

    A bound set by hand may leave a gap behind it: then the value that lies before the gap stays. A full read has no
    bound and no gap.
    """
    candidates = [min(newest, job_created)] if newest else []
    if old is None:
        return (candidates[0] if candidates else None), job_created
    if by_hand and lower_bound is not None and _leaves_gap(old.watermark, lower_bound):
        return old.watermark, old.read_until
    watermark = max([*candidates, old.watermark] if old.watermark else candidates, default=None)
    if old.read_until is None or is_full:
        return watermark, job_created
    if by_hand and lower_bound is not None and lower_bound > next_lower_bound(old.read_until, overlap_s):
        return watermark, old.read_until
    return watermark, max(old.read_until, job_created)


def covered_from(
    old: Watermark | None, lower_bound: datetime | None, *, by_hand: bool, is_full: bool
) -> datetime | None:
    """Gives the moment from which on changed records are in the table; None: all are."""
    if is_full:
        return None
    if old is None:
        return lower_bound if by_hand else None
    if by_hand and lower_bound and old.covered_from:
        return min(old.covered_from, lower_bound)
    return old.covered_from


def _leaves_gap(reached: datetime | None, lower_bound: datetime) -> bool:
    return reached is None or lower_bound > reached
