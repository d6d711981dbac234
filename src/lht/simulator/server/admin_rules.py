"""Admin resources for the rules of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.server.call import json_answer

if TYPE_CHECKING:
    from starlette.responses import Response

    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call


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
}
