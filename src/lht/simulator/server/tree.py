"""`/composite/tree/X`: records with their children in one body, all made or none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault
from lht.simulator.org.writes.working_set import working
from lht.simulator.server.call import json_answer, write_options
from lht.simulator.server.collections import item_error
from lht.simulator.server.json_places import as_parser_says

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from starlette.responses import Response

    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.site import Site
    from lht.simulator.org.writes.working_set import WorkingSet
    from lht.simulator.org.writes.write_options import WriteOptions
    from lht.simulator.server.call import Call

MOST_RECORDS, MOST_OBJECTS, MOST_LEVELS = 200, 5, 5


@dataclass(slots=True)
class Node:
    """One record of a tree, and where it hangs."""

    name: str
    schema: ObjectSchema
    fields: dict[str, Any]
    parent: Node | None = None
    link: FieldSchema | None = None
    children: list[Node] = field(default_factory=list)
    id: str = ""


class _SomeFailed(Exception):  # noqa: N818 - it ends the transaction
    """Some records of a level were refused."""

    def __init__(self, faults: list[tuple[str, ApiFault]]) -> None:
        super().__init__(len(faults))
        self.faults = faults


def create(site: Site, call: Call) -> Response:
    """Makes records level by level."""
    body = call.json_body()
    roots = list(_nodes(site.catalog, site.catalog.need(call.path["object"]), body, None, None))
    try:
        levels = list(_levels(roots))
        _check(levels)
        with site.db.transaction() as connection, working(connection) as work:
            for level in levels:
                _make(site, work, level, write_options(call))
    except _SomeFailed as failed:
        seen = [(name, as_parser_says(fault, call.body)) for name, fault in failed.faults]
        results = [{"referenceId": name, "errors": [item_error(fault)]} for name, fault in seen]
        return json_answer(call, {"hasErrors": True, "results": results}, 400)
    made = [{"referenceId": node.name, "id": node.id} for level in levels for node in level]
    return json_answer(call, {"hasErrors": False, "results": made}, 201)


def _make(site: Site, work: WorkingSet, level: Sequence[Node], options: WriteOptions) -> None:
    faults = []
    for node in level:
        linked = {node.link.name: node.parent.id} if node.link and node.parent else {}
        try:
            node.id = site.org.records.create_in(work, node.schema, node.fields | linked, options)
        except ApiFault as fault:
            faults.append((node.name, fault))
    if faults:
        raise _SomeFailed(faults)


def _levels(roots: list[Node]) -> Iterator[list[Node]]:
    level = roots
    while level:
        yield level
        level = [child for node in level for child in node.children]


def _check(levels: Sequence[Sequence[Node]]) -> None:
    nodes = [node for level in levels for node in level]
    names = [node.name for node in nodes]
    if repeated := [name for name in names if names.count(name) > 1]:
        message = "Duplicate ReferenceId provided in the request."
        raise _SomeFailed([(name, ApiFault(400, "INVALID_INPUT", message, ())) for name in repeated])
    counted = (
        (len(nodes), MOST_RECORDS, "records"),
        (len({node.schema.name for node in nodes}), MOST_OBJECTS, "types of records"),
        (len(levels), MOST_LEVELS, "levels"),
    )
    for number, most, word in counted:
        if number > most:
            raise ApiFault(400, "LIMIT_EXCEEDED", f"A tree cannot have more than {most} {word}")


def _nodes(
    catalog: Catalog, schema: ObjectSchema, body: Any, parent: Node | None, link: FieldSchema | None
) -> Iterator[Node]:
    records = body.get("records") if isinstance(body, dict) else None
    if not isinstance(records, list) or not all(isinstance(one, dict) for one in records):
        raise ApiFault(400, "INVALID_INPUT", "records is required, and must be a list of JSON objects")
    for record in records:
        yield _node(catalog, schema, record, parent, link)


def _node(
    catalog: Catalog,
    schema: ObjectSchema,
    record: dict[str, Any],
    parent: Node | None,
    link: FieldSchema | None,
) -> Node:
    attributes = record.get("attributes")
    said = attributes if isinstance(attributes, dict) else {}
    name, kind = said.get("referenceId"), said.get("type")
    if not isinstance(name, str) or not name or str(kind).lower() != schema.name.lower():
        message = f"every record needs attributes with its referenceId and the type {schema.name}"
        raise ApiFault(400, "INVALID_INPUT", message)
    node = Node(name, schema, {}, parent, link)
    below = {
        (field.child_relationship or "").lower(): (child, field) for child, field in catalog.children(schema)
    }
    for key, value in record.items():
        if isinstance(value, dict) and "records" in value and key.lower() in below:
            node.children += _nodes(catalog, below[key.lower()][0], value, node, below[key.lower()][1])
        elif key != "attributes":
            node.fields[key] = value
    return node
