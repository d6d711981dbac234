"""What would really change: rows as they would be sent, beside what was last written or what Salesforce holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from lht.model.retl import Difference, Operation
from lht.retl.normal import NULL_MARK, key_sql, normal_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.retl import SentColumn
    from lht.retl.run import RetlRun


def drop_unchanged(run: RetlRun, columns: Sequence[SentColumn], against: Literal["pushed", "held"]) -> int:
    """Takes the rows that would change nothing out of `encoded`, and gives how many they were.

    A field that a row leaves alone never differs. Against `pushed`, one that was not written before does: what it
    holds is not known. Deletes, new records and rows whose record was not found always stay.
    """
    before = run.work.count("encoded")
    _drop_equal(run, columns, against)
    _drop_alike(run, columns, against)
    return before - run.work.count("encoded")


def _drop_equal(run: RetlRun, columns: Sequence[SentColumn], against: str) -> None:
    """Drops rows whose texts are all as they were: most of them, and one join of hashes finds them.

    Two hashes of 64 bits over all values: that two different rows share both is not to be expected.
    """
    joined, cells, found = _OTHER[against]
    sent = [place for place, column in enumerate(columns, start=1) if column.column]
    new, old = [f"c{place}" for place in sent], [cells.format(place) for place in sent]
    run.work.execute(
        f"DELETE FROM encoded WHERE row_number IN (SELECT row_number FROM (SELECT row_number, {_hashes(joined, new)} "
        f"FROM encoded WHERE {_REPEATABLE}) AS row JOIN (SELECT {_hashes(joined, old)} FROM {against} AS other "
        f"WHERE {found}) AS other USING (first_hash, second_hash))"
    )


def _hashes(key: str, cells: Sequence[str]) -> str:
    forwards, backwards = ", ".join([key, *cells]), ", ".join([*reversed(cells), key])
    return f"hash({forwards}) AS first_hash, hash('', {backwards}) AS second_hash"


def _drop_alike(run: RetlRun, columns: Sequence[SentColumn], against: str) -> None:
    """Drops rows whose texts are not as they were, but mean the same to Salesforce."""
    joined, cells, found = _OTHER[against]
    changes = " OR ".join(
        _changes(column, f"row.c{place}", f"other.{cells.format(place)}", against)
        for place, column in enumerate(columns, start=1)
        if column.column
    )
    run.work.execute(
        f"DELETE FROM encoded WHERE row_number IN (SELECT row.row_number FROM encoded AS row JOIN {against} AS other "
        f"ON row.{joined} = other.{joined} WHERE row.{_REPEATABLE} AND {found} AND ({changes or 'FALSE'}) IS NOT TRUE)"
    )


_REPEATABLE = f"operation IN ('{Operation.UPDATE}', '{Operation.UPSERT}')"
_OTHER = {
    "pushed": ("match_key", "sent[{}]", "TRUE"),
    "held": ("row_number", "h{}", "other.record_id IS NOT NULL"),
}
"""By what each table is joined, its values, and its rows that count."""


def _changes(column: SentColumn, new: str, old: str, against: str) -> str:
    """Of what LHT wrote, NULL is a field that it left alone, and not an empty one."""
    differs = _differs(column, new, old)
    return f"({new} IS NOT NULL AND {old} IS NULL) OR {differs}" if against == "pushed" else differs


def first_differences(run: RetlRun, columns: Sequence[SentColumn], limit: int = 10) -> tuple[Difference, ...]:
    """Gives the first values that would change, by row and then by column; `held` must be filled."""
    found: list[tuple[int, int, Difference]] = []
    keys = (f"row.c{place}" for place, column in enumerate(columns, start=1) if column.is_key)
    known_by = next(keys, "row.match_key")  # the key as the query spells it
    for place, column in enumerate(columns, start=1):
        if not column.column or column.is_key:
            continue
        for row, key, old, new in _differences(run, column, place, known_by, limit):
            found.append((row, place, Difference(row, key or "", column.header, old, new)))
    found.sort(key=lambda entry: entry[:2])
    return tuple(difference for _, _, difference in found[:limit])


def _differences(
    run: RetlRun, column: SentColumn, place: int, known_by: str, limit: int
) -> list[tuple[int, str | None, str | None, str | None]]:
    new, old = f"row.c{place}", f"other.h{place}"
    return run.work.query(
        f"SELECT row.row_number, {known_by}, {old}, nullif({new}, '{NULL_MARK}') FROM encoded AS row "
        f"JOIN held AS other ON row.row_number = other.row_number WHERE other.record_id IS NOT NULL "
        f"AND row.operation <> '{Operation.DELETE}' AND {_differs(column, new, old)} ORDER BY 1 LIMIT {int(limit)}"
    )


def _differs(column: SentColumn, new: str, old: str) -> str:
    """The condition under which writing would change a field.

    Most values are equal as they stand, and only CASE makes DuckDB normalise no more than the others.
    """
    form = key_sql if column.parent or column.is_key else normal_sql
    unequal = f"{form(new, column.field)} IS DISTINCT FROM {form(old, column.field)}"
    return f"(CASE WHEN {new} IS NOT NULL AND {new} IS DISTINCT FROM {old} THEN {unequal} ELSE FALSE END)"
