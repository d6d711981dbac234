"""Gives an org what a schema file adds: in its catalogue, in its tables, in the records it already has."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from lht.simulator.org.ids import DIGITS
from lht.simulator.org.rules.record_type_rules import put_record_types, with_record_types
from lht.simulator.org.rules.record_types import record_types
from lht.simulator.org.rules.rules import with_duplicate_rule, with_validation_rule
from lht.simulator.org.schemas.catalog import Catalog, with_field
from lht.simulator.org.schemas.facts import checked_field
from lht.simulator.org.schemas.fields import SYSTEM, audit, is_deleted, owner, record_id, text, viewed
from lht.simulator.org.schemas.fields_admin import add_statements, fill_statement
from lht.simulator.org.schemas.schema import ObjectSchema
from lht.simulator.store import ddl
from lht.simulator.store.database import check_on

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from lht.simulator.org.schemas.schema import FieldSchema
    from lht.simulator.org.schemas.schema_file import ObjectAddition, SchemaFile
    from lht.simulator.store.database import Connection

NAME_LENGTH = 80


def extended(objects: Iterable[ObjectSchema], file: SchemaFile) -> tuple[ObjectSchema, ...]:
    """Gives the objects with what the file adds; an object or field that is already there stays as it is.

    New objects come first, so that references may point at any of them, whatever the order in the file.
    """
    catalog = Catalog(tuple(objects))
    for added in file.objects:
        if catalog.object(added.name) is None:
            catalog.put(_new_object(added, _free_prefix(catalog)))
    for added in file.objects:
        for field in added.fields:
            schema = catalog.need(added.name)
            if field.name.lower() not in _names(schema):
                with file.naming(added.name, field.name):
                    catalog.put(with_field(schema, checked_field(catalog, schema, field)))
    for added in file.objects:
        if added.record_types:
            catalog.put(with_record_types(catalog.need(added.name)))
        _add_rules(catalog, added, file)
    return tuple(catalog)


def _add_rules(catalog: Catalog, added: ObjectAddition, file: SchemaFile) -> None:
    """Adds the rules whose names the object lacks; they may speak of every field of the file."""
    for rule in added.validation_rules:
        schema = catalog.need(added.name)
        if rule.name not in {known.name for known in schema.validation_rules}:
            with file.naming(added.name, f"validation_rules {rule.name}"):
                catalog.put(with_validation_rule(catalog, schema, rule))
    for same in added.duplicate_rules:
        schema = catalog.need(added.name)
        if same.name not in {known.name for known in schema.duplicate_rules}:
            with file.naming(added.name, f"duplicate_rules {same.name}"):
                catalog.put(with_duplicate_rule(schema, same))


def extend(connection: Connection, file: SchemaFile, old: Catalog, objects: tuple[ObjectSchema, ...]) -> None:
    """Gives the tables of an org what its objects are to have, in the caller's transaction."""
    for schema in objects:
        known = old.object(schema.name)
        if known is None:
            connection.execute(ddl.create_table(schema.name, schema.kinds))
        for field in _added(schema, known) if known else ():
            for statement in add_statements(schema, field):
                connection.execute(statement)
    check_formulas(connection, file, objects)
    Catalog(objects).save(connection)


def check_formulas(connection: Connection, file: SchemaFile, objects: Iterable[ObjectSchema]) -> None:
    """Refuses a formula that cannot be computed."""
    named = {added.name: {field.name for field in added.fields} for added in file.objects}
    for schema in objects:
        for field in schema.fields:
            if field.formula is not None and field.name in named.get(schema.name, ()):
                with file.naming(schema.name, field.name, "formula"):
                    check_on(connection, f"SELECT ({field.formula}) FROM {ddl.quoted(schema.name)}")


def fill_defaults(connection: Connection, old: Catalog, objects: Iterable[ObjectSchema]) -> None:
    """Gives the records of a new org the defaults of the fields that the file added."""
    for schema in objects:
        known = old.object(schema.name)
        for field in _added(schema, known) if known else ():
            if field.has_column and field.default_value is not None:
                connection.execute(fill_statement(schema, field))


def add_filed_record_types(connection: Connection, file: SchemaFile, catalog: Catalog, now: datetime) -> None:
    """Gives an org the record types of the file that it lacks."""
    for added in file.objects:
        known = {kind.developer_name.lower() for kind in record_types(connection, catalog, added.name)}
        fresh = [kind for kind in added.record_types if kind.developer_name.lower() not in known]
        put_record_types(connection, catalog, added.name, fresh, now)


def _added(schema: ObjectSchema, known: ObjectSchema) -> Iterator[FieldSchema]:
    names = _names(known)
    return (field for field in schema.fields if field.name.lower() not in names)


def _names(schema: ObjectSchema) -> set[str]:
    """Hidden ones too."""
    return {field.name.lower() for field in schema.fields}


def _new_object(added: ObjectAddition, prefix: str) -> ObjectSchema:
    """The object with the fields that the platform gives to every custom one."""
    fields = (
        record_id("Record ID"), owner(), is_deleted(), _name_field(added), *audit(), *viewed(),
    )  # fmt: skip
    return ObjectSchema(added.name, added.label, added.label_plural, prefix, fields, custom=True)


def _name_field(added: ObjectAddition) -> FieldSchema:
    if not added.auto_number:
        return text(
            "Name", added.name_label, NAME_LENGTH, name_field=True, id_lookup=True, permissionable=False
        )
    return text(
        "Name", added.name_label, NAME_LENGTH, SYSTEM, name_field=True, id_lookup=True, auto_number=True, nillable=False,
        defaulted_on_create=True,
    )  # fmt: skip


def _free_prefix(catalog: Catalog) -> str:
    taken = {schema.key_prefix for schema in catalog}
    return next(prefix for pair in product(DIGITS, DIGITS) if (prefix := "a" + "".join(pair)) not in taken)
