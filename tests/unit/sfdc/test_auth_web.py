from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from lht.errors import ConfigError, LoginRejectedError
from lht.sfdc import auth
from lht.sfdc.auth import App, web
from lht.sfdc.messages import Headers, Request, Response
from lht.sfdc.redact import redact

if TYPE_CHECKING:
    from lht.sfdc.auth.web import Attempt

APP = App("prod", "id1", "s3cret")
CODE = "aPrx.code=="
TOKEN = {
    "access_token": "00D000000000001!AQtoken",
    "refresh_token": "5Aep.refresh",
    "instance_url": "https://acme.my.salesforce.com",
    "id": "https://login.salesforce.com/id/00D000000000001EAA/005000000000001AAA",
}


@pytest.fixture
def attempt() -> Attempt:
    return web.begin(APP, lambda size: f"random-of-{size}-bytes" + "x" * size)


def asked(attempt: Attempt) -> dict[str, str]:
    return {key: value for key, (value,) in parse_qs(urlsplit(attempt.address).query).items()}


def test_the_address_asks_for_a_code_and_tells_the_verifiers_hash_only(attempt: Attempt) -> None:
    digest = hashlib.sha256(attempt.verifier.encode()).digest()

    assert attempt.address.startswith("https://login.salesforce.com/services/oauth2/authorize?")
    assert asked(attempt) == {
        "response_type": "code",
        "client_id": "id1",
        "redirect_uri": "http://localhost:1717/OauthRedirect",
        "state": attempt.state,
        "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "code_challenge_method": "S256",
    }
    assert attempt.verifier not in attempt.address
    assert "s3cret" not in attempt.address


def test_the_challenge_is_the_one_of_the_standard() -> None:
    """RFC 7636, appendix B."""
    assert (
        web.challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


def test_each_try_has_secrets_of_its_own_of_the_length_that_salesforce_takes() -> None:
    one, two = web.begin(APP), web.begin(APP)

    assert {one.state, one.verifier}.isdisjoint({two.state, two.verifier})
    assert 43 <= len(one.verifier) <= 128
    assert one.verifier not in repr(one)
    assert one.state not in repr(one)


def test_a_configured_user_and_redirect_are_asked_for() -> None:
    app = App("a", "i", username="me@example.com", redirect_uri="http://127.0.0.1:9/x")

    query = asked(web.begin(app))

    assert (query["login_hint"], query["redirect_uri"]) == ("me@example.com", "http://127.0.0.1:9/x")


def test_a_login_host_over_an_open_wire_is_refused() -> None:
    with pytest.raises(ConfigError, match="unencrypted"):
        _ = web.begin(App("a", "i", login_url="http://acme.example.com")).address


@pytest.mark.parametrize("uri", ["http://acme.example.com/cb", "http://localhost.example.com/", "http://[x/"])
def test_a_redirect_over_an_open_wire_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="unencrypted") as caught:
        web.begin(App("a", "i", redirect_uri=uri))

    assert "http://localhost:1717/OauthRedirect" in caught.value.hint


@pytest.mark.parametrize("uri", ["https://acme.example.com/cb", "http://[::1]:9/x", "lht:/callback"])
def test_other_redirects_are_for_the_app_to_choose(uri: str) -> None:
    assert asked(web.begin(App("a", "i", redirect_uri=uri)))["redirect_uri"] == uri


def test_the_code_of_an_answer_is_decoded_once(attempt: Attempt) -> None:
    query = urlencode({"code": CODE, "state": attempt.state})

    assert attempt.owns(query)
    assert attempt.read_code(query) == CODE


@pytest.mark.parametrize(
    "query",
    [
        "code=c&state=other",
        "code=c",
        "",
        "state=",
        "code=c&state={state}&state={state}",
        "error=x&code=c",
        "code=c&state=%ff",
    ],
)
def test_an_answer_with_another_state_is_not_ours(attempt: Attempt, query: str) -> None:
    query = query.format(state=attempt.state)

    assert not attempt.owns(query)
    with pytest.raises(LoginRejectedError, match="another login"):
        attempt.read_code(query)


@pytest.mark.parametrize("query", ["state={state}", "state={state}&code=a&code=b"])
def test_an_answer_without_one_code_is_refused(attempt: Attempt, query: str) -> None:
    with pytest.raises(LoginRejectedError, match="no code"):
        attempt.read_code(query.format(state=attempt.state))


@pytest.mark.parametrize("error", ["access_denied", "access-denied"])
@pytest.mark.parametrize("state", ["", "&state={state}"])
def test_a_denial_is_told_however_it_is_spelled(attempt: Attempt, error: str, state: str) -> None:
    query = f"error={error}&error_description=end-user+denied+authorization" + state.format(
        state=attempt.state
    )

    with pytest.raises(LoginRejectedError, match="denied in the browser") as caught:
        attempt.read_code(query)

    assert ("end-user denied authorization" in caught.value.message) is bool(state)


