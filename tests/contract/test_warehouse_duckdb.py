"""The warehouse port on DuckDB."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pytest

from lht.errors import (
    ConfigError,
    Recovery,
    RunLockedError,
    StatementError,
    WarehouseError,
    WarehouseUnreachableError,
)
from lht.model.table import Column, ColumnKind, ColumnType, TableName
from lht.testing.suites.warehouse import WarehouseSuite
from lht.warehouse.duckdb import DuckDBWarehouse, from_connection, open_duckdb
from lht.warehouse.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TYPES = {
    "Id": ColumnType(ColumnKind.TEXT),
    "Whole": ColumnType(ColumnKind.INTEGER),
    "Money": ColumnType(ColumnKind.DECIMAL, precision=18, scale=2),
    "Ratio": ColumnType(ColumnKind.FLOAT),
    "Flag": ColumnType(ColumnKind.BOOLEAN),
    "Day": ColumnType(ColumnKind.DATE),
    "Moment": ColumnType(ColumnKind.TIMESTAMP),
    "Clock": ColumnType(ColumnKind.TIME),
    "Any": ColumnType(ColumnKind.VARIANT),
}
COLUMNS = tuple(Column(name, column_type) for name, column_type in TYPES.items())
VALUES = (
    "001",
    99999999999999999999999999999999999999,
    Decimal("12.50"),
    0.25,
    True,
    date(4000, 12, 31),
    datetime(1700, 1, 1, 0, 0, 0, 1),  # noqa: DTZ001 - as tables hold it
    time(23, 59, 59, 999000),
    '{"a": 1}',
)
ARROW = pa.schema(
    [
        ("Id", pa.string()),
        ("Whole", pa.decimal128(38, 0)),
        ("Money", pa.decimal128(38, 2)),
        ("Ratio", pa.float64()),
        ("Flag", pa.bool_()),
        ("Day", pa.date32()),
        ("Moment", pa.timestamp("us")),
        ("Clock", pa.time64("us")),
        ("Any", pa.string()),
    ]
)
ID = (Column("Id", TYPES["Id"]),)


@dataclass
class Stream:
    reader: pa.RecordBatchReader
    error: BaseException | None = None


@pytest.fixture
def warehouse() -> Iterator[DuckDBWarehouse]:
    opened = open_duckdb(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def file_warehouse(tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    opened = open_duckdb(str(tmp_path / "lake.duckdb"))
    yield opened
    opened.close()


class TestDuckDB(WarehouseSuite):
    pass


def ids(*values: str) -> Stream:
    batch = pa.record_batch({"Id": pa.array(values, pa.string())})
    return Stream(pa.RecordBatchReader.from_batches(batch.schema, [batch]))


def test_staged_values_of_every_type_come_out_as_they_went_in(warehouse: DuckDBWarehouse) -> None:
    row = {**dict(zip(TYPES, VALUES, strict=True)), "Whole": Decimal(VALUES[1])}
    batch = pa.RecordBatch.from_pylist([row, dict.fromkeys(TYPES)], schema=ARROW)

    staging = warehouse.stage(COLUMNS, Stream(pa.RecordBatchReader.from_batches(ARROW, [batch])), "every")

    assert warehouse.query(Statement(f'SELECT * FROM "{staging.name}"')) == [VALUES, (None,) * len(TYPES)]
    assert [column.type for column in warehouse.columns(staging)] == list(TYPES.values())


def test_a_created_table_tells_its_columns_and_comments(warehouse: DuckDBWarehouse) -> None:
    table = warehouse.table_name("raw.T")
    warehouse.create_schema(table)
    warehouse.create_table(
        table, (Column("Name", TYPES["Id"], comment="What it's called"),), comment="A 'table'"
    )

    assert warehouse.columns(table) == (Column("Name", TYPES["Id"], comment="What it's called"),)
    assert warehouse.columns(warehouse.table_name("other")) is None


def test_a_schema_that_another_thread_is_creating_is_waited_for(warehouse: DuckDBWarehouse) -> None:
    table = warehouse.table_name("raw.T")
    with warehouse.fork() as other, ThreadPoolExecutor() as pool:
        with other.transaction():
            other.create_schema(table)
            waiting = pool.submit(warehouse.create_schema, table)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.2)
        waiting.result(timeout=5)

    warehouse.create_table(table, ID)
    assert warehouse.columns(table) == ID


def test_columns_are_added_altered_and_renamed(warehouse: DuckDBWarehouse) -> None:
    table = warehouse.table_name("T")
    warehouse.create_table(table, ID)
    warehouse.execute(Statement("INSERT INTO T VALUES ('1')"))

    narrow = Column("Money", ColumnType(ColumnKind.DECIMAL, precision=10, scale=2), comment="m")
    warehouse.add_columns(table, (narrow, *ID))
    warehouse.alter_type(table, "Money", TYPES["Money"])
    warehouse.rename_column(table, "Money", "Price")

    assert [(c.name, c.type) for c in warehouse.columns(table)] == [
        ("Id", TYPES["Id"]),
        ("Price", TYPES["Money"]),
    ]
    assert warehouse.row_count(table) == 1


def test_a_table_that_cannot_be_commented_on_is_not_created(warehouse: DuckDBWarehouse) -> None:
    table = warehouse.table_name("T")

    with pytest.raises(StatementError):
        warehouse.create_table(table, (*ID, *ID))

    assert warehouse.columns(table) is None


def test_names_are_resolved_against_the_session(warehouse: DuckDBWarehouse) -> None:
    assert warehouse.table_name("T") == TableName("memory", "main", "T")
    assert warehouse.table_name("T", "raw") == TableName("memory", "raw", "T")
    assert warehouse.table_name("s.T", "raw") == TableName("memory", "s", "T")
    assert warehouse.table_name('c."s.x".T') == TableName("c", "s.x", "T")
    assert warehouse.table_name("T", "c.s") == TableName("c", "s", "T")


@pytest.mark.parametrize(("table", "schema"), [("", None), ("a..b", None), ("a.b.c.d", None), ("T", "a.b.c")])
def test_what_is_no_name_is_refused(warehouse: DuckDBWarehouse, table: str, schema: str | None) -> None:
    with pytest.raises(ConfigError):
        warehouse.table_name(table, schema)


def test_an_existing_table_keeps_its_spelling(warehouse: DuckDBWarehouse) -> None:
    warehouse.create_table(warehouse.table_name("My_Accounts"), ID)

    assert warehouse.table_name("MY_ACCOUNTS") == TableName("memory", "main", "My_Accounts")


def test_aware_datetimes_are_bound_as_utc(warehouse: DuckDBWarehouse) -> None:
    moment = datetime(2024, 1, 1, 2, tzinfo=UTC) + timedelta(0)

    ((stored,),) = warehouse.query(Statement("SELECT CAST(? AS TIMESTAMP)", (moment,)))

    assert stored == moment.replace(tzinfo=None)


def test_the_clock_is_aware_and_right(warehouse: DuckDBWarehouse) -> None:
    assert abs(warehouse.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_read_gives_batches(warehouse: DuckDBWarehouse) -> None:
    reader = warehouse.read(Statement("SELECT range AS n FROM range(?)", (5000,)))

    assert sum(batch.num_rows for batch in reader) == 5000


@pytest.mark.parametrize("kind", [KeyboardInterrupt, ValueError])
def test_stage_raises_what_the_reader_raised_and_leaves_no_table(
    warehouse: DuckDBWarehouse, kind: type[BaseException]
) -> None:
    stream = ids("1")

    def batches() -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"Id": ["1"]})
        stream.error = kind("Ctrl-C")
        raise stream.error

    stream.reader = pa.RecordBatchReader.from_batches(pa.schema([("Id", pa.string())]), batches())

    with pytest.raises(kind, match="Ctrl-C"):
        warehouse.stage(ID, stream, "broken")
    assert warehouse.query(Statement("SELECT 1 FROM duckdb_tables()")) == []


def test_a_value_that_does_not_fit_is_an_error_of_ours(warehouse: DuckDBWarehouse) -> None:
    batch = pa.record_batch({"Whole": ["x"]})
    stream = Stream(pa.RecordBatchReader.from_batches(batch.schema, [batch]))

    with pytest.raises(StatementError, match="Could not convert"):
        warehouse.stage((Column("Whole", TYPES["Whole"]),), stream, "bad")


def insert_and_fail(warehouse: DuckDBWarehouse, mistake: str | None) -> None:
    with warehouse.transaction():
        warehouse.execute(Statement("INSERT INTO T VALUES ('lost')"))
        if mistake is None:
            raise KeyboardInterrupt
        warehouse.execute(Statement(mistake))


def test_a_transaction_is_committed_whole_or_not_at_all(warehouse: DuckDBWarehouse) -> None:
    warehouse.create_table(warehouse.table_name("T"), ID)
    with warehouse.transaction():
        warehouse.execute(Statement("INSERT INTO T VALUES ('kept')"))

    for mistake, error in (("SELECT nothing", StatementError), (None, KeyboardInterrupt)):
        with pytest.raises(error):
            insert_and_fail(warehouse, mistake)

    assert warehouse.query(Statement("SELECT * FROM T")) == [("kept",)]


def test_transactions_are_never_nested(warehouse: DuckDBWarehouse) -> None:
    with (
        warehouse.transaction(),
        pytest.raises(StatementError, match="never nested"),
        warehouse.transaction(),
    ):
        pass


def test_a_conflict_may_be_retried(warehouse: DuckDBWarehouse) -> None:
    warehouse.create_table(warehouse.table_name("T"), ID)
    warehouse.execute(Statement("INSERT INTO T VALUES ('1')"))
    other = warehouse.fork()

    with warehouse.transaction():
        warehouse.execute(Statement("UPDATE T SET Id = '2'"))
        with pytest.raises(StatementError) as raised:
            other.execute(Statement("UPDATE T SET Id = '3'"))

    assert raised.value.recovery is Recovery.RETRY


def test_a_fork_sees_the_same_database_and_has_the_same_defaults() -> None:
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE SCHEMA s; USE s")
    warehouse = from_connection(connection)
    warehouse.create_table(warehouse.table_name("T"), ID)

    fork = warehouse.fork()

    assert fork.table_name("T") == TableName("memory", "s", "T")
    assert fork.row_count(fork.table_name("T")) == 0


def test_a_callers_connection_keeps_its_settings_and_stays_open() -> None:
    connection = duckdb.connect(":memory:")
    connection.execute("SET TimeZone = 'Asia/Tokyo'; SET preserve_insertion_order = true")
    before = connection.execute("SELECT name, value FROM duckdb_settings() ORDER BY name").fetchall()

    warehouse = from_connection(connection)
    staging = warehouse.stage(ID, ids("1"), "mine")
    warehouse.drop_table(staging)
    warehouse.fork().close()
    warehouse.close()

    assert connection.execute("SELECT name, value FROM duckdb_settings() ORDER BY name").fetchall() == before


@pytest.mark.parametrize("statement", ["SELECT 1", "SELECT nothing"])
def test_a_callers_open_transaction_is_refused_and_left_alone(statement: str) -> None:
    connection = duckdb.connect(":memory:")
    connection.execute("CREATE TABLE T(n INT); BEGIN; INSERT INTO T VALUES (1)")

    with pytest.raises(WarehouseError, match="open transaction"):
        from_connection(connection)

    connection.execute("COMMIT")
    assert connection.execute("SELECT n FROM T").fetchall() == [(1,)]


def test_a_callers_aborted_transaction_is_refused() -> None:
    connection = duckdb.connect(":memory:")
    connection.execute("BEGIN")
    with pytest.raises(duckdb.Error):
        connection.execute("SELECT nothing")

    with pytest.raises(WarehouseError, match="open transaction"):
        from_connection(connection)


def test_two_threads_write_at_the_same_time(file_warehouse: DuckDBWarehouse) -> None:
    tables = [file_warehouse.table_name(f"T{n}") for n in range(2)]
    state = file_warehouse.table_name("state")
    for table in (*tables, state):
        file_warehouse.create_table(table, ID)

    def write(table: TableName) -> None:
        mine = file_warehouse.fork()
        for n in range(10):
            mine.stage(ID, ids(*(f"{n}-{i}" for i in range(500))), f"s{n}")
            with mine.transaction():
                mine.execute(Statement(f"INSERT INTO {table.name} SELECT * FROM s{n}"))
                mine.execute(Statement("INSERT INTO state VALUES (?)", (f"{table.name}-{n}",)))
        mine.close()

    threads = [threading.Thread(target=write, args=(table,)) for table in tables]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [file_warehouse.row_count(table) for table in (*tables, state)] == [5000, 5000, 20]


def test_a_file_that_another_process_holds_is_waited_for_and_its_holder_named(tmp_path: Path) -> None:
    path = str(tmp_path / "lake.duckdb")
    code = f"import duckdb, sys; c = duckdb.connect({path!r}); print('open', flush=True); sys.stdin.read()"
    naps: list[float] = []
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        holder.stdout.readline()
        with pytest.raises(RunLockedError, match=f"process {holder.pid}") as raised:
            open_duckdb(path, lock_timeout_s=0.25, sleep=naps.append, monotonic=lambda: sum(naps))
        holder.stdin.close()

    assert raised.value.context["pid"] == holder.pid
    assert len(naps) == 3
    open_duckdb(path).close()


@pytest.mark.parametrize("url", ["duckdb:///{path}", "{path}"])
def test_files_are_opened_by_path_or_address(tmp_path: Path, url: str) -> None:
    path = tmp_path / "lake.duckdb"
    opened = open_duckdb(url.format(path=path))

    assert opened.description == f"duckdb {path}"
    opened.close()
    assert path.exists()


def test_a_file_in_no_folder_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(WarehouseUnreachableError, match="Cannot open"):
        open_duckdb(str(tmp_path / "none" / "lake.duckdb"))


def test_foreign_types_are_told_as_the_nearest_kind(warehouse: DuckDBWarehouse) -> None:
    warehouse.execute(Statement("CREATE TABLE T(a UUID, b INT[], c TIMESTAMPTZ, d REAL, e UTINYINT)"))

    kinds = [column.type.kind for column in warehouse.columns(warehouse.table_name("T"))]

    expected = [
        ColumnKind.TEXT,
        ColumnKind.VARIANT,
        ColumnKind.TIMESTAMP,
        ColumnKind.FLOAT,
        ColumnKind.INTEGER,
    ]
    assert kinds == expected


def test_one_transaction_writes_to_one_database(warehouse: DuckDBWarehouse, tmp_path: Path) -> None:
    warehouse.execute(Statement(f"ATTACH '{tmp_path / 'other.db'}' AS other"))
    warehouse.execute(Statement("CREATE TABLE other.T(Id VARCHAR)"))
    warehouse.create_table(warehouse.table_name("T"), ID)

    with warehouse.transaction():
        warehouse.execute(Statement("INSERT INTO T VALUES ('1')"))
        with pytest.raises(StatementError, match="one database file"):
            warehouse.execute(Statement("INSERT INTO other.T VALUES ('1')"))


def test_ctrl_c_during_a_statement_is_ctrl_c_and_the_connection_lives_on(warehouse: DuckDBWarehouse) -> None:
    slow = "CREATE TEMP TABLE much AS SELECT hash(range) AS h FROM range(100000000) ORDER BY h"
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))

    timer.start()
    with pytest.raises(KeyboardInterrupt):
        warehouse.execute(Statement(slow))

    assert warehouse.query(Statement("SELECT 1")) == [(1,)]


def test_a_users_query_finds_tables_where_lht_puts_those_without_a_schema(tmp_path: Path) -> None:
    path = str(tmp_path / "lake.duckdb")
    with duckdb.connect(path) as lake:
        lake.execute(
            'CREATE SCHEMA "Raw \'1"; CREATE TABLE "Raw \'1".t AS SELECT 1 AS a; CREATE TABLE u AS SELECT 2 AS a'
        )

    with open_duckdb(path, schema="Raw '1") as placed, open_duckdb(path, schema="not yet there") as early:
        assert placed.query(Statement("SELECT t.a, u.a FROM t, u")) == [(1, 2)]
        assert early.query(Statement("SELECT a FROM u")) == [(2,)]
