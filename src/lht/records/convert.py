"""Texts to typed values, the careful way: exact, counted, and telling which cell it was.

The CSV reader's own conversions are fast but refuse what is harmless and accept what is not. Columns that it
refused, and all values that come by REST, go through here.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation, localcontext
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.compute

from lht.errors import ValueOutOfRangeError
from lht.model.table import ColumnKind
from lht.records.layout import arrow_type, digits, is_decimal, path_of

if TYPE_CHECKING:
    from lht.model.table import Column, ColumnType
    from lht.records.layout import Layout

Values: TypeAlias = "pa.Array[Any]"
pc: Any = pyarrow.compute  # its stubs know neither scalars among arrays nor decimals

_TAME_NUMBER: Final = r"^[+-]?[0-9]{1,18}(\.[0-9]{0,18})?([eE][+-]?1?[0-9])?$"
"""Numbers that Arrow reads exactly: all that Salesforce really has."""
_WIDE: Final = pa.decimal256(76, 38)
_DATE_ONLY: Final = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_HAS_ZONE: Final = r"T.*(Z|[+-][0-9]{2}(:?[0-9]{2})?)$"
_EXACT: Final = Context(prec=800, rounding=ROUND_HALF_UP, Emax=10_000, Emin=-10_000)
_LONGEST_SHOWN: Final = 100


def convert(texts: Values, column: Column, layout: Layout, ids: Values | None) -> tuple[Values, int]:
    """Gives typed values and how many of them were rounded to the column's scale, half away from zero.

    `texts` are strings, or bytes that should be UTF-8; null stays null. A value that does not fit is a
    ValueOutOfRangeError that names object, field, record and value, and the override that would help.
    """
    try:
        return _convert(texts, column.type)
    except (pa.ArrowInvalid, InvalidOperation):
        row = _first_refused(texts, column.type)
        record_id = None if ids is None else ids[row].as_py()
        raise _refusal(_shown(texts[row].as_py()), column, layout, _shown(record_id)) from None


def _convert(texts: Values, column_type: ColumnType) -> tuple[Values, int]:
    strings = texts.cast(pa.string())
    if is_decimal(column_type):
        return _decimals(strings, column_type)
    match column_type.kind:
        case ColumnKind.TIMESTAMP:
            return _timestamps(strings), 0
        case ColumnKind.TIME:
            return times(strings), 0
        case _:
            return strings.cast(arrow_type(column_type)), 0


def _decimals(strings: Values, column_type: ColumnType) -> tuple[Values, int]:
    precision, scale = digits(column_type)
    if not pc.all(pc.match_substring_regex(strings, _TAME_NUMBER), min_count=0).as_py():
        return _odd_decimals(strings, precision, scale)
    exact = strings.cast(_WIDE)
    rounded = pc.round(exact, scale, "half_towards_infinity")
    changed = pc.sum(pc.not_equal(exact, rounded), min_count=0).as_py()
    return rounded.cast(pa.decimal128(precision, scale)), changed


def _odd_decimals(strings: Values, precision: int, scale: int) -> tuple[Values, int]:
    """One by one: beyond 38 digits Arrow's conversion reads past its tables or wraps around, silently."""
    unit = Decimal(1).scaleb(-scale)
    values: list[Decimal | None] = []
    changed = 0
    with localcontext(_EXACT):
        for text in strings.to_pylist():
            exact = None if text is None else Decimal(text)
            value = None if exact is None else exact.quantize(unit)
            changed += value != exact
            values.append(value)
    return pa.array(values, pa.decimal128(precision, scale)), changed


def _timestamps(strings: Values) -> Values:
    """Reads a date as its midnight and a time without zone as UTC, as Salesforce means them."""
    midnight = pc.binary_join_element_wise(strings, pa.scalar("T00:00:00Z"), "")
    dated = pc.if_else(pc.match_substring_regex(strings, _DATE_ONLY), midnight, strings)
    zoned = pc.binary_join_element_wise(dated, pa.scalar("Z"), "")
    whole = pc.if_else(pc.match_substring_regex(dated, _HAS_ZONE), dated, zoned)
    typed: Values = whole.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    return typed


def times(strings: Values) -> Values:
    """Reads times of day. Arrow takes no `Z` and no text for them, but both in a timestamp."""
    dated = pc.binary_join_element_wise(pa.scalar("1970-01-01T"), pc.utf8_rtrim(strings, "Z"), "")
    typed: Values = dated.cast(pa.timestamp("us")).cast(pa.time64("us"))
    return typed


def _first_refused(texts: Values, column_type: ColumnType) -> int:
    """Halves the range until one cell is left."""
    start, end = 0, len(texts)
    while end - start > 1:
        middle = (start + end) // 2
        if _is_accepted(texts.slice(start, middle - start), column_type):
            start = middle
        else:
            end = middle
    return start


def _is_accepted(texts: Values, column_type: ColumnType) -> bool:
    try:
        _convert(texts, column_type)
    except (pa.ArrowInvalid, InvalidOperation):
        return False
    return True


def _shown(value: Any) -> Any:
    """Gives bytes as text where they are one."""
    try:
        return value.decode() if isinstance(value, bytes) else value
    except UnicodeDecodeError:
        return value


def _refusal(
    value: str | bytes, column: Column, layout: Layout, record_id: str | None
) -> ValueOutOfRangeError:
    name = ".".join(part for part in (layout.object_name, path_of(column)) if part)
    shown = repr(value)
    if len(shown) > _LONGEST_SHOWN:
        shown = f"{shown[:_LONGEST_SHOWN]}… ({len(value)} characters)"
    record = f" of record {record_id}" if record_id else ""
    return ValueOutOfRangeError(
        f"Invalid type conversion: {name}{record} holds {shown}, which is no {column.type}.",
        hint=_way_out(name, value, column),
        object=layout.object_name,
        field=path_of(column),
        record=record_id,
    )


def _way_out(name: str, value: str | bytes, column: Column) -> str:
    if isinstance(value, bytes):
        return "The text is not UTF-8; correct it in Salesforce."
    fitting = "float" if is_decimal(column.type) and _is_number(value) else "string"
    return f'Check the field mappings: add these two lines to lht.toml.\n[types]\n"{name}" = "{fitting}"'


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
