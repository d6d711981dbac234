"""What surrounds the flows of the local org: hosts, forms of answers, revoking, introspection, identities, admin."""

from __future__ import annotations

import base64
import urllib.parse
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from lht.testing.browser import REDIRECT_URI, Browser
from lht.testing.caller import Caller
from lht.testing.simulator import AdminError

if TYPE_CHECKING:
    from lht.testing import LocalOrg
    from lht.testing.caller import Reply

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def web_login(desk: Caller, host: str | None = None, **query: str | None) -> dict[str, str]:
    code = Browser(desk.org, host).code(**query)
    headers = {"Host": host} if host else {}
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
    tokens: dict[str, str] = desk.token(headers, **form).json()
    return tokens


def post(desk: Caller, path: str, **form: str) -> Reply:
    return desk.raw("POST", f"/services/oauth2/{path}", urllib.parse.urlencode(form).encode(), FORM)


def introspect(desk: Caller, given: str, **form: str) -> dict[str, Any]:
    client = {"client_id": desk.org.client_id, "client_secret": desk.org.client_secret}
    told: dict[str, Any] = post(desk, "introspect", **(client | {"token": given} | form)).json()
    return told


def works(desk: Caller, tokens: dict[str, str]) -> bool:
    return desk.get("/limits", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status == 200


def login_host(desk: Caller, label: str = "login") -> str:
    return f"{label}.localhost:{desk.org.url.rpartition(':')[2]}"


# Hosts


def test_a_login_host_names_the_orgs_own_address(desk: Caller) -> None:
    tokens = web_login(desk, login_host(desk))

    assert tokens["instance_url"] == tokens["api_instance_url"] == desk.org.url
    assert tokens["id"].startswith(f"http://{login_host(desk)}/id/00D")
    assert works(desk, tokens)


@pytest.mark.parametrize("label", ["login", "test"])
def test_client_credentials_are_refused_on_login_hosts(desk: Caller, label: str) -> None:
    answer = desk.token({"Host": login_host(desk, label)})

    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "request not supported on this domain",
    }


def test_further_login_hosts_and_the_address_they_give_can_be_set(desk: Caller) -> None:
    desk.org.admin.change_login_policy(
        login_hosts=["Front.example.com"], my_domain="https://mine.example.com/"
    )
    tokens = web_login(desk, "front.example.com")

    assert tokens["instance_url"] == "https://mine.example.com"
    assert desk.token({"Host": "front.example.com"}).json()["error"] == "invalid_grant"
    assert desk.token().json()["instance_url"] == desk.org.url


def test_a_refresh_goes_to_the_host_that_gave_the_token_or_to_the_org(desk: Caller) -> None:
    token = web_login(desk, login_host(desk))["refresh_token"]
    form = {"grant_type": "refresh_token", "refresh_token": token}
    answers = [desk.token({"Host": login_host(desk, label)}, **form) for label in ("login", "test")]

    assert [answer.status for answer in answers] == [200, 400]
    assert answers[1].json()["error_description"] == "expired access/refresh token"
    assert desk.token(**form).status == 200


# Client credentials and passwords


@pytest.mark.parametrize(
    "app", [{"run_as": None}, {"run_as": "nobody@example.com"}, {"flows": ["web_server"]}]
)
def test_client_credentials_need_a_user_and_the_flow(desk: Caller, app: dict[str, Any]) -> None:
    desk.org.admin.change_app(**app)
    answer = desk.token()

    message = "no client credentials user enabled"
    assert (answer.status, answer.json()) == (400, {"error": "invalid_grant", "error_description": message})


def test_client_credentials_of_an_inactive_user_and_a_blocked_app(desk: Caller) -> None:
    desk.org.admin.change_user(active=False)
    inactive = desk.token().json()["error_description"]
    desk.org.admin.change_app(blocked=True)

    assert inactive == "no client credentials user enabled"
    assert desk.token().json()["error"] == "OAUTH_APP_BLOCKED"


def test_client_credentials_do_not_heed_pkce_and_give_no_tokens_beside(desk: Caller) -> None:
    desk.org.admin.change_app(pkce_required=True)
    tokens = desk.token().json()

    assert {"refresh_token", "id_token"} & set(tokens) == set()
    assert {"refresh_token", "offline_access"} & set(tokens["scope"].split()) == set()


