"""What happened and what is left: past runs, Bulk jobs, a table's state."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING

from lht.model.operations import PruneResult, ResetResult
from lht.model.run import RunRecord
from lht.sfdc import bulk
from lht.state.lock_rows import LockRows
from lht.state.locks import has_died, run_of, this_process
from lht.state.retl_store import RetlState
from lht.state.store import State

if TYPE_CHECKING:
    from lht.model.retl import Intent
    from lht.model.salesforce import BulkJob
    from lht.model.table import TableName
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse


def runs(warehouse: Warehouse, *, run_id: str | None = None, limit: int = 50) -> list[RunRecord]:
    """Gives runs, the newest first, one record for each table of a run; those under way are known by their locks."""
    state = State(warehouse)
    if not state.check_version():
        return []
    unfinished = _unfinished(warehouse, run_id)
    known = [*_under_way(warehouse, run_id), *state.runs(limit=limit, run_id=run_id)]
    known = [*unfinished, *(run for run in known if run.run_id not in {one.run_id for one in unfinished})]
    return sorted(known, key=lambda run: run.started_at, reverse=True)[:limit]


def _under_way(warehouse: Warehouse, run_id: str | None) -> list[RunRecord]:
    """Runs that have not written how they ended: one whose process is gone was interrupted."""
    ours = this_process()
    holders, clock = LockRows(warehouse, None, time.sleep).under_way(run_id)
    return [run_of(h, "interrupted" if has_died(h, ours, clock) else "running") for h in holders]


def _unfinished(warehouse: Warehouse, run_id: str | None) -> list[RunRecord]:
    """Runs that still have rows to send, or results to fetch: nobody does where no live process holds their lock."""
    state = RetlState(warehouse)
    intents = [one for one in state.unfinished() if run_id in {None, one.run_id}]
    if not intents:
        return []
    ours = this_process()
    holders, clock = LockRows(warehouse, None, time.sleep).all()
    live = {holder.run_id for holder in holders if not has_died(holder, ours, clock)}
    return [_run_of(one, state.place(one.org_id, one.object), is_live=one.run_id in live) for one in intents]


def _run_of(intent: Intent, place: TableName, *, is_live: bool) -> RunRecord:
    return RunRecord(
        run_id=intent.run_id,
        org_id=intent.org_id,
        object=intent.object,
        table=place,
        command=intent.command,
        status="running" if is_live else "interrupted",
        started_at=intent.started_at,
        ended_at=None,
        lht_version="",
        result=None,
        is_resumable=not is_live,
    )


def prune(warehouse: Warehouse, *, older_than_days: int, dry_run: bool = False) -> PruneResult:
    """Removes what is remembered of single rows of old reverse ETL runs, which can then no longer be undone."""
    before = warehouse.now() - timedelta(days=older_than_days)
    removed = RetlState(warehouse).prune(before, dry_run=dry_run)
    return PruneResult(before, dry_run, **{f"{table}_rows": rows for table, rows in removed.items()})


def jobs(org: Org, *, state: str | None = None) -> tuple[BulkJob, ...]:
    """Gives the org's Bulk API 2.0 jobs, the newest first; `state` is one of Salesforce's words, in any case."""
    found = bulk.list_jobs(org)
    wanted = [job for job in found if state is None or job.state.value.lower() == state.lower()]
    return tuple(sorted(wanted, key=lambda job: str(job.created or ""), reverse=True))


def abort_job(org: Org, job_id: str) -> BulkJob:
    """Stops a job that has not ended."""
    return bulk.abort_job(org, job_id)


def delete_job(org: Org, job_id: str) -> None:
    """Removes an ended job with its results; one that the org does not have may be misspelt, so it is refused."""
    bulk.job_status(org, job_id)
    bulk.delete_job(org, job_id)


def reset(warehouse: Warehouse, table: str, *, schema: str | None = None) -> ResetResult:
    """Forgets where a table stands, so that its next sync is full; rows and history stay."""
    name = warehouse.table_name(table, schema)
    state = State(warehouse)
    state.ensure()
    known = state.watermark(name) is not None
    with warehouse.transaction():
        state.forget(name)
    return ResetResult(str(name), known)
