"""Messages are Snowflake's own; only a real account refuses privileges."""

from __future__ import annotations

import pytest

from lht.model.table import Column, ColumnKind, ColumnType, TableName, TableOptions
from lht.warehouse import statements
from lht.warehouse.snowflake.dialect import DIALECT
from lht.warehouse.snowflake.grants import grant, warehouse_grant

TABLE = TableName("LAKE", "CRM", "MY_ACCOUNTS")
COLUMN = Column("ID", ColumnType(ColumnKind.TEXT))
REFUSED = "003001 (42501): 01b2-a0: SQL access control error:\nInsufficient privileges to operate on {}."
UNSEEN = "002003 (02000): 01b2-a0: SQL compilation error:\n{} does not exist or not authorized."
CREATES = statements.create_table(TABLE, [COLUMN], DIALECT, options=TableOptions(transient=True)).sql
(CREATES_VIEW,) = (s.sql for s in statements.create_view(TABLE, "SELECT 1", "", DIALECT, replaces=False))
(REPLACES_VIEW,) = (s.sql for s in statements.create_view(TABLE, "SELECT 1", "", DIALECT, replaces=True))
ADDS = statements.add_column(TABLE, COLUMN, DIALECT).sql
DELETES = statements.delete_all(TABLE).sql
COUNTS = statements.count_rows(TABLE).sql
CREATES_STAGE = 'CREATE STAGE IF NOT EXISTS "LAKE"."LHT"."LHT_STAGE"'
MERGES = 'MERGE INTO "LAKE"."CRM"."MY_ACCOUNTS" AS t USING (SELECT * FROM "LAKE"."LHT"."S") AS s ON t."ID" = s."ID"'
PUTS = """PUT 'file:///tmp/x' '@"LAKE"."LHT"."LHT_STAGE"/r/'"""


@pytest.mark.parametrize(
    ("sql", "message", "expected"),
    [
        (
            statements.create_schema(TABLE).sql,
            REFUSED.format("database 'LAKE'"),
            'CREATE SCHEMA ON DATABASE "LAKE"',
        ),
        (CREATES, REFUSED.format("schema 'CRM'"), 'CREATE TABLE ON SCHEMA "LAKE"."CRM"'),
        (CREATES_VIEW, REFUSED.format("schema 'CRM'"), 'CREATE VIEW ON SCHEMA "LAKE"."CRM"'),
        (CREATES_STAGE, REFUSED.format("schema 'LHT'"), 'CREATE STAGE ON SCHEMA "LAKE"."LHT"'),
        (
            REPLACES_VIEW,
            REFUSED.format("view 'MY_ACCOUNTS'"),
            'OWNERSHIP ON VIEW "LAKE"."CRM"."MY_ACCOUNTS"',
        ),
        (ADDS, REFUSED.format("table 'MY_ACCOUNTS'"), 'OWNERSHIP ON TABLE "LAKE"."CRM"."MY_ACCOUNTS"'),
        (
            DELETES,
            REFUSED.format("table 'MY_ACCOUNTS'"),
            'SELECT, INSERT, UPDATE, DELETE ON TABLE "LAKE"."CRM"."MY_ACCOUNTS"',
        ),
        (MERGES, REFUSED.format("table 'S'"), 'SELECT, INSERT, UPDATE, DELETE ON TABLE "LAKE"."LHT"."S"'),
        (PUTS, REFUSED.format("stage 'LHT_STAGE'"), 'READ, WRITE ON STAGE "LAKE"."LHT"."LHT_STAGE"'),
        (COUNTS, REFUSED.format("warehouse 'WH'"), 'USAGE ON WAREHOUSE "WH"'),
        (COUNTS, UNSEEN.format("Database 'LAKE'"), 'USAGE ON DATABASE "LAKE"'),
        (CREATES, UNSEEN.format("Schema 'LAKE.CRM'"), 'USAGE ON SCHEMA "LAKE"."CRM"'),
        (
            COUNTS,
            UNSEEN.format("Object 'LAKE.CRM.MY_ACCOUNTS'"),
            'SELECT ON TABLE "LAKE"."CRM"."MY_ACCOUNTS"',
        ),
        (CREATES_STAGE, UNSEEN.format("Database 'OTHER'"), 'USAGE ON DATABASE "OTHER"'),
        (
            ADDS,
            "003001 (42501): SQL access control error:\nRole LOADER must have OWNERSHIP granted on TABLE MY_ACCOUNTS.",
            'OWNERSHIP ON TABLE "LAKE"."CRM"."MY_ACCOUNTS"',
        ),
        (
            statements.create_schema(TABLE).sql,
            "003041 (42710): SQL compilation error:\nSchema 'CRM' already exists, but current role has no privileges on it.",
            'USAGE ON SCHEMA "LAKE"."CRM"',
        ),
    ],
)
def test_the_grant_that_lacks_is_spelled_out(sql: str, message: str, expected: str) -> None:
    assert grant(sql, message, "LOADER") == f'GRANT {expected} TO ROLE "LOADER";'


def test_a_message_about_other_things_names_no_grant() -> None:
    assert grant(COUNTS, "001003 (42000): SQL compilation error:\nsyntax error line 1", "LOADER") == ""


def test_what_is_not_known_is_left_open() -> None:
    assert grant(COUNTS, REFUSED.format("table 'X'")) == 'GRANT SELECT ON TABLE "X" TO ROLE <role>;'
    assert warehouse_grant("", "") == "GRANT USAGE ON WAREHOUSE <warehouse> TO ROLE <role>;"
    assert warehouse_grant("WH", "my role") == 'GRANT USAGE ON WAREHOUSE "WH" TO ROLE "my role";'
