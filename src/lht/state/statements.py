"""The SQL of LHT's own tables: text with bound values, no I/O. What one table's standing is asked with is in `standing`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lht.model.table import ColumnKind
from lht.state import tables
from lht.warehouse.statements import BOUND_MOMENT, Statement

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.state.names import Names
    from lht.state.tables import StateTable

_LOCK_TIMES = ("acquired_at", "heartbeat_at")


@dataclass(frozen=True, slots=True)
class Guard:
    """A condition that a row is only written under."""

    condition: str = "TRUE"
    params: tuple[object, ...] = ()


ALWAYS = Guard()


def newest_version(names: Names) -> Statement:
    """Asks for the version of LHT's tables; 0 where none is written down."""
    column = names.sql("state_version")
    return Statement(f"SELECT coalesce(max({column}), 0) AS version FROM {names.sql_table(tables.META)}")


# ---- append-only tables


def append(names: Names, table: StateTable, row: Mapping[str, object], guard: Guard = ALWAYS) -> Statement:
    """Adds a row above all others of its table, if the guard's condition is met."""
    name, saved = names.sql_table(table), names.sql("saved")
    times = set(table.of_kind(ColumnKind.TIMESTAMP))
    # What is bound in a SELECT has no column to take its type from; a time could then get a zone.
    marks = ", ".join(BOUND_MOMENT if column in times else "?" for column in row)
    where = "" if guard == ALWAYS else f"\nWHERE {guard.condition}"
    return Statement(
        f"INSERT INTO {name} ({names.listed([*row, 'saved'])})\n"
        f"SELECT {marks}, n.next_saved\n"
        f"FROM (SELECT coalesce(max({saved}), 0) + 1 AS next_saved FROM {name}) AS n{where}",
        (*row.values(), *guard.params),
    )


def latest(names: Names, table: StateTable, condition: str) -> str:
    """Of the rows that meet a condition, the version of each thing that counts; to stand after FROM."""
    key, saved, tie = names.listed(table.key), names.sql("saved"), names.sql(table.tie)
    return (
        f"(\n  SELECT * FROM {names.sql_table(table)} WHERE {condition}\n"
        f"  QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {saved} DESC, {tie} DESC NULLS LAST) = 1\n"
        f") AS {table.name}_now"
    )


def latest_rows(
    names: Names, table: StateTable, where: Mapping[str, object], order: str, newest: int | None
) -> Statement:
    """Asks for the latest version of each thing that `where` finds, all columns in the table's order.

    Sorted by a column; with `newest` only so many, the newest first.
    """
    falls, limit = ("", "") if newest is None else (" DESC", f" LIMIT {newest}")
    return Statement(
        f"SELECT {names.listed(column.name for column in table.columns)}\n"
        f"FROM {latest(names, table, names.equal(where))}\n"
        f"ORDER BY {names.sql(order)}{falls}, {names.sql('saved')}{falls}{limit}",
        tuple(where.values()),
    )


def said(names: Names, key: Mapping[str, object]) -> Statement:
    """Asks for the rows of `runs` with these values."""
    runs = names.sql_table(tables.RUNS)
    return Statement(f"SELECT 1 AS said FROM {runs} WHERE {names.equal(key)}", tuple(key.values()))


def unless(asked: Statement) -> Guard:
    """Met where a statement finds nothing."""
    return Guard(f"NOT EXISTS ({asked.sql})", asked.params)


def while_held(names: Names, token: str) -> Guard:
    """Met while the lock of that token is there."""
    held = lock_held(names, token)
    return Guard(f"EXISTS ({held.sql})", held.params)


def lock_held(names: Names, token: str) -> Statement:
    """Asks whether the lock of a token is there."""
    return Statement(
        f"SELECT 1 AS held FROM {names.sql_table(tables.LOCKS)} WHERE {names.sql('token')} = ?", (token,)
    )


# ---- locks


def add_lock(names: Names, row: Mapping[str, Any]) -> Statement:
    """Adds a lock, its times by the warehouse's clock, where the state tables are of our version.

    One statement does both, so that no lock is ever taken in tables that an upgrade is changing.
    """
    clock = names.dialect.clock
    values = {name: value for name, value in row.items() if name not in _LOCK_TIMES}
    highest = f"SELECT max({names.sql('state_version')}) AS found FROM {names.sql_table(tables.META)}"
    return Statement(
        f"INSERT INTO {names.sql_table(tables.LOCKS)} ({names.listed([*values, *_LOCK_TIMES])})\n"
        f"SELECT {', '.join('?' for _ in values)}, {clock}, {clock}\n"
        f"FROM ({highest}) AS m WHERE m.found = ?",
        (*values.values(), tables.STATE_VERSION),
    )


def remove_lock(names: Names, token: str) -> Statement:
    """Removes a lock, if it is there."""
    return Statement(f"DELETE FROM {names.sql_table(tables.LOCKS)} WHERE {names.sql('token')} = ?", (token,))


def beat(names: Names, token: str) -> Statement:
    """Says that a lock's holder lives, by the warehouse's clock."""
    setting = f"{names.sql('heartbeat_at')} = {names.dialect.clock}"
    return Statement(
        f"UPDATE {names.sql_table(tables.LOCKS)} SET {setting} WHERE {names.sql('token')} = ?", (token,)
    )


def locks(names: Names, condition: str, params: tuple[object, ...]) -> Statement:
    """Asks for locks; the clock comes first, with a row of its own if there is no lock."""
    columns = ", ".join(f"h.{names.sql(column.name)}" for column in tables.LOCKS.columns)
    return Statement(
        f"SELECT c.clock, {columns}\n"
        f"FROM (SELECT {names.dialect.clock} AS clock) AS c\n"
        f"LEFT JOIN (SELECT * FROM {names.sql_table(tables.LOCKS)} AS l WHERE {condition}) AS h ON TRUE",
        params,
    )


def is_under_way(names: Names) -> str:
    """Whether the lock `l` is of a run that has not written how it ended."""
    key = ("run_id", "object", "table_catalog", "table_schema", "table_name")
    same = " AND ".join(f"r.{names.sql(column)} = l.{names.sql(column)}" for column in key)
    ended = f"SELECT 1 AS ended FROM {names.sql_table(tables.RUNS)} AS r WHERE {same}"
    return f"{names.sql('object')} <> '' AND NOT EXISTS ({ended})"
