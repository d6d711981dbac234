"""The SQL of what reverse ETL remembers: text with bound values, no I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.model.retl import Outcome
from lht.model.table import ColumnKind
from lht.state import tables
from lht.state.retl_rows import OUTBOX, part_row
from lht.state.statements import ALWAYS, latest
from lht.warehouse.statements import Statement, quote_table, quote_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lht.model.retl import Intent, Part
    from lht.model.table import TableName
    from lht.state.names import Names
    from lht.state.statements import Guard
    from lht.state.tables import StateTable

PARTS_AT_ONCE = 500
"""Parts that one statement writes: a warehouse limits what can be bound."""
SUCCEEDED = quote_text(Outcome.SUCCEEDED.value)


def probe(names: Names) -> Statement:
    """Asks nothing of any table; fails where one of them, or a column, is missing."""
    asked = (
        f"SELECT count(*) AS n FROM (SELECT {names.listed(c.name for c in table.columns)}"
        f" FROM {names.sql_table(table)} WHERE 1 = 0) AS {table.name}_all"
        for table in tables.RETL
    )
    return Statement("\nUNION ALL ".join(asked))


# ---- writing


def copy_staged(
    names: Names,
    table: StateTable,
    staging: TableName,
    columns: Sequence[str],
    constants: Mapping[str, object],
    *,
    guard: Guard = ALWAYS,
) -> Statement:
    """Adds staged rows to a table; `constants` are the same in all of them, times are the warehouse's.

    None is added where the guard's condition is not met.
    """
    values, clocks = _filled(names, table, columns, constants)
    chosen = [f"s.{names.sql(column)}" for column in columns]
    source, numbered = f"{quote_table(staging)} AS s", []
    if _is_numbered(table):
        source, numbered = f"{source}, {_next_saved(names, table)}", ["n.next_saved"]
    return Statement(
        f"INSERT INTO {names.sql_table(table)}"
        f" ({names.listed([*columns, *values, *clocks, *(['saved'] if numbered else [])])})\n"
        f"SELECT {', '.join([*chosen, *('?' for _ in values), *clocks.values(), *numbered])}\nFROM {source}"
        f"{_where(guard)}",
        (*values.values(), *guard.params),
    )


def add_pushed(
    names: Names,
    pushed: TableName,
    results: TableName,
    columns: Sequence[str],
    constants: Mapping[str, object],
) -> Statement:
    """Says what records now hold, of those staged rows whose results, staged too, are successes."""
    table, columns = tables.PUSHED, [column for column in columns if column != "record_id"]
    values, clocks = _filled(names, table, [*columns, "record_id"], constants)
    chosen = [f"s.{names.sql(column)}" for column in columns]
    key = names.sql("match_key")
    return Statement(
        f"INSERT INTO {names.sql_table(table)}"
        f" ({names.listed([*columns, 'record_id', *values, *clocks, 'saved'])})\n"
        f"SELECT {', '.join([*chosen, 'r.' + names.sql('sf_id'), *('?' for _ in values), *clocks.values()])},"
        f" n.next_saved\n"
        f"FROM {quote_table(pushed)} AS s\n"
        f"JOIN {quote_table(results)} AS r ON r.{key} = s.{key} AND r.{names.sql('outcome')} = {SUCCEEDED},"
        f" {_next_saved(names, table)}",
        tuple(values.values()),
    )


def forget_pushed(names: Names, results: TableName, intent: Intent, outcome: Outcome) -> Statement:
    """Says that nothing is known any more of the records that staged results name, however they were found."""
    gone = (
        f"SELECT DISTINCT substr({names.sql('sf_id')}, 1, 15) AS id FROM {quote_table(results)}\n"
        f"  WHERE {names.sql('outcome')} = {quote_text(outcome.value)}"
    )
    return _forget(names, gone, f"g.id = substr(p.{names.sql('record_id')}, 1, 15)", intent)


def forget_keys(names: Names, results: TableName, intent: Intent) -> Statement:
    """Says that nothing is known any more of keys whose rows may or may not have been written."""
    key, field = names.sql("match_key"), names.sql("match_field")
    unknown = (
        f"SELECT DISTINCT {key} AS id FROM {quote_table(results)}\n"
        f"  WHERE {names.sql('outcome')} = {quote_text(Outcome.UNKNOWN.value)}"
    )
    found = _forget(names, unknown, f"g.id = p.{key}", intent)
    return Statement(f"{found.sql} AND p.{field} = ?", (*found.params, intent.match_field))


def _forget(names: Names, gone: str, found: str, intent: Intent) -> Statement:
    table = tables.PUSHED
    kept = ["org_id", "object", "match_field", "match_key", "headers", "record_id"]
    now = latest(names, table, names.equal(["org_id", "object"]))
    return Statement(
        f"INSERT INTO {names.sql_table(table)} ({names.listed([*kept, 'run_id', 'pushed_at', 'saved'])})\n"
        f"SELECT {', '.join(f'p.{names.sql(column)}' for column in kept)}, ?, {names.dialect.clock}, n.next_saved\n"
        f"FROM (SELECT * FROM {now}) AS p\n"
        f"JOIN ({gone}) AS g ON {found}, {_next_saved(names, table)}\n"
        f"WHERE p.{names.sql('sent')} IS NOT NULL",
        (intent.run_id, intent.org_id, intent.object),
    )


def append_parts(names: Names, parts: Sequence[Part]) -> list[Statement]:
    """Adds how far parts have come."""
    groups = [parts[start : start + PARTS_AT_ONCE] for start in range(0, len(parts), PARTS_AT_ONCE)]
    return [_append_parts(names, group) for group in groups]


def append_part(names: Names, part: Part, guard: Guard) -> Statement:
    """Adds how far a part has come, if the guard's condition is met."""
    return _append_parts(names, [part], guard)


