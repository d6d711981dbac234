from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lht.errors import StateVersionError
from lht.model.run import JobRecord, RunRecord, SchemaChange
from lht.model.sync import ErrorReport, ObjectResult, Watermark
from lht.model.table import TableName
from lht.state import rows, tables
from lht.state.store import State
from lht.warehouse.duckdb import CAPABILITIES, DuckDBWarehouse, open_duckdb
from lht.warehouse.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2025, 1, 2, 3, 4, 5, 678, tzinfo=UTC)
TABLE = TableName("memory", "main", "T")
OTHER = TableName("elsewhere", "main", "T")
WATERMARK = Watermark(
    org_id="00D",
    object="Account",
    table=TABLE,
    key="Id",
    cursor="SystemModstamp",
    fingerprint="f",
    watermark=NOW,
    read_until=NOW,
    deleted_until=None,
    covered_from=None,
    rows_in_table=5,
    run_id="r",
    where="Name != null",
    fields=("Id", "Owner.Name"),
)
RESULT = ObjectResult(
    object="Account",
    table="main.T",
    mode="full",
    rows_read=3,
    rows_rounded={"Amount": 2},
    watermark=NOW,
    columns_added=("A",),
    warnings=("w",),
    error=ErrorReport("SYNC", "no", "why"),
)
RUN = RunRecord("r", "00D", "Account", TABLE, "sync", "failed", NOW, NOW, "4.0.0", RESULT)
JOB = JobRecord("j", "r", "00D", "Account", TABLE, "rows", "SELECT Id", "[]", "66.0", "f", NOW, "open", "[1]")
CHANGE = SchemaChange("c", "r", "00D", TABLE, "add", "A", "A__c", None, "varchar", NOW, None)


@pytest.fixture
def warehouse() -> Iterator[DuckDBWarehouse]:
    opened = open_duckdb(":memory:")
    yield opened
    opened.close()


@pytest.fixture
def state(warehouse: DuckDBWarehouse) -> State:
    state = State(warehouse)
    state.ensure()
    return state


def test_the_latest_watermark_counts(state: State) -> None:
    newer = replace(WATERMARK, rows_in_table=6, watermark=None)
    for watermark in (WATERMARK, newer, replace(WATERMARK, table=OTHER)):
        state.save_watermark(watermark)

    assert state.watermark(TABLE) == newer
    assert state.watermark(OTHER) == replace(WATERMARK, table=OTHER)
    assert state.watermark(TableName("memory", "raw", "T")) is None


def test_runs_come_newest_first_and_once_each(state: State) -> None:
    running = replace(RUN, status="running", ended_at=None, result=None)
    later = replace(running, run_id="s", started_at=NOW + timedelta(minutes=1))
    for run in (running, later, RUN):
        state.save_run(run)

    assert state.runs() == [later, RUN]
    assert state.runs(limit=1) == [later]
    assert state.runs(run_id="r") == [RUN]


def test_a_run_without_an_error_is_read_back(state: State) -> None:
    done = replace(RUN, status="done", result=replace(RESULT, error=None))
    state.save_run(done)

    assert state.runs() == [done]


def test_a_result_of_another_version_is_read_as_far_as_it_is_known() -> None:
    assert rows.result_from('{"object": "A", "table": "T", "novelty": 1}') == ObjectResult("A", "T")


def test_open_jobs_are_those_not_settled_since(state: State) -> None:
    settled = replace(JOB, job_id="k")
    for job in (JOB, settled, replace(settled, status="done")):
        state.save_job(job)

    assert state.open_jobs(TABLE) == [JOB]
    assert state.open_jobs(OTHER) == []


def test_a_change_is_owed_until_it_is_backfilled(state: State) -> None:
    state.save_change(CHANGE)
    assert state.owed(TABLE) == [CHANGE]

    state.save_change(replace(CHANGE, backfilled_at=NOW))
    assert state.owed(TABLE) == []


def test_a_forgotten_table_has_no_state_until_the_next_sync(state: State) -> None:
    state.save_watermark(WATERMARK)
    state.save_job(JOB)
    state.save_change(CHANGE)

    state.forget(TABLE)

    assert (state.watermark(TABLE), state.open_jobs(TABLE), state.owed(TABLE)) == (None, [], [])
    state.save_watermark(WATERMARK)
    assert state.watermark(TABLE) == WATERMARK


def test_state_is_rolled_back_with_the_transaction(warehouse: DuckDBWarehouse, state: State) -> None:
    with pytest.raises(KeyboardInterrupt), warehouse.transaction():  # noqa: PT012 - both belong to it
        state.save_watermark(WATERMARK)
        raise KeyboardInterrupt

    assert state.watermark(TABLE) is None


def test_state_survives_a_renamed_file(tmp_path: Path) -> None:
    first = open_duckdb(str(tmp_path / "one.duckdb"))
    state = State(first)
    state.ensure()
    state.save_watermark(replace(WATERMARK, table=first.table_name("T")))
    first.close()
    (tmp_path / "one.duckdb").rename(tmp_path / "two.duckdb")

    second = open_duckdb(str(tmp_path / "two.duckdb"))
    found = State(second).watermark(second.table_name("T"))
    second.close()

    assert found is not None
    assert found.table == TableName("two", "main", "T")


def test_ensure_may_be_repeated_and_adds_what_is_missing(warehouse: DuckDBWarehouse) -> None:
    state = State(warehouse, schema="own")
    state.ensure()
    warehouse.execute(Statement("ALTER TABLE own.runs DROP COLUMN seconds"))
    warehouse.execute(Statement("DELETE FROM own.meta"))

    state.ensure()
    state.ensure()

    assert warehouse.query(Statement("SELECT state_version FROM own.meta")) == [(tables.STATE_VERSION,)]
    state.save_run(RUN)
    assert state.runs() == [RUN]


def test_newer_state_is_refused(warehouse: DuckDBWarehouse, state: State) -> None:
    warehouse.execute(Statement("UPDATE lht.meta SET state_version = state_version + 1"))

    with pytest.raises(StateVersionError, match="version 2"):
        state.ensure()


def test_two_threads_save_at_the_same_time(warehouse: DuckDBWarehouse, state: State) -> None:
    def save(name: str) -> None:
        mine = warehouse.fork()
        own = State(mine)
        for n in range(20):
            with mine.transaction():
                table = TableName("memory", "main", name)
                own.save_watermark(replace(WATERMARK, table=table, rows_in_table=n))
        mine.close()

    threads = [threading.Thread(target=save, args=(name,)) for name in "AB"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    found = [state.watermark(TableName("memory", "main", name)) for name in "AB"]
    assert [watermark.rows_in_table for watermark in found if watermark] == [19, 19]


def test_system_columns_follow_the_warehouse() -> None:
    assert tables.system_columns(CAPABILITIES).run_id == "_lht_run_id"
    assert tables.system_columns(replace(CAPABILITIES, folds_upper=True)).run_id == "_LHT_RUN_ID"
