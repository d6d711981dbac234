"""Names: of columns, and of fields that are misspelt."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from lht.errors import UnknownFieldError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lht.model.salesforce import SObject
    from lht.model.table import Capabilities


def column_name(path: str, capabilities: Capabilities) -> str:
    """Gives the column's name for a field or dotted path."""
    name = path.replace(".", "_")
    return name.upper() if capabilities.folds_upper else name


def nearest(name: str, known: Iterable[str]) -> str:
    """Gives the hint for a misspelt name: the nearest known ones, or nothing."""
    by_folded = {candidate.lower(): candidate for candidate in known}
    close = [by_folded[folded] for folded in get_close_matches(name.lower(), by_folded, n=3)]
    return f"Did you mean {' or '.join(close)}?" if close else ""


def unknown_field(sobject: SObject, name: str) -> UnknownFieldError:
    """Gives the error for a field that the object does not have, with the nearest names that it has."""
    return UnknownFieldError(
        f"{sobject.name} has no field {name!r}, or the login may not see it.",
        hint=nearest(name, (known.name for known in sobject.fields))
        or f"'lht describe {sobject.name}' lists them.",
        object=sobject.name,
        field=name,
    )
