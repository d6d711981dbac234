"""`/sobjects/X/ID/RELATIONSHIP`: the record that a lookup points at, or those that point at this one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from lht.simulator.errors import ApiFault, not_found
from lht.simulator.org import ids
from lht.simulator.server.call import json_answer, write_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call


def is_traversal(schema: ObjectSchema, call: Call) -> bool:
    """Tells an id of the object from the name of one of its fields."""
    given = call.path["id"]
    return schema.find(given) is None and (ids.to_long(given) or "")[:3] == schema.key_prefix


def read(site: Site, call: Call, schema: ObjectSchema, names: Sequence[str] | None) -> Response:
    """Gives the parent, or a query's answer with the children."""
    lookup = _lookup(schema, call.path["value"])
    if lookup is not None:
        parent, record_id = _parent(site, call, schema, lookup)
        found = site.org.records.read(parent.name, record_id, fields=names, version=call.version)
        return json_answer(call, found)
    site.org.records.read(schema.name, call.path["id"], fields=["Id"], version=call.version)
    child, link = _children(site, schema, call.path["value"])
    chosen = [*(names or []), "Id"] if names else [field.name for field in child.by_name.values()]
    unique = dict.fromkeys(name.lower() for name in chosen)
    record_id = ids.checked_id(call.path["id"])
    soql = f"SELECT {', '.join(unique)} FROM {child.name} WHERE {link.name} = '{record_id}'"
    return json_answer(call, site.queries.query(soql, version=call.version))


def update(site: Site, call: Call, schema: ObjectSchema) -> Response:
    """Changes the parent."""
    parent, record_id = _need_parent(site, call, schema)
    site.org.records.update(parent.name, record_id, call.json_body(), write_options(call))
    return Response(status_code=204)


def delete(site: Site, call: Call, schema: ObjectSchema) -> Response:
    """Deletes the parent."""
    parent, record_id = _need_parent(site, call, schema)
    site.org.records.delete(parent.name, record_id)
    return Response(status_code=204)


def _need_parent(site: Site, call: Call, schema: ObjectSchema) -> tuple[ObjectSchema, str]:
    lookup = _lookup(schema, call.path["value"])
    if lookup is None:
        raise not_found()
    return _parent(site, call, schema, lookup)


def _lookup(schema: ObjectSchema, name: str) -> FieldSchema | None:
    wanted = name.lower()
    return next((f for f in schema.by_name.values() if (f.relationship_name or "").lower() == wanted), None)


def _parent(site: Site, call: Call, schema: ObjectSchema, lookup: FieldSchema) -> tuple[ObjectSchema, str]:
    record = site.org.records.read(schema.name, call.path["id"], fields=[lookup.name], version=call.version)
    record_id = record[lookup.name]
    parent = site.catalog.by_prefix(record_id) if record_id else None
    if parent is None:
        message = f"The requested resource does not exist: {lookup.name} of this record has no value"
        raise ApiFault(404, "NOT_FOUND", message)
    return parent, record_id


def _children(site: Site, schema: ObjectSchema, name: str) -> tuple[ObjectSchema, FieldSchema]:
    wanted = name.lower()
    for child, link in site.catalog.children(schema):
        if not link.hidden and (link.child_relationship or "").lower() == wanted:
            return child, link
    raise not_found()
