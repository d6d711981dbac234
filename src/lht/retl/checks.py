"""All that is wrong with the rows, found at once and before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lht.model.retl import Mistake, Nulls, Operation
from lht.retl.columns import required_fields
from lht.retl.encode import cell, is_clearable
from lht.retl.normal import NULL_MARK, NUMBERS, key_sql, normal_sql, trimmed
from lht.retl.query import source_types
from lht.retl.texts import MOST_CHARACTERS, family_of, integer_digits, is_given
from lht.warehouse.statements import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lht.model.retl import SentColumn
    from lht.model.salesforce import Field
    from lht.retl.columns import Matched
    from lht.retl.run import RetlRun

_SHOWN = 40
_LONGEST_ROW = 400_000
"""Characters of one record in a Bulk API 2.0 job."""


@dataclass(frozen=True, slots=True)
class _Check:
    """Rows of `encoded` for which `condition` holds have a mistake; `value` is what its example shows."""

    code: str
    condition: str
    value: str
    column: SentColumn | None
    message: str
    way_out: str


def find_mistakes(run: RetlRun, matched: Matched) -> tuple[Mistake, ...]:
    """Gives the mistakes of the rows; those of the columns are in `matched`."""
    columns = matched.columns
    named = [(f"c{place}", column) for place, column in enumerate(columns, start=1) if column.column]
    types = source_types(run)
    given = _given_counts(run, named, types)
    return (
        *_refused_values(run, named, types, given),
        *_empty_values(run, named, given),
        *_found(run, list(_checks(run, named))),
        *_repeated(run, named),
        *_too_many_deletes(run),
    )


def find_warnings(run: RetlRun, matched: Matched) -> tuple[str, ...]:
    """Tells what of the values is cut off on the way, with the number of rows."""
    types = source_types(run)
    said = []
    for column in matched.columns:
        text = cell(run, column, types) if column.column else None
        if text is None or not text.lost:
            continue
        rows = run.work.count("source", f"coalesce({text.loses}, FALSE) AND {text.value} IS NOT NULL")
        if rows:
            said.append(f"{column.header} loses {text.lost} in {_rows(rows)}.")
    return tuple(said)


# --- values that have no text


def _given_counts(
    run: RetlRun, named: Sequence[tuple[str, SentColumn]], types: Mapping[str, str]
) -> dict[str, tuple[int, int]]:
    """For each column, how many rows give a value, and how many of these were encoded."""
    if not named:
        return {}
    given = [
        f"count(*) FILTER ({is_given(quote(column.column), family_of(types[column.column]))})"
        for _, column in named
    ]
    encoded = [f"count(*) FILTER ({name} <> '{NULL_MARK}')" for name, _ in named]
    ((*first,),) = run.work.query(f"SELECT {', '.join(given)} FROM source")
    ((*second,),) = run.work.query(f"SELECT {', '.join(encoded)} FROM encoded")
    return {name: (int(a), int(b)) for (name, _), a, b in zip(named, first, second, strict=True)}


def _refused_values(
    run: RetlRun,
    named: Sequence[tuple[str, SentColumn]],
    types: Mapping[str, str],
    given: Mapping[str, tuple[int, int]],
) -> Iterator[Mistake]:
    for name, column in named:
        has, was_encoded = given[name]
        if has == was_encoded:
            continue
        text = cell(run, column, types)
        value = quote(column.column)
        reasons = " ".join(f"WHEN {condition} THEN '{code}'" for code, condition in text.refused)
        condition = f"{is_given(value, family_of(types[column.column]))} AND ({text.value}) IS NULL"
        found = run.work.query(
            f"SELECT CASE {reasons} ELSE 'WRONG_TYPE' END AS code, count(*), min(row_number), "
            f"arg_min(left(CAST({value} AS VARCHAR), {_SHOWN + 1}), row_number) FROM source WHERE {condition} "
            "GROUP BY code ORDER BY 3"
        )
        for code, rows, row, shown in found:
            yield _refused(run, column, types[column.column], (str(code), int(rows), int(row), shown))


def _refused(
    run: RetlRun, column: SentColumn, source_type: str, found: tuple[str, int, int, str | None]
) -> Mistake:
    code, rows, row, value = found
    message, way_out = _REASONS[code]
    example = f"row {row}: {_shown(value)}"
    known = {
        "rows": _rows(rows),
        "have": "has" if rows == 1 else "have",
        "column": column.column,
        "field": _field_name(run, column),
        "type": column.field.type,
        "source_type": source_type,
        "digits": integer_digits(column.field) if column.field.type in NUMBERS else 0,
    }
    return Mistake(
        code, message.format(**known), rows, column.column, column.target, example, way_out.format(**known)
    )


_REASONS = {
    "WRONG_TYPE": (
        "{rows} {have} a value in {column} that is not of the type of {field}, {type}.",
        "Convert it in the query, or leave these rows out.",
    ),
    "UNSUPPORTED_TYPE": (
        "{column} is of the type {source_type}, which has no form that {field} takes.",
        "Convert it to text in the query.",
    ),
    "NOT_A_NUMBER": (
        "{rows} {have} NaN or infinity in {column}, sent to {field}.",
        "Make it NULL in the query.",
    ),
    "NOT_WHOLE": (
        "{rows} {have} a fraction in {column}, and {field} holds whole numbers.",
        "Round it in the query: round({column}, 0).",
    ),
    "TOO_MANY_DIGITS": (
        "{rows} {have} more than {digits} digits before the point in {column}, which {field} has no room for.",
        "Correct the values, or leave these rows out.",
    ),
    "OUT_OF_RANGE": (
        "{rows} {have} a day in {column} that {field} cannot hold: Salesforce knows 1700-01-01 to 4000-12-31.",
        "Make it NULL, or a day in that range, in the query.",
    ),
    "MALFORMED_ID": (
        "{rows} {have} something in {column} that is no record id, sent to {field}.",
        "Ids have 15 or 18 letters and digits. To name a parent by its key, call the column Relationship.Key__c.",
    ),
    "NUL_CHARACTER": (
        "{rows} {have} a NUL character in {column}, which Salesforce does not take.",
        "Remove it in the query: replace({column}, chr(0), '').",
    ),
    "NULL_MARK": (
        "{rows} {have} the text '#N/A' in {column}, by which Salesforce would empty {field}.",
        "Make it NULL in the query, and to empty fields that are NULL add --nulls clear.",
    ),
    "BAD_EMAIL": (
        "{rows} {have} something in {column} that is no email address, sent to {field}.",
        "Correct it, or make it NULL in the query.",
    ),
}


# --- values that are missing


def _empty_values(
    run: RetlRun, named: Sequence[tuple[str, SentColumn]], given: Mapping[str, tuple[int, int]]
) -> Iterator[Mistake]:
    total = run.work.count("source")
    needed = {field.name for field in required_fields(run.sobject, [column for _, column in named])}
    for name, column in named:
        rows = total - given[name][0]
        if not rows:
            continue
        if column.is_key and run.request.operation is not Operation.INSERT:
            if not (run.request.options.insert_missing and column.field.type == "id"):
                yield _empty(run, "EMPTY_KEY", column, rows)
        elif run.request.operation is Operation.INSERT and column.target in needed:
            yield _empty(run, "REQUIRED_FIELD_MISSING", column, rows)
        elif _empties(run, column):
            yield _empty(run, "CANNOT_BE_EMPTY", column, rows)


def _empties(run: RetlRun, column: SentColumn) -> bool:
    clears = run.request.options.nulls is Nulls.CLEAR and run.request.operation is not Operation.INSERT
    return clears and not is_clearable(run, column)


def _empty(run: RetlRun, code: str, column: SentColumn, rows: int) -> Mistake:
    row = run.work.value(f"SELECT min(row_number) FROM source WHERE {_is_empty(run, column)}")
    message, way_out = _EMPTY[code]
    known = {"rows": _rows(rows), "have": "has" if rows == 1 else "have"}
    known |= {"column": column.column, "field": _field_name(run, column)}
    makes_new = run.request.operation is Operation.UPSERT and column.field.type == "id"
    known["or_else"] = " Or make new records of them: --insert_missing." if makes_new else ""
    return Mistake(
        code,
        message.format(**known),
        rows,
        column.column,
        column.target,
        f"row {row}",
        way_out.format(**known),
    )


def _is_empty(run: RetlRun, column: SentColumn) -> str:
    return f"NOT ({is_given(quote(column.column), family_of(source_types(run)[column.column]))})"


_EMPTY = {
    "EMPTY_KEY": (
        "{rows} {have} no value in {column}, by which the records are found ({field}).",
        "Leave these rows out: WHERE {column} IS NOT NULL.{or_else}",
    ),
    "REQUIRED_FIELD_MISSING": (
        "{rows} {have} no value in {column}, and new records need {field}.",
        "Give it a value in the query: coalesce({column}, …).",
    ),
    "CANNOT_BE_EMPTY": (
        "{rows} {have} no value in {column}, and {field} cannot be emptied.",
        "Give it a value in the query: coalesce({column}, …), or use --nulls ignore.",
    ),
}


# --- texts that a field does not take


def _checks(run: RetlRun, named: Sequence[tuple[str, SentColumn]]) -> Iterator[_Check]:
    for name, column in named:
        if column.parent is None:
            yield from _length_checks(run, name, column)
            yield from _picklist_checks(run, name, column)
    key = next((column for _, column in named if column.is_key and column.field.type == "id"), None)
    if key and run.sobject.key_prefix:
        yield _Check(
            "WRONG_OBJECT",
            f"left(record_id, 3) <> '{run.sobject.key_prefix}'",
            "record_id",
            key,
            f"an Id in {key.column} that is not of {run.sobject.name}, whose Ids begin with {run.sobject.key_prefix}",
            f"Select the Ids of {run.sobject.name}.",
        )
    size = " + ".join(f"coalesce(length({name}), 0)" for name, _ in named) or "0"
    yield _Check(
        "ROW_TOO_LONG",
        f"{size} > {_LONGEST_ROW}",
        "match_key",
        None,
        f"more than {_LONGEST_ROW:,} characters in all, the most that a Bulk job takes of one record",
        "Send the longest columns in runs of their own.",
    )


def _length_checks(run: RetlRun, name: str, column: SentColumn) -> Iterator[_Check]:
    field = column.field
    if field.type in _WITHOUT_LENGTH:
        return
    longest = min(field.length or MOST_CHARACTERS, MOST_CHARACTERS)
    yield _Check(
        "TOO_LONG",
        f"length({name}) > {longest} AND length({trimmed(name)}) > {longest}",
        name,
        column,
        f"a text in {column.column} that is longer than the {longest:,} characters of {_field_name(run, column)}",
        f"Shorten it in the query: left({column.column}, {longest}).",
    )


_WITHOUT_LENGTH = NUMBERS | {"id", "reference", "boolean", "date", "datetime", "time", "multipicklist"}


def _picklist_checks(run: RetlRun, name: str, column: SentColumn) -> Iterator[_Check]:
    field = column.field
    if not field.restricted_picklist or not field.picklist_values:
        return
    unlisted = _unlisted(name, field)
    if unlisted is None:
        return
    listed = ", ".join(field.picklist_values[:8]) + (", …" if len(field.picklist_values) > 8 else "")  # noqa: PLR2004
    yield _Check(
        "BAD_PICKLIST_VALUE",
        f"{name} <> '{NULL_MARK}' AND {unlisted}",
        name,
        column,
        f"a value in {column.column} that the picklist of {_field_name(run, column)} does not have",
        f"It has: {listed}. Correct the value, or add it to the picklist.",
    )


def _unlisted(name: str, field: Field) -> str | None:
    entries = ", ".join("'" + entry.lower().replace("'", "''") + "'" for entry in field.picklist_values)
    if field.type == "picklist":
        return f"lower({trimmed(name)}) NOT IN ({entries})"
    if field.type == "multipicklist":
        return f"NOT list_has_all([{entries}, NULL], string_split(lower({normal_sql(name, field)}), ';'))"
    return None


def _found(run: RetlRun, checks: Sequence[_Check]) -> Iterator[Mistake]:
    """Counts all checks in one pass, then fetches an example of those that found something."""
    counts = ", ".join(f"count(*) FILTER ({check.condition})" for check in checks)
    ((*found,),) = run.work.query(f"SELECT {counts} FROM encoded")
    for check, rows in zip(checks, found, strict=True):
        if rows:
            yield _mistake(run, check, int(rows))


def _mistake(run: RetlRun, check: _Check, rows: int) -> Mistake:
    ((row, value),) = run.work.query(
        f"SELECT row_number, left({check.value}, {_SHOWN + 1}) FROM encoded WHERE {check.condition} "
        "ORDER BY row_number LIMIT 1"
    )
    column = check.column
    return Mistake(
        check.code,
        f"{_rows(rows)} {'has' if rows == 1 else 'have'} {check.message}.",
        rows,
        column.column if column else None,
        column.target if column else None,
        f"row {row}: {_shown(value)}",
        check.way_out,
    )


# --- values that may stand only once


def _repeated(run: RetlRun, named: Sequence[tuple[str, SentColumn]]) -> Iterator[Mistake]:
    for name, column in named:
        if column.parent is not None:
            continue
        is_match = column.is_key and run.request.operation is not Operation.INSERT
        if not (is_match or column.field.unique):
            continue
        yield from _repeats(run, name, column, is_match=is_match)


def _repeats(run: RetlRun, name: str, column: SentColumn, *, is_match: bool) -> Iterator[Mistake]:
    key = "match_key" if column.is_key else key_sql(name, column.field)
    ((rows, example),) = run.work.query(
        f"SELECT sum(rows), arg_min(shown, first) FROM (SELECT count(*) AS rows, min(row_number) AS first, "
        f"'rows ' || min(row_number) || ' and ' || max(row_number) || ': ' || left(any_value({name}), {_SHOWN}) AS shown "
        f"FROM encoded WHERE {key} IS NOT NULL GROUP BY {key} HAVING count(*) > 1)"
    )
    if not rows:
        return
    field = _field_name(run, column)
    code = "DUPLICATE_KEY" if is_match else "DUPLICATE_VALUE"
    why = "which of them would count is not known" if is_match else "which Salesforce takes only once"
    message = f"{_rows(int(rows))} share their value of {column.column} ({field}) with another, {why}."
    yield Mistake(code, message, int(rows), column.column, column.target, str(example), _ONE_ROW)


_ONE_ROW = (
    "Make the query give one row for each: GROUP BY, or QUALIFY row_number() OVER (PARTITION BY …) = 1."
)


def _too_many_deletes(run: RetlRun) -> Iterator[Mistake]:
    options = run.request.options
    if run.request.operation is not Operation.DELETE or options.yes:
        return
    rows = run.work.count("encoded")
    if rows > options.max_deletes:
        message = f"The query would delete {rows:,} records of {run.sobject.name}; {options.max_deletes:,} are allowed."
        way_out = f"Look at the query; if it is right, add --max_deletes {rows} or --yes."
        yield Mistake("TOO_MANY_DELETES", message, rows, way_out=way_out)


def _field_name(run: RetlRun, column: SentColumn) -> str:
    return f"{run.sobject.name}.{column.header}" if column.parent is None else column.header


def _rows(count: int) -> str:
    return f"{count:,} row" + ("" if count == 1 else "s")


def _shown(value: Any) -> str:
    text = "" if value is None else str(value)
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
