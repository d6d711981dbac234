"""What only a real Snowflake account can show, and the whole contract suite there.

LHT_TEST_SNOWFLAKE_CONNECTION names a connection of LHT's own configuration, with a database of its own: schemas of the
suite, and the tables in them, come and go.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lht.app.access import connect, settings_here
from lht.errors import LhtError
from lht.model.table import Column, ColumnKind, ColumnType
from lht.testing.suites.rows import SCHEMAS, TEXT, rows_of, schema_of, stream_of, table_with
from lht.testing.suites.warehouse import WarehouseSuite
from lht.warehouse.merging import compared_expressions
from lht.warehouse.statements import Statement, quote, quote_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.model.table import TableName
    from lht.warehouse.port import Warehouse

pytestmark = pytest.mark.snowflake
LIMITED = Column("A", ColumnType(ColumnKind.TEXT, length=3))
MANY, PARTS = 1_000_000, 100


@pytest.fixture
def warehouse() -> Iterator[Warehouse]:
    with connect(settings_here(), os.environ["LHT_TEST_SNOWFLAKE_CONNECTION"]).warehouse as opened:
        clear(opened)
        yield opened
        clear(opened)


def clear(warehouse: Warehouse) -> None:
    for schema in SCHEMAS:
        place = warehouse.table_name("T", schema)
        name = f"{quote(place.catalog)}.{quote(place.schema)}"
        warehouse.execute(Statement(f"DROP SCHEMA IF EXISTS {name} CASCADE"))


class TestAccount(WarehouseSuite):
    """The contract suite."""


def test_a_text_longer_than_its_column_is_refused(warehouse: Warehouse) -> None:
    table = table_with(warehouse, [LIMITED])

    with pytest.raises(LhtError):
        warehouse.execute(Statement(f"INSERT INTO {quote_table(table)} VALUES ('four')"))

    assert rows_of(warehouse, table) == []


def test_a_staged_text_longer_than_its_column_is_refused_and_nothing_is_left(warehouse: Warehouse) -> None:
    with pytest.raises(LhtError):
        warehouse.stage([LIMITED], stream_of([LIMITED], [("abc",)], [("four",)]), "too_long")

    assert warehouse.columns(warehouse.table_name("LHT.TOO_LONG")) is None


def test_a_merge_that_matches_a_row_twice_is_refused(warehouse: Warehouse) -> None:
    columns = [Column("A", TEXT), Column("B", TEXT)]
    table = quote_table(table_with(warehouse, columns, ("1", "old")))
    twice = "SELECT '1' AS A, 'x' AS B UNION ALL SELECT '1', 'y'"

    with pytest.raises(LhtError):
        warehouse.execute(
            Statement(
                f"MERGE INTO {table} AS t USING ({twice}) AS s ON t.A = s.A\nWHEN MATCHED THEN UPDATE SET B = s.B"
            )
        )


def test_texts_that_a_collation_calls_equal_are_told_apart(warehouse: Warehouse) -> None:
    columns = [Column("A", TEXT)]
    table = replace(table_with(warehouse, columns), name="COLLATED")
    warehouse.execute(
        Statement(f"CREATE TABLE {quote_table(table)} (A VARCHAR COLLATE 'en-ci') AS SELECT 'a'")
    )
    staging = warehouse.stage(columns, stream_of(columns, [("A",)]), "told_apart")
    (collated,) = warehouse.columns(table) or ()

    (how,) = compared_expressions(("A",), {"a": TEXT}, {"a": collated.type}, warehouse.dialect)
    sides = [f"(SELECT {how} AS v FROM {quote_table(side)})" for side in (staging, table)]
    differs = f"SELECT s.v IS DISTINCT FROM t.v FROM {sides[0]} AS s CROSS JOIN {sides[1]} AS t"
    assert collated.type.is_collated
    assert warehouse.query(Statement(differs)) == [(True,)]


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        (ColumnKind.DATE, "1700-01-02", "1700-01-02"),
        (ColumnKind.TIMESTAMP, "2024-03-10 02:30:00.7", "2024-03-10 02:30:00.700"),
        (ColumnKind.TIME, "12:34:56.789", "12:34:56.789"),
    ],
)
def test_dates_and_times_become_text_in_one_way(
    warehouse: Warehouse, kind: ColumnKind, value: str, shown: str
) -> None:
    spelled = f"CAST('{value}' AS {warehouse.dialect.types[kind]})"

    assert warehouse.query(Statement(f"SELECT {warehouse.dialect.texts[kind].format(spelled)} AS A")) == [
        (shown,)
    ]


def test_ddl_in_a_transaction_is_refused_before_it_would_commit(warehouse: Warehouse) -> None:
    table = table_with(warehouse, [Column("A", TEXT)])

    with pytest.raises(LhtError, match="would commit"):
        insert_and_drop(warehouse, table)

    assert rows_of(warehouse, table) == []


def insert_and_drop(warehouse: Warehouse, table: TableName) -> None:
    with warehouse.transaction():
        warehouse.execute(Statement(f"INSERT INTO {quote_table(table)} VALUES ('lost')"))
        warehouse.drop_table(table)


def test_a_result_of_many_chunks_comes_batch_by_batch_in_one_schema(warehouse: Warehouse) -> None:
    columns = [Column("A", ColumnType(ColumnKind.INTEGER)), Column("B", TEXT)]
    batches = [[(n * 10_000 + i, "x" * 100) for i in range(10_000)] for n in range(PARTS)]
    staging = warehouse.stage(columns, stream_of(columns, *batches), "chunks")
    reader = warehouse.read(Statement(f"SELECT A, B FROM {quote_table(staging)}"))

    sizes = [(batch.num_rows, batch.schema) for batch in reader]

    assert sum(rows for rows, _ in sizes) == MANY
    assert len(sizes) > 1
    assert {schema for _, schema in sizes} == {reader.schema}
    assert reader.schema.names == schema_of(columns).names
