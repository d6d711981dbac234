"""What a record's end means for those that refer to it: they go too, keep it from going, or lose their lookup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org import rows
from lht.simulator.org.rows import MANY
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from lht.simulator.org.catalog import Catalog
    from lht.simulator.org.schema import FieldSchema, ObjectSchema
    from lht.simulator.store.database import Connection

TABLE = "_cleared"
"""Lookups that were cleared because their parent was deleted: an undelete gives them back."""
MOST_NAMED = 10
Family = list[tuple["ObjectSchema", list[str]]]


def make_table(connection: Connection) -> None:
    """Makes the list of cleared lookups, unless it is there."""
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {TABLE} (object VARCHAR, field VARCHAR, id VARCHAR, parent VARCHAR)"
    )


def members(
    connection: Connection,
    catalog: Catalog,
    schema: ObjectSchema,
    record_ids: Sequence[str],
    *,
    deleted: bool,
) -> Family:
    """Gives the children that share their parents' fate, the live or the deleted ones."""
    if not record_ids:
        return []
    found = [
        (child, rows.children(connection, child, field, record_ids, deleted=deleted))
        for child, field in catalog.children(schema)
        if field.child_cascade and field.has_column
    ]
    return [(child, kids) for child, kids in found if kids]


def family(
    connection: Connection, catalog: Catalog, schema: ObjectSchema, record_ids: Sequence[str]
) -> Family:
    """Gives records and all that goes with them, children first, each once."""
    seen: set[str] = set()

    def gather(schema: ObjectSchema, record_ids: Sequence[str]) -> Iterator[tuple[ObjectSchema, list[str]]]:
        fresh = [record_id for record_id in dict.fromkeys(record_ids) if record_id not in seen]
        seen.update(fresh)
        for child, found in members(connection, catalog, schema, fresh, deleted=False):
            yield from gather(child, found)
        if fresh:
            yield schema, fresh

    return list(gather(schema, record_ids))


def check_free(connection: Connection, catalog: Catalog, doomed: Family) -> None:
    """Refuses the end of records that others, who do not go with them, must not lose."""
    going = {record_id for _, found in doomed for record_id in found}
    for schema, record_ids in doomed:
        for child, field in catalog.children(schema):
            if not (field.child_restricted and field.has_column):
                continue
            held = rows.children(connection, child, field, record_ids, deleted=False)
            if kept := [record_id for record_id in held if record_id not in going]:
                raise _held(connection, schema, record_ids, child, kept)


def _held(
    connection: Connection,
    schema: ObjectSchema,
    record_ids: list[str],
    child: ObjectSchema,
    kept: list[str],
) -> ApiFault:
    name = _names(connection, schema, record_ids[:1])
    by = _names(connection, child, kept[:MOST_NAMED])
    message = (
        f"Your attempt to delete {name} could not be completed because it is associated with the following "
        f"{child.label_plural.lower()}.: {by}\n"
    )
    return ApiFault(400, "DELETE_FAILED", message, ())


def _names(connection: Connection, schema: ObjectSchema, record_ids: list[str]) -> str:
    field = next((f.name for f in schema.fields if f.name_field and f.has_column), "Id")
    sql = f'SELECT coalesce({quoted(field)}, "Id") FROM {quoted(schema.name)} WHERE "Id" IN {MANY} ORDER BY 1'
    return ", ".join(str(row[0]) for row in connection.execute(sql, [record_ids]).fetchall())


def _lookups(catalog: Catalog, schema: ObjectSchema) -> Iterator[tuple[ObjectSchema, FieldSchema]]:
    """The references that are cleared when their parent goes; the trace of a merge is none of them."""
    for child, field in catalog.children(schema):
        clears = field.nillable and not field.child_cascade and not field.child_restricted
        if clears and field.has_column and field.name != "MasterRecordId":
            yield child, field


def clear(
    connection: Connection, catalog: Catalog, schema: ObjectSchema, record_ids: list[str], now: datetime
) -> None:
    """Empties the lookups of live records; that is the platform's doing, so only their SystemModstamp moves."""
    for child, field in _lookups(catalog, schema):
        held = rows.children(connection, child, field, record_ids, deleted=False)
        if not held:
            continue
        name = quoted(field.name)
        connection.execute(
            f'INSERT INTO {TABLE} SELECT ?, ?, "Id", {name} FROM {quoted(child.name)} WHERE "Id" IN {MANY}',
            [child.name, field.name, held],
        )
        sql = f'UPDATE {quoted(child.name)} SET {name} = NULL{_stamp(child)} WHERE "Id" IN {MANY}'
        connection.execute(sql, [*_moment(child, now), held])


def restore(connection: Connection, catalog: Catalog, record_ids: list[str], now: datetime) -> None:
    """Gives the lookups back that are still empty."""
    sql = f"SELECT object, field FROM {TABLE} WHERE parent IN {MANY} GROUP BY ALL"
    for name, field in connection.execute(sql, [record_ids]).fetchall():
        child = catalog.object(name)
        if child is None or field not in rows.stored_names(child):
            continue
        sql = (
            f"UPDATE {quoted(name)} SET {quoted(field)} = c.parent{_stamp(child)} FROM {TABLE} c "
            f'WHERE c.id = {quoted(name)}."Id" AND c.object = ? AND c.field = ? AND c.parent IN {MANY} '
            f"AND {quoted(name)}.{quoted(field)} IS NULL"
        )
        connection.execute(sql, [*_moment(child, now), name, field, record_ids])
    forget(connection, record_ids)


def forget(connection: Connection, record_ids: list[str]) -> None:
    """Gives up the lookups that were cleared for those parents."""
    connection.execute(f"DELETE FROM {TABLE} WHERE parent IN {MANY}", [record_ids])


def unmerge(connection: Connection, schema: ObjectSchema, record_ids: list[str]) -> None:
    """Forgets whom records were merged into."""
    if "MasterRecordId" in rows.stored_names(schema):
        sql = f'UPDATE {quoted(schema.name)} SET "MasterRecordId" = NULL WHERE "Id" IN {MANY} AND "MasterRecordId" IS NOT NULL'
        connection.execute(sql, [record_ids])


def _stamp(schema: ObjectSchema) -> str:
    return ', "SystemModstamp" = ?' if "SystemModstamp" in rows.stored_names(schema) else ""


def _moment(schema: ObjectSchema, now: datetime) -> list[datetime]:
    return [now] if "SystemModstamp" in rows.stored_names(schema) else []
