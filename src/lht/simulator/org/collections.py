"""Many records in one call: each on its own, or all or none of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lht.simulator.errors import ApiFault, ManyFound
from lht.simulator.store.database import Connection

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


Work: TypeAlias = Callable[[Connection], Saved]
"""Writes one record in the transaction that it is given."""

Outcome: TypeAlias = Saved | ApiFault


class _SomeFailed(Exception):  # noqa: N818 - it ends a transaction, nothing else
    """Some records of an attempt were refused, so that nothing of it may stay."""


def save_all(db: Database, works: Sequence[Work], *, all_or_none: bool) -> list[Outcome]:
    """Does every work in order and gives what became of each.

    It is one transaction. Where some fail it is rolled back and, unless all or none were wanted, done again without
    them, as Salesforce does: so nothing of a refused record stays, whatever its rules had written before they
    refused it. Work that is done `together` with more is not done again: its caller rolls back.
    """
    failed: dict[int, ApiFault] = {}
    while True:
        try:
            with db.transaction() as connection:
                outcomes = _attempt(connection, works, failed, finish=db.is_together)
        except _SomeFailed:
            outcomes = []
        if all_or_none and failed:
            return [failed.get(place, ROLLED_BACK) for place in range(len(works))]
        if outcomes or not works:
            return outcomes


def _attempt(
    connection: Connection, works: Sequence[Work], failed: dict[int, ApiFault], *, finish: bool
) -> list[Outcome]:
    known = len(failed)
    outcomes = [
        failed.get(place) or _outcome(connection, work, failed, place) for place, work in enumerate(works)
    ]
    if len(failed) > known and not finish:
        raise _SomeFailed
    return outcomes


def _outcome(connection: Connection, work: Work, failed: dict[int, ApiFault], place: int) -> Outcome:
    try:
        return work(connection)
    except ManyFound as fault:
        listed = ", ".join(fault.record_ids)
        message = f"more than one record found for external id field: [{listed}]"
        failed[place] = ApiFault(400, "DUPLICATE_EXTERNAL_ID", message, ())
    except ApiFault as fault:
        failed[place] = fault
    return failed[place]
