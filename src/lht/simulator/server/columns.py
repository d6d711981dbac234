"""The answer to `query?columns=true`: what a query would give, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lht.simulator.org.schemas.schema import NUMBER_TYPES, WHOLE_TYPES
from lht.simulator.soql.compiled import KIND

if TYPE_CHECKING:
    from lht.simulator.soql.compiled import Compiled, Selected

APEX = {
    "id": "Id", "reference": "Id", "boolean": "Boolean", "int": "Integer", "long": "Long", "double": "Double",
    "currency": "Decimal", "percent": "Decimal", "date": "Date", "datetime": "Datetime", "time": "Time",
    "base64": "Blob", "address": "Address", "location": "Location",
}  # fmt: skip


def column_metadata(compiled: Compiled) -> dict[str, Any]:
    """Describes the columns of a query; fields of one parent stand under it."""
    roots: list[dict[str, Any]] = []
    _add_all(roots, compiled)
    return {
        "columnMetadata": roots,
        "entityName": compiled.object.name,
        "groupBy": compiled.aggregate,
        "idSelected": any(selected.path == ("Id",) for selected in compiled.columns),
        "keyPrefix": compiled.object.key_prefix,
    }


def _add_all(roots: list[dict[str, Any]], compiled: Compiled) -> None:
    for selected in compiled.columns:
        if selected.children:
            children = _column(selected.path[-1], None, aggregate=True)
            _add_all(children["joinColumns"], selected.children)
            roots.append(children)
        else:
            _add(roots, selected, aggregate=compiled.aggregate)


def _add(roots: list[dict[str, Any]], selected: Selected, *, aggregate: bool) -> None:
    level = roots
    for step in selected.path[:-1]:
        name = step.partition(KIND)[0]
        parent = next((column for column in level if column["columnName"] == name), None)
        if parent is None:
            parent = _column(name, None, aggregate=False)
            level.append(parent)
        level = parent["joinColumns"]
    level.append(_column(selected.path[-1], selected, aggregate=aggregate))


def _column(name: str, selected: Selected | None, *, aggregate: bool) -> dict[str, Any]:
    kind = selected.type if selected else ""
    field = selected.field if selected else None
    is_number = kind in NUMBER_TYPES | WHOLE_TYPES
    return {
        "aggregate": aggregate,
        "apexType": APEX.get(kind, "String") if selected else None,
        "booleanType": kind == "boolean",
        "columnName": name,
        "custom": bool(field and field.custom),
        "displayName": name,
        "foreignKeyName": None if selected else name,
        "insertable": bool(field and field.createable),
        "joinColumns": [],
        "numberType": is_number,
        "textType": bool(selected) and not is_number and kind != "boolean",
        "updatable": bool(field and field.updateable),
    }
