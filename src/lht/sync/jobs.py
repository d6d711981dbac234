"""The life of a Bulk job as the state remembers it: created, taken up again, closed, dropped.

A job's id is in the state before it is polled, so that a run that was killed is taken up where it was: the same
question finds the job, its plan and the pages already on disk.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from lht.errors import ApiError, LhtError, RequestRejectedError
from lht.model.run import JobRecord
from lht.model.salesforce import JobState
from lht.records.spool import Spool
from lht.sfdc import bulk, limits

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lht.model.table import TableName
    from lht.sync.question import Question
    from lht.sync.run import Run

JOB_LIFE = timedelta(hours=24)


def start_job(run: Run, question: Question, cap: datetime | None, *, api_budget: float) -> JobRecord:
    """Creates the job and commits its record, before anything is waited for.

    LimitExceededError where the org's limits of a day leave no room for it.
    """
    limits.check_query_job(run.org, api_budget)
    job = bulk.create_query_job(run.org, question.soql, include_deleted=question.include_deleted)
    created = job.created or run.org_time()
    record = JobRecord(
        job_id=job.id,
        run_id=run.run_id,
        org_id=run.org.org_id,
        object=question.object,
        table=question.table,
        purpose=question.purpose,
        soql=question.soql,
        columns=json.dumps([[c.name, c.field, str(c.type)] for c in question.columns]),
        api_version=run.org.api_version,
        fingerprint=question.fingerprint(run.org.api_version),
        created_at=min(created, cap) if cap else created,
        status="open",
    )
    run.state.save_job(record)
    run.open_jobs.append(record)
    return record


def take_up(run: Run, question: Question) -> JobRecord | None:
    """Gives the job of a run that died over the same question; drops every other leftover of that purpose."""
    found = None
    for record in tuple(run.open_jobs):
        if record.purpose != question.purpose:
            continue
        if found is None and _answers(run, record, question) and _is_alive(run, record):
            found = record
        else:
            drop_job(run, record)
    return found


def _answers(run: Run, record: JobRecord, question: Question) -> bool:
    is_young = run.org_time() - record.created_at < JOB_LIFE
    is_same = record.fingerprint == question.fingerprint(run.org.api_version)
    return question.resumable and is_young and is_same and record.org_id == run.org.org_id


def _is_alive(run: Run, record: JobRecord) -> bool:
    try:
        state = bulk.job_status(run.org, record.job_id).state
    except RequestRejectedError:
        return False
    return state not in {JobState.FAILED, JobState.ABORTED}


def close_job(run: Run, record: JobRecord) -> None:
    """Deletes a job whose rows are committed, and the pages on disk; a job that cannot go expires by itself."""
    Spool(run.spool_dir / record.job_id).remove()
    try:
        bulk.delete_job(run.org, record.job_id)
    except LhtError as error:
        run.tell("warning", record.object, f"job {record.job_id} was not deleted: {error.message}")


def drop_job(run: Run, record: JobRecord) -> None:
    """Ends a leftover job in the org, removes its pages and says so in the state."""
    Spool(run.spool_dir / record.job_id).remove()
    for end in (bulk.abort_job, bulk.delete_job) if record.org_id == run.org.org_id else ():
        try:
            end(run.org, record.job_id)
        except ApiError:
            continue  # already ended, or gone: what was wanted
    run.state.save_job(replace(record, status="dropped"))
    forget_jobs(run, [record])


def drop_jobs(run: Run, table: TableName) -> None:
    """Drops what is left of a table's jobs, as far as it can be reached: clearing up stops nothing else."""
    try:
        for record in tuple(run.open_jobs):
            drop_job(run, record)
    except LhtError as error:
        run.tell("warning", table.name, f"leftover jobs were not ended: {error.message}")


def forget_jobs(run: Run, records: Sequence[JobRecord]) -> None:
    """Takes jobs whose fate is settled in the state off the list of open ones."""
    settled = {record.job_id for record in records}
    run.open_jobs[:] = [record for record in run.open_jobs if record.job_id not in settled]
