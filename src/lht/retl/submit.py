"""One part of a run into Salesforce by a Bulk job: created, filled, closed, followed; each step is recorded first.

Nothing is ever sent blindly again. What the order of steps makes sure of, and what is done when a run is taken up
where it was cut off, is the table in `steps`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

from lht.errors import (
    ApiError,
    JobTimedOutError,
    Recovery,
    RequestRejectedError,
    TransportError,
    UnavailableError,
)
from lht.model.retl import PartStatus, positions_sent
from lht.model.salesforce import BulkJob, JobState
from lht.retl.parts import order_sql
from lht.retl.refusals import explained, is_passing
from lht.retl.steps import Step, may_begin_again, next_step, pause_s
from lht.retl.strays import drop_stray, key_of
from lht.sfdc import ingest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lht.errors import LhtError
    from lht.model.retl import Part, SentColumn
    from lht.retl.run import RetlRun

ATTEMPTS = 4
"""How many jobs a part is tried with, and how often a job is asked for, before the run ends, to be taken up later."""
_SHORTEST_POLL_S = 0.2
_LONGEST_POLL_S = 10.0


def submit_part(run: RetlRun, part: Part, columns: Sequence[SentColumn]) -> Part:
    """Brings a part, in whatever state it was left, to where Salesforce works on it; gives it as recorded.

    It comes back CLOSED, to be followed; or SETTLED, where none of its rows is left to send.
    """
    job = ingest.read_job(run.org, part.job_id) if part.job_id else None
    match next_step(part.status, job):
        case Step.RESEND:
            return _send(run, _undo(run, part), columns)
        case Step.SEND:
            return _send(run, _save(run, replace(part, job_id=None), PartStatus.PLANNED), columns)
        case Step.CLOSE:
            return _close(run, part)
        case Step.FOLLOW:
            return _save(run, part, PartStatus.CLOSED)
    return part


def take_back(run: RetlRun, part: Part) -> Part:
    """Aborts the job of a part that was cut off before Salesforce began, so that all of it is done anew."""
    if part.status not in {PartStatus.CREATED, PartStatus.UPLOADED}:
        return part
    job = ingest.read_job(run.org, str(part.job_id))
    if not may_begin_again(part, job):
        return part
    if job and job.state is JobState.OPEN:
        return _undo(run, part)
    return _save(run, replace(part, job_id=None), PartStatus.PLANNED)


def follow(run: RetlRun, part: Part) -> BulkJob:
    """Waits until a closed part's job has ended, however it ended.

    A job that Salesforce does not know any more comes back Aborted and without its `resource`. Beyond the deadline
    of the run's options it is an error; the same command takes the job up again.
    """
    job_id, started, limit_s = str(part.job_id), run.now(), run.request.options.job_timeout_s
    while True:
        job = ingest.read_job(run.org, job_id)
        if job is None:
            return _gone(run, part)
        if job.state.is_final:
            return _ended(run, job)
        if job.state is JobState.OPEN:
            _close(run, part)
        run.tell("waiting", f"job {job.id} is {job.state}", done=min(job.records, part.rows), total=part.rows)
        elapsed_s = (run.now() - started).total_seconds()
        if elapsed_s >= limit_s:
            raise _late(job, elapsed_s)
        run.sleep(min(max(elapsed_s / 10, _SHORTEST_POLL_S), _LONGEST_POLL_S, limit_s - elapsed_s))


def give_up(run: RetlRun, part: Part) -> Part:
    """Takes back a part of an abandoned run, if its job has not begun; gives it as recorded.

    It comes back ABANDONED, or CLOSED where Salesforce may have begun: then it is to be followed.
    """
    job = ingest.read_job(run.org, part.job_id) if part.job_id else None
    match next_step(part.status, job):
        case Step.RESEND | Step.CLOSE:
            return _save(run, _undo(run, part), PartStatus.ABANDONED)
        case Step.SEND:
            return _save(run, part, PartStatus.ABANDONED)
        case Step.FOLLOW:
            return _save(run, part, PartStatus.CLOSED)
    return part


# ---- the steps


def _send(run: RetlRun, part: Part, columns: Sequence[SentColumn]) -> Part:
    rows = run.work.count("outbox", f"part = {part.number}")
    if not rows:
        return _save(run, replace(part, rows=0, bytes=0), PartStatus.SETTLED)
    with _csv(run, part, columns) as path:
        part = replace(part, rows=rows, bytes=path.stat().st_size)
        run.tell("sending", f"sending part {part.number}, {part.bytes:,} bytes", total=rows)
        return _close(run, _filled(run, part, key_of(columns), path))


def _filled(run: RetlRun, part: Part, key: str | None, path: Path) -> Part:
    """Gives a part a job that holds its rows. One that may hold half of them is aborted, and another made."""
    for attempt in count(1):
        part = _created(run, part, key)
        try:
            ingest.upload(run.org, str(part.job_id), path)
        except (TransportError, ApiError) as error:
            job_id, part = part.job_id, _undo(run, part)
            if attempt >= ATTEMPTS or not is_passing(error):
                raise explained(error, part) from error
            _wait(run, attempt, f"job {job_id} was aborted, as its upload failed ({error.message})")
        else:
            return _save(run, part, PartStatus.UPLOADED)
    raise AssertionError  # pragma: no cover  # count() has no end


def _created(run: RetlRun, part: Part, key: str | None) -> Part:
    """Makes a job and records its id. Where the answer was lost, a job that nobody knows is looked for and aborted."""
    for attempt in count(1):
        before = run.org.server_time
        try:
            job = ingest.create_job(run.org, run.sobject.name, part.operation.value, key=key)
        except (TransportError, UnavailableError) as error:
            if error.recovery is Recovery.ABORT or attempt >= ATTEMPTS:
                raise
            _wait(run, attempt, f"whether a job was made is not known ({error.message})")
            drop_stray(run, part.operation, key, before)
        except ApiError as error:
            raise explained(error, part) from error
        else:
            return _save(run, replace(part, job_id=job.id), PartStatus.CREATED)
    raise AssertionError  # pragma: no cover  # count() has no end


def _close(run: RetlRun, part: Part) -> Part:
    """Lets Salesforce begin. Where the answer was lost or is a refusal, the job itself tells what happened."""
    job_id = str(part.job_id)
    for attempt in count(1):
        try:
            ingest.close_job(run.org, job_id)
            break
        except (TransportError, UnavailableError, RequestRejectedError) as error:
            job = ingest.read_job(run.org, job_id)
            if next_step(part.status, job) is not Step.CLOSE:
                break
            if attempt >= ATTEMPTS:
                raise explained(error, part) from error
            _wait(run, attempt, f"job {job_id} was not closed ({error.message})")
    return _save(run, part, PartStatus.CLOSED)


def _undo(run: RetlRun, part: Part) -> Part:
    """Aborts a job that was never closed; its part has no job then. One that cannot be aborted stays recorded."""
    try:
        ingest.abort_job(run.org, str(part.job_id))
    except RequestRejectedError:
        job = ingest.read_job(run.org, str(part.job_id))
        if next_step(PartStatus.CREATED, job) is not Step.SEND:  # it has begun, or will not stop
            raise
    return _save(run, replace(part, job_id=None), PartStatus.PLANNED)


def _save(run: RetlRun, part: Part, status: PartStatus) -> Part:
    """Commits how far a part has come; nothing further is done before."""
    saved = replace(part, status=status)
    if saved != part:
        run.state.save_part(saved)
    return saved


def _wait(run: RetlRun, attempt: int, reason: str) -> None:
    run.tell("warning", f"{reason}; trying again")
    run.sleep(pause_s(attempt))


def _ended(run: RetlRun, job: BulkJob) -> BulkJob:
    """A job that has ended; one that was not carried out is told, as its rows' own results name no reason."""
    if job.state is not JobState.JOB_COMPLETE:
        reason = f": {job.error_message}" if job.error_message else ""
        run.tell("warning", f"job {job.id} ended {job.state}{reason}")
    return job


