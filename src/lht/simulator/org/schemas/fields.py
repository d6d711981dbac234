"""Short ways to write down a field: each gives the facts that describe repeats for every field of its kind."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypedDict, Unpack

from lht.simulator.org.schemas.schema import FieldSchema, PicklistValue

if TYPE_CHECKING:
    from collections.abc import Iterable

FILTERABLE_AREA = 255
LONG_AREA = 32_000
SORTABLE_AREA = 4_000
FORMULA_TEXT_LENGTH = 1_300


class Facts(TypedDict, total=False):
    """What may be said of a field beyond its kind."""

    length: int
    digits: int
    byte_length: int
    aggregatable: bool
    reference_to: tuple[str, ...]
    picklist: tuple[PicklistValue, ...]
    mask: str
    mask_type: str
    encrypted: bool
    precision: int
    scale: int
    nillable: bool
    createable: bool
    updateable: bool
    defaulted_on_create: bool
    default_value: str | bool | float
    custom: bool
    formula: str
    calculated_formula: str
    unique: bool
    external_id: bool
    case_sensitive: bool
    id_lookup: bool
    name_field: bool
    filterable: bool
    sortable: bool
    groupable: bool
    compound_field_name: str
    extra_type_info: str
    relationship_name: str | None
    restricted_picklist: bool
    help_text: str
    html_formatted: bool
    permissionable: bool
    search_prefilterable: bool
    auto_number: bool
    child_relationship: str
    child_cascade: bool
    child_restricted: bool
    cascade_delete: bool


NOTHING: Facts = {}
SYSTEM: Facts = {"createable": False, "updateable": False, "permissionable": False}
"""Kept by the platform: nobody writes it, nobody's profile can hide it."""
REQUIRED: Facts = {"nillable": False, "permissionable": False}
CUSTOM: Facts = {"custom": True}
READ_ONLY: Facts = {"createable": False, "updateable": False}


def text(name: str, label: str, size: int, also: Facts = NOTHING, **facts: Unpack[Facts]) -> FieldSchema:
    """A line of text."""
    return other("string", name, label, {"length": size} | also, **facts)


def phone(name: str, label: str, also: Facts = NOTHING, **facts: Unpack[Facts]) -> FieldSchema:
    """A telephone number."""
    return other("phone", name, label, {"length": 40} | also, **facts)


def email(name: str, label: str, also: Facts = NOTHING, **facts: Unpack[Facts]) -> FieldSchema:
    """An address for mail, kept in lower case."""
    return other("email", name, label, {"length": 80} | also, **facts)


def url(name: str, label: str, also: Facts = NOTHING, **facts: Unpack[Facts]) -> FieldSchema:
    """An address on the web."""
    return other("url", name, label, {"length": 255} | also, **facts)


def area(
    name: str, label: str, size: int = LONG_AREA, also: Facts = NOTHING, **facts: Unpack[Facts]
) -> FieldSchema:
    """A text area: only those of 255 characters can be filtered or grouped by, up to 4,000 also sorted by."""
    short = size == FILTERABLE_AREA
    usual: Facts = {"filterable": short, "groupable": short, "aggregatable": short}
    usual |= {
        "sortable": short or size == SORTABLE_AREA,
        "extra_type_info": "plaintextarea",
        "length": size,
    }
    return other("textarea", name, label, usual | also, **facts)


def flag(
    name: str, label: str, also: Facts = NOTHING, *, default: bool = False, **facts: Unpack[Facts]
) -> FieldSchema:
    """A checkbox: it always has a value."""
    usual: Facts = {"nillable": False, "defaulted_on_create": True, "default_value": default}
    usual["aggregatable"] = False
    return other("boolean", name, label, usual | also, **facts)


def whole(name: str, label: str, size: int = 8, also: Facts = NOTHING, **facts: Unpack[Facts]) -> FieldSchema:
    """A whole number, whose size describe gives in `digits`."""
    return other("int", name, label, {"digits": size} | also, **facts)


