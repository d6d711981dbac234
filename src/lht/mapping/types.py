"""Salesforce types to column types, and the spelling of types that users write.

Columns are wider than the fields they hold: a field's declared length and precision are limits for people who
type, and stored values exceed them (shortened fields, retired picklist values, numbers loaded by API).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lht.errors import ConfigError
from lht.model.table import ColumnKind, ColumnType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.model.salesforce import Field

MAX_PRECISION: Final = 38
MAX_LENGTH: Final = 134_217_728
ALLOWED: Final = "string(n), varchar(n), number(p,s), float, boolean, date, timestamp, time, variant"

TEXT: Final = ColumnType(ColumnKind.TEXT)
ID_TEXT: Final = ColumnType(ColumnKind.TEXT, length=18)
INTEGER: Final = ColumnType(ColumnKind.INTEGER)
FLOAT: Final = ColumnType(ColumnKind.FLOAT)

_PLAIN: Final = {
    "string": TEXT,
    "varchar": TEXT,
    "float": FLOAT,
    "boolean": ColumnType(ColumnKind.BOOLEAN),
    "date": ColumnType(ColumnKind.DATE),
    "timestamp": ColumnType(ColumnKind.TIMESTAMP),
    "time": ColumnType(ColumnKind.TIME),
    "variant": ColumnType(ColumnKind.VARIANT),
}
_FIXED: Final = {
    "id": ID_TEXT,
    "reference": ID_TEXT,
    "boolean": _PLAIN["boolean"],
    "date": _PLAIN["date"],
    "datetime": _PLAIN["timestamp"],
    "time": _PLAIN["time"],
}
_TEXT_TYPES: Final = frozenset(
    {
        "string", "textarea", "phone", "url", "email", "picklist", "multipicklist", "combobox", "encryptedstring",
        "datacategorygroupreference", "anytype", "complexvalue", "json", "masterrecord",
    }
)  # fmt: skip
_WHOLE_TYPES: Final = frozenset({"int", "long"})
_NUMBER_TYPES: Final = frozenset({"double", "currency", "percent"})
_UNREADABLE: Final = {
    "address": "a compound field: its parts are read instead",
    "location": "a compound field: its latitude and longitude are read instead",
    "base64": "file content, which query results do not carry",
    "byte": "file content, which query results do not carry",
    "junctionidlist": "a list of ids, which query results do not carry",
}

_SPELLING: Final = re.compile(
    r"\s*([a-z]+)\s*(?:\(\s*(\d{1,9})\s*(?:,\s*(\d{1,9})\s*)?\))?\s*", re.IGNORECASE
)
_KEY: Final = re.compile(r"[a-z]\w*(?:\.[a-z]\w*)*", re.IGNORECASE | re.ASCII)


def parse_type(text: str) -> ColumnType:
    """Reads a type as users write it in `[types]` or `register_custom_mappings`, in any letter case."""
    match = _SPELLING.fullmatch(text)
    parsed = _parsed(match[1].lower(), match[2], match[3]) if match else None
    if parsed is None:
        raise ConfigError(f"{text!r} is not a column type.", hint=f"Allowed are: {ALLOWED}.")
    return parsed


def _parsed(word: str, first: str | None, second: str | None) -> ColumnType | None:
    if first is None:
        return _PLAIN.get(word)
    if word == "number" and second is not None:
        return _number(int(first), int(second))
    if word in {"string", "varchar"} and second is None and 1 <= int(first) <= MAX_LENGTH:
        return ColumnType(ColumnKind.TEXT, length=int(first))
    return None


def _number(precision: int, scale: int) -> ColumnType | None:
    if not (1 <= precision <= MAX_PRECISION and scale <= precision):
        return None
    if (precision, scale) == (MAX_PRECISION, 0):
        return INTEGER
    return ColumnType(ColumnKind.DECIMAL, precision=precision, scale=scale)


def parse_overrides(mapping: Mapping[str, str]) -> dict[str, ColumnType]:
    """Reads a whole table of overrides; keys come back in lower case. One wrong entry refuses them all."""
    parsed: dict[str, ColumnType] = {}
    entries: list[tuple[object, object]] = list(mapping.items())  # callers are not all type-checked
    for key, text in entries:
        if not isinstance(key, str) or not _KEY.fullmatch(key):
            raise ConfigError(
                f"{key!r} is not the name of a field.", hint="Write Field__c or Object.Field__c as the key."
            )
        if not isinstance(text, str):
            raise ConfigError(f"The type of {key} is not a text.", hint=f"Allowed are: {ALLOWED}.")
        parsed[key.lower()] = _parse_named(key, text)
    return parsed


def _parse_named(key: str, text: str) -> ColumnType:
    try:
        return parse_type(text)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error.message}", hint=error.hint) from None


def merge_overrides(*layers: Mapping[str, ColumnType]) -> dict[str, ColumnType]:
    """Lays overrides over each other, later ones on top, with keys in lower case."""
    return {key.lower(): column_type for layer in layers for key, column_type in layer.items()}


def find_override(path: str, object_name: str, overrides: Mapping[str, ColumnType]) -> ColumnType | None:
    """Gives the override of a field (or dotted path): `Object.Field__c` counts more than `Field__c`."""
    folded = {key.lower(): column_type for key, column_type in overrides.items()}
    return folded.get(f"{object_name}.{path}".lower()) or folded.get(path.lower())


def column_type(field: Field, object_name: str, overrides: Mapping[str, ColumnType]) -> ColumnType:
    """Gives the type of a field's column. A type that LHT does not know is text: see `is_known`."""
    return find_override(field.name, object_name, overrides) or default_type(field)


def default_type(field: Field) -> ColumnType:
    """Gives the type of a field's column where nobody overrides it."""
    word = field.type.lower()
    if word in _NUMBER_TYPES or word in _WHOLE_TYPES:
        return _number_type(field, is_whole=word in _WHOLE_TYPES)
    return _FIXED.get(word, TEXT)


def _number_type(field: Field, *, is_whole: bool) -> ColumnType:
    """Formulas give more digits than their declared scale, so only a float holds what Salesforce shows."""
    if field.calculated:
        return FLOAT
    if is_whole:
        return INTEGER
    return ColumnType(ColumnKind.DECIMAL, precision=MAX_PRECISION, scale=min(field.scale, MAX_PRECISION))


def is_known(field: Field) -> bool:
    """Tells whether LHT knows the field's type; if not it is read as text, and people are told."""
    word = field.type.lower()
    known = (_TEXT_TYPES, _FIXED, _WHOLE_TYPES, _NUMBER_TYPES, _UNREADABLE)
    return any(word in words for words in known)


def why_unreadable(field: Field) -> str | None:
    """Gives the reason why query results cannot carry the field, or None: then it is read."""
    return _UNREADABLE.get(field.type.lower())
