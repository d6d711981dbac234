"""What somebody sends for a field, as the org keeps it: checked, trimmed, rounded. Pure."""

from __future__ import annotations

import base64
import binascii
import math
import re
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from lht.simulator.errors import ApiFault, WrongType
from lht.simulator.org import ids

if TYPE_CHECKING:
    from collections.abc import Callable

    from lht.simulator.org.schemas.schema import FieldSchema

T = TypeVar("T")
Stored: TypeAlias = str | bool | int | float | date | datetime | time | None

BLANKS = "".join(map(chr, range(33)))
"""What is cut off both ends of a text: everything up to the space, as Java's trim does."""

DEGREE_SCALE = 15
"""Decimal places of latitudes and longitudes, and of nothing else that bears these names."""
FIRST_DAY, LAST_DAY = date(1700, 1, 1), date(4000, 12, 31)
_EXACT = Context(prec=100)
"""Room for the largest number that is looked at, with every decimal place a field may have."""
_EMAIL = re.compile(r"[^@\s<>()\[\],;:\"]+@[^@\s<>()\[\],;:\"]+\.[^@\s.<>()\[\],;:\"]+")
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)")
_TIME = re.compile(r"(\d\d:\d\d:\d\d)(\.\d{1,6})?Z?")
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|T\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:?\d\d))?")

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DECIMALS = frozenset({"double", "currency", "percent"})
_NEVER_EMPTY = frozenset(
    {"boolean", "int", "long", "double", "currency", "percent", "date", "datetime", "time"}
)
"""Types for which an empty text is no value, not even null."""


def stored(field: FieldSchema, value: object, *, rounds: bool = True) -> Stored:
    """Gives the value to keep for what was sent; raises ApiFault 400 if the field cannot hold it.

    Without `rounds` a number keeps the decimal places that it came with.
    """
    kind = field.type.lower()
    if value is None and kind == "boolean":
        message = f"{field.label}: value not of required type: "
        raise ApiFault(400, "INVALID_TYPE_ON_FIELD_IN_RECORD", message, (field.name,))
    if value is None:
        return None
    if isinstance(value, str) and not value.strip(BLANKS):
        if kind in _NEVER_EMPTY:
            raise wrong_type(field, value)
        return None
    if not rounds and kind in DECIMALS:
        return _number(field, value, rounds=False)
    return _READERS.get(kind, _text)(field, value)


def _text(field: FieldSchema, value: object) -> Stored:
    text = _fits(field, _as_text(field, value).strip(BLANKS))
    return text or None


