"""The rows of `source` as they would be sent: `encoded`, in one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.model.retl import Nulls, Operation
from lht.retl.normal import NULL_MARK, key_sql, trimmed
from lht.retl.query import source_types
from lht.retl.texts import TextSql, family_of, is_given, text_sql
from lht.warehouse.statements import quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lht.model.retl import SentColumn
    from lht.model.salesforce import Field
    from lht.retl.run import RetlRun


def encode_rows(run: RetlRun, columns: Sequence[SentColumn]) -> None:
    """Makes `encoded` of `source`; values that a field cannot take are NULL in it, which `checks` finds."""
    types = source_types(run)
    texts = ", ".join(f"{_cell_sql(run, column, types)} AS {name}" for name, column in _named(columns))
    key = next(((name, column.field) for name, column in _named(columns) if column.is_key), None)
    match_key = key_sql(*key) if key else "CAST(NULL AS VARCHAR)"
    record_id = match_key if key and key[1].type == "id" else "CAST(NULL AS VARCHAR)"
    sent = ", ".join(_marked(run, name, column, key) for name, column in _named(columns))
    run.work.execute(
        f"CREATE OR REPLACE TABLE encoded AS SELECT row_number, {match_key} AS match_key, {record_id} AS record_id, "
        f"{_operation(run, key)} AS operation, source, {sent} "
        f"FROM (SELECT row_number, {_source_json(types)} AS source, {texts} FROM source)"
    )


def _named(columns: Sequence[SentColumn]) -> list[tuple[str, SentColumn]]:
    return [(f"c{place}", column) for place, column in enumerate(columns, start=1)]


def cell(run: RetlRun, column: SentColumn, types: Mapping[str, str]) -> TextSql:
    """The text of a column's value, and why there may be none."""
    clears = run.request.options.nulls is Nulls.CLEAR and not column.is_key and is_clearable(run, column)
    return text_sql(quote(column.column), types[column.column], column.field, clears=clears)


def _cell_sql(run: RetlRun, column: SentColumn, types: Mapping[str, str]) -> str:
    """The value of `c1`, `c2` …: with `--nulls clear` what is empty empties its field, where that can be empty.

    A new record's fields that cannot be empty are left alone: Salesforce gives them their default.
    """
    if not column.column:
        return "CAST(NULL AS VARCHAR)"
    text = cell(run, column, types).value
    if run.request.options.nulls is Nulls.IGNORE or column.is_key or not is_clearable(run, column):
        return f"CAST({text} AS VARCHAR)"
    given = is_given(quote(column.column), family_of(types[column.column]))
    return f"CASE WHEN {given} THEN {text} ELSE '{NULL_MARK}' END"


def is_clearable(run: RetlRun, column: SentColumn) -> bool:
    """Whether NULL may empty the field."""
    target = run.sobject.find(column.target)
    return target is None or target.nillable


def _operation(run: RetlRun, key: tuple[str, Field] | None) -> str:
    name = f"'{run.request.operation}'"
    if not (run.request.options.insert_missing and key and key[1].type == "id"):
        return name
    return f"CASE WHEN {key[0]} IS NULL THEN '{Operation.INSERT}' ELSE {name} END"


def _marked(run: RetlRun, name: str, column: SentColumn, key: tuple[str, Field] | None) -> str:
    """A column as it is; the one that no column of the query fills carries new rows' run and number.

    Keys lose the blanks around them here: Salesforce keeps none, and what it looks a key up by may not lose them.
    """
    if column.column and (column.is_key or column.parent):
        return f"{trimmed(name)} AS {name}"
    if column.column:
        return name
    mark = f"'{run.run_id}:' || row_number"
    return f"CASE WHEN {_operation(run, key)} = '{Operation.INSERT}' THEN {mark} END AS {name}"


def _source_json(types: Mapping[str, str]) -> str:
    """The query's own columns, as texts: numbers keep all their digits so."""
    pairs = ", ".join(f"{quote(name)}: CAST({quote(name)} AS VARCHAR)" for name in types)
    return f"CAST(to_json({{{pairs}}}) AS VARCHAR)"
