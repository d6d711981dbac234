"""Values of every warehouse type as the texts that Salesforce reads: SQL expressions for the work database. Pure.

A value that a field cannot take becomes NULL, and `TextSql.refused` tells why; so does an empty one, as Salesforce
knows no empty text. Blanks around a text are sent as they are: Salesforce itself cuts them off.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lht.retl.normal import ALL_BLANKS, NULL_MARK, NUMBERS, WHOLE, checked_id_sql, trimmed

if TYPE_CHECKING:
    from lht.model.salesforce import Field

MOST_DIGITS: Final = 18
"""Digits of a number in Salesforce, where describe does not tell."""
MOST_CHARACTERS: Final = 131_072
_NUMBER: Final = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?0*[0-9]{1,3})?"
_MOMENT: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?)?"
_DAY: Final = rf"{_MOMENT}|[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}[Zz]"
_TIME: Final = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?[Zz]?"
_EMAIL: Final = r"[^@\s]+@[^@\s]+"
_TRUE: Final = ("true", "t", "yes", "y", "1", "on")
_FALSE: Final = ("false", "f", "no", "n", "0", "off")
_FIRST, _AFTER_LAST = "1700-01-01", "4001-01-01"
"""The days that Salesforce knows (its SOQL guide names the range)."""


@dataclass(frozen=True, slots=True)
class TextSql:
    """A value's text. `refused`: a word for each reason why there is none, with the condition for it.

    `loses` is the condition under which something of the value is cut off, and `lost` what that is.
    """

    value: str
    refused: tuple[tuple[str, str], ...] = ()
    loses: str = "FALSE"
    lost: str = ""


def text_sql(expr: str, source_type: str, field: Field, *, clears: bool = False) -> TextSql:
    """Gives the text of an expression of a DuckDB type for a field; `clears`: NULL empties fields in this run."""
    family = family_of(source_type)
    if family == "other":
        return TextSql("NULL", (("UNSUPPORTED_TYPE", "TRUE"),))
    if field.type in NUMBERS:
        return _number(expr, family, field)
    if field.type in _WRITERS:
        return _WRITERS[field.type](expr, family)
    return _text(expr, family, field.type, clears=clears)


def family_of(source_type: str) -> str:
    """Gives the family of a DuckDB type: what matters of it here."""
    name = source_type.upper()
    if name.endswith(("]", ")")) and not name.startswith(("DECIMAL", "ENUM")):
        return "other"
    plain = re.sub(r"\(.*", "", name)
    for family, names in _FAMILIES.items():
        if plain in names:
            return family
    return "other"


_FAMILIES: Final = {
    "text": {"VARCHAR", "UUID", "JSON", "ENUM"},
    "whole": {
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
        "UHUGEINT", '"NULL"',
    },
    "decimal": {"DECIMAL"},
    "float": {"FLOAT", "DOUBLE"},
    "boolean": {"BOOLEAN"},
    "date": {"DATE"},
    "moment": {"TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"},
    "time": {"TIME", "TIME_NS", "TIME WITH TIME ZONE"},
}  # fmt: skip


def is_given(expr: str, family: str) -> str:
    """The condition under which a value is one: not NULL, and no text of blanks."""
    return (
        f"NOT coalesce({_as_text(expr, family)} {ALL_BLANKS}, TRUE)"
        if family == "text"
        else f"{expr} IS NOT NULL"
    )


def _when(condition: str, value: str) -> str:
    return f"CASE WHEN {condition} THEN {value} END"


def _as_text(expr: str, family: str) -> str:
    return f"CAST({expr} AS VARCHAR)" if family == "text" else expr


# --- texts


def _text(expr: str, family: str, kind: str, *, clears: bool) -> TextSql:
    if family != "text" and kind == "email":
        return _wrong_type()
    if family != "text":
        plain = _plain(expr, family)
        return TextSql(plain, (("NOT_A_NUMBER", "TRUE"),), *_cut_moment(expr, family))
    text = _as_text(expr, family)
    refused = [("NUL_CHARACTER", f"contains({text}, chr(0))")]
    if not clears:
        refused.append(("NULL_MARK", f"{text} = '{NULL_MARK}'"))
    if kind == "email":
        fine = f"regexp_full_match({trimmed(text)}, '{_EMAIL}') OR {text} = '{NULL_MARK}'"
        refused.append(("BAD_EMAIL", f"NOT ({fine})"))
    lines = f"CASE WHEN contains({text}, chr(13)) THEN {_line_feeds(text)} ELSE {text} END"
    conditions = " OR ".join(condition for _, condition in refused)
    return TextSql(_when(f"{is_given(expr, family)} AND NOT ({conditions})", lines), tuple(refused))


def _line_feeds(text: str) -> str:
    """Line ends as the job's: Salesforce fails a job in which they differ."""
    return f"replace(replace({text}, chr(13) || chr(10), chr(10)), chr(13), chr(10))"


