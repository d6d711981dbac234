"""What is particular to the warehouse port on Snowflake: files, statements, errors. The rest is in the shared suite."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
import snowflake.connector
from snowflake.snowpark.exceptions import SnowparkSQLException

from lht.errors import (
    ConfigError,
    IncompleteExtractError,
    MissingTableError,
    PrivilegeError,
    Recovery,
    StatementError,
    ValueOutOfRangeError,
    WarehouseUnreachableError,
)
from lht.model.table import Column, ColumnKind, ColumnType, TableName, TableOptions
from lht.warehouse.snowflake.adapter import CROWDED_PAUSES_S, SnowflakeWarehouse
from lht.warehouse.snowflake.connect import open_snowflake
from lht.warehouse.snowflake.link import Link, Login
from lht.warehouse.snowflake.sessions import SandboxFiles
from lht.warehouse.snowflake.staging import PartWriter
from lht.warehouse.statements import Statement, quote_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.testing.stand_in import StandInDatabase

TEXT, VARIANT = ColumnType(ColumnKind.TEXT), ColumnType(ColumnKind.VARIANT)
ID = (Column("ID", TEXT),)
WAITERS = (
    "Statement 'a' has locked table 'T'. Your statement was aborted because the number of waiters exceeds 20."
)
RUN = "run-1"
ON_ITS_WAY = r"PUT 'file://[^/]"
"""What the stand-in notes of a file besides the statement that the connector sent."""


@dataclass
class Stream:
    reader: pa.RecordBatchReader
    error: BaseException | None = None


def stream_of(*batches: pa.RecordBatch) -> Stream:
    return Stream(pa.RecordBatchReader.from_batches(batches[0].schema, batches))


def ids(*values: str) -> Stream:
    return stream_of(pa.record_batch({"Id": pa.array(values, pa.string())}))


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    return tmp_path / "work"


@pytest.fixture
def warehouse(lht_snowflake: StandInDatabase, work_dir: Path) -> Iterator[SnowflakeWarehouse]:
    with open_snowflake(lht_snowflake.options, name="prod", work_dir=work_dir) as opened:
        opened.tag(RUN, "Account")
        yield opened


@contextmanager
def on(link: Link, **options: Any) -> Iterator[SnowflakeWarehouse]:
    """A warehouse over a link of the test's own."""
    with SnowflakeWarehouse(link, label="prod", **options) as opened:
        yield opened
    link.connection.close()


def link_to(database: StandInDatabase, **options: Any) -> Link:
    return Link(Login(snowflake.connector.connect(**database.options, **options)))


def sent(database: StandInDatabase, verb: str) -> list[str]:
    return [s["sql"] for s in database.statements() if s["sql"].split(maxsplit=1)[0].upper() == verb]


def left_on_stage(warehouse: SnowflakeWarehouse) -> list[object]:
    stage = TableName(warehouse.table_name("T").catalog, "LHT", "LHT_STAGE")
    return [row["name"] for row in warehouse.records(Statement(f"LIST @{quote_table(stage)}"))]


def tables_of_lht(warehouse: SnowflakeWarehouse) -> list[object]:
    database = warehouse.table_name("T").catalog
    return [row["name"] for row in warehouse.records(Statement(f'SHOW TABLES IN SCHEMA "{database}"."LHT"'))]


# ---- names


def test_names_without_quotes_are_upper_case(warehouse: SnowflakeWarehouse) -> None:
    database = warehouse.table_name("t").catalog

    assert warehouse.table_name("t") == TableName(database, "PUBLIC", "T")
    assert warehouse.table_name("t", schema="raw") == TableName(database, "RAW", "T")
    assert warehouse.table_name('raw."My.Table"') == TableName(database, "RAW", "My.Table")
    assert warehouse.table_name("other.raw.t") == TableName("OTHER", "RAW", "T")
    with pytest.raises(ConfigError, match="not a name"):
        warehouse.table_name("a.b.c.d")


