"""Syncs several objects in one run: each is a run of its own on its own thread; one that fails stops no other."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lht.errors import ConfigError, LhtError
from lht.model.sync import ErrorReport, ObjectResult, SyncResult
from lht.records.spool import remove_forgotten
from lht.state.store import State
from lht.sync.run import Run, StopSignal
from lht.sync.table_sync import plan_table, sync_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lht.model.sync import SyncEvent, SyncPlan, SyncRequest
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse

SPOOL_LIFE = timedelta(days=7)
"""Salesforce keeps no result longer."""


def run_sync(
    org: Org,
    warehouse: Warehouse,
    requests: Sequence[SyncRequest],
    *,
    run_id: str,
    spool_dir: Path,
    state_schema: str | None = None,
    parallel: int = 3,
    on_event: Callable[[SyncEvent], None] = lambda _event: None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> SyncResult:
    """Syncs every requested object and reports on each; what stopped objects is in `failures`.

    KeyboardInterrupt ends all of them at their next safe point; no transaction is left half done.
    """
    _refuse_shared_tables(warehouse, requests)
    remove_forgotten(spool_dir, before=now() - SPOOL_LIFE)
    stop, mutex = StopSignal(), threading.Lock()

    def tell(event: SyncEvent) -> None:
        with mutex:
            on_event(event)

    def one(request: SyncRequest, connection: Warehouse) -> ObjectResult | LhtError:
        state = State(connection, schema=state_schema)
        run = Run(run_id, org.for_object(), connection, state, state_schema, spool_dir, stop, now, tell)
        try:
            return sync_table(run, request)
        except LhtError as error:
            run.tell("failed", request.object, str(error))
            return error

    outcomes = _each(one, warehouse, requests, parallel, stop)
    return SyncResult(
        run_id,
        tuple(_report(request, outcome) for request, outcome in zip(requests, outcomes, strict=True)),
        tuple(outcome for outcome in outcomes if isinstance(outcome, LhtError)),
    )


def _refuse_shared_tables(warehouse: Warehouse, requests: Sequence[SyncRequest]) -> None:
    """Refuses two objects for one table before anything is read: the second would find the first one's rows."""
    seen: dict[str, str] = {}
    for request in requests:
        table = warehouse.table_name(request.table or request.object, request.schema)
        if other := seen.get(str(table).lower()):
            raise ConfigError(
                f"{other} and {request.object} are to be synced into the same table {table}.",
                hint="Give each a table of its own.",
                table=str(table),
            )
        seen[str(table).lower()] = request.object


def plan_only(
    org: Org, warehouse: Warehouse, request: SyncRequest, *, spool_dir: Path, state_schema: str | None = None
) -> SyncPlan:
    """Plans one object's run and changes nothing."""
    state = State(warehouse, schema=state_schema)
    stop, now = StopSignal(), lambda: datetime.now(UTC)
    run = Run("plan", org, warehouse, state, state_schema, spool_dir, stop, now, lambda _event: None)
    return plan_table(run, request)


def _each(
    one: Callable[[SyncRequest, Warehouse], ObjectResult | LhtError],
    warehouse: Warehouse,
    requests: Sequence[SyncRequest],
    parallel: int,
    stop: StopSignal,
) -> list[ObjectResult | LhtError]:
    """Runs a single object on the caller's thread and connection, several on threads with their own."""
    if len(requests) == 1 or parallel == 1:
        return [one(request, warehouse) for request in requests]

    def on_thread(request: SyncRequest) -> ObjectResult | LhtError:
        connection = warehouse.fork()
        try:
            return one(request, connection)
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="lht-sync") as pool:
        futures = [pool.submit(on_thread, request) for request in requests]
        try:
            wait(futures)
        except KeyboardInterrupt:
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]


def _report(request: SyncRequest, outcome: ObjectResult | LhtError) -> ObjectResult:
    if isinstance(outcome, ObjectResult):
        return outcome
    report = ErrorReport(outcome.code, outcome.message, outcome.hint)
    return ObjectResult(request.object, request.table or request.object, error=report)