@pytest.mark.parametrize(
    ("allowed", "user", "form", "error"),
    [
        (False, {}, {}, "authentication failure"),
        (True, {}, {"password": "wrong"}, "authentication failure"),
        (True, {}, {"username": "nobody"}, "authentication failure"),
        (True, {"security_token": "tok"}, {}, "authentication failure"),
        (True, {"active": False}, {}, "inactive user"),
        (True, {}, {}, None),
        (True, {"security_token": "tok"}, {"password": "local-Org-1tok"}, None),
    ],
)
def test_the_username_password_flow_is_off_until_the_org_allows_it(
    desk: Caller, allowed: object, user: dict[str, Any], form: dict[str, str], error: str | None
) -> None:
    desk.org.admin.change_login_policy(password_flow=allowed)
    desk.org.admin.change_user(**user)
    usual = {"username": desk.org.username, "password": desk.org.password}
    told = desk.token(grant_type="password", **(usual | form)).json()

    expected = ("invalid_grant", error) if error else (None, None)
    assert (told.get("error"), told.get("error_description")) == expected
    assert "refresh_token" not in told


@pytest.mark.parametrize(
    "grant_type",
    [
        "device",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:saml2-bearer",
        "PASSWORD",
    ],
)
def test_other_grant_types_are_not_supported(desk: Caller, grant_type: str) -> None:
    answer = desk.token(grant_type=grant_type)

    message = "grant type not supported"
    assert answer.json() == {"error": "unsupported_grant_type", "error_description": message}


# Refusals that are ordered


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("rate_limit_exceeded", "login rate exceeded"),
        ("invalid_grant", "ip restricted or invalid login hours"),
        ("inactive_org", "organization is inactive"),
    ],
)
def test_refusals_can_be_ordered_in_the_form_of_the_token_endpoint(
    desk: Caller, code: str, message: str
) -> None:
    desk.org.admin.fault(
        "status", status=400, code=code, message=message, path="/services/oauth2/token", retry_after=1
    )
    answer = desk.token()

    assert (answer.status, answer.json()) == (400, {"error": code, "error_description": message})
    assert answer.headers["retry-after"] == "1"
    assert desk.token().status == 200


def test_an_inactive_org_gives_nothing(desk: Caller) -> None:
    desk.org.admin.change_login_policy(org_active=False)

    assert desk.token().json() == {"error": "inactive_org", "error_description": "organization is inactive"}


@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_a_form_that_is_not_called_one_is_not_read(desk: Caller, kind: str) -> None:
    body = urllib.parse.urlencode(
        {
            "grant_type": "client_credentials",
            "client_id": desk.org.client_id,
            "client_secret": desk.org.client_secret,
        }
    ).encode()

    answer = desk.raw("POST", "/services/oauth2/token", body, {"Content-Type": kind})

    assert (answer.status, answer.json()) == (
        400,
        {"error": "unsupported_grant_type", "error_description": "grant type not supported"},
    )


def test_the_token_endpoint_wants_to_be_posted_to(desk: Caller) -> None:
    answer = desk.raw("GET", "/services/oauth2/token?grant_type=client_credentials")

    assert (answer.status, answer.json()) == (
        400,
        {"error": "invalid_request", "error_description": "must use HTTP POST"},
    )


# Forms of the answer


def test_an_answer_comes_as_xml_if_asked_for(desk: Caller) -> None:
    tree = ET.fromstring(desk.token(format="xml").text)
    refusal = ET.fromstring(desk.token(format="xml", client_secret="&<").text)

    assert (tree.tag, tree.findtext("instance_url"), tree.findtext("token_type")) == (
        "OAuth",
        desk.org.url,
        "Bearer",
    )
    assert (refusal.tag, refusal.findtext("error")) == ("OAuth", "invalid_client")


def test_an_answer_comes_as_a_form_if_asked_for(desk: Caller) -> None:
    answer = desk.token(format="urlencoded")
    told = dict(urllib.parse.parse_qsl(answer.text, strict_parsing=True))
    refusal = desk.token(format="urlencoded", grant_type="x").text

    assert answer.headers["content-type"].startswith("application/x-www-form-urlencoded")
    assert works(desk, told)
    assert refusal == "error=unsupported_grant_type&error_description=grant+type+not+supported"


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("application/xml", "application/xml"),
        ("text/html, application/xml;q=0.9, */*;q=0.8", "application/xml"),
        ("application/x-www-form-urlencoded", "application/x-www-form-urlencoded"),
        ("*/*", "application/json"),
        ("application/json, application/xml", "application/json"),
    ],
)
def test_the_accept_header_counts_where_no_format_is_named(desk: Caller, accept: str, kind: str) -> None:
    answer = desk.token({"Accept": accept})

    assert answer.headers["content-type"].startswith(kind)
    assert (
        desk.token({"Accept": accept}, format="json").headers["content-type"].startswith("application/json")
    )


