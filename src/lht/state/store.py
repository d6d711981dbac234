"""Reads and writes LHT's own tables: watermarks, runs, jobs and schema changes.

Writes join the caller's transaction if one is open.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from lht.errors import StateVersionError
from lht.state import rows, tables
from lht.warehouse.statements import Statement, quote, quote_table

if TYPE_CHECKING:
    from lht.model.run import JobRecord, RunRecord, SchemaChange
    from lht.model.sync import Watermark
    from lht.model.table import TableName
    from lht.state.tables import StateTable
    from lht.warehouse.port import Warehouse


class State:
    """LHT's tables in one warehouse, through one connection: each thread has its own `State(warehouse.fork())`."""

    def __init__(self, warehouse: Warehouse, *, schema: str | None = None) -> None:
        self._warehouse = warehouse
        self._names = {table.name: state_table(warehouse, table, schema) for table in tables.ALL}
        self._catalog = self._names[tables.META.name].catalog
        self._has_tables = False

    def ensure(self) -> None:
        """Creates or upgrades the tables, outside transactions; StateVersionError if they are a newer LHT's."""
        found = self._version()
        if found > tables.STATE_VERSION:
            raise StateVersionError(
                f"LHT's tables in {self._names[tables.META.name].schema} have version {found}; "
                f"this LHT knows versions up to {tables.STATE_VERSION}.",
                hint="Upgrade LHT: pip install --upgrade lht",
            )
        if found < tables.STATE_VERSION:
            self._create()

    def _version(self) -> int:
        meta = self._names[tables.META.name]
        if self._warehouse.columns(meta) is None:
            return 0
        ((highest,),) = self._warehouse.query(
            Statement(
                f"SELECT coalesce(max({self._quoted('state_version')}), 0) AS version FROM {quote_table(meta)}"
            )
        )
        return int(str(highest))

    def _create(self) -> None:
        self._warehouse.create_schema(self._names[tables.META.name])
        for table in tables.ALL:
            name = self._names[table.name]
            columns = [replace(c, name=stored_name(self._warehouse, c.name)) for c in table.columns]
            if self._warehouse.columns(name) is None:
                self._warehouse.create_table(name, columns)
            else:
                self._warehouse.add_columns(name, columns)
        self._append(
            tables.META,
            {
                "state_version": tables.STATE_VERSION,
                "lht_version": version("lht"),
                "saved_at": self._warehouse.now(),
            },
        )

    # ---- watermarks

    def watermark(self, table: TableName) -> Watermark | None:
        """Where a table stands; None if LHT never committed anything to it, or was told to forget it."""
        found = self._latest(tables.WATERMARKS, rows.table_row(table, self._catalog))
        if not found or found[0]["status"] != "current":
            return None
        return rows.watermark_from(found[0], self._catalog)

    def save_watermark(self, watermark: Watermark) -> None:
        self._append(tables.WATERMARKS, rows.watermark_row(watermark, self._catalog))

    # ---- runs

    def save_run(self, record: RunRecord) -> None:
        """Appends a run's state; the latest for a run and table counts."""
        self._append(tables.RUNS, rows.run_row(record, self._catalog))

    def runs(self, *, limit: int = 50, run_id: str | None = None) -> list[RunRecord]:
        """The newest first, one record for each run, object and table."""
        where = {"run_id": run_id} if run_id else {}
        found = self._latest(tables.RUNS, where, order="started_at", descending=True, limit=limit)
        return [rows.run_from(row, self._catalog) for row in found]

    def unfinished_runs(self, table: TableName) -> list[RunRecord]:
        """Runs of a table that never wrote how they ended; whoever holds the lock knows that they are dead."""
        found = self._latest(tables.RUNS, rows.table_row(table, self._catalog), order="started_at")
        return [rows.run_from(row, self._catalog) for row in found if row["status"] == "running"]

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
        forgotten = {**rows.table_row(table, self._catalog), "status": "forgotten"}
        self._append(tables.WATERMARKS, forgotten)
        for job in self.open_jobs(table):
            self.save_job(replace(job, status="dropped"))
        for change in self.owed(table):
            self.save_change(replace(change, backfilled_at=self._warehouse.now()))

    # ---- rows

    def _append(self, table: StateTable, row: rows.Row) -> None:
        """Adds a row above all others of its table."""
        name, columns = quote_table(self._names[table.name]), [self._quoted(column) for column in row]
        saved = self._quoted("saved")
        marks = ", ".join("?" for _ in row)
        self._warehouse.execute(
            Statement(
                f"INSERT INTO {name} ({', '.join([*columns, saved])})\n"
                f"SELECT {marks}, coalesce(max({saved}), 0) + 1 FROM {name}",
                tuple(row.values()),
            )
        )

    def _latest(
        self,
        table: StateTable,
        where: rows.Row,
        *,
        order: str = "saved",
        descending: bool = False,
        limit: int | None = None,
    ) -> list[rows.Row]:
        """The latest version of each thing that `where` finds; nothing where LHT has no tables yet."""
        self._has_tables = self._has_tables or self._version() > 0
        if not self._has_tables:
            return []
        names = [column.name for column in table.columns]
        condition = " AND ".join(f"{self._quoted(name)} = ?" for name in where) or "TRUE"
        key = ", ".join(self._quoted(name) for name in table.key)
        found = self._warehouse.query(
            Statement(
                f"SELECT {', '.join(self._quoted(name) for name in names)}\n"
                f"FROM {quote_table(self._names[table.name])} WHERE {condition}\n"
                f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {self._quoted('saved')} DESC) = 1\n"
                f"ORDER BY {self._quoted(order)}{' DESC' if descending else ''}, {self._quoted('saved')}"
                f"{' DESC' if descending else ''}{f' LIMIT {limit}' if limit is not None else ''}",
                tuple(where.values()),
            )
        )
        return [dict(zip(names, row, strict=True)) for row in found]

    def _quoted(self, column: str) -> str:
        return quote(stored_name(self._warehouse, column))


def stored_name(warehouse: Warehouse, name: str) -> str:
    """A name of ours as this warehouse stores it."""
    return name.upper() if warehouse.capabilities.folds_upper else name


def state_table(warehouse: Warehouse, table: StateTable, schema: str | None) -> TableName:
    """Where one of LHT's own tables lies."""
    return warehouse.table_name(
        stored_name(warehouse, table.name), schema or warehouse.capabilities.state_schema
    )
