"""One object's run, from describe to commit.

The order of reading matters: see docs/decisions/0003-order-of-reading.md.
"""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from lht.errors import LhtError, MappingError, SyncError, WarehouseUnreachableError
from lht.mapping.registry import registered_mappings
from lht.model.sync import ErrorReport, ObjectResult, SyncMode
from lht.sfdc import rest
from lht.state.locks import TableLock
from lht.sync import shape
from lht.sync.backfill import land_backfill, start_backfill
from lht.sync.commit import Staged, commit, run_record
from lht.sync.deletions import find_gone
from lht.sync.drift import refuse_incompatible
from lht.sync.jobs import close_job, drop_jobs, forget_jobs
from lht.sync.plan import Situation, TableFacts, find_cursor, plan_sync
from lht.sync.reading import (
    read_all_ids,
    read_changed_ids,
    read_formulas,
    read_rows,
    reads_formulas,
    stage_gone,
)
from lht.sync.run import Started, TableRun
from lht.warehouse import live, merge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from lht.model.salesforce import SObject
    from lht.model.sync import SyncPlan, SyncRequest
    from lht.model.table import Column, TableName
    from lht.state.standing import Standing
    from lht.sync.deletions import Gone
    from lht.sync.question import Extract
    from lht.sync.run import Run


def plan_table(run: Run, request: SyncRequest) -> SyncPlan:
    """Reads both sides and plans, changing nothing."""
    sobject = rest.describe(run.org, request.object)
    standing = run.state.standing(_table(run, request, sobject))
    return plan_sync(request, _situation(run, request, sobject, standing))


def sync_table(run: Run, request: SyncRequest) -> ObjectResult:
    """Brings one table in step with its object; raises LhtError with the table's rows as they were."""
    started = Started(run.now(), time.monotonic(), run.org.calls)
    sobject = rest.describe(run.org, request.object)
    table = _table(run, request, sobject)
    run.warehouse.tag(run.run_id, sobject.name)
    lock = TableLock(
        run.warehouse,
        table,
        run_id=run.run_id,
        org_id=run.org.org_id,
        object_name=sobject.name,
        command="sync",
        schema=run.state_schema,
        timeout_s=request.options.lock_timeout_s,
        sleep=run.stop.sleep,
    )
    with lock:
        _tell_replaced(run, sobject.name, lock)
        run.open_jobs[:] = lock.standing.open_jobs
        with _recorded(run, sobject.name, table, started):
            table_run = _planned(run, request, sobject, lock, started)
            result = _landed(table_run)
        run.tell("committed", sobject.name, done=result.rows_read, total=result.rows_read)
        forget_jobs(run, table_run.leftovers.jobs)
        for record in table_run.leftovers.jobs:
            close_job(run, record)
        drop_jobs(run, table)
    return result


def _tell_replaced(run: Run, object_name: str, lock: TableLock) -> None:
    if lock.replaced:
        dead = f"run {lock.replaced.run_id} (process {lock.replaced.owner.pid} on {lock.replaced.owner.host})"
        run.tell(
            "warning", object_name, f"the lock of {dead}, which ended without giving it back, was replaced"
        )


def _planned(run: Run, request: SyncRequest, sobject: SObject, lock: TableLock, started: Started) -> TableRun:
    """Plans under the lock, and tells what comes."""
    situation = _situation(run, request, sobject, _mended(run, lock))
    plan = plan_sync(request, situation)
    refuse_incompatible(plan)
    run.tell("planned", plan.object, f"{plan.mode} sync: {plan.reason}")
    for warning in plan.warnings:
        run.tell("warning", plan.object, warning)
    return TableRun(run, request, situation, plan, lock, started, list(situation.owed))


def _mended(run: Run, lock: TableLock) -> Standing:
    """Gives what is known of the table, with its columns as they are once a half-done exchange is completed."""
    table, standing = lock.table, lock.standing
    if standing.columns is None or not shape.mend_exchanges(run, table, standing.columns):
        return standing
    return replace(standing, columns=run.warehouse.columns(table))


def _landed(table_run: TableRun) -> ObjectResult:
    """Carries the plan out.

    Jobs of a run that stops are left to the next one, which takes them up; but not those whose rows were refused,
    as they would be refused again however much was mended in the org.
    """
    try:
        return _carry_out(table_run)
    except (SyncError, MappingError):
        drop_jobs(table_run.run, table_run.plan.table)
        raise
    finally:
        _drop_stagings(table_run)


def _table(run: Run, request: SyncRequest, sobject: SObject) -> TableName:
    return run.warehouse.table_name(request.table or sobject.name, request.schema)


