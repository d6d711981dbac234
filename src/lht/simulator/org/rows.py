"""Single rows of an object's table, read and written inside a caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org import ids
from lht.simulator.org.catalog import columns
from lht.simulator.store.database import LOG_TABLE
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lht.simulator.org.derive import Row
    from lht.simulator.org.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.values import Stored
    from lht.simulator.store.database import Connection

FIRST_NUMBER = 1_000
COUNTERS = "_counters"
MANY = "(SELECT unnest(CAST(? AS VARCHAR[])))"
"""The values of a bound list, which DuckDB hashes instead of searching it once for each row."""


def stored_names(schema: ObjectSchema) -> frozenset[str]:
    """Gives the names of all stored fields, hidden ones too."""
    return frozenset(name for name, _ in columns(schema))


def next_number(connection: Connection, schema: ObjectSchema) -> int:
    """Counts one record more of this object; numbers are never used again, not even those of purged records."""
    sql = f"UPDATE {COUNTERS} SET used = used + 1 WHERE object = ? RETURNING used"
    found = connection.execute(sql, [schema.name]).fetchone()
    if found is None:
        connection.execute(f"INSERT INTO {COUNTERS} VALUES (?, 1)", [schema.name])
        return 1
    return int(found[0])


def find(connection: Connection, schema: ObjectSchema, record_id: str) -> Row | None:
    """Gives the stored fields of a record that the user may see, deleted or not."""
    names = [name for name, _ in columns(schema)]
    wanted = ", ".join(map(quoted, names))
    sql = f'SELECT {wanted} FROM {quoted(schema.name)} WHERE "Id" = ? AND _hidden IS NOT TRUE'
    found = connection.execute(sql, [record_id]).fetchone()
    return None if found is None else dict(zip(names, found, strict=True))


def fate(connection: Connection, schema: ObjectSchema, record_id: str) -> bool | None:
    """Tells of a record that the user may see whether it is deleted; None if there is none."""
    deleted = '"IsDeleted" IS TRUE' if "IsDeleted" in stored_names(schema) else "false"
    sql = f'SELECT {deleted} FROM {quoted(schema.name)} WHERE "Id" = ? AND _hidden IS NOT TRUE'
    found = connection.execute(sql, [record_id]).fetchone()
    return None if found is None else bool(found[0])


def insert(
    connection: Connection, schema: ObjectSchema, row: Mapping[str, Stored], number: int | None = None
) -> str:
    """Adds a row under the next id, or the one that was reserved for it; gives the id."""
    number = next_number(connection, schema) if number is None else number
    record_id = ids.make_id(str(schema.key_prefix), number)
    full = {**_numbered(schema, number, record_id), **row, "Id": record_id, "_seq": number}
    names, marks = ", ".join(map(quoted, full)), ", ".join("?" * len(full))
    connection.execute(f"INSERT INTO {quoted(schema.name)} ({names}) VALUES ({marks})", list(full.values()))
    return record_id


def _auto_number(schema: ObjectSchema, field: FieldSchema, number: int) -> str:
    """Standard numbers, as of cases, are digits alone and begin above a thousand."""
    return (
        f"{field.label[:1].upper()}-{number:07d}"
        if field.custom or schema.custom
        else f"{FIRST_NUMBER + number:08d}"
    )


def _numbered(schema: ObjectSchema, number: int, record_id: str) -> Row:
    """Auto numbers; and the name of a custom object's record, which is its id until somebody names it."""
    found: Row = {
        field.name: _auto_number(schema, field, number) for field in schema.fields if field.auto_number
    }
    return ({"Name": record_id} if schema.custom and schema.find("Name") else {}) | found


def update(connection: Connection, schema: ObjectSchema, record_id: str, row: Mapping[str, Stored]) -> None:
    """Writes some fields of one row."""
    changes = ", ".join(f"{quoted(name)} = ?" for name in row)
    sql = f'UPDATE {quoted(schema.name)} SET {changes} WHERE "Id" = ?'
    connection.execute(sql, [*row.values(), record_id])