def _plain(expr: str, family: str) -> str:
    """A value of another type as text: as people write it."""
    match family:
        case "float":
            return _when(f"isfinite({expr})", _float_digits(expr))
        case "decimal":
            return _leading_zero(f"CAST({expr} AS VARCHAR)")
        case "moment":
            return _moment_text(_utc(expr))
        case "date":
            return _when(f"isfinite({expr})", f"CAST({expr} AS VARCHAR)")
        case "time":
            return _clock_text(expr)
        case _:
            return f"CAST({expr} AS VARCHAR)"


def _id(expr: str, family: str) -> TextSql:
    if family != "text":
        return _wrong_type()
    value = checked_id_sql(_as_text(expr, family))
    return TextSql(value, (("MALFORMED_ID", "TRUE"),))


def _wrong_type() -> TextSql:
    return TextSql("NULL", (("WRONG_TYPE", "TRUE"),))


# --- numbers


def _number(expr: str, family: str, field: Field) -> TextSql:
    if family not in {"text", "whole", "decimal", "float"}:
        return _wrong_type()
    digits = _digits(expr, family)
    whole = field.type in WHOLE and family != "whole"
    exact = f"TRY_CAST(d AS DECIMAL(38,{0 if field.type in WHOLE else field.scale}))"
    fits = f"abs({exact}) < {_limit(field)}" + (" AND NOT contains(d, '.')" if whole else "")
    refused = [("NOT_A_NUMBER" if family == "float" else "WRONG_TYPE", f"({digits}) IS NULL")]
    if whole:
        refused.append(("NOT_WHOLE", f"contains({digits}, '.')"))
    value = _with("d", digits, f"CASE WHEN {fits} THEN d END")
    return TextSql(value, (*refused, ("TOO_MANY_DIGITS", "TRUE")))


def _with(name: str, value: str, form: str) -> str:
    """Names a value within an expression, which would be written out again and again otherwise."""
    return f"list_transform([{value}], lambda {name}: {form})[1]"


def _limit(field: Field) -> str:
    room = integer_digits(field)
    return f"CAST('1{'0' * room}' AS DECIMAL({room + 1},0))"


def integer_digits(field: Field) -> int:
    """How many digits a number may have before its point."""
    if field.type in WHOLE:
        return field.digits or MOST_DIGITS
    return max((field.precision or MOST_DIGITS) - field.scale, 0)


def _digits(expr: str, family: str) -> str:
    """A number's digits without an exponent; NULL for what is no number."""
    match family:
        case "whole":
            return f"CAST({expr} AS VARCHAR)"
        case "decimal":
            return _with("n", f"CAST({expr} AS VARCHAR)", _short_fraction(_leading_zero("n")))
        case "float":
            return _when(f"isfinite({expr})", _float_digits(expr))
    spelled = f"CASE WHEN t ILIKE '%e%' THEN {_expanded('t')} ELSE ltrim(t, '+') END"
    shortened = f"regexp_replace({_leading_zero('n')}, '^(-?)0+([0-9])', '\\1\\2')"
    number = _with("n", spelled, _with("s", shortened, _short_fraction("s")))
    return _with("t", trimmed(_as_text(expr, family)), _when(f"regexp_full_match(t, '{_NUMBER}')", number))


def _float_digits(expr: str) -> str:
    """The shortest digits that read back as the same number: DuckDB gives them, but for its exponents."""
    spelled = f"CASE WHEN contains(t, 'e') THEN {_expanded('t')} ELSE t END"
    return _with("t", f"CAST({expr} AS VARCHAR)", _with("n", spelled, _short_fraction("n")))


def _expanded(text: str) -> str:
    """Moves the point of `-1.25e+20` or `1.25E-7` to where the exponent says."""
    mantissa = f"ltrim(split_part(lower({text}), 'e', 1), '+-')"
    exponent = f"coalesce(TRY_CAST(split_part(lower({text}), 'e', 2) AS INTEGER), 0)"
    digits = f"replace({mantissa}, '.', '')"
    point = f"(length(split_part({mantissa}, '.', 1)) + {exponent})"
    sign = f"CASE WHEN starts_with({text}, '-') THEN '-' ELSE '' END"
    return (
        f"({sign} || CASE WHEN {point} <= 0 THEN '0.' || repeat('0', -{point}) || {digits} "
        f"WHEN {point} >= length({digits}) THEN {digits} || repeat('0', {point} - length({digits})) "
        f"ELSE substr({digits}, 1, {point}) || '.' || substr({digits}, {point} + 1) END)"
    )


def _short_fraction(text: str) -> str:
    """Drops what a fraction does not need: 1.50 is 1.5, 3.0 is 3; minus nought is nought."""
    short = f"CASE WHEN contains({text}, '.') THEN rtrim(rtrim({text}, '0'), '.') ELSE {text} END"
    return f"CASE WHEN {short} = '-0' THEN '0' ELSE {short} END"


