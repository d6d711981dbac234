"""How many statements a run sends: each costs a warehouse on a network time, and its owner money."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, cast

import pytest
from lakes import DuckDBLake
from world import ROWS

from lht.app.history import runs
from lht.errors import RunLockedError
from lht.sync.engine import run_sync
from lht.warehouse.duckdb import from_connection
from lht.warehouse.snowflake.connect import open_snowflake
from lht.warehouse.statements import Statement, quote_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from world import World

    from lht.model.sync import SyncResult
    from lht.model.table import TableName
    from lht.testing.stand_in import StandInDatabase
    from lht.warehouse.port import Warehouse


@pytest.fixture
def scenario_lake() -> DuckDBLake:
    """The tests here open the warehouses that they are about."""
    return DuckDBLake()


class Recorder:
    """A warehouse that notes what is asked of it, and hands everything on."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.told: list[str] = []
        self._warehouse = warehouse

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._warehouse, name)
        if name in {"create_schema", "create_table", "add_columns", "stage", "now", "fork", "reconnect"}:
            self.told.append(name)
        return found

    def columns(self, table: TableName) -> Any:
        self.told.append(f"DESCRIBE TABLE {table.name}")
        return self._warehouse.columns(table)

    def row_count(self, table: TableName) -> int:
        self.told.append(f"SELECT count(*) FROM {table.name}")
        return self._warehouse.row_count(table)

    def drop_table(self, table: TableName) -> None:
        self.told.append("DROP TABLE")
        self._warehouse.drop_table(table)

    def execute(self, statement: Statement) -> int:
        self.told.append(statement.sql)
        return self._warehouse.execute(statement)

    def query(self, statement: Statement) -> list[tuple[object, ...]]:
        self.told.append(statement.sql)
        return self._warehouse.query(statement)

    def transaction(self) -> AbstractContextManager[None]:
        self.told.append("BEGIN")
        return self._warehouse.transaction()


def head(sql: str) -> str:
    """A statement's verb and the last part of the first table's name, in small letters."""
    words = re.sub(r"\s+", " ", sql).strip()
    found = re.match(
        r"(INSERT INTO|DELETE FROM|UPDATE|MERGE INTO|DESCRIBE TABLE|CREATE OR REPLACE \w+ TABLE|CREATE TABLE"
        r"|DROP TABLE IF EXISTS|COPY INTO) (\S+)",
        words,
    )
    if not found:
        return " ".join(words.split()[:2] if words.startswith("SELECT") else words.split()[:1]).lower()
    name = found[2].split(".")[-1].strip('"').lower()
    return f"{found[1].lower()} {'staging' if name.startswith('_lht_stage') else name}"


SIX = [
    "insert into locks",
    "describe table account",
    "select 'table'",
    "insert into watermarks",
    "insert into runs",
    "delete from locks",
]


def heads(sent: list[str]) -> list[str]:
    return [head(sql) for sql in sent]


def sync(world: World, warehouse: Any, *objects: str, parallel: int = 3, **options: Any) -> SyncResult:
    world.runs += 1
    return run_sync(
        world.org,
        cast("Warehouse", warehouse),
        world.requests(*(objects or ("Account",)), **options),
        run_id=f"run{world.runs:04}",
        spool_dir=world.spool_dir,
        parallel=parallel,
        on_event=world.events.append,
    )


def later(world: World) -> None:
    """Lets so much time pass that nothing is read again that was read before."""
    world.local.admin.advance_clock(3600)


def counted(result: SyncResult) -> tuple[int, int]:
    assert result.failures == ()
    return result.objects[0].rows_read, result.objects[0].rows_in_table


# ---- on DuckDB, through the port


SMALL = [
    *SIX[:3],
    "create or replace transient table staging",
    "put",
    "copy into staging",
    "remove",
    "select count(*)",  # all that must be known of what is staged
    "create or replace transient table staging",  # what becomes of each row
    "select what,",
    "begin",
    "select c.clock,",  # the lock is still ours
    "merge into account",
    "select count(*)",
    *SIX[3:5],
    "commit",
    "drop table if exists staging",
    "drop table if exists staging",
    "delete from locks",
]


@pytest.fixture
def recorder(world: World) -> Recorder:
    return Recorder(from_connection(world.lake.connection))


def test_an_empty_run_is_six_statements(world: World, recorder: Recorder) -> None:
    world.rest.create("Account", Name="A")
    later(world)
    sync(world, recorder)
    later(world)
    recorder.told.clear()

    result = sync(world, recorder)

    assert counted(result) == (0, 1)
    assert heads(recorder.told) == SIX


def test_a_deletion_that_is_applied_is_not_staged_again(world: World, recorder: Recorder) -> None:
    gone = world.rest.create("Account", Name="A")
    world.rest.create("Account", Name="B")
    later(world)
    sync(world, recorder)
    world.rest.delete("Account", gone)
    later(world)
    assert counted(sync(world, recorder)) == (1, 2)
    world.local.admin.advance_clock(930)  # less than what getDeleted may be asked for at least
    sync(world, recorder)
    recorder.told.clear()

    world.local.admin.advance_clock(20)
    sync(world, recorder)

    assert heads(recorder.told) == SIX


def test_an_empty_run_with_a_filter_is_six_statements(world: World, recorder: Recorder) -> None:
    world.rest.create("Account", Name="A")
    later(world)
    sync(world, recorder, where="Name != 'B'")
    later(world)
    recorder.told.clear()

    result = sync(world, recorder, where="Name != 'B'")

    assert counted(result) == (0, 1)
    assert heads(recorder.told) == SIX


