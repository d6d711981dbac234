"""What happened to the tracked fields of an object: one record for each change of a field."""

from __future__ import annotations

from lht.simulator.org.schemas.fields import (
    SYSTEM,
    Facts,
    created,
    is_deleted,
    lookup,
    other,
    picklist,
    record_id,
)
from lht.simulator.org.schemas.schema import ObjectSchema

PREFIX = "017"
APART = 100_000_000
"""The history of every object has the same prefix: the records of each are numbered from another start."""

TRACKED: dict[str, tuple[str, ...]] = {
    "Account": ("Name", "Type", "Industry", "Rating", "OwnerId", "Phone", "Website", "AnnualRevenue", "NumberOfEmployees"),
    "Campaign": ("Name", "Status", "Type", "IsActive", "OwnerId", "StartDate", "EndDate", "BudgetedCost"),
    "Case": ("Status", "Priority", "Origin", "Reason", "Subject", "OwnerId", "ContactId", "AccountId", "IsEscalated"),
    "Contact": ("FirstName", "LastName", "Email", "Phone", "Title", "LeadSource", "OwnerId", "AccountId", "Birthdate"),
    "Lead": ("FirstName", "LastName", "Company", "Email", "Phone", "Status", "Rating", "LeadSource", "OwnerId"),
    "Opportunity": ("Name", "StageName", "Amount", "CloseDate", "Probability", "Type", "NextStep", "OwnerId", "AccountId"),
    "Product2": ("Name", "ProductCode", "Family", "IsActive"),
}  # fmt: skip
"""Fields whose changes are kept, by object."""

KINDS = {
    "string": "Text",
    "textarea": "MultiLineText",
    "picklist": "DynamicEnum",
    "reference": "EntityId",
    "boolean": "Boolean",
    "currency": "Currency",
    "percent": "Percent",
    "double": "Double",
    "int": "Double",
    "date": "DateOnly",
    "datetime": "DateTime",
    "phone": "Phone",
    "email": "Email",
    "url": "Url",
}
"""What a history record calls the kind of a value, by the type of its field."""

FIXED: Facts = SYSTEM | {"restricted_picklist": True}
OPAQUE: Facts = SYSTEM | {"filterable": False, "sortable": False, "groupable": False, "aggregatable": False}


def field_word(name: str) -> str:
    """Gives the name that history has for a field: that of a relationship where the field is a reference."""
    return name.removesuffix("Id")


def history(parent: str, name: str, label: str, id_label: str = "") -> ObjectSchema:
    """The history of an object; it is written by the org alone."""
    words = ("created", *map(field_word, TRACKED[parent]))
    own = {"Product2": "Product ID"}.get(parent, f"{parent} ID")
    fields = (
        record_id(id_label or f"{label} ID"),
        is_deleted(),
        lookup(
            f"{parent}Id", own, parent, nillable=False, also=SYSTEM,
            relationship_name=parent, child_relationship="Histories", child_cascade=True,
        ),
        *reversed(created()),
        picklist("Field", "Changed Field", 255, words, FIXED, nillable=False),
        picklist("DataType", "Datatype", 40, sorted(set(KINDS.values())), FIXED),
        other("anyType", "OldValue", "Old Value", OPAQUE, length=765, byte_length=765),
        other("anyType", "NewValue", "New Value", OPAQUE, length=765, byte_length=765),
    )  # fmt: skip
    return ObjectSchema(
        name, label, label, PREFIX, fields,
        createable=False, updateable=False, deletable=False, undeletable=False,
    )  # fmt: skip


HISTORIES = (
    history("Account", "AccountHistory", "Account History"),
    history("Campaign", "CampaignHistory", "Campaign Field History"),
    history("Case", "CaseHistory", "Case History"),
    history("Contact", "ContactHistory", "Contact History"),
    history("Lead", "LeadHistory", "Lead History"),
    history("Opportunity", "OpportunityFieldHistory", "Opportunity Field History", "Opportunity History ID"),
    history("Product2", "Product2History", "Product History", "Product Stage ID"),
)
STARTS = {schema.name: place * APART for place, schema in enumerate(HISTORIES)}
"""The number before the first record of each history."""
HISTORY_OF = {parent: schema.name for parent, schema in zip(TRACKED, HISTORIES, strict=True)}
