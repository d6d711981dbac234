"""The tables of a new org, and the rows that every org has: itself and the user who runs things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org import ids
from lht.simulator.org.first_rows import FIRST_ROWS, USER_ID
from lht.simulator.org.objects.history import STARTS
from lht.simulator.org.rules import access
from lht.simulator.org.schemas.catalog import TABLE, Catalog
from lht.simulator.org.writes import recycle_bin, spellings
from lht.simulator.org.writes.rows import COUNTERS
from lht.simulator.store import ddl
from lht.simulator.store.database import LOG_TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.store.database import Connection, Database

UNFINISHED = "_unfinished"
"""There while the first records are being made."""


def make_tables(connection: Connection, catalog: Catalog) -> None:
    """Makes the tables of all objects, and those that the org keeps for itself."""
    for schema in catalog:
        connection.execute(ddl.create_table(schema.name, schema.kinds))
    connection.execute(f"CREATE TABLE {LOG_TABLE} (object VARCHAR, id VARCHAR, deleted_at TIMESTAMP)")
    connection.execute(f"CREATE TABLE {COUNTERS} (object VARCHAR, used BIGINT)")
    for name, start in STARTS.items():
        connection.execute(f"INSERT INTO {COUNTERS} VALUES (?, ?)", [name, start])
    connection.execute(f"CREATE TABLE {UNFINISHED} (object VARCHAR)")
    make_side_tables(connection)
    catalog.save(connection)


def make_side_tables(connection: Connection) -> None:
    """Makes what an org of an earlier version may lack."""
    recycle_bin.make_tables(connection)
    access.make_table(connection)
    spellings.make_table(connection)


def drop_tables(connection: Connection, catalog: Catalog) -> None:
    """Drops everything that an org keeps."""
    for name in (
        *(schema.name for schema in catalog),
        LOG_TABLE,
        COUNTERS,
        TABLE,
        UNFINISHED,
        *recycle_bin.TABLES,
        spellings.TABLE,
    ):
        connection.execute(ddl.drop_table(name))


def add_first_rows(connection: Connection, catalog: Catalog, now: datetime) -> None:
    """Adds the organization, its first user, and what is there before anybody makes a record."""
    for name, rows in FIRST_ROWS.items():
        schema = catalog.object(name)
        if schema is not None:
            add_rows(connection, schema, rows, now)


def add_rows(
    connection: Connection, schema: ObjectSchema, rows: Sequence[Mapping[str, object]], now: datetime
) -> None:
    """Adds the first rows of an object, numbered from 1, with the stamps and flags that all of them share."""
    names = {field.name: field for field in schema.fields if field.has_column}
    same: dict[str, object] = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), now)
    same |= dict.fromkeys(("CreatedById", "LastModifiedById", "OwnerId"), USER_ID)
    flags = {name: field.default_value for name, field in names.items() if field.type == "boolean"}
    for number, row in enumerate(rows, 1):
        whole = {"Id": ids.make_id(str(schema.key_prefix), number)} | flags | same | dict(row)
        kept = {name: value for name, value in whole.items() if name in names} | {"_seq": number}
        columns, marks = ", ".join(map(ddl.quoted, kept)), ", ".join("?" * len(kept))
        connection.execute(
            f"INSERT INTO {ddl.quoted(schema.name)} ({columns}) VALUES ({marks})", list(kept.values())
        )
    connection.execute(f"INSERT INTO {COUNTERS} VALUES (?, ?)", [schema.name, len(rows)])


def is_new(db: Database) -> bool:
    """Tells whether the database holds no org yet, or one whose making was interrupted."""
    sql = "SELECT table_name FROM duckdb_tables() WHERE table_name IN (?, ?)"
    return [name for (name,) in db.rows(sql, [COUNTERS, UNFINISHED])] != [COUNTERS]


def finish(connection: Connection) -> None:
    """Notes that the org is whole."""
    connection.execute(ddl.drop_table(UNFINISHED))