def _gone(run: RetlRun, part: Part) -> BulkJob:
    run.tell("warning", f"job {part.job_id} is gone from Salesforce: nobody can tell what became of its rows")
    return BulkJob(
        id=str(part.job_id),
        state=JobState.ABORTED,
        object=run.sobject.name,
        operation=part.operation.value,
        created=None,
        api_version=run.org.api_version,
        error_message="The job is gone from Salesforce, which keeps jobs for seven days.",
    )


def _late(job: BulkJob, elapsed_s: float) -> LhtError:
    return JobTimedOutError(
        f"Bulk job {job.id} on {job.object} is still {job.state} after {elapsed_s:.0f} seconds.",
        hint="Run the same command again: it takes up this job where it stands, and sends nothing twice.",
        job_id=job.id,
    )


# ---- the file


@contextmanager
def _csv(run: RetlRun, part: Part, columns: Sequence[SentColumn]) -> Iterator[Path]:
    """A part's rows as they are uploaded, in the run's folder, for as long as they are needed."""
    path = run.work.folder / f"part-{part.number}.csv"
    try:
        run.work.write_csv(_rows_sql(part, columns), path)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _rows_sql(part: Part, columns: Sequence[SentColumn]) -> str:
    """The statement for a part's rows, children of one parent next to each other.

    Salesforce works on slices of the file at the same time: neighbours share one, and so do not wait for each other's
    lock on the parent. Where there is no parent, order means nothing and sorting would only cost.
    """
    order = order_sql(columns)
    ordered = f" ORDER BY {order}" if "," in order else ""
    return f"SELECT {_values_sql(part, columns)} FROM outbox WHERE part = {part.number}{ordered}"


def _values_sql(part: Part, columns: Sequence[SentColumn]) -> str:
    sent = positions_sent(part.operation, columns)
    if not sent:
        return 'record_id AS "Id"'
    alone = len(sent) == 1  # a line without any character would be no row at all
    texts = [f"coalesce(sent[{n + 1}], '')" if alone else f"sent[{n + 1}]" for n in sent]
    return ", ".join(f'{text} AS "{_quoted(columns[n].header)}"' for text, n in zip(texts, sent, strict=True))


def _quoted(header: str) -> str:
    return header.replace('"', '""')
