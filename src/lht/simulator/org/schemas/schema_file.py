"""A schema file: the objects, and the fields on objects of a fresh org, that an org has besides."""

from __future__ import annotations

import difflib
import re
import tomllib
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any, TypeVar

from lht.simulator.errors import ApiFault, SimulatorError
from lht.simulator.org.objects import STANDARD
from lht.simulator.org.rules.record_type_rules import NewRecordType, new_record_type
from lht.simulator.org.rules.rules import duplicate_rule, validation_rule
from lht.simulator.org.schemas.new_fields import new_field
from lht.simulator.org.schemas.schema import DuplicateRule, FieldSchema, ValidationRule

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from lht.simulator.org.schemas.schema import ObjectSchema

FIELD_TYPES = (
    "base64", "boolean", "combobox", "currency", "date", "datetime", "double", "email", "encryptedstring", "int", "long",
    "multipicklist", "percent", "phone", "picklist", "reference", "string", "textarea", "time", "url",
)  # fmt: skip
FIELD_KEYS = tuple(
    sorted(
        {fact.name for fact in fields(FieldSchema)}
        - {"custom", "hidden", "read_only", "name_field", "compound_field_name", "saved"}
    )
)
OBJECT_KEYS = ("duplicate_rules", "fields", "record_types", "validation_rules")
NEW_OBJECT_KEYS = (*OBJECT_KEYS, "label", "label_plural", "name_field")
NAME_FIELD_KEYS = ("auto_number", "label")
Named = TypeVar("Named", ValidationRule, DuplicateRule, NewRecordType)
_NAME = re.compile(r"(?:[A-Za-z][A-Za-z0-9]{0,14}__)?[A-Za-z](?:_?[A-Za-z0-9]){0,39}__c")
"""As Salesforce names what people add, with the namespace of a package or without."""


@dataclass(frozen=True, slots=True)
class ObjectAddition:
    """What a file says of one object; the labels matter only for a new one."""

    name: str
    label: str
    label_plural: str
    name_label: str
    auto_number: bool
    fields: tuple[FieldSchema, ...]
    validation_rules: tuple[ValidationRule, ...] = ()
    duplicate_rules: tuple[DuplicateRule, ...] = ()
    record_types: tuple[NewRecordType, ...] = ()


@dataclass(frozen=True, slots=True)
class SchemaFile:
    """What a file adds to an org."""

    path: Path | None = None
    objects: tuple[ObjectAddition, ...] = ()

    @contextmanager
    def naming(self, *place: str) -> Iterator[None]:
        """Turns what is wrong at that place into an error that names it."""
        try:
            yield
        except (ValueError, TypeError, ApiFault) as error:
            raise SimulatorError(f"{self.path}: {', '.join(place)}: {error}") from error


NO_FILE = SchemaFile()


def read_schema(path: Path | None) -> SchemaFile:
    """Reads a schema file; raises SimulatorError, naming file, object and field, for what cannot be."""
    if path is None:
        return NO_FILE
    file = SchemaFile(path)
    try:
        body = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SimulatorError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise SimulatorError(f"{path} is not TOML: {error}") from error
    with file.naming("the file"):
        _check_keys(body, ("objects",))
    with file.naming("objects"):
        tables = _table(body.get("objects", {})).items()
        _check_names(name for name, _ in tables)
    return replace(file, objects=tuple(_object(file, name, entry) for name, entry in tables))


def _object(file: SchemaFile, name: str, entry: Any) -> ObjectAddition:
    with file.naming(name):
        body, known = _table(entry), _standard(name)
        if known is None and not _NAME.fullmatch(name):
            names = ", ".join(schema.name for schema in STANDARD)
            raise ValueError(f"a new object's name ends in __c, as in Invoice__c; the org has {names}")
        _check_keys(body, NEW_OBJECT_KEYS if known is None else OBJECT_KEYS)
        addition = _without_fields(known.name if known else name, body)
        entries = _tables(body.get("fields", []), "fields")
    found = tuple(_field(file, addition.name, number, entry) for number, entry in enumerate(entries, 1))
    with file.naming(name):
        _check_names(field.name for field in found)
    rules = _rules(file, addition.name, body, "validation_rules", validation_rule)
    same = _rules(file, addition.name, body, "duplicate_rules", duplicate_rule)
    kinds = _rules(file, addition.name, body, "record_types", new_record_type)
    return replace(addition, fields=found, validation_rules=rules, duplicate_rules=same, record_types=kinds)


def _rules(
    file: SchemaFile, name: str, body: dict[str, Any], key: str, read: Callable[[Mapping[str, Any]], Named]
) -> tuple[Named, ...]:
    with file.naming(name):
        entries = _tables(body.get(key, []), key)
    found = []
    for number, entry in enumerate(entries, 1):
        with file.naming(name, f"{key} {entry.get('name', number)}"):
            found.append(read(entry))
    with file.naming(name, key):
        _check_names(rule.name for rule in found)
    return tuple(found)


def _without_fields(name: str, body: dict[str, Any]) -> ObjectAddition:
    label = _text(body, "label", _label(name))
    naming = _table(body.get("name_field", {}))
    _check_keys(naming, NAME_FIELD_KEYS)
    auto_number = naming.get("auto_number", False)
    if not isinstance(auto_number, bool):
        raise TypeError(f"auto_number must be true or false, not {auto_number!r}")
    plural = _text(body, "label_plural", f"{label}s")
    return ObjectAddition(name, label, plural, _text(naming, "label", f"{label} Name"), auto_number, ())


def _field(file: SchemaFile, object_name: str, number: int, entry: dict[str, Any]) -> FieldSchema:
    name = entry.get("name")
    with file.naming(object_name, name if isinstance(name, str) else f"field {number}"):
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise ValueError("name must be that of a custom field, as in Amount__c")
        known = _standard(object_name)
        if known is not None and name.lower() in known.by_name:
            raise ValueError(f"{known.name} of a fresh org already has this field")
        _check_keys(entry, FIELD_KEYS)
        if entry.get("type") not in FIELD_TYPES:
            raise ValueError(f"type must be one of {', '.join(FIELD_TYPES)}, not {entry.get('type')!r}")
        return new_field({"label": _label(name)} | {key: _plain(value) for key, value in entry.items()})


def _standard(name: str) -> ObjectSchema | None:
    return next((schema for schema in STANDARD if schema.name.lower() == name.lower()), None)


def _label(name: str) -> str:
    return name.removesuffix("__c").replace("_", " ")


def _plain(value: Any) -> Any:
    """Writes TOML's dates and times as the API does."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
    return value.isoformat() if isinstance(value, date | time) else value


def _check_keys(body: dict[str, Any], allowed: tuple[str, ...]) -> None:
    for key in body:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            meant = f" (is {near[0]} meant?)" if near else ""
            raise ValueError(f"there is no key {key!r} here{meant}; there are {', '.join(allowed)}")


def _check_names(names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise ValueError(f"{name} is there twice; letter case does not tell names apart")
        seen.add(name.lower())


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise TypeError(f"a table is needed, not {value!r}")
    return value


def _tables(value: Any, key: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise TypeError(f"{key} must be a list of tables, not {value!r}")
    return [_table(entry) for entry in value]


def _text(body: dict[str, Any], key: str, usual: str) -> str:
    value = body.get(key, usual)
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{key} must be a text, not {value!r}")
    return value
