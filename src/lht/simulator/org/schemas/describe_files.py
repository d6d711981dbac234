"""Describes that somebody saved from a real org: the objects of this org are then what those files say.

Only facts are taken, never records. What this org works with and a file lacks, such as a field that whoever saved
the file may not see, stays as a hidden field: to its user it is not there.
"""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import SimulatorError
from lht.simulator.org.schemas.catalog import field_from
from lht.simulator.org.schemas.describe import describe_field, flags_of
from lht.simulator.org.schemas.facts import TYPES, check_kinds
from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema, PicklistValue
from lht.simulator.store.ddl import column_type

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

NOT_IN_BULK = frozenset(
    {
        "AcceptedEventRelation", "AssetTokenEvent", "AttachedContentNote", "Attachment", "CaseStatus", "ContractStatus",
        "DeclinedEventRelation", "EventWhoRelation", "FieldSecurityClassification", "OrderStatus", "PartnerRole",
        "QuoteTemplateRichTextData", "RecentlyViewed", "ServiceAppointmentStatus", "SolutionStatus", "TaskPriority",
        "TaskStatus", "TaskWhoRelation", "UndecidedEventRelation",
    }
)  # fmt: skip
"""Objects that the Bulk API refuses, which their describe does not tell."""
SPELLED = {"help_text": "inlineHelpText"}
OURS = frozenset(
    {"picklist", "formula", "hidden", "saved", "child_relationship", "child_cascade", "child_restricted"}
)
"""Facts of a field that a describe does not give under a key of their own."""
LOCAL_KEYS = frozenset({"fields", "urls"})
"""What the org always says itself: addresses are its own."""
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")


@dataclass(frozen=True, slots=True)
class SavedDescribe:
    """One file, checked."""

    path: Path
    body: Mapping[str, Any]
    fields: tuple[FieldSchema, ...]

    @property
    def name(self) -> str:
        return str(self.body["name"])


@dataclass(frozen=True, slots=True)
class DescribeFiles:
    """What a folder holds."""

    folder: Path | None = None
    saved: tuple[SavedDescribe, ...] = ()

    def replaced(self, objects: Iterable[ObjectSchema]) -> tuple[ObjectSchema, ...]:
        """Gives a new org's objects: those of the files, and the others that every org has.

        Custom objects that a new org usually has leave: they would be strangers in somebody's own schema.
        """
        if not self.saved:
            return tuple(objects)
        usual = {schema.name.lower(): schema for schema in objects if not schema.custom}
        relations = _relations(self.saved)
        ours = {one.name.lower(): _object(one, usual.get(one.name.lower()), relations) for one in self.saved}
        return tuple({**usual, **ours}.values())

    def added(self, objects: Iterable[ObjectSchema]) -> tuple[ObjectSchema, ...]:
        """Gives the objects of an org that is already there, with those of the files that it lacks."""
        known = {schema.name.lower(): schema for schema in objects}
        for one in self.saved:
            found = known.get(one.name.lower())
            if found is not None and not found.saved:
                raise SimulatorError(
                    f"{one.path}: the org is already there, with a {found.name} of its own; describes make a new org: "
                    "choose another path, or leave them out"
                )
        relations = _relations(self.saved)
        new = [_object(one, None, relations) for one in self.saved if one.name.lower() not in known]
        return (*known.values(), *new)


NO_DESCRIBES = DescribeFiles()


def read_describes(folder: Path | None) -> DescribeFiles:
    """Reads every `.json` file of a folder; raises SimulatorError, naming file, object and field, for what cannot be."""
    if folder is None:
        return NO_DESCRIBES
    try:
        found = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise SimulatorError(f"cannot read {folder}: {error.strerror}") from error
    paths = [path for path in found if path.suffix.lower() == ".json"]
    if not paths:
        raise SimulatorError(
            f"{folder} has no .json file: save describes there, one object a file, as with "
            "sf sobject describe --sobject Account --json > Account.json"
        )
    saved = tuple(_read(path) for path in paths)
    _check_once(saved)
    return DescribeFiles(folder, saved)


