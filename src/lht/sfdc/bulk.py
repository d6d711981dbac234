"""Bulk API 2.0 query jobs: created, watched, read, ended."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote, urlsplit

from lht.errors import RequestRejectedError
from lht.sfdc import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.model.salesforce import BulkJob
    from lht.sfdc.messages import Response
    from lht.sfdc.org import Org
    from lht.sfdc.transport import StreamedResponse

_NOT_FOUND = 404
_QUERY = "jobs/query"
_INGEST = "jobs/ingest"
_FIRST_WITH_RESULT_PAGES = 58.0


def create_query_job(org: Org, soql: str, *, include_deleted: bool = True) -> BulkJob:
    """Submits a query. Never sent twice by itself: a lost answer may leave a job behind, which `list_jobs` shows."""
    answer = org.request(
        "POST",
        _QUERY,
        json={
            "operation": "queryAll" if include_deleted else "query",
            "query": soql,
            "contentType": "CSV",
            "columnDelimiter": "COMMA",
            "lineEnding": "LF",
        },
    )
    return _read(answer)


def job_status(org: Org, job_id: str) -> BulkJob:
    """A job as it stands; query jobs are looked for first, then ingest jobs."""
    answer = _anywhere(org, "GET", job_id)
    if answer is None:
        raise _unknown_job(job_id)
    return _read(answer)


def list_jobs(org: Org) -> tuple[BulkJob, ...]:
    """All Bulk API 2.0 jobs, query and ingest; jobs of the older API share the list and are left out."""
    jobs: dict[str, BulkJob] = {}
    for entry in (*_entries(org, _QUERY), *_ingest_entries(org)):
        if str(entry.get("jobType") or "V2Query").startswith("V2"):
            jobs.setdefault(str(entry["id"]), wire.read_job(entry))
    return tuple(jobs.values())


def abort_job(org: Org, job_id: str) -> BulkJob:
    """Stops a job that is not done yet; one that has ended is refused with INVALIDJOBSTATE."""
    answer = _anywhere(org, "PATCH", job_id, json={"state": "Aborted"})
    if answer is None:
        raise _unknown_job(job_id)
    return _read(answer)


def delete_job(org: Org, job_id: str) -> bool:
    """Removes an ended job with its results; False if it was gone already."""
    return _anywhere(org, "DELETE", job_id) is not None


def has_result_pages(org: Org, api_version: str | None = None) -> bool:
    """Whether results can be listed as pages to be read in parallel."""
    return float(api_version or org.api_version) >= _FIRST_WITH_RESULT_PAGES


def result_pages(org: Org, job: BulkJob) -> Iterator[str]:
    """The places of all result pages of a complete job, in Salesforce's order, each for `open_result`."""
    path: str | None = _job_path(org, job.id, job.api_version) + "/resultPages"
    seen = set()
    while path and path not in seen:
        seen.add(path)
        body = org.request("GET", path).json()
        for page in body.get("resultPages") or ():
            yield _locator(str(page["resultUrl"]))
        following = (
            None if body.get("done") is True else body.get("nextRecordsUrl") or body.get("nextRecordUrl")
        )
        path = _rooted(str(following)) if following else None


def open_result(
    org: Org,
    job_id: str,
    locator: str | None = None,
    max_records: int | None = None,
    *,
    api_version: str | None = None,
) -> StreamedResponse:
    """Opens one page of results as compressed CSV.

    The page's headers `Sforce-Locator` (the text `null` on the last page) and `Sforce-NumberOfRecords` tell the
    rest. Without a locator it is the first page. `api_version` must be the one that made the job.
    """
    headers = {"Accept": "text/csv"}
    if locator and locator.startswith("/"):
        return org.stream(locator, headers=headers)
    params = {"locator": locator} if locator else {}
    if max_records:
        params["maxRecords"] = str(max_records)
    return org.stream(_job_path(org, job_id, api_version or "") + "/results", params=params, headers=headers)


def _job_path(org: Org, job_id: str, api_version: str) -> str:
    """A job's path; results can only be read with the version that made the job."""
    return f"/services/data/v{api_version or org.api_version}/{_QUERY}/{quote(job_id, safe='')}"


def _locator(result_url: str) -> str:
    """A page's locator, or the whole address where it says more than that."""
    params = dict(parse_qsl(urlsplit(result_url).query))
    return params["locator"] if set(params) == {"locator"} else _rooted(result_url)


def _rooted(address: str) -> str:
    """An address on the org's own host: samples lack the leading slash, and a host is dropped."""
    parts = urlsplit(address)
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    return f"{path}?{parts.query}" if parts.query else path


def _read(answer: Response) -> BulkJob:
    return wire.read_job(answer.json(), server_time=answer.date)


def _anywhere(org: Org, method: str, job_id: str, *, json: object = None) -> Response | None:
    """Asks for a job among query jobs, then ingest jobs; None if it is neither."""
    for kind in (_QUERY, _INGEST):
        try:
            # Aborting twice ends in the same state, so a PATCH may be repeated here.
            return org.request(method, f"{kind}/{quote(job_id, safe='')}", json=json, repeat=True)
        except RequestRejectedError as error:
            if error.status != _NOT_FOUND:
                raise
    return None


def _unknown_job(job_id: str) -> RequestRejectedError:
    return RequestRejectedError(
        f"The org has no Bulk API 2.0 job {job_id}.",
        status=_NOT_FOUND,
        error_code="NOT_FOUND",
        hint="Jobs vanish seven days after they end; 'lht jobs' lists those that are left.",
    )


def _entries(org: Org, resource: str) -> Iterator[dict[str, Any]]:
    path: str | None = resource
    seen = set()
    while path and path not in seen:
        seen.add(path)
        body = org.request("GET", path).json()
        yield from body.get("records") or ()
        following = None if body.get("done") is True else body.get("nextRecordsUrl")
        path = _rooted(str(following)) if following else None


def _ingest_entries(org: Org) -> Iterator[dict[str, Any]]:
    """Ingest jobs, where the org serves them to this login."""
    with suppress(RequestRejectedError):
        yield from _entries(org, _INGEST)
