"""OAuth resources that programs call: token, revoke, introspect, userinfo, identity, keys."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlencode
from xml.sax.saxutils import escape

from starlette.responses import PlainTextResponse, Response

from lht.simulator.errors import ApiFault, OAuthFault
from lht.simulator.org.oauth.flows import TokenRequest
from lht.simulator.server.call import json_answer

if TYPE_CHECKING:
    from lht.simulator.org.site import Site
    from lht.simulator.server.call import Call

FORM = "application/x-www-form-urlencoded"
XML_TYPE, FORM_TYPE = "application/xml;charset=UTF-8", f"{FORM};charset=UTF-8"
FORMS = frozenset({"json", "xml", "urlencoded"})
MEDIA_FORMS = {
    "application/json": "json",
    "application/xml": "xml",
    "text/xml": "xml",
    FORM: "urlencoded",
}


def token(site: Site, call: Call) -> Response:
    """Gives tokens, in the form that the caller asks for; refusals come in that form too."""
    form = form_of(call)
    kind = _kind(form.get("format", ""), call.headers.get("accept", ""))
    try:
        answer = _written(call, site.oauth.token(_request(call, form)), kind)
    except OAuthFault as fault:
        answer = _written(call, fault_body(fault), kind, fault.status)
    answer.headers["Cache-Control"] = "no-cache, no-store"
    answer.headers["Pragma"] = "no-cache"
    return answer


def token_by_get(_site: Site, _call: Call) -> Response:
    """Refuses: a secret has no place in an address."""
    raise OAuthFault("invalid_request", "must use HTTP POST")


def revoke(site: Site, call: Call) -> Response:
    """Ends a session or a refresh token."""
    site.oauth.revoke(_request(call, form_of(call)).need("token"))
    return Response(status_code=200)


def introspect(site: Site, call: Call) -> Response:
    """Tells an app what a token is."""
    answer = json_answer(call, site.oauth.introspect(_request(call, form_of(call))))
    answer.headers["Cache-Control"] = "no-cache, no-store"
    return answer


def userinfo(site: Site, call: Call) -> Response:
    """Answers who is logged in; the refusal is one word in plain text, unlike everywhere else."""
    try:
        return json_answer(call, site.oauth.identity(_bearer(call), call.base_url))
    except ApiFault as fault:
        return PlainTextResponse(fault.message, fault.status)


def identity(site: Site, call: Call) -> Response:
    """Answers as userinfo does, at the address that a token names."""
    answer = userinfo(site, call)
    if answer.status_code == 200:  # noqa: PLR2004 - the caller may know
        if call.path["org"] not in {site.org.org_id, site.org.org_id[:15]}:
            return PlainTextResponse("Wrong_Org", 403)
        if call.path["user"] not in {site.user_id, site.user_id[:15]}:
            return PlainTextResponse("Bad_Id", 404)
    return answer


def keys(site: Site, call: Call) -> Response:
    """Gives the public half of what signs id tokens."""
    return json_answer(call, site.oauth.key.published())


def configuration(site: Site, call: Call) -> Response:
    """Tells OpenID clients where everything is."""
    base = call.base_url
    services = f"{base}/services/oauth2"
    told = {
        "issuer": base,
        "authorization_endpoint": f"{services}/authorize",
        "token_endpoint": f"{services}/token",
        "revocation_endpoint": f"{services}/revoke",
        "introspection_endpoint": f"{services}/introspect",
        "userinfo_endpoint": f"{services}/userinfo",
        "jwks_uri": f"{base}/id/keys",
        "scopes_supported": list(site.oauth.app.scopes),
        "response_types_supported": ["code", "token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
    }
    return json_answer(call, told)


def form_of(call: Call) -> dict[str, str]:
    """Reads what was sent: parameters of the address count too, those of the body first.

    A body that is not called a form is not read, so that the grant type in it is not seen.
    """
    if call.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return dict(call.query)
    body = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    return {**call.query, **body}


def fault_body(fault: OAuthFault) -> dict[str, str]:
    """Writes a refusal as the OAuth endpoints do."""
    return {"error": fault.error, "error_description": fault.description}


def _request(call: Call, form: dict[str, str]) -> TokenRequest:
    return TokenRequest(form, _basic(call), call.base_url)


def _bearer(call: Call) -> str:
    return call.token or form_of(call).get("oauth_token", "") or form_of(call).get("access_token", "")


def _kind(asked: str, accepted: str) -> str:
    """Gives json, xml or urlencoded: by the parameter, else by the first of the accepted types that is one."""
    if asked and asked.lower() not in FORMS:
        raise OAuthFault("invalid_request", "format must be json, xml or urlencoded")
    if asked:
        return asked.lower()
    offers = (offer.partition(";")[0].strip().lower() for offer in accepted.split(","))
    return next((MEDIA_FORMS[offer] for offer in offers if offer in MEDIA_FORMS), "json")


def _written(call: Call, values: dict[str, Any], kind: str, status: int = 200) -> Response:
    if kind == "xml":
        parts = "".join(f"<{name}>{escape(str(value))}</{name}>" for name, value in values.items())
        text = f'<?xml version="1.0" encoding="UTF-8"?><OAuth>{parts}</OAuth>'
        return Response(text, status, media_type=XML_TYPE)
    if kind == "urlencoded":
        return Response(urlencode(values), status, media_type=FORM_TYPE)
    return json_answer(call, values, status)


def _basic(call: Call) -> tuple[str, str] | None:
    kind, _, packed = call.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        client_id, _, secret = base64.b64decode(packed, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeError):
        raise OAuthFault("invalid_client", "invalid client credentials") from None
    return unquote(client_id), unquote(secret)
