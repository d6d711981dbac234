"""Values that somebody changed in Salesforce since they were synced, and that a run would overwrite.

A value is in conflict where Salesforce's differs from the synced table's, from what LHT itself last wrote, and from
what would be written now. All three go through one normal form, so that only real differences count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.errors import MissingTableError, PlanRefusedError
from lht.mapping.names import column_name
from lht.model.retl import Operation, Outcome
from lht.model.table import Column, ColumnKind, ColumnType
from lht.retl.held import touched_fields
from lht.retl.normal import IDS, NULL_MARK, normal_sql
from lht.retl.texts import text_sql
from lht.retl.words import counted
from lht.state.tables import system_columns
from lht.warehouse.statements import Statement, quote, quote_table, quote_text
from lht.warehouse.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lht.model.retl import Part, SentColumn
    from lht.model.salesforce import Field
    from lht.model.table import TableName
    from lht.retl.run import RetlRun

ERROR_CLASS = "CONFLICT"
_ID = ColumnType(ColumnKind.TEXT, length=18)
_MAKE = (
    "CREATE OR REPLACE TABLE conflicts "
    "(row_number BIGINT, field VARCHAR, base VARCHAR, ours VARCHAR, theirs VARCHAR)"
)


# ---- for the engine


def check_baseline(run: RetlRun, columns: Sequence[SentColumn]) -> None:
    """PlanRefusedError where there is no table to compare with, or where it lacks a column."""
    if run.request.options.if_unchanged_since_sync and run.request.operation is not Operation.INSERT:
        _baseline(run, columns)


def find_conflicts(run: RetlRun, columns: Sequence[SentColumn], rows: str) -> int:
    """Fills `conflicts` for the rows of a relation that has `row_number`, `match_key`, `c1`, `c2` and so on.

    `held` tells what Salesforce has. Gives the number of rows with a conflict.
    """
    baseline = _baseline(run, columns)
    run.work.execute(_MAKE)
    _load_baseline(run, baseline, rows)
    _load_pushed(run, columns)
    for value in list(_values(run, columns, baseline)):
        # The normal forms are long SQL: they are made of columns, never of each other.
        run.work.execute(_compared_values(value, rows))
        run.work.execute(_comparison(value))
    run.work.execute("DROP TABLE IF EXISTS compared")
    return int(run.work.value("SELECT count(DISTINCT row_number) FROM conflicts"))


def drop_conflicts(run: RetlRun, part: Part, columns: Sequence[SentColumn], rows: str) -> int:
    """Takes a part's rows in conflict out of `outbox` and `held`, and records each with its three values."""
    number = find_conflicts(run, columns, rows)
    if number:
        run.state.save_results(run.run_id, run.work.batches(_results(part)))
        run.work.execute(f"INSERT INTO {quote(_recorded(run))} SELECT DISTINCT row_number FROM conflicts")
        run.work.execute("DELETE FROM held WHERE row_number IN (SELECT row_number FROM conflicts)")
        leave_out(run)
        run.tell(
            "warning", f"changed in Salesforce since the last sync, and not sent: {counted(number, 'row')}"
        )
    return number


def leave_out(run: RetlRun) -> None:
    """Takes rows out of `outbox` that were found in conflict before, be it by a process that died since."""
    if not run.request.options.if_unchanged_since_sync:
        return
    table = _recorded(run)
    if not run.work.has_table(table):
        known = run.state.row_results(run.run_id)
        run.work.load("earlier", known, "CAST(row_number AS BIGINT) AS row_number, outcome")
        run.work.execute(
            f"CREATE TABLE {quote(table)} AS SELECT row_number FROM earlier "
            f"WHERE outcome = {quote_text(Outcome.CONFLICTING)}"
        )
        run.work.execute("DROP TABLE earlier")
    run.work.execute(f"DELETE FROM outbox WHERE row_number IN (SELECT row_number FROM {quote(table)})")


def _recorded(run: RetlRun) -> str:
    """The table of the rows in conflict. It is the run's own: a run that is abandoned shares the database."""
    return f"conflicting_{run.run_id}"


