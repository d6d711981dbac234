"""What a record's end means for those that refer to it: they go too, keep it from going, or lose their lookup."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lht.simulator.org.writes import rows
from lht.simulator.org.writes.rows import COUNTERS, MANY
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.store.database import Connection

TABLE = "_cleared"
"""Lookups that were cleared because their parent was deleted: an undelete gives them back."""


class Tie(NamedTuple):
    """A record that refers to another by a field."""

    child: ObjectSchema
    field: FieldSchema
    id: str
    parent: str


def make_table(connection: Connection) -> None:
    """Makes the list of cleared lookups, unless it is there."""
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {TABLE} (object VARCHAR, field VARCHAR, id VARCHAR, parent VARCHAR)"
    )


def ties(
    connection: Connection,
    catalog: Catalog,
    schema: ObjectSchema,
    record_ids: Sequence[str],
    *,
    deleted: bool = False,
) -> list[Tie]:
    """Gives the live, or the deleted, records that refer to any of these, by one query over all their tables."""
    relations = list(_relations(connection, catalog, schema)) if record_ids else []
    if not relations:
        return []
    given: object = record_ids[0] if len(record_ids) == 1 else list(record_ids)
    match = "= ?" if len(record_ids) == 1 else f"IN {MANY}"
    parts = [
        f'SELECT {place}, "Id", {quoted(field.name)} FROM {quoted(child.name)} '
        f"WHERE {quoted(field.name)} {match}{rows.state(child, deleted=deleted)}"
        for place, (child, field) in enumerate(relations)
    ]
    found = connection.execute(" UNION ALL ".join(parts), [given] * len(parts)).fetchall()
    return [
        Tie(relations[place][0], relations[place][1], record_id, parent)
        for place, record_id, parent in sorted(found)
    ]


def _relations(
    connection: Connection, catalog: Catalog, schema: ObjectSchema
) -> Iterator[tuple[ObjectSchema, FieldSchema]]:
    """The references at an object that matter when its records go; tables that never held a row are left out."""
    used = {name for (name,) in connection.execute(f"SELECT object FROM {COUNTERS}").fetchall()}
    for child, field in catalog.children(schema):
        matters = field.child_cascade or field.child_restricted or is_lookup(field)
        if matters and field.has_column and child.name in used:
            yield child, field


def is_lookup(field: FieldSchema) -> bool:
    """Whether a reference is cleared when its parent goes; the trace of a merge is not."""
    shares_fate = field.child_cascade or field.child_restricted
    return field.nillable and not shares_fate and field.name != "MasterRecordId"


def clear(connection: Connection, found: Iterable[Tie], now: datetime) -> None:
    """Empties the lookups of those that stay; that is the platform's doing, so only their SystemModstamp moves."""
    lookups = [tie for tie in found if is_lookup(tie.field)]
    for child, field, held in by_field(lookups):
        name, (chosen, given) = quoted(field.name), rows.among(child, held)
        connection.execute(
            f'INSERT INTO {TABLE} SELECT ?, ?, "Id", {name} FROM {quoted(child.name)} WHERE {chosen}',
            [child.name, field.name, *given],
        )
        sql = f"UPDATE {quoted(child.name)} SET {name} = NULL{_stamp(child)} WHERE {chosen}"
        connection.execute(sql, [*_moment(child, now), *given])


def by_field(found: Iterable[Tie]) -> list[tuple[ObjectSchema, FieldSchema, list[str]]]:
    """Gathers the records that refer to others by the same field."""
    gathered: dict[tuple[str, str], tuple[ObjectSchema, FieldSchema, list[str]]] = {}
    for tie in found:
        gathered.setdefault((tie.child.name, tie.field.name), (tie.child, tie.field, []))[2].append(tie.id)
    return list(gathered.values())


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
