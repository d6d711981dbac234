"""Single rows of an object's table, read and written inside a caller's transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org import ids
from lht.simulator.store.database import LOG_TABLE
from lht.simulator.store.ddl import column_type, quoted

if TYPE_CHECKING:
    from collections.abc import KeysView, Mapping, Sequence
    from datetime import datetime

    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.writes.values import Stored
    from lht.simulator.store.database import Connection

FIRST_NUMBER = 1_000
COUNTERS = "_counters"
OTHER_IDS = frozenset({"RecordType"})
"""Objects whose records may have ids that this org did not make."""
MANY = "(SELECT unnest(CAST(? AS VARCHAR[])))"
"""The values of a bound list, which DuckDB hashes instead of searching it once for each row."""


def stored_names(schema: ObjectSchema) -> KeysView[str]:
    """Gives the names of all stored fields, hidden ones too."""
    return schema.kinds.keys()


def state(schema: ObjectSchema, *, deleted: bool) -> str:
    """Writes what a condition goes on with to mean the live records alone, or the deleted ones; some objects have no mark."""
    if "IsDeleted" not in stored_names(schema):
        return ""
    return ' AND "IsDeleted" IS TRUE' if deleted else ' AND "IsDeleted" IS NOT TRUE'


def among(schema: ObjectSchema, record_ids: Sequence[str]) -> tuple[str, list[object]]:
    """Writes the condition that a row is one of these, with what it binds.

    An id tells the row's number, and numbers are found much sooner: they are short, and rows lie in their order.
    """
    if schema.name in OTHER_IDS:
        return f'"Id" IN {MANY}', [list(record_ids)]
    found = (ids.number_of(str(schema.key_prefix), record_id) for record_id in record_ids)
    numbers = [number for number in found if number is not None]
    if len(numbers) == 1:
        return "_seq = ?", [numbers[0]]
    return "_seq IN (SELECT unnest(CAST(? AS BIGINT[])))", [numbers]


def used_numbers(connection: Connection) -> dict[str, int]:
    """Tells how many records of each object there have been; numbers are never used again, not even of purged ones."""
    return dict(connection.execute(f"SELECT object, used FROM {COUNTERS}").fetchall())


def note_used(connection: Connection, used: Mapping[str, int], new: Mapping[str, int]) -> None:
    """Writes down how many records there have been of objects that are counted already, and of others."""
    pairs = "SELECT unnest(CAST(? AS VARCHAR[])) AS object, unnest(CAST(? AS BIGINT[])) AS used"
    if used:
        sql = f"UPDATE {COUNTERS} SET used = v.used FROM ({pairs}) v WHERE {COUNTERS}.object = v.object"
        connection.execute(sql, [list(used), list(used.values())])
    if new:
        connection.execute(f"INSERT INTO {COUNTERS} {pairs}", [list(new), list(new.values())])


def next_number(connection: Connection, schema: ObjectSchema) -> int:
    """Counts one record more of this object."""
    sql = f"UPDATE {COUNTERS} SET used = used + 1 WHERE object = ? RETURNING used"
    found = connection.execute(sql, [schema.name]).fetchone()
    if found is None:
        note_used(connection, {}, {schema.name: 1})
        return 1
    return int(found[0])


def find(connection: Connection, schema: ObjectSchema, record_id: str) -> Row | None:
    """Gives the stored fields of a record that the user may see, deleted or not."""
    return find_all(connection, schema, [record_id]).get(record_id)


def find_all(connection: Connection, schema: ObjectSchema, record_ids: Sequence[str]) -> dict[str, Row]:
    """Gives the stored fields of those of the records that there are and the user may see."""
    names, (chosen, given) = list(schema.kinds), among(schema, record_ids)
    wanted = ", ".join(map(quoted, names))
    sql = f"SELECT {wanted} FROM {quoted(schema.name)} WHERE {chosen} AND _hidden IS NOT TRUE"
    found = connection.execute(sql, given).fetchall()
    return {str(row["Id"]): row for values in found if (row := dict(zip(names, values, strict=True)))}


def fates(connection: Connection, schema: ObjectSchema, record_ids: Sequence[str]) -> dict[str, bool]:
    """Tells of those of the records that there are and the user may see whether they are deleted."""
    deleted = '"IsDeleted" IS TRUE' if "IsDeleted" in stored_names(schema) else "false"
    chosen, given = among(schema, record_ids)
    sql = f'SELECT "Id", {deleted} FROM {quoted(schema.name)} WHERE {chosen} AND _hidden IS NOT TRUE'
    return dict(connection.execute(sql, given).fetchall())


def is_hidden(connection: Connection, schema: ObjectSchema, record_id: str) -> bool:
    """Tells whether there is such a record, which the user may not see."""
    sql = f'SELECT count(*) FROM {quoted(schema.name)} WHERE "Id" = ? AND _hidden'
    found = connection.execute(sql, [record_id]).fetchone()
    return bool(found and found[0])


def insert(connection: Connection, schema: ObjectSchema, row: Mapping[str, Stored]) -> str:
    """Adds a row under the next id, which it gives."""
    whole = numbered(schema, row, next_number(connection, schema))
    insert_all(connection, schema, [whole])
    return str(whole["Id"])


def numbered(schema: ObjectSchema, row: Mapping[str, Stored], number: int) -> Row:
    """Gives a new row whole: with its id, the numbers that follow from its own, and flags that nobody set."""
    record_id = ids.make_id(str(schema.key_prefix), number)
    return {**schema.blank, **_numbers(schema, number, record_id), **row, "Id": record_id, "_seq": number}


def insert_all(connection: Connection, schema: ObjectSchema, rows: Sequence[Row]) -> None:
    """Adds whole rows by one statement. Columns in which all are empty stay out of it."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    filled = {name: values for name, values in columns.items() if values.count(None) < len(values)}
    kinds = {**schema.kinds, "_seq": "long"}
    cells = [_cells(kinds[name], values) for name, values in filled.items()]
    sql = f"INSERT INTO {quoted(schema.name)} ({', '.join(map(quoted, filled))}) SELECT {', '.join(c for c, _ in cells)}"
    connection.execute(sql, [given for _, given in cells])


