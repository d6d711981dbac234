"""Records that come back out of the recycle bin, many at a time, each as if it were undeleted alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org import ids
from lht.simulator.org.rules.access import check_writable
from lht.simulator.org.rules.contention import parents_locked
from lht.simulator.org.writes import rows
from lht.simulator.org.writes.bodies import check_unique
from lht.simulator.org.writes.recycle_bin import UnknownRecord, emptied_among, gone

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.rules.locks import Locks
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.writes.recycle_bin import RecycleBin
    from lht.simulator.org.writes.working_set import WorkingSet


def undelete_all(
    work: WorkingSet, recycle_bin: RecycleBin, locks: Locks, record_ids: Sequence[str]
) -> list[ApiFault | None]:
    """Takes records out of the bin in their order; tells of each why it was refused, or None."""
    own_ids = [ids.to_long(given) for given in record_ids]
    found: list[ApiFault | None] = []
    start = 0
    for prefix, run in groupby(own_ids, lambda one: one and one[:3]):
        size = len(list(run))
        chosen, given = own_ids[start : start + size], record_ids[start : start + size]
        start += size
        schema = recycle_bin.catalog.by_prefix(prefix) if prefix else None
        if prefix is None:
            found += [ApiFault(400, "MALFORMED_ID", f"malformed id {one}", ()) for one in given]
        elif schema is None:
            found += [UnknownRecord() for _ in given]
        else:
            found += _Run(work, recycle_bin, locks, schema).all([one for one in chosen if one])
    return found


def not_in_bin() -> ApiFault:
    """The answer to who wants back what is not deleted, or was emptied out of the bin."""
    return ApiFault(400, "UNDELETE_FAILED", "Entity is not in the recycle bin", ())


@dataclass(slots=True)
class _Run:
    """Records of one object; those that were deleted together come back together."""

    work: WorkingSet
    bin: RecycleBin
    locks: Locks
    schema: ObjectSchema
    _waiting: list[str] = field(default_factory=list)
    _left: dict[str, None] = field(default_factory=dict)
    """Those that are still to be looked at."""
    _moment: datetime | None = None
    _taken: set[tuple[str, str]] = field(default_factory=set)
    """Values of unique fields that those who wait will hold."""

    def all(self, record_ids: list[str]) -> list[ApiFault | None]:
        if not self.schema.undeletable:
            message = "Entity type is not undeletable"
            return [ApiFault(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, ()) for _ in record_ids]
        connection = self.work.reading()
        emptied = emptied_among(connection, record_ids)
        moments = rows.deletions(connection, self.schema, record_ids)
        self._left = dict.fromkeys(record_ids)
        self._expect(record_ids)
        found = [self._one(one, moments.get(one), is_emptied=one in emptied) for one in record_ids]
        self._bring_back()
        return found

    def _expect(self, record_ids: list[str]) -> None:
        """Says what checking those records will ask for: they themselves, their masters, holders of unique values."""
        self.work.expect(self.schema, record_ids, whole=True)
        self.work.expect_changes(record_ids)
        binned = [row for one in record_ids if (row := self.work.find(self.schema, one))]
        for link in self.schema.fields:
            held = [row[link.name] for row in binned if link.name in row and row[link.name] is not None]
            if link.unique:
                self.work.expect_values(self.schema, link, held)
            for prefix in {str(one)[:3] for one in held} if link.child_cascade else ():
                target = self.bin.catalog.by_prefix(prefix)
                if target is not None:
                    self.work.expect(
                        target, [str(one) for one in held if str(one)[:3] == prefix], whole=False
                    )

    def _one(self, record_id: str, moment: datetime | None, *, is_emptied: bool) -> ApiFault | None:
        if record_id in self._waiting or self._is_another_time(record_id, moment):
            self._bring_back()
            self._expect(list(self._left))
        self._left.pop(record_id, None)
        try:
            row = self._binned(record_id, is_emptied=is_emptied)
            self._check_masters(row)
            self._check_unique(row, record_id)
        except ApiFault as fault:
            return fault
        self._waiting.append(record_id)
        self._moment = moment
        return None

    def _is_another_time(self, record_id: str, moment: datetime | None) -> bool:
        """Whether those who wait were deleted at another moment than this one, if it was deleted at all."""
        row = self.work.find(self.schema, record_id) or {}
        return bool(self._waiting and row.get("IsDeleted") and moment != self._moment)

    def _binned(self, record_id: str, *, is_emptied: bool) -> Row:
        row = self.work.find(self.schema, record_id)
        if row is None:
            raise UnknownRecord
        if not row.get("IsDeleted") or is_emptied:
            raise not_in_bin()
        check_writable(self.work, record_id)
        for one in (record_id, *parents_locked(self.schema, row, {})) if self.locks else ():
            self.locks.check(one)
        return row

    def _check_masters(self, row: Row) -> None:
        """A record that went with its master cannot be there without it."""
        for link in self.schema.fields:
            parent = row.get(link.name) if link.child_cascade else None
            target = self.bin.catalog.by_prefix(str(parent)) if parent else None
            if target is not None and self.work.fate(target, str(parent)) is True:
                raise gone()

    def _check_unique(self, row: Row, record_id: str) -> None:
        mine = {
            (one.name, _folded(one, row)) for one in self.schema.fields if one.unique and _folded(one, row)
        }
        if mine & self._taken:
            self._bring_back()
        check_unique(self.work, self.schema, row, record_id)
        self._taken |= mine

    def _bring_back(self) -> None:
        waiting, self._waiting, self._taken = self._waiting, [], set()
        if waiting:
            self.bin.bring_back(self.work, self.schema, waiting, self._moment)


def _folded(one: FieldSchema, row: Row) -> str:
    """As two values may be the same that look alike: to take two for the same does no harm here."""
    value = row.get(one.name)
    return "" if value is None else str(value).lower()
