"""Rows cut into parts: as many as one job may hold, children of one parent side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lht.model.retl import Operation, Part, PartStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.retl import SentColumn
    from lht.retl.run import RetlRun

MOST_BYTES: Final = 95_000_000
"""Salesforce takes 100 MB (150 MB once it has encoded them); the rest is room for what this counts otherwise."""
MOST_ROWS: Final = 100_000
"""Before-images of so many rows are read by calls, just before their job: the more rows, the older the images."""
_NOT_LOCKED: Final = frozenset({"OwnerId", "RecordTypeId"})
"""Lookups whose parents a write does not lock."""


@dataclass(frozen=True, slots=True)
class _Most:
    """What a part may hold at most."""

    rows: int
    bytes: int


def cut(
    run: RetlRun,
    columns: Sequence[SentColumn],
    rows: str = "encoded",
    *,
    first_part: int = 1,
    attempt: int = 1,
    max_rows: int | None = None,
    max_bytes: int = MOST_BYTES,
) -> tuple[Part, ...]:
    """Adds the rows of a relation shaped as `encoded` to `outbox`, part by part, and gives the parts.

    `max_rows` is as `--batch_size` says, or MOST_ROWS. A part has one operation. Its bytes are counted as if every
    value were quoted, so its file is never larger.
    """
    most = max(1, max_rows or run.request.options.batch_size or MOST_ROWS)
    _make_outbox(run)
    header = sum(len(column.header.encode()) + 3 for column in columns)
    run.work.execute(_cut_sql(rows, columns, _Most(most, max_bytes - header), first_part, attempt))
    return _parts(run, first_part, attempt, header, _names(columns))


def order_sql(columns: Sequence[SentColumn], sent: str = "sent") -> str:
    """Gives the order in which a part's rows are written: by parent, so that no two batches lock the same one."""
    return ", ".join([*(f"{sent}[{place}]" for place in _parents(columns)), "row_number"])


def _parents(columns: Sequence[SentColumn]) -> list[int]:
    return [
        place
        for place, column in enumerate(columns, start=1)
        if (column.parent or column.field.type == "reference") and column.target not in _NOT_LOCKED
    ]


def _names(columns: Sequence[SentColumn]) -> list[str]:
    return [f"c{place}" for place in range(1, len(columns) + 1)]


def _make_outbox(run: RetlRun) -> None:
    run.work.execute(
        "CREATE TABLE IF NOT EXISTS outbox (part BIGINT, attempt BIGINT, row_number BIGINT, operation VARCHAR, "
        "match_key VARCHAR, record_id VARCHAR, sent VARCHAR[], source VARCHAR)"
    )


def _cut_sql(rows: str, columns: Sequence[SentColumn], most: _Most, first_part: int, attempt: int) -> str:
    """Numbers the parts: first by running bytes, leaving room for the largest row, then by rows within."""
    names = _names(columns)
    order = ", ".join([*(f"c{place}" for place in _parents(columns)), "row_number"])
    return f"""INSERT INTO outbox BY NAME
WITH sized AS (SELECT row_number, operation, {order.removesuffix("row_number")}{row_bytes_sql(names)} AS size FROM {rows}),
filled AS (SELECT *, sum(size) OVER (PARTITION BY operation ORDER BY {order} ROWS UNBOUNDED PRECEDING) AS filled,
  greatest({most.bytes} - max(size) OVER (), 1) AS most FROM sized),
boxed AS (SELECT *, CAST(floor(filled / most) AS BIGINT) AS box FROM filled),
placed AS (SELECT row_number, operation, box,
  (row_number() OVER (PARTITION BY operation, box ORDER BY {order}) - 1) // {most.rows} AS slice FROM boxed),
numbered AS (SELECT row_number, dense_rank() OVER (ORDER BY operation, box, slice) + {first_part - 1} AS part FROM placed)
SELECT numbered.part, {attempt} AS attempt, found.row_number, found.operation, found.match_key, found.record_id,
  list_value({", ".join(f"found.{name}" for name in names)}) AS sent, found.source
FROM {rows} AS found JOIN numbered USING (row_number)"""


def row_bytes_sql(names: Sequence[str]) -> str:
    """Bytes of a CSV line: every value in quotes, quotes in it doubled, a comma or a line end behind it."""
    sizes = (
        f"coalesce(strlen({name}) + strlen({name}) - strlen(replace({name}, '\"', '')), 0) + 3"
        for name in names
    )
    return " + ".join(sizes)


def _parts(
    run: RetlRun, first_part: int, attempt: int, header: int, names: Sequence[str]
) -> tuple[Part, ...]:
    cells = [f"sent[{place}]" for place in range(1, len(names) + 1)]
    found = run.work.query(
        f"SELECT part, any_value(operation), count(*), sum({row_bytes_sql(cells)}) FROM outbox "
        f"WHERE part >= {first_part} GROUP BY part ORDER BY part"
    )
    return tuple(
        Part(
            run.run_id,
            int(part),
            attempt,
            Operation(operation),
            PartStatus.PLANNED,
            int(rows),
            int(size) + header,
        )
        for part, operation, rows, size in found
    )
