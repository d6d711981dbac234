"""The transport and the org over real sockets, against a small server that misbehaves on purpose."""

from __future__ import annotations

import gzip
import json
import logging
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from lht.errors import (
    ConfigError,
    LhtError,
    LimitExceededError,
    LoginRejectedError,
    RequestRejectedError,
    SessionExpiredError,
    TimedOutError,
    UnavailableError,
    UnreachableError,
)
from lht.sfdc import rest
from lht.sfdc.auth import Login
from lht.sfdc.messages import Headers, Request
from lht.sfdc.org import Org
from lht.sfdc.transport import Network, RetryPolicy, Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOKEN = "00D000000000001!AQs3cret"
DEAD = b'[{"message":"Session expired or invalid","errorCode":"INVALID_SESSION_ID"}]'


@dataclass
class Script:
    """What the server does: `act` is called for each request; `seen` is what came."""

    url: str = ""
    act: Callable[[Exchange], None] = lambda exchange: exchange.reply(200, b"{}")
    seen: list[tuple[str, str]] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)


class Exchange(BaseHTTPRequestHandler):
    """One request with ways to answer it, well or badly."""

    protocol_version = "HTTP/1.1"
    script: Script

    def log_message(self, *_: object) -> None:
        """Keeps the test's output clean."""

    def handle_any(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with self.script.lock:
            self.script.seen.append((self.command, self.path))
        self.script.act(self)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any  # noqa: N815

    def reply(self, status: int, body: bytes, *, announced: int | None = None, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        if announced is not None:
            self.hang_up()

    def hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)


class QuietServer(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Hung-up connections are what these tests are about."""


@pytest.fixture
def script() -> Iterator[Script]:
    found = Script()
    server = QuietServer(("127.0.0.1", 0), type("Handler", (Exchange,), {"script": found}))
    found.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def naps() -> list[float]:
    return []


@pytest.fixture
def transport(naps: list[float]) -> Iterator[Transport]:
    found = Transport(sleep=naps.append, jitter=lambda: 0.0)
    yield found
    found.close()


def in_turn(*acts: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
    """Acts one after the other; the last one stays."""
    left = list(acts)
    lock = threading.Lock()

    def act(exchange: Exchange) -> None:
        with lock:
            now = left.pop(0) if len(left) > 1 else left[0]
        now(exchange)

    return act


def status(code: int, body: bytes = b"{}", **headers: str) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.reply(code, body, **headers)


def get(url: str, **facts: Any) -> Request:
    return Request("GET", url, **facts)


# --- transport ------------------------------------------------------------------------------------------


def test_an_answer_comes_whole_and_inflated(script: Script, transport: Transport) -> None:
    script.act = status(200, gzip.compress(b'{"a": 1}'), Content_Encoding="gzip", X_Mine="yes")

    answer = transport.send(get(script.url))

    assert (answer.status, answer.json(), answer.headers["x-mine"]) == (200, {"a": 1}, "yes")
    assert answer.date is not None


def test_a_stream_gives_the_compressed_bytes_as_they_came(script: Script, transport: Transport) -> None:
    body = gzip.compress(b'"Id"\n' * 100_000)
    script.act = status(200, body, Content_Encoding="gzip", Sforce_Locator="null")

    with transport.stream(get(script.url)) as answer:
        got = b"".join(answer.chunks(1000))

    assert got == body
    assert answer.headers["Sforce-Locator"] == "null"


def test_a_stream_left_early_hangs_up_and_the_transport_goes_on(script: Script, transport: Transport) -> None:
    script.act = status(200, b"x" * 5_000_000)

    with transport.stream(get(script.url)) as answer:
        next(answer.chunks())

    assert transport.send(get(script.url)).status == 200


def test_a_stream_cut_short_is_unreachable(script: Script, transport: Transport) -> None:
    script.act = lambda exchange: exchange.reply(200, b"x" * 1000, announced=2000)

    with transport.stream(get(script.url)) as answer, pytest.raises(UnreachableError, match="cut off"):
        list(answer.chunks())


def test_a_chunked_stream_cut_short_is_unreachable(script: Script, transport: Transport) -> None:
    def act(exchange: Exchange) -> None:
        exchange.send_response(200)
        exchange.send_header("Transfer-Encoding", "chunked")
        exchange.end_headers()
        exchange.wfile.write(b"5\r\nhello\r\n5\r\nwo")
        exchange.hang_up()

    script.act = act

    with transport.stream(get(script.url)) as answer, pytest.raises(UnreachableError):
        list(answer.chunks())


def test_a_body_cut_short_is_asked_for_again(script: Script, transport: Transport, naps: list[float]) -> None:
    script.act = in_turn(lambda exchange: exchange.reply(200, b"{", announced=9), status(200, b"{}"))

    assert transport.send(get(script.url)).json() == {}
    assert naps == [0.5]


def test_a_dropped_connection_is_tried_again_with_growing_pauses(
    script: Script, transport: Transport, naps: list[float]
) -> None:
    script.act = in_turn(*[Exchange.hang_up] * 3, status(200))

    assert transport.send(get(script.url)).status == 200
    assert naps == [0.5, 1.0, 2.0]


def test_a_writing_request_is_never_sent_twice(
    script: Script, transport: Transport, naps: list[float]
) -> None:
    script.act = Exchange.hang_up

    with pytest.raises(UnreachableError):
        transport.send(Request("POST", script.url, body=b"{}"))

    assert len(script.seen) == 1
    assert naps == []


def test_a_writing_request_answered_503_is_handed_back(script: Script, transport: Transport) -> None:
    script.act = status(503)

    assert transport.send(Request("POST", script.url, body=b"{}")).status == 503
    assert len(script.seen) == 1


def test_a_writing_request_that_says_so_is_repeated(script: Script, transport: Transport) -> None:
    script.act = in_turn(status(503), status(200))

    assert transport.send(Request("PATCH", script.url, body=b"{}", repeat=True)).status == 200


@pytest.mark.parametrize("code", [406, 420, 429, 500, 502, 503])
def test_passing_troubles_are_waited_out(script: Script, transport: Transport, code: int) -> None:
    script.act = in_turn(status(code), status(200))

    assert transport.send(get(script.url)).status == 200


@pytest.mark.parametrize("code", [400, 401, 403, 404, 302])
def test_other_answers_are_handed_back_at_once(script: Script, transport: Transport, code: int) -> None:
    script.act = status(code, Location="https://elsewhere.example/")

    assert transport.send(get(script.url)).status == code
    assert len(script.seen) == 1


def test_trouble_that_does_not_pass_is_handed_back(script: Script, naps: list[float]) -> None:
    script.act = status(503)
    transport = Transport(retry=RetryPolicy(attempts=3), sleep=naps.append, jitter=lambda: 1.0)

    assert transport.send(get(script.url)).status == 503
    assert naps == [0.625, 1.25]
    transport.close()


def test_retry_after_is_obeyed(script: Script, transport: Transport, naps: list[float]) -> None:
    script.act = in_turn(status(503, Retry_After="7"), status(200))

    assert transport.send(get(script.url)).status == 200
    assert naps == [7.0]


def test_a_very_long_retry_after_is_told_and_not_waited_for(
    script: Script, transport: Transport, naps: list[float]
) -> None:
    script.act = status(503, b"[]", Retry_After="3600")
    org = Org(Login("me", script.url, TOKEN), transport, api_version="66.0")

    with pytest.raises(UnavailableError, match=r"until \d{4}-\d\d-\d\d \d\d:\d\d UTC"):
        rest.limits(org)

    assert naps == []


def test_streams_wait_troubles_out_too(script: Script, transport: Transport) -> None:
    script.act = in_turn(Exchange.hang_up, status(503, b"x" * 100), status(200, b"abc"))

    with transport.stream(get(script.url)) as answer:
        assert b"".join(answer.chunks()) == b"abc"


def test_silence_is_a_time_out(script: Script) -> None:
    release = threading.Event()

    def act(_: Exchange) -> None:
        release.wait(5)

    script.act = act
    transport = Transport(retry=RetryPolicy(attempts=1))

    with pytest.raises(TimedOutError, match=r"within 0.1 s"):
        transport.send(get(script.url, timeout_s=0.1))

    release.set()
    transport.close()


def test_a_closed_port_refuses_and_even_a_writing_request_is_tried_again(naps: list[float]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    transport = Transport(sleep=naps.append, jitter=lambda: 0.0)

    with pytest.raises(UnreachableError, match="refused the connection"):
        transport.send(Request("POST", f"http://127.0.0.1:{port}/"))

    assert naps == [0.5, 1.0]
    transport.close()


def test_http_to_another_machine_is_refused_before_anything_is_sent(transport: Transport) -> None:
    with pytest.raises(ConfigError, match="unencrypted"):
        transport.send(get("http://acme.my.salesforce.com/"))


def test_a_tls_connection_to_something_else_is_not_retried(script: Script, naps: list[float]) -> None:
    transport = Transport(sleep=naps.append)

    with pytest.raises(UnreachableError) as caught:
        transport.send(get(script.url.replace("http://", "https://")))

    assert "SSL_CERT_FILE" in caught.value.hint
    assert naps == []
    transport.close()


def test_an_unreadable_certificate_file_is_a_configuration_error() -> None:
    transport = Transport(Network(ca_file="/nowhere/ca.pem"))

    with pytest.raises(ConfigError, match="SSL_CERT_FILE"):
        transport.send(get("https://acme.my.salesforce.com/"))


def test_a_proxy_gets_the_request_with_its_password_but_never_this_machine(script: Script) -> None:
    script.act = status(407)
    host = script.url.removeprefix("http://")
    transport = Transport(
        Network(https_proxy=f"http://me:s3cret@{host}"), retry=RetryPolicy(connect_attempts=1)
    )

    with pytest.raises(UnreachableError) as caught:
        transport.send(get("https://acme.my.salesforce.com/"))
    seen = list(script.seen)
    transport.send(get(script.url))

    assert "HTTPS_PROXY" in caught.value.hint
    assert "s3cret" not in str(caught.value)
    assert seen == []  # CONNECT has no handler here: the proxy was asked and refused
    assert script.seen == [("GET", "/")]
    transport.close()


@pytest.mark.parametrize(
    ("no_proxy", "host", "expected"),
    [
        ("", "a.example", "p"),
        ("example", "a.example", None),
        (".example,x", "a.example", None),
        ("*.example", "a.example", None),
        ("a.exam", "a.example", "p"),
        ("*", "a.example", None),
        ("", "127.0.0.1", None),
    ],
)
def test_no_proxy_names_hosts_and_domains(no_proxy: str, host: str, expected: str | None) -> None:
    assert Network(https_proxy="p", no_proxy=no_proxy).proxy_for("https", host) == expected


def test_secrets_reach_no_log(script: Script, transport: Transport, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    script.act = in_turn(Exchange.hang_up, status(200))

    transport.send(get(f"{script.url}/x?q=s3cret", headers=Headers({"Authorization": f"Bearer {TOKEN}"})))

    ours = [record.__dict__ for record in caplog.records if record.name.startswith("lht")]
    assert len(ours) == 2
    assert "s3cret" not in repr(ours)


# --- org ------------------------------------------------------------------------------------------------


@contextmanager
def opened(script: Script, transport: Transport, **facts: Any) -> Iterator[Org]:
    login = Login("me@example.com", script.url, TOKEN, org_id="00D000000000001")
    with Org(login, transport, api_version="66.0", **facts) as org:
        yield org


def by_token(good: str, body: bytes = b"{}") -> Callable[[Exchange], None]:
    """Answers 401 to any token but the good one."""

    def act(exchange: Exchange) -> None:
        is_good = exchange.headers["Authorization"] == f"Bearer {good}"
        exchange.reply(200, body) if is_good else exchange.reply(401, DEAD)

    return act


def test_an_expired_session_is_renewed_once_and_the_request_replayed(
    script: Script, transport: Transport
) -> None:
    script.act = by_token("new")

    with opened(script, transport, renew=lambda login: replace(login, access_token="new")) as org:
        answer = org.request("POST", "jobs/query", json={"a": 1})

        assert answer.status == 200
        assert org.login.access_token == "new"
        assert org.calls == 2


def test_many_threads_renew_once(script: Script, transport: Transport) -> None:
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


def test_a_renewed_session_that_is_refused_ends_it(script: Script, transport: Transport) -> None:
    script.act = status(401, DEAD)

    with (
        opened(script, transport, renew=lambda login: replace(login, access_token="new")) as org,
        pytest.raises(SessionExpiredError, match=r"you are not logged in\. Run 'lht login'\."),
    ):
        org.request("GET", "limits/")

    assert len(script.seen) == 2


def test_without_renewal_an_expired_session_ends_at_once(script: Script, transport: Transport) -> None:
    script.act = status(401, DEAD)

    with opened(script, transport) as org, pytest.raises(SessionExpiredError):
        org.request("GET", "limits/")

    assert len(script.seen) == 1


def test_a_refused_renewal_is_not_tried_by_every_thread(script: Script, transport: Transport) -> None:
    script.act = status(401, DEAD)
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
    script: Script, transport: Transport
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


def test_a_renewal_for_another_org_ends_the_session(script: Script, transport: Transport) -> None:
    script.act = by_token("new")

    def renew(login: Login) -> Login:
        return replace(login, access_token="new", org_id="00D000000000002")

    with (
        opened(script, transport, renew=renew) as org,
        pytest.raises(SessionExpiredError, match="another org"),
    ):
        org.request("GET", "limits/")


def test_a_session_without_the_api_scope_is_not_renewed(script: Script, transport: Transport) -> None:
    script.act = status(
        401, b'[{"message":"This session is not valid for use with the REST API","errorCode":"X"}]'
    )

    with (
        opened(script, transport, renew=lambda login: login) as org,
        pytest.raises(LhtError, match="scope 'api'"),
    ):
        org.request("GET", "limits/")


def test_a_stream_is_renewed_and_its_errors_translated(script: Script, transport: Transport) -> None:
    script.act = by_token("new", b"abc")

    with opened(script, transport, renew=lambda login: replace(login, access_token="new")) as org:
        with org.stream("jobs/query/750/results") as answer:
            assert b"".join(answer.chunks()) == b"abc"
        script.act = status(404, b'[{"message":"m","errorCode":"NOT_FOUND"}]')
        with pytest.raises(RequestRejectedError, match="NOT_FOUND"):
            org.stream("jobs/query/751/results")


def test_a_raw_request_gives_error_answers_back(script: Script, transport: Transport) -> None:
    script.act = status(404)

    with opened(script, transport) as org:
        assert org.request("GET", "x", raw=True).status == 404


def test_the_token_is_sent_to_its_own_instance_only(script: Script, transport: Transport) -> None:
    with opened(script, transport) as org:
        for path in ("https://elsewhere.example/x", "//elsewhere.example/x"):
            with pytest.raises(RequestRejectedError):
                org.request("GET", path)

    assert script.seen == []


def test_the_version_is_the_newest_that_both_know(script: Script, transport: Transport) -> None:
    versions = [{"version": "30.0"}, {"version": "58.0"}, {"version": "66.0"}, {"version": "99.0"}]
    script.act = status(200, json.dumps(versions).encode())
    org = Org(Login("me", script.url, TOKEN), transport)

    assert (org.api_version, org.for_object().api_version) == ("66.0", "66.0")
    assert script.seen == [("GET", "/services/data/")]
    assert org.calls == 0


def test_an_org_without_a_known_version_is_refused(script: Script, transport: Transport) -> None:
    script.act = status(200, b'[{"version":"99.0"}]')

    with pytest.raises(ConfigError, match="no API version"):
        _ = Org(Login("me", script.url, TOKEN), transport).api_version


def test_a_fixed_version_is_negotiated_with_nobody(script: Script, transport: Transport) -> None:
    assert Org(Login("me", script.url, TOKEN), transport, api_version="v60").api_version == "60.0"
    assert script.seen == []
    with pytest.raises(ConfigError, match="no API version"):
        Org(Login("me", script.url, TOKEN), transport, api_version="latest")


def test_who_and_which_org_are_asked_once_where_only_a_token_is_known(
    script: Script, transport: Transport
) -> None:
    script.act = status(200, b'{"preferred_username":"me@example.com","organization_id":"00D000000000009"}')
    org = Org(Login("", script.url, TOKEN), transport, api_version="66.0")

    assert (org.username, org.org_id) == ("me@example.com", "00D000000000009EAA")
    assert len(script.seen) == 1


def test_an_org_that_does_not_tell_its_id_is_known_by_its_token(script: Script, transport: Transport) -> None:
    script.act = status(404)
    org = Org(Login("", script.url, TOKEN), transport, api_version="66.0")

    assert (org.username, org.org_id) == ("", "00D000000000001EAA")


def test_a_strange_token_of_a_silent_org_tells_no_id(script: Script, transport: Transport) -> None:
    script.act = status(404)

    with pytest.raises(ConfigError, match="org id"):
        _ = Org(Login("", script.url, "opaque"), transport, api_version="66.0").org_id


def test_views_count_their_own_calls_and_the_org_counts_all(script: Script, transport: Transport) -> None:
    script.act = status(200, b"{}", Sforce_Limit_Info="api-usage=5/100")

    with opened(script, transport) as org:
        first, second = org.for_object(), org.for_object()
        first.request("GET", "limits/")
        first.request("GET", "limits/")
        second.request("GET", "limits/")

        assert (first.calls, second.calls, org.calls) == (2, 1, 3)
        assert (first.api_usage, org.api_usage) == ((5, 100), (5, 100))
        assert org.server_time is not None


def test_a_limit_is_told_with_what_to_do(script: Script, transport: Transport) -> None:
    script.act = status(
        403, b'[{"message":"TotalRequests Limit exceeded.","errorCode":"REQUEST_LIMIT_EXCEEDED"}]'
    )

    with opened(script, transport) as org, pytest.raises(LimitExceededError) as caught:
        org.request("GET", "limits/")

    assert "smaller batches" in caught.value.hint
    assert len(script.seen) == 1


def test_no_error_of_an_org_shows_its_token(script: Script, transport: Transport) -> None:
    script.act = status(400, f'[{{"message":"bad {TOKEN}","errorCode":"X"}}]'.encode())

    with opened(script, transport) as org:
        with pytest.raises(RequestRejectedError) as caught:
            org.request("GET", "limits/")

        assert "s3cret" not in f"{caught.value} {caught.value!r} {caught.value.context} {org!r} {org.login!r}"
