"""REST resources under /services/data: versions, describes, queries, records, replication, limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from lht.simulator.errors import ApiFault
from lht.simulator.server.call import NEWEST, OLDEST, json_answer, write_options
from lht.simulator.server.columns import column_metadata

if TYPE_CHECKING:
    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call

LEAST_BATCH, MOST_BATCH = 200, 2_000
UPSERT_ANSWERS_SINCE = 46
_BATCH = re.compile(r"batchSize\s*=\s*(\d{1,6})", re.IGNORECASE)
SEASONS = ("Spring", "Winter", "Summer")
NEWEST_YEAR = 26
RESOURCES = ("sobjects", "query", "queryAll", "limits", "jobs")


def versions(_site: Site, call: Call) -> Response:
    """Lists the versions, oldest first."""
    found = [
        {"label": _label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(OLDEST, NEWEST + 1)
    ]
    return json_answer(call, found)


def resources(site: Site, call: Call) -> Response:
    """Lists what a version has, with the identity that a token gives."""
    urls = {name: f"/services/data/{call.version}/{name}" for name in RESOURCES}
    identity = f"{call.base_url}/id/{site.org.org_id}/{site.user_id}"
    return json_answer(call, urls | {"identity": identity})


def describe_global(site: Site, call: Call) -> Response:
    """Lists the objects."""
    return json_answer(call, site.org.describe_global(version=call.version))


def describe(site: Site, call: Call) -> Response:
    """Describes one object."""
    return json_answer(call, site.org.describe(call.path["object"], version=call.version))


def basic_info(site: Site, call: Call) -> Response:
    """Answers with the object's entry of the global describe."""
    schema = site.catalog.need(call.path["object"])
    listed: Any = site.org.describe_global(version=call.version)["sobjects"]
    entry = next(entry for entry in listed if entry["name"] == schema.name)
    return json_answer(call, {"objectDescribe": entry, "recentItems": []})


def query(site: Site, call: Call) -> Response:
    """Answers SOQL."""
    return _query(site, call, include_deleted=False)


def query_all(site: Site, call: Call) -> Response:
    """Answers SOQL over deleted records too."""
    return _query(site, call, include_deleted=True)


def query_more(site: Site, call: Call) -> Response:
    """Gives a further page of an answer."""
    return json_answer(call, site.org.query_more(call.path["cursor"], version=call.version))


def create(site: Site, call: Call) -> Response:
    """Makes a record."""
    record_id = site.org.create_record(call.path["object"], call.json_body(), write_options(call))
    return json_answer(call, {"id": record_id, "success": True, "errors": []}, 201)


def read(site: Site, call: Call) -> Response:
    """Gives a record."""
    found = site.org.read_record(
        call.path["object"], call.path["id"], fields=_fields(call), version=call.version
    )
    return json_answer(call, found)


def update(site: Site, call: Call) -> Response:
    """Changes a record."""
    site.org.update_record(call.path["object"], call.path["id"], call.json_body(), write_options(call))
    return Response(status_code=204)


def delete(site: Site, call: Call) -> Response:
    """Deletes a record."""
    site.org.delete_record(call.path["object"], call.path["id"])
    return Response(status_code=204)


def read_by_key(site: Site, call: Call) -> Response:
    """Answers with a record by external id, or with the content of a file field of a record."""
    name, key, value = call.path["object"], call.path["id"], call.path["value"]
    field = site.catalog.need(name).find(value)
    if field is not None and field.type == "base64":
        return Response(site.org.read_blob(name, key, value), media_type="application/octet-stream")
    return json_answer(
        call, site.org.read_by_key(name, key, value, fields=_fields(call), version=call.version)
    )


def upsert(site: Site, call: Call) -> Response:
    """Makes or changes a record by external id; versions before 46.0 had no body for a change."""
    name, key, value = call.path["object"], call.path["id"], call.path["value"]
    record_id, is_new = site.org.upsert_record(name, key, value, call.json_body(), write_options(call))
    if not is_new and call.version_number < UPSERT_ANSWERS_SINCE:
        return Response(status_code=204)
    body = {"id": record_id, "success": True, "errors": [], "created": is_new}
    return json_answer(call, body, 201 if is_new else 200)


def updated(site: Site, call: Call) -> Response:
    """Tells what changed in a window of time."""
    return json_answer(call, site.org.get_updated(call.path["object"], *_window(call)))


def deleted(site: Site, call: Call) -> Response:
    """Tells what was deleted in a window of time."""
    return json_answer(call, site.org.get_deleted(call.path["object"], *_window(call)))


def limits(site: Site, call: Call) -> Response:
    """Tells the limits and what is left of them."""
    return json_answer(call, site.org.get_limits(version=call.version))


def record_count(site: Site, call: Call) -> Response:
    """Counts records by object."""
    names = call.query.get("sObjects")
    return json_answer(call, site.org.record_count(names.split(",") if names else None))


def _query(site: Site, call: Call, *, include_deleted: bool) -> Response:
    soql = call.query.get("q", "")
    if not soql.strip():
        raise ApiFault(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null")
    if call.query.get("columns", "").lower() == "true":
        return json_answer(
            call,
            column_metadata(
                site.org.queries.compile(soql, include_deleted=include_deleted, version=call.version)
            ),
        )
    size = _batch_size(call)
    found = site.org.query(soql, include_deleted=include_deleted, batch_size=size, version=call.version)
    return json_answer(call, found)


def _batch_size(call: Call) -> int:
    found = _BATCH.search(call.headers.get("sforce-query-options", ""))
    return min(max(int(found[1]), LEAST_BATCH), MOST_BATCH) if found else MOST_BATCH


def _fields(call: Call) -> list[str] | None:
    names = call.query.get("fields")
    return [name.strip() for name in names.split(",")] if names else None


def _window(call: Call) -> tuple[str, str]:
    return call.query.get("start", ""), call.query.get("end", "")


def _label(number: int) -> str:
    """Three releases a year; the Winter one is named after the year that follows."""
    back = NEWEST - number
    year = NEWEST_YEAR - (back + 1) // 3
    return f"{SEASONS[back % 3]} '{year:02d}"
