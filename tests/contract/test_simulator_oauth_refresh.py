"""Refresh tokens of the local org: renewal, rotation, how many live, what survives a restart."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lht.testing import simulator
from lht.testing.browser import REDIRECT_URI, Browser
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from pathlib import Path

    from lht.testing import LocalOrg

EXPIRED = (400, {"error": "invalid_grant", "error_description": "expired access/refresh token"})


def log_in(org: LocalOrg, **query: str | None) -> dict[str, str]:
    code = Browser(org).code(**query)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI}
    tokens: dict[str, str] = Caller(org).token(**form).json()
    return tokens


def refresh(caller: Caller, token: str, **form: str | None) -> tuple[int, dict[str, Any]]:
    answer = caller.token(**({"grant_type": "refresh_token", "refresh_token": token} | form))
    return answer.status, answer.json()


def works(caller: Caller, tokens: dict[str, str]) -> bool:
    return caller.get("/limits", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status == 200


def test_a_refresh_gives_another_access_token_and_no_refresh_token(desk: Caller) -> None:
    tokens = log_in(desk.org, scope="api refresh_token")
    status, renewed = refresh(desk, tokens["refresh_token"])

    assert (status, "refresh_token" in renewed, renewed["scope"]) == (200, False, "api refresh_token")
    assert renewed["access_token"] != tokens["access_token"]
    assert (renewed["instance_url"], renewed["id"]) == (tokens["instance_url"], tokens["id"])
    assert (works(desk, renewed), refresh(desk, tokens["refresh_token"])[0]) == (True, 200)


def test_many_threads_may_refresh_with_a_token_that_does_not_rotate(desk: Caller) -> None:
    token = log_in(desk.org)["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(desk, token), range(24)))

    assert {status for status, _ in answers} == {200}
    assert len({body["access_token"] for _, body in answers}) == 24
    assert all(works(desk, body) for _, body in answers)


def test_rotation_gives_a_new_refresh_token_each_time(desk: Caller) -> None:
    desk.org.admin.change_app(rotation=True)
    first = log_in(desk.org)
    _, second = refresh(desk, first["refresh_token"])
    _, third = refresh(desk, second["refresh_token"])

    assert len({first["refresh_token"], second["refresh_token"], third["refresh_token"]}) == 3
    assert works(desk, third)
    assert len(desk.org.admin.grants()["grants"]) == 1


def test_a_rotated_token_that_is_used_again_ends_all_that_came_of_it(desk: Caller) -> None:
    desk.org.admin.change_app(rotation=True)
    other = log_in(desk.org)
    first = log_in(desk.org)
    _, second = refresh(desk, first["refresh_token"])
    reused = refresh(desk, first["refresh_token"])

    assert reused == EXPIRED
    assert refresh(desk, second["refresh_token"]) == EXPIRED
    assert (works(desk, first), works(desk, second)) == (False, False)
    assert (works(desk, other), refresh(desk, other["refresh_token"])[0]) == (True, 200)


def test_of_many_threads_one_gets_the_rotated_token_and_the_others_end_it(desk: Caller) -> None:
    desk.org.admin.change_app(rotation=True)
    token = log_in(desk.org)["refresh_token"]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: refresh(desk, token), range(16)))

    [winner] = [body for status, body in answers if status == 200]
    assert [answer for answer in answers if answer[0] != 200] == [EXPIRED] * 15
    assert refresh(desk, winner["refresh_token"]) == EXPIRED


def test_the_sixth_login_ends_the_oldest(desk: Caller) -> None:
    logins = [log_in(desk.org) for _ in range(6)]
    answers = [refresh(desk, tokens["refresh_token"]) for tokens in logins]

    assert answers[0] == EXPIRED
    assert [status for status, _ in answers[1:]] == [200] * 5
    assert [works(desk, tokens) for tokens in logins] == [False] + [True] * 5


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"refresh_token": "made up"}, ("invalid_grant", "expired access/refresh token")),
        ({"refresh_token": None}, ("invalid_request", "missing required parameter: refresh_token")),
        ({"client_secret": None}, ("invalid_client", "invalid client credentials")),
        ({"client_secret": "wrong"}, ("invalid_client", "invalid client credentials")),
        ({"client_id": "nobody"}, ("invalid_client_id", "client identifier invalid")),
    ],
)
def test_refusals_of_a_refresh(desk: Caller, form: dict[str, str | None], error: tuple[str, str]) -> None:
    usual = {"grant_type": "refresh_token", "refresh_token": log_in(desk.org)["refresh_token"]}
    answer = desk.token(**{**usual, **form})

    assert (answer.status, answer.json()) == (400, {"error": error[0], "error_description": error[1]})


def test_an_app_may_refresh_without_its_secret_if_told_so(desk: Caller) -> None:
    token = log_in(desk.org)["refresh_token"]
    desk.org.admin.change_app(refresh_secret_required=False)

    assert refresh(desk, token, client_secret=None)[0] == 200
    assert refresh(desk, token, client_secret="wrong")[1]["error"] == "invalid_client"


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(desk: Caller) -> None:
    tokens = log_in(desk.org)

    assert refresh(desk, tokens["access_token"]) == EXPIRED
    assert not works(desk, {"access_token": tokens["refresh_token"]})


def test_an_inactive_user_and_one_who_is_no_longer_let_in_get_nothing(desk: Caller) -> None:
    tokens = log_in(desk.org)
    desk.org.admin.change_user(active=False)
    inactive, alive = refresh(desk, tokens["refresh_token"]), works(desk, tokens)
    desk.org.admin.change_user(active=True)
    desk.org.admin.change_app(permitted_users="admin_approved")
    unapproved = refresh(desk, tokens["refresh_token"])
    desk.org.admin.change_app(permitted_users="self_authorized", blocked=True)
    blocked = refresh(desk, tokens["refresh_token"])

    assert (inactive[1]["error"], inactive[1]["error_description"], alive) == (
        "invalid_grant",
        "inactive user",
        False,
    )
    assert unapproved[1] == {
        "error": "invalid_app_access",
        "error_description": "user is not admin approved to access this app",
    }
    assert blocked[1] == {"error": "OAUTH_APP_BLOCKED", "error_description": "this app is blocked by admin"}


def test_a_refresh_token_lives_as_long_as_the_app_says(lht_simulator: LocalOrg) -> None:
    admin, caller = lht_simulator.admin, Caller(lht_simulator)
    admin.freeze_clock()
    admin.change_app(refresh_token_life_s=86_400)
    tokens = log_in(lht_simulator)
    admin.advance_clock(86_400)
    in_time, idle = refresh(caller, tokens["refresh_token"]), works(caller, tokens)
    admin.advance_clock(1)

    assert (in_time[0], idle) == (200, False)
    assert refresh(caller, tokens["refresh_token"]) == EXPIRED


def test_a_session_that_was_renewed_lives_on_its_own_use(lht_simulator: LocalOrg) -> None:
    admin, caller = lht_simulator.admin, Caller(lht_simulator)
    admin.freeze_clock()
    admin.change_settings(token_lifetime_s=600)
    first = log_in(lht_simulator)
    admin.advance_clock(400)
    second = refresh(caller, first["refresh_token"])[1]
    admin.advance_clock(400)

    assert (works(caller, first), works(caller, second)) == (False, True)


def test_refresh_tokens_approvals_and_the_app_survive_a_restart_and_sessions_do_not(tmp_path: Path) -> None:
    with simulator(path=tmp_path) as org:
        org.admin.change_app(rotation=True, name="Kept")
        org.admin.change_user(password="kept-One-1")
        org.admin.change_login_policy(password_flow=True)
        tokens = log_in(replace(org, password="kept-One-1"), scope="api refresh_token")
        spent = refresh(Caller(org), tokens["refresh_token"])[1]
    with simulator(path=tmp_path) as org:
        caller = Caller(org)
        app, approvals = org.admin.app(), org.admin.grants()["approvals"]
        alive = works(caller, spent)
        renewed = refresh(caller, spent["refresh_token"])
        reused = refresh(caller, tokens["refresh_token"])
        known = org.admin.user()["password"], org.admin.login_policy()["password_flow"]

    assert (app["rotation"], app["name"], approvals) == (
        True,
        "Kept",
        {"me@example.com": ["api", "refresh_token"]},
    )
    assert (alive, renewed[0], reused, known) == (False, 200, EXPIRED, ("kept-One-1", True))


def test_a_reset_puts_the_app_back_and_leaves_logins_alone() -> None:
    with simulator(app={"redirect_uris": [REDIRECT_URI], "name": "First"}) as org:
        tokens = log_in(org)
        org.admin.change_app(name="Second", rotation=True)
        org.admin.change_user(password="x")
        org.admin.reset()
        app, password = org.admin.app(), org.admin.user()["password"]

        assert (app["name"], app["rotation"], app["redirect_uris"]) == ("First", False, [REDIRECT_URI])
        assert password == org.password
        assert refresh(Caller(org), tokens["refresh_token"])[0] == 200
