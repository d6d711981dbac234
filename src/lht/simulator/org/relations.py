"""What a record's end means for those that refer to it: they go too, keep it from going, or lose their lookup."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lht.simulator.errors import ApiFault
from lht.simulator.org import rows
from lht.simulator.org.rows import COUNTERS, MANY
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


class Referrers(NamedTuple):
    """The records that refer to others by one field."""

    child: ObjectSchema
    field: FieldSchema
    ids: list[str]


class Member(NamedTuple):
    """Records of one object that go together, with the live ones that refer to them."""

    schema: ObjectSchema
    ids: list[str]
    referrers: list[Referrers]


def make_table(connection: Connection) -> None:
    """Makes the list of cleared lookups, unless it is there."""
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {TABLE} (object VARCHAR, field VARCHAR, id VARCHAR, parent VARCHAR)"
    )


def referrers(
    connection: Connection,
    catalog: Catalog,
    schema: ObjectSchema,
    record_ids: Sequence[str],
    *,
    deleted: bool = False,
) -> list[Referrers]:
    """Gives the live, or the deleted, records that refer to any of these, by one query over all their tables."""
    relations = list(_relations(connection, catalog, schema)) if record_ids else []
    if not relations:
        return []
    given: object = record_ids[0] if len(record_ids) == 1 else list(record_ids)
    match = "= ?" if len(record_ids) == 1 else f"IN {MANY}"
    parts = [
        f'SELECT {place}, "Id" FROM {quoted(child.name)} WHERE {quoted(field.name)} {match}{_state(child, deleted=deleted)}'
        for place, (child, field) in enumerate(relations)
    ]
    found: dict[int, list[str]] = {}
    for place, record_id in connection.execute(" UNION ALL ".join(parts), [given] * len(parts)).fetchall():
        found.setdefault(place, []).append(record_id)
    return [Referrers(*relations[place], record_ids) for place, record_ids in sorted(found.items())]


def _relations(
    connection: Connection, catalog: Catalog, schema: ObjectSchema
) -> Iterator[tuple[ObjectSchema, FieldSchema]]:
    """The references at an object that matter when its records go; tables that never held a row are left out."""
    used = {name for (name,) in connection.execute(f"SELECT object FROM {COUNTERS}").fetchall()}
    for child, field in catalog.children(schema):
        matters = field.child_cascade or field.child_restricted or _is_lookup(field)
        if matters and field.has_column and child.name in used:
            yield child, field


def _is_lookup(field: FieldSchema) -> bool:
    """Whether a reference is cleared when its parent goes; the trace of a merge is not."""
    shares_fate = field.child_cascade or field.child_restricted
    return field.nillable and not shares_fate and field.name != "MasterRecordId"


def _state(schema: ObjectSchema, *, deleted: bool) -> str:
    if "IsDeleted" not in rows.stored_names(schema):
        return ""
    return ' AND "IsDeleted" IS TRUE' if deleted else ' AND "IsDeleted" IS NOT TRUE'


def family(
    connection: Connection, catalog: Catalog, schema: ObjectSchema, record_ids: Sequence[str]
) -> list[Member]:
    """Gives records and all that goes with them, children first, each once."""
    seen: set[str] = set()

    def gather(schema: ObjectSchema, record_ids: Sequence[str]) -> Iterator[Member]:
        fresh = [record_id for record_id in dict.fromkeys(record_ids) if record_id not in seen]
        seen.update(fresh)
        found = referrers(connection, catalog, schema, fresh)
        for child, field, kids in found:
            if field.child_cascade:
                yield from gather(child, kids)
        if fresh:
            yield Member(schema, fresh, found)

    return list(gather(schema, record_ids))


def check_free(connection: Connection, doomed: list[Member]) -> None:
    """Refuses the end of records that others, who do not go with them, must not lose."""
    going = {record_id for member in doomed for record_id in member.ids}
    for member in doomed:
        for child, field, held in member.referrers:
            kept = [record_id for record_id in held if record_id not in going]
            if kept and field.child_restricted:
                raise _held(connection, member.schema, member.ids, child, kept)


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


def clear(connection: Connection, found: list[Referrers], going: set[str], now: datetime) -> None:
    """Empties the lookups of those that stay; that is the platform's doing, so only their SystemModstamp moves."""
    for child, field, ids in found:
        held = [record_id for record_id in ids if record_id not in going]
        if not held or not _is_lookup(field):
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
