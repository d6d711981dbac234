"""What an org has: its objects, and an object's fields with the columns they would become."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.mapping.columns import columns_for
from lht.model.operations import DescribedField, ObjectDescription
from lht.sfdc import rest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.model.salesforce import Field, ObjectSummary
    from lht.model.table import Capabilities, Column, ColumnType
    from lht.sfdc.org import Org


def list_objects(org: Org, *, like: str | None = None) -> tuple[ObjectSummary, ...]:
    """Gives the objects that the login may see, by name; `like` is a part of the name or label, in any case."""
    part = (like or "").lower()
    found = [o for o in rest.list_objects(org) if part in o.name.lower() or part in o.label.lower()]
    return tuple(sorted(found, key=lambda summary: summary.name.lower()))


def describe_object(
    org: Org, name: str, capabilities: Capabilities, *, overrides: Mapping[str, ColumnType]
) -> ObjectDescription:
    """Gives an object's fields in describe's order, each with its column or the reason it has none."""
    sobject = rest.describe(org, name)
    columns, excluded = columns_for(sobject, overrides=overrides, capabilities=capabilities)
    by_field = {column.field: column for column in columns}
    fields = tuple(_described(f, by_field.get(f.name), excluded.get(f.name, "")) for f in sobject.fields)
    return ObjectDescription(sobject.name, sobject.label, sobject.queryable, sobject.replicateable, fields)


def _described(field: Field, column: Column | None, reason: str) -> DescribedField:
    if column is None:
        return DescribedField(field.name, field.type, field.label, None, None, reason)
    return DescribedField(field.name, field.type, field.label, column.name, str(column.type))