def _append_parts(names: Names, parts: Sequence[Part], guard: Guard = ALWAYS) -> Statement:
    """All get one number; no column holds a time, which, bound in a list of values, might get a zone."""
    table, rows = tables.PARTS, [part_row(part) for part in parts]
    columns = list(rows[0])
    marks = ",\n  ".join(f"({', '.join('?' for _ in columns)})" for _ in rows)
    named = ", ".join(f"c{number}" for number, _ in enumerate(columns, 1))
    return Statement(
        f"INSERT INTO {names.sql_table(table)} ({names.listed([*columns, 'saved'])})\n"
        f"SELECT {named}, n.next_saved\nFROM (VALUES\n  {marks}\n) AS v ({named}),"
        f" {_next_saved(names, table)}{_where(guard)}",
        (*(value for row in rows for value in row.values()), *guard.params),
    )


def _where(guard: Guard) -> str:
    return "" if guard == ALWAYS else f"\nWHERE {guard.condition}"


def _filled(
    names: Names, table: StateTable, columns: Sequence[str], constants: Mapping[str, object]
) -> tuple[dict[str, object], dict[str, str]]:
    """What a table's columns get that no staged column fills: given values, and the clock."""
    rest = [column.name for column in table.columns if column.name not in {*columns, "saved"}]
    times = set(table.of_kind(ColumnKind.TIMESTAMP))
    values = {name: constants[name] for name in rest if name in constants}
    return values, {name: names.dialect.clock for name in rest if name in times and name not in values}


def _is_numbered(table: StateTable) -> bool:
    return any(column.name == "saved" for column in table.columns)


def _next_saved(names: Names, table: StateTable) -> str:
    highest = f"coalesce(max({names.sql('saved')}), 0) + 1"
    return f"(SELECT {highest} AS next_saved FROM {names.sql_table(table)}) AS n"


def remove_old(names: Names, table: StateTable, before: object, *, counts: bool) -> Statement:
    """Removes, or counts, the rows of runs that began before a moment and have ended; `table` is keyed by run.

    A run that an unfinished retry or undo is about keeps its rows.
    """
    run_id, status, of_run = (names.sql(column) for column in ("run_id", "status", "of_run"))
    now = latest(names, tables.INTENTS, "1 = 1")
    ended = f"SELECT {run_id} FROM {now}\n  WHERE {status} <> 'open' AND {names.sql('started_at')} < ?"
    needed = f"SELECT {of_run} FROM {now}\n  WHERE {status} = 'open' AND {of_run} IS NOT NULL"
    verb = "SELECT count(*) AS old_rows" if counts else "DELETE"
    return Statement(
        f"{verb} FROM {names.sql_table(table)}\n"
        f"WHERE {run_id} IN (\n  {ended}\n) AND {run_id} NOT IN (\n  {needed}\n)",
        (before,),
    )


# ---- reading


def latest_where(
    names: Names,
    table: StateTable,
    among: Mapping[str, object],
    now: Mapping[str, object],
    order: Sequence[str],
) -> Statement:
    """Asks for those things whose latest version has the values `now`, among the versions that have `among`."""
    return Statement(
        f"SELECT {names.listed(column.name for column in table.columns)}\n"
        f"FROM {latest(names, table, names.equal(among))}\n"
        f"WHERE {names.equal(now)}\nORDER BY {names.listed(order)}",
        (*among.values(), *now.values()),
    )


def outbox(names: Names, run_id: str, part: int | None) -> Statement:
    """Asks for the rows of a run, or of one part of it, in no order."""
    key: dict[str, object] = {"run_id": run_id} | ({} if part is None else {"part": part})
    return Statement(
        f"SELECT {names.listed(column.name for column in tables.OUTBOX.columns)}\n"
        f"FROM {names.sql_table(tables.OUTBOX)}\nWHERE {names.equal(key)}",
        tuple(key.values()),
    )


