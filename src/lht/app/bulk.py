"""Bulk query jobs by hand: submitted, followed, their rows written to a file or into a table."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from lht.errors import BulkJobError, ConfigError, IncompleteExtractError
from lht.mapping.columns import columns_for
from lht.model.operations import LoadResult, QueryJob
from lht.model.salesforce import JobState
from lht.records.extract import download, follow_job, list_pages
from lht.records.files import read_header, write_csv, write_parquet
from lht.records.parse import stream_pages
from lht.records.spool import Spool
from lht.sfdc import bulk, rest, soql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from lht.app.loading import Loader
    from lht.model.salesforce import BulkJob
    from lht.model.table import Capabilities, Column, ColumnType
    from lht.records.spool import Page
    from lht.sfdc.org import Org

OUTPUTS = (".csv", ".parquet")
DAY_S = 86_400.0


def submit_query(
    org: Org,
    sobject: str,
    *,
    query: str | None = None,
    where: str | None = None,
    fields: Sequence[str] = (),
    include_deleted: bool = False,
    capabilities: Capabilities,
) -> QueryJob:
    """Submits a Bulk query of an object: all fields that results can carry, or `query` word for word."""
    described = rest.describe(org, sobject)
    if query is None:
        columns, _ = columns_for(described, fields=fields, overrides={}, capabilities=capabilities)
        conditions = [f"({where})"] if where else []
        query = soql.select(names_of(columns, fields), described.name, conditions)
    job = bulk.create_query_job(org, query, include_deleted=include_deleted)
    return QueryJob(job.id, job.state.value, job.object or described.name)


def names_of(columns: Sequence[Column], asked: Sequence[str]) -> list[str]:
    """The fields to select: those that were asked for, in the org's spelling, else all."""
    wanted = {name.lower() for name in asked}
    names = [column.field or column.name for column in columns]
    return [name for name in names if not wanted or name.lower() in wanted]


def follow(
    org: Org,
    job_id: str,
    *,
    timeout_s: float = DAY_S,
    sleep: Callable[[float], None] = time.sleep,
    on_state: Callable[[BulkJob], None] = lambda _job: None,
) -> BulkJob:
    """Waits for a job's end; one that failed or was aborted raises."""
    return follow_job(org, job_id, timeout_s=timeout_s, sleep=sleep, on_state=on_state)


def bulk_status(org: Org, job_id: str) -> BulkJob:
    """Gives a Bulk API 2.0 job as it stands."""
    return bulk.job_status(org, job_id)


def write_results(
    org: Org,
    job: BulkJob,
    output: Path,
    *,
    spool_dir: Path,
    overrides: Mapping[str, ColumnType],
    capabilities: Capabilities,
) -> QueryJob:
    """Writes a complete job's rows to a CSV or Parquet file; the file appears when it is whole."""
    check_output(output)
    spool = Spool(spool_dir / job.id)
    try:
        pages = _pages(org, job, spool)
        if output.suffix == ".csv":
            rows = write_csv(pages, output)
        else:
            columns = _result_columns(org, job, overrides=overrides, capabilities=capabilities)
            rows = write_parquet(stream_pages(pages, columns, object_name=job.object), output)
    finally:
        spool.remove()
    _check_count(job, rows)
    return QueryJob(job.id, job.state.value, job.object, str(output), rows)


def check_output(output: Path) -> None:
    """Refuses a file of a kind that LHT does not write, before a job is submitted for it."""
    if output.suffix not in OUTPUTS:
        raise ConfigError(f"{output} is neither .csv nor .parquet.", hint="The ending chooses the format.")


def bulk_results(
    org: Org,
    loader: Loader,
    job_id: str,
    sobject: str,
    *,
    wait: bool = False,
    spool_dir: Path,
    overrides: Mapping[str, ColumnType],
    on_state: Callable[[BulkJob], None] = lambda _job: None,
) -> LoadResult:
    """Loads a query job's rows into the loader's table, in one transaction."""
    job = _complete(org, bulk.job_status(org, job_id), wait=wait, on_state=on_state)
    if job.object.lower() != sobject.lower():
        raise ConfigError(
            f"Job {job.id} is a query of {job.object}, not of {sobject}.", hint="Check --job_id."
        )
    spool = Spool(spool_dir / job.id)
    try:
        columns = _result_columns(org, job, overrides=overrides, capabilities=loader.capabilities)
        stream = stream_pages(_pages(org, job, spool), columns, object_name=job.object)
        return loader.load(job, columns, stream)
    finally:
        spool.remove()


def _complete(org: Org, job: BulkJob, *, wait: bool, on_state: Callable[[BulkJob], None]) -> BulkJob:
    """The job once it is complete; without `wait` it has to be already."""
    if not job.operation.lower().startswith("query"):
        raise ConfigError(
            f"Job {job.id} is an {job.operation} job: it has no query results.",
            hint=f"What became of its rows: lht results --job_id {job.id} --table MY_TABLE",
        )
    if job.state is JobState.JOB_COMPLETE:
        return job
    if wait or job.state.is_final:
        return follow(org, job.id, on_state=on_state)
    raise BulkJobError(
        f"Job {job.id} is {job.state}: it has no results yet.", hint="Add --wait, or try again later."
    )


def _pages(org: Org, job: BulkJob, spool: Spool) -> Iterable[Page]:
    locators = list_pages(org, job, batch_size=None)
    return download(
        org, job, spool, locators=locators, batch_size=None, parallel=4, on_page=lambda _page: None
    )


def _result_columns(
    org: Org, job: BulkJob, *, overrides: Mapping[str, ColumnType], capabilities: Capabilities
) -> tuple[Column, ...]:
    """The job's own columns in its own order, typed by describe; what describe does not know is text."""
    with bulk.open_result(org, job.id, None, 1, api_version=job.api_version) as answer:
        names = read_header(answer.chunks())
    sobject = rest.describe(org, job.object)
    related = rest.fields_at(org, sobject, names)
    columns, _ = columns_for(
        sobject, fields=names, overrides=overrides, capabilities=capabilities, related=related
    )
    by_field = {(column.field or column.name).lower(): column for column in columns}
    return tuple(replace(by_field[name.lower()], field=name) for name in names)


def _check_count(job: BulkJob, rows: int) -> None:
    if rows != job.records:
        raise IncompleteExtractError(
            f"Job {job.id} has {job.records} rows, {rows} arrived.", hint="Run the same command again."
        )
