"""Reads and writes LHT's own tables: watermarks, runs, jobs and schema changes.

All tables are append-only, the latest row of a key counts. Writes join the caller's transaction if there is one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.model.run import JobRecord, RunRecord, SchemaChange
    from lht.model.sync import Watermark
    from lht.model.table import TableName
    from lht.warehouse.port import Warehouse


class State:
    """LHT's tables in one warehouse, through one connection: each thread has its own `State(warehouse.fork())`."""

    def __init__(self, warehouse: Warehouse, *, schema: str | None = None) -> None:
        raise NotImplementedError

    def ensure(self) -> None:
        """Creates or upgrades the tables, outside transactions; StateVersionError if they are a newer LHT's."""
        raise NotImplementedError

    def watermark(self, table: TableName) -> Watermark | None:
        """Where a table stands; None if LHT never committed anything to it."""
        raise NotImplementedError

    def save_watermark(self, watermark: Watermark) -> None: ...

    def save_run(self, record: RunRecord) -> None: ...

    def runs(self, *, limit: int = 50, run_id: str | None = None) -> list[RunRecord]:
        """The newest first, one record for each run and table."""
        raise NotImplementedError

    def save_job(self, record: JobRecord) -> None: ...

    def open_jobs(self, table: TableName) -> list[JobRecord]:
        """Jobs of a table whose fate is not settled, oldest first."""
        raise NotImplementedError

    def save_change(self, change: SchemaChange) -> None: ...

    def owed(self, table: TableName) -> list[SchemaChange]:
        """Changes whose old rows still lack their values, oldest first."""
        raise NotImplementedError

    def forget(self, table: TableName) -> None:
        """Forgets where a table stands; the next sync is full. History stays."""
        raise NotImplementedError
