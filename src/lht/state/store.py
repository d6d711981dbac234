"""Reads and writes LHT's own tables: watermarks, runs, jobs and schema changes.

Writes join the caller's transaction if one is open.
"""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from lht.errors import MissingTableError, StatementError, StateVersionError
from lht.state import rows, statements, tables
from lht.state.names import state_names
from lht.state.standing import Standing, current_watermark, standing_from, standing_statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from lht.model.run import JobRecord, RunRecord, SchemaChange
    from lht.model.sync import Watermark
    from lht.model.table import TableName
    from lht.state.statements import Guard
    from lht.state.tables import StateTable
    from lht.warehouse.port import Warehouse

CREATE_TRIES, CREATE_POLL_S = 50, 0.05
"""How long a table is waited for that another thread or process is creating."""


class State:
    """LHT's tables in one warehouse, through one connection: each thread has its own `State(warehouse.fork())`."""

    def __init__(
        self,
        warehouse: Warehouse,
        *,
        schema: str | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._warehouse = warehouse
        self._names = state_names(warehouse, schema)
        self._catalog = self._names.catalog
        self._sleep = sleep

    def ensure(self) -> None:
        """Creates or upgrades the tables, outside transactions; StateVersionError if they are a newer LHT's."""
        if self.check_version() < tables.STATE_VERSION:
            self._create()

    def check_version(self) -> int:
        """Gives the tables' version, 0 if there are none; StateVersionError if they are a newer LHT's."""
        try:
            ((highest,),) = self._warehouse.query(statements.newest_version(self._names))
        except MissingTableError:
            return 0
        found = int(str(highest))
        if found > tables.STATE_VERSION:
            raise StateVersionError(
                f"LHT's tables in {self._names.table(tables.META).schema} have version {found}; "
                f"this LHT knows versions up to {tables.STATE_VERSION}.",
                hint="Upgrade LHT: pip install --upgrade lht",
            )
        return found

    def _create(self) -> None:
        self._warehouse.create_schema(self._names.table(tables.META))
        self.create(tables.ALL)
        self._append(
            tables.META,
            {
                "state_version": tables.STATE_VERSION,
                "lht_version": version("lht"),
                "saved_at": self._warehouse.now(),
            },
        )

    def create(self, wanted: Iterable[StateTable]) -> None:
        """Creates tables, or adds the columns that they lack, outside transactions."""
        for table in wanted:
            self._create_table(table)

    def _create_table(self, table: StateTable) -> None:
        """Creates a table or adds what it lacks; where another run creates it now, waits until it is there."""
        name = self._names.table(table)
        columns = [replace(c, name=self._names.stored(c.name)) for c in table.columns]
        for tries_left in reversed(range(CREATE_TRIES)):
            existing = self._warehouse.columns(name)
            try:
                if existing is None:
                    self._warehouse.create_table(name, columns)
                else:
                    have = {column.name.lower() for column in existing}
                    lacking = [column for column in columns if column.name.lower() not in have]
                    self._warehouse.add_columns(name, lacking)
            except StatementError:
                if not tries_left:
                    raise
                self._sleep(CREATE_POLL_S)
            else:
                return

    def standing(self, table: TableName) -> Standing:
        """Gives all that is known of a table: one look at its columns, then one statement for the rest."""
        columns = self._warehouse.columns(table)
        asking = standing_statement(self._names, table, counts_rows=columns is not None)
        try:
            found = self._warehouse.query(asking)
        except MissingTableError:  # LHT has no tables yet
            counted = self._warehouse.row_count(table) if columns is not None else 0
            return Standing(columns, counted, self._warehouse.now())
        return standing_from(found, columns, self._catalog)

    # ---- watermarks

    def watermark(self, table: TableName) -> Watermark | None:
        """Where a table stands; None if LHT never committed anything to it, or was told to forget it."""
        found = self._latest(tables.WATERMARKS, rows.table_row(table, self._catalog))
        return current_watermark(found, self._catalog)

    def save_watermark(self, watermark: Watermark, *, held_by: str | None = None) -> bool:
        """Says where a table stands now; False, with nothing written, if the lock of that token is gone."""
        guard = statements.ALWAYS if held_by is None else statements.while_held(self._names, held_by)
        return self._append(tables.WATERMARKS, rows.watermark_row(watermark, self._catalog), guard)

    # ---- runs

    def save_run(self, record: RunRecord) -> None:
        """Appends a run's state; the latest for a run and table counts."""
        self._append(tables.RUNS, rows.run_row(record, self._catalog))

    def save_bad_end(self, record: RunRecord) -> None:
        """Appends a run's state unless it is known to be done: Ctrl-C may come while COMMIT's answer is on its way."""
        self._save_unless_said(record, self._key_of(record) | {"status": "done"})

    def save_first_end(self, record: RunRecord) -> None:
        """Appends a run's state unless the run has itself said how it ended."""
        self._save_unless_said(record, self._key_of(record))

    def _save_unless_said(self, record: RunRecord, said: rows.Row) -> None:
        guard = statements.unless(statements.said(self._names, said))
        self._append(tables.RUNS, rows.run_row(record, self._catalog), guard)

    def is_done(self, record: RunRecord) -> bool:
        """Whether a run's part is committed: its row is the last that its transaction writes."""
        done = self._key_of(record) | {"status": "done"}
        return bool(self._warehouse.query(statements.said(self._names, done)))

    def _key_of(self, record: RunRecord) -> rows.Row:
        table = rows.table_row(record.table, self._catalog)
        return {"run_id": record.run_id, "object": record.object, **table}

    def runs(self, *, limit: int = 50, run_id: str | None = None) -> list[RunRecord]:
        """Runs that have ended, the newest first, one record for each run, object and table."""
        where = {"run_id": run_id} if run_id else {}
        found = self._latest(tables.RUNS, where, order="started_at", newest=limit)
        return [rows.run_from(row, self._catalog) for row in found]

    # ---- jobs

    def save_job(self, record: JobRecord) -> None:
        """Appends a job's state; the latest of a job counts."""
        self._append(tables.JOBS, rows.job_row(record, self._catalog))

    def open_jobs(self, table: TableName) -> list[JobRecord]:
        """Jobs of a table whose fate is not settled, oldest first."""
        found = self._latest(tables.JOBS, rows.table_row(table, self._catalog), order="created_at")
        return [rows.job_from(row, self._catalog) for row in found if row["status"] == "open"]

    # ---- schema changes

    def save_change(self, change: SchemaChange) -> None:
        """Appends a change's state; the latest of a change counts."""
        self._append(tables.SCHEMA_CHANGES, rows.change_row(change, self._catalog))

    def owed(self, table: TableName) -> list[SchemaChange]:
        """Changes whose old rows still lack their values, oldest first."""
        found = self._latest(tables.SCHEMA_CHANGES, rows.table_row(table, self._catalog), order="changed_at")
        return [rows.change_from(row, self._catalog) for row in found if row["backfilled_at"] is None]

    def forget(self, table: TableName) -> None:
        """Forgets where a table stands, its open jobs and what it is owed: the next sync reads everything."""
        jobs, owed = self.open_jobs(table), self.owed(table)
        forgotten = {**rows.table_row(table, self._catalog), "status": "forgotten"}
        self._append(tables.WATERMARKS, forgotten)
        for job in jobs:
            self.save_job(replace(job, status="dropped"))
        now = self._warehouse.now() if owed else None
        for change in owed:
            self.save_change(replace(change, backfilled_at=now))

    # ---- rows

    def _append(self, table: StateTable, row: rows.Row, guard: Guard = statements.ALWAYS) -> bool:
        """Adds a row above all others of its table, if the guard's condition is met; tells whether it did."""
        return self._warehouse.execute(statements.append(self._names, table, row, guard)) > 0

    def _latest(
        self, table: StateTable, where: rows.Row, *, order: str = "saved", newest: int | None = None
    ) -> list[rows.Row]:
        """The latest version of each thing that `where` finds; nothing where LHT has no tables yet."""
        try:
            found = self._warehouse.query(statements.latest_rows(self._names, table, where, order, newest))
        except MissingTableError:
            return []
        columns = [column.name for column in table.columns]
        return [dict(zip(columns, row, strict=True)) for row in found]
