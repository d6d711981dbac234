"""A field from what somebody says of it: the facts that its kind usually has, unless said otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lht.simulator.org.schemas.catalog import field_from
from lht.simulator.org.schemas.facts import USUAL_LENGTHS, check_kinds, check_sizes
from lht.simulator.org.schemas.fields import FILTERABLE_AREA, FORMULA_TEXT_LENGTH, SORTABLE_AREA
from lht.simulator.org.schemas.schema import NUMBER_TYPES, FieldSchema, PicklistValue

Facts = dict[str, Any]

OPAQUE: Facts = {"filterable": False, "sortable": False, "groupable": False}
READ_ONLY: Facts = {"createable": False, "updateable": False}
UNGROUPED = NUMBER_TYPES | {"datetime"}
KINDS: dict[str, Facts] = {
    "boolean": {
        "default_value": False,
        "nillable": False,
        "defaulted_on_create": True,
        "aggregatable": False,
    },
    "multipicklist": {"groupable": False, "sortable": False},
    "encryptedstring": OPAQUE | {"encrypted": True, "mask": "*", "mask_type": "all"},
    "base64": OPAQUE | {"aggregatable": False},
    "reference": {"length": 18, "byte_length": 18},
}


def new_field(body: Facts) -> FieldSchema:
    """Makes a field that is to be added; raises ValueError or TypeError if a fact is unknown or of the wrong kind."""
    custom = str(body["name"]).lower().endswith("__c")
    body = {"label": body["name"], "custom": custom, **_plain_lists(body)}
    _check(body)
    check_sizes(body["type"], body)
    return _marked(field_from(_usual(body) | body))


def changed_field(known: Facts, said: Facts) -> FieldSchema:
    """Makes the new definition of a field from all its facts and those that somebody changes."""
    body = known | _plain_lists(said)
    _check(body)
    check_sizes(body["type"], said)
    return field_from(body)


def _plain_lists(body: Facts) -> Facts:
    """One object may be named without a list around it."""
    target = body.get("reference_to")
    return body | {"reference_to": [target]} if isinstance(target, str) else body


def _check(body: Facts) -> None:
    check_kinds(FieldSchema, body)
    if not all(isinstance(name, str) for name in body.get("reference_to", ())):
        raise ValueError(f"reference_to must be names of objects, not {body['reference_to']!r}")
    entries = body.get("picklist", ())
    for entry in entries:
        if not isinstance(entry, str | dict) or (isinstance(entry, dict) and "value" not in entry):
            raise ValueError(f"picklist has values, or tables with a value, not {entry!r}")
        if isinstance(entry, dict):
            check_kinds(PicklistValue, entry)
    values = [(entry if isinstance(entry, str) else entry["value"]).lower() for entry in entries]
    if twice := sorted({value for value in values if values.count(value) > 1}):
        raise ValueError(f"picklist has {twice[0]!r} twice")


def _usual(body: Facts) -> Facts:
    kind = str(body["type"]).lower()
    found: Facts = dict(KINDS.get(kind, {})) | ({"groupable": False} if kind in UNGROUPED else {})
    if kind == "textarea":
        found |= _area(int(body.get("length") or USUAL_LENGTHS[kind]))
    if body.get("external_id"):
        found["id_lookup"] = True
    if body.get("nillable") is False:
        found["permissionable"] = False
    if body.get("auto_number"):
        if kind != "string":
            raise ValueError("an auto_number is a string")
        found |= READ_ONLY | {"nillable": False, "defaulted_on_create": True, "permissionable": False}
    if chosen := _chosen(body):
        found |= {"default_value": chosen, "defaulted_on_create": True}
    return found | (_formula(kind, body) if body.get("formula") else {})


def _area(length: int) -> Facts:
    short = length <= FILTERABLE_AREA
    facts = {"filterable": short, "groupable": short, "aggregatable": short}
    return facts | {"sortable": length <= SORTABLE_AREA, "extra_type_info": "plaintextarea"}


def _chosen(body: Facts) -> str:
    """The entries that a picklist starts with, as a record holds them."""
    entries = [entry for entry in body.get("picklist", ()) if isinstance(entry, dict)]
    chosen = [str(entry["value"]) for entry in entries if entry.get("default")]
    if len(chosen) > 1 and body["type"] != "multipicklist":
        raise ValueError(f"picklist has one default at most, not {', '.join(chosen)}")
    return ";".join(chosen)


def _marked(field: FieldSchema) -> FieldSchema:
    """The entries that a default names say so themselves."""
    chosen = str(field.default_value).split(";")
    return replace(
        field, picklist=tuple(replace(entry, default=entry.value in chosen) for entry in field.picklist)
    )


def _formula(kind: str, body: Facts) -> Facts:
    facts: Facts = {
        **READ_ONLY,
        "calculated_formula": body["formula"],
        "groupable": kind in {"string", "date"},
    }
    facts |= {"nillable": kind != "boolean", "default_value": None, "defaulted_on_create": False}
    return facts | ({"length": FORMULA_TEXT_LENGTH} if kind == "string" else {})
