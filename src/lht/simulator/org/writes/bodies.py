"""The body of a create or update: names matched to fields, refused or made ready to store."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org import ids
from lht.simulator.org.effects.looked_up import LOOKED_UP
from lht.simulator.org.rules.owners import OWNER, check_owner, ownerless
from lht.simulator.org.rules.record_type_rules import FIELD as RECORD_TYPE
from lht.simulator.org.rules.record_type_rules import check_record_type, usual_record_type
from lht.simulator.org.rules.record_types import MASTER_ID
from lht.simulator.org.writes import rows
from lht.simulator.org.writes.parent_keys import expect_parent, find_parent, parent_key
from lht.simulator.org.writes.spellings import as_first_spelled
from lht.simulator.org.writes.values import stored, wrong_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.writes.values import Stored
    from lht.simulator.org.writes.working_set import WorkingSet

_RIGHTS = (
    "Please check the security settings of this field and verify that it is read/write for your profile or "
    "permission set."
)


def read_body(
    work: WorkingSet,
    catalog: Catalog,
    schema: ObjectSchema,
    body: Mapping[str, object],
    *,
    new: bool,
    also: frozenset[str] = frozenset(),
    rounds: bool = True,
) -> Row:
    """Gives the fields to store by canonical name. Checks everything but what a new record must have.

    `also` names fields that may be written besides; `rounds` is whether numbers are cut to their field's scale.
    """
    given = [
        (name, _named(schema, name, value), value) for name, value in body.items() if name != "attributes"
    ]
    _check_writable([field for _, field, _ in given if field.name not in also], new=new)
    row: Row = {}
    for name, field, value in given:
        if schema.find(name) is None and isinstance(value, dict):
            row[field.name] = find_parent(work, parent_key(catalog, field, value))
            continue
        row[field.name] = as_first_spelled(work, schema, field, stored(field, value, rounds=rounds))
    if not new:
        _check_kept(schema, row)
    is_master = row.get(RECORD_TYPE) == MASTER_ID
    if is_master:
        row[RECORD_TYPE] = None
    _check_references(work, catalog, schema, row)
    check_record_type(work, catalog, schema, row)
    if new and row.get(RECORD_TYPE) is None and not is_master:
        row |= usual_record_type(work, catalog, schema)
    check_owner(work, catalog, schema, row)
    return row


def _named(schema: ObjectSchema, name: str, value: object) -> FieldSchema:
    """Gives the field that a name of a body means: a field's own, or that of its relationship before an object."""
    field = schema.find(name)
    if field is not None:
        return field
    relation = next(
        (f for f in schema.by_name.values() if (f.relationship_name or "").lower() == name.lower()), None
    )
    if relation is None or not relation.reference_to or not isinstance(value, dict):
        raise ApiFault(400, "INVALID_FIELD", f"No such column '{name}' on sobject of type {schema.name}")
    return relation


def _check_kept(schema: ObjectSchema, row: Row) -> None:
    """Refuses to empty what a record must have."""
    emptied = [
        name for name, value in row.items() if value is None and not schema.by_name[name.lower()].nillable
    ]
    if OWNER in emptied:
        raise ownerless()
    if emptied:
        raise missing(emptied)


def _check_writable(fields: Sequence[FieldSchema], *, new: bool) -> None:
    if any(field.name == "Id" for field in fields):
        raise ApiFault(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.")
    kept = [one.name for one in fields if one.read_only or not (one.createable if new else one.updateable)]
    if kept:
        message = f"Unable to create/update fields: {', '.join(kept)}. {_RIGHTS}"
        raise ApiFault(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, tuple(kept))


def _check_references(work: WorkingSet, catalog: Catalog, schema: ObjectSchema, row: Row) -> None:
    for name, value in row.items():
        field = schema.by_name[name.lower()]
        if value is None or not field.reference_to:
            continue
        target = catalog.by_prefix(str(value))
        if target is None or target.name not in field.reference_to:
            raise wrong_object(field, value)
        is_deleted = work.fate(target, str(value))
        if is_deleted is None and rows.is_hidden(work.reading(), target, str(value)):
            message = f"insufficient access rights on cross-reference id: {str(value)[: ids.SHORT]}"
            raise ApiFault(400, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", message, ())
        if is_deleted is None:
            raise ApiFault(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", ())
        if is_deleted:
            raise ApiFault(400, "ENTITY_IS_DELETED", "entity is deleted", ())


def missing(names: list[str]) -> ApiFault:
    """The answer to a record that lacks what it must have."""
    listed = ", ".join(names)
    return ApiFault(400, "REQUIRED_FIELD_MISSING", f"Required fields are missing: [{listed}]", tuple(names))


def check_required(schema: ObjectSchema, row: Row) -> None:
    """Refuses a new record that lacks a required field."""
    absent = [name for name in schema.required if row.get(name) is None]
    if absent:
        raise missing(absent)


def check_unique(work: WorkingSet, schema: ObjectSchema, row: Row, record_id: str | None) -> None:
    """Refuses a value of a unique field that another live record holds."""
    for field in schema.unique:
        value = row.get(field.name)
        if value is None:
            continue
        others = [found for found in work.holders(schema, field, value) if found != record_id]
        if others:
            message = f"duplicate value found: {field.name} duplicates value on record with id: {others[0]}"
            raise ApiFault(400, "DUPLICATE_VALUE", message, ())


def defaults(schema: ObjectSchema) -> Row:
    """Gives what a new record holds where nothing was sent."""
    return dict(schema.usual)


def expect_bodies(
    work: WorkingSet, catalog: Catalog, schema: ObjectSchema, bodies: Iterable[Mapping[str, object]]
) -> None:
    """Tells what reading those bodies will ask for; what makes no sense in them is left to `read_body`."""
    wanted: dict[str, set[str]] = {}
    for body in bodies:
        for name, value in body.items():
            field = schema.find(name)
            if isinstance(value, dict):
                _expect_named(work, catalog, schema, name, value)
            elif field is not None and field.reference_to and isinstance(value, str):
                wanted.setdefault(field.name, set()).add(ids.to_long(value.strip()) or "")
            elif (
                field is not None
                and (field.unique or field.external_id)
                and isinstance(value, str | int | float)
            ):
                work.expect_values(schema, field, _readable(field, value))
    for name, record_ids in wanted.items():
        for prefix in {record_id[:3] for record_id in record_ids}:
            target = catalog.by_prefix(prefix)
            if target is not None:
                chosen = [record_id for record_id in record_ids if record_id[:3] == prefix]
                work.expect(target, chosen, whole=name in LOOKED_UP.get(schema.name, ()))


def _expect_named(
    work: WorkingSet, catalog: Catalog, schema: ObjectSchema, name: str, value: dict[str, object]
) -> None:
    with suppress(ApiFault):
        expect_parent(work, parent_key(catalog, _named(schema, name, value), value))


def _readable(field: FieldSchema, value: object) -> list[Stored]:
    try:
        return [stored(field, value)]
    except ApiFault:
        return []