def _results(part: Part) -> str:
    """What `row_results` holds of a row in conflict: its fields, and the three values of each as JSON."""
    values = ", ".join(
        f"CAST(json_group_object(field, {name}) AS VARCHAR) AS {name}" for name in ("base", "ours", "theirs")
    )
    return (
        "SELECT o.operation, o.match_key, o.record_id AS sf_id, o.source, o.row_number, o.part, o.attempt, "
        f"{quote_text(Outcome.CONFLICTING)} AS outcome, FALSE AS created, {quote_text(ERROR_CLASS)} AS class, "
        "c.fields || ' changed in Salesforce since the last sync.' AS message, c.fields, c.base, c.ours, c.theirs "
        "FROM outbox AS o JOIN (SELECT row_number, string_agg(field, ',' ORDER BY field) AS fields, "
        f"{values} FROM conflicts GROUP BY row_number) AS c USING (row_number) WHERE o.part = {part.number:d}"
    )


# ---- the baseline


@dataclass(frozen=True, slots=True)
class _Baseline:
    """The table of the last sync, and its columns by their names in small letters."""

    table: TableName
    columns: dict[str, str]

    def find(self, run: RetlRun, *names: str) -> str | None:
        stored = (column_name(name, run.warehouse.capabilities).lower() for name in names)
        return next((self.columns[name] for name in stored if name in self.columns), None)


def _baseline(run: RetlRun, columns: Sequence[SentColumn]) -> _Baseline:
    table = _baseline_table(run)
    existing = run.warehouse.columns(table)
    if existing is None:
        raise PlanRefusedError(
            f"There is no table {table} to compare with. Nothing was sent.",
            hint=f"Check --baseline, or run 'lht sync --sobject {run.sobject.name}' first.",
        )
    found = _Baseline(table, {column.name.lower(): column.name for column in existing})
    lacking = [] if found.find(run, "Id") else ["Id"]
    if run.request.operation is not Operation.DELETE:
        lacking += [c.target for c in _compared(columns) if not found.find(run, c.target, _path(c))]
    if lacking:
        raise PlanRefusedError(
            f"{table}, with which --if_unchanged_since_sync compares, lacks {', '.join(dict.fromkeys(lacking))}. "
            "Nothing was sent.",
            hint="Sync these fields, name another table with --baseline, or leave the columns out of the query.",
        )
    return found


def _baseline_table(run: RetlRun) -> TableName:
    name = run.request.options.baseline
    if name:
        return run.warehouse.table_name(name)
    synced = run.state.synced_tables(run.org.org_id, run.sobject.name)
    if not synced:
        raise PlanRefusedError(
            f"--if_unchanged_since_sync: {run.sobject.name} of this org is synced into no table here. Nothing was sent.",
            hint=f"Run 'lht sync --sobject {run.sobject.name}' first, or name a table with --baseline.",
        )
    if len(synced) > 1:
        tables = ", ".join(str(one.table) for one in synced)
        raise PlanRefusedError(
            f"{run.sobject.name} is synced into several tables: {tables}. Nothing was sent.",
            hint="Name the one to compare with: --baseline TABLE.",
        )
    return synced[0].table


def _load_baseline(run: RetlRun, baseline: _Baseline, rows: str) -> None:
    """Brings the table's rows of the held records into the run's database; the join is the warehouse's work."""
    ids = f"SELECT DISTINCT record_id AS id FROM held SEMI JOIN {rows} AS r USING (row_number)"
    folds = run.warehouse.capabilities.folds_upper
    id_column = Column("ID" if folds else "id", _ID)
    name = f"_lht_baseline_{run.run_id}".replace("-", "_")
    staging = run.warehouse.stage([id_column], Stream(run.work.batches(ids)), name)
    try:
        selected = ", ".join(f"t.{quote(stored)}" for stored in baseline.columns.values())
        joined = (
            f"SELECT {selected} FROM {quote_table(baseline.table)} AS t "
            f"JOIN {quote_table(staging)} AS s ON t.{quote(str(baseline.find(run, 'Id')))} = s.{quote(id_column.name)}"
        )
        run.work.load("baseline_all", run.warehouse.read(Statement(joined)))
    finally:
        run.warehouse.drop_table(staging)
    _keep_one(run, baseline)


def _keep_one(run: RetlRun, baseline: _Baseline) -> None:
    """Of several rows of one record, a live one counts: marked ones are what is left of an earlier life."""
    own_id = quote(str(baseline.find(run, "Id")))
    deleted = baseline.columns.get(system_columns(run.warehouse.capabilities).deleted_at.lower())
    order = f"({quote(deleted)} IS NOT NULL), {quote(deleted)} DESC" if deleted else own_id
    run.work.execute(
        f"CREATE OR REPLACE TABLE baseline AS SELECT {own_id} AS _lht_id, * FROM baseline_all "
        f"QUALIFY row_number() OVER (PARTITION BY {own_id} ORDER BY {order}) = 1"
    )
    run.work.execute("DROP TABLE baseline_all")


