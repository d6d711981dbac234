"""The header of an upload: which field each column writes, or what the job fails for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.simulator.org.jobs.ingest_csv import invalid_batch
from lht.simulator.org.schemas.schema import COMPOUND_TYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.simulator.org.jobs.ingest_csv import JobFailed
    from lht.simulator.org.jobs.ingest_order import IngestOrder
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema


@dataclass(frozen=True, slots=True)
class Column:
    """A column: the field that it writes, and for a relationship the object and the field that find the parent."""

    field: FieldSchema
    target: ObjectSchema | None = None
    key: FieldSchema | None = None

    @property
    def kind(self) -> str:
        """Describe's type of what stands in the column."""
        return (self.key or self.field).type.lower()


def columns(catalog: Catalog, schema: ObjectSchema, order: IngestOrder, names: Sequence[str]) -> list[Column]:
    """Matches the names of a header to fields in any letter case; raises JobFailed for the first that fits none."""
    lowered = [name.lower() for name in names]
    if order.removes and lowered != ["id"]:
        raise invalid_batch("The 'delete' batch must contain only ids")
    found = [_column(catalog, schema, name) for name in names]
    for name in (one for one in names if lowered.count(one.lower()) > 1):
        raise invalid_batch(f"Duplicate field name found : {name}")
    needed = "Id" if order.operation == "update" else order.key
    if needed is not None and needed.lower() not in lowered:
        raise _unknown(needed)
    return found


def _column(catalog: Catalog, schema: ObjectSchema, name: str) -> Column:
    if "." in name:
        return _related(catalog, schema, name)
    field = schema.find(name)
    if field is None or field.type.lower() in COMPOUND_TYPES:
        raise _unknown(name)
    return Column(field)


def _related(catalog: Catalog, schema: ObjectSchema, name: str) -> Column:
    """Reads `Rel.Field`, or `Type:Rel.Field`, which is wanted just where a reference may point at several objects."""
    path, _, key = name.partition(".")
    kind, colon, relation = path.rpartition(":")
    fields = schema.by_name.values()
    field = next((f for f in fields if (f.relationship_name or "").lower() == relation.lower()), None)
    if field is None or not field.reference_to:
        raise invalid_batch(f"Unable to find relationship: {relation}")
    several = len(field.reference_to) > 1
    if colon and not several:
        raise invalid_batch(f"type is not needed for non polymorphic foreign key references: {name}")
    target = _target(catalog, field, kind if several else field.reference_to[0])
    found = target.find(key) if target else None
    if target is None or found is None or not (found.external_id or found.id_lookup or found.name == "Id"):
        raise _unknown(name)
    return Column(field, target, found)


def _target(catalog: Catalog, field: FieldSchema, name: str) -> ObjectSchema | None:
    known = next((one for one in field.reference_to if one.lower() == name.lower()), None)
    return catalog.object(known) if known else None


def _unknown(name: str) -> JobFailed:
    return invalid_batch(f"Field name not found : {name}")
