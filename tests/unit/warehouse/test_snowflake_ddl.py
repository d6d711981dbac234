"""What becomes of each type of Salesforce in Snowflake, and of a column whose field has changed its type."""

from __future__ import annotations

import pytest

from lht.mapping.columns import columns_for
from lht.mapping.types import parse_type
from lht.mapping.widening import Change, compare
from lht.model.salesforce import Field, SObject
from lht.model.table import TableName
from lht.warehouse import statements
from lht.warehouse.snowflake.dialect import CAPABILITIES, DIALECT
from lht.warehouse.snowflake.dialect import parse_type as parse_described

TABLE = TableName("DB", "PUBLIC", "T")
FIELDS = [
    (Field("Id", "id"), "VARCHAR(18)"),
    (Field("OwnerId", "reference", reference_to=("User",)), "VARCHAR(18)"),
    (Field("Name", "string", length=255), "VARCHAR"),
    (Field("Long__c", "textarea", length=131_072), "VARCHAR"),
    (Field("Phone", "phone", length=40), "VARCHAR"),
    (Field("Website", "url", length=255), "VARCHAR"),
    (Field("Email", "email", length=80), "VARCHAR"),
    (Field("Stage", "picklist", length=40), "VARCHAR"),
    (Field("Tags__c", "multipicklist", length=4099), "VARCHAR"),
    (Field("Either__c", "combobox", length=40), "VARCHAR"),
    (Field("Secret__c", "encryptedstring", length=175), "VARCHAR"),
    (Field("Group__c", "datacategorygroupreference"), "VARCHAR"),
    (Field("Any__c", "anytype"), "VARCHAR"),
    (Field("Value__c", "complexvalue"), "VARCHAR"),
    (Field("Doc__c", "json"), "VARCHAR"),
    (Field("Hologram__c", "hologram"), "VARCHAR"),
    (Field("Active__c", "boolean"), "BOOLEAN"),
    (Field("Staff", "int", digits=8), "NUMBER(38,0)"),
    (Field("Big__c", "long", digits=18), "NUMBER(38,0)"),
    (Field("Score__c", "double", precision=18, scale=2), "NUMBER(38,2)"),
    (Field("Whole__c", "double", precision=18, scale=0), "NUMBER(38,0)"),
    (Field("Amount", "currency", precision=18, scale=2), "NUMBER(38,2)"),
    (Field("Share__c", "percent", precision=5, scale=4), "NUMBER(38,4)"),
    (Field("Margin__c", "double", precision=18, scale=2, calculated=True), "FLOAT"),
    (Field("Rolled__c", "currency", precision=18, scale=2, calculated=True), "FLOAT"),
    (Field("Starts", "date"), "DATE"),
    (Field("CreatedDate", "datetime"), "TIMESTAMP_NTZ"),
    (Field("Opens__c", "time"), "TIME"),
]


@pytest.mark.parametrize(("field", "expected"), FIELDS, ids=lambda value: getattr(value, "type", None))
def test_each_type_of_salesforce_has_one_in_snowflake(field: Field, expected: str) -> None:
    ((column,), _) = columns_for(SObject("O", "O", (field,)), overrides={}, capabilities=CAPABILITIES)

    assert statements.type_sql(column.type, DIALECT) == expected
    assert column.name == field.name.upper()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("string(255)", "VARCHAR(255)"),
        ("varchar(16777216)", "VARCHAR(16777216)"),
        ("varchar(134217728)", "VARCHAR(134217728)"),
        ("number(10,0)", "NUMBER(10,0)"),
        ("number(38,37)", "NUMBER(38,37)"),
        ("timestamp", "TIMESTAMP_NTZ"),
        ("variant", "VARIANT"),
    ],
)
def test_types_that_users_write_are_spelled_as_snowflake_does(written: str, expected: str) -> None:
    assert statements.type_sql(parse_type(written), DIALECT) == expected


@pytest.mark.parametrize(
    "described",
    ["VARCHAR", "VARCHAR(16777216)", "VARCHAR(134217728)"],
)
def test_text_without_a_length_is_no_drift_however_snowflake_describes_it(described: str) -> None:
    wanted = parse_type("varchar")

    assert compare(parse_described(described), wanted, CAPABILITIES) is Change.SAME
    assert compare(wanted, parse_described(described), CAPABILITIES) is Change.SAME


@pytest.mark.parametrize(
    ("described", "wanted", "change"),
    [
        # Longer text and more digits at the same scale are all that Snowflake alters:
        # https://docs.snowflake.com/en/sql-reference/sql/alter-table-column
        ("VARCHAR(18)", "varchar(80)", Change.ALTER),
        ("VARCHAR(18)", "varchar", Change.ALTER),
        ("NUMBER(10,2)", "number(38,2)", Change.ALTER),
        ("NUMBER(10,0)", "number(38,0)", Change.ALTER),
        ("NUMBER(38,2)", "number(38,4)", Change.EXCHANGE),
        ("NUMBER(38,0)", "number(38,2)", Change.EXCHANGE),
        ("NUMBER(38,2)", "varchar", Change.EXCHANGE),
        ("DATE", "timestamp", Change.EXCHANGE),
        ("NUMBER(38,2)", "float", Change.EXCHANGE),
        ("VARCHAR(80)", "varchar(18)", Change.SAME),
        ("NUMBER(38,2)", "number(18,2)", Change.SAME),
        ("TIMESTAMP_NTZ(9)", "timestamp", Change.SAME),
        ("TIME(9)", "time", Change.SAME),
        ("FLOAT", "number(38,2)", Change.SAME),
        ("TIMESTAMP_NTZ(9)", "boolean", Change.INCOMPATIBLE),
    ],
)
def test_a_column_changes_its_type_in_the_ways_that_snowflake_has(
    described: str, wanted: str, change: Change
) -> None:
    assert compare(parse_described(described), parse_type(wanted), CAPABILITIES) is change
