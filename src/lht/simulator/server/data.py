"""REST resources under /services/data: versions, describes, queries, records, replication, limits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from lht.simulator.errors import ApiFault, not_found
from lht.simulator.org import ids
from lht.simulator.org.reads.page_size import LEAST, MOST
from lht.simulator.server import relationships
from lht.simulator.server.call import (
    bytes_answer,
    json_answer,
    json_bytes,
    write_options,
)
from lht.simulator.server.columns import column_metadata
from lht.simulator.server.conditions import State, check_write, is_conditional, unchanged
from lht.simulator.versions import NEWEST, OLDEST

if TYPE_CHECKING:
    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call

UPSERT_ANSWERS_SINCE = 46
_BATCH = re.compile(r"batchSize\s*=\s*(\d{1,6})", re.IGNORECASE)
SEASONS = ("Spring", "Winter", "Summer")
NEWEST_YEAR = 26
RESOURCES = ("sobjects", "query", "queryAll", "composite", "limits", "jobs")


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
    return _described(site, call, site.org.describe_global(version=call.version))


def describe(site: Site, call: Call) -> Response:
    """Describes one object."""
    found = site.org.describe(call.path["object"], version=call.version, base_url=call.base_url)
    return _described(site, call, found)


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
    return json_answer(call, site.queries.query_more(call.path["cursor"], version=call.version))


def create(site: Site, call: Call) -> Response:
    """Makes a record."""
    record_id = site.org.records.create(call.path["object"], call.record_body(), write_options(call))
    return _created(site, call, {"id": record_id, "success": True, "errors": []})


def create_by_id(site: Site, call: Call) -> Response:
    """Makes a record under an address that ends in Id, as an upsert without a key."""
    if call.path["id"].lower() != "id":
        raise not_found()
    made = site.org.records.upsert(call.path["object"], "Id", "", call.record_body(), write_options(call))
    return _created(site, call, {"id": made[0], "success": True, "errors": [], "created": made[1]})


def read(site: Site, call: Call) -> Response:
    """Gives a record."""
    return _read(site, call, call.path["id"])


def update(site: Site, call: Call) -> Response:
    """Changes a record, if it is what the request's conditions say."""
    name, record_id, body = call.path["object"], call.path["id"], call.record_body()
    if not is_conditional(call):
        site.org.records.update(name, record_id, body, write_options(call))
        return Response(status_code=204)
    with site.db.together():
        check_write(call, State.of_record(site.org.records.read(name, record_id, version=call.version)))
        site.org.records.update(name, record_id, body, write_options(call))
    return Response(status_code=204)


def delete(site: Site, call: Call) -> Response:
    """Deletes a record."""
    site.org.records.delete(call.path["object"], call.path["id"])
    return Response(status_code=204)


def read_by_key(site: Site, call: Call) -> Response:
    """Answers with a record by external id, with what a relationship leads to, or with the content of a file."""
    name, key, value = call.path["object"], call.path["id"], call.path["value"]
    schema = site.catalog.need(name)
    field = schema.find(value)
    if field is not None and field.type == "base64":
        return Response(site.org.records.read_blob(name, key, value), media_type="application/octet-stream")
    if relationships.is_traversal(schema, call):
        return relationships.read(site, call, schema, _fields(call))
    return _read(site, call, site.org.records.find_by_key(name, key, value))


def upsert(site: Site, call: Call) -> Response:
    """Makes or changes a record by external id; versions before 46.0 had no body for a change."""
    name, key, value = call.path["object"], call.path["id"], call.path["value"]
    schema = site.catalog.need(name)
    if relationships.is_traversal(schema, call):
        return relationships.update(site, call, schema)
    record_id, is_new = _upserted(site, call, name, key, value)
    if not is_new and call.version_number < UPSERT_ANSWERS_SINCE:
        return Response(status_code=204)
    body = {"id": record_id, "success": True, "errors": [], "created": is_new}
    return _created(site, call, body) if is_new else json_answer(call, body)


def _upserted(site: Site, call: Call, name: str, key: str, value: str) -> tuple[str, bool]:
    """Upserts; with `updateOnly`, a record that the key does not name is a 404 instead of a new one."""
    body, options = call.record_body(), write_options(call)
    if call.query.get("updateOnly", "").lower() != "true":
        return site.org.records.upsert(name, key, value, body, options)
    with site.db.together():
        site.org.records.find_by_key(name, key, value)
        return site.org.records.upsert(name, key, value, body, options)


def delete_by_key(site: Site, call: Call) -> Response:
    """Deletes a record by external id, or the one that a relationship leads to."""
    name, key, value = call.path["object"], call.path["id"], call.path["value"]
    schema = site.catalog.need(name)
    if relationships.is_traversal(schema, call):
        return relationships.delete(site, call, schema)
    site.org.records.delete(name, site.org.records.find_by_key(name, key, value))
    return Response(status_code=204)


def updated(site: Site, call: Call) -> Response:
    """Tells what changed in a window of time."""
    return json_answer(call, site.org.replication.updated(call.path["object"], *_window(call)))


def deleted(site: Site, call: Call) -> Response:
    """Tells what was deleted in a window of time."""
    return json_answer(call, site.org.replication.deleted(call.path["object"], *_window(call)))


def limits(site: Site, call: Call) -> Response:
    """Tells the limits and what is left of them."""
    return json_answer(call, site.limits.as_json(call.version_number))


def record_count(site: Site, call: Call) -> Response:
    """Counts records by object."""
    names = call.query.get("sObjects")
    return json_answer(call, site.org.record_count(names.split(",") if names else None))


def _described(site: Site, call: Call, value: object) -> Response:
    body = json_bytes(value, pretty=call.wants_pretty)
    name = f"{call.version}/{call.path.get('object', '').lower()}/{call.wants_pretty}"
    state = State(site.last_changes.moment(name, body))
    known = unchanged(call, state, site.clock.now())
    return known or bytes_answer(call, body, headers=state.headers(call))


def _read(site: Site, call: Call, record_id: str) -> Response:
    name, names = call.path["object"], _fields(call)
    whole = site.org.records.read(name, record_id, version=call.version)
    found = site.org.records.read(name, record_id, fields=names, version=call.version) if names else whole
    state = State.of_record(whole)
    return unchanged(call, state, site.clock.now()) or json_answer(call, found, headers=state.headers(call))


def _created(site: Site, call: Call, body: dict[str, Any]) -> Response:
    schema = site.catalog.by_prefix(ids.checked_id(body["id"]))
    name = schema.name if schema else call.path["object"]
    where = f"/services/data/{call.version}/sobjects/{name}/{body['id']}"
    return json_answer(call, body, 201, {"Location": where})


def _query(site: Site, call: Call, *, include_deleted: bool) -> Response:
    if "explain" in call.query:
        raise not_found()  # there are no query plans here
    soql = call.query.get("q", "")
    if not soql.strip():
        raise ApiFault(400, "MALFORMED_QUERY", "SOQL statements cannot be empty or null")
    if call.query.get("columns", "").lower() == "true":
        return json_answer(
            call,
            column_metadata(
                site.queries.compile(soql, include_deleted=include_deleted, version=call.version)
            ),
        )
    size = _batch_size(call)
    found = site.queries.query(soql, include_deleted=include_deleted, batch_size=size, version=call.version)
    return json_answer(call, found)


def _batch_size(call: Call) -> int:
    found = _BATCH.search(call.headers.get("sforce-query-options", ""))
    return min(max(int(found[1]), LEAST), MOST) if found else MOST


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
