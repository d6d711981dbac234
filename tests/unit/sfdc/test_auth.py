from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from lht.errors import ConfigError, LoginRejectedError, UnavailableError, UnreachableError
from lht.sfdc import auth
from lht.sfdc.auth import App, Login
from lht.sfdc.messages import Headers, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

APP = App("prod", "id1", "s3cret", "https://acme.my.salesforce.com")
TOKEN = {
    "access_token": "00D000000000001!AQtoken",
    "instance_url": "https://acme.my.salesforce.com/",
    "id": "https://login.salesforce.com/id/00D000000000001EAA/005000000000001AAA",
    "issued_at": "1710000000000",
}
USER = {
    "preferred_username": "me@example.com",
    "organization_id": "00D000000000001",
    "user_id": "005000000000001AAA",
}


def answers(
    *bodies: object, statuses: Iterable[int] = ()
) -> tuple[Callable[[Request], Response], list[Request]]:
    """A carrier that gives prepared answers and keeps what was asked."""
    asked: list[Request] = []
    codes = [*statuses] or [200] * len(bodies)
    prepared = iter(zip(codes, bodies, strict=True))

    def send(request: Request) -> Response:
        asked.append(request)
        status, body = next(prepared)
        return Response(status, Headers(), body if isinstance(body, bytes) else json.dumps(body).encode())

    return send, asked


def test_client_credentials_ask_for_a_token_and_then_for_the_user() -> None:
    send, asked = answers(TOKEN, USER)

    login = auth.converse(auth.client_credentials(APP), send)

    expected = Login(
        username="me@example.com",
        instance_url="https://acme.my.salesforce.com",
        access_token="00D000000000001!AQtoken",
        org_id="00D000000000001EAA",
        user_id="005000000000001AAA",
        app="prod",
        flow="client-credentials",
        issued_at=datetime(2024, 3, 9, 16, tzinfo=UTC),
        login_url="https://acme.my.salesforce.com",
    )
    assert expected == login
    assert ["/" + request.url.rsplit("/", 1)[1] for request in asked] == ["/token", "/userinfo"]
    form = parse_qs((asked[0].body or b"").decode())
    assert form == {"grant_type": ["client_credentials"], "client_id": ["id1"], "client_secret": ["s3cret"]}
    assert "s3cret" not in asked[0].url


def test_secrets_show_in_no_repr() -> None:
    login = Login("me", "https://x", "token1", "refresh1")

    assert "s3cret" not in repr(APP)
    assert "token1" not in repr(login)
    assert "refresh1" not in repr(login)


@pytest.mark.parametrize(
    ("error", "description", "words"),
    [
        ("invalid_grant", "request not supported on this domain", "My Domain"),
        ("invalid_grant", "no client credentials user enabled", "run-as user"),
        ("invalid_client_id", "client identifier invalid", "CLIENT_ID"),
        ("invalid_client", "invalid client credentials", "CLIENT_SECRET"),
        ("invalid_grant", "something new", "connections.toml"),
    ],
)
def test_a_refused_login_says_what_to_change(error: str, description: str, words: str) -> None:
    send, _ = answers({"error": error, "error_description": description}, statuses=[400])

    with pytest.raises(LoginRejectedError) as caught:
        auth.converse(auth.client_credentials(APP), send)

    assert description in caught.value.message
    assert words in caught.value.hint
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_is_down_did_not_refuse_the_login(status: int) -> None:
    send, _ = answers(b"", statuses=[status])

    with pytest.raises(UnavailableError):
        auth.converse(auth.client_credentials(APP), send)


@pytest.mark.parametrize("body", [[], {}, {"access_token": "x"}])
def test_an_answer_without_token_is_no_login(body: object) -> None:
    send, _ = answers(body)

    with pytest.raises(LoginRejectedError, match="no token"):
        auth.converse(auth.client_credentials(APP), send)


def test_a_page_in_place_of_a_token_is_no_salesforce() -> None:
    send, _ = answers(b"<html>sign on</html>")

    with pytest.raises(UnreachableError):
        auth.converse(auth.client_credentials(APP), send)


def test_a_token_for_an_unencrypted_instance_is_refused() -> None:
    send, _ = answers({**TOKEN, "instance_url": "http://acme.my.salesforce.com"})

    with pytest.raises(ConfigError):
        auth.converse(auth.client_credentials(APP), send)


@pytest.mark.parametrize("body", [b"Bad_OAuth_Token", b"<html>", b"[]"])
def test_without_user_info_the_configured_user_name_counts(body: bytes) -> None:
    status = 403 if body.startswith(b"Bad") else 200
    app = App("prod", "id1", "s3cret", "https://acme.my.salesforce.com", username="set@example.com")
    send, _ = answers(TOKEN, body, statuses=[200, status])

    login = auth.converse(auth.client_credentials(app), send)

    assert (login.username, login.org_id) == ("set@example.com", "00D000000000001EAA")


