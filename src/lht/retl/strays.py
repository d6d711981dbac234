"""Jobs that were made but never recorded: the answer that named them was lost, or the run was killed just then.

Such a job is Open and empty; left alone it does nothing, and Salesforce ends it within a day. Another program of the
same user may have one that looks the same and is about to fill it, so a job is aborted only if all of this holds:

- the same user made it, for the same object, operation and external id, with the same API version and CSV form;
- it is still Open, and does not say that it holds data;
- it was made after the moment at which LHT was about to make one;
- no part of the run has its id;
- it is the only one of which all that is true, as LHT makes one job at a time and looks after each lost answer.

Of several that look alike none is touched; that is told.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from lht.errors import AuthError, SalesforceError
from lht.model.retl import Operation, PartStatus
from lht.model.salesforce import JobState
from lht.sfdc import ingest

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lht.model.retl import Intent, SentColumn
    from lht.model.salesforce import BulkJob
    from lht.retl.run import RetlRun

_SKEW = timedelta(seconds=5)
_CLOCKS = timedelta(minutes=5)
_ID = 15
"""As much of an id as tells it from others; the last three letters, which may be missing, repeat what the rest says."""
_FORM = {"contentType": "CSV", "columnDelimiter": "COMMA", "lineEnding": "LF"}


def key_of(columns: Sequence[SentColumn]) -> str | None:
    """The field that records are found by, as jobs name it."""
    return next((column.header for column in columns if column.is_key), None)


def sweep(run: RetlRun, intent: Intent, columns: Sequence[SentColumn]) -> None:
    """Looks for the job of a run that was killed while it made one; to be called once, when the run is taken up."""
    waiting = {part.operation for part in run.state.parts(run.run_id) if part.status is PartStatus.PLANNED}
    behind = run.org.server_time - run.now() if run.org.server_time else timedelta()
    for operation in sorted(waiting):
        drop_stray(run, operation, key_of(columns), intent.started_at + behind - _CLOCKS)


def drop_stray(run: RetlRun, operation: Operation, key: str | None, since: datetime | None) -> None:
    """Aborts the one job that only this run can have made since then; what cannot be found out is left alone."""
    try:
        found = _strays(run, operation, key, since)
        if len(found) == 1:
            ingest.abort_job(run.org, found[0].id)
            run.tell("warning", f"job {found[0].id} was aborted: it was made, but its answer never came")
        elif found:
            ids = ", ".join(job.id for job in found)
            run.tell("warning", f"one of the jobs {ids} may be this run's: it is empty and ends within a day")
    except AuthError:
        raise
    except SalesforceError as error:
        run.tell("warning", f"an empty job may be left, which ends within a day: {error.message}")


def _strays(run: RetlRun, operation: Operation, key: str | None, since: datetime | None) -> list[BulkJob]:
    if since is None or not run.org.user_id:
        return []
    known = {part.job_id[:_ID] for part in run.state.parts(run.run_id) if part.job_id}
    alike = [
        job.id
        for job in ingest.list_jobs(run.org)
        if _is_alike(run, job, operation) and job.created and job.created >= since - _SKEW
    ]
    told = (ingest.read_job(run.org, job_id) for job_id in alike if job_id[:_ID] not in known)
    return [job for job in told if job and _is_alike(run, job, operation) and _is_empty(job, operation, key)]


def _is_alike(run: RetlRun, job: BulkJob, operation: Operation) -> bool:
    """What the list already tells: whose job it is, what it does, and that it waits."""
    return (
        job.state is JobState.OPEN
        and job.created_by[:_ID] == run.org.user_id[:_ID]
        and (job.object, job.operation) == (run.sobject.name, operation.value)
        and job.api_version == run.org.api_version
    )


def _is_empty(job: BulkJob, operation: Operation, key: str | None) -> bool:
    """Whether it has LHT's form and no data: a job that was filled counts its records, if only to zero."""
    told = job.resource or {}
    named = (key or "Id") if operation is Operation.UPSERT else ""
    return (
        all(told.get(name) == value for name, value in _FORM.items() if name in told)
        and str(told.get("externalIdFieldName") or "").lower() == named.lower()
        and "numberRecordsProcessed" not in told
    )
