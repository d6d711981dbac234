"""Changes of an org's shape: fields added, dropped, hidden, altered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org.rules.rules import check_dependents
from lht.simulator.org.schemas.catalog import Catalog, with_field, without_field
from lht.simulator.org.schemas.facts import checked_field
from lht.simulator.store import ddl
from lht.simulator.store.database import ShapeChanged

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.store.database import Database

NUMBERS = frozenset({"DOUBLE", "BIGINT"})


class FieldAdmin:
    """Changes tables and catalogue together, in one transaction."""

    def __init__(self, db: Database, catalog: Catalog, clock: Clock) -> None:
        self._db = db
        self._catalog = catalog
        self._clock = clock

    def add(self, object_name: str, field: FieldSchema) -> None:
        """Adds a field; records that are there get its default, if it has one."""
        schema = self._catalog.need(object_name)
        if any(known.name.lower() == field.name.lower() for known in schema.fields):
            raise ApiFault(
                400, "DUPLICATE_DEVELOPER_NAME", f"There is already a field {field.name}", (field.name,)
            )
        field = self._checked(schema, field)
        if field.type == "boolean" and field.default_value is None:
            field = replace(field, default_value=False, nillable=False, defaulted_on_create=True)
        self.change(schema, with_field(schema, field), add_statements(schema, field))

    def drop(self, object_name: str, name: str) -> None:
        """Drops a field with its values; those that the org itself relies on stay.

        Where a field of one's own held a value, SystemModstamp moves, and no other stamp.
        """
        schema = self._catalog.need(object_name)
        field = _any_field(schema, name)
        if not field.custom and not field.nillable:
            raise ApiFault(
                400, "CANNOT_DELETE_MANAGED_OBJECT", f"{field.name} is a field that every record needs"
            )
        statements = [ddl.drop_column(schema.name, field.name)] if field.has_column else []
        if field.custom and statements and _is_stamped(schema):
            table, column = ddl.quoted(schema.name), ddl.quoted(field.name)
            statements.insert(
                0, f"UPDATE {table} SET {_stamp(self._clock.stamp())} WHERE {column} IS NOT NULL"
            )
        self.change(schema, self._kept_by_rules(without_field(schema, field.name)), statements)

    def hide(self, object_name: str, name: str, *, hidden: bool = True) -> None:
        """Hides a field from the user, or shows it again; its values stay."""
        schema = self._catalog.need(object_name)
        field = _any_field(schema, name)
        _check_not_id(field)
        self.change(schema, with_field(schema, replace(field, hidden=hidden)), [])

    def rename_value(self, object_name: str, name: str, old: str, new: str) -> None:
        """Gives an entry of a picklist another value, in the records too.

        That is the platform's doing: of the stamps of those records only SystemModstamp moves.
        """
        schema = self._catalog.need(object_name)
        field = _any_field(schema, name)
        known = {entry.value.lower() for entry in field.picklist}
        if old.lower() not in known or not new.strip():
            raise ValueError(f"{field.name} has no value {old!r} to be renamed")
        if new.lower() in known - {old.lower()}:
            raise ValueError(f"{field.name} has a value {new!r} already")
        picklist = tuple(
            replace(entry, value=new, label=new) if entry.value.lower() == old.lower() else entry
            for entry in field.picklist
        )
        usual = field.default_value
        if isinstance(usual, str) and usual.lower() == old.lower():
            usual = new
        self.change(
            schema,
            with_field(schema, replace(field, picklist=picklist, default_value=usual)),
            [_renamed(schema, field, (old, new), self._clock.stamp())],
        )

    def alter(self, object_name: str, field: FieldSchema) -> None:
        """Puts another definition in the place of the field of that name; stored values are converted.

        What cannot be converted becomes null, what is too long is cut.
        """
        schema = self._catalog.need(object_name)
        old = _any_field(schema, field.name)
        _check_not_id(old)
        field = self._checked(schema, replace(field, name=old.name))
        new = self._kept_by_rules(with_field(schema, field))
        self.change(schema, new, _altered(schema, old, field))

    def _kept_by_rules(self, new: ObjectSchema) -> ObjectSchema:
        check_dependents(self._catalog, new)
        return new

    def _checked(self, schema: ObjectSchema, field: FieldSchema) -> FieldSchema:
        """Refuses a field that makes no sense, before anything is changed; so is a formula that cannot be computed."""
        field = checked_field(self._catalog, schema, field)
        if field.formula is not None:
            self._db.check(f"SELECT ({field.formula}) FROM {ddl.quoted(schema.name)}")
        return field

    def change(self, old: ObjectSchema, new: ObjectSchema, statements: Sequence[str] = ()) -> None:
        """Puts an object in the place of what it was. Changes tables first; until they have, everybody works with the object as it was."""
        with self._db.transaction() as connection:
            if self._catalog.object(new.name) is not old:
                raise ShapeChanged(f"another change of {new.name} came first")
            for statement in statements:
                connection.execute(statement)
            self._catalog.save(connection, new)
        self._catalog.put(new)


def _any_field(schema: ObjectSchema, name: str) -> FieldSchema:
    found = next((field for field in schema.fields if field.name.lower() == name.lower()), None)
    if found is None:
        raise ApiFault(404, "NOT_FOUND", f"No field {name} on {schema.name}")
    return found


def _check_not_id(field: FieldSchema) -> None:
    if field.name == "Id":
        raise ApiFault(400, "INVALID_INPUT", "Id is a field that every record needs as it is")


def _renamed(schema: ObjectSchema, field: FieldSchema, values: tuple[str, str], now: datetime) -> str:
    """Writes what renames a picklist's entry in every record, a list of entries included."""
    name, old, new = ddl.quoted(field.name), ddl.literal(values[0].lower()), ddl.literal(values[1])
    one = f"CASE WHEN lower(x) = {old} THEN {new} ELSE x END"
    value = f"array_to_string(list_transform(string_split({name}, ';'), lambda x: {one}), ';')"
    stamp = f", {_stamp(now)}" if _is_stamped(schema) else ""
    holds = f"list_contains(string_split(lower({name}), ';'), {old})"
    return f"UPDATE {ddl.quoted(schema.name)} SET {name} = {value}{stamp} WHERE {holds}"