def test_without_any_user_name_there_is_no_login() -> None:
    send, _ = answers(TOKEN, b"Bad_OAuth_Token", statuses=[200, 403])

    with pytest.raises(LoginRejectedError, match="does not tell its user"):
        auth.converse(auth.client_credentials(APP), send)


@pytest.mark.parametrize("identity", ["", "https://x/nope", "https://x/id/short/005000000000001"])
def test_a_strange_identity_url_tells_nothing(identity: str) -> None:
    token = {key: value for key, value in TOKEN.items() if key != "issued_at"}
    send, _ = answers({**token, "id": identity}, {"preferred_username": "me"})

    login = auth.converse(auth.client_credentials(APP), send)

    assert (login.org_id, login.user_id, login.issued_at) == ("", "", None)


@pytest.mark.parametrize(
    ("app", "asked", "expected"),
    [
        (APP, None, "client-credentials"),
        (App("a", "i", "s"), None, "web"),
        (App("a", "i"), None, "web"),
        (App("a", "i", "s", "https://x", private_key_path="k.pem"), None, "jwt"),
        (App("a", "i", flow="JWT"), None, "jwt"),
        (APP, "sf_cli", "sf-cli"),
    ],
)
def test_the_flow_is_asked_configured_or_follows_from_the_keys(
    app: App, asked: str | None, expected: str
) -> None:
    assert expected == auth.choose_flow(app, asked)


def test_an_unknown_flow_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="client-credentials"):
        auth.choose_flow(APP, "magic")


@pytest.mark.parametrize(
    ("app", "words"),
    [(App("a", "i", "", "https://x"), "no CLIENT_SECRET"), (App("a", "i", "s"), "login.salesforce.com")],
)
def test_client_credentials_that_cannot_work_are_refused_before_anything_is_sent(
    app: App, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        auth.converse(auth.client_credentials(app), answers()[0])


@pytest.mark.parametrize(("status", "body"), [(200, b""), (400, b'{"error":"invalid_token"}')])
def test_logging_out_revokes_what_could_renew_the_session_and_then_the_session(
    status: int, body: bytes
) -> None:
    send, asked = answers(body, body, statuses=[status, status])

    auth.converse(auth.revoke(Login("me", "https://x", "access", "refresh", login_url="https://login")), send)

    assert [(request.url, request.body) for request in asked] == [
        ("https://login/services/oauth2/revoke", b"token=refresh"),
        ("https://login/services/oauth2/revoke", b"token=access"),
    ]


def test_a_token_that_cannot_be_revoked_is_told() -> None:
    send, asked = answers(b"", statuses=[503])

    with pytest.raises(UnavailableError):
        auth.converse(auth.revoke(Login("me", "https://x", "access")), send)

    assert asked[0].body == b"token=access"


WEB_LOGIN = Login(
    "me@example.com",
    "https://acme.my.salesforce.com",
    "old",
    "refresh1",
    "00D000000000001EAA",
    app="prod",
    flow="web",
)


@pytest.mark.parametrize(("given", "kept"), [(None, "refresh1"), ("refresh2", "refresh2")])
def test_a_renewed_login_keeps_its_refresh_token_unless_a_new_one_comes(given: str | None, kept: str) -> None:
    send, asked = answers({**TOKEN, "refresh_token": given})

    login = auth.converse(auth.refresh(APP, WEB_LOGIN), send)

    assert (login.access_token, login.refresh_token, login.username) == (
        TOKEN["access_token"],
        kept,
        "me@example.com",
    )
    assert asked[0].url == "https://acme.my.salesforce.com/services/oauth2/token"
    assert parse_qs((asked[0].body or b"").decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["refresh1"],
        "client_id": ["id1"],
        "client_secret": ["s3cret"],
    }


def test_an_app_without_a_secret_renews_without_one() -> None:
    send, asked = answers(TOKEN)

    auth.converse(auth.refresh(App("prod", "id1"), WEB_LOGIN), send)

    assert b"client_secret" not in (asked[0].body or b"")


def test_a_login_without_refresh_token_says_which_scope_is_missing() -> None:
    with pytest.raises(LoginRejectedError, match="scope refresh_token"):
        auth.converse(auth.refresh(APP, Login("me", "https://x", "t")), answers()[0])


def test_a_refusal_that_repeats_a_secret_is_shown_without_it() -> None:
    told = {"error": "invalid_grant", "error_description": "refresh1 of s3cret is not known"}
    send, _ = answers(told, statuses=[400])

    with pytest.raises(LoginRejectedError) as caught:
        auth.converse(auth.refresh(APP, WEB_LOGIN), send)

    assert "*** of *** is not known" in caught.value.message


@pytest.mark.parametrize(
    ("status", "body", "alive"),
    [(200, b"{}", True), (403, b"Bad_OAuth_Token", False), (403, b"Missing scope", True), (500, b"", True)],
)
def test_a_token_is_dead_only_where_salesforce_says_so(status: int, body: bytes, *, alive: bool) -> None:
    send, _ = answers(body, statuses=[status])

    assert auth.converse(auth.is_alive(WEB_LOGIN), send) is alive