def test_an_unknown_format_is_refused_and_answers_are_not_kept(desk: Caller) -> None:
    assert desk.token(format="yaml").json()["error"] == "invalid_request"
    assert "no-store" in desk.token().headers["cache-control"]


# Revoking


def test_revoking_a_refresh_token_ends_its_sessions(desk: Caller) -> None:
    tokens, other = web_login(desk), web_login(desk)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    renewed = desk.token(**form).json()
    answer = post(desk, "revoke", token=tokens["refresh_token"])

    assert (answer.status, answer.body) == (200, b"")
    assert (works(desk, tokens), works(desk, renewed), works(desk, other)) == (False, False, True)
    assert desk.token(**form).json()["error_description"] == "expired access/refresh token"


def test_revoking_an_access_token_leaves_the_refresh_token(desk: Caller) -> None:
    tokens = web_login(desk)
    query = urllib.parse.urlencode({"token": tokens["access_token"]})
    answer = desk.raw("GET", f"/services/oauth2/revoke?{query}")

    assert (answer.status, works(desk, tokens)) == (200, False)
    assert desk.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status == 200


def test_what_is_no_token_cannot_be_revoked(desk: Caller, browser: Browser) -> None:
    tokens = web_login(desk)
    answers = {
        "nonsense": post(desk, "revoke", token="nonsense"),
        "id_token": post(desk, "revoke", token=tokens["id_token"]),
        "code": post(desk, "revoke", token=browser.code()),
        "none": post(desk, "revoke"),
    }

    assert {answer.status for answer in answers.values()} == {400}
    assert {name: answer.json()["error"] for name, answer in answers.items()} == {
        "nonsense": "invalid_token",
        "id_token": "unsupported_token_type",
        "code": "unsupported_token_type",
        "none": "invalid_request",
    }


# Introspection


def test_introspection_tells_when_a_session_ends_and_does_not_use_it(lht_simulator: LocalOrg) -> None:
    lht_simulator.admin.set_clock("2026-01-01T00:00:00Z", frozen=True)
    lht_simulator.admin.change_settings(token_lifetime_s=600)
    desk = Caller(lht_simulator)
    tokens = web_login(desk, scope="api refresh_token")
    start = 1_767_225_600
    lht_simulator.admin.advance_clock(100)
    unused = introspect(desk, tokens["access_token"])
    used = works(desk, tokens)
    told = introspect(desk, tokens["access_token"], token_type_hint="access_token")
    lht_simulator.admin.advance_clock(601)

    assert (unused["exp"], used) == (start + 600, True)
    assert told == {
        "active": True,
        "scope": "api refresh_token",
        "client_id": lht_simulator.client_id,
        "username": lht_simulator.username,
        "sub": tokens["id"],
        "token_type": "access_token",
        "exp": start + 700,
        "iat": start,
        "nbf": start,
    }
    assert introspect(desk, tokens["access_token"]) == {"active": False}


def test_introspection_knows_refresh_tokens_and_nothing_made_up(desk: Caller) -> None:
    tokens = web_login(desk, scope="api refresh_token")
    told = introspect(desk, tokens["refresh_token"])

    assert (told["active"], told["token_type"], "exp" in told) == (True, "refresh_token", False)
    assert introspect(desk, "made up") == {"active": False}


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "nobody"}, "invalid_client_id"),
        ({"client_id": ""}, "invalid_request"),
        ({"token": ""}, "invalid_request"),
    ],
)
def test_introspection_is_for_the_app(desk: Caller, form: dict[str, str], error: str) -> None:
    assert introspect(desk, "any", **form)["error"] == error


def test_introspection_takes_a_basic_header(desk: Caller) -> None:
    token = desk.token().json()["access_token"]
    pair = base64.b64encode(f"{desk.org.client_id}:{desk.org.client_secret}".encode()).decode()
    headers = FORM | {"Authorization": f"Basic {pair}"}
    answer = desk.raw("POST", "/services/oauth2/introspect", f"token={token}".encode(), headers)

    assert answer.json()["active"] is True


# Identities


