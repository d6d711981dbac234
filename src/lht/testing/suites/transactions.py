"""The part of the warehouse suite about transactions, threads, clocks and tags."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lht.errors import LhtError, StatementError, WarehouseUnreachableError
from lht.model.table import Column
from lht.testing.suites.rows import TEXT, WHOLE, insert_row, rows_of, stream_of, table_with
from lht.warehouse.statements import Statement, quote_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.warehouse.port import Warehouse

COLUMNS = (Column("K", TEXT), Column("N", WHOLE))
CLOCKS_APART = timedelta(minutes=5)


class _StopError(Exception):
    """What a test raises inside a transaction."""


class TransactionsSuite:
    """What a warehouse does with transactions, forks and its clock."""

    def test_a_transaction_is_committed_at_its_end(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, COLUMNS)
        with warehouse.fork() as other:
            with warehouse.transaction():
                warehouse.execute(insert_row(table, {"K": "a", "N": 1}))
                inside = rows_of(warehouse, table)

            assert inside == rows_of(warehouse, table) == rows_of(other, table) == [("a", 1)]

    @pytest.mark.parametrize("error", [_StopError(), KeyboardInterrupt()], ids=repr)
    @pytest.mark.parametrize("done", range(6))
    def test_a_transaction_that_stops_anywhere_leaves_all_as_it_was(
        self, warehouse: Warehouse, done: int, error: BaseException
    ) -> None:
        target = table_with(warehouse, COLUMNS, ("a", 1), ("b", 2), name="LHT_SUITE.TARGET")
        state = table_with(warehouse, COLUMNS, ("saved", 1), name="LHT_SUITE_STATE.STATE")
        staging = warehouse.stage(COLUMNS, stream_of(COLUMNS, [("a", 10), ("c", 30)]), "steps")
        steps = _steps(*(quote_table(table) for table in (target, staging, state)))

        with pytest.raises(type(error)):
            _run_and_raise(warehouse, steps[:done], error)

        assert rows_of(warehouse, target) == [("a", 1), ("b", 2)]
        assert rows_of(warehouse, state) == [("saved", 1)]
        _run(warehouse, steps)
        assert rows_of(warehouse, target) == [("a", 10), ("c", 30)]
        assert rows_of(warehouse, state) == [("saved", 1), ("saved", 2)]

    def test_a_statement_that_fails_rolls_the_transaction_back(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, COLUMNS, ("a", 1))
        steps = [insert_row(table, {"K": "b", "N": 2}), Statement("SELECT nothing FROM nowhere")]

        with pytest.raises(StatementError):
            _run(warehouse, steps)

        assert rows_of(warehouse, table) == [("a", 1)]

    def test_a_statement_that_fails_does_not_spoil_the_connection(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, COLUMNS)
        with pytest.raises(StatementError):
            warehouse.execute(Statement("DELETE FROM nowhere"))

        _run(warehouse, [insert_row(table, {"K": "a", "N": 1})])

        assert rows_of(warehouse, table) == [("a", 1)]

    def test_transactions_are_never_nested_and_the_outer_one_goes_on(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, COLUMNS)
        with warehouse.transaction():
            with pytest.raises(StatementError, match="never nested"), warehouse.transaction():
                pass
            warehouse.execute(insert_row(table, {"K": "a", "N": 1}))

        assert rows_of(warehouse, table) == [("a", 1)]

    def test_a_fork_sees_what_is_committed_in_the_same_place(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, COLUMNS, ("a", 1))

        with ThreadPoolExecutor(1) as pool, warehouse.fork() as other:
            elsewhere = pool.submit(rows_of, other, table).result()

            assert other.table_name("T") == warehouse.table_name("T")
        assert elsewhere == [("a", 1)]

    def test_threads_with_forks_write_at_the_same_time(self, warehouse: Warehouse) -> None:
        tables = [table_with(warehouse, COLUMNS, name=f"LHT_SUITE.T{n}") for n in range(3)]
        forks = [warehouse.fork() for _ in tables]

        def write(fork: Warehouse, number: int) -> None:
            for turn in range(3):
                rows = [(f"{turn}-{n}", n) for n in range(20)]
                staging = fork.stage(COLUMNS, stream_of(COLUMNS, rows), f"s{number}_{turn}")
                target, source = quote_table(tables[number]), quote_table(staging)
                _run(fork, [Statement(f"INSERT INTO {target} SELECT * FROM {source}")])
                fork.drop_table(staging)

        with ThreadPoolExecutor() as pool:
            list(pool.map(write, forks, range(len(forks))))
        for fork in forks:
            fork.close()

        assert [warehouse.row_count(table) for table in tables] == [60] * len(tables)

    def test_closing_a_fork_leaves_the_first_connection_open(self, warehouse: Warehouse) -> None:
        warehouse.fork().close()

        assert warehouse.query(Statement("SELECT 1 AS a")) == [(1,)]

    def test_the_clock_is_aware_and_in_utc(self, warehouse: Warehouse) -> None:
        now = warehouse.now()

        assert now.utcoffset() == timedelta(0)
        assert abs(now - datetime.now(UTC)) < CLOCKS_APART

    def test_tags_and_more_memory_change_no_answer(self, warehouse: Warehouse) -> None:
        warehouse.tag("run-1'\"\\", "Account'\"\\")
        warehouse.make_room()

        assert warehouse.query(Statement("SELECT 1 AS a")) == [(1,)]

    def test_clearing_another_runs_leftovers_spares_this_ones(self, warehouse: Warehouse) -> None:
        warehouse.tag("run_of_mine")
        staging = warehouse.stage(COLUMNS, stream_of(COLUMNS, [("a", 1)]), "s_run_of_mine")

        for run in ("run_of_somebody", "run'; --"):
            warehouse.clear_leftovers(run)

        assert rows_of(warehouse, staging) == [("a", 1)]

    def test_what_a_dead_run_left_is_cleared_away(self, warehouse: Warehouse) -> None:
        with warehouse.fork() as killed:
            killed.tag("run-dead")
            staging = killed.stage(COLUMNS, stream_of(COLUMNS, [("a", 1)]), "s_run_dead")
            if warehouse.columns(staging) is None:  # its staging tables end with it
                return

            warehouse.clear_leftovers("run-dead", is_gone=True)

            assert warehouse.columns(staging) is None

    def test_a_connection_is_opened_anew_or_says_that_it_cannot(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, COLUMNS, ("a", 1))

        with contextlib.suppress(WarehouseUnreachableError):
            warehouse.reconnect()

        assert rows_of(warehouse, table) == [("a", 1)]

    def test_an_error_names_no_value(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, [Column("A", WHOLE)])

        with pytest.raises(LhtError) as raised:
            warehouse.execute(
                Statement(f"INSERT INTO {quote_table(table)} VALUES (?, ?)", ("S3CRET", "S3CRET"))
            )

        assert "S3CRET" not in str(raised.value)


def _steps(target: str, staging: str, state: str) -> list[Statement]:
    """A run's last transaction in small: changes, deletions, the state last."""
    return [
        Statement(f"DELETE FROM {target} WHERE K = ?", ("b",)),
        Statement(
            f"MERGE INTO {target} AS t USING (SELECT K, N FROM {staging}) AS s ON t.K = s.K\n"
            "WHEN MATCHED THEN UPDATE SET N = s.N WHEN NOT MATCHED THEN INSERT (K, N) VALUES (s.K, s.N)"
        ),
        Statement(f"SELECT count(*) AS n FROM {target}"),
        Statement(f"UPDATE {target} SET N = N + 0"),
        Statement(f"INSERT INTO {state} (K, N) VALUES (?, ?)", ("saved", 2)),
    ]


def _run(warehouse: Warehouse, steps: Sequence[Statement]) -> None:
    with warehouse.transaction():
        for step in steps:
            warehouse.execute(step)


def _run_and_raise(warehouse: Warehouse, steps: Sequence[Statement], error: BaseException) -> None:
    with warehouse.transaction():
        for step in steps:
            warehouse.execute(step)
        raise error
