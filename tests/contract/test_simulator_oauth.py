"""Logging in to the local org, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lht.testing.caller import Caller


def test_client_credentials_give_a_token_with_every_documented_field(api: Caller) -> None:
    token = api.token().json()

    assert {
        "access_token", "signature", "scope", "instance_url", "id", "token_type", "issued_at", "api_instance_url",
    } == set(token)  # fmt: skip
    assert token["token_type"] == "Bearer"
    assert token["instance_url"] == api.org.url
    assert len(token["issued_at"]) == 13
    assert token["access_token"].startswith(token["id"].split("/")[-2][:15] + "!AQ")


def test_the_signature_can_be_checked_with_the_client_secret(api: Caller) -> None:
    token = api.token().json()

    signed = (token["id"] + token["issued_at"]).encode()
    digest = hmac.new(api.org.client_secret.encode(), signed, hashlib.sha256).digest()
    assert token["signature"] == base64.b64encode(digest).decode()


def test_credentials_may_come_in_a_basic_header(api: Caller) -> None:
    pair = base64.b64encode(f"{api.org.client_id}:{api.org.client_secret}".encode()).decode()

    answer = api.token({"Authorization": f"Basic {pair}"}, client_id=None, client_secret=None)

    assert answer.status == 200


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "nobody"}, ("invalid_client_id", "client identifier invalid")),
        ({"client_secret": "wrong"}, ("invalid_client", "invalid client credentials")),
        ({"client_secret": None}, ("invalid_client", "invalid client credentials")),
        ({"grant_type": "device"}, ("unsupported_grant_type", "grant type not supported")),
        (
            {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"},
            ("unsupported_grant_type", "grant type not supported"),
        ),
        ({"grant_type": None}, ("unsupported_grant_type", "grant type not supported")),
    ],
)
def test_refusals_are_objects_with_a_code_and_a_description(
    api: Caller, form: dict[str, str | None], error: tuple[str, str]
) -> None:
    answer = api.token(**form)

    assert (answer.status, answer.json()) == (400, {"error": error[0], "error_description": error[1]})


def test_a_request_without_a_live_token_is_refused(api: Caller) -> None:
    refused = (401, "INVALID_SESSION_ID", "Session expired or invalid")

    assert api.get("/limits", headers={"Authorization": "Bearer nonsense"}).error == refused
    assert api.raw("GET", "/services/data/v66.0/limits").error == refused


def test_a_session_lives_as_long_as_it_is_used(api: Caller) -> None:
    api.org.admin.freeze_clock()
    api.org.admin.change_settings(token_lifetime_s=600)
    api.login()
    api.org.admin.advance_clock(500)
    first = api.get("/limits").status
    api.org.admin.advance_clock(500)
    second = api.get("/limits").status
    api.org.admin.advance_clock(601)

    assert (first, second, api.get("/limits").status) == (200, 200, 401)


def test_a_revoked_token_is_dead_and_others_live(api: Caller) -> None:
    token = api.headers["Authorization"].removeprefix("Bearer ")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    revoked = api.raw("POST", "/services/oauth2/revoke", f"token={token}".encode(), form)
    again = api.raw("POST", "/services/oauth2/revoke", f"token={token}".encode(), form)

    assert (revoked.status, revoked.body, api.get("/limits").status) == (200, b"", 401)
    assert (again.status, again.json()["error"]) == (400, "invalid_token")
    assert api.login().get("/limits").status == 200


def test_userinfo_names_the_user_and_the_org(api: Caller) -> None:
    info = api.raw("GET", "/services/oauth2/userinfo", headers=api.headers).json()
    user = api.get(f"/sobjects/User/{info['user_id']}", fields="Username").json()

    assert info["preferred_username"] == user["Username"] == api.org.username
    assert api.get(f"/sobjects/Organization/{info['organization_id']}").status == 200
    assert api.raw("GET", info["id"].removeprefix(api.org.url), headers=api.headers).json() == info


def test_userinfo_agrees_with_the_record_of_the_user_it_names(api: Caller) -> None:
    told = api.raw("GET", "/services/oauth2/userinfo", headers=api.headers).json()
    record = api.get(f"/sobjects/User/{told['user_id']}").json()

    assert (told["name"], told["username"], told["email"]) == (
        record["Name"],
        record["Username"],
        record["Email"],
    )


def test_userinfo_refuses_a_dead_token_with_one_word(api: Caller) -> None:
    api.org.admin.expire_sessions()

    answer = api.raw("GET", "/services/oauth2/userinfo", headers=api.headers)

    assert (answer.status, answer.text) == (403, "Bad_OAuth_Token")