def holder(connection: Connection, schema: ObjectSchema, field: FieldSchema, value: Stored) -> list[str]:
    """Gives the ids of the records, not deleted, that hold a value of a field; letter case counts where it must."""
    name, mark = quoted(field.name), "?"
    if isinstance(value, str) and not field.case_sensitive and field.type not in {"id", "reference"}:
        name, mark = f"lower({name})", "lower(?)"
    alive = ' AND "IsDeleted" IS NOT TRUE' if "IsDeleted" in stored_names(schema) else ""
    sql = f'SELECT "Id" FROM {quoted(schema.name)} WHERE {name} = {mark}{alive}'
    return [str(row[0]) for row in connection.execute(sql, [value]).fetchall()]


def children(
    connection: Connection,
    schema: ObjectSchema,
    field: FieldSchema,
    parents: Sequence[str],
    *,
    deleted: bool,
) -> list[str]:
    """Gives the ids of the records that refer to any of the parents, the live or the deleted ones."""
    sql = f'SELECT "Id" FROM {quoted(schema.name)} WHERE {quoted(field.name)} IN {MANY}'
    if "IsDeleted" in stored_names(schema):
        sql += ' AND "IsDeleted" IS TRUE' if deleted else ' AND "IsDeleted" IS NOT TRUE'
    return [str(row[0]) for row in connection.execute(sql, [list(parents)]).fetchall()]


def mark_deleted(
    connection: Connection,
    schema: ObjectSchema,
    record_ids: Sequence[str],
    now: datetime,
    *,
    deleted: bool,
) -> None:
    """Puts rows into the recycle bin or takes them out; their SystemModstamp moves, nothing else does."""
    stamp = ', "SystemModstamp" = ?' if "SystemModstamp" in stored_names(schema) else ""
    sql = f'UPDATE {quoted(schema.name)} SET "IsDeleted" = ?{stamp} WHERE "Id" IN {MANY}'
    connection.execute(sql, [deleted, *([now] if stamp else []), list(record_ids)])


def erase(connection: Connection, schema: ObjectSchema, record_ids: Sequence[str]) -> None:
    """Removes rows for good."""
    connection.execute(f'DELETE FROM {quoted(schema.name)} WHERE "Id" IN {MANY}', [list(record_ids)])


def log_deleted(
    connection: Connection, schema: ObjectSchema, record_ids: Sequence[str], now: datetime
) -> None:
    """Notes for getDeleted what was deleted when."""
    sql = f"INSERT INTO {LOG_TABLE} SELECT ?, unnest(CAST(? AS VARCHAR[])), ?"
    connection.execute(sql, [schema.name, list(record_ids), now])


def unlog_deleted(connection: Connection, schema: ObjectSchema, record_ids: Sequence[str]) -> None:
    """Forgets the deletion of records that are back."""
    connection.execute(
        f"DELETE FROM {LOG_TABLE} WHERE object = ? AND id IN {MANY}", [schema.name, list(record_ids)]
    )


def deleted_at(connection: Connection, schema: ObjectSchema, record_id: str) -> datetime | None:
    """Tells when a record was deleted, if it was."""
    sql = f"SELECT max(deleted_at) FROM {LOG_TABLE} WHERE object = ? AND id = ?"
    found = connection.execute(sql, [schema.name, record_id]).fetchone()
    return None if found is None else found[0]


def never_deleted(connection: Connection, schema: ObjectSchema, record_ids: Sequence[str]) -> list[str]:
    """Gives those of the records whose deletion nobody noted."""
    sql = f"SELECT id FROM (SELECT unnest(CAST(? AS VARCHAR[])) AS id) WHERE id NOT IN (SELECT id FROM {LOG_TABLE} WHERE object = ?)"
    return [str(row[0]) for row in connection.execute(sql, [list(record_ids), schema.name]).fetchall()]


def deleted_together(
    connection: Connection, schema: ObjectSchema, record_ids: Sequence[str], moment: datetime
) -> list[str]:
    """Gives those of the records that were deleted at that moment."""
    sql = f"SELECT id FROM {LOG_TABLE} WHERE object = ? AND deleted_at = ? AND id IN {MANY}"
    return [
        str(row[0]) for row in connection.execute(sql, [schema.name, moment, list(record_ids)]).fetchall()
    ]