def test_the_identity_address_answers_in_plain_words(desk: Caller) -> None:
    tokens = web_login(desk)
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    path = urllib.parse.urlsplit(tokens["id"]).path
    _, _, org_id, user_id = path.split("/")
    asked = {
        path: headers,
        f"/id/{org_id[:15]}/{user_id[:15]}": headers,
        f"/id/{user_id}/{user_id}": headers,
        f"/id/{org_id}/{org_id}": headers,
        f"{path}/": {},
        f"{path}?": {"Authorization": "Bearer dead"},
    }
    answers = [desk.raw("GET", where, headers=sent) for where, sent in asked.items()]

    assert [answer.status for answer in answers] == [200, 200, 403, 404, 403, 403]
    assert [answer.text for answer in answers[2:]] == [
        "Wrong_Org",
        "Bad_Id",
        "Missing_OAuth_Token",
        "Bad_OAuth_Token",
    ]


def test_the_token_may_come_in_the_form_of_userinfo(desk: Caller) -> None:
    token = desk.token().json()["access_token"]

    assert post(desk, "userinfo", access_token=token).json()["preferred_username"] == desk.org.username


def test_an_id_token_can_be_checked_with_the_published_key(desk: Caller) -> None:
    tokens = web_login(desk, scope="openid api", nonce="n-1")
    configuration = desk.raw("GET", "/.well-known/openid-configuration").json()
    keys = desk.raw("GET", configuration["jwks_uri"].removeprefix(desk.org.url)).json()
    claims = jwt.decode(tokens["id_token"], KeySet.import_key_set(keys), algorithms=["RS256"]).claims

    assert (claims["iss"], claims["aud"], claims["nonce"]) == (
        configuration["issuer"],
        desk.org.client_id,
        "n-1",
    )
    assert claims["sub"] == tokens["id"]
    assert set(keys["keys"][0]) == {"kty", "n", "e", "use", "alg", "kid"}
    assert "id_token" not in web_login(desk, scope="api")


# Admin


@pytest.mark.parametrize(
    ("method", "facts"),
    [
        ("change_app", {"client_id": "x"}),
        ("change_app", {"client_secret": "x"}),
        ("change_app", {"unknown": 1}),
        ("change_app", {"rotation": "yes"}),
        ("change_app", {"name": None}),
        ("change_app", {"scopes": ["api", "everything"]}),
        ("change_app", {"flows": [1]}),
        ("change_app", {"permitted_users": "all"}),
        ("change_app", {"approved_users": [1]}),
        ("change_app", {"refresh_token_life_s": -1}),
        ("change_app", {"redirect_uris": ["localhost/back"]}),
        ("change_app", {"redirect_uris": ["http://localhost/back#fragment"]}),
        ("change_app", {"redirect_uris": ["javascript:alert(1)"]}),
        ("change_app", {"redirect_uris": ["http://a b"]}),
        ("change_app", {"redirect_uris": [None]}),
        ("change_app", {"name": "half", "rotation": 1}),
        ("change_user", {"active": "yes"}),
        ("change_user", {"username": "x"}),
        ("change_user", {"password": ""}),
        ("change_user", {"password": 1}),
        ("change_login_policy", {"login_hosts": [1]}),
        ("change_login_policy", {"my_domain": "nowhere"}),
        ("change_login_policy", {"password_flow": 1}),
    ],
)
def test_facts_that_make_no_sense_are_refused_and_change_nothing(
    desk: Caller, method: str, facts: dict[str, Any]
) -> None:
    admin = desk.org.admin
    before = admin.app(), admin.user(), admin.login_policy()
    with pytest.raises(AdminError, match="INVALID_INPUT"):
        getattr(admin, method)(**facts)

    assert (admin.app(), admin.user(), admin.login_policy()) == before


def test_no_admin_answer_tells_a_secret_that_a_client_holds(desk: Caller) -> None:
    tokens = web_login(desk)
    told = str([desk.org.admin.app(), desk.org.admin.grants(), desk.org.admin.requests()])

    assert [secret for secret in (desk.org.client_secret, tokens["refresh_token"]) if secret in told] == []


def test_ending_all_grants_forgets_what_was_allowed(desk: Caller) -> None:
    tokens = web_login(desk)
    before = desk.org.admin.grants()
    desk.org.admin.end_grants()

    assert (len(before["grants"]), list(before["approvals"])) == (1, [desk.org.username])
    assert desk.org.admin.grants() == {"grants": [], "approvals": {}}
    assert not works(desk, tokens)


@pytest.mark.parametrize(
    "body", [b"\xff\xfe%ZZ=%", b"grant_type", b"{}", b"grant_type=client_credentials&client_id=%00"]
)
def test_bodies_that_make_no_sense_are_refused_as_objects(desk: Caller, body: bytes) -> None:
    answer = desk.raw("POST", "/services/oauth2/token", body, FORM)

    assert (answer.status, set(answer.json())) == (400, {"error", "error_description"})
