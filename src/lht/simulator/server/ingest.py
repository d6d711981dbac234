"""Bulk API 2.0 ingest resources under /services/data/…/jobs/ingest."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from lht.simulator.errors import ApiFault, not_found
from lht.simulator.org.jobs.job_list import job_list
from lht.simulator.server.bulk import CSV_TYPE
from lht.simulator.server.call import bytes_answer, json_answer, stream_answer
from lht.simulator.store.uploads import FAILED

if TYPE_CHECKING:
    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call

MOST_PART_CHARS = 100_000
"""As much data as a job may bring with it."""
_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))')
_NAME = re.compile(rb'name="?([^";\r\n]+)"?')


def create(site: Site, call: Call) -> Response:
    """Creates a job, with its data where the request brings them."""
    kind = call.headers.get("content-type", "")
    if kind.lower().startswith("multipart/form-data"):
        body, content = _parts(call.body, kind)
        return json_answer(call, site.ingest.create_whole(body, call.version_number, content))
    return json_answer(call, site.ingest.create(call.json_body(), call.version_number))


def get(site: Site, call: Call) -> Response:
    """Tells a job's status."""
    return json_answer(call, site.ingest.get(call.path["id"]))


def list_jobs(site: Site, call: Call) -> Response:
    """Lists all jobs of the org, query jobs too, as the resource of ingest jobs does; `jobType` tells them apart."""
    jobs = sorted(site.jobs.entries() + site.ingest.entries(), key=lambda job: str(job["id"]))
    base = f"/services/data/{call.version}/jobs/ingest"
    return json_answer(call, job_list(jobs, call.query, base, site.settings.jobs_per_list))


def change(site: Site, call: Call) -> Response:
    """Closes or aborts a job."""
    return json_answer(call, site.ingest.change(call.path["id"], call.json_body()))


def delete(site: Site, call: Call) -> Response:
    """Deletes a job."""
    site.ingest.delete(call.path["id"])
    return Response(status_code=204)


def upload(site: Site, call: Call) -> Response:
    """Takes the data of a job, which lie in a file by now."""
    if call.path["part"] != "batches" or call.upload is None:
        raise not_found()
    kind = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in {"", "text/csv"}:
        message = f"MediaType of '{kind}' is not supported by this resource"
        raise ApiFault(415, "UNSUPPORTED_MEDIA_TYPE", message)
    if call.upload_is_too_large:
        most = site.settings.most_upload_bytes
        raise ApiFault(413, "REQUEST_ENTITY_TOO_LARGE", f"The data of a job may have {most} bytes at most")
    site.ingest.upload(call.path["id"], call.upload)
    return Response(status_code=201)


def results(site: Site, call: Call) -> Response:
    """Streams one of the three result files."""
    job_id, kind = call.path["id"], call.path["part"].lower()
    if kind == FAILED and site.jobs.has(job_id):  # a real org was seen to answer so, of a query job
        return bytes_answer(call, site.jobs.headers(job_id), media_type=CSV_TYPE)
    return stream_answer(call, site.ingest.results(job_id, kind), {}, CSV_TYPE)


def _parts(body: bytes, kind: str) -> tuple[dict[str, Any], bytes]:
    """Tells a form into the job and its data. Some callers end the headers of a part in bare line feeds."""
    found = _BOUNDARY.search(kind)
    if found is None:
        raise _malformed("no boundary is named")
    mark = b"--" + (found[1] or found[2]).encode("latin-1")
    parts = dict(filter(None, map(_part, (b"\n" + body).split(b"\n" + mark)[1:])))
    if "job" not in parts or "content" not in parts:
        raise _malformed("it needs the parts job and content")
    if len(parts["content"].decode("utf-8", "replace")) > MOST_PART_CHARS:
        raise ApiFault(
            400, "INVALIDJOB", f"InvalidJob : the content has more than {MOST_PART_CHARS} characters"
        )
    try:
        job = json.loads(parts["job"])
    except ValueError:
        job = None
    if not isinstance(job, dict):
        raise ApiFault(400, "JSON_PARSER_ERROR", "The part job must be a JSON object")
    return job, parts["content"]


def _part(text: bytes) -> tuple[str, bytes] | None:
    """Gives the name and the content of a part; the line break before the next boundary belongs to neither."""
    ends = [(place, len(end)) for end in (b"\r\n\r\n", b"\n\n") if (place := text.find(end)) >= 0]
    if text.startswith(b"--") or not ends:
        return None
    place, length = min(ends)
    name = _NAME.search(text[:place])
    return None if name is None else (name[1].decode("latin-1"), text[place + length :].removesuffix(b"\r"))


def _malformed(reason: str) -> ApiFault:
    return ApiFault(400, "INVALIDJOB", f"InvalidJob : the multipart form cannot be read: {reason}")
