"""Parents that a body names by a key of theirs: `{"Account": {"ExternalId__c": "k1"}}`.

Where a relationship leads to several objects, `attributes` may say which is meant: `{"Who": {"attributes": {"type":
"Lead"}, "Email": …}}`. Keys of many bodies are looked for by one query for each object and field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lht.simulator.errors import ApiFault
from lht.simulator.org.writes.values import stored

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.writes.working_set import WorkingSet


class ParentKey(NamedTuple):
    """The object that is meant, the field that finds its record, and the value that was sent for it."""

    target: ObjectSchema
    field: FieldSchema
    sent: object


def parent_key(catalog: Catalog, relation: FieldSchema, named: Mapping[str, object]) -> ParentKey:
    """Reads which parent is meant; raises ApiFault where no field of an object that it may be finds records."""
    keys = {name: value for name, value in named.items() if name != "attributes"}
    for target in _targets(catalog, relation, named.get("attributes")):
        for name, value in keys.items():
            field = target.find(name)
            if field is not None and (field.external_id or field.id_lookup or field.name == "Id"):
                return ParentKey(target, field, value)
    message = f"No external id of {relation.relationship_name} among {sorted(keys)}"
    raise ApiFault(400, "INVALID_FIELD", message, ())


def _targets(catalog: Catalog, relation: FieldSchema, attributes: object) -> list[ObjectSchema]:
    known = [found for name in relation.reference_to if (found := catalog.object(name))]
    said = attributes.get("type") if isinstance(attributes, dict) else None
    if said is None:
        return known
    chosen = [one for one in known if one.name.lower() == str(said).lower()]
    if not chosen:
        message = f"{relation.relationship_name} does not refer to records of type {said}"
        raise ApiFault(400, "INVALID_FIELD", message, ())
    return chosen


def expect_parent(work: WorkingSet, key: ParentKey) -> None:
    """Says that a parent will be asked for; a value that makes no sense is left to who asks."""
    try:
        value = stored(key.field, key.sent)
    except ApiFault:
        return
    if value is not None:
        work.expect_values(key.target, key.field, [value])


def find_parent(work: WorkingSet, key: ParentKey) -> str:
    """Gives the id of the one live record that holds the key."""
    value = stored(key.field, key.sent)
    found = [] if value is None else work.holders(key.target, key.field, value)
    if not found:
        sent = "null" if key.sent is None else key.sent
        message = f"Foreign key external ID: {sent} not found for field {key.field.name} in entity {key.target.name}"
        raise ApiFault(400, "INVALID_FIELD", message, ())
    if len(found) > 1:
        message = f"{key.field.label}: more than one record found for external id field: [{', '.join(found)}]"
        raise ApiFault(400, "DUPLICATE_EXTERNAL_ID", message, ())
    work.expect_holders(
        key.target, key.field, whole=False
    )  # whoever writes the reference asks whether it is deleted
    return found[0]
