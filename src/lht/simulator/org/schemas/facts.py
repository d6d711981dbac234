"""Facts that somebody sends by name for a field or a failure: of the right kind, and making sense together."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from lht.simulator.errors import ApiFault
from lht.simulator.org.schemas.schema import COMPOUND_TYPES, NUMBER_TYPES, TEXT_TYPES, WHOLE_TYPES
from lht.simulator.org.writes.values import stored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema

TYPES = TEXT_TYPES | NUMBER_TYPES | WHOLE_TYPES | COMPOUND_TYPES | {"boolean", "date", "datetime", "time"}
USUAL_LENGTHS = {
    "string": 255, "url": 255, "picklist": 255, "combobox": 255, "textarea": 255, "email": 80, "phone": 40,
    "encryptedstring": 175, "multipicklist": 4_099, "id": 18, "reference": 18, "datacategorygroupreference": 80,
}  # fmt: skip
USUAL_PRECISION, MOST_PRECISION = 18, 18
USUAL_DIGITS, MOST_DIGITS = 9, 18
MOST_LENGTH = 131_072
MOST = 1_000_000_000
LIST_LINES = 4
"""What describe calls the precision of a multi-select picklist is the number of lines it shows."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")


def check_kinds(kind: type, facts: Mapping[str, Any]) -> None:
    """Raises ValueError if a dataclass has no such fact, or if one is of another kind than the class says."""
    hints = _hints(kind)
    for name, value in facts.items():
        if name not in hints:
            raise ValueError(f"there is no {name}; there are {', '.join(sorted(hints))}")
        if not any(_is(value, allowed) for allowed in hints[name]):
            raise ValueError(f"{name} is of the wrong kind: {value!r}")
        if name != "default_value" and isinstance(value, (int, float)) and not 0 <= value <= MOST:
            raise ValueError(f"{name} must be a number from 0 to {MOST:,d}")


@cache
def _hints(kind: type) -> dict[str, tuple[type, ...]]:
    return {name: _choices(hint) for name, hint in get_type_hints(kind).items()}


def _choices(hint: Any) -> tuple[type, ...]:
    found = get_args(hint) if NoneType in get_args(hint) or get_origin(hint) is not tuple else (tuple,)
    return tuple(found or (hint,))


def _is(value: object, kind: type) -> bool:
    """A whole number counts as a number, a list as a tuple; true and false are no numbers."""
    if kind in {float, int}:
        return isinstance(value, (int, kind)) and not isinstance(value, bool)
    return isinstance(value, (list, tuple) if kind is tuple else kind)


def checked_field(catalog: Catalog, schema: ObjectSchema, field: FieldSchema) -> FieldSchema:
    """Gives a field to be added with the sizes that its type has; raises ValueError for one that makes no sense."""
    if not _NAME.fullmatch(field.name):
        raise ValueError(f"a field cannot be called {field.name!r}")
    if field.type.lower() not in TYPES:
        raise ValueError(f"type must be one of {', '.join(sorted(TYPES))}")
    field = _related(catalog, schema, _sized(field))
    if field.default_value is not None:
        field = replace(field, default_value=_default(field))
    return field


def check_sizes(kind: str, said: Mapping[str, Any]) -> None:
    """Raises ValueError for a size that no field of this type has; one that its type has not does not matter."""
    bounds = {
        "length": (TEXT_TYPES, MOST_LENGTH),
        "precision": (NUMBER_TYPES, MOST_PRECISION),
        "digits": (WHOLE_TYPES, MOST_DIGITS),
    }
    for name, (kinds, most) in bounds.items():
        if name in said and kind.lower() in kinds and not 1 <= said[name] <= most:
            raise ValueError(f"{name} must be from 1 to {most:,d} for the type {kind}, not {said[name]}")


def _sized(field: FieldSchema) -> FieldSchema:
    kind = field.type.lower()
    length = (field.length or USUAL_LENGTHS.get(kind, 0)) if kind in TEXT_TYPES else 0
    byte_length = field.byte_length if field.length == length and length else None
    precision = {"multipicklist": field.precision or LIST_LINES}.get(kind, 0)
    scale = digits = 0
    if kind in NUMBER_TYPES:
        precision, scale = field.precision or USUAL_PRECISION, field.scale
    if kind in WHOLE_TYPES:
        digits = field.digits or USUAL_DIGITS
    if precision > MOST_PRECISION or scale > precision or digits > MOST_DIGITS:
        raise ValueError(
            f"a number has at most {MOST_PRECISION} digits, and no more behind the point than in all"
        )
    return replace(
        field, length=length, byte_length=byte_length, precision=precision, scale=scale, digits=digits
    )


def _related(catalog: Catalog, schema: ObjectSchema, field: FieldSchema) -> FieldSchema:
    """A reference says at what, and has a relationship name that no other field of its object has."""
    if field.type.lower() != "reference":
        return replace(field, reference_to=(), relationship_name=None)
    known = {target.name: target for name in field.reference_to if (target := catalog.object(name))}
    if not known or len(known) < len(field.reference_to):
        names = ", ".join(target.name for target in catalog)
        raise ValueError(
            f"reference_to must name objects of this org, not {list(field.reference_to)}; there are {names}"
        )
    usual = f"{field.name[:-3]}__r" if field.name.lower().endswith("__c") else field.name.removesuffix("Id")
    name = field.relationship_name or usual
    others = {f.relationship_name for f in schema.fields if f.name != field.name}
    if not _NAME.fullmatch(name) or name in others:
        raise ValueError(f"relationship_name cannot be {name!r}")
    return replace(field, reference_to=tuple(known), relationship_name=name)


def _default(field: FieldSchema) -> str | bool | float | None:
    try:
        found = stored(field, field.default_value)
    except ApiFault as fault:
        raise ValueError(f"default_value: {fault.message}") from None
    if isinstance(found, datetime):
        return f"{found.isoformat()}Z"
    return found if isinstance(found, str | bool | int | float) else str(field.default_value)