def _as_text(field: FieldSchema, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if not isinstance(value, str):
        raise wrong_type(field, value)
    # A lone surrogate cannot be written as UTF-8, so no database could keep it.
    return value.encode("utf-8", "replace").decode("utf-8")


def _fits(field: FieldSchema, text: str) -> str:
    if field.length and len(text) > field.length:
        message = f"{field.label}: data value too large: {text} (max length={field.length})"
        raise ApiFault(400, "STRING_TOO_LONG", message, (field.name,))
    return text


def _raw(field: FieldSchema, value: object) -> Stored:
    """Text whose blanks mean something."""
    return _fits(field, _as_text(field, value))


def _email(field: FieldSchema, value: object) -> Stored:
    text = _as_text(field, value).strip(BLANKS)
    if not _EMAIL.fullmatch(text):
        message = f"{field.label}: invalid email address: {text}"
        raise ApiFault(400, "INVALID_EMAIL_ADDRESS", message, (field.name,))
    return _fits(field, text.lower())


def _picklist(field: FieldSchema, value: object) -> Stored:
    text = _fits(field, _as_text(field, value).strip(BLANKS))
    return _listed(field, text)


def _listed(field: FieldSchema, text: str) -> str:
    """Gives the entry as the picklist spells it; only a restricted list minds what it lacks or has given up."""
    if any(entry.value == text and entry.active for entry in field.picklist):
        return text
    known = {entry.value.lower(): entry.value for entry in field.picklist}
    chosen = {entry.value.lower() for entry in field.picklist if entry.active}
    if field.restricted_picklist and text.lower() not in chosen:
        message = f"{field.label}: bad value for restricted picklist field: {text}"
        raise ApiFault(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", message, (field.name,))
    return known.get(text.lower(), text)


def _several(field: FieldSchema, value: object) -> Stored:
    """A multi-select picklist: each entry once, in the picklist's order."""
    parts = [part.strip(BLANKS) for part in _as_text(field, value).split(";")]
    chosen = list(dict.fromkeys(_listed(field, part) for part in parts if part))
    order = {entry.value: place for place, entry in enumerate(field.picklist)}
    return _fits(field, ";".join(sorted(chosen, key=lambda entry: order.get(entry, len(order))))) or None


def _reference(field: FieldSchema, value: object) -> Stored:
    found = ids.to_long(value.strip(BLANKS)) if isinstance(value, str) else None
    if found is None:
        raise wrong_id(field, value)
    return found


def _boolean(field: FieldSchema, value: object) -> Stored:
    if isinstance(value, bool):
        return value
    word = str(value).strip(BLANKS).lower()
    if word not in {"true", "false", "1", "0"}:
        raise wrong_type(field, value)
    return word in {"true", "1"}


def _whole(field: FieldSchema, value: object) -> Stored:
    exact = _decimal(field, value)
    if exact != exact.to_integral_value():
        raise wrong_type(field, value)
    if abs(exact) >= 10 ** (field.digits or 18):
        raise out_of_range(field, value)
    return int(exact)


def _number(field: FieldSchema, value: object, *, rounds: bool = True) -> Stored:
    """Rounds half away from zero to the scale; refuses more digits before the point than there is room for."""
    exact = _decimal(field, value)
    room = (field.precision or 18) - field.scale
    if exact and exact.adjusted() > 2 * 18:
        raise out_of_range(field, value)
    rounded = exact.quantize(Decimal(1).scaleb(-field.scale), ROUND_HALF_UP, _EXACT)
    if abs(rounded) >= 10**room or abs(rounded) > _farthest(field):
        raise out_of_range(field, value)
    return float(rounded if rounds else exact) + 0.0


def _farthest(field: FieldSchema) -> float:
    """Gives how far from the equator or from Greenwich the part of an address or a location may be."""
    part = field.name.removesuffix("__s")
    if field.scale != DEGREE_SCALE or not part.endswith(("Latitude", "Longitude")):
        return math.inf
    return 90 if part.endswith("Latitude") else 180


def _decimal(field: FieldSchema, value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise wrong_type(field, value)
    try:
        exact = Decimal(str(value).strip(BLANKS).replace("_", "?"))
    except InvalidOperation:
        raise wrong_type(field, value) from None
    if not exact.is_finite():
        raise wrong_type(field, value)
    return exact


def _date(field: FieldSchema, value: object) -> Stored:
    found = _DATE.fullmatch(value.strip(BLANKS)) if isinstance(value, str) else None
    if found is None:
        raise wrong_type(field, value)
    day = _parsed(field, value, lambda: date.fromisoformat(found[1]))
    _check_range(field, datetime.combine(day, time()))
    return day


def _datetime(field: FieldSchema, value: object) -> Stored:
    """Cuts fractions of a second off, as every stamp of an org is whole; a bare date is midnight in UTC."""
    text = value.strip(BLANKS) if isinstance(value, str) else ""
    found = _STAMP.fullmatch(text)
    if found is None and not _DATE.fullmatch(text):
        raise wrong_type(field, value)
    written = (
        f"{found[1]}T{found[2]}{found[3].replace('Z', '+00:00')}" if found else f"{text[:10]}T00:00:00+00:00"
    )
    moment = _parsed(
        field, value, lambda: datetime.fromisoformat(written).astimezone(UTC).replace(tzinfo=None)
    )
    _check_range(field, moment)
    return moment


def _check_range(field: FieldSchema, moment: datetime) -> None:
    """Refuses what no org can keep, and names it as Java writes dates."""
    if not FIRST_DAY <= moment.date() <= LAST_DAY:
        written = (
            f"{_DAYS[moment.weekday()]} {_MONTHS[moment.month - 1]} {moment:%d %H:%M:%S} GMT {moment.year}"
        )
        raise ApiFault(
            400, "FIELD_INTEGRITY_EXCEPTION", f"{field.label}: invalid date: {written}", (field.name,)
        )


def _time(field: FieldSchema, value: object) -> Stored:
    found = _TIME.fullmatch(value.strip(BLANKS)) if isinstance(value, str) else None
    if found is None:
        raise wrong_type(field, value)
    millis = (found[2] or ".000")[1:4].ljust(3, "0")
    return _parsed(field, value, lambda: time.fromisoformat(f"{found[1]}.{millis}"))


def _parsed(field: FieldSchema, value: object, parse: Callable[[], T]) -> T:
    try:
        return parse()
    except (ValueError, OverflowError):
        raise wrong_type(field, value) from None


def _base64(field: FieldSchema, value: object) -> Stored:
    text = _as_text(field, value)
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise wrong_type(field, value) from None
    return base64.b64encode(content).decode("ascii") or None


def wrong_type(field: FieldSchema, value: object) -> ApiFault:
    """The answer to a value that the field's type cannot be read from."""
    return WrongType(field.label, field.name, field.type, value)


def out_of_range(field: FieldSchema, value: object) -> ApiFault:
    """The answer to a number that is too large."""
    message = f"{field.label}: value outside of valid range on numeric field: {value}"
    return ApiFault(400, "NUMBER_OUTSIDE_VALID_RANGE", message, (field.name,))


def wrong_id(field: FieldSchema, value: object) -> ApiFault:
    """The answer to what is no id."""
    return ApiFault(400, "MALFORMED_ID", f"{field.label}: id value of incorrect type: {value}", (field.name,))


def wrong_object(field: FieldSchema, value: object) -> ApiFault:
    """The answer to an id of an object that a lookup does not point at."""
    message = f"{field.label}: id value of incorrect type: {value}"
    return ApiFault(400, "FIELD_INTEGRITY_EXCEPTION", message, (field.name,))


_READERS: dict[str, Callable[[FieldSchema, object], Stored]] = {
    "email": _email,
    "picklist": _picklist,
    "multipicklist": _several,
    "reference": _reference,
    "boolean": _boolean,
    "int": _whole,
    "long": _whole,
    "double": _number,
    "currency": _number,
    "percent": _number,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "base64": _base64,
    "anytype": _raw,
    "json": _raw,
    "complexvalue": _raw,
    "byte": _raw,
}
