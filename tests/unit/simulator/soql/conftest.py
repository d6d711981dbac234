"""A small org for SOQL: users, accounts with parents, and a task whose Who is a contact or a lead."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest

from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema, PicklistValue
from lht.simulator.soql.compile import Compiled, compile_query
from lht.simulator.soql.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = datetime(2024, 5, 15, 12, 30, tzinfo=UTC)  # a Wednesday
_ID = FieldSchema("Id", "id", length=18, nillable=False)
_DELETED = FieldSchema("IsDeleted", "boolean", nillable=False)
_STAMP = FieldSchema("SystemModstamp", "datetime", groupable=False)


def _object(name: str, *fields: FieldSchema, **flags: bool) -> ObjectSchema:
    return ObjectSchema(name, name, f"{name}s", None, (_ID, *fields), **flags)


def _lookup(name: str, relationship: str, *targets: str, children: str | None = None) -> FieldSchema:
    return FieldSchema(
        name, "reference", relationship_name=relationship, reference_to=targets, child_relationship=children
    )


COLOURS = (PicklistValue("Red", "Rouge"), PicklistValue("Green", "Vert"), PicklistValue("Blue"))
USER = _object(
    "User",
    FieldSchema("Name", "string", formula='"FirstName" || \' \' || "LastName"'),
    FieldSchema("FirstName", "string"),
    FieldSchema("LastName", "string"),
    FieldSchema("Email", "email"),
    FieldSchema("IsActive", "boolean", nillable=False),
    _lookup("ManagerId", "Manager", "User"),
)
ACCOUNT = _object(
    "Account",
    _DELETED,
    FieldSchema("Name", "string"),
    FieldSchema("Description", "textarea", length=32000, filterable=False, sortable=False, groupable=False),
    _lookup("ParentId", "Parent", "Account"),
    _lookup("OwnerId", "Owner", "User"),
    _lookup("RecordTypeId", "RecordType", "RecordType"),
    FieldSchema("AnnualRevenue", "currency"),
    FieldSchema("NumberOfEmployees", "int"),
    FieldSchema("Twice__c", "double", custom=True, formula='"AnnualRevenue" * 2'),
    FieldSchema("Founded__c", "date", custom=True),
    FieldSchema("Opens__c", "time", custom=True),
    FieldSchema("Active__c", "boolean", custom=True),
    FieldSchema(
        "Colours__c", "multipicklist", custom=True, sortable=False, groupable=False, picklist=COLOURS
    ),
    FieldSchema("Rating", "picklist", picklist=(PicklistValue("Hot", "Very hot"), PicklistValue("Cold"))),
    FieldSchema("Key__c", "string", custom=True, unique=True, case_sensitive=True),
    FieldSchema("Secret__c", "string", custom=True, hidden=True),
    FieldSchema("Logo__c", "base64", custom=True, filterable=False),
    FieldSchema("BillingAddress", "address"),
    FieldSchema("ShippingAddress", "address"),
    FieldSchema("Place__c", "location", custom=True, sortable=False),
    FieldSchema("Place__Latitude__s", "double", custom=True, compound_field_name="Place__c"),
    FieldSchema("Place__Longitude__s", "double", custom=True, compound_field_name="Place__c"),
    FieldSchema("BillingCity", "string", compound_field_name="BillingAddress"),
    FieldSchema("BillingPostalCode", "string", compound_field_name="BillingAddress"),
    _STAMP,
)
CONTACT = _object(
    "Contact",
    _DELETED,
    FieldSchema("Name", "string"),
    _lookup("AccountId", "Account", "Account", children="Contacts"),
)
LEAD = _object("Lead", _DELETED, FieldSchema("Name", "string"), FieldSchema("Email", "email"))
TASK = _object(
    "Task", FieldSchema("Subject", "string"), _lookup("WhoId", "Who", "Contact", "Lead", children="Tasks")
)
ATTACHMENT = _object("Attachment", FieldSchema("Name", "string"), bulk=False)
FEED = _object("Feed", queryable=False)
OBJECTS = {o.name.lower(): o for o in (USER, ACCOUNT, CONTACT, LEAD, TASK, ATTACHMENT, FEED)}
_COLUMNS = {"boolean": "BOOLEAN", "date": "DATE", "datetime": "TIMESTAMP", "time": "TIME", "int": "BIGINT"}

ROWS = """
INSERT INTO "User" BY NAME SELECT '005000000000001AAA' AS "Id", 'Ann' AS "FirstName", 'Ames' AS "LastName",
    true AS "IsActive", 'ann@x.org' AS "Email", '005000000000002AAA' AS "ManagerId";
INSERT INTO "User" BY NAME SELECT '005000000000002AAA' AS "Id", 'Bob' AS "FirstName", 'Best' AS "LastName",
    false AS "IsActive";