def number(
    name: str, label: str, size: tuple[int, int] = (18, 0), also: Facts = NOTHING, **facts: Unpack[Facts]
) -> FieldSchema:
    """A number; `size` is its precision and its scale."""
    return other("double", name, label, _sized(size) | also, **facts)


def money(
    name: str, label: str, size: tuple[int, int] = (18, 0), also: Facts = NOTHING, **facts: Unpack[Facts]
) -> FieldSchema:
    """An amount of money."""
    return other("currency", name, label, _sized(size) | also, **facts)


def percent(
    name: str, label: str, size: tuple[int, int] = (3, 0), also: Facts = NOTHING, **facts: Unpack[Facts]
) -> FieldSchema:
    """A percentage: 33 is 33 %."""
    return other("percent", name, label, _sized(size) | also, **facts)


def _sized(size: tuple[int, int]) -> Facts:
    return {"precision": size[0], "scale": size[1], "groupable": False}


def day(name: str, label: str, also: Facts = NOTHING, **facts: Unpack[Facts]) -> FieldSchema:
    """A date."""
    return other("date", name, label, also, **facts)


def stamp(name: str, label: str, also: Facts = NOTHING, **facts: Unpack[Facts]) -> FieldSchema:
    """A date with its time."""
    return other("datetime", name, label, {"groupable": False} | also, **facts)


def picklist(
    name: str,
    label: str,
    size: int,
    values: Iterable[str | tuple[str, str]],
    also: Facts = NOTHING,
    **facts: Unpack[Facts],
) -> FieldSchema:
    """A picklist; an entry whose label is not its value is written as (value, label)."""
    return other("picklist", name, label, {"length": size, "picklist": choices(values)} | also, **facts)


def usual(field: FieldSchema, value: str) -> FieldSchema:
    """Gives the picklist with one of its entries chosen for records that do not say."""
    marked = tuple(replace(entry, default=entry.value == value) for entry in field.picklist)
    return replace(field, picklist=marked, default_value=value, defaulted_on_create=True)


def choices(values: Iterable[str | tuple[str, str]]) -> tuple[PicklistValue, ...]:
    """Makes the entries of a picklist."""
    pairs = ((entry, entry) if isinstance(entry, str) else entry for entry in values)
    return tuple(PicklistValue(value, label) for value, label in pairs)


def record_id(label: str) -> FieldSchema:
    """The field that every object has."""
    usual: Facts = {"nillable": False, "defaulted_on_create": True, "id_lookup": True}
    return other("id", "Id", label, usual | SYSTEM, length=18, byte_length=18)


def lookup(
    name: str, label: str, to: str | tuple[str, ...], also: Facts = NOTHING, **facts: Unpack[Facts]
) -> FieldSchema:
    """A reference; its relationship is named as the field without `Id`, unless said."""
    targets = (to,) if isinstance(to, str) else to
    relationship = name.removesuffix("Id") if name.endswith("Id") else name.removesuffix("__c") + "__r"
    usual: Facts = {
        "relationship_name": relationship,
        "reference_to": targets,
        "length": 18,
        "byte_length": 18,
    }
    return other("reference", name, label, usual | also, **facts)


def formula(
    kind: str, name: str, label: str, code: tuple[str, str], also: Facts = NOTHING, **facts: Unpack[Facts]
) -> FieldSchema:
    """A formula field; `code` is the SQL that is evaluated, and the text that describe shows."""
    usual: Facts = {"formula": code[0], "calculated_formula": code[1], "custom": True} | READ_ONLY
    usual |= {"groupable": kind in {"string", "date"}, "nillable": kind != "boolean"}
    usual |= {"length": FORMULA_TEXT_LENGTH if kind == "string" else 0, "aggregatable": kind != "boolean"}
    return other(kind, name, label, usual | also, **facts)


