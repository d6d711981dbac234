"""Bulk API 2.0 ingest jobs: created, filled, closed, watched, their results read.

None of these calls repeats by itself what might have been done already; what a lost answer means is decided by those
who know what was recorded.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from lht.errors import RequestRejectedError
from lht.sfdc import wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.model.salesforce import BulkJob
    from lht.sfdc.messages import Response
    from lht.sfdc.org import Org
    from lht.sfdc.transport import StreamedResponse

_INGEST = "jobs/ingest"
_NOT_FOUND = 404


class ResultFile(StrEnum):
    """The three files in which each row of an ended job is found, in Salesforce's spelling."""

    SUCCESSFUL = "successfulResults"
    FAILED = "failedResults"
    UNPROCESSED = "unprocessedrecords"


def create_job(org: Org, sobject: str, operation: str, *, key: str | None = None) -> BulkJob:
    """Creates an Open job, which holds nothing yet. A lost answer may leave one behind that nobody knows.

    `key` is the field that an upsert finds records by.
    """
    body = {
        "object": sobject,
        "operation": operation,
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    if operation == "upsert":
        body["externalIdFieldName"] = key or "Id"
    return _read(org.request("POST", _INGEST, json=body))


def upload(org: Org, job_id: str, file: Path) -> None:
    """Gives an Open job its data. Salesforce takes one upload per job: after a lost answer it must not go again."""
    org.upload(f"{_path(job_id)}/batches", file)


def close_job(org: Org, job_id: str) -> BulkJob:
    """Lets Salesforce begin. A job that is closed already is refused with INVALIDJOBSTATE."""
    return _read(org.request("PATCH", _path(job_id), json={"state": "UploadComplete"}, repeat=True))


def abort_job(org: Org, job_id: str) -> BulkJob:
    """Stops a job; one that has ended is refused with INVALIDJOBSTATE. Rows that are done stay done."""
    return _read(org.request("PATCH", _path(job_id), json={"state": "Aborted"}, repeat=True))


def read_job(org: Org, job_id: str) -> BulkJob | None:
    """The job as it stands; None if Salesforce does not know it (any more)."""
    try:
        return _read(org.request("GET", _path(job_id)))
    except RequestRejectedError as error:
        if error.status == _NOT_FOUND:
            return None
        raise


def list_jobs(org: Org) -> Iterator[BulkJob]:
    """All ingest jobs that this login may see; the list tells less of each than `read_job`."""
    path: str | None = _INGEST
    seen = set()
    while path and path not in seen:
        seen.add(path)
        body = org.request("GET", path).json()
        yield from (wire.read_job(entry) for entry in body.get("records") or () if _is_ours(entry))
        path = None if body.get("done") is True else _following(body)


def open_results(org: Org, job_id: str, file: ResultFile) -> StreamedResponse:
    """Opens one of the files of results as compressed CSV; the caller closes it.

    Its header repeats that of the upload; the order of its rows says nothing.
    """
    return org.stream(f"{_path(job_id)}/{file}", headers={"Accept": "text/csv"}, timeout_s=600.0)


def _is_ours(entry: dict[str, Any]) -> bool:
    """Whether a job is one of this API: those of the older one share the list."""
    return str(entry.get("jobType") or "V2Ingest") == "V2Ingest"


def _following(body: dict[str, Any]) -> str | None:
    address = body.get("nextRecordsUrl")
    if not address:
        return None
    parts = urlsplit(str(address))
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    return f"{path}?{parts.query}" if parts.query else path


def _path(job_id: str) -> str:
    """A job's place. `contentUrl` is not used: it comes with and without a slash, and once without its version."""
    return f"{_INGEST}/{quote(job_id, safe='')}"


def _read(answer: Response) -> BulkJob:
    return wire.read_job(answer.json(), server_time=answer.date)
