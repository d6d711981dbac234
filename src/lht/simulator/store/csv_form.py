"""How a value is written in a Bulk API 2.0 result file, as DuckDB expressions.

Every value stands in quotes, quotes inside are doubled, and a null is an empty pair: Salesforce has no empty
strings. Whole columns are formatted at a time, so that a million rows take seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

DELIMITERS = {"BACKQUOTE": "`", "CARET": "^", "COMMA": ",", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
LINE_ENDINGS = {"LF": "\n", "CRLF": "\r\n"}

NUMBERS = frozenset({"double", "currency", "percent"})


@dataclass(frozen=True, slots=True)
class CsvForm:
    """The two choices that a job has: the words are Salesforce's."""

    delimiter: str = "COMMA"
    line_ending: str = "LF"

    @property
    def separator(self) -> str:
        return f'"{DELIMITERS[self.delimiter]}"'

    @property
    def end(self) -> str:
        return f'"{LINE_ENDINGS[self.line_ending]}'


def header(names: Sequence[str], form: CsvForm) -> bytes:
    """Writes the header row, which every page repeats."""
    return f'"{form.separator.join(names)}{form.end}'.encode()


def row_sql(columns: Sequence[tuple[str, str]], form: CsvForm) -> str:
    """Writes the expression that makes one whole row, line ending included, of (column, describe's type) pairs.

    `concat` passes over nulls, which leaves the empty pair of quotes.
    """
    parts = [_literal('"')]
    for number, (column, kind) in enumerate(columns):
        parts += [_literal(form.separator)] if number else []
        parts.append(value_sql(column, kind))
    parts.append(_literal(form.end))
    return f"encode(concat({', '.join(parts)}))"


def value_sql(column: str, kind: str) -> str:
    """Writes the expression that makes the text of one value, null for null."""
    match kind.lower():
        case "boolean":
            return f"CASE WHEN {column} THEN 'true' WHEN NOT {column} THEN 'false' END"
        case "int" | "long" | "date":
            return f"CAST({column} AS VARCHAR)"
        case "datetime":
            return f"strftime({column}, '%Y-%m-%dT%H:%M:%S.000Z')"
        case "time":
            return f"strftime(DATE '2000-01-01' + {column}, '%H:%M:%S.%gZ')"
        case kind if kind in NUMBERS:
            return double_sql(f"CAST({column} AS DOUBLE)")
        case _:
            return f"""replace(CAST({column} AS VARCHAR), '"', '""')"""


def double_sql(value: str) -> str:
    """Writes Java's Double.toString: plain from 0.001 up to 10,000,000, else one digit, point, digits, E, exponent.

    Zero has no sign: the org keeps decimals, and those know no negative zero. What is not finite cannot be
    stored there either and is written as null.
    """
    return (
        f"CASE WHEN {value} = 0 THEN '0.0' "
        f"WHEN abs({value}) >= 1e-3 AND abs({value}) < 1e7 THEN CAST({value} AS VARCHAR) "
        f"WHEN abs({value}) >= 1e7 AND abs({value}) < 1e15 THEN {_large(value)} "
        f"WHEN isfinite({value}) THEN {_scientific(value)} END"
    )


def _large(value: str) -> str:
    """Rewrites the text of a number that DuckDB writes out in full; most large ones are, and this is quick."""
    text = f"CAST(abs({value}) AS VARCHAR)"
    tail = f"rtrim(replace(substr({text}, 2), '.', ''), '0')"
    exponent = f"(strpos({text}, '.') - 2)"
    sign = f"CASE WHEN {value} < 0 THEN '-' ELSE '' END"
    return f"concat({sign}, left({text}, 1), '.', coalesce(nullif({tail}, ''), '0'), 'E', {exponent})"


def _scientific(value: str) -> str:
    """Rewrites the shortest text of a number, which DuckDB gives in one of three forms.

    A single digit is asked for anew with two, as Java does: among the smallest numbers the second digit tells
    them apart (4.9E-324).
    """
    text = f"CAST(abs({value}) AS VARCHAR)"
    whole, fraction = f"split_part({text}, '.', 1)", f"split_part({text}, '.', 2)"
    mantissa = f"replace(split_part({text}, 'e', 1), '.', '')"
    exponent = (
        f"CASE WHEN contains({text}, 'e') THEN CAST(split_part({text}, 'e', 2) AS INTEGER) "
        f"WHEN abs({value}) >= 1 THEN length({whole}) - 1 "
        f"ELSE length(ltrim({fraction}, '0')) - length({fraction}) - 1 END"
    )
    digits = f"rtrim(ltrim({mantissa}, '0'), '0')"
    two = f"format('{{:.1e}}', abs({value}))"
    one = f"split_part({two}, 'e', 1) || 'E' || CAST(split_part({two}, 'e', 2) AS INTEGER)"
    many = f"left({digits}, 1) || '.' || substr({digits}, 2) || 'E' || ({exponent})"
    sign = f"CASE WHEN {value} < 0 THEN '-' ELSE '' END"
    return f"({sign} || CASE WHEN length({digits}) = 1 THEN {one} ELSE {many} END)"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
