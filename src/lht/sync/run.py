"""What every step of a run is handed: both sides, the state, and the seams to clock, sleep and screen."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lht.model.sync import SyncEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from lht.model.run import JobRecord, SchemaChange
    from lht.model.sync import SyncOptions, SyncPlan, SyncRequest, Watermark
    from lht.model.table import Column, TableName
    from lht.sfdc.org import Org
    from lht.state.locks import TableLock
    from lht.state.store import State
    from lht.sync.plan import Situation
    from lht.warehouse.port import Warehouse


class StopSignal:
    """Tells the threads of a run that the user wants it to end; each looks at its next safe point."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def check(self) -> None:
        """Raises KeyboardInterrupt once the signal is set."""
        if self._event.is_set():
            raise KeyboardInterrupt

    def sleep(self, seconds: float) -> None:
        """Sleeps, but wakes and raises KeyboardInterrupt at once when the signal is set."""
        if self._event.wait(seconds):
            raise KeyboardInterrupt


@dataclass(frozen=True, slots=True)
class Run:
    """One object's share of a run. `spool_dir` holds downloaded pages, a folder for each job."""

    run_id: str
    org: Org
    warehouse: Warehouse
    state: State
    state_schema: str | None
    spool_dir: Path
    stop: StopSignal
    now: Callable[[], datetime]
    on_event: Callable[[SyncEvent], None]
    open_jobs: list[JobRecord] = field(default_factory=list)
    """The table's Bulk jobs whose fate is not settled, as the state has them."""

    def org_time(self) -> datetime:
        """The org's clock as its last answer told it."""
        return self.org.server_time or self.now()

    def tell(
        self, kind: str, object_name: str, message: str = "", *, done: int = 0, total: int | None = None
    ) -> None:
        self.on_event(SyncEvent(kind, object_name, message, done, total))


@dataclass(frozen=True, slots=True)
class Started:
    """When a run began: by the calendar, by a clock that never jumps, and by the org's count of calls."""

    at: datetime
    clock_s: float
    calls: int


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What a run has put aside and clears away: staging and scratch tables in any case, jobs once rows are in."""

    stagings: list[TableName] = field(default_factory=list)
    jobs: list[JobRecord] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TableRun:
    """One table's run with its plan made and its lock held: what all later steps are handed."""

    run: Run
    request: SyncRequest
    situation: Situation
    plan: SyncPlan
    lock: TableLock
    started: Started
    debts: list[SchemaChange] = field(default_factory=list)
    """Changes whose old rows still lack their values, those of this run included."""
    leftovers: Leftovers = field(default_factory=Leftovers)

    @property
    def options(self) -> SyncOptions:
        return self.request.options

    @property
    def stored(self) -> Watermark | None:
        return self.situation.stored

    @property
    def table_has_rows(self) -> bool:
        return bool(self.situation.facts and self.situation.facts.rows)

    def target_columns(self, wanted: Sequence[Column]) -> tuple[Column, ...]:
        """The table's columns: those that it had, and of `wanted` those that were added since."""
        had = self.situation.facts.columns if self.situation.facts else ()
        names = {column.name.lower() for column in had}
        return (*had, *(column for column in wanted if column.name.lower() not in names))

    @property
    def id_column(self) -> Column:
        return next(column for column in self.plan.columns if column.field == "Id")
