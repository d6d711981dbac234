"""The tables of a new org, and the rows that every org has: itself and the user who runs things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org import access, ids, recycle_bin
from lht.simulator.org.catalog import TABLE, Catalog, columns
from lht.simulator.org.rows import COUNTERS
from lht.simulator.store import ddl
from lht.simulator.store.database import LOG_TABLE

if TYPE_CHECKING:
    from datetime import datetime

    from lht.simulator.store.database import Connection, Database

USERNAME = "me@example.com"
USER_ID = ids.make_id("005", 1)
ORG_ID = ids.make_id("00D", 1)
UNFINISHED = "_unfinished"
"""There while the first records are being made."""


def make_tables(connection: Connection, catalog: Catalog) -> None:
    """Makes the tables of all objects, and those that the org keeps for itself."""
    for schema in catalog:
        connection.execute(ddl.create_table(schema.name, columns(schema)))
    connection.execute(f"CREATE TABLE {LOG_TABLE} (object VARCHAR, id VARCHAR, deleted_at TIMESTAMP)")
    connection.execute(f"CREATE TABLE {COUNTERS} (object VARCHAR, used BIGINT)")
    connection.execute(f"CREATE TABLE {UNFINISHED} (object VARCHAR)")
    make_side_tables(connection)
    catalog.save(connection)


def make_side_tables(connection: Connection) -> None:
    """Makes what an org of an earlier version may lack."""
    recycle_bin.make_tables(connection)
    access.make_table(connection)


def drop_tables(connection: Connection, catalog: Catalog) -> None:
    """Drops everything that an org keeps."""
    for name in (
        *(schema.name for schema in catalog),
        LOG_TABLE,
        COUNTERS,
        TABLE,
        UNFINISHED,
        *recycle_bin.TABLES,
    ):
        connection.execute(ddl.drop_table(name))


def add_first_rows(connection: Connection, now: datetime) -> None:
    """Adds the organization and its first user."""
    stamps = {"CreatedDate": now, "LastModifiedDate": now, "SystemModstamp": now}
    people = {"CreatedById": USER_ID, "LastModifiedById": USER_ID}
    settings = {"TimeZoneSidKey": "GMT", "LanguageLocaleKey": "en_US"}
    _add(connection, "Organization", _ORGANIZATION | settings | stamps | people)
    _add(connection, "User", _USER | settings | stamps | people)


def _add(connection: Connection, table: str, row: dict[str, object]) -> None:
    names, marks = ", ".join(map(ddl.quoted, row)), ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {ddl.quoted(table)} ({names}) VALUES ({marks})", list(row.values()))
    connection.execute(f"INSERT INTO {COUNTERS} VALUES (?, 1)", [table])


def is_new(db: Database) -> bool:
    """Tells whether the database holds no org yet, or one whose making was interrupted."""
    sql = "SELECT table_name FROM duckdb_tables() WHERE table_name IN (?, ?)"
    return [name for (name,) in db.rows(sql, [COUNTERS, UNFINISHED])] != [COUNTERS]


def finish(connection: Connection) -> None:
    """Notes that the org is whole."""
    connection.execute(ddl.drop_table(UNFINISHED))


_ORGANIZATION: dict[str, object] = {
    "Id": ORG_ID,
    "Name": "LHT Local Org",
    "City": "Lakeside",
    "Country": "US",
    "DefaultLocaleSidKey": "en_US",
    "FiscalYearStartMonth": 1,
    "OrganizationType": "Developer Edition",
    "InstanceName": "LHT1",
    "IsSandbox": False,
    "_seq": 1,
}

_USER: dict[str, object] = {
    "Id": USER_ID,
    "Username": USERNAME,
    "LastName": "Admin",
    "FirstName": "Mia",
    "Name": "Mia Admin",
    "Email": USERNAME,
    "Alias": "madmin",
    "CommunityNickname": "me",
    "IsActive": True,
    "LocaleSidKey": "en_US",
    "EmailEncodingKey": "UTF-8",
    "UserType": "Standard",
    "NumberOfFailedLogins": 0,
    "_seq": 1,
}