def _load_pushed(run: RetlRun, columns: Sequence[SentColumn]) -> None:
    """What LHT last wrote by these columns; read once, as what this run writes is no news to it."""
    if run.work.has_table("last_pushed"):
        return
    headers = [column.header for column in columns]
    try:
        known = run.state.pushed(run.org.org_id, run.sobject.name, run.request.match_field, headers)
    except MissingTableError:  # nothing was ever written from here
        run.work.execute("CREATE TABLE last_pushed (match_key VARCHAR, sent VARCHAR[])")
        return
    run.work.load("last_pushed", known, "match_key, from_json(sent, '[\"VARCHAR\"]') AS sent")


# ---- the comparison


@dataclass(frozen=True, slots=True)
class _Value:
    """One field's values, as SQL: of the baseline, of Salesforce, and (not for deletions) what is and was written.

    `theirs` and `base` have the form of `field`; `held`, `ours` and `pushed` that of `sent_as`: of a lookup by the
    parent's key the former are Ids, the latter keys.
    """

    name: str
    field: Field
    base: str
    theirs: str
    held: str = ""
    ours: str = ""
    pushed: str = ""
    sent_as: Field | None = None


def _values(run: RetlRun, columns: Sequence[SentColumn], baseline: _Baseline) -> Iterator[_Value]:
    types = dict(
        run.work.query("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'baseline'")
    )

    def base(stored: str, field: Field) -> str:
        if field.type in IDS:
            return f"CAST(b.{quote(stored)} AS VARCHAR)"
        return text_sql(f"b.{quote(stored)}", types[stored], field).value

    if run.request.operation is Operation.DELETE:
        for field in touched_fields(run.sobject, Operation.DELETE, columns):
            if stored := baseline.find(run, field.name):
                yield _Value(field.name, field, base(stored, field), _image(field))
        return
    for column in _compared(columns):
        place = columns.index(column) + 1
        written = {"held": f"h.h{place}", "ours": f"r.c{place}", "pushed": f"p.sent[{place}]"}
        link = run.sobject.find(column.target)
        if link and (stored := baseline.find(run, column.target)):
            theirs = written["held"] if column.parent is None else _image(link)
            yield _Value(column.target, link, base(stored, link), theirs, **written, sent_as=column.field)
        elif stored := baseline.find(run, _path(column)):
            theirs, value = written["held"], base(stored, column.field)
            yield _Value(column.header, column.field, value, theirs, **written, sent_as=column.field)


def _compared_values(value: _Value, rows: str) -> str:
    nothing = "CAST(NULL AS VARCHAR)"
    return (
        f"CREATE OR REPLACE TABLE compared AS SELECT h.row_number, CAST({value.base} AS VARCHAR) AS base, "
        f"{value.theirs} AS theirs, {value.held or nothing} AS held, {value.ours or nothing} AS ours, "
        f"{value.pushed or nothing} AS pushed FROM held AS h JOIN {rows} AS r USING (row_number) "
        "LEFT JOIN baseline AS b ON b._lht_id = h.record_id LEFT JOIN last_pushed AS p ON p.match_key = r.match_key"
    )


def _comparison(value: _Value) -> str:
    conditions = [f"{_normal('theirs', value.field)} IS DISTINCT FROM {_normal('base', value.field)}"]
    if value.sent_as:
        held = _normal("held", value.sent_as)
        conditions += [
            "ours IS NOT NULL",
            f"{held} IS DISTINCT FROM {_normal('ours', value.sent_as)}",
            f"(pushed IS NULL OR {held} IS DISTINCT FROM {_normal('pushed', value.sent_as)})",
        ]
    return (
        f"INSERT INTO conflicts SELECT row_number, {quote_text(value.name)}, base, ours, theirs FROM compared "
        f"WHERE {' AND '.join(conditions)}"
    )


def _normal(text: str, field: Field) -> str:
    """Ids are all in Salesforce's own spelling here, so that their first letters tell; the full form is slow."""
    if field.type in IDS:
        return f"nullif(left({text}, 15), {quote_text(NULL_MARK)})"
    return normal_sql(text, field)


def _compared(columns: Sequence[SentColumn]) -> list[SentColumn]:
    return [column for column in columns if column.header.lower() != "id" and not column.is_key]


def _path(column: SentColumn) -> str:
    return column.header.rpartition(":")[2]


def _image(field: Field) -> str:
    return f"(h.image ->> {quote_text('$.' + quote(field.name))})"
