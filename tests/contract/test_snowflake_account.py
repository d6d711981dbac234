"""What only a real Snowflake account can show, and the whole contract suite there.

LHT_TEST_SNOWFLAKE_CONNECTION names a connection of LHT's own configuration, with a database of its own: schemas of the
suite, and the tables in them, come and go.
"""

from __future__ import annotations

import os
import resource
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from lht.app.access import connect, settings_here
from lht.config.snowflake import snowflake_login
from lht.errors import LhtError
from lht.model.table import Column, ColumnKind, ColumnType
from lht.testing.suites.rows import SCHEMAS, TEXT, WHOLE, rows_of, schema_of, stream_of, table_with
from lht.testing.suites.warehouse import WarehouseSuite
from lht.warehouse.merging import compared_expressions
from lht.warehouse.snowflake.connect import open_snowflake
from lht.warehouse.snowflake.staging import PartWriter, copy_into
from lht.warehouse.statements import Statement, quote, quote_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.model.table import TableName
    from lht.warehouse.snowflake.adapter import SnowflakeWarehouse

pytestmark = pytest.mark.snowflake
LIMITED = Column("A", ColumnType(ColumnKind.TEXT, length=3))
MANY, PARTS = 1_000_000, 100
NAME = os.environ.get("LHT_TEST_SNOWFLAKE_CONNECTION", "")
MORE_MB = 400
"""What reading a gigabyte may take: a few chunks on their way, not the result."""


@pytest.fixture
def warehouse() -> Iterator[SnowflakeWarehouse]:
    with cast("SnowflakeWarehouse", connect(settings_here(), NAME).warehouse) as opened:
        clear(opened)
        yield opened
        clear(opened)


def clear(warehouse: SnowflakeWarehouse) -> None:
    for schema in SCHEMAS:
        place = warehouse.table_name("T", schema)
        name = f"{quote(place.catalog)}.{quote(place.schema)}"
        warehouse.execute(Statement(f"DROP SCHEMA IF EXISTS {name} CASCADE"))


class TestAccount(WarehouseSuite):
    """The contract suite."""


def test_a_text_longer_than_its_column_is_refused(warehouse: SnowflakeWarehouse) -> None:
    table = table_with(warehouse, [LIMITED])

    with pytest.raises(LhtError):
        warehouse.execute(Statement(f"INSERT INTO {quote_table(table)} VALUES ('four')"))

    assert rows_of(warehouse, table) == []


def test_a_staged_text_longer_than_its_column_is_refused_and_nothing_is_left(
    warehouse: SnowflakeWarehouse,
) -> None:
    with pytest.raises(LhtError):
        warehouse.stage([LIMITED], stream_of([LIMITED], [("abc",)], [("four",)]), "too_long")

    assert warehouse.columns(warehouse.table_name("LHT.TOO_LONG")) is None


def test_a_merge_that_matches_a_row_twice_is_refused(warehouse: SnowflakeWarehouse) -> None:
    columns = [Column("A", TEXT), Column("B", TEXT)]
    table = quote_table(table_with(warehouse, columns, ("1", "old")))
    twice = "SELECT '1' AS A, 'x' AS B UNION ALL SELECT '1', 'y'"

    with pytest.raises(LhtError):
        warehouse.execute(
            Statement(
                f"MERGE INTO {table} AS t USING ({twice}) AS s ON t.A = s.A\nWHEN MATCHED THEN UPDATE SET B = s.B"
            )
        )


def test_texts_that_a_collation_calls_equal_are_told_apart(warehouse: SnowflakeWarehouse) -> None:
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
    warehouse: SnowflakeWarehouse, kind: ColumnKind, value: str, shown: str
) -> None:
    spelled = f"CAST('{value}' AS {warehouse.dialect.types[kind]})"

    assert warehouse.query(Statement(f"SELECT {warehouse.dialect.texts[kind].format(spelled)} AS A")) == [
        (shown,)
    ]


def test_ddl_in_a_transaction_is_refused_before_it_would_commit(warehouse: SnowflakeWarehouse) -> None:
    table = table_with(warehouse, [Column("A", TEXT)])

    with pytest.raises(LhtError, match="would commit"):
        insert_and_drop(warehouse, table)

    assert rows_of(warehouse, table) == []


def insert_and_drop(warehouse: SnowflakeWarehouse, table: TableName) -> None:
    with warehouse.transaction():
        warehouse.execute(Statement(f"INSERT INTO {quote_table(table)} VALUES ('lost')"))
        warehouse.drop_table(table)


def test_a_result_of_many_chunks_comes_batch_by_batch_in_one_schema(warehouse: SnowflakeWarehouse) -> None:
    columns = [Column("A", ColumnType(ColumnKind.INTEGER)), Column("B", TEXT)]
    batches = [[(n * 10_000 + i, "x" * 100) for i in range(10_000)] for n in range(PARTS)]
    staging = warehouse.stage(columns, stream_of(columns, *batches), "chunks")
    reader = warehouse.read(Statement(f"SELECT A, B FROM {quote_table(staging)}"))

    sizes = [(batch.num_rows, batch.schema) for batch in reader]

    assert sum(rows for rows, _ in sizes) == MANY
    assert len(sizes) > 1
    assert {schema for _, schema in sizes} == {reader.schema}
    assert reader.schema.names == schema_of(columns).names


