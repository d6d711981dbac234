"""Admin resources for rules of objects, and for what people do to records beside the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.server.admin import chosen, flag, need, record_ids
from lht.simulator.server.call import json_answer

if TYPE_CHECKING:
    from starlette.responses import Response

    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call

MOST_DAYS = 100_000


def validation_rules(site: Site, call: Call) -> Response:
    """Lists the validation rules of an object."""
    return _listed(site, call, "validation_rules")


def duplicate_rules(site: Site, call: Call) -> Response:
    """Lists the duplicate rules of an object."""
    return _listed(site, call, "duplicate_rules")


def add_validation_rule(site: Site, call: Call) -> Response:
    """Adds a validation rule."""
    return json_answer(call, site.org.rules.add_validation(call.path["object"], call.admin_body()), 201)


def add_duplicate_rule(site: Site, call: Call) -> Response:
    """Adds a duplicate rule."""
    return json_answer(call, site.org.rules.add_duplicate(call.path["object"], call.admin_body()), 201)


def drop_validation_rule(site: Site, call: Call) -> Response:
    """Ends a validation rule."""
    return _dropped(site, call, "validation_rules")


def drop_duplicate_rule(site: Site, call: Call) -> Response:
    """Ends a duplicate rule."""
    return _dropped(site, call, "duplicate_rules")


def record_types(site: Site, call: Call) -> Response:
    """Lists the record types of an object."""
    return json_answer(call, {"record_types": site.org.rules.record_types(call.path["object"])})


def put_record_type(site: Site, call: Call) -> Response:
    """Adds a record type, or changes the one of that developer name."""
    return json_answer(call, site.org.rules.put_record_type(call.path["object"], call.admin_body()), 201)


def merge(site: Site, call: Call) -> Response:
    """Merges records."""
    body = call.admin_body("object", "master", "losers", "fields")
    fields, losers = body.get("fields", {}), record_ids(body, "losers")
    if not isinstance(fields, dict) or losers is None:
        raise ApiFault(400, "INVALID_INPUT", "losers must be a list of record ids, and fields an object")
    site.org.merge(need(body, "object", str), need(body, "master", str), losers, fields)
    return json_answer(call, {"id": body["master"], "mergedRecordIds": losers})


def archive(site: Site, call: Call) -> Response:
    """Archives old activities."""
    body = call.admin_body("older_than_days")
    days = need(body, "older_than_days", int, float) if "older_than_days" in body else None
    if days is not None and not 0 <= days <= MOST_DAYS:
        raise ApiFault(400, "INVALID_INPUT", f"older_than_days must be from 0 to {MOST_DAYS:,d}")
    return json_answer(call, {"count": site.org.archive(days)})


def rename_value(site: Site, call: Call) -> Response:
    """Renames an entry of a picklist."""
    body = call.admin_body("from", "to")
    site.org.fields.rename_value(
        call.path["object"], call.path["field"], need(body, "from", str), need(body, "to", str)
    )
    return json_answer(call, {})


def read_only(site: Site, call: Call) -> Response:
    """Takes the user's right to change records, or gives it back."""
    body = call.admin_body("ids", "where", "read_only")
    ids, where = chosen(body)
    takes = bool(flag(body, "read_only", default=True))
    count = site.org.set_read_only(call.path["object"], ids=ids, where=where, read_only=takes)
    return json_answer(call, {"count": count})


def transactions(site: Site, call: Call) -> Response:
    """Lists the transactions that are held open."""
    return json_answer(call, {"transactions": site.org.transactions.listed()})


def open_transaction(site: Site, call: Call) -> Response:
    """Opens a transaction."""
    return json_answer(
        call, site.org.transactions.open(need(call.admin_body("changes"), "changes", list)), 201
    )


def commit(site: Site, call: Call) -> Response:
    """Commits a transaction."""
    return json_answer(call, site.org.transactions.commit(call.path["id"]))


def roll_back(site: Site, call: Call) -> Response:
    """Rolls a transaction back."""
    return json_answer(call, site.org.transactions.roll_back(call.path["id"]))


def _listed(site: Site, call: Call, kind: str) -> Response:
    return json_answer(call, {kind: site.org.rules.listed(call.path["object"], kind)})


def _dropped(site: Site, call: Call, kind: str) -> Response:
    site.org.rules.drop(call.path["object"], kind, call.path["rule"])
    return json_answer(call, {})


ROUTES = {
    "/simulator/objects/{object}/validation_rules": {"GET": validation_rules, "POST": add_validation_rule},
    "/simulator/objects/{object}/validation_rules/{rule}": {"DELETE": drop_validation_rule},
    "/simulator/objects/{object}/duplicate_rules": {"GET": duplicate_rules, "POST": add_duplicate_rule},
    "/simulator/objects/{object}/duplicate_rules/{rule}": {"DELETE": drop_duplicate_rule},
    "/simulator/objects/{object}/fields/{field}/rename_value": {"POST": rename_value},
    "/simulator/objects/{object}/read_only": {"POST": read_only},
    "/simulator/objects/{object}/record_types": {"GET": record_types, "POST": put_record_type},
    "/simulator/merge": {"POST": merge},
    "/simulator/archive": {"POST": archive},
    "/simulator/transactions": {"GET": transactions, "POST": open_transaction},
    "/simulator/transactions/{id}": {"DELETE": roll_back},
    "/simulator/transactions/{id}/commit": {"POST": commit},
}