def address(prefix: str, label: str) -> tuple[FieldSchema, ...]:
    """The eight parts of an address, and the compound they make."""
    inside: Facts = {"compound_field_name": f"{prefix}Address"}
    parts = f"{label} " if label else ""
    return (
        area(f"{prefix}Street", f"{parts}Street", FILTERABLE_AREA, inside),
        text(f"{prefix}City", f"{parts}City", 40, inside),
        text(f"{prefix}State", f"{parts}State/Province", 80, inside),
        text(f"{prefix}PostalCode", f"{parts}Zip/Postal Code", 20, inside),
        text(f"{prefix}Country", f"{parts}Country", 80, inside),
        number(f"{prefix}Latitude", f"{parts}Latitude", (18, 15), inside),
        number(f"{prefix}Longitude", f"{parts}Longitude", (18, 15), inside),
        picklist(
            f"{prefix}GeocodeAccuracy",
            f"{parts}Geocode Accuracy",
            40,
            ACCURACIES,
            inside,
            restricted_picklist=True,
        ),
        compound(f"{prefix}Address", f"{parts}Address", "address"),
    )


def compound(name: str, label: str, kind: str, also: Facts = NOTHING, **facts: Unpack[Facts]) -> FieldSchema:
    """An address or a location: made of other fields, readable only as a whole."""
    usual: Facts = {"groupable": False, "sortable": False, "aggregatable": False} | READ_ONLY
    return other(kind, name, label, usual | also, **facts)


def other(kind: str, name: str, label: str, also: Facts = NOTHING, **facts: Unpack[Facts]) -> FieldSchema:
    """A field of any type; `facts` win over `also`."""
    return FieldSchema(name, kind, label, **(also | facts))


def created() -> tuple[FieldSchema, ...]:
    """When and by whom a record was made."""
    facts: Facts = {"nillable": False, "defaulted_on_create": True} | SYSTEM
    return (
        stamp("CreatedDate", "Created Date", also=facts),
        lookup("CreatedById", "Created By ID", "User", also=facts),
    )


def audit() -> tuple[FieldSchema, ...]:
    """The four fields of who and when, and the stamp that replication goes by."""
    facts: Facts = {"nillable": False, "defaulted_on_create": True} | SYSTEM
    return (
        *created(),
        stamp("LastModifiedDate", "Last Modified Date", also=facts),
        lookup("LastModifiedById", "Last Modified By ID", "User", also=facts),
        stamp("SystemModstamp", "System Modstamp", also=facts),
    )


def viewed() -> tuple[FieldSchema, ...]:
    """When somebody last looked."""
    return (
        stamp("LastViewedDate", "Last Viewed Date", also=SYSTEM),
        stamp("LastReferencedDate", "Last Referenced Date", also=SYSTEM),
    )


def is_deleted() -> FieldSchema:
    """Whether the record lies in the recycle bin."""
    return flag("IsDeleted", "Deleted", also=SYSTEM)


def owner(to: str | tuple[str, ...] = "User", label: str = "Owner ID") -> FieldSchema:
    """Whose record it is; the one who creates it, unless said."""
    facts: Facts = {"nillable": False, "defaulted_on_create": True, "permissionable": False}
    return lookup("OwnerId", label, to, also=facts)


def record_type() -> FieldSchema:
    """Which of its object's record types a record has."""
    return lookup("RecordTypeId", "Record Type ID", "RecordType", permissionable=False)


def external_id() -> FieldSchema:
    """The key that other systems know the record by."""
    facts: Facts = {"unique": True, "external_id": True, "id_lookup": True, "custom": True}
    return text(
        "ExternalId__c", "External Id", 80, help_text="The record's key in other systems.", also=facts
    )


ACCURACIES = (
    "Address", "NearAddress", "Block", "Street", "ExtendedZip", "Zip", "Neighborhood", "City", "County", "State", "Unknown",
)  # fmt: skip
