"""The web server flow of the local org: pages, codes, PKCE."""

from __future__ import annotations

import base64
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from lht.testing.browser import AUTHORIZE, REDIRECT_URI, Browser, challenge, read_page, told
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from lht.testing import LocalOrg

VERIFIER = "v" * 64
WRONG_PASSWORD = "Please check your username and password. If you still can't log in, contact your Salesforce administrator."


def redeem(caller: Caller, code: str | None, **form: str | None) -> tuple[int, dict[str, str]]:
    usual = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
    answer = caller.token(**(usual | form))
    return answer.status, answer.json()


def refusal(error: str, description: str) -> tuple[int, dict[str, str]]:
    return 400, {"error": error, "error_description": description}


def test_a_person_logs_in_and_allows_and_the_app_gets_tokens(desk: Caller, browser: Browser) -> None:
    path = browser.address(state="a b&c", scope="api refresh_token")
    login = browser.open(path)
    consent = browser.log_in(path)
    back = browser.decide(path, consent)
    status, tokens = redeem(desk, told(back)["code"])

    assert (login.status, consent.status, back.status, status) == (200, 200, 302, 200)
    assert back.headers["location"].startswith(f"{REDIRECT_URI}?code=aPrx")
    assert back.headers["location"].endswith("%3D%3D&state=a%20b%26c")
    assert tokens["refresh_token"].startswith("5Aep861")
    assert tokens["scope"] == "api refresh_token"
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert desk.get("/limits", headers=headers).status == 200


@pytest.mark.parametrize("letters", [43, 64, 171])
def test_a_verifier_that_fits_the_challenge_is_accepted(desk: Caller, browser: Browser, letters: int) -> None:
    """Salesforce's own tools send 171 letters, more than RFC 7636 allows."""
    verifier = "v" * letters
    code = browser.code(code_challenge=challenge(verifier), code_challenge_method="S256")

    assert redeem(desk, code, code_verifier=verifier)[0] == 200


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
    desk: Caller, browser: Browser, asked: str | None, verifier: str | None, error: str
) -> None:
    code = browser.code(code_challenge=challenge(asked) if asked else None)

    assert redeem(desk, code, code_verifier=verifier) == refusal(error, "invalid code verifier")


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


def test_pages_are_forms_that_people_and_their_browsers_can_trust(browser: Browser) -> None:
    login = browser.authorize(login_hint='a"b@example.com')
    page = read_page(login)
    policy = login.headers["content-security-policy"]

    assert {facts.get("id") for facts in page.inputs.values()} == page.labels == {"username", "password"}
    assert page.inputs["username"]["value"] == 'a"b@example.com'
    assert page.inputs["pw"]["type"] == "password"
    assert "<script" not in login.text
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://localhost:1717" in policy
    assert (login.headers["x-frame-options"], login.headers["referrer-policy"]) == ("DENY", "no-referrer")
    assert "no-store" in login.headers["cache-control"]


def test_the_consent_page_names_the_app_the_user_and_the_wishes(desk: Caller, browser: Browser) -> None:
    desk.org.admin.change_app(name="<i>Mine</i> & yours")
    path = browser.address(scope="api refresh_token offline_access")
    consent = browser.log_in(path)

    text = read_page(consent).text
    assert (
        "<i>Mine</i> & yours is asking to: Manage user data via APIs Perform requests at any time Do" in text
    )
    assert "allow access for me@example.com?" in text
    assert "<i>" not in consent.text


def test_the_session_of_a_browser_is_a_cookie_that_no_script_and_no_other_site_gets(browser: Browser) -> None:
    crumb = browser.log_in(browser.address()).headers["set-cookie"].lower()

    assert {"httponly", "samesite=lax", "path=/services/oauth2"} <= {
        part.strip() for part in crumb.split(";")
    }


def test_consent_is_asked_for_once_and_the_login_too(browser: Browser) -> None:
    browser.code(scope="api refresh_token")

    assert "code" in told(browser.authorize(scope="api", state="x"))
    assert read_page(browser.authorize(scope="api id")).inputs.keys() == {"proof"}
    assert read_page(browser.authorize(scope="api", prompt="consent")).inputs.keys() == {"proof"}
    assert "pw" in read_page(browser.authorize(scope="api", prompt="login")).inputs
    assert "pw" in read_page(browser.authorize(scope="api", prompt="select_account")).inputs


def test_prompts_for_login_and_consent_ask_both_and_then_let_on(browser: Browser) -> None:
    browser.code(scope="api")
    path = browser.address(scope="api", prompt="login consent")

    assert "pw" in read_page(browser.open(path)).inputs
    consent = browser.log_in(path)
    assert "code" in told(browser.decide(path, consent))


def test_another_browser_has_to_log_in_but_not_to_consent(desk: Caller, browser: Browser) -> None:
    browser.code(scope="api")
    other = Browser(desk.org)

    assert "pw" in read_page(other.authorize(scope="api")).inputs
    assert "code" in told(other.log_in(other.address(scope="api")))


