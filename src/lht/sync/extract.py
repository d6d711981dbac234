"""Reads the rows of a query into a staging table: by a Bulk API 2.0 job, or by REST where that is the better way.

A job's id is in the state before it is polled and its page list before the first download, so that a run that
was killed is taken up where it was: the same question finds the job, its plan and the pages already on disk.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from lht.errors import ApiError, IncompleteExtractError, RequestRejectedError, TimedOutError
from lht.model.run import JobRecord
from lht.records.extract import download, follow_job, list_pages
from lht.records.parse import stream_pages
from lht.records.rest_rows import stream_rest
from lht.records.spool import Spool
from lht.sfdc import bulk, rest, soql
from lht.warehouse import statements

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lht.model.salesforce import BulkJob
    from lht.model.sync import SyncOptions
    from lht.model.table import Column, TableName
    from lht.records.spool import Page
    from lht.sync.run import Run

SMALL = 2000
"""Below so many rows one REST page answers sooner than a job would start."""
LONGEST_URL = 16_000
JOB_LIFE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Question:
    """What one job asks. `purpose`: rows, backfill, ids, changed or formulas."""

    object: str
    table: TableName
    purpose: str
    columns: tuple[Column, ...]
    conditions: tuple[str, ...] = ()
    include_deleted: bool = True

    @property
    def soql(self) -> str:
        return soql.select([c.field or c.name for c in self.columns], self.object, self.conditions)

    @property
    def count_soql(self) -> str:
        return soql.count(self.object, self.conditions)

    def fingerprint(self, api_version: str) -> str:
        """Stands for the question and its types: only the same question may take up a job again."""
        typed = [(c.name, str(c.type)) for c in self.columns]
        asked = json.dumps([self.soql, typed, self.include_deleted, api_version])
        return hashlib.sha256(asked.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Extract:
    """Rows of a question, staged and counted. `read_until`: what was committed before is among them."""

    staging: TableName
    rows: int
    read_until: datetime
    rounded: Mapping[str, int] = field(default_factory=dict)
    job: JobRecord | None = None


def extract(
    run: Run, question: Question, options: SyncOptions, *, maybe_small: bool, cap: datetime | None
) -> Extract:
    """Stages the question's rows.

    `cap` is the time up to which all transactions had ended, where the org tells it. Raises
    IncompleteExtractError when the counts differ even after a second download.
    """
    leftover = take_up(run, question)
    if leftover is None and maybe_small and _is_small(run, question):
        return _by_rest(run, question, cap)
    try:
        record = leftover or start_job(run, question, cap)
    except RequestRejectedError as refusal:
        if not rest.has_code(refusal, "INVALIDENTITY"):
            raise
        return _by_rest(run, question, cap)
    return by_job(run, question, record, options)


def _is_small(run: Run, question: Question) -> bool:
    """Asks the org for the count; a count that takes too long is not small."""
    if rest.query_url_bytes(run.org, question.soql, include_deleted=question.include_deleted) >= LONGEST_URL:
        return False
    try:
        return rest.count(run.org, question.count_soql, include_deleted=question.include_deleted) < SMALL
    except TimedOutError:
        return False
    except ApiError as error:
        if error.error_code == "QUERY_TIMEOUT":
            return False
        raise


def _by_rest(run: Run, question: Question, cap: datetime | None) -> Extract:
    """Stages the answer page by page; in parts, joined by Id, where the query is too long for a URL."""
    read_until = _capped(run.org.server_time or run.now(), cap)
    run.tell("reading", question.object, "by REST")
    parts = split_columns(run, question)
    if len(parts) == 1:
        return _rest_part(run, question, read_until)
    staged = [_rest_part(run, part, read_until) for part in parts]
    return _joined(run, question, parts, staged)


def _rest_part(run: Run, question: Question, read_until: datetime) -> Extract:
    pages = rest.query_pages(run.org, question.soql, include_deleted=question.include_deleted)
    stream = stream_rest(pages, question.columns, object_name=question.object)
    staging = run.warehouse.stage(question.columns, stream, staging_name(run, question))
    if stream.rows != stream.expected:
        raise _incomplete(question, expected=stream.expected, got=stream.rows)
    return Extract(staging, stream.rows, read_until, dict(stream.rounded))


def split_columns(run: Run, question: Question) -> list[Question]:
    """Halves the columns until each query fits into a URL; every part has the Id."""
    url_bytes = rest.query_url_bytes(run.org, question.soql, include_deleted=question.include_deleted)
    others = [column for column in question.columns if column.field != "Id"]
    if url_bytes < LONGEST_URL or len(others) < 2:  # noqa: PLR2004 - two halves
        return [question]
    id_column = next(column for column in question.columns if column.field == "Id")
    middle = len(others) // 2
    halves = (
        replace(question, purpose=f"{question.purpose}_{n}", columns=(id_column, *columns))
        for n, columns in enumerate((others[:middle], others[middle:]))
    )
    return [part for half in halves for part in split_columns(run, half)]


def _joined(run: Run, question: Question, parts: list[Question], staged: list[Extract]) -> Extract:
    """Joins the parts; a record that came or went between two of them makes the counts differ."""
    id_column = parts[0].columns[0].name
    columns = [[column.name for column in part.columns[n > 0 :]] for n, part in enumerate(parts)]
    target = replace(staged[0].staging, name=staging_name(run, question))
    tables = [extract.staging for extract in staged]
    run.warehouse.execute(
        statements.join_staged(
            target, list(zip(tables, columns, strict=True)), id_column, run.warehouse.dialect
        )
    )
    for table in tables:
        run.warehouse.drop_table(table)
    rows = run.warehouse.row_count(target)
    if any(part.rows != rows for part in staged):
        run.warehouse.drop_table(target)
        raise _incomplete(question, expected=max(part.rows for part in staged), got=rows)
    rounded = {name: count for part in staged for name, count in part.rounded.items()}
    return Extract(target, rows, staged[0].read_until, rounded)


def take_up(run: Run, question: Question) -> JobRecord | None:
    """Gives the job of a run that died over the same question; drops every other leftover of that purpose."""
    found = None
    wanted = question.fingerprint(run.org.api_version)
    for record in run.state.open_jobs(question.table):
        if record.purpose != question.purpose:
            continue
        fresh = run.now() - record.created_at < JOB_LIFE
        if found is None and fresh and record.fingerprint == wanted and _is_alive(run, record):
            found = record
        else:
            drop_job(run, record)
    return found


def _is_alive(run: Run, record: JobRecord) -> bool:
    try:
        state = bulk.job_status(run.org, record.job_id).state
    except RequestRejectedError:
        return False
    return state not in {"Failed", "Aborted"}


def start_job(run: Run, question: Question, cap: datetime | None) -> JobRecord:
    """Creates the job and commits its record, before anything is waited for."""
    job = bulk.create_query_job(run.org, question.soql, include_deleted=question.include_deleted)
    created = job.created or run.org.server_time or run.now()
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
        created_at=_capped(created, cap),
        status="open",
    )
    run.state.save_job(record)
    return record


def by_job(run: Run, question: Question, record: JobRecord, options: SyncOptions) -> Extract:
    """Follows the job, downloads its pages and stages them; twice, if the counts differ the first time."""
    job = follow_job(
        run.org,
        record.job_id,
        timeout_s=options.job_timeout_s,
        sleep=run.stop.sleep,
        on_state=lambda j: run.tell("waiting", question.object, f"job {j.id} {j.state}", done=j.records),
    )
    record = _with_pages(run, record, job, options)
    try:
        return _stage_pages(run, question, record, job, options)
    except IncompleteExtractError as error:
        run.tell("warning", question.object, f"{error.message} All pages are downloaded once more.")
    Spool(run.spool_dir / record.job_id).remove()
    return _stage_pages(run, question, record, job, options)


def _with_pages(run: Run, record: JobRecord, job: BulkJob, options: SyncOptions) -> JobRecord:
    """Fixes how the result is cut into pages, once for the job's whole life."""
    if record.pages is not None:
        return record
    locators = list_pages(run.org, job, batch_size=options.batch_size)
    record = replace(record, pages=json.dumps({"locators": locators, "batch_size": options.batch_size}))
    run.state.save_job(record)
    return record


