"""Values and rows of a query as the REST API writes them in JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from lht.simulator.soql.compiled import CHILDREN, KIND
from lht.simulator.store.ddl import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.soql.compiled import Compiled

Json = dict[str, Any]
RowValues = tuple[Any, ...]
Children: TypeAlias = "Mapping[str, Mapping[str, Json]]"
"""Sets of child records by relationship, and by the Id of their parent; parents without children are not in it."""


def stamp_text(moment: datetime) -> str:
    """Writes a stamp as JSON has it: `2024-05-01T10:20:30.000+0000`."""
    naive = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return f"{naive.isoformat(timespec='milliseconds')}+0000"


def json_value(kind: str, value: object, url: str) -> object:
    """Writes one value; of a file only the address where it can be read."""
    if value is None:
        return None
    if isinstance(value, dict):
        return dict(value)
    if kind == "base64":
        return url
    return _WRITERS.get(type(value), _same)(value)


def _same(value: Any) -> Any:
    return value


def _time_text(value: time) -> str:
    return f"{value.isoformat(timespec='milliseconds')}Z"


_WRITERS: dict[type, Callable[[Any], Any]] = {
    datetime: stamp_text,
    date: date.isoformat,
    time: _time_text,
    Decimal: float,
}


def address_parts(schema: ObjectSchema, compound: FieldSchema) -> str:
    """Writes an SQL struct of the visible parts of an address or location; null if all of them are."""
    parts = [f for f in schema.by_name.values() if f.compound_field_name == compound.name and f.has_column]
    if not parts:
        return "NULL"
    named = ", ".join(f"{literal(_part(compound, part))}: {quoted(part.name)}" for part in parts)
    some = ", ".join(f"CAST({quoted(part.name)} AS VARCHAR)" for part in parts)
    return f"CASE WHEN coalesce({some}) IS NOT NULL THEN {{{named}}} END"


def _part(compound: FieldSchema, part: FieldSchema) -> str:
    if compound.type == "location":
        return "latitude" if "Latitude" in part.name else "longitude"
    name = part.name.removeprefix(compound.name.removesuffix("Address"))
    return name[0].lower() + name[1:]


@dataclass(slots=True)
class _Node:
    """The record, or one of its parents: where in a row its id, its object and its values stand."""

    id_at: int
    object: str | None
    object_at: int | None
    items: list[tuple[str, str, int | _Node]] = field(default_factory=list)

    def record(self, row: RowValues, version: str, children: Children) -> Json | None:
        record_id = row[self.id_at]
        if record_id is None:
            return None
        name = self.object if self.object_at is None else row[self.object_at]
        url = f"/services/data/{version}/sobjects/{name}/{record_id}"
        found: Json = {"attributes": {"type": name, "url": url}}
        for key, kind, at in self.items:
            if not isinstance(at, int):
                name = key.partition(KIND)[0]  # of the branches of a TYPEOF, the first whose record is there
                found[name] = found.get(name) or at.record(row, version, children)
            elif kind == CHILDREN:
                found[key] = children[key].get(str(row[at]))
            else:
                found[key] = json_value(kind, row[at], f"{url}/{key}")
        return found


@dataclass(frozen=True, slots=True)
class Renderer:
    """Turns rows of one compiled query into records, with the sets of children that belong to them."""

    record: Callable[[RowValues, str, Children], Json]

    @classmethod
    def of(cls, compiled: Compiled, names: Sequence[str]) -> Renderer:
        """Prepares for a query whose output columns have these names, in this order."""
        if compiled.aggregate:
            return cls(lambda row, _version, _children: _aggregate(compiled, row))
        root = _tree(compiled, list(names))
        return cls(lambda row, version, children: root.record(row, version, children) or {})


def _aggregate(compiled: Compiled, row: RowValues) -> Json:
    values = {c.path[-1]: json_value(c.type, v, "") for c, v in zip(compiled.columns, row, strict=False)}
    return {"attributes": {"type": "AggregateResult"}, **values}


def _tree(compiled: Compiled, names: list[str]) -> _Node:
    nodes: dict[tuple[str, ...], _Node] = {}
    for parent in compiled.parent_ids:
        object_at = names.index(parent.type_column) if parent.type_column else None
        nodes[parent.path] = _Node(names.index(parent.id_column), parent.object, object_at)
    for at, column in enumerate(compiled.columns):
        for depth in range(1, len(column.path)):
            _hang(nodes, column.path[:depth])
        nodes[column.path[:-1]].items.append((column.path[-1], column.type, at))
    return nodes[()]


def _hang(nodes: dict[tuple[str, ...], _Node], path: tuple[str, ...]) -> None:
    """Puts a parent where its first field stands in the SELECT."""
    items = nodes[path[:-1]].items
    if all(name != path[-1] for name, _, _ in items):
        items.append((path[-1], "", nodes[path]))
