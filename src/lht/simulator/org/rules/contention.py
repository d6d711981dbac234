"""Rows that transactions at the same time both need: which rows a write locks, and who gets them.

Salesforce locks the parents of a child that is written, so that none goes meanwhile: those whose fate the child shares,
or that it keeps from going, at every write; others only when the child begins to refer to them ("Managing Lookup Skew"
and the record locking cheat sheet, both by Salesforce). Users, queues and record types are never locked by their users.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lht.simulator.org.rules.locks import locked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.schema import ObjectSchema

NEVER_LOCKED = frozenset(
    {"User", "Group", "Profile", "UserRole", "RecordType", "Organization", "BusinessHours"}
)


def parents_locked(schema: ObjectSchema, old: Row, new: Row) -> list[str]:
    """Gives the records that writing a child locks besides itself; an empty row stands for what is not there."""
    found: dict[str, None] = {}
    for link in schema.fields:
        if not link.reference_to or NEVER_LOCKED.issuperset(link.reference_to):
            continue
        before, after = old.get(link.name), new.get(link.name)
        if link.child_cascade or link.child_restricted:
            found |= {str(one): None for one in (before, after) if one}
        elif after and after != before:
            found[str(after)] = None
    return list(found)


@dataclass(slots=True)
class Flight:
    """Chunks of one job that run at the same time, although here one is written after the other.

    The first chunk that needs a row has it to the end of the flight. A later one waits for it; with the setting
    `lock_rate` as probability it waits in vain, and every record of it that needs the row is refused. So children of
    one parent that all stand in one chunk never meet, and neither do chunks of different flights. The draw hangs on
    the setting `lock_seed`, the flight's name, the chunk and the row alone: the same load meets the same locks.

    Make one for each set of chunks that are under way together, under a name that no other has (the job's id and the
    set's place), and write each chunk with `WriteOptions(locker=flight.chunk())`.
    """

    name: str
    rate: float
    seed: int = 1
    _holders: dict[str, int] = field(default_factory=dict)
    _chunks: int = 0

    def chunk(self) -> Callable[[Iterable[str]], None]:
        """Begins the next chunk; gives what takes rows for it and raises ApiFault where somebody else has them."""
        self._chunks += 1
        number, lost = self._chunks, dict[str, bool]()

        def take(record_ids: Iterable[str]) -> None:
            wanted = list(record_ids)
            for one in wanted:
                if one not in lost:
                    lost[one] = self._waits_in_vain(number, one)
            missed = [one for one in wanted if lost[one]]
            if missed:
                raise locked(missed)

        return take

    def _waits_in_vain(self, number: int, record_id: str) -> bool:
        if self._holders.setdefault(record_id, number) == number:
            return False
        drawn = random.Random(f"{self.seed}/{self.name}/{number}/{record_id}")  # noqa: S311 - no secret hangs on it
        return drawn.random() < self.rate