def test_an_empty_run_of_an_object_whose_last_run_was_a_job_is_six_statements(bulk_world: World) -> None:
    recorder = Recorder(from_connection(bulk_world.lake.connection))
    later(bulk_world)
    assert counted(sync(bulk_world, recorder)) == (ROWS, ROWS)
    assert [path for path in bulk_world.paths() if "jobs/query" in path]
    later(bulk_world)
    recorder.told.clear()

    assert counted(sync(bulk_world, recorder)) == (0, ROWS)

    assert heads(recorder.told) == SIX


def test_an_empty_run_of_an_object_with_very_many_fields_needs_no_job(
    world: World, recorder: Recorder
) -> None:
    for n in range(330):
        world.local.admin.add_field("Account", f"A_field_with_a_long_name_number_{n:04}__c", "boolean")
    world.rest.create("Account", Name="A")
    later(world)
    sync(world, recorder)
    later(world)
    recorder.told.clear()
    world.local.admin.clear_requests()

    assert counted(sync(world, recorder)) == (0, 1)

    assert heads(recorder.told) == SIX
    assert not [path for path in world.paths() if "jobs/query" in path]


def test_a_lock_that_is_lost_meanwhile_stops_an_empty_run(world: World, recorder: Recorder) -> None:
    world.rest.create("Account", Name="A")
    sync(world, recorder)
    before = world.value("SELECT max(read_until) FROM lht.watermarks")
    later(world)

    def steal(event: Any) -> None:
        if event.kind == "loading":
            world.execute("DELETE FROM lht.locks")

    result = run_sync(
        world.org,
        cast("Warehouse", recorder),
        world.requests("Account"),
        run_id="late",
        spool_dir=world.spool_dir,
        on_event=steal,
    )

    assert [type(error) for error in result.failures] == [RunLockedError]
    assert world.value("SELECT max(read_until) FROM lht.watermarks") == before
    assert world.rows("SELECT status FROM lht.runs WHERE run_id = 'late'") == [("failed",)]


# ---- on the stand-in for Snowflake: what its server was really sent


@pytest.fixture
def snowflake(lht_snowflake: StandInDatabase, tmp_path: Path) -> Iterator[Warehouse]:
    with open_snowflake(lht_snowflake.options, name="snowflake", work_dir=tmp_path) as warehouse:
        yield warehouse


def sent(database: StandInDatabase) -> list[str]:
    """The heads of what was sent since the last look; a PUT comes twice over the wire and counts once."""
    found = heads([str(statement["sql"]) for statement in database.statements()])
    database.clear_statements()
    return [word for n, word in enumerate(found) if word != "put" or found[n - 1] != "put"]


def test_on_snowflake_an_empty_run_is_six_statements(
    world: World, snowflake: Warehouse, lht_snowflake: StandInDatabase
) -> None:
    world.rest.create("Account", Name="A")
    later(world)
    sync(world, snowflake)
    later(world)
    sent(lht_snowflake)

    result = sync(world, snowflake)

    assert counted(result) == (0, 1)
    assert sent(lht_snowflake) == SIX


def test_on_snowflake_each_object_of_a_run_costs_the_same_six(
    world: World, snowflake: Warehouse, lht_snowflake: StandInDatabase
) -> None:
    for name in ("Account", "Contact"):
        world.rest.create(name, **({"LastName": "A"} if name == "Contact" else {"Name": "A"}))
    later(world)
    assert sync(world, snowflake, "Account", "Contact", parallel=2).failures == ()
    later(world)
    sent(lht_snowflake)

    assert sync(world, snowflake, "Account", "Contact", parallel=2).failures == ()

    of_contact = [word.replace("account", "contact") for word in SIX]
    assert sorted(sent(lht_snowflake)) == sorted(SIX + of_contact)


def test_on_snowflake_a_small_run_makes_no_table_in_its_transaction(
    world: World, snowflake: Warehouse, lht_snowflake: StandInDatabase
) -> None:
    record = world.rest.create("Account", Name="A")
    sync(world, snowflake)
    world.rest.update("Account", record, Name="B")
    sent(lht_snowflake)

    result = sync(world, snowflake)

    assert counted(result) == (1, 1)
    assert sent(lht_snowflake) == SMALL


# ---- what goes wrong on the way, on the stand-in


def test_on_snowflake_a_commit_whose_answer_was_lost_is_looked_for(
    world: World, lht_snowflake: StandInDatabase, tmp_path: Path
) -> None:
    world.rest.create("Account", Name="A")
    options = {**lht_snowflake.options, "network_timeout": 5}  # or the connector asks on for minutes
    with open_snowflake(options, name="snowflake", work_dir=tmp_path) as warehouse:
        lht_snowflake.fault("lose_answer", "^COMMIT")

        result = sync(world, warehouse)

        assert counted(result) == (1, 1)
        assert [run.status for run in runs(warehouse)] == ["done"]


def test_on_snowflake_old_rows_are_filled_by_one_statement(world: World, snowflake: Warehouse) -> None:
    world.rest.create("Account", Name="A")
    sync(world, snowflake)
    world.local.admin.add_field("Account", "New__c")
    record = world.rest.create("Account", Name="B", New__c="b")
    world.rest.update("Account", record, New__c="c")

    result = sync(world, snowflake, refresh_formulas=True)

    assert result.failures == ()
    table = quote_table(snowflake.table_name("Account"))
    rows = snowflake.query(Statement(f'SELECT "NAME", "NEW__C" FROM {table} ORDER BY "NAME"'))
    assert rows == [("A", None), ("B", "c")]
