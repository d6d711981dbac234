"""Bulk API 2.0 query resources under /services/data/…/jobs/query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import Response

from lht.simulator.errors import ApiFault
from lht.simulator.org.jobs.job_list import job_list
from lht.simulator.server.call import json_answer, stream_answer

if TYPE_CHECKING:
    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call

CSV_TYPE = "text/csv; charset=UTF-8"
MOST_DIGITS = 12
"""As far as a page size is read: no result has that many rows."""


def create(site: Site, call: Call) -> Response:
    """Creates a job."""
    return json_answer(call, site.jobs.create(call.json_body(), call.version_number))


def get(site: Site, call: Call) -> Response:
    """Tells a job's status."""
    return json_answer(call, site.jobs.get(call.path["id"]))


def list_jobs(site: Site, call: Call) -> Response:
    """Lists the jobs."""
    size = site.settings.jobs_per_list
    return json_answer(call, job_list(site.jobs.entries(), call.query, _base(call), size))


def abort(site: Site, call: Call) -> Response:
    """Aborts a job."""
    return json_answer(call, site.jobs.abort(call.path["id"], call.json_body()))


def delete(site: Site, call: Call) -> Response:
    """Deletes a job that has ended."""
    site.jobs.delete(call.path["id"])
    return Response(status_code=204)


def results(site: Site, call: Call) -> Response:
    """Streams one page; the last one's locator is the text null."""
    found = site.jobs.results(
        call.path["id"], call.version_number, call.query.get("locator"), _max_records(call)
    )
    headers = {"Sforce-Locator": found.locator or "null", "Sforce-NumberOfRecords": str(found.rows)}
    return stream_answer(call, found.open(), headers, CSV_TYPE)


def result_pages(site: Site, call: Call) -> Response:
    """Lists the addresses of pages that may be read at once."""
    pages = site.jobs.result_pages(
        call.path["id"], call.version_number, call.query.get("locator"), _base(call)
    )
    return json_answer(call, pages)


def _base(call: Call) -> str:
    return f"/services/data/{call.version}/jobs/query"


def _max_records(call: Call) -> int | None:
    given = call.query.get("maxRecords")
    if given is None:
        return None
    if not (given.isascii() and given.isdecimal() and given.strip("0")):
        raise ApiFault(400, "INVALIDJOB", f"maxRecords must be a whole number above zero, not {given}")
    return int(given.lstrip("0")[:MOST_DIGITS])
