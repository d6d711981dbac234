"""Puts the rows of one job into one table: all or nothing."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.errors import (
    ConfigError,
    IncompleteExtractError,
    LhtError,
    SchemaDriftError,
    WarehouseUnreachableError,
)
from lht.mapping.widening import Change, compare
from lht.model.operations import LoadResult
from lht.state.locks import TableLock
from lht.state.store import State
from lht.state.tables import system_column_definitions, system_columns
from lht.warehouse import live, statements

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from lht.model.salesforce import BulkJob
    from lht.model.table import Capabilities, Column, TableName
    from lht.state.standing import Standing
    from lht.warehouse.port import RowStream, Warehouse


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Loader:
    """Where rows go and how: `append` adds to what is there, else it is replaced.

    `job_column`: of what is there, only rows with the job's id in that column are replaced. Such a table holds the
    rows of many jobs: one that sync keeps, or that lacks the column, is refused.
    """

    warehouse: Warehouse
    table: TableName
    run_id: str
    append: bool = False
    lock_timeout_s: float = 10.0
    command: str = "bulk_results"
    job_column: str | None = None
    sleep: Callable[[float], None] = time.sleep

    @property
    def capabilities(self) -> Capabilities:
        return self.warehouse.capabilities

    def load(
        self, job: BulkJob, columns: Sequence[Column], stream: RowStream, *, rows: int | None = None
    ) -> LoadResult:
        """Stages the rows, counts them, then writes them in one transaction. `rows`: how many, else the job says.

        A table that syncs keep forgets where it stands, in the same transaction: its next sync is full.
        """
        self.warehouse.tag(self.run_id, job.object)
        lock = TableLock(
            self.warehouse,
            self.table,
            run_id=self.run_id,
            command=self.command,
            timeout_s=self.lock_timeout_s,
            sleep=self.sleep,
        )
        with lock:
            if lock.replaced:
                _log.warning("the lock of a dead run was replaced", extra={"dead_run": lock.replaced.run_id})
            if lock.standing.columns is not None and lock.standing.watermark is None:
                live.refuse_view(self.warehouse, self.table)
            if self.job_column:
                _refuse_foreign(self.table, self.job_column, lock.standing)
            self._shape(columns, lock.standing.columns)
            staging = self.warehouse.stage(columns, stream, f"_lht_load_{self.run_id}".replace("-", "_"))
            try:
                return self._commit(lock, job, columns, staging, job.records if rows is None else rows)
            finally:
                with suppress(LhtError):  # what went wrong first is what counts
                    self.warehouse.drop_table(staging)

    def _shape(self, columns: Sequence[Column], existing: Sequence[Column] | None) -> None:
        wanted = (*columns, *system_column_definitions(self.capabilities))
        if existing is None:
            self.warehouse.create_schema(self.table)
            self.warehouse.create_table(self.table, wanted)
            return
        by_name = {column.name.lower(): column for column in existing}
        for column in wanted:
            self._refuse_narrow(column, by_name.get(column.name.lower()))
        if lacking := [c for c in wanted if c.name.lower() not in by_name]:
            self.warehouse.add_columns(self.table, lacking)
            live.refresh(self.warehouse, self.table, system_columns(self.capabilities))

    def _refuse_narrow(self, wanted: Column, existing: Column | None) -> None:
        if existing and compare(existing.type, wanted.type, self.capabilities) is not Change.SAME:
            raise SchemaDriftError(
                f"{self.table}.{existing.name} is {existing.type}, the results need {wanted.type}.",
                hint="Load them into another table, or set the field's type in [types] of lht.toml.",
            )

    def _commit(
        self, lock: TableLock, job: BulkJob, columns: Sequence[Column], staging: TableName, expected: int
    ) -> LoadResult:
        staged = self.warehouse.row_count(staging)
        if staged != expected:
            raise IncompleteExtractError(
                f"Job {job.id} has {expected} rows, {staged} arrived; {self.table} was not changed.",
                hint="Run the same command again.",
            )
        rows = staged
        try:
            with self.warehouse.transaction():
                lock.check()
                rows = self._write(job, columns, staging, lock.standing.clock)
                lock.check_again()
                if lock.standing.watermark is not None:
                    State(self.warehouse).forget(self.table)
        except WarehouseUnreachableError:
            if not self._is_committed(rows):
                raise
        return LoadResult(job.id, str(self.table), rows, self.warehouse.row_count(self.table))

    def _write(self, job: BulkJob, columns: Sequence[Column], staging: TableName, now: datetime) -> int:
        stamps = system_columns(self.capabilities)
        if self.job_column:
            self.warehouse.execute(statements.delete_equal(self.table, self.job_column, job.id))
        elif not self.append:
            self.warehouse.execute(statements.delete_all(self.table))
        constants = {stamps.run_id: self.run_id, stamps.synced_at: now}
        names = [column.name for column in columns]
        return self.warehouse.execute(statements.insert_from(self.table, staging, names, constants))

    def _is_committed(self, rows: int) -> bool:
        """Looks, where the answer to COMMIT was lost, whether the rows are there: `--append` must not add them twice."""
        self.warehouse.reconnect()
        run_id = system_columns(self.capabilities).run_id
        ((found,),) = self.warehouse.query(statements.count_equal(self.table, run_id, self.run_id))
        return rows > 0 and int(str(found)) == rows


def _refuse_foreign(table: TableName, job_column: str, standing: Standing) -> None:
    """Raises ConfigError for a table whose rows are of another kind."""
    if standing.watermark is not None:
        raise ConfigError(
            f"{table} is kept by sync: the results of jobs cannot go into it.", hint="Choose another --table."
        )
    if standing.columns is not None and job_column not in {column.name for column in standing.columns}:
        raise ConfigError(
            f"{table} is there and has no column {job_column}: it holds no results of jobs.",
            hint="Choose another --table.",
        )
