"""OAuth resources: token, revoke, userinfo, identity."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote

from starlette.responses import PlainTextResponse, Response

from lht.simulator.errors import ApiFault, OAuthFault
from lht.simulator.server.call import json_answer, not_found

if TYPE_CHECKING:
    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call


def token(site: Site, call: Call) -> Response:
    """Gives an access token."""
    answer = json_answer(call, site.oauth.token(_form(call), _basic(call), call.base_url))
    answer.headers["Cache-Control"] = "no-cache, no-store"
    return answer


def revoke(site: Site, call: Call) -> Response:
    """Ends a session."""
    given = _form(call).get("token")
    if not given:
        raise OAuthFault("invalid_request", "missing required parameter: token")
    site.oauth.revoke(given)
    return Response(status_code=200)


def userinfo(site: Site, call: Call) -> Response:
    """Answers who is logged in; the refusal is one word in plain text, unlike everywhere else."""
    try:
        zone = site.org.user_time().zone
        found = site.oauth.identity(call.token, call.base_url)
        return json_answer(call, found | {"zoneinfo": zone, "timezone": zone})
    except ApiFault as fault:
        return PlainTextResponse(fault.message, fault.status)


def identity(site: Site, call: Call) -> Response:
    """Answers as userinfo does, at the address that a token names."""
    if (call.path["org"], call.path["user"]) != (site.org.org_id, site.user_id):
        raise not_found()
    return userinfo(site, call)


def _form(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))


def _basic(call: Call) -> tuple[str, str] | None:
    kind, _, packed = call.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError):
        raise OAuthFault("invalid_client", "invalid client credentials") from None
    return unquote(client_id), unquote(secret)
