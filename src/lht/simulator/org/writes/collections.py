"""Many records in one call: each on its own, or all or none of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from lht.simulator.errors import ApiFault, ManyFound
from lht.simulator.org.writes.working_set import WorkingSet, working

if TYPE_CHECKING:
    from lht.simulator.store.database import Database

ROLLED_BACK = ApiFault(
    400,
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
    (),
)


@dataclass(frozen=True, slots=True)
class Saved:
    """One record that was written; `created` only where that was in question."""

    id: str
    created: bool | None = None


Outcome: TypeAlias = Saved | ApiFault
Work: TypeAlias = Callable[[WorkingSet], Saved]
"""Writes one record; it raises ApiFault before it has written anything, or not at all."""


class _RolledBack(Exception):  # noqa: N818 - it ends a transaction, nothing else
    """Some records were refused of which all or none were wanted."""


def save_all(
    db: Database,
    works: Sequence[Work],
    *,
    all_or_none: bool,
    expect: Callable[[WorkingSet], None] = lambda _work: None,
) -> list[Outcome]:
    """Does every work in order, in one transaction, and gives what became of each.

    `expect` may say beforehand what they will ask for. As a refused record leaves nothing, nothing is done twice.
    """
    return save_sets(db, [partial(_each, works)], all_or_none=all_or_none, expect=expect)


def _each(works: Sequence[Work], work: WorkingSet) -> list[Outcome]:
    return [_outcome(one, work) for one in works]


def save_sets(
    db: Database,
    sets: Sequence[Callable[[WorkingSet], list[Outcome]]],
    *,
    all_or_none: bool,
    expect: Callable[[WorkingSet], None] = lambda _work: None,
) -> list[Outcome]:
    """Does works that are of several records each.

    Where all or none were wanted and some are refused, all is rolled back; by the caller, where more is done
    `together` with it.
    """
    outcomes: list[Outcome] = []
    with suppress(_RolledBack), db.transaction() as connection, working(connection) as work:
        expect(work)
        for one in sets:
            outcomes += one(work)
        if all_or_none and not db.is_together and any(isinstance(one, ApiFault) for one in outcomes):
            raise _RolledBack
    if all_or_none and any(isinstance(one, ApiFault) for one in outcomes):
        return [one if isinstance(one, ApiFault) else ROLLED_BACK for one in outcomes]
    return outcomes


def _outcome(one: Work, work: WorkingSet) -> Outcome:
    try:
        return one(work)
    except ManyFound as fault:
        return fault.of_row()
    except ApiFault as fault:
        return fault