def test_a_form_that_is_not_ours_presses_no_button(browser: Browser) -> None:
    path = browser.address()
    browser.log_in(path)
    forged = browser.open(path, {"decision": "allow", "proof": "made up"})

    assert (forged.status, "pw" in read_page(forged).inputs) == (200, True)


def test_an_immediate_request_shows_nothing(browser: Browser) -> None:
    asked = {"immediate": "true", "state": "s", "scope": "api"}
    unsuccessful = told(browser.authorize(**asked))
    browser.code(scope="api")

    assert (unsuccessful["error"], unsuccessful["state"]) == ("immediate_unsuccessful", "s")
    assert "code" in told(browser.authorize(**asked))


@pytest.mark.parametrize(
    ("query", "body"),
    [
        (
            {"redirect_uri": "http://localhost:1717/oauthredirect"},
            "error=redirect_uri_mismatch&error_description=redirect_uri%20must%20match%20configuration",
        ),
        (
            {"redirect_uri": f"{REDIRECT_URI}/"},
            "error=redirect_uri_mismatch&error_description=redirect_uri%20must%20match%20configuration",
        ),
        ({"client_id": "nobody"}, "error=invalid_client_id&error_description=client%20identifier%20invalid"),
        (
            {"redirect_uri": None},
            "error=redirect_uri_missing&error_description=redirect_uri%20not%20provided",
        ),
        (
            {"client_id": None},
            "error=invalid_request&error_description=missing%20required%20parameter%3A%20client_id",
        ),
    ],
)
def test_nobody_is_sent_to_an_address_that_is_not_registered(
    browser: Browser, query: dict[str, str | None], body: str
) -> None:
    answer = browser.authorize(**query)

    assert (answer.status, answer.text, answer.headers.get("location")) == (400, body, None)


@pytest.mark.parametrize(
    ("app", "query", "error"),
    [
        ({}, {"response_type": "id_token"}, ("unsupported_response_type", "response type not supported")),
        ({}, {"response_type": None}, ("invalid_request", "missing required parameter: response_type")),
        ({"flows": []}, {}, ("unsupported_response_type", "response type not supported")),
        ({"pkce_required": True}, {}, ("invalid_request", "missing required code challenge")),
        ({}, {"code_challenge": "short"}, ("invalid_request", "invalid code challenge")),
        (
            {},
            {"code_challenge": "c" * 43, "code_challenge_method": "plain"},
            ("invalid_request", "invalid code challenge"),
        ),
        ({"blocked": True}, {}, ("OAUTH_APP_BLOCKED", "this app is blocked by admin")),
    ],
)
def test_other_refusals_are_told_to_the_app(
    desk: Caller,
    browser: Browser,
    app: dict[str, object],
    query: dict[str, str | None],
    error: tuple[str, str],
) -> None:
    desk.org.admin.change_app(**app)
    answer = told(browser.authorize(state="a&b", **query))

    assert answer == {"error": error[0], "error_description": error[1], "state": "a&b"}


@pytest.mark.parametrize(("scopes", "asked"), [(["api"], "api full"), (["api"], "nonsense")])
def test_a_scope_that_the_app_does_not_have_ends_on_a_page(
    desk: Caller, browser: Browser, scopes: list[str], asked: str
) -> None:
    desk.org.admin.change_app(scopes=scopes)
    sent = desk.raw("GET", browser.address(scope=asked))
    page = read_page(browser.authorize(scope=asked))

    assert sent.headers["location"].endswith(
        "?error=invalid_scope&error_description=the+requested+scope+is+not+allowed"
    )
    assert "OAUTH_APPROVAL_ERROR_GENERIC" in page.text
    assert "invalid_scope: the requested scope is not allowed" in page.text


def test_a_user_whom_the_admin_did_not_name_is_turned_away(desk: Caller, browser: Browser) -> None:
    desk.org.admin.change_app(permitted_users="admin_approved")
    path = browser.address()
    denied = told(browser.log_in(path))
    desk.org.admin.change_app(approved_users=["ME@example.com"])

    assert denied == {
        "error": "OAUTH_APP_ACCESS_DENIED",
        "error_description": "user is not admin approved to access this app",
    }
    assert "code" in told(browser.open(path))


def test_a_code_is_good_once_even_for_many_at_once(desk: Caller, browser: Browser) -> None:
    code = browser.code()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: redeem(desk, code), range(16)))

    assert sorted(status for status, _ in answers) == [200] + [400] * 15
    assert redeem(desk, code) == refusal("invalid_grant", "expired authorization code")


