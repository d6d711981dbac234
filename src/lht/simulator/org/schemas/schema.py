"""What an object is: its fields, flags and relationships, as values from which describe is rendered."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TEXT_TYPES = frozenset(
    {
        "id", "reference", "string", "textarea", "phone", "url", "email", "picklist", "multipicklist", "combobox",
        "encryptedstring", "anytype", "complexvalue", "json", "datacategorygroupreference", "base64", "byte",
    }
)  # fmt: skip
NUMBER_TYPES = frozenset({"double", "currency", "percent"})
WHOLE_TYPES = frozenset({"int", "long"})
COMPOUND_TYPES = frozenset({"address", "location"})


@dataclass(frozen=True, slots=True)
class PicklistValue:
    """One entry of a picklist."""

    value: str
    label: str = ""
    active: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True)
class ValidationRule:
    """Refuses a record for which its SOQL condition is true, at `field` if it names one.

    With `trigger` it is a trigger of that name which fails, as for an error in its code.
    """

    name: str
    condition: str
    message: str
    field: str | None = None
    active: bool = True
    trigger: str | None = None


@dataclass(frozen=True, slots=True)
class DuplicateRule:
    """Finds live records that agree in all its fields; `action` is block, or allow where the caller may save anyway."""

    name: str
    fields: tuple[str, ...]
    action: str = "block"
    message: str = "Use one of these records?"
    active: bool = True


@dataclass(frozen=True, slots=True)
class FieldSchema:
    """One field. `type` is describe's word; `length`, `precision`, `scale`, `digits` are as describe gives them.

    `formula` is a DuckDB expression over the columns of the same table: it is evaluated whenever the field is
    read, so that a formula never moves a stamp. Compound fields (address, location) have no column.
    """

    name: str
    type: str
    label: str = ""
    length: int = 0
    byte_length: int | None = None
    precision: int = 0
    scale: int = 0
    digits: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    defaulted_on_create: bool = False
    default_value: str | bool | float | None = None
    custom: bool = False
    formula: str | None = None
    calculated_formula: str | None = None
    unique: bool = False
    external_id: bool = False
    case_sensitive: bool = False
    id_lookup: bool = False
    name_field: bool = False
    filterable: bool = True
    sortable: bool = True
    groupable: bool = True
    compound_field_name: str | None = None
    extra_type_info: str | None = None
    reference_to: tuple[str, ...] = ()
    relationship_name: str | None = None
    cascade_delete: bool = False
    restricted_picklist: bool = False
    picklist: tuple[PicklistValue, ...] = ()
    help_text: str | None = None
    html_formatted: bool = False
    aggregatable: bool = True
    permissionable: bool = True
    search_prefilterable: bool = False
    auto_number: bool = False
    encrypted: bool = False
    mask: str | None = None
    mask_type: str | None = None
    child_relationship: str | None = None
    """Name of the relationship as seen from the parent (`Contacts`)."""
    child_cascade: bool = False
    """Whether deleting the parent deletes the records that refer to it here."""
    child_restricted: bool = False
    """Whether the parent cannot be deleted while a record refers to it here."""
    hidden: bool = False
    """Hidden from the running user by field-level security: as if it were not there."""
    read_only: bool = False
    """Kept from being written by the running user, who sees it."""
    saved: tuple[tuple[str, Any], ...] = ()
    """Keys of a describe that was saved from a real org, with their values there: empty for a field of our own."""

    @property
    def calculated(self) -> bool:
        return self.formula is not None

    @property
    def has_column(self) -> bool:
        """Whether rows store a value of this field."""
        return self.formula is None and self.type.lower() not in COMPOUND_TYPES


@dataclass(frozen=True)
class ObjectSchema:
    """One object. `bulk` is false where the Bulk API refuses it."""

    name: str
    label: str
    label_plural: str
    key_prefix: str | None
    fields: tuple[FieldSchema, ...]
    custom: bool = False
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    undeletable: bool = True
    mergeable: bool = False
    queryable: bool = True
    replicateable: bool = True
    bulk: bool = True
    flags: Mapping[str, bool] = field(default_factory=dict)
    """Further describe flags that differ from their usual values."""
    validation_rules: tuple[ValidationRule, ...] = ()
    duplicate_rules: tuple[DuplicateRule, ...] = ()
    saved: Mapping[str, Any] = field(default_factory=dict)
    """What a describe saved from a real org says besides; an object that was not made from one has nothing."""
    scopes: tuple[str, ...] = ()
    """What a list of its records may be narrowed to, besides all and one's own."""
    record_types: bool = True
    """Whether its records may have record types."""

    @cached_property
    def written(self) -> str:
        """The object as it is kept with the rows: written once, as objects are many and never change."""
        return json.dumps(asdict(self))

    @cached_property
    def by_name(self) -> Mapping[str, FieldSchema]:
        """Visible fields by lower-cased name."""
        return {f.name.lower(): f for f in self.fields if not f.hidden}

    @cached_property
    def kinds(self) -> Mapping[str, str]:
        """The types of all stored fields, hidden ones too, by name."""
        return {f.name: f.type for f in self.fields if f.has_column}

    @cached_property
    def blank(self) -> Mapping[str, bool | None]:
        """A row of which nothing is known: flags that nobody set are false."""
        return {name: False if kind == "boolean" else None for name, kind in self.kinds.items()}

    @cached_property
    def usual(self) -> Mapping[str, str | bool | float]:
        """What a new record holds where nothing was sent."""
        return {f.name: f.default_value for f in self.fields if f.has_column and f.default_value is not None}

    @cached_property
    def required(self) -> Sequence[str]:
        """The fields that a new record must have."""
        visible = self.by_name.values()
        return [f.name for f in visible if f.createable and not f.nillable and not f.defaulted_on_create]

    @cached_property
    def unique(self) -> Sequence[FieldSchema]:
        """The fields that no two live records hold the same value in."""
        return [f for f in self.fields if f.unique]

    @cached_property
    def auto_numbers(self) -> Sequence[FieldSchema]:
        """The fields that are numbered."""
        return [f for f in self.fields if f.auto_number]

    @cached_property
    def _spelled(self) -> Mapping[str, FieldSchema]:
        """Visible fields by their own spelling, which is how most are asked for."""
        return {f.name: f for f in self.by_name.values()}

    def find(self, name: str) -> FieldSchema | None:
        """Gives the visible field of that name in any letter case."""
        return self._spelled.get(name) or self.by_name.get(name.lower())
