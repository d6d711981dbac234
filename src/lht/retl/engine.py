"""Leads one run from its query to every row's fate; a run that was cut off is gone on with, never begun again."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from shutil import rmtree
from typing import TYPE_CHECKING

from lht.errors import PlanRefusedError
from lht.model.retl import Operation, PartStatus
from lht.retl import parts
from lht.retl.again import cut_again
from lht.retl.budget import check_budget, cost_of
from lht.retl.columns import find_field
from lht.retl.intent import columns_of, new_intent, outbox_rows, superseded, taken_up, unfinished
from lht.retl.planning import compare, refusal
from lht.retl.run import RetlRun
from lht.retl.sending import abandon, send_all
from lht.retl.strays import sweep
from lht.retl.work import Work, clear_leftovers
from lht.sfdc import rest
from lht.state.locks import TableLock
from lht.state.retl_store import UNDO, RetlState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lht.model.retl import Intent, RetlEvent, RetlPlan, RetlRequest, RetlResult, SentColumn
    from lht.retl.planning import Task
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse


@dataclass(frozen=True, slots=True)
class Setting:
    """Where and how a run works. `confirm` is asked with the plan before anything is recorded or sent."""

    run_id: str
    command: str
    work_dir: Path
    state_schema: str | None = None
    confirm: Callable[[RetlPlan], bool] = lambda _plan: True
    on_event: Callable[[RetlEvent], None] = lambda _event: None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep


def plan_retl(org: Org, warehouse: Warehouse, task: Task, setting: Setting) -> RetlPlan:
    """Gives what a run would do, its mistakes included; changes nothing on either side."""
    with _opened(org, warehouse, task.request, setting) as run:
        found = unfinished(run, task.of_run)
        prepared = task.prepare(run)
        plan = prepared.plan
        if not plan.mistakes:
            cost = cost_of(run, parts.cut(run, prepared.columns))
            plan = plan if prepared.is_compared else compare(run, prepared)
            plan = replace(plan, parts=cost.jobs, api_calls=cost.calls)
    return replace(plan, resumes=found.run_id if found else None)


def run_retl(org: Org, warehouse: Warehouse, task: Task, setting: Setting) -> RetlResult:
    """Writes rows into Salesforce and accounts for each.

    PlanRefusedError where something is wrong with them: nothing was sent. Rows that Salesforce refused raise nothing:
    they are in the result. Whatever else is raised, the same command goes on where this one stopped.
    """
    started = time.monotonic()
    with _opened(org, warehouse, task.request, setting) as opened, _lock(opened, setting) as lock:
        run = replace(opened, state=opened.state.guarded(lock.token))
        run.state.ensure()
        if task.request.options.new_run:
            for old in superseded(run, task.of_run):
                _give_up(run, old)
        found = unfinished(run, task.of_run)
        if found and _is_better_planned_anew(run, found):
            _give_up(run, found)
            found = None
        if found:
            run, columns = _resume(run, found)
        intent, columns = (found, columns) if found else _begin(run, task, setting)
        _send(run, intent, columns)
        result = replace(
            run.state.counts(intent.run_id), seconds=time.monotonic() - started, resumed=found is not None
        )
        run.state.finish(intent, result)
    return result


# ---- opening


@contextmanager
def _opened(org: Org, warehouse: Warehouse, request: RetlRequest, setting: Setting) -> Iterator[RetlRun]:
    """A run with its work database, which is removed at the end: what must be remembered is in the warehouse."""
    folder = setting.work_dir / setting.run_id
    clear_leftovers(setting.work_dir)
    sobject = rest.describe(org, request.object)
    key = find_field(sobject, request.match_field) if request.match_field else None
    if key:  # in describe's own spelling from here on
        request = replace(request, match_field=key.name)
    try:
        with Work(folder) as work:
            warehouse.tag(setting.run_id, request.object)
            yield RetlRun(
                run_id=setting.run_id,
                org=org,
                warehouse=warehouse,
                state=RetlState(warehouse, schema=setting.state_schema),
                work=work,
                request=request,
                sobject=sobject,
                now=setting.now,
                sleep=setting.sleep,
                on_event=setting.on_event,
            )
    finally:
        rmtree(folder, ignore_errors=True)


def _lock(run: RetlRun, setting: Setting) -> TableLock:
    """Keeps two runs off one object of one org."""
    return TableLock(
        run.warehouse,
        run.state.place(run.org.org_id, run.sobject.name),
        run_id=run.run_id,
        org_id=run.org.org_id,
        object_name=run.sobject.name,
        command=setting.command,
        schema=setting.state_schema,
        timeout_s=run.request.options.lock_timeout_s,
        sleep=run.sleep,
    )


# ---- deciding and sending


def _resume(run: RetlRun, found: Intent) -> tuple[RetlRun, tuple[SentColumn, ...]]:
    """Takes a run up where it was cut off: its rows are in the outbox, the query is not run again."""
    run = taken_up(run, found)
    run.tell(
        "warning",
        f"going on with run {found.run_id} of {found.started_at:%Y-%m-%d %H:%M} UTC and the rows recorded then; "
        "the query is not run again (--new_run starts anew)",
    )
    columns = columns_of(found, run.sobject, lambda name: rest.describe(run.org, name))
    sweep(run, found, columns)
    return run, columns


def _is_better_planned_anew(run: RetlRun, found: Intent) -> bool:
    """Whether a run that was cut off is an undo: it is planned by what records hold, and others may have changed them.

    What it put back already needs nothing more. One that makes records anew goes on, or it would make them twice; so
    does one that only has records to undelete, as each is looked at before.
    """
    parts_of = run.state.parts(found.run_id) if found.command == UNDO else []
    open_ones = {part.operation for part in parts_of if part.status is not PartStatus.SETTLED}
    makes_anew = any(part.operation is Operation.INSERT for part in parts_of)
    return bool(open_ones & {Operation.UPDATE, Operation.DELETE}) and not makes_anew


def _give_up(run: RetlRun, old: Intent) -> None:
    """Ends another run, in a database of its own: what it sent must not be among what this run sends."""
    with Work(run.work.folder / f"given_up_{old.run_id}") as work:
        abandon(replace(taken_up(run, old), work=work), old)


def _begin(run: RetlRun, task: Task, setting: Setting) -> tuple[Intent, tuple[SentColumn, ...]]:
    """Plans, asks, and records what will be sent; nothing has been sent before this returns."""
    prepared = task.prepare(run)
    if prepared.plan.mistakes:
        raise refusal(prepared.plan)
    for warning in prepared.plan.warnings:
        run.tell("warning", warning)
    cut = parts.cut(run, prepared.columns)
    plan = replace(prepared.plan, parts=len(cut))
    if not setting.confirm(plan):
        raise PlanRefusedError("The run was not confirmed; nothing was sent.")
    cost = cost_of(run, cut)
    # How much a query of all records yields is not known before; each yields something.
    check_budget(
        run,
        calls=cost.calls,
        batches=cost.batches,
        query_jobs=cost.query_jobs,
        query_storage_mb=cost.query_jobs,
    )
    intent = new_intent(run, prepared, setting.command, task.of_run)
    run.tell("recording", total=plan.rows_to_send)
    with run.work.resting():
        left = run.work.batches(f"SELECT * FROM {prepared.left}") if prepared.left else None
        run.state.begin(intent, cut, outbox_rows(run), left)
    return intent, prepared.columns


def _send(run: RetlRun, intent: Intent, columns: tuple[SentColumn, ...]) -> None:
    """Sends every part, then what is worth another attempt, until nothing is left to do."""
    while True:
        send_all(run, intent, columns)
        more = cut_again(run, columns)
        if not more:
            return
        with run.work.resting():
            run.state.add_parts(run.run_id, more, outbox_rows(run))