@pytest.mark.parametrize("state", ["", "&state={state}"])
def test_any_other_refusal_is_told_with_what_to_do(attempt: Attempt, state: str) -> None:
    words = "error=OAUTH_APP_BLOCKED&error_description=this+app+is+blocked+by+admin"

    with pytest.raises(LoginRejectedError, match="OAUTH_APP_BLOCKED") as caught:
        attempt.read_code(words + state.format(state=attempt.state))

    assert "An administrator blocked" in caught.value.hint
    assert ("blocked by admin" in caught.value.message) is bool(state)


@pytest.mark.parametrize(
    "code", ["x%1b%5b31m", "Your+token+is+old.+Run+curl+evil.example", "a%0ab", "x" * 999]
)
def test_what_any_web_page_could_send_puts_no_words_into_the_terminal(attempt: Attempt, code: str) -> None:
    with pytest.raises(LoginRejectedError) as caught:
        attempt.read_code(f"error={code}&error_description=%1b%5d0;pwned%07+http://evil.example")

    assert caught.value.message.endswith("was refused: an error")


def test_a_description_stays_on_its_line(attempt: Attempt) -> None:
    with pytest.raises(LoginRejectedError, match="a b"):
        attempt.read_code(f"error=x&error_description=a%0d%0ab&state={attempt.state}")


def test_what_was_pasted_may_be_the_address_or_the_code(attempt: Attempt) -> None:
    query = urlencode({"code": CODE, "state": attempt.state})
    pastes = [
        f"http://localhost:1717/OauthRedirect?{query}\n",
        f'  "http://localhost:1717/OauthRedirect?{query}"',
        query,
        CODE,
        quote(CODE),
    ]

    assert [attempt.read_pasted(paste) for paste in pastes] == [CODE] * len(pastes)


def test_a_pasted_code_with_a_plus_keeps_it(attempt: Attempt) -> None:
    assert attempt.read_pasted("a+b/c==") == "a+b/c=="


@pytest.mark.parametrize(
    ("paste", "words"),
    [
        ("", "No answer"),
        ("http://localhost:1717/OauthRedirect?code=c&state=x", "another login"),
        ("http://localhost:1717/OauthRedirect", "another login"),
        ("http://localhost:1717/OauthRedirect?error=access_denied", "denied"),
        ("http://localhost:1717/OauthRedirect#code=c", "another login"),
        ("http://[half?code=c", "another login"),
        ("http://localhost:1717/x?code=c&state=\udcff", "another login"),
        ("&", "neither"),
        ("hello world", "neither"),
        ("\udcff\udcfe", "another login"),
        ("\ufffd", "neither"),
    ],
)
def test_a_bad_paste_is_refused(attempt: Attempt, paste: str, words: str) -> None:
    with pytest.raises(LoginRejectedError, match=words):
        attempt.read_pasted(paste)


@pytest.mark.parametrize("secret", ["s3cret", ""])
def test_the_code_is_exchanged_once_with_verifier_and_secret_if_there_is_one(secret: str) -> None:
    attempt = web.begin(App("prod", "id1", secret))
    sent: list[Request] = []

    def send(request: Request) -> Response:
        sent.append(request)
        body = TOKEN if request.method == "POST" else {"preferred_username": "me@example.com"}
        return Response(200, Headers(), json.dumps(body).encode())

    login = auth.converse(attempt.exchange(CODE), send)

    assert (login.username, login.refresh_token, login.flow) == ("me@example.com", "5Aep.refresh", "web")
    assert login.login_url == "https://login.salesforce.com"
    assert not sent[0].is_repeatable
    assert {key: value for key, (value,) in parse_qs((sent[0].body or b"").decode()).items()} == {
        "grant_type": "authorization_code",
        "code": CODE,
        "client_id": "id1",
        "redirect_uri": "http://localhost:1717/OauthRedirect",
        "code_verifier": attempt.verifier,
        **({"client_secret": secret} if secret else {}),
    }


@pytest.mark.parametrize(
    ("error", "description", "words"),
    [
        ("invalid_grant", "expired authorization code", "took too long"),
        ("invalid_grant", "invalid code verifier", "another login"),
        ("redirect_uri_mismatch", "redirect_uri must match configuration", "callback URL"),
        ("invalid_client", "invalid client credentials", "CLIENT_SECRET"),
    ],
)
def test_a_refused_exchange_says_what_to_do_and_shows_no_secret(
    attempt: Attempt, error: str, description: str, words: str
) -> None:
    body = {"error": error, "error_description": f"{description} {CODE} {attempt.verifier}"}

    with pytest.raises(LoginRejectedError) as caught:
        auth.converse(attempt.exchange(CODE), lambda _: Response(400, Headers(), json.dumps(body).encode()))

    assert words in caught.value.hint
    shown = f"{caught.value!r} {caught.value} {caught.value.context}"
    assert not any(secret in shown for secret in (CODE, attempt.verifier, "s3cret"))


def test_a_logged_answer_shows_no_code(attempt: Attempt) -> None:
    line = redact(f"GET /OauthRedirect?code={quote(CODE)}&state={attempt.state} HTTP/1.1")

    assert line == "GET /OauthRedirect?code=***&state=*** HTTP/1.1"