def newest_of_rows(names: Names, table: StateTable, run_id: str, order: Sequence[str]) -> Statement:
    """Asks for the last of what a run has written of each of its rows; `order` tells which is last."""
    return Statement(
        f"SELECT {names.listed(column.name for column in table.columns)}\nFROM {_newest(names, table, order)}",
        (run_id,),
    )


def _newest(names: Names, table: StateTable, order: Sequence[str]) -> str:
    falling = ", ".join(f"{names.sql(column)} DESC NULLS LAST" for column in order)
    return (
        f"(\n  SELECT * FROM {names.sql_table(table)} WHERE {names.equal(['run_id'])}\n"
        f"  QUALIFY row_number() OVER (PARTITION BY {names.sql('row_number')} ORDER BY {falling}) = 1\n"
        f") AS {table.name}_now"
    )


LAST_RESULT = ("attempt", "recorded_at")
LAST_IMAGE = ("read_at",)


def count_results(names: Names, run_id: str) -> Statement:
    """Counts a run's rows by what became of them, with an example of each error, and the rows that it was to send.

    These are all rows of the outbox but those that were found to be in conflict.
    """
    by = names.listed(["outcome", "created", "class"])
    results, row_number = _newest(names, tables.ROW_RESULTS, LAST_RESULT), names.sql("row_number")
    conflicting = f"{names.sql('outcome')} = {quote_text(Outcome.CONFLICTING.value)}"
    return Statement(
        f"SELECT {by}, count(*) AS found, min({names.sql('message')}) AS example\nFROM {results}\nGROUP BY {by}\n"
        f"UNION ALL\nSELECT {quote_text(OUTBOX)}, FALSE, NULL, count(DISTINCT {row_number}), NULL\n"
        f"FROM {names.sql_table(tables.OUTBOX)}\nWHERE {names.equal(['run_id'])} AND {row_number} NOT IN (\n"
        f"  SELECT {row_number} FROM {results}\n  WHERE {conflicting}\n)",
        (run_id,) * 3,
    )


def pushed_headers(names: Names, org_id: str, object_name: str) -> Statement:
    """Asks for the lists of headers with which an object was ever written."""
    key: dict[str, object] = {"org_id": org_id, "object": object_name}
    return Statement(
        f"SELECT DISTINCT {names.sql('headers')} FROM {names.sql_table(tables.PUSHED)} WHERE {names.equal(key)}",
        tuple(key.values()),
    )


def pushed(names: Names, key: Mapping[str, object], others: Sequence[str]) -> Statement:
    """Asks for what was last written for each key, unless it was written over since.

    `others` are lists of headers that have fields with ours in common: what was written later with one of them, or
    by another match field, tells that the record no longer holds what we wrote.
    """
    table, match_key, sent = tables.PUSHED, names.sql("match_key"), names.sql("sent")
    found = (
        f"SELECT p.{match_key}, p.{names.sql('record_id')}, p.{sent}\nFROM (SELECT * FROM {latest(names, table, names.equal(key))}) AS p\n"
        f"WHERE p.{sent} IS NOT NULL"
    )
    if not others:
        return Statement(found, tuple(key.values()))
    marks = ", ".join("?" for _ in others)
    whose, saved, record = ("org_id", "object"), names.sql("saved"), names.sql("record_id")
    same = " AND ".join(f"q.{names.sql(column)} = p.{names.sql(column)}" for column in (*whose, "record_id"))
    different = " OR ".join(
        f"q.{names.sql(column)} <> p.{names.sql(column)}"
        for column in ("match_field", "headers", "match_key")
    )
    return Statement(
        f"{found} AND (p.{record} IS NULL OR NOT EXISTS (\n"
        f"  SELECT 1 AS later FROM {names.sql_table(table)} AS q\n"
        f"  WHERE {same} AND q.{names.sql('headers')} IN ({marks})\n"
        f"    AND q.{saved} > p.{saved} AND ({different})\n))",
        (*key.values(), *others),
    )


def said(names: Names, table: StateTable, key: Mapping[str, object]) -> Statement:
    """Asks whether a table has a row with these values."""
    return Statement(
        f"SELECT 1 AS said FROM {names.sql_table(table)} WHERE {names.equal(key)} LIMIT 1",
        tuple(key.values()),
    )


def said_part(names: Names, part: Part) -> Statement:
    """Asks whether a part has come so far."""
    key = {
        "run_id": part.run_id,
        "part": part.number,
        "attempt": part.attempt,
        "status": str(part.status),
    }
    return said(names, tables.PARTS, key)