def _situation(run: Run, request: SyncRequest, sobject: SObject, standing: Standing) -> Situation:
    """Gathers all that a plan is made from."""
    table = _table(run, request, sobject)
    return Situation(
        sobject=sobject,
        table=table,
        facts=_facts(run, table, sobject, request, standing),
        stored=standing.watermark,
        owed=standing.owed,
        org_id=run.org.org_id,
        types={**registered_mappings(), **request.options.types},
        capabilities=run.warehouse.capabilities,
        related=rest.fields_at(run.org, sobject, request.options.fields),
    )


def _facts(
    run: Run, table: TableName, sobject: SObject, request: SyncRequest, standing: Standing
) -> TableFacts | None:
    columns, rows = standing.columns, standing.rows
    if columns is None:
        return None
    if standing.watermark is None:  # what LHT has filled before is a table
        live.refuse_view(run.warehouse, table)
    newest = None
    if request.options.adopt and rows:
        newest = _newest(run, table, columns, find_cursor(sobject, request.options.cursor))
    return TableFacts(columns, rows, newest)


def _newest(run: Run, table: TableName, columns: tuple[Column, ...], cursor: str | None) -> datetime | None:
    name = next((c.name for c in columns if cursor and c.name.lower() == cursor.lower()), None)
    return merge.newest(run.warehouse, table, name) if name else None


def _carry_out(table_run: TableRun) -> ObjectResult:
    """Reads in the order that keeps a record which changes meanwhile from being taken for deleted, then lands."""
    run, plan = table_run.run, table_run.plan
    _shape_table(table_run)
    backfill = start_backfill(table_run)
    gone = find_gone(run, plan, table_run.stored, table_has_rows=table_run.table_has_rows)
    changed = read_changed_ids(table_run)
    rows = read_rows(table_run, may_be_nothing=not _wants_rows(table_run, gone, changed))
    if changed:
        rows = replace(rows, read_until=min(rows.read_until, changed.read_until))
    ids = read_all_ids(table_run) if gone.compare_ids else None
    formulas = read_formulas(table_run)
    if backfill:
        land_backfill(table_run, backfill)
    known = (stage_gone(table_run, gone), changed.staging if changed else None)
    named = tuple(staging for staging in known if staging)
    run.tell("loading", plan.object, done=rows.rows, total=rows.rows)
    # Rows that a killed run asked for may be hours old: what was deleted since then is asked for again next time.
    deleted_until = min(gone.read_until, rows.read_until) if gone.read_until else None
    return commit(table_run, Staged(rows, deleted_until, ids, named, formulas))


def _wants_rows(table_run: TableRun, gone: Gone, changed: Extract | None) -> bool:
    """Whether there is something to do even if no row is read."""
    plan = table_run.plan
    told = bool(gone.records) or gone.compare_ids or bool(changed and changed.staging)
    judges_absence = plan.mode is SyncMode.FULL and table_run.table_has_rows
    return told or judges_absence or reads_formulas(plan)


def _shape_table(table_run: TableRun) -> None:
    run, plan, facts = table_run.run, table_run.plan, table_run.situation.facts
    if facts is None:
        shape.create_table(run, plan, table_run.situation.sobject.label)
        return
    owes = plan.mode is SyncMode.INCREMENTAL and facts.rows > 0
    table_run.debts.extend(shape.add_columns(run, plan, facts.columns, owes=owes))
    shape.widen_columns(run, plan)


def _drop_stagings(table_run: TableRun) -> None:
    """Staging and scratch tables are of no use to a later run, which would not find them once the lock is given back."""

    def drop_all() -> None:
        for staging in table_run.leftovers.stagings:
            with suppress(LhtError):
                table_run.run.warehouse.drop_table(staging)

    try:
        drop_all()
    except KeyboardInterrupt:
        drop_all()
        raise


@contextmanager
def _recorded(run: Run, object_name: str, table: TableName, started: Started) -> Iterator[None]:
    """Writes down how the run ended if it did not end well; a good end is in its commit.

    That it is under way is told by its lock.
    """

    def record(status: str, report: ErrorReport | None) -> None:
        seconds = round(time.monotonic() - started.clock_s, 3)
        result = ObjectResult(object_name, str(table), seconds=seconds, error=report) if report else None
        ended = run_record(run, object_name, table, started_at=started.at, status=status, result=result)
        with suppress(LhtError):  # what went wrong first is what counts
            run.state.save_bad_end(ended)

    try:
        yield
    except LhtError as error:
        if isinstance(error, WarehouseUnreachableError):
            with suppress(LhtError):
                run.warehouse.reconnect()  # so that the lock can be given back, too
        record("failed", ErrorReport(error.code, error.message, error.hint))
        raise
    except KeyboardInterrupt:
        record("interrupted", None)
        raise