def _leading_zero(text: str) -> str:
    return (
        f"(CASE WHEN starts_with({text}, '.') THEN '0' || {text} "
        f"WHEN starts_with({text}, '-.') THEN '-0' || substr({text}, 2) ELSE {text} END)"
    )


def _boolean(expr: str, family: str) -> TextSql:
    if family == "boolean":
        return TextSql(f"CAST({expr} AS VARCHAR)")
    if family not in {"text", "whole", "decimal"}:
        return _wrong_type()
    word = _digits(expr, family) if family == "decimal" else f"lower({trimmed(f'CAST({expr} AS VARCHAR)')})"
    value = f"CASE WHEN b IN {_TRUE} THEN 'true' WHEN b IN {_FALSE} THEN 'false' END"
    return TextSql(_with("b", word, value), (("WRONG_TYPE", "TRUE"),))


# --- days and times


def _utc(expr: str) -> str:
    """A moment without a zone; the work database's own zone is UTC, and what has none is UTC."""
    return f"CAST({expr} AS TIMESTAMP)"


def _moment_text(moment: str) -> str:
    return _when(f"isfinite({moment})", f"strftime({moment}, '%Y-%m-%dT%H:%M:%S.%gZ')")


def _in_range(value: str) -> str:
    return f"coalesce(isfinite({value}) AND {value} >= '{_FIRST}' AND {value} < '{_AFTER_LAST}', FALSE)"


def _cut_moment(expr: str, family: str) -> tuple[str, str]:
    if family == "moment":
        return f"epoch_us({_utc(expr)}) % 1000 <> 0", "digits beyond milliseconds"
    return "FALSE", ""


def _date(expr: str, family: str) -> TextSql:
    """The time of day is cut off, as Salesforce itself would."""
    if family not in {"text", "date", "moment"}:
        return _wrong_type()
    day, loses = expr, "FALSE"
    if family == "moment":
        day, loses = f"CAST({_utc(expr)} AS DATE)", f"date_trunc('day', {_utc(expr)}) <> {_utc(expr)}"
    if family == "text":
        text = trimmed(_as_text(expr, family))
        day = f"(CASE WHEN regexp_full_match({text}, '{_DAY}') THEN TRY_CAST(left({text}, 10) AS DATE) END)"
        loses = f"regexp_matches({text}, '[Tt ].*[1-9].*') AND NOT regexp_matches({text}, '[Tt ]00:00(:00([.]0+)?)?([Zz+-]|$)')"
    refused = (("WRONG_TYPE", f"{day} IS NULL"), ("OUT_OF_RANGE", "TRUE"))
    return TextSql(_when(_in_range(day), f"strftime({day}, '%Y-%m-%d')"), refused, loses, "the time of day")


def _datetime(expr: str, family: str) -> TextSql:
    if family not in {"text", "date", "moment"}:
        return _wrong_type()
    moment = _utc(expr)
    if family == "text":
        text = trimmed(_as_text(expr, family))
        read = f"TRY_CAST(TRY_CAST({text} AS TIMESTAMP WITH TIME ZONE) AS TIMESTAMP)"
        moment = f"(CASE WHEN regexp_full_match({text}, '{_MOMENT}') THEN {read} END)"
    value = _when(_in_range(moment), _moment_text(moment))
    refused = (("WRONG_TYPE", f"{moment} IS NULL"), ("OUT_OF_RANGE", "TRUE"))
    return TextSql(value, refused, f"epoch_us({moment}) % 1000 <> 0", "digits beyond milliseconds")


def _time(expr: str, family: str) -> TextSql:
    if family not in {"text", "time"}:
        return _wrong_type()
    clock = expr
    if family == "text":
        text = trimmed(_as_text(expr, family))
        read = f"TRY_CAST(rtrim({text}, 'zZ') AS TIME)"
        clock = f"(CASE WHEN regexp_full_match({text}, '{_TIME}') THEN {read} END)"
    value = _clock_text(clock)
    loses = f"microsecond(CAST({clock} AS TIME)) % 1000 <> 0"
    return TextSql(value, (("WRONG_TYPE", "TRUE"),), loses, "digits beyond milliseconds")


def _clock_text(clock: str) -> str:
    """`23:59:59.999Z`; the hour 24, which DuckDB knows, Salesforce does not."""
    text = f"CAST(CAST({clock} AS TIME) AS VARCHAR)"
    millis = f"rpad(substr({text}, 10, 3), 3, '0')"
    return _when(f"left({text}, 2) < '24'", f"left({text}, 8) || '.' || {millis} || 'Z'")


_WRITERS: Final = {
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "id": _id,
    "reference": _id,
}
