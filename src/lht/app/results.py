"""What became of an ingest job's rows, whoever made the job, loaded into a table that holds many jobs' rows."""

from __future__ import annotations

import time
from dataclasses import replace
from shutil import rmtree
from typing import TYPE_CHECKING, Final

from lht.app.bulk import follow
from lht.app.loading import Loader
from lht.errors import BulkJobError, ConfigError, IncompleteExtractError
from lht.mapping.names import column_name
from lht.model.retl import ErrorClass, Outcome
from lht.model.salesforce import JobState
from lht.model.table import Column, ColumnKind, ColumnType
from lht.retl import classes
from lht.retl.told import read_told
from lht.retl.work import Work
from lht.sfdc import bulk
from lht.state.tables import system_columns
from lht.warehouse.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lht.model.operations import LoadResult
    from lht.model.salesforce import BulkJob
    from lht.model.table import Capabilities, TableName
    from lht.retl.told import Told
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse

_TEXT: Final = ColumnType(ColumnKind.TEXT)
_OWN: Final = {
    "job_id": _TEXT,
    "outcome": _TEXT,
    "sf_id": _TEXT,
    "sf_created": ColumnType(ColumnKind.BOOLEAN),
    "error_code": _TEXT,
    "error_message": _TEXT,
    "error_fields": _TEXT,
}


def loader(warehouse: Warehouse, table: TableName, run_id: str, *, lock_timeout_s: float = 10.0) -> Loader:
    """A loader that replaces the rows of one job, and lets those of others stay."""
    job_column = column_name("job_id", warehouse.capabilities)
    return Loader(
        warehouse, table, run_id, lock_timeout_s=lock_timeout_s, command="results", job_column=job_column
    )


def load_results(
    org: Org,
    loader: Loader,
    job_id: str,
    *,
    wait: bool = False,
    work_dir: Path,
    sleep: Callable[[float], None] = time.sleep,
    on_state: Callable[[BulkJob], None] = lambda _job: None,
) -> LoadResult:
    """Loads an ended ingest job's successful, failed and unprocessed rows, in one transaction."""
    job = _ended(org, bulk.job_status(org, job_id), wait=wait, on_state=on_state)
    folder = work_dir / f"{job.id}-{loader.run_id}"
    try:
        with Work(folder) as work:
            told = _read(org, job, work, sleep=sleep)
            _classify(work, job)
            columns = _columns(told, loader.capabilities)
            stream = Stream(work.batches(_rows(told), [job.id]))
            loaded = loader.load(job, columns, stream, rows=sum(told.rows.values()))
            return replace(loaded, errors=_errors(work))
    finally:
        rmtree(folder, ignore_errors=True)


def _ended(org: Org, job: BulkJob, *, wait: bool, on_state: Callable[[BulkJob], None]) -> BulkJob:
    """The job once it has ended, however it did; without `wait` it has to have already."""
    if job.operation.lower().startswith("query"):
        raise ConfigError(
            f"Job {job.id} is a query of {job.object}: it changed no rows.",
            hint=f"Its rows: lht bulk_results --job_id {job.id} --sobject {job.object} --table MY_TABLE",
        )
    if job.state.is_final:
        return job
    if not wait:
        raise BulkJobError(
            f"Job {job.id} is {job.state}: it has no results yet.", hint="Add --wait, or try again later."
        )
    try:
        return follow(org, job.id, on_state=on_state)
    except BulkJobError:
        ended = bulk.job_status(org, job.id)
        if not ended.state.is_final:
            raise
        return ended


def _read(org: Org, job: BulkJob, work: Work, *, sleep: Callable[[float], None]) -> Told:
    """The job's rows; fetched once more where they are not as many as it counts."""
    told = read_told(org, job, work, sleep=sleep)
    if not _is_whole(told, job):
        told = read_told(org, job, work, sleep=sleep)
    if told.gone:
        raise BulkJobError(
            f"Salesforce no longer has {' and '.join(told.gone)} of job {job.id}.",
            hint="Results vanish seven days after a job's end.",
        )
    if not _is_whole(told, job):
        raise IncompleteExtractError(
            f"Job {job.id} counts {job.records} rows, {job.records_failed} of them failed; its files hold"
            f" {told.rows.get(Outcome.SUCCEEDED, 0)} that succeeded and {told.rows.get(Outcome.FAILED, 0)} that failed.",
            hint="Run the same command again.",
        )
    return told


def _is_whole(told: Told, job: BulkJob) -> bool:
    """Whether the files hold what the job counts; the counts of one that was cut off are not to be relied on."""
    if told.gone or told.skipped or job.state is not JobState.JOB_COMPLETE:
        return not (told.gone or told.skipped)
    failed = told.rows.get(Outcome.FAILED, 0)
    return (told.rows.get(Outcome.SUCCEEDED, 0) + failed, failed) == (job.records, job.records_failed)


def _classify(work: Work, job: BulkJob) -> None:
    """Makes `classified`: the job's rows, each with its class of error."""
    work.execute(
        f"""
        CREATE TABLE classified AS
        SELECT *,
          CASE outcome WHEN 'failed' THEN said.class WHEN 'unprocessed' THEN ? END AS error_code,
          CASE outcome WHEN 'failed' THEN said.message WHEN 'unprocessed' THEN ? END AS error_message
        FROM (SELECT *, {classes.parsed_sql("error")} AS said FROM told)
        """,
        list(classes.why_unprocessed(job)),
    )


def _rows(told: Told) -> str:
    sent = "".join(f", nullif(v{number}, '')" for number in range(1, len(told.headers) + 1))
    return f"""
        SELECT CAST(? AS VARCHAR), outcome, nullif(sf_id, ''), lower(nullif(created, '')) = 'true',
          error_code, error_message, CASE outcome WHEN 'failed' THEN nullif(said.fields, '') END{sent}
        FROM classified
        """


def _errors(work: Work) -> tuple[ErrorClass, ...]:
    found = work.query(
        "SELECT error_code, count(*), min(error_message) FROM classified WHERE error_code IS NOT NULL"
        " GROUP BY ALL ORDER BY 2 DESC, 1"
    )
    return tuple(ErrorClass(*row) for row in found)


def _columns(told: Told, capabilities: Capabilities) -> tuple[Column, ...]:
    own = [Column(column_name(name, capabilities), kind) for name, kind in _OWN.items()]
    names = _free_names(
        [column_name(_plain(header), capabilities) for header in told.headers], own, capabilities
    )
    sent = [Column(name, _TEXT, comment=header) for name, header in zip(names, told.headers, strict=True)]
    return (*own, *sent)


def _plain(header: str) -> str:
    """A header without its colon, as in `Lead:Who.Email`; one that is missing still needs a name."""
    return header.replace(":", "_") or "column"


def _free_names(wanted: Sequence[str], own: Sequence[Column], capabilities: Capabilities) -> list[str]:
    """Names that are still free: one that is taken, in any letter case, gets a number."""
    stamps = system_columns(capabilities)
    taken = {column.name.lower() for column in own} | {
        name.lower() for name in (stamps.run_id, stamps.synced_at, stamps.deleted_at)
    }
    names = []
    for name in wanted:
        number, free = 1, name
        while free.lower() in taken:
            number += 1
            free = f"{name}_{number}"
        taken.add(free.lower())
        names.append(free)
    return names
