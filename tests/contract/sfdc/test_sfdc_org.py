"""A logged-in org over real sockets: renewal, counting, versions, translation."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lht.errors import (
    ConfigError,
    LhtError,
    LimitExceededError,
    LoginRejectedError,
    RequestRejectedError,
    SessionExpiredError,
    UnreachableError,
)
from lht.sfdc.auth import Login
from lht.sfdc.org import Org

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lht.sfdc.transport import Transport

TOKEN = "00D000000000001!AQs3cret"
DEAD = b'[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]'


@contextmanager
def opened(script: Any, transport: Transport, **facts: Any) -> Iterator[Org]:
    login = Login("me@example.com", script.url, TOKEN, org_id="00D000000000001")
    with Org(login, transport, api_version="66.0", **facts) as org:
        yield org


def by_token(good: str, body: bytes = b"{}") -> Callable[[Any], None]:
    """Answers 401 to any token but the good one."""

    def act(exchange: Any) -> None:
        is_good = exchange.headers["Authorization"] == f"Bearer {good}"
        exchange.reply(200, body) if is_good else exchange.reply(401, DEAD)

    return act


def test_an_expired_session_is_renewed_once_and_the_request_replayed(
    script: Any, transport: Transport
) -> None:
    script.act = by_token("new")

    with opened(script, transport, renew=lambda login: replace(login, access_token="new")) as org:
        answer = org.request("POST", "jobs/query", json={"a": 1})

        assert answer.status == 200
        assert org.login.access_token == "new"
        assert org.calls == 2


def test_many_threads_renew_once(script: Any, transport: Transport) -> None:
    script.act = by_token("new")
    renewals: list[Login] = []
    gate = threading.Barrier(12)
    statuses: list[int] = []

    def renew(login: Login) -> Login:
        renewals.append(login)
        return replace(login, access_token="new")

    def work(org: Org) -> None:
        gate.wait()
        statuses.extend(org.for_object().request("GET", "limits/").status for _ in range(3))

    with opened(script, transport, renew=renew) as org:
        threads = [threading.Thread(target=work, args=(org,)) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert statuses == [200] * 36
        assert len(renewals) == 1
        assert org.calls == len(script.seen)


def test_a_renewed_session_that_is_refused_ends_it(script: Any, transport: Transport) -> None:
    script.act = script.status(401, DEAD)

    with (
        opened(script, transport, renew=lambda login: replace(login, access_token="new")) as org,
        pytest.raises(SessionExpiredError, match=r"you are not logged in\. Run 'lht login'\."),
    ):
        org.request("GET", "limits/")

    assert len(script.seen) == 2


def test_without_renewal_an_expired_session_ends_at_once(script: Any, transport: Transport) -> None:
    script.act = script.status(401, DEAD)

    with opened(script, transport) as org, pytest.raises(SessionExpiredError):
        org.request("GET", "limits/")

    assert len(script.seen) == 1


def test_a_refused_renewal_is_not_tried_by_every_thread(script: Any, transport: Transport) -> None:
    script.act = script.status(401, DEAD)
    renewals: list[Login] = []

    def renew(login: Login) -> Login:
        renewals.append(login)
        raise LoginRejectedError("expired access/refresh token")

    with opened(script, transport, renew=renew) as org:
        for _ in range(3):
            with pytest.raises(SessionExpiredError, match="expired access/refresh token"):
                org.request("GET", "limits/")

    assert len(renewals) == 1


def test_a_renewal_that_did_not_reach_salesforce_may_be_tried_again(
    script: Any, transport: Transport
) -> None:
    script.act = by_token("new")
    outcomes: list[Login | LhtError] = [UnreachableError("gone"), Login("me", script.url, "new")]

    def renew(_: Login) -> Login:
        outcome = outcomes.pop(0)
        if isinstance(outcome, LhtError):
            raise outcome
        return outcome

    with opened(script, transport, renew=renew) as org:
        with pytest.raises(UnreachableError):
            org.request("GET", "limits/")

        assert org.request("GET", "limits/").status == 200


def test_a_renewal_for_another_org_ends_the_session(script: Any, transport: Transport) -> None:
    script.act = by_token("new")

    def renew(login: Login) -> Login:
        return replace(login, access_token="new", org_id="00D000000000002")

    with (
        opened(script, transport, renew=renew) as org,
        pytest.raises(SessionExpiredError, match="another org"),
    ):
        org.request("GET", "limits/")


def test_a_session_without_the_api_scope_is_not_renewed(script: Any, transport: Transport) -> None:
    script.act = script.status(
        401, b'[{"message":"This session is not valid for use with the REST API","errorCode":"X"}]'
    )

    with (
        opened(script, transport, renew=lambda login: login) as org,
        pytest.raises(LhtError, match="scope 'api'"),
    ):
        org.request("GET", "limits/")


def test_a_stream_is_renewed_and_its_errors_translated(script: Any, transport: Transport) -> None:
    script.act = by_token("new", b"abc")

    with opened(script, transport, renew=lambda login: replace(login, access_token="new")) as org:
        with org.stream("jobs/query/750/results") as answer:
            assert b"".join(answer.chunks()) == b"abc"
        script.act = script.status(404, b'[{"message":"m","errorCode":"NOT_FOUND"}]')
        with pytest.raises(RequestRejectedError, match="NOT_FOUND"):
            org.stream("jobs/query/751/results")


def test_a_raw_request_gives_error_answers_back(script: Any, transport: Transport) -> None:
    script.act = script.status(404)

    with opened(script, transport) as org:
        assert org.request("GET", "x", raw=True).status == 404


def test_the_token_is_sent_to_its_own_instance_only(script: Any, transport: Transport) -> None:
    with opened(script, transport) as org:
        for path in ("https://elsewhere.example/x", "//elsewhere.example/x"):
            with pytest.raises(RequestRejectedError):
                org.request("GET", path)

    assert script.seen == []


def test_the_version_is_the_newest_that_both_know(script: Any, transport: Transport) -> None:
    versions = [{"version": "30.0"}, {"version": "58.0"}, {"version": "66.0"}, {"version": "99.0"}]
    script.act = script.status(200, json.dumps(versions).encode())
    org = Org(Login("me", script.url, TOKEN), transport)

    assert (org.api_version, org.for_object().api_version) == ("66.0", "66.0")
    assert script.seen == [("GET", "/services/data/")]
    assert org.calls == 0


def test_an_org_without_a_known_version_is_refused(script: Any, transport: Transport) -> None:
    script.act = script.status(200, b'[{"version":"99.0"}]')

    with pytest.raises(ConfigError, match="no API version"):
        _ = Org(Login("me", script.url, TOKEN), transport).api_version


def test_a_fixed_version_is_negotiated_with_nobody(script: Any, transport: Transport) -> None:
    assert Org(Login("me", script.url, TOKEN), transport, api_version="v60").api_version == "60.0"
    assert script.seen == []
    with pytest.raises(ConfigError, match="no API version"):
        Org(Login("me", script.url, TOKEN), transport, api_version="latest")


def test_who_and_which_org_are_asked_once_where_only_a_token_is_known(
    script: Any, transport: Transport
) -> None:
    script.act = script.status(
        200, b'{"preferred_username":"me@example.com","organization_id":"00D000000000009"}'
    )
    org = Org(Login("", script.url, TOKEN), transport, api_version="66.0")

    assert (org.username, org.org_id) == ("me@example.com", "00D000000000009EAA")
    assert len(script.seen) == 1


def test_an_org_that_does_not_tell_its_id_is_known_by_its_token(script: Any, transport: Transport) -> None:
    script.act = script.status(404)
    org = Org(Login("", script.url, TOKEN), transport, api_version="66.0")

    assert (org.username, org.org_id) == ("", "00D000000000001EAA")


def test_a_strange_token_of_a_silent_org_tells_no_id(script: Any, transport: Transport) -> None:
    script.act = script.status(404)

    with pytest.raises(ConfigError, match="org id"):
        _ = Org(Login("", script.url, "opaque"), transport, api_version="66.0").org_id


def test_views_count_their_own_calls_and_the_org_counts_all(script: Any, transport: Transport) -> None:
    script.act = script.status(200, b"{}", Sforce_Limit_Info="api-usage=5/100")

    with opened(script, transport) as org:
        first, second = org.for_object(), org.for_object()
        first.request("GET", "limits/")
        first.request("GET", "limits/")
        second.request("GET", "limits/")

        assert (first.calls, second.calls, org.calls) == (2, 1, 3)
        assert (first.api_usage, org.api_usage) == ((5, 100), (5, 100))
        assert org.server_time is not None


def test_a_limit_is_told_with_what_to_do(script: Any, transport: Transport) -> None:
    script.act = script.status(
        403, b'[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]'
    )

    with opened(script, transport) as org, pytest.raises(LimitExceededError) as caught:
        org.request("GET", "limits/")

    assert "smaller batches" in caught.value.hint
    assert len(script.seen) == 1


def test_no_error_of_an_org_shows_its_token(script: Any, transport: Transport) -> None:
    script.act = script.status(400, f'[{{"message":"bad {TOKEN}","errorCode":"X"}}]'.encode())

    with opened(script, transport) as org:
        with pytest.raises(RequestRejectedError) as caught:
            org.request("GET", "limits/")

        assert "s3cret" not in f"{caught.value} {caught.value!r} {caught.value.context} {org!r} {org.login!r}"
