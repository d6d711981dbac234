"""Reads the rows of a query into a staging table: by a Bulk API 2.0 job, or by REST where that is the better way.

A job's page list is in the state before the first download, so that a run that was killed goes on with the pages
that are already on disk.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from lht.errors import ApiError, IncompleteExtractError, RequestRejectedError, TimedOutError
from lht.records.extract import download, follow_job, list_pages
from lht.records.parse import stream_pages
from lht.records.spool import Spool
from lht.sfdc import rest
from lht.sync.by_rest import by_rest, fits_url
from lht.sync.jobs import start_job, take_up
from lht.sync.question import NOTHING, Extract, Question, stage_all

if TYPE_CHECKING:
    from datetime import datetime

    from lht.model.run import JobRecord
    from lht.model.salesforce import BulkJob
    from lht.model.sync import SyncOptions
    from lht.records.spool import Page
    from lht.sync.run import Run

SMALL = 2000
"""Below so many rows one REST page answers sooner than a job would start."""


def extract(
    run: Run, question: Question, options: SyncOptions, *, maybe_small: bool, cap: datetime | None
) -> Extract:
    """Stages the question's rows.

    `cap` is the time up to which all transactions had ended, where the org tells it. Raises
    IncompleteExtractError when the counts differ even after a second download.
    """
    leftover = take_up(run, question)
    if leftover is None and maybe_small and (answer := _small_answer(run, question, cap)):
        return answer
    try:
        record = leftover or start_job(run, question, cap, api_budget=options.api_budget)
    except RequestRejectedError as refusal:
        if not rest.has_code(refusal, "INVALIDENTITY"):
            raise
        return by_rest(run, question, cap)
    return by_job(run, question, record, options)


def _small_answer(run: Run, question: Question, cap: datetime | None) -> Extract | None:
    """The answer without a job, where the org counts few rows; or none, if the query is too long for a URL."""
    if not fits_url(run, question):
        return _nothing(run, question, cap) if question.may_be_nothing else None
    counted = _count(run, question)
    return by_rest(run, question, cap) if counted is not None and counted < SMALL else None


def _nothing(run: Run, question: Question, cap: datetime | None) -> Extract | None:
    asked_at = run.org_time()
    if _count(run, question) != 0:
        return None
    return Extract(None, NOTHING, min(asked_at, cap) if cap else asked_at)


def _count(run: Run, question: Question) -> int | None:
    """Asks the org for the count; None where that takes too long."""
    try:
        return rest.count(run.org, question.count_soql, include_deleted=question.include_deleted)
    except TimedOutError:
        return None
    except ApiError as error:
        if error.error_code == "QUERY_TIMEOUT":
            return None
        raise


def by_job(run: Run, question: Question, record: JobRecord, options: SyncOptions) -> Extract:
    """Follows the job, downloads its pages and stages them; twice, if the counts differ the first time."""
    job = follow_job(
        run.org,
        record.job_id,
        timeout_s=options.job_timeout_s,
        sleep=run.stop.sleep,
        on_state=lambda j: run.tell("waiting", question.object, f"job {j.id} {j.state}", done=j.records),
    )
    if question.may_be_nothing and job.records == 0:
        return Extract(None, NOTHING, record.created_at, job=record)
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
    staging, facts = stage_all(run, question, stream, expected=job.records, job_id=job.id)
    return Extract(staging, facts, record.created_at, dict(stream.rounded), record)
