"""Values as SOQL literals, by the type of their field. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lht.sfdc.ids import to_18
from lht.sfdc.soql import quote_text

if TYPE_CHECKING:
    from lht.model.salesforce import Field

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_DATETIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+-]\d{2}:?\d{2})")
_NUMBERS: Final = frozenset({"int", "long", "double", "currency", "percent"})
_BARE: Final = dict.fromkeys(_NUMBERS, _NUMBER) | {"date": _DATE, "datetime": _DATETIME}
_IDS: Final = frozenset({"id", "reference"})
LONGEST_TEXT: Final = 4_000
"""What SOQL takes as one text."""


def literal(field: Field, text: str) -> str | None:
    """The value as it stands in SOQL, or None if no record can have it: Salesforce would refuse the whole query.

    Numbers and dates have no quotes; blanks around a text are left out, as Salesforce keeps none.
    """
    value = text.strip()
    if field.type in _BARE:
        return value if _BARE[field.type].fullmatch(value) else None
    if field.type in _IDS:
        return _id_literal(value)
    if not value or len(value) > LONGEST_TEXT or "\0" in value:
        return None
    return quote_text(value)


def _id_literal(value: str) -> str | None:
    try:
        return f"'{to_18(value)}'"
    except ValueError:
        return None
