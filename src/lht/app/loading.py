"""Puts the rows of one job into one table: all or nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.errors import IncompleteExtractError, SchemaDriftError
from lht.mapping.widening import Change, compare
from lht.model.operations import LoadResult
from lht.state.locks import TableLock
from lht.state.store import State
from lht.state.tables import system_column_definitions, system_columns
from lht.warehouse import statements

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lht.model.salesforce import BulkJob
    from lht.model.table import Capabilities, Column, TableName
    from lht.records.parse import RecordStream
    from lht.warehouse.port import Warehouse


@dataclass(frozen=True, slots=True)
class Loader:
    """Where rows go and how: `append` adds to what is there, else it is replaced."""

    warehouse: Warehouse
    table: TableName
    run_id: str
    append: bool = False
    lock_timeout_s: float = 10.0
    sleep: Callable[[float], None] = time.sleep

    @property
    def capabilities(self) -> Capabilities:
        return self.warehouse.capabilities

    def load(self, job: BulkJob, columns: Sequence[Column], stream: RecordStream) -> LoadResult:
        """Stages the rows, counts them, then writes them in one transaction.

        A table that syncs keep forgets where it stands, in the same transaction: its next sync is full.
        """
        state = State(self.warehouse)
        state.ensure()
        lock = TableLock(
            self.warehouse, self.table, run_id=self.run_id, timeout_s=self.lock_timeout_s, sleep=self.sleep
        )
        with lock:
            self._shape(columns)
            staging = self.warehouse.stage(columns, stream, f"_lht_load_{self.run_id}".replace("-", "_"))
            try:
                return self._commit(state, lock, job, columns, staging)
            finally:
                self.warehouse.drop_table(staging)

    def _shape(self, columns: Sequence[Column]) -> None:
        existing = self.warehouse.columns(self.table)
        wanted = (*columns, *system_column_definitions(self.capabilities))
        if existing is None:
            self.warehouse.create_schema(self.table)
            self.warehouse.create_table(self.table, wanted)
            return
        by_name = {column.name.lower(): column for column in existing}
        for column in wanted:
            self._refuse_narrow(column, by_name.get(column.name.lower()))
        self.warehouse.add_columns(self.table, [c for c in wanted if c.name.lower() not in by_name])

    def _refuse_narrow(self, wanted: Column, existing: Column | None) -> None:
        if existing and compare(existing.type, wanted.type, self.capabilities) is not Change.SAME:
            raise SchemaDriftError(
                f"{self.table}.{existing.name} is {existing.type}, the results need {wanted.type}.",
                hint="Load them into another table, or set the field's type in [types] of lht.toml.",
            )

    def _commit(
        self, state: State, lock: TableLock, job: BulkJob, columns: Sequence[Column], staging: TableName
    ) -> LoadResult:
        staged = self.warehouse.row_count(staging)
        if staged != job.records:
            raise IncompleteExtractError(
                f"Job {job.id} has {job.records} rows, {staged} arrived; {self.table} was not changed.",
                hint="Run the same command again.",
            )
        stamps = system_columns(self.capabilities)
        now = self.warehouse.now()
        insert = statements.insert_from(
            self.table,
            staging,
            [c.name for c in columns],
            {stamps.run_id: self.run_id, stamps.synced_at: now},
        )
        with self.warehouse.transaction():
            lock.check()
            if not self.append:
                self.warehouse.execute(statements.delete_all(self.table))
            rows = self.warehouse.execute(insert)
            if state.watermark(self.table) is not None:
                state.forget(self.table)
        return LoadResult(job.id, str(self.table), rows, self.warehouse.row_count(self.table))
