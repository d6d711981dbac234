from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lht.errors import RunLockedError
from lht.model.run import Owner
from lht.model.table import TableName
from lht.state.locks import TableLock, is_alive, this_process
from lht.state.store import State
from lht.warehouse.duckdb import DuckDBWarehouse, open_duckdb
from lht.warehouse.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TABLE = TableName("memory", "main", "T")
HERE = this_process()


@pytest.fixture
def warehouse() -> Iterator[DuckDBWarehouse]:
    opened = open_duckdb(":memory:")
    State(opened).ensure()
    yield opened
    opened.close()


def rows(warehouse: DuckDBWarehouse) -> int:
    return warehouse.row_count(TableName("memory", "lht", "locks"))


def leave_lock(warehouse: DuckDBWarehouse, owner: Owner, *, silent_s: float = 0) -> None:
    """Writes the lock row of a run that is not there."""
    beat = datetime.now(UTC) - timedelta(seconds=silent_s)
    values = (owner.token, owner.host, owner.boot_id, owner.pid, beat, beat)
    warehouse.execute(
        Statement(
            "INSERT INTO lht.locks(table_catalog, table_schema, table_name, token, host, boot_id, pid, run_id,"
            " acquired_at, heartbeat_at) VALUES ('', 'main', 'T', ?, ?, ?, ?, 'left', ?, ?)",
            values,
        )
    )


def test_a_lock_is_held_for_the_block_and_then_given_back(warehouse: DuckDBWarehouse) -> None:
    with TableLock(warehouse, TABLE, run_id="one") as lock:
        lock.check()
        assert rows(warehouse) == 1

    assert rows(warehouse) == 0


def test_a_lock_is_given_back_after_an_error(warehouse: DuckDBWarehouse) -> None:
    with pytest.raises(KeyboardInterrupt), TableLock(warehouse, TABLE, run_id="one"):
        raise KeyboardInterrupt

    assert rows(warehouse) == 0


def test_a_second_run_is_told_who_holds_the_table(warehouse: DuckDBWarehouse) -> None:
    second = TableLock(warehouse.fork(), TABLE, run_id="two")
    with TableLock(warehouse, TABLE, run_id="one") as lock:
        with pytest.raises(RunLockedError, match=rf"one \(process {HERE.pid} on .*since \d{{4}}") as raised:
            second.__enter__()
        lock.check()

    assert raised.value.context["run_id"] == "one"


def test_other_tables_are_free(warehouse: DuckDBWarehouse) -> None:
    other = TableName("memory", "main", "U")
    with TableLock(warehouse, TABLE, run_id="one"), TableLock(warehouse.fork(), other, run_id="two") as lock:
        lock.check()


def test_a_lock_is_waited_for(warehouse: DuckDBWarehouse) -> None:
    first = TableLock(warehouse, TABLE, run_id="one")
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            first.__exit__(None, None, None)

    first.__enter__()
    with TableLock(
        warehouse.fork(), TABLE, run_id="two", timeout_s=10, sleep=nap, monotonic=lambda: sum(naps)
    ):
        assert len(naps) == 3


def test_of_many_threads_one_holds_the_table_at_a_time(warehouse: DuckDBWarehouse) -> None:
    inside, seen, failures = [0], [], []

    def work(number: int) -> None:
        try:
            with TableLock(warehouse.fork(), TABLE, run_id=str(number), timeout_s=60) as lock:
                inside[0] += 1
                seen.append(inside[0])
                time.sleep(0.01)
                lock.check()
                inside[0] -= 1
        except BaseException as error:  # noqa: BLE001 - a thread's errors are shown below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failures == []
    assert seen == [1] * 4


@pytest.mark.parametrize(
    ("owner", "silent_s", "is_replaced"),
    [
        (Owner("x", HERE.host, HERE.boot_id, 1), 0, True),
        (Owner("x", HERE.host, HERE.boot_id, 2), 0, False),
        (Owner("x", HERE.host, HERE.boot_id, 2), 91, True),
        (Owner("x", HERE.host, "before the last boot", 1), 0, False),
        (Owner("x", "other host", HERE.boot_id, 1), 80, False),
        (Owner("x", "other host", HERE.boot_id, 1), 91, True),
    ],
)
def test_a_dead_or_silent_holder_is_replaced(
    warehouse: DuckDBWarehouse,
    owner: Owner,
    silent_s: float,
    *,
    is_replaced: bool,
) -> None:
    leave_lock(warehouse, owner, silent_s=silent_s)
    lock = TableLock(warehouse, TABLE, run_id="new", is_alive=lambda pid: pid == 2)

    if not is_replaced:
        with pytest.raises(RunLockedError, match="Another run, left"):
            lock.__enter__()
        return
    with lock:
        lock.check()
    assert lock.replaced is not None
    assert lock.replaced.owner == owner


def test_a_stolen_lock_is_noticed(warehouse: DuckDBWarehouse) -> None:
    with TableLock(warehouse, TABLE, run_id="one") as lock:
        warehouse.execute(Statement("DELETE FROM lht.locks"))
        with pytest.raises(
            RunLockedError,
            match=r"lost its lock on the table memory.main.T and changed nothing\. Its process",
        ):
            lock.check()
        leave_lock(warehouse, Owner("thief", "h", "b", 1))
        with pytest.raises(RunLockedError, match="Run left has taken it"), warehouse.transaction():
            lock.check()


def test_the_heartbeat_is_written_and_outlives_a_failure(warehouse: DuckDBWarehouse) -> None:
    asking = Statement("SELECT heartbeat_at > acquired_at FROM lht.locks")
    with TableLock(warehouse, TABLE, run_id="one", heartbeat_s=0.01):
        warehouse.execute(Statement("ALTER TABLE lht.locks RENAME TO away"))
        time.sleep(0.05)
        warehouse.execute(Statement("ALTER TABLE lht.away RENAME TO locks"))
        deadline = time.monotonic() + 20
        while warehouse.query(asking) != [(True,)] and time.monotonic() < deadline:
            time.sleep(0.01)

        assert warehouse.query(asking) == [(True,)]


def test_a_lock_that_cannot_be_given_back_does_not_hide_an_error(warehouse: DuckDBWarehouse) -> None:
    with pytest.raises(KeyboardInterrupt), TableLock(warehouse, TABLE, run_id="one"):  # noqa: PT012
        warehouse.execute(Statement("DROP TABLE lht.locks"))
        raise KeyboardInterrupt


def test_a_killed_process_leaves_a_lock_that_the_next_replaces_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "lake.duckdb")
    code = f"""
import sys, time
from lht.state.locks import TableLock
from lht.state.store import State
from lht.warehouse.duckdb import open_duckdb
warehouse = open_duckdb({json.dumps(path)})
State(warehouse).ensure()
with TableLock(warehouse, warehouse.table_name("T"), run_id="killed"):
    print("held", flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(RunLockedError, match=str(process.pid)):
            open_duckdb(path, lock_timeout_s=0)
        process.send_signal(signal.SIGKILL)

    warehouse = open_duckdb(path)
    with TableLock(warehouse, warehouse.table_name("T"), run_id="next") as lock:
        assert lock.replaced is not None
        assert lock.replaced.run_id == "killed"
    warehouse.close()


def test_a_process_is_alive_until_it_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        assert is_alive(process.pid)
    assert not is_alive(process.pid)
    assert is_alive(1)