INSERT INTO "Account" BY NAME SELECT '0010000000000AbAAI' AS "Id", false AS "IsDeleted", 'Acme' AS "Name",
    '005000000000001AAA' AS "OwnerId", 150.5 AS "AnnualRevenue", 10 AS "NumberOfEmployees",
    DATE '2024-05-15' AS "Founded__c", TIME '09:00' AS "Opens__c", true AS "Active__c", 'Red;Green' AS "Colours__c",
    'abc' AS "Key__c", 'Hot' AS "Rating", 'Rome' AS "BillingCity", 41.9 AS "Place__Latitude__s", 12.5 AS "Place__Longitude__s", TIMESTAMP '2024-05-15 00:00:00' AS "SystemModstamp";
INSERT INTO "Account" BY NAME SELECT '001000000000002AAA' AS "Id", false AS "IsDeleted", 'beta' AS "Name",
    '005000000000002AAA' AS "OwnerId", '0010000000000AbAAI' AS "ParentId", 20 AS "NumberOfEmployees",
    DATE '2024-05-08' AS "Founded__c", false AS "Active__c", 'Blue' AS "Colours__c", 'ABC' AS "Key__c",
    TIMESTAMP '2024-05-14 23:59:59' AS "SystemModstamp";
INSERT INTO "Account" BY NAME SELECT '001000000000003AAA' AS "Id", false AS "IsDeleted", '50%_o\\f' AS "Name",
    '001000000000002AAA' AS "ParentId", 7.0 AS "AnnualRevenue", TIMESTAMP '2024-01-01 08:00:00' AS "SystemModstamp";
INSERT INTO "Account" BY NAME SELECT '001000000000004AAA' AS "Id", true AS "IsDeleted", 'Gone' AS "Name",
    TIMESTAMP '2024-05-15 00:00:00' AS "SystemModstamp";
INSERT INTO "Account" BY NAME SELECT '001000000000005AAA' AS "Id", false AS "IsDeleted", 'Unseen' AS "Name",
    true AS _hidden, TIMESTAMP '2024-05-15 00:00:00' AS "SystemModstamp";
INSERT INTO "Contact" BY NAME SELECT '003000000000001AAA' AS "Id", false AS "IsDeleted", 'Carl' AS "Name",
    '001000000000003AAA' AS "AccountId";
INSERT INTO "Contact" BY NAME SELECT '003000000000002AAA' AS "Id", false AS "IsDeleted", 'Dora' AS "Name";
INSERT INTO "Lead" BY NAME SELECT '00Q000000000001AAA' AS "Id", false AS "IsDeleted", 'Lea' AS "Name",
    'lea@x.org' AS "Email";
INSERT INTO "Task" BY NAME SELECT '00T000000000001AAA' AS "Id", 'call' AS "Subject", '003000000000001AAA' AS "WhoId";
INSERT INTO "Task" BY NAME SELECT '00T000000000002AAA' AS "Id", 'mail' AS "Subject", '00Q000000000001AAA' AS "WhoId";
INSERT INTO "Task" BY NAME SELECT '00T000000000003AAA' AS "Id", 'rest' AS "Subject";
"""


class Objects:
    """The catalog of the small org."""

    def object(self, name: str) -> ObjectSchema | None:
        return OBJECTS.get(name.lower())

    def children(self, parent: ObjectSchema) -> Iterator[tuple[ObjectSchema, FieldSchema]]:
        for schema in OBJECTS.values():
            yield from ((schema, f) for f in schema.fields if parent.name in f.reference_to)


@pytest.fixture(scope="session")
def org() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for schema in OBJECTS.values():
        columns = [f'"{f.name}" {_column_type(f)}' for f in schema.fields if f.has_column]
        connection.execute(
            f'CREATE TABLE "{schema.name}" ({", ".join(columns)}, _hidden BOOLEAN DEFAULT false)'
        )
    connection.execute(ROWS)
    return connection


def _column_type(field: FieldSchema) -> str:
    return _COLUMNS.get(field.type, "DOUBLE" if field.type in ("currency", "double") else "VARCHAR")


@pytest.fixture
def compiled() -> Callable[..., Compiled]:
    """Compiles a text against the small org; keywords go to compile_query."""

    def run(text: str, **options: object) -> Compiled:
        settings = {"now": NOW, "include_deleted": False} | options
        return compile_query(parse(text), Objects(), **settings)

    return run


@pytest.fixture
def rows(
    org: duckdb.DuckDBPyConnection, compiled: Callable[..., Compiled]
) -> Callable[..., list[tuple[object, ...]]]:
    """Answers a text with the values of its selected columns."""

    def run(text: str, **options: object) -> list[tuple[object, ...]]:
        query = compiled(text, **options)
        found = org.cursor().execute(query.sql, list(query.params)).fetchall()
        return [row[: len(query.columns)] for row in found]

    return run