def _read(path: Path) -> SavedDescribe:
    with _naming(path):
        body = _body(path)
    with _naming(path, str(body["name"])):
        entries = _entries(body)
    return SavedDescribe(path, body, tuple(_field(path, body, entry) for entry in entries))


def _body(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise SimulatorError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}; save it again") from None
    if isinstance(found, dict) and "result" in found:
        found = found["result"]
    if isinstance(found, dict) and "sobjects" in found:
        raise ValueError("a list of objects; the describe of one object is needed in each file")
    if not isinstance(found, dict) or not isinstance(found.get("fields"), list):
        message = "not the describe of an object: it has no fields; save it again, or move it elsewhere"
        raise ValueError(message)  # noqa: TRY004 - one kind of error for every wrong file
    if not isinstance(found.get("name"), str) or not _NAME.fullmatch(found["name"]):
        raise ValueError(f"an object cannot be called {found.get('name')!r}")
    return found


def _entries(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    prefix = body.get("keyPrefix")
    if prefix is not None and not (isinstance(prefix, str) and re.fullmatch(r"[0-9A-Za-z]{3}", prefix)):
        raise ValueError(f"keyPrefix must be three letters or digits, or null, not {prefix!r}")
    for key, kind in {
        "label": str,
        "labelPlural": str,
        "childRelationships": list,
        "recordTypeInfos": list,
    }.items():
        if not isinstance(body.get(key), kind | None):
            raise ValueError(f"{key} is of the wrong kind: {body[key]!r}")  # noqa: TRY004 - one kind of error
    for child in body.get("childRelationships") or ():
        names = [child.get(key) for key in ("childSObject", "field")] if isinstance(child, dict) else [child]
        if not all(isinstance(name, str) for name in names) or not isinstance(child, dict):
            raise ValueError(f"childRelationships has an entry without childSObject and field: {child!r}")
    seen: set[str] = set()
    for number, entry in enumerate(body["fields"], 1):
        if not isinstance(entry, dict) or not _NAME.fullmatch(str(entry.get("name") or "")):
            raise ValueError(f"field {number} has no name")
        if entry["name"].lower() in seen:
            raise ValueError(f"{entry['name']} is there twice")
        seen.add(entry["name"].lower())
    if "id" not in seen:
        raise ValueError("there is no field Id; save the describe of an object that has records")
    return list(body["fields"])


def _check_once(saved: Iterable[SavedDescribe]) -> None:
    seen: dict[str, SavedDescribe] = {}
    for one in saved:
        if other := seen.get(one.name.lower()):
            raise SimulatorError(f"{one.path}: {one.name} is also in {other.path.name}; keep one of them")
        seen[one.name.lower()] = one


def _field(path: Path, body: Mapping[str, Any], entry: dict[str, Any]) -> FieldSchema:
    with _naming(path, str(body["name"]), entry["name"]):
        kind = entry.get("type")
        if not isinstance(kind, str) or kind.lower() not in TYPES:
            raise ValueError(f"type must be one of {', '.join(sorted(TYPES))}, not {kind!r}")
        facts = {
            fact.name: entry.get(_spelled(fact.name)) for fact in fields(FieldSchema) if fact.name not in OURS
        }
        facts = {name: value for name, value in facts.items() if value is not None}
        check_kinds(FieldSchema, facts)
        field = replace(field_from(facts), picklist=_picklist(entry), formula=_formula(entry))
        field = replace(field, default_value=_default(field))
    told = describe_field(field)
    others = ((key, value) for key, value in entry.items() if key not in told or told[key] != value)
    return replace(field, saved=(("name", field.name), *others))


def _spelled(fact: str) -> str:
    """Writes the name of a fact as describe does: `byte_length` is `byteLength`."""
    first, *others = fact.split("_")
    return SPELLED.get(fact) or first + "".join(word.capitalize() for word in others)


def _picklist(entry: Mapping[str, Any]) -> tuple[PicklistValue, ...]:
    values = entry.get("picklistValues") or []
    if not isinstance(values, list) or not all(isinstance(one, dict) and "value" in one for one in values):
        raise ValueError(f"picklistValues must be a list of entries with a value, not {values!r}")
    return tuple(
        PicklistValue(
            str(one["value"]),
            str(one.get("label") or ""),
            one.get("active", True) is not False,
            one.get("defaultValue") is True,
        )
        for one in values
    )


def _formula(entry: Mapping[str, Any]) -> str | None:
    """A formula has a text that only Salesforce can compute: here it has no value, and a checkbox is not ticked."""
    if not entry.get("calculated"):
        return None
    kind = column_type(entry["type"])
    return "false" if kind == "BOOLEAN" else f"CAST(NULL AS {kind})"


def _default(field: FieldSchema) -> str | bool | float | None:
    """What a record gets where nothing is said, which for a picklist its entries tell."""
    chosen = [entry.value for entry in field.picklist if entry.default]
    if field.formula is not None or field.default_value is not None or not chosen:
        return field.default_value
    return ";".join(chosen) if field.type.lower() == "multipicklist" else chosen[0]


Relation = tuple[str, str]
"""Of which object, by which field, in lower case."""


def _relations(saved: Iterable[SavedDescribe]) -> dict[Relation, Mapping[str, Any]]:
    """Gives what the parents say of the fields that refer to them."""
    return {
        (str(entry["childSObject"]).lower(), str(entry.get("field")).lower()): entry
        for one in saved
        for entry in one.body.get("childRelationships") or ()
    }


def _object(
    one: SavedDescribe, usual: ObjectSchema | None, relations: Mapping[Relation, Mapping[str, Any]]
) -> ObjectSchema:
    body = one.body
    own = tuple(_related(one.name, field, usual, relations) for field in one.fields)
    schema = ObjectSchema(
        name=one.name,
        label=body.get("label") or one.name,
        label_plural=body.get("labelPlural") or f"{body.get('label') or one.name}s",
        key_prefix=body.get("keyPrefix"),
        fields=own + _unseen(own, usual),
        bulk=one.name not in NOT_IN_BULK,
        **{flag: body[flag] for flag in FLAGS if isinstance(body.get(flag), bool)},
    )
    told = flags_of(schema)
    flags = {key: body[key] for key in told if key in body and body[key] != told[key]}
    others = {key: value for key, value in body.items() if key not in told and key not in LOCAL_KEYS}
    return replace(schema, flags=flags, saved=others or {"name": one.name})


FLAGS = (
    "custom", "createable", "updateable", "deletable", "undeletable", "mergeable", "queryable", "replicateable",
)  # fmt: skip


def _related(
    name: str,
    field: FieldSchema,
    usual: ObjectSchema | None,
    relations: Mapping[Relation, Mapping[str, Any]],
) -> FieldSchema:
    """Adds what only parents tell: the relationship's name seen from there, and what becomes of the children."""
    told = relations.get((name.lower(), field.name.lower()))
    known = next((f for f in usual.fields if f.name == field.name), None) if usual else None
    if told is not None:
        return replace(
            field,
            child_relationship=told.get("relationshipName"),
            child_cascade=bool(told.get("cascadeDelete")),
            child_restricted=bool(told.get("restrictedDelete")),
        )
    if known is None:
        return field
    return replace(
        field,
        child_relationship=known.child_relationship,
        child_cascade=known.child_cascade,
        child_restricted=known.child_restricted,
    )


def _unseen(own: Iterable[FieldSchema], usual: ObjectSchema | None) -> tuple[FieldSchema, ...]:
    """The standard fields that a file lacks, which the org still works with."""
    names = {field.name.lower() for field in own}
    left = (field for field in (usual.fields if usual else ()) if field.name.lower() not in names)
    return tuple(replace(field, hidden=True, nillable=True, saved=()) for field in left if not field.custom)


@contextmanager
def _naming(path: Path, *place: str) -> Iterator[None]:
    """Turns what is wrong at that place into an error that names it."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise SimulatorError(
            f"{': '.join((str(path), ', '.join(place)) if place else (str(path),))}: {error}"
        ) from error
