"""Seeded records for objects that were made from saved describes: only fields that are there, and values that fit.

A seeded column that the object lacks is left out, a text is cut to the field's length, a picklist has the entries
that the object's own has. Fields that the seeds know nothing of get made-up values of their type.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.ids import id_sql
from lht.simulator.org.objects import STANDARD
from lht.simulator.org.schemas.saved_record_types import saved_types
from lht.simulator.org.schemas.schema import NUMBER_TYPES, WHOLE_TYPES
from lht.simulator.org.seeds.sql import PERCENT
from lht.simulator.store.ddl import column_type, literal, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.store.database import Connection

FILLED_PERCENT = 70
MOST_DIGITS = 6
DAYS, FIRST_DAY = 2_000, "DATE '2020-01-01'"
WORDS = ("Amber", "Birch", "Cedar", "Delta", "Ember", "Fjord", "Glade", "Harbor")


def fitted(
    connection: Connection, catalog: Catalog, schema: ObjectSchema, select: str, counts: Mapping[str, int]
) -> str:
    """Gives the SELECT that makes an object's records, with columns and values that the object can have.

    `counts` are the seeded objects with their numbers of records, for references to point at.
    """
    if not schema.saved:
        return select
    span = {"first": 0, "last": 1}
    made = {str(row[0]) for row in connection.execute(f"DESCRIBE {select}", span).fetchall()}
    own = {field.name: field for field in schema.fields}
    listed = [
        f"{_fitting(schema, own[name]) if name in made else _filling(schema, own[name], catalog, counts)} AS {quoted(name)}"
        for name in schema.kinds
    ]
    return f"SELECT {', '.join([*listed, '_seq'])} FROM ({select})"


def _fitting(schema: ObjectSchema, field: FieldSchema) -> str:
    """A seeded value, changed only where the field is not what it is in a usual org."""
    usual = _usual(schema.name, field.name)
    value = quoted(field.name)
    if usual is None or column_type(usual.type) != column_type(field.type):
        return f"TRY_CAST({value} AS {column_type(field.type)})"
    listed = [entry.value for entry in field.picklist if entry.active]
    if listed and usual.picklist and not {entry.value for entry in usual.picklist} <= set(listed):
        chosen = ", ".join(map(literal, listed))
        return f"CASE WHEN {value} IN ({chosen}) OR {value} IS NULL THEN {value} ELSE {_one_of(field, listed)} END"
    if 0 < field.length < usual.length:
        return f"left({value}, {field.length:d})"
    return value


def _usual(object_name: str, field_name: str) -> FieldSchema | None:
    fields = (schema.fields for schema in STANDARD if schema.name == object_name)
    return next((field for found in fields for field in found if field.name == field_name), None)


def _filling(schema: ObjectSchema, field: FieldSchema, catalog: Catalog, counts: Mapping[str, int]) -> str:
    """A made-up value, for most records; for all of them where the field always has one."""
    if field.default_value is not None:
        return f"CAST({literal(str(field.default_value))} AS {column_type(field.type)})"
    if field.hidden or (field.nillable and not field.createable):
        return f"CAST(NULL AS {column_type(field.type)})"
    value = f"CAST({_value(schema, field, catalog, counts)} AS {column_type(field.type)})"
    if not field.nillable or field.type.lower() == "boolean":
        return value
    return f"CASE WHEN {_roll(field, PERCENT, 'filled')} < {FILLED_PERCENT} THEN {value} END"


def _value(schema: ObjectSchema, field: FieldSchema, catalog: Catalog, counts: Mapping[str, int]) -> str:
    kind = field.type.lower()
    if kind in NUMBER_TYPES | WHOLE_TYPES:
        return _number(field)
    if kind == "reference":
        types = [str(one["recordTypeId"]) for one in saved_types(schema) if one.get("active")]
        return (
            _one_of(field, types)
            if types and field.name == "RecordTypeId"
            else _reference(field, catalog, counts)
        )
    if kind in {"picklist", "multipicklist"} and field.picklist:
        return _one_of(field, [entry.value for entry in field.picklist if entry.active] or [""])
    if kind in _TIMES:
        return _TIMES[kind].format(roll=_roll(field, DAYS * 86_400), first=FIRST_DAY)
    if kind == "boolean":
        return f"{_roll(field, 2)} = 0"
    return "NULL" if kind in {"base64", "id"} else _text(field)


_TIMES = {
    "date": "{first} + CAST({roll} // 86400 AS INTEGER)",
    "datetime": "CAST({first} AS TIMESTAMP) + to_seconds({roll})",
    "time": "CAST(CAST({first} AS TIMESTAMP) + to_seconds({roll}) AS TIME)",
}


def _number(field: FieldSchema) -> str:
    """As many digits as fit, or a place on the globe."""
    if field.type == "double" and field.name.endswith(("Latitude__s", "Longitude__s")):
        return f"({_roll(field, 180_000_000)} - 90000000) / 1000000.0"
    whole = field.digits if field.type.lower() in WHOLE_TYPES else field.precision - field.scale
    places = min(field.scale, MOST_DIGITS)
    sides = 10 ** (min(max(whole, 0), MOST_DIGITS) + places)
    return f"round({_roll(field, sides)} / {10**places:d}.0, {places:d})"


def _reference(field: FieldSchema, catalog: Catalog, counts: Mapping[str, int]) -> str:
    for target in field.reference_to:
        schema = catalog.object(target)
        if schema is not None and schema.key_prefix and counts.get(schema.name):
            return id_sql(schema.key_prefix, f"(1 + {_roll(field, counts[schema.name])})")
    return "NULL"


def _one_of(field: FieldSchema, values: list[str]) -> str:
    return f"[{', '.join(map(literal, values))}][1 + {_roll(field, len(values), 'one')}]"


def _text(field: FieldSchema) -> str:
    word, number = _one_of(field, list(WORDS)), _roll(field, 100_000)
    forms = {
        "email": f"lower({word}) || '.' || {number} || '@example.com'",
        "url": f"'https://example.com/' || lower({word}) || '/' || {number}",
        "phone": f"'+1 (555) ' || lpad(CAST({number} AS VARCHAR), 7, '0')",
    }
    text = forms.get(field.type.lower(), f"{word} || ' ' || {number}")
    if field.unique or field.external_id or field.auto_number:
        text = "lpad(CAST(_seq AS VARCHAR), 8, '0')"
    return f"left({text}, {field.length:d})" if field.length else text


def _roll(field: FieldSchema, sides: int, salt: str = "") -> str:
    """A whole number that depends on the record and the field."""
    return f'CAST(hash("Id", {literal(field.name + salt)}) % {sides:d} AS BIGINT)'
