"""Admin resources under /simulator: what no Salesforce org has. For callers on this machine only."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault, not_found
from lht.simulator.org.schemas.new_fields import changed_field, new_field
from lht.simulator.server.call import json_answer

if TYPE_CHECKING:
    from starlette.responses import Response

    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call


def reset(site: Site, call: Call) -> Response:
    """Puts the org back to how it started."""
    site.reset()
    return json_answer(call, {})


def clock(site: Site, call: Call) -> Response:
    """Tells the org's time."""
    return json_answer(call, {"now": site.clock.now().isoformat(), "frozen": site.clock.is_frozen})


def set_clock(site: Site, call: Call) -> Response:
    """Sets the org's time; it goes on from there unless it is to stand."""
    body = call.admin_body("now", "frozen")
    moment = datetime.fromisoformat(need(body, "now", str))
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if flag(body, "frozen", default=False):
        site.clock.freeze(moment)
    else:
        site.clock.resume()
        site.clock.set(moment)
    return clock(site, call)


def advance_clock(site: Site, call: Call) -> Response:
    """Moves the org's time."""
    site.clock.move(need(call.admin_body("seconds"), "seconds", int, float))
    return clock(site, call)


def freeze_clock(site: Site, call: Call) -> Response:
    """Stops the org's time."""
    site.clock.freeze()
    return clock(site, call)


def run_clock(site: Site, call: Call) -> Response:
    """Lets the org's time go on."""
    site.clock.resume()
    return clock(site, call)


def settings(site: Site, call: Call) -> Response:
    """Tells every setting."""
    return json_answer(call, site.all_settings())


def change_settings(site: Site, call: Call) -> Response:
    """Changes settings by name."""
    site.change_settings(call.admin_body())
    return settings(site, call)


def add_field(site: Site, call: Call) -> Response:
    """Adds a field; a name that ends in __c makes it a custom one."""
    body = call.admin_body()
    name = need(body, "name", str)
    need(body, "type", str)
    site.org.fields.add(call.path["object"], new_field(body))
    return _field_answer(site, call, name, 201)


def alter_field(site: Site, call: Call) -> Response:
    """Changes facts of a field; hiding it touches no value, so it goes another way."""
    body, name = call.admin_body(), call.path["field"]
    hidden = flag(body, "hidden", default=None)
    body.pop("hidden", None)
    if body.pop("name", name) != name:
        raise ApiFault(400, "INVALID_INPUT", "a field keeps its name")
    known = asdict(_field(site.catalog.need(call.path["object"]), name)) | {"saved": ()}
    if body:
        site.org.fields.alter(call.path["object"], changed_field(known, body))
    if hidden is not None:
        site.org.fields.hide(call.path["object"], name, hidden=hidden)
    return _field_answer(site, call, name)


def drop_field(site: Site, call: Call) -> Response:
    """Drops a field with its values."""
    site.org.fields.drop(call.path["object"], call.path["field"])
    return json_answer(call, {})


def hide_records(site: Site, call: Call) -> Response:
    """Hides records from the user, or shows them again."""
    body = call.admin_body("ids", "where", "hidden")
    hidden, (ids, where) = bool(flag(body, "hidden", default=True)), chosen(body)
    count = site.org.hide_records(call.path["object"], ids=ids, where=where, hidden=hidden)
    return json_answer(call, {"count": count})


def purge(site: Site, call: Call) -> Response:
    """Removes deleted records for good."""
    return json_answer(
        call, {"count": site.org.records.purge(call.path["object"], record_ids(call.admin_body("ids")))}
    )


def empty_bin(site: Site, call: Call) -> Response:
    """Empties records out of the recycle bin."""
    return json_answer(
        call, {"count": site.org.records.empty_bin(call.path["object"], record_ids(call.admin_body("ids")))}
    )


def undelete(site: Site, call: Call) -> Response:
    """Takes records out of the recycle bin."""
    body = call.admin_body("ids")
    need(body, "ids", list)
    ids = record_ids(body) or []
    for record_id in ids:
        site.org.records.undelete(record_id)
    return json_answer(call, {"count": len(ids)})


def use_limits(site: Site, call: Call) -> Response:
    """Counts uses of limits as if they had happened now."""
    site.limits.use(call.admin_body())
    return json_answer(call, site.limits.as_json())


def expire_sessions(site: Site, call: Call) -> Response:
    """Ends every session."""
    site.oauth.expire()
    return json_answer(call, {})


def faults(site: Site, call: Call) -> Response:
    """Lists the failures that still wait."""
    return json_answer(call, {"faults": site.faults.waiting()})


def add_fault(site: Site, call: Call) -> Response:
    """Orders a failure."""
    return json_answer(call, site.faults.add(call.admin_body()).values(), 201)


def clear_faults(site: Site, call: Call) -> Response:
    """Forgets all failures."""
    site.faults.clear()
    return json_answer(call, {})


def need(body: dict[str, Any], key: str, *kinds: type) -> Any:
    """Gives a value that must be there and of one of these kinds."""
    value = body.get(key)
    if not isinstance(value, kinds) or isinstance(value, bool):
        wanted = _KINDS.get(kinds[0], "a value")
        raise ApiFault(400, "INVALID_INPUT", f"{key} is missing or of the wrong kind: it must be {wanted}")
    return value


_KINDS: dict[type, str] = {str: "a text", list: "a list", int: "a number", float: "a number"}


def record_ids(body: dict[str, Any], key: str = "ids") -> list[str] | None:
    """Gives the ids of records, if there are any."""
    ids = body.get(key)
    if ids is not None and not (isinstance(ids, list) and all(isinstance(one, str) for one in ids)):
        raise ApiFault(400, "INVALID_INPUT", f"{key} must be a list of record ids")
    return ids


def chosen(body: dict[str, Any]) -> tuple[list[str] | None, str | None]:
    """Gives the ids, or the condition, that say which records are meant; both could contradict each other."""
    ids = record_ids(body)
    where = need(body, "where", str) if body.get("where") is not None else None
    if ids is not None and where is not None:
        raise ApiFault(400, "INVALID_INPUT", "either ids or where says which records are meant, not both")
    return ids, where


def flag(body: dict[str, Any], key: str, *, default: bool | None) -> bool | None:
    """Gives a yes or no."""
    value = body.get(key, default)
    if value is not None and not isinstance(value, bool):
        raise ApiFault(400, "INVALID_INPUT", f"{key} must be true or false")
    return value


def _field(schema: ObjectSchema, name: str) -> FieldSchema:
    found = next((field for field in schema.fields if field.name.lower() == name.lower()), None)
    if found is None:
        raise not_found()
    return found


def _field_answer(site: Site, call: Call, name: str, status: int = 200) -> Response:
    return json_answer(call, asdict(_field(site.catalog.need(call.path["object"]), name)), status)