def _is_stamped(schema: ObjectSchema) -> bool:
    return any(known.name == "SystemModstamp" for known in schema.fields)


def _stamp(now: datetime) -> str:
    return f"\"SystemModstamp\" = TIMESTAMP '{now.isoformat(sep=' ')}'"


def add_statements(schema: ObjectSchema, field: FieldSchema) -> list[str]:
    """Writes what adds a field's column to a table, filled with its default."""
    if not field.has_column:
        return []
    statements = [ddl.add_column(schema.name, field.name, field.type)]
    if field.default_value is not None:
        statements.append(fill_statement(schema, field))
    return statements


def fill_statement(schema: ObjectSchema, field: FieldSchema) -> str:
    """Writes what gives every record the default of a field."""
    value = ddl.literal(str(field.default_value))
    cast = f"CAST({value} AS {ddl.column_type(field.type)})"
    return f"UPDATE {ddl.quoted(schema.name)} SET {ddl.quoted(field.name)} = {cast}"


def _altered(schema: ObjectSchema, old: FieldSchema, new: FieldSchema) -> list[str]:
    if not old.has_column:
        return add_statements(schema, new)
    if not new.has_column:
        return [ddl.drop_column(schema.name, old.name)]
    return [ddl.alter_type(schema.name, old.name, new.type, _converted(old, new))]


def _converted(old: FieldSchema, new: FieldSchema) -> str:
    """Writes the expression that makes the new kind of value from the stored one."""
    name, before, after = ddl.quoted(old.name), ddl.column_type(old.type), ddl.column_type(new.type)
    if after == "VARCHAR":
        text = f"{name} " if before == "VARCHAR" else _as_text(name, before)
        return f"nullif(left({text}, {new.length or 131_072:d}), '')"
    if after == "DOUBLE":
        return f"round(TRY_CAST({name} AS DOUBLE), {new.scale:d})"
    if after == "BIGINT" and before == "VARCHAR":
        return f"TRY_CAST(round(TRY_CAST({name} AS DOUBLE)) AS BIGINT)"
    if after == "BOOLEAN":
        return f"coalesce(TRY_CAST({name} AS BOOLEAN), false)"
    comparable = before == after or "VARCHAR" in {before, after} or {before, after} <= NUMBERS
    dated = {before, after} == {"DATE", "TIMESTAMP"}
    return f"TRY_CAST({name} AS {after})" if comparable or dated else f"CAST(NULL AS {after})"


def _as_text(name: str, before: str) -> str:
    """A whole double loses its `.0`; a stamp is written as the API writes it."""
    if before == "DOUBLE":
        return f"regexp_replace(CAST({name} AS VARCHAR), '\\.0$', '')"
    if before == "TIMESTAMP":
        return f"strftime({name}, '%Y-%m-%dT%H:%M:%S.000Z')"
    return f"CAST({name} AS VARCHAR)"
