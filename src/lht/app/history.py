"""What happened and what is left: past runs, Bulk jobs, a table's state."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from lht.model.operations import ResetResult
from lht.sfdc import bulk
from lht.state.lock_rows import LockRows
from lht.state.locks import has_died, run_of, this_process
from lht.state.store import State

if TYPE_CHECKING:
    from lht.model.run import RunRecord
    from lht.model.salesforce import BulkJob
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse


def runs(warehouse: Warehouse, *, run_id: str | None = None, limit: int = 50) -> list[RunRecord]:
    """Gives runs, the newest first, one record for each table of a run; those under way are known by their locks."""
    state = State(warehouse)
    if not state.check_version():
        return []
    known = [*_under_way(warehouse, run_id), *state.runs(limit=limit, run_id=run_id)]
    return sorted(known, key=lambda run: run.started_at, reverse=True)[:limit]


def _under_way(warehouse: Warehouse, run_id: str | None) -> list[RunRecord]:
    """Runs that have not written how they ended: one whose process is gone was interrupted."""
    ours = this_process()
    holders, clock = LockRows(warehouse, None, time.sleep).under_way(run_id)
    return [run_of(h, "interrupted" if has_died(h, ours, clock) else "running") for h in holders]


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
