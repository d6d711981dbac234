"""Admin resources about logging in: the app, the user, the org's rules, and what was granted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.server.call import json_answer

if TYPE_CHECKING:
    from starlette.responses import Response

    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call


def app(site: Site, call: Call) -> Response:
    """Tells the facts of the registered app."""
    return json_answer(call, site.oauth.app.facts())


def change_app(site: Site, call: Call) -> Response:
    """Changes facts of the registered app by name."""
    site.oauth.change_app(call.admin_body())
    return app(site, call)


def user(site: Site, call: Call) -> Response:
    """Tells who can log in, and how."""
    return json_answer(call, site.oauth.people.facts())


def change_user(site: Site, call: Call) -> Response:
    """Changes how the user logs in, and whether."""
    site.oauth.change_user(call.admin_body())
    return user(site, call)


def policy(site: Site, call: Call) -> Response:
    """Tells the org's own rules of logging in."""
    return json_answer(call, site.oauth.org_login.facts())


def change_policy(site: Site, call: Call) -> Response:
    """Changes the org's own rules of logging in by name."""
    site.oauth.change_org_login(call.admin_body())
    return policy(site, call)


def grants(site: Site, call: Call) -> Response:
    """Lists live refresh tokens, without the tokens, and what users allowed."""
    return json_answer(call, site.oauth.granted())


def end_grants(site: Site, call: Call) -> Response:
    """Ends every refresh token and session, and forgets what users allowed."""
    site.oauth.end_grants()
    return json_answer(call, {})