def test_a_large_result_is_read_in_little_memory(warehouse: SnowflakeWarehouse) -> None:
    generated = f"SELECT SEQ8() AS N, RANDSTR(1000, RANDOM()) AS T FROM TABLE(GENERATOR(ROWCOUNT => {MANY}))"
    warehouse.read(Statement("SELECT 1 AS N")).read_all()
    before = peak_mb()

    rows = sum(batch.num_rows for batch in warehouse.read(Statement(generated)))

    assert rows == MANY
    assert peak_mb() < before + MORE_MB


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_a_second_writer_waits_for_the_first(warehouse: SnowflakeWarehouse) -> None:
    table = quote_table(table_with(warehouse, [Column("A", WHOLE)], (1,)))
    adding = Statement(f"UPDATE {table} SET A = A + 1")
    order: list[str] = []

    def second(other: SnowflakeWarehouse) -> None:
        with other, other.transaction():
            other.execute(adding)
            order.append("second")

    thread = threading.Thread(target=second, args=(warehouse.fork(),))
    with warehouse.transaction():
        warehouse.execute(adding)
        thread.start()
        thread.join(5)
        order.append("first")
    thread.join()

    assert order == ["first", "second"]
    assert warehouse.query(Statement(f"SELECT A FROM {table}")) == [(3,)]


def test_a_copy_of_several_files_loads_all_or_none(warehouse: SnowflakeWarehouse, tmp_path: Path) -> None:
    table = table_with(warehouse, [LIMITED])
    folder = on_stage(warehouse, tmp_path, "abc", "four")

    with pytest.raises(LhtError):
        warehouse.execute(copy_into(table, folder))

    assert rows_of(warehouse, table) == []
    warehouse.execute(Statement(f"REMOVE {folder}"))


def on_stage(warehouse: SnowflakeWarehouse, work_dir: Path, *values: str) -> str:
    """A folder of the stage with a file for each value."""
    wide = [Column("A", TEXT)]
    warehouse.stage(wide, stream_of(wide, [("a",)]), "makes_the_stage")
    folder = f"@{quote_table(warehouse.table_name('LHT.LHT_STAGE'))}/lht_suite/"

    def put(path: Path) -> None:
        warehouse.records(Statement(f"PUT 'file://{path}' {folder} AUTO_COMPRESS=FALSE OVERWRITE=TRUE"))

    with PartWriter(wide, put, work_dir, part_bytes=1) as writer:
        for batch in stream_of(wide, *([(value,)] for value in values)).reader:
            writer.write(batch)
        writer.finish()
    assert len(warehouse.records(Statement(f"LIST {folder}"))) == len(values)
    return folder


def test_staged_files_are_removed_also_where_the_copy_failed(warehouse: SnowflakeWarehouse) -> None:
    warehouse.tag("lht-suite-removes")
    warehouse.stage([LIMITED], stream_of([LIMITED], [("abc",)]), "fits")
    with pytest.raises(LhtError):
        warehouse.stage([LIMITED], stream_of([LIMITED], [("four",)]), "too_long")

    place = quote_table(warehouse.table_name("LHT.LHT_STAGE"))
    assert warehouse.records(Statement(f"LIST @{place}/lht-suite-removes/")) == []


def test_ddl_commits_what_is_open_which_is_why_it_is_refused(warehouse: SnowflakeWarehouse) -> None:
    table = quote_table(table_with(warehouse, [Column("A", TEXT)]))

    for sql in (
        "BEGIN",
        f"INSERT INTO {table} VALUES ('kept')",
        f"COMMENT ON TABLE {table} IS 'x'",
        "ROLLBACK",
    ):
        warehouse.execute(Statement(sql))

    assert warehouse.query(Statement(f"SELECT A FROM {table}")) == [("kept",)]


def test_a_killed_runs_transaction_is_seen_by_its_name_and_ended(warehouse: SnowflakeWarehouse) -> None:
    table = quote_table(table_with(warehouse, [Column("A", TEXT)]))
    with warehouse.fork() as killed:
        killed.tag("lht-suite-killed")
        left_open = killed.transaction()
        left_open.__enter__()
        killed.execute(Statement(f"INSERT INTO {table} VALUES ('lost')"))

        warehouse.clear_leftovers("lht-suite-killed", is_gone=True)

        # Nothing that it does next may be committed by itself.
        with pytest.raises(LhtError):
            killed.execute(Statement(f"INSERT INTO {table} VALUES ('late')"))
    assert warehouse.query(Statement(f"SELECT A FROM {table}")) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"user": "LHT_NO_SUCH_USER", "password": "wrong", "authenticator": "snowflake"}, "user|password"),
        ({"role": "LHT_NO_SUCH_ROLE"}, "role"),
        ({"account": "lht-nosuchaccount", "host": ""}, "account|reached"),
    ],
    ids=["user", "role", "account"],
)
def test_a_login_that_is_refused_says_why(wrong: dict[str, Any], said: str) -> None:
    options = {**snowflake_login(settings_here().warehouse(NAME)).options, "login_timeout": 20}
    if "user" in wrong:
        options = {key: value for key, value in options.items() if "key" not in key and "token" not in key}

    with pytest.raises(LhtError, match=f"(?i)Cannot log in with connection 'account'.*({said})"):
        open_snowflake({**options, **wrong}, name="account")