def _cells(kind: str, values: Sequence[Stored]) -> tuple[str, object]:
    """Writes the values of a column, one for each row; a value that all share is bound once."""
    if all(one == values[0] and type(one) is type(values[0]) for one in values):
        return f"CAST(? AS {column_type(kind)})", values[0]
    return f"unnest(CAST(? AS {column_type(kind)}[]))", _alike(values)


def _alike(values: Sequence[Stored]) -> list[object]:
    """A list is bound as values of one kind, so those of several kinds go as text."""
    kinds = {type(one) for one in values if one is not None}
    if len(kinds) == 1:
        return list(values)
    return [None if one is None else str(one) for one in values]


def _auto_number(schema: ObjectSchema, field: FieldSchema, number: int) -> str:
    """Standard numbers, as of cases, are digits alone and begin above a thousand."""
    return (
        f"{field.label[:1].upper()}-{number:07d}"
        if field.custom or schema.custom
        else f"{FIRST_NUMBER + number:08d}"
    )


def _numbers(schema: ObjectSchema, number: int, record_id: str) -> Row:
    """Auto numbers; and the name of a custom object's record, which is its id until somebody names it."""
    found: Row = {field.name: _auto_number(schema, field, number) for field in schema.auto_numbers}
    return ({"Name": record_id} if schema.custom and schema.find("Name") else {}) | found


def update_all(connection: Connection, schema: ObjectSchema, changes: Mapping[str, Row]) -> None:
    """Writes the same fields of several rows, given by their ids, with one statement."""
    record_ids, table = list(changes), quoted(schema.name)
    names = list(changes[record_ids[0]])
    columns = {name: [row[name] for row in changes.values()] for name in names}
    cells = {name: _cells(schema.kinds[name], values) for name, values in columns.items()}
    shared = all(cell.startswith("CAST") for cell, _ in cells.values())
    if shared:
        sets = ", ".join(f"{quoted(name)} = {cell}" for name, (cell, _) in cells.items())
        chosen, given = among(schema, record_ids)
        connection.execute(
            f"UPDATE {table} SET {sets} WHERE {chosen}", [*(v for _, v in cells.values()), *given]
        )
        return
    key, values, kind = _keys(schema, record_ids)
    sets = ", ".join(f"{quoted(name)} = v.{quoted(name)}" for name in names)
    listed = ", ".join(f"{cell} AS {quoted(name)}" for name, (cell, _) in cells.items())
    source = f"(SELECT unnest(CAST(? AS {kind}[])) AS _key, {listed}) v"
    sql = f"UPDATE {table} SET {sets} FROM {source} WHERE {table}.{key} = v._key"
    connection.execute(sql, [values, *(given for _, given in cells.values())])


def _keys(schema: ObjectSchema, record_ids: Sequence[str]) -> tuple[str, list[object], str]:
    """Gives the column that tells rows apart soonest, its values for those records, and its type."""
    if schema.name in OTHER_IDS:
        return '"Id"', list(record_ids), "VARCHAR"
    return "_seq", [ids.number_of(str(schema.key_prefix), record_id) for record_id in record_ids], "BIGINT"