def _stage_pages(
    run: Run, question: Question, record: JobRecord, job: BulkJob, options: SyncOptions
) -> Extract:
    """Stages all pages; IncompleteExtractError if that is not what the job says it has."""
    fixed = json.loads(record.pages or "{}")
    done = 0

    def on_page(page: Page) -> None:
        nonlocal done
        run.stop.check()
        done += page.rows or 0
        run.tell("reading", question.object, done=done, total=job.records)

    pages = download(
        run.org,
        job,
        Spool(run.spool_dir / record.job_id),
        locators=fixed["locators"],
        batch_size=fixed["batch_size"],
        parallel=options.parallel_pages,
        on_page=on_page,
    )
    stream = stream_pages(pages, question.columns, object_name=question.object)
    staging = run.warehouse.stage(question.columns, stream, staging_name(run, question))
    if stream.rows != job.records:
        run.warehouse.drop_table(staging)
        raise _incomplete(question, expected=job.records, got=stream.rows, job_id=job.id)
    return Extract(staging, stream.rows, record.created_at, dict(stream.rounded), record)


def staging_name(run: Run, question: Question) -> str:
    """Names the staging table after run, object and purpose: no two steps ever share one."""
    tag = hashlib.sha256(f"{question.table}".encode()).hexdigest()[:8]
    return f"_lht_stage_{run.run_id}_{tag}_{question.purpose}".replace("-", "_")


def close_job(run: Run, record: JobRecord) -> None:
    """Deletes a job whose rows are committed, and the pages on disk; a job that cannot go expires by itself."""
    Spool(run.spool_dir / record.job_id).remove()
    try:
        bulk.delete_job(run.org, record.job_id)
    except ApiError as error:
        run.tell("warning", record.object, f"job {record.job_id} was not deleted: {error.message}")


def drop_job(run: Run, record: JobRecord) -> None:
    """Ends a leftover job in the org, removes its pages and says so in the state."""
    Spool(run.spool_dir / record.job_id).remove()
    for end in (bulk.abort_job, bulk.delete_job):
        try:
            end(run.org, record.job_id)
        except RequestRejectedError:
            continue  # already ended, or gone: what was wanted
    run.state.save_job(replace(record, status="dropped"))


def _capped(moment: datetime, cap: datetime | None) -> datetime:
    return min(moment, cap) if cap else moment


def _incomplete(question: Question, *, expected: int, got: int, job_id: str = "") -> IncompleteExtractError:
    where = f"job {job_id}" if job_id else "the REST query"
    return IncompleteExtractError(
        f"{question.object}: {where} has {expected} rows, {got} arrived; {question.table} was not changed.",
        hint="Run the same command again; if it happens again, report it with the job id.",
        object=question.object,
        table=str(question.table),
    )