def test_a_code_lives_fifteen_minutes_of_the_orgs_clock(lht_simulator: LocalOrg) -> None:
    lht_simulator.admin.freeze_clock()
    browser, caller = Browser(lht_simulator), Caller(lht_simulator)
    young, old = browser.code(), browser.code()
    lht_simulator.admin.advance_clock(15 * 60)
    in_time = redeem(caller, young)[0]
    lht_simulator.admin.advance_clock(1)

    assert in_time == 200
    assert redeem(caller, old) == refusal("invalid_grant", "expired authorization code")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"code": "made up"}, ("invalid_grant", "invalid authorization code")),
        ({"code": None}, ("invalid_request", "missing required parameter: code")),
        ({"redirect_uri": None}, ("invalid_request", "missing required parameter: redirect_uri")),
        (
            {"redirect_uri": "http://127.0.0.1:1717/OauthRedirect"},
            ("redirect_uri_mismatch", "redirect_uri must match configuration"),
        ),
        ({"client_secret": "wrong"}, ("invalid_client", "invalid client credentials")),
        ({"client_secret": None}, ("invalid_client", "invalid client credentials")),
        ({"client_id": "nobody"}, ("invalid_client_id", "client identifier invalid")),
    ],
)
def test_a_code_wants_everything_as_it_was_and_a_refused_attempt_leaves_it_good(
    desk: Caller, browser: Browser, form: dict[str, str | None], error: tuple[str, str]
) -> None:
    code = browser.code()

    assert redeem(desk, **{"code": code, **form}) == refusal(*error)
    assert redeem(desk, code)[0] == 200


def test_an_app_that_keeps_no_secret_needs_none_but_a_wrong_one_is_refused(
    desk: Caller, browser: Browser
) -> None:
    desk.org.admin.change_app(secret_required=False, pkce_required=True)
    code = browser.code(code_challenge=challenge(VERIFIER))
    wrong = redeem(desk, code, code_verifier=VERIFIER, client_secret="wrong")

    assert wrong == refusal("invalid_client", "invalid client credentials")
    assert redeem(desk, code, code_verifier=VERIFIER, client_secret=None)[0] == 200


def test_credentials_may_come_in_a_basic_header_and_the_form_in_the_address(
    desk: Caller, browser: Browser
) -> None:
    pair = base64.b64encode(f"{desk.org.client_id}:{desk.org.client_secret}".encode()).decode()
    form = {"grant_type": "authorization_code", "code": browser.code(), "redirect_uri": REDIRECT_URI}
    path = f"/services/oauth2/token?{urllib.parse.urlencode(form)}"

    assert desk.raw("POST", path, b"", {"Authorization": f"Basic {pair}"}).status == 200


def test_without_a_scope_that_keeps_there_is_no_refresh_token(desk: Caller, browser: Browser) -> None:
    tokens = redeem(desk, browser.code(scope="api"))[1]

    assert "refresh_token" not in tokens
    assert (tokens["scope"], desk.org.admin.grants()["grants"]) == ("api", [])


def test_without_the_api_scope_a_token_opens_no_rest_resource(desk: Caller, browser: Browser) -> None:
    tokens = redeem(desk, browser.code(scope="id refresh_token"))[1]
    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    refused = desk.get("/limits", headers=headers)

    assert refused.error == (401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API")
    assert desk.raw("GET", "/services/oauth2/userinfo", headers=headers).status == 200


def test_the_user_agent_flow_answers_behind_the_number_sign(desk: Caller, browser: Browser) -> None:
    path = browser.address(response_type="token", scope="api", state="s")
    back = browser.decide(path, browser.log_in(path))
    fragment = urllib.parse.urlsplit(back.headers["location"]).fragment
    tokens = dict(urllib.parse.parse_qsl(fragment))
    denied = browser.address(response_type="token", scope="api", prompt="consent")
    refused = browser.decide(denied, browser.open(denied), "deny")

    headers = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (tokens["state"], tokens["instance_url"]) == ("s", desk.org.url)
    assert desk.get("/limits", headers=headers).status == 200
    assert refused.headers["location"].startswith(f"{REDIRECT_URI}#error=access_denied&")


def test_an_address_with_a_query_of_its_own_keeps_it(desk: Caller, browser: Browser) -> None:
    uri = "https://app.example.com/back?tenant=7"
    desk.org.admin.change_app(redirect_uris=[uri])
    path = browser.address(redirect_uri=uri)
    back = browser.decide(path, browser.log_in(path))

    assert back.headers["location"].startswith(f"{uri}&code=")


def test_a_browser_is_logged_out_after_a_time_without_use(lht_simulator: LocalOrg) -> None:
    lht_simulator.admin.freeze_clock()
    browser = Browser(lht_simulator)
    browser.code(scope="api")
    lht_simulator.admin.advance_clock(7_201)

    assert "pw" in read_page(browser.authorize(scope="api")).inputs


def test_an_inactive_user_cannot_log_in_and_gets_nothing_for_a_code(desk: Caller, browser: Browser) -> None:
    code, path = browser.code(), browser.address()
    desk.org.admin.change_user(active=False)

    assert WRONG_PASSWORD in read_page(browser.log_in(path)).text
    assert redeem(desk, code) == refusal("inactive_user", "user is inactive")


def test_a_changed_password_is_the_one_that_counts(desk: Caller, browser: Browser) -> None:
    desk.org.admin.change_user(password="another-One-2")
    path = browser.address()

    assert WRONG_PASSWORD in read_page(browser.log_in(path)).text
    assert "proof" in read_page(browser.log_in(path, password="another-One-2")).inputs


def test_the_authorize_page_knows_no_other_method(desk: Caller) -> None:
    assert desk.raw("PUT", AUTHORIZE).error[:2] == (405, "METHOD_NOT_ALLOWED")
