"""The web server flow of the local org: pages, codes, PKCE."""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING

import pytest

from lht.testing.browser import REDIRECT_URI, Browser, challenge, read_page, told
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from lht.testing import LocalOrg

VERIFIER = "v" * 64
WRONG_PASSWORD = "Please check your username and password. If you still can't log in, contact your Salesforce administrator."


@pytest.fixture
def caller(lht_simulator: LocalOrg) -> Caller:
    return Caller(lht_simulator)


@pytest.fixture
def browser(lht_simulator: LocalOrg) -> Browser:
    return Browser(lht_simulator)


def redeem(caller: Caller, code: str, **form: str | None) -> tuple[int, dict[str, str]]:
    usual = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
    answer = caller.token(**(usual | form))
    return answer.status, answer.json()


def refusal(error: str, description: str) -> tuple[int, dict[str, str]]:
    return 400, {"error": error, "error_description": description}


def test_a_person_logs_in_and_allows_and_the_app_gets_tokens(caller: Caller, browser: Browser) -> None:
    path = browser.address(state="a b&c", scope="api refresh_token")
    login = browser.open(path)
    consent = browser.log_in(path)
    back = browser.decide(path, consent)
    status, tokens = redeem(caller, told(back)["code"])

    assert (login.status, consent.status, back.status, status) == (200, 200, 302, 200)
    assert back.headers["location"].startswith(f"{REDIRECT_URI}?code=aPrx")
    assert back.headers["location"].endswith("%3D%3D&state=a%20b%26c")
    assert tokens["refresh_token"].startswith("5Aep861")
    assert tokens["scope"] == "api refresh_token"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert caller.get("/limits", headers=headers).status == 200


def test_a_verifier_that_fits_the_challenge_is_accepted(caller: Caller, browser: Browser) -> None:
    code = browser.code(code_challenge=challenge(VERIFIER), code_challenge_method="S256")

    assert redeem(caller, code, code_verifier=VERIFIER)[0] == 200


@pytest.mark.parametrize(
    ("asked", "verifier", "error"),
    [
        (VERIFIER, "w" * 64, "invalid_request"),
        (VERIFIER, None, "invalid_grant"),
        (None, VERIFIER, "invalid_grant"),
        ("short", "short", "invalid_request"),
    ],
)
def test_a_verifier_that_does_not_fit_is_refused(
    caller: Caller, browser: Browser, asked: str | None, verifier: str | None, error: str
) -> None:
    code = browser.code(code_challenge=challenge(asked) if asked else None)

    assert redeem(caller, code, code_verifier=verifier) == refusal(error, "invalid code verifier")


def test_a_wrong_password_shows_one_sentence_and_keeps_the_name(browser: Browser) -> None:
    path = browser.address()
    page = browser.log_in(path, "<b>\"'&", "wrong")

    assert WRONG_PASSWORD in read_page(page).text
    assert read_page(page).inputs["username"]["value"] == "<b>\"'&"
    assert "<b>" not in page.text
    assert browser.cookies == {}


def test_denial_is_told_with_the_state(browser: Browser) -> None:
    path = browser.address(state="s")
    back = browser.decide(path, browser.log_in(path), "deny")

    query = urllib.parse.urlsplit(back.headers["location"]).query
    assert query == "error=access_denied&error_description=end-user+denied+authorization&state=s"