def _folds(field: FieldSchema) -> bool:
    """Whether letter case does not tell the values of a field apart."""
    is_text = column_type(field.type) == "VARCHAR" and field.type not in {"id", "reference"}
    return is_text and not field.case_sensitive


def folded(connection: Connection, field: FieldSchema, values: Sequence[Stored]) -> list[Stored]:
    """Gives, for each value, what all values have in common that are the same to that field."""
    if not _folds(field):
        return list(values)
    sql = "SELECT list_transform(CAST(? AS VARCHAR[]), lambda one: lower(one))"
    found = connection.execute(sql, [list(values)]).fetchone()
    return list(found[0]) if found else []


def holders(
    connection: Connection, schema: ObjectSchema, field: FieldSchema, values: Sequence[Stored]
) -> list[tuple[Stored, str]]:
    """Gives, with the value that was asked for, the ids of the live records that hold one, the oldest first.

    Letter case counts where it must.
    """
    name, kind = quoted(field.name), column_type(field.type)
    held, asked = (f"lower(t.{name})", "lower(v.asked)") if _folds(field) else (f"t.{name}", "v.asked")
    sql = (
        f'SELECT v.asked, t."Id" FROM {quoted(schema.name)} t JOIN (SELECT unnest(CAST(? AS {kind}[])) AS asked) v '
        f"ON {held} = {asked} WHERE true{state(schema, deleted=False)} ORDER BY t._seq"
    )
    return [(asked, str(found)) for asked, found in connection.execute(sql, [list(values)]).fetchall()]


def children(
    connection: Connection,
    schema: ObjectSchema,
    field: FieldSchema,
    parents: Sequence[str],
    *,
    deleted: bool,
) -> list[str]:
    """Gives the ids of the records that refer to any of the parents, the live or the deleted ones."""
    chosen = f"{quoted(field.name)} IN {MANY}{state(schema, deleted=deleted)}"
    sql = f'SELECT "Id" FROM {quoted(schema.name)} WHERE {chosen}'
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
    chosen, given = among(schema, record_ids)
    sql = f'UPDATE {quoted(schema.name)} SET "IsDeleted" = ?{stamp} WHERE {chosen}'
    connection.execute(sql, [deleted, *([now] if stamp else []), *given])


def erase(connection: Connection, schema: ObjectSchema, record_ids: Sequence[str]) -> None:
    """Removes rows for good."""
    chosen, given = among(schema, record_ids)
    connection.execute(f"DELETE FROM {quoted(schema.name)} WHERE {chosen}", given)


def erase_like(
    connection: Connection,
    schema: ObjectSchema,
    held: tuple[str, Sequence[Stored]],
    like: Mapping[str, Stored],
) -> None:
    """Removes for good the rows that hold one of some texts in a field, and are like that."""
    terms = "".join(f" AND {quoted(name)} = ?" for name in like)
    sql = f"DELETE FROM {quoted(schema.name)} WHERE {quoted(held[0])} IN {MANY}{terms}"
    connection.execute(sql, [list(held[1]), *like.values()])


def log_deleted(
    connection: Connection, members: Sequence[tuple[ObjectSchema, Sequence[str]]], now: datetime
) -> None:
    """Notes for getDeleted what was deleted when, of several objects."""
    sql = f"INSERT INTO {LOG_TABLE} SELECT unnest(CAST(? AS VARCHAR[])), unnest(CAST(? AS VARCHAR[])), ?"
    connection.execute(sql, [*listed(members), now])


def listed(members: Sequence[tuple[ObjectSchema, Sequence[str]]]) -> tuple[list[str], list[str]]:
    """Gives the object and the id of each of those records."""
    names = [schema.name for schema, record_ids in members for _ in record_ids]
    return names, [record_id for _, record_ids in members for record_id in record_ids]


def unlog_deleted(connection: Connection, schema: ObjectSchema, record_ids: Sequence[str]) -> None:
    """Forgets the deletion of records that are back."""
    connection.execute(
        f"DELETE FROM {LOG_TABLE} WHERE object = ? AND id IN {MANY}", [schema.name, list(record_ids)]
    )


def deletions(connection: Connection, schema: ObjectSchema, record_ids: Sequence[str]) -> dict[str, datetime]:
    """Tells when those of the records were deleted that were."""
    sql = f"SELECT id, max(deleted_at) FROM {LOG_TABLE} WHERE object = ? AND id IN {MANY} GROUP BY id"
    return dict(connection.execute(sql, [schema.name, list(record_ids)]).fetchall())


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
