"""Which objects and fields the org has now: the fresh ones, as changed since, kept with the rows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import not_found
from lht.simulator.org.objects import STANDARD
from lht.simulator.org.schemas.schema import (
    DuplicateRule,
    FieldSchema,
    ObjectSchema,
    PicklistValue,
    ValidationRule,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.simulator.store.database import Connection, Database

TABLE = "_catalog"


class Catalog:
    """The objects by name. Readers always see a whole object: changes replace it, they never alter it."""

    def __init__(self, objects: tuple[ObjectSchema, ...] = STANDARD) -> None:
        self.restore(objects)

    def __iter__(self) -> Iterator[ObjectSchema]:
        return iter(sorted(self._objects.values(), key=lambda schema: schema.name))

    def object(self, name: str) -> ObjectSchema | None:
        """Gives the object of that name in any letter case."""
        return self._objects.get(name.lower())

    def need(self, name: str) -> ObjectSchema:
        """Gives the object, or answers as the REST resources do when there is none."""
        found = self.object(name)
        if found is None:
            raise not_found()
        return found

    def by_prefix(self, record_id: str) -> ObjectSchema | None:
        """Gives the object that an id belongs to."""
        prefix = record_id[:3]
        known = self._objects.values()
        return next((schema for schema in list(known) if schema.key_prefix == prefix), None)

    def restore(self, objects: tuple[ObjectSchema, ...]) -> None:
        """Knows those objects and no others."""
        self._objects = {schema.name.lower(): schema for schema in objects}
        self._references: dict[str, list[tuple[ObjectSchema, FieldSchema]]] | None = None

    def put(self, schema: ObjectSchema) -> None:
        """Adds an object, or puts it in the place of the one of that name."""
        self._objects[schema.name.lower()] = schema
        self._references = None

    def children(self, parent: ObjectSchema) -> Iterator[tuple[ObjectSchema, FieldSchema]]:
        """Gives the references that point at an object, hidden ones too, by object that holds them and name."""
        known = self._references
        if known is None:
            known = self._references = self._gathered()
        yield from known.get(parent.name, ())

    def _gathered(self) -> dict[str, list[tuple[ObjectSchema, FieldSchema]]]:
        found: dict[str, list[tuple[ObjectSchema, FieldSchema]]] = {}
        for schema in self:
            for field in sorted(schema.fields, key=lambda held: held.name):
                for name in dict.fromkeys(field.reference_to):
                    found.setdefault(name, []).append((schema, field))
        return found

    def save(self, connection: Connection, changed: ObjectSchema | None = None) -> None:
        """Writes the objects beside the rows, in the caller's transaction, one of them as it is about to be."""
        known = {schema.name: schema.written for schema in self}
        if changed and changed.name in known:
            known[changed.name] = changed.written
        connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (name VARCHAR, body VARCHAR)")
        connection.execute(f"DELETE FROM {TABLE}")
        rows = "unnest(CAST(? AS VARCHAR[])), unnest(CAST(? AS VARCHAR[]))"
        connection.execute(f"INSERT INTO {TABLE} SELECT {rows}", [list(known), list(known.values())])

    @classmethod
    def load(cls, db: Database) -> Catalog | None:
        """Reads the objects that an earlier run saved; None in a new database."""
        if not db.count("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [TABLE]):
            return None
        return cls(tuple(_object(json.loads(str(body))) for (body,) in db.rows(f"SELECT body FROM {TABLE}")))


def with_field(schema: ObjectSchema, field: FieldSchema) -> ObjectSchema:
    """Gives the object with that field added, or in the place of the one of that name."""
    names = [known.name for known in schema.fields]
    if field.name not in names:
        return replace(schema, fields=(*schema.fields, field))
    return replace(
        schema, fields=tuple(field if known.name == field.name else known for known in schema.fields)
    )


def without_field(schema: ObjectSchema, name: str) -> ObjectSchema:
    """Gives the object without that field."""
    return replace(schema, fields=tuple(known for known in schema.fields if known.name != name))


def _object(body: dict[str, Any]) -> ObjectSchema:
    plain = body | {"fields": tuple(field_from(field) for field in body["fields"])}
    plain["scopes"] = tuple(body.get("scopes", ()))
    plain["validation_rules"] = tuple(ValidationRule(**rule) for rule in body.get("validation_rules", ()))
    plain["duplicate_rules"] = tuple(
        DuplicateRule(**(rule | {"fields": tuple(rule["fields"])}))
        for rule in body.get("duplicate_rules", ())
    )
    return ObjectSchema(**plain)


def field_from(body: dict[str, Any]) -> FieldSchema:
    """Makes a field from plain values, such as the admin endpoint gets; raises TypeError on unknown keys."""
    picklist = tuple(_entry(entry) for entry in body.get("picklist", ()))
    references = tuple(body.get("reference_to", ()))
    saved = tuple((key, value) for key, value in body.get("saved", ()))
    return FieldSchema(**(body | {"picklist": picklist, "reference_to": references, "saved": saved}))


def _entry(entry: str | dict[str, Any]) -> PicklistValue:
    return PicklistValue(entry, entry) if isinstance(entry, str) else PicklistValue(**entry)
