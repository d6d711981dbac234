from __future__ import annotations

import pytest

from lht.model.table import Column, ColumnKind, ColumnType, TableName, TableOptions
from lht.warehouse import merging, statements
from lht.warehouse.duckdb import DIALECT
from lht.warehouse.snowflake import dialect as snowflake
from lht.warehouse.statements import Dialect, Statement

SNOWFLAKE_LIKE = Dialect(
    "sketch",
    {ColumnKind.TEXT: "VARCHAR({length})", ColumnKind.DECIMAL: "NUMBER({precision},{scale})"},
    "CREATE OR REPLACE TRANSIENT TABLE",
    "SYSDATE()",
)
TABLE = TableName("DB", "S", 'a"b')


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("T", ("T",)),
        ("s.T", ("s", "T")),
        ('c."s.x"."a""b"', ("c", "s.x", 'a"b')),
        ("a b.c-d", ("a b", "c-d")),
        ("", ()),
        ("a.", ()),
        ("a.b.c.d", ()),
        ('a"b', ()),
    ],
)
def test_names_are_split_at_their_dots(name: str, parts: tuple[str, ...]) -> None:
    assert statements.split_name(name) == parts


def test_identifiers_and_texts_are_quoted() -> None:
    assert statements.quote_table(TABLE) == '"DB"."S"."a""b"'
    assert statements.quote_table(TableName("", "S", "T")) == '"S"."T"'
    assert statements.quote_text("it's") == "'it''s'"
    assert statements.create_schema(TABLE) == Statement('CREATE SCHEMA IF NOT EXISTS "DB"."S"')


@pytest.mark.parametrize(
    ("column_type", "expected"),
    [
        (ColumnType(ColumnKind.TEXT, length=18), "VARCHAR(18)"),
        (ColumnType(ColumnKind.TEXT), "VARCHAR"),
        (ColumnType(ColumnKind.DECIMAL, precision=18, scale=2), "NUMBER(18,2)"),
    ],
)
def test_types_are_spelled_as_the_dialect_says(column_type: ColumnType, expected: str) -> None:
    assert statements.type_sql(column_type, SNOWFLAKE_LIKE) == expected


def test_only_comments_that_are_there_are_set() -> None:
    columns = (
        Column("A", ColumnType(ColumnKind.TEXT), comment="a's"),
        Column("B", ColumnType(ColumnKind.TEXT)),
    )

    assert statements.comments(TABLE, columns, DIALECT) == [
        Statement('COMMENT ON COLUMN "DB"."S"."a""b"."A" IS \'a\'\'s\'')
    ]
    assert len(statements.comments(TABLE, columns, DIALECT, "table")) == 2


def test_a_backslash_is_doubled_where_it_would_escape() -> None:
    text = "a\\'s\n\\"

    assert statements.quote_text(text, DIALECT) == "'a\\''s\n\\'"
    assert statements.quote_text(text, snowflake.DIALECT) == "'a\\\\''s\n\\\\'"


def test_comments_stand_in_the_statement_where_the_warehouse_has_that() -> None:
    column = Column("A", ColumnType(ColumnKind.TEXT), comment="a's")
    options = TableOptions(transient=True, cluster_by="(A)", retention_days=0)

    created = statements.create_table(
        TABLE, (column,), snowflake.DIALECT, comment="from Salesforce", options=options
    )

    assert created.sql.splitlines() == [
        'CREATE TRANSIENT TABLE "DB"."S"."a""b" (',
        "  \"A\" VARCHAR COMMENT 'a''s'",
        ")",
        "CLUSTER BY (A)",
        "DATA_RETENTION_TIME_IN_DAYS = 0",
        "COMMENT = 'from Salesforce'",
    ]
    assert statements.comments(TABLE, (column,), snowflake.DIALECT, "table") == []
    assert statements.add_column(TABLE, column, snowflake.DIALECT).sql.endswith(
        "\"A\" VARCHAR COMMENT 'a''s'"
    )


def test_rows_are_compared_column_by_column_or_by_two_hashes() -> None:
    text = ColumnType(ColumnKind.TEXT)
    staged = {"a": text, "b": text}

    assert merging.compared_expressions(("A", "B"), staged, staged, SNOWFLAKE_LIKE) == ('"A"', '"B"')
    assert merging.compared_expressions(("A", "B"), staged, {"a": text}, DIALECT) == (
        'hash(CAST("A" AS VARCHAR), TRY_CAST("B" AS VARCHAR), "B" IS NULL)',
        'hash(\'lht\', "B" IS NULL, TRY_CAST("B" AS VARCHAR), CAST("A" AS VARCHAR))',
    )
