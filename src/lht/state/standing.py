"""Everything that a run must know of one table's state, asked in one statement. No I/O.

A warehouse on a network bills, and takes its time for, every statement: so locks, watermark, debts, open jobs, the
clock and the table's row count come as the branches of one UNION ALL. Each kind of column has its slots in the
answer; a branch fills them from the left with the columns of its table, in their order, and leaves the others empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import TYPE_CHECKING, Any

from lht.model.table import ColumnKind, ColumnType
from lht.state import rows, tables
from lht.state.statements import latest
from lht.warehouse.statements import Statement, count_rows, quote_text, type_sql

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lht.model.run import Holder, JobRecord, SchemaChange
    from lht.model.sync import Watermark
    from lht.model.table import Column, TableName
    from lht.state.names import Names
    from lht.state.tables import StateTable

_PARTS = (tables.LOCKS, tables.WATERMARKS, tables.SCHEMA_CHANGES, tables.JOBS)
_KINDS = (ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.TIMESTAMP)
_SLOTS = {kind: max(len(table.of_kind(kind)) for table in _PARTS) for kind in _KINDS}
_TABLE_FACTS = "table"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a table at one moment. `columns` None: there is no such table; `clock` is the warehouse's."""

    columns: tuple[Column, ...] | None
    rows: int
    clock: datetime
    holders: tuple[Holder, ...] = ()
    watermark: Watermark | None = None
    owed: tuple[SchemaChange, ...] = ()
    open_jobs: tuple[JobRecord, ...] = ()


def standing_statement(names: Names, table: TableName, *, counts_rows: bool) -> Statement:
    """Asks for a table's standing; its rows are counted where it is known to exist."""
    key = rows.table_row(table, names.catalog)
    condition = names.equal(key)
    unsettled = f"\nWHERE {names.sql('status')} = 'open'"
    unpaid = f"\nWHERE {names.sql('backfilled_at')} IS NULL"
    branches = [
        _table_facts(names, table if counts_rows else None),
        _branch(names, tables.LOCKS, f"{names.sql_table(tables.LOCKS)}\nWHERE {condition}"),
        _branch(names, tables.WATERMARKS, latest(names, tables.WATERMARKS, condition)),
        _branch(names, tables.SCHEMA_CHANGES, latest(names, tables.SCHEMA_CHANGES, condition) + unpaid),
        _branch(names, tables.JOBS, latest(names, tables.JOBS, condition) + unsettled),
    ]
    return Statement("\nUNION ALL\n".join(branches), tuple(key.values()) * len(_PARTS))


def _table_facts(names: Names, table: TableName | None) -> str:
    """The first branch: it also names the slots."""
    counted = f"({count_rows(table).sql})" if table else "0"
    filled = {ColumnKind.INTEGER: [counted], ColumnKind.TIMESTAMP: [names.dialect.clock]}
    named = [
        f"{sql} AS {kind.value}_{number}"
        for kind in _KINDS
        for number, sql in enumerate(_padded(names, filled.get(kind, []), kind), 1)
    ]
    return f"SELECT {quote_text(_TABLE_FACTS)} AS part, {', '.join(named)}"


def _branch(names: Names, table: StateTable, source: str) -> str:
    chosen = [
        sql for kind in _KINDS for sql in _padded(names, list(map(names.sql, table.of_kind(kind))), kind)
    ]
    return f"SELECT {quote_text(table.name)}, {', '.join(chosen)}\nFROM {source}"


def _padded(names: Names, filled: list[str], kind: ColumnKind) -> list[str]:
    empty = f"CAST(NULL AS {type_sql(ColumnType(kind), names.dialect)})"
    return filled + [empty] * (_SLOTS[kind] - len(filled))


def standing_from(
    found: Sequence[tuple[Any, ...]], columns: tuple[Column, ...] | None, own_catalog: str
) -> Standing:
    """Reads the answer to `standing_statement`."""
    parts: dict[str, list[rows.Row]] = {table.name: [] for table in _PARTS}
    counted, clock = 0, None
    for part, *values in found:
        if part == _TABLE_FACTS:
            counted = values[_SLOTS[ColumnKind.TEXT]]
            clock = values[_SLOTS[ColumnKind.TEXT] + _SLOTS[ColumnKind.INTEGER]]
        else:
            parts[part].append(_named(next(t for t in _PARTS if t.name == part), values))
    if clock is None:
        raise ValueError("the state's answer lacks the clock")
    changes = sorted(parts[tables.SCHEMA_CHANGES.name], key=lambda row: (row["changed_at"], row["saved"]))
    jobs = sorted(parts[tables.JOBS.name], key=lambda row: (row["created_at"], row["saved"]))
    return Standing(
        columns=columns,
        rows=int(counted),
        clock=clock.replace(tzinfo=UTC),
        holders=tuple(rows.holder_from(row, own_catalog) for row in parts[tables.LOCKS.name]),
        watermark=current_watermark(parts[tables.WATERMARKS.name], own_catalog),
        owed=tuple(rows.change_from(row, own_catalog) for row in changes),
        open_jobs=tuple(rows.job_from(row, own_catalog) for row in jobs),
    )


def current_watermark(found: Sequence[rows.Row], own_catalog: str) -> Watermark | None:
    """The watermark of a table's latest row; None if there is none, or LHT was told to forget it."""
    if not found or found[0]["status"] != "current":
        return None
    return rows.watermark_from(found[0], own_catalog)


def _named(table: StateTable, values: Sequence[Any]) -> rows.Row:
    """A branch's values by the names of its table's columns."""
    row: rows.Row = {}
    start = 0
    for kind in _KINDS:
        row.update(zip(table.of_kind(kind), values[start : start + _SLOTS[kind]], strict=False))
        start += _SLOTS[kind]
    return row