def test_a_schema_that_was_given_is_the_default(lht_snowflake: StandInDatabase) -> None:
    with open_snowflake(lht_snowflake.options, name="prod", schema="lake.raw") as opened:
        assert opened.table_name("t") == TableName("LAKE", "RAW", "T")
        with opened.fork() as other:
            assert other.table_name("t") == TableName("LAKE", "RAW", "T")


@pytest.mark.parametrize("key", ["database", "schema"])
def test_a_connection_that_names_no_place_says_which_key_to_add(
    lht_snowflake: StandInDatabase, key: str
) -> None:
    options = {name: value for name, value in lht_snowflake.options.items() if name != key}
    with open_snowflake(options, name="prod") as opened, pytest.raises(ConfigError, match=f"Add {key} = "):
        opened.table_name("t")


# ---- tables


def test_one_statement_tells_a_tables_columns(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    table = warehouse.table_name("t")
    warehouse.create_table(
        table, (Column("ID", ColumnType(ColumnKind.TEXT, length=18)), Column("V", VARIANT))
    )
    lht_snowflake.clear_statements()

    assert [(c.name, str(c.type)) for c in warehouse.columns(table) or ()] == [
        ("ID", "varchar(18)"),
        ("V", "variant"),
    ]
    assert warehouse.columns(warehouse.table_name("nowhere.t")) is None
    assert [s["sql"] for s in lht_snowflake.statements()] == [
        f"DESCRIBE TABLE {quote_table(table)}",
        f"DESCRIBE TABLE {quote_table(warehouse.table_name('nowhere.t'))}",
    ]


def test_a_table_is_created_in_one_statement(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    options = TableOptions(transient=True, cluster_by='("ID")', retention_days=1)
    column = Column("ID", TEXT, comment="What it's \\ called")
    warehouse.create_table(warehouse.table_name("t"), (column,), comment="Account", options=options)

    (creating,) = sent(lht_snowflake, "CREATE")
    assert creating.splitlines() == [
        f"CREATE TRANSIENT TABLE {quote_table(warehouse.table_name('t'))} (",
        "  \"ID\" VARCHAR COMMENT 'What it''s \\\\ called'",
        ")",
        'CLUSTER BY ("ID")',
        "DATA_RETENTION_TIME_IN_DAYS = 1",
        "COMMENT = 'Account'",
    ]


def test_a_schema_that_exists_is_not_created(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    warehouse.create_schema(warehouse.table_name("raw.t"))
    warehouse.create_schema(warehouse.table_name("raw.t"))
    warehouse.create_schema(warehouse.table_name("public.t"))

    assert len(sent(lht_snowflake, "CREATE")) == 1


def test_the_grant_for_a_schema_that_may_not_be_created_is_spelled(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    table = warehouse.table_name("raw.t")
    message = f"SQL access control error:\nInsufficient privileges to operate on database '{table.catalog}'"
    lht_snowflake.fault("refuse", "CREATE SCHEMA", code="003001", sqlstate="42501", message=message)

    with pytest.raises(PrivilegeError, match="RAW does not exist") as caught:
        warehouse.create_schema(table)

    assert f'GRANT CREATE SCHEMA ON DATABASE "{table.catalog}" TO ROLE' in caught.value.hint


def test_a_callers_session_keeps_its_schema_when_one_is_created(lht_snowflake: StandInDatabase) -> None:
    with on(link_to(lht_snowflake)) as opened:
        opened.create_schema(opened.table_name("raw.t"))
        ((schema,),) = opened.query(Statement("SELECT CURRENT_SCHEMA() AS s"))

        assert (schema, opened.table_name("t").schema) == ("PUBLIC", "PUBLIC")


# ---- staging


def test_staged_rows_leave_no_file_behind(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase, work_dir: Path
) -> None:
    staging = warehouse.stage(ID, ids("a", "b"), "_lht_stage_run_1")

    assert staging == TableName(warehouse.table_name("T").catalog, "LHT", "_LHT_STAGE_RUN_1")
    assert warehouse.row_count(staging) == 2
    assert left_on_stage(warehouse) == []
    assert list(work_dir.iterdir()) == []
    assert work_dir.stat().st_mode & 0o777 == 0o700
    assert all("/run-1/_LHT_STAGE_RUN_1-" in sql for sql in sent(lht_snowflake, "PUT"))


def test_nothing_is_put_or_copied_where_there_are_no_rows(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    staging = warehouse.stage(ID, ids(), "_lht_none")

    assert warehouse.row_count(staging) == 0
    assert {verb: len(sent(lht_snowflake, verb)) for verb in ("PUT", "COPY", "REMOVE")} == {
        "PUT": 0,
        "COPY": 0,
        "REMOVE": 0,
    }
    assert not [sql for sql in sent(lht_snowflake, "CREATE") if "STAGE IF" in sql]


def test_a_stage_that_exists_is_not_created(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    for name in ("_lht_first", "_lht_second"):
        warehouse.stage(ID, ids("a"), name)

    assert len([sql for sql in sent(lht_snowflake, "CREATE") if sql.startswith("CREATE STAGE")]) == 1


def test_what_a_sessions_own_way_of_putting_files_refuses_is_an_error_of_ours(
    lht_snowflake: StandInDatabase,
) -> None:
    class Refusing:
        def put(self, path: Path, folder: str, *, tag: str) -> None:
            raise SnowparkSQLException("Insufficient privileges to operate on stage 'LHT_STAGE'")

    link = link_to(lht_snowflake)
    link.files = Refusing()
    with on(link) as opened, pytest.raises(StatementError, match=r"could not run PUT @.*Insufficient"):
        opened.stage(ID, ids("a"), "_lht_refused")


def test_inside_snowflake_files_go_through_the_session_and_the_first_run_makes_the_stage(
    lht_snowflake: StandInDatabase,
) -> None:
    class File:
        """Snowpark's way, as in a stored procedure: the connector's errors come inside its own."""

        def put(self, path: str, folder: str, *, statement_params: dict[str, str], **_: object) -> None:
            try:
                link.connection.cursor().execute(
                    f"PUT 'file://{path}' {folder} AUTO_COMPRESS=FALSE", _statement_params=statement_params
                )
            except snowflake.connector.errors.ProgrammingError as error:
                raise SnowparkSQLException(str(error.msg), conn_error=error) from None

    link = link_to(lht_snowflake)
    link.files = SandboxFiles(SimpleNamespace(file=File()))
    with on(link) as opened:
        opened.tag(RUN, "Account")
        staging = opened.stage(ID, ids("a", "b"), "_lht_inside")

        assert opened.row_count(staging) == 2

    putting = [s for s in lht_snowflake.statements() if s["sql"].startswith("PUT 'file:///")]
    assert [json.loads(s["tag"])["run_id"] for s in putting] == [RUN, RUN]


def test_staging_tables_are_transient_and_keep_no_history(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    warehouse.stage(ID, ids("a"), "_lht_once")

    (creating,) = {sql for sql in sent(lht_snowflake, "CREATE") if "_LHT_ONCE" in sql}
    assert creating.startswith("CREATE OR REPLACE TRANSIENT TABLE")
    assert creating.endswith("DATA_RETENTION_TIME_IN_DAYS = 0")


def test_an_error_of_the_stream_is_raised_and_nothing_is_left(
    warehouse: SnowflakeWarehouse, work_dir: Path
) -> None:
    broken = ids("a")

    def batches() -> Iterator[pa.RecordBatch]:
        yield from ids("a").reader
        broken.error = KeyboardInterrupt("stopped")
        raise broken.error

    broken.reader = pa.RecordBatchReader.from_batches(pa.schema([("Id", pa.string())]), batches())
    with pytest.raises(KeyboardInterrupt, match="stopped"):
        warehouse.stage(ID, broken, "_lht_broken")

    assert tables_of_lht(warehouse) == []
    assert list(work_dir.iterdir()) == []


def test_a_copy_that_fails_leaves_nothing(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase, work_dir: Path
) -> None:
    message = "Numeric value 'secret' is not recognized"
    lht_snowflake.fault("refuse", "^COPY", code="100038", sqlstate="22018", message=message)

    with pytest.raises(StatementError) as caught:
        warehouse.stage(ID, ids("a"), "_lht_failed")

    assert "Numeric value '…' is not recognized" in caught.value.message
    assert "secret" not in str(caught.value)
    assert tables_of_lht(warehouse) == []
    assert left_on_stage(warehouse) == []
    assert list(work_dir.iterdir()) == []


def test_rows_that_snowflake_did_not_load_are_missed(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    class Nowhere:
        def put(self, path: Path, folder: str, *, tag: str) -> None:
            assert path.stat().st_size

    warehouse.stage(ID, ids("a"), "_lht_before")
    link = link_to(lht_snowflake)
    link.files = Nowhere()
    with (
        on(link) as opened,
        pytest.raises(IncompleteExtractError, match=r"loaded 0 rows .* where 2 were sent"),
    ):
        opened.stage(ID, ids("a", "b"), "_lht_lost")


def test_text_that_is_no_json_is_refused_by_the_name_of_its_column(warehouse: SnowflakeWarehouse) -> None:
    batch = pa.record_batch({"Id": ["1", "2"], "Any": ['{"a": [1, null]}', '{"a":']})

    with pytest.raises(ValueOutOfRangeError, match="1 values of column ANY are not JSON"):
        warehouse.stage((*ID, Column("ANY", VARIANT)), stream_of(batch), "_lht_json")

    assert tables_of_lht(warehouse) == []


def test_json_becomes_a_variant(warehouse: SnowflakeWarehouse) -> None:
    batch = pa.record_batch({"Id": ["1", "2", "3"], "Any": ['{"a": [1, null]}', "null", None]})
    staging = warehouse.stage((*ID, Column("ANY", VARIANT)), stream_of(batch), "_lht_json")

    asking = f'SELECT TO_JSON("ANY") AS j FROM {quote_table(staging)} ORDER BY "ID"'
    assert warehouse.query(Statement(asking)) == [('{"a":[1,null]}',), ("null",), (None,)]
    assert tables_of_lht(warehouse) == ["_LHT_JSON"]


def test_a_number_that_does_not_fit_is_refused_not_rounded(warehouse: SnowflakeWarehouse) -> None:
    money = Column("MONEY", ColumnType(ColumnKind.DECIMAL, precision=5, scale=2))
    for value in ("1234.50", "1.005"):
        batch = pa.record_batch({"Money": pa.array([Decimal(value)], pa.decimal128(38, 3))})
        with pytest.raises(ValueOutOfRangeError, match="column MONEY"):
            warehouse.stage((money,), stream_of(batch), "_lht_money")


def test_parts_are_handed_over_as_soon_as_they_are_whole(work_dir: Path) -> None:
    seen: list[tuple[str, list[str]]] = []

    def deliver(path: Path) -> None:
        seen.append((path.name, sorted(other.name for other in path.parent.iterdir())))

    with PartWriter(ID, deliver, work_dir, part_bytes=20_000) as writer:
        for number in range(12):
            writer.write(pa.record_batch({"Id": [f"{number:04}{place:012x}" for place in range(2_000)]}))
        parts_before_the_end = len(seen)
        rows = writer.finish()

    assert rows == 24_000
    assert parts_before_the_end > 2
    assert all(found == [name] for name, found in seen)
    assert list(work_dir.iterdir()) == []


def test_a_run_that_died_leaves_nothing_once_it_is_cleared(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    lht_snowflake.fault("refuse", "^REMOVE")
    warehouse.stage(ID, ids("a"), "_lht_stage_run_1_rows")
    warehouse.stage(ID, ids("a"), "_lht_stage_run_2_rows")
    assert len(left_on_stage(warehouse)) == 1

    with warehouse.fork() as other:
        other.clear_leftovers(RUN)
        other.clear_leftovers("run-9")

    assert tables_of_lht(warehouse) == ["_LHT_STAGE_RUN_2_ROWS"]
    assert left_on_stage(warehouse) == []


def test_a_transaction_that_a_killed_run_left_open_is_ended(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    table = warehouse.table_name("T")
    warehouse.create_table(table, ID)
    with open_snowflake(lht_snowflake.options, name="killed") as killed:
        killed.tag("run-9")
        left_open = killed.transaction()
        left_open.__enter__()
        killed.execute(Statement(f"INSERT INTO {quote_table(table)} VALUES ('lost')"))

        for run, is_gone in {"run-8": True, "run-9": False}.items():
            warehouse.clear_leftovers(run, is_gone=is_gone)
            assert killed.row_count(table) == 1
        warehouse.clear_leftovers("run-9", is_gone=True)
        assert killed.row_count(table) == 0
        left_open.__exit__(None, None, None)
    assert warehouse.row_count(table) == 0


def test_a_server_that_takes_no_names_of_transactions_has_them_without(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    lht_snowflake.fault("refuse", "^BEGIN TRANSACTION NAME")

    with warehouse.transaction():
        warehouse.now()

    begun = sent(lht_snowflake, "BEGIN")
    assert begun == ["BEGIN TRANSACTION NAME lht_run_1", "BEGIN"]


def test_the_rows_of_a_run_that_died_do_not_stay_on_the_disk(
    warehouse: SnowflakeWarehouse, work_dir: Path
) -> None:
    batch = pa.record_batch({"Id": ["a"]})

    def deliver(part: Path) -> None:
        warehouse.clear_leftovers("run-9")
        assert part.exists()
        warehouse.clear_leftovers(RUN)
        assert list(work_dir.iterdir()) == []
        part.parent.mkdir()
        part.touch()

    with PartWriter(ID, deliver, work_dir, run_id=RUN) as writer:
        writer.write(batch)
        writer.finish()

    assert list(work_dir.iterdir()) == []


def test_there_is_nothing_to_clear_before_the_first_run(warehouse: SnowflakeWarehouse) -> None:
    warehouse.clear_leftovers(RUN)


# ---- reading


def test_a_results_types_do_not_depend_on_its_values(lht_snowflake: StandInDatabase) -> None:
    asking = (
        "SELECT CAST(1 AS NUMBER(38,0)) AS n, CAST(1.5 AS NUMBER(10,2)) AS d, 'x' AS t, CAST(1 AS FLOAT) AS f,\n"
        "TRUE AS b, CAST('1700-01-01' AS DATE) AS day, CAST('4000-01-01 00:00:00.000001' AS DATETIME) AS at_\n"
        "WHERE ? = 1"
    )
    with on(link_to(lht_snowflake)) as opened:
        some = opened.read(Statement(asking, (1,))).read_all()
        none = opened.read(Statement(asking, (0,))).read_all()

    assert some.schema == none.schema
    assert [str(field.type) for field in some.schema] == [
        "decimal128(38, 0)",
        "decimal128(10, 2)",
        "string",
        "double",
        "bool",
        "date32[day]",
        "timestamp[us]",
    ]
    (row,) = some.to_pylist()
    assert (row["D"], row["AT_"]) == (Decimal("1.50"), datetime(4000, 1, 1, 0, 0, 0, 1))  # noqa: DTZ001
    assert none.num_rows == 0


def test_the_clock_is_utc(warehouse: SnowflakeWarehouse) -> None:
    now = warehouse.now()

    assert now.utcoffset() == timedelta(0)
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=5)


# ---- transactions


def test_what_would_commit_a_transaction_is_refused_inside_it(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    table = warehouse.table_name("t")
    warehouse.create_table(table, ID)
    lht_snowflake.clear_statements()

    def insert_and_drop() -> None:
        with warehouse.transaction():
            warehouse.execute(Statement(f"INSERT INTO {quote_table(table)} VALUES ('1')"))
            warehouse.drop_table(table)

    with pytest.raises(StatementError, match="would commit the open transaction"):
        insert_and_drop()

    assert warehouse.row_count(table) == 0
    assert sent(lht_snowflake, "DROP") == []
    assert len(sent(lht_snowflake, "ROLLBACK")) == 1


def test_a_lost_answer_to_commit_is_told_apart_and_can_be_looked_up(
    lht_snowflake: StandInDatabase,
) -> None:
    with open_snowflake({**lht_snowflake.options, "network_timeout": 1}, name="prod") as opened:
        table = opened.table_name("t")
        opened.create_table(table, ID)
        lht_snowflake.fault("lose_answer", "^COMMIT")

        with pytest.raises(WarehouseUnreachableError), opened.transaction():
            opened.execute(Statement(f"INSERT INTO {quote_table(table)} VALUES ('1')"))
        opened.reconnect()

        assert opened.row_count(table) == 1


def test_a_transaction_does_not_outlive_a_lost_answer_on_a_callers_connection(
    lht_snowflake: StandInDatabase,
) -> None:
    link = link_to(lht_snowflake, network_timeout=1)
    with on(link) as opened:
        table = opened.table_name("t")
        opened.create_table(table, ID)
        lht_snowflake.fault("lose_answer", "^INSERT")

        with pytest.raises(WarehouseUnreachableError), opened.transaction():
            opened.execute(Statement(f"INSERT INTO {quote_table(table)} VALUES ('1')"))

        assert opened.query(Statement("SELECT CURRENT_TRANSACTION() AS t")) == [(None,)]
        assert opened.row_count(table) == 0


def test_a_session_that_ended_is_opened_anew(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    lht_snowflake.fault("end_session", "SYSDATE")

    with pytest.raises(WarehouseUnreachableError, match="session has ended"):
        warehouse.now()
    warehouse.reconnect()

    assert warehouse.now().tzinfo is UTC


# ---- errors, tags


def test_a_table_that_too_many_write_to_is_tried_again(lht_snowflake: StandInDatabase) -> None:
    pauses: list[float] = []
    lht_snowflake.fault("refuse", "^DELETE", code="000625", sqlstate="57014", message=WAITERS, times=2)
    with on(link_to(lht_snowflake), sleep=pauses.append) as opened:
        opened.create_table(opened.table_name("t"), ID)
        opened.execute(Statement(f"DELETE FROM {quote_table(opened.table_name('t'))}"))

    assert [pause <= most for pause, most in zip(pauses, CROWDED_PAUSES_S, strict=False)] == [True, True]


def test_a_table_that_stays_crowded_is_an_error_that_may_be_tried_again(
    lht_snowflake: StandInDatabase,
) -> None:
    pauses: list[float] = []
    lht_snowflake.fault("refuse", "^DELETE", code="000625", sqlstate="57014", message=WAITERS, times=99)
    with on(link_to(lht_snowflake), sleep=pauses.append) as opened, pytest.raises(StatementError) as caught:
        opened.execute(Statement(f"DELETE FROM {quote_table(opened.table_name('t'))}"))

    assert caught.value.recovery is Recovery.RETRY
    assert len(pauses) == len(CROWDED_PAUSES_S)


def test_a_missing_table_is_told_as_such(warehouse: SnowflakeWarehouse) -> None:
    with pytest.raises(MissingTableError, match="could not run SELECT"):
        warehouse.row_count(warehouse.table_name("nowhere"))


def test_every_statement_tells_its_run_in_the_query_history(
    warehouse: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    lht_snowflake.clear_statements()
    warehouse.stage(ID, ids("a"), "_lht_tagged")
    with warehouse.fork() as other:
        other.now()

    tags = {s["tag"] for s in lht_snowflake.statements() if not re.match(ON_ITS_WAY, s["sql"])}
    assert [json.loads(tag) for tag in tags] == [{"app": "lht", "run_id": RUN, "object": "Account"}]
