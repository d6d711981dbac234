"""The transport over real sockets, against a small server that misbehaves on purpose."""

from __future__ import annotations

import gzip
import logging
import socket
import threading
from typing import Any

import pytest

from lht.errors import ConfigError, TimedOutError, UnavailableError, UnreachableError
from lht.sfdc import rest
from lht.sfdc.auth import Login
from lht.sfdc.messages import Headers, Request
from lht.sfdc.org import Org
from lht.sfdc.transport import Network, RetryPolicy, Transport

TOKEN = "00D000000000001!AQs3cret"


def get(url: str, **facts: Any) -> Request:
    return Request("GET", url, **facts)


def test_an_answer_comes_whole_and_inflated(script: Any, transport: Transport) -> None:
    script.act = script.status(200, gzip.compress(b'{"a": 1}'), Content_Encoding="gzip", X_Mine="yes")

    answer = transport.send(get(script.url))

    assert (answer.status, answer.json(), answer.headers["x-mine"]) == (200, {"a": 1}, "yes")
    assert answer.date is not None


def test_a_stream_gives_the_compressed_bytes_as_they_came(script: Any, transport: Transport) -> None:
    body = gzip.compress(b'"Id"\n' * 100_000)
    script.act = script.status(200, body, Content_Encoding="gzip", Sforce_Locator="null")

    with transport.stream(get(script.url)) as answer:
        got = b"".join(answer.chunks(1000))

    assert got == body
    assert answer.headers["Sforce-Locator"] == "null"


def test_a_stream_left_early_hangs_up_and_the_transport_goes_on(script: Any, transport: Transport) -> None:
    script.act = script.status(200, b"x" * 5_000_000)

    with transport.stream(get(script.url)) as answer:
        next(answer.chunks())

    assert transport.send(get(script.url)).status == 200


def test_a_stream_cut_short_is_unreachable(script: Any, transport: Transport) -> None:
    script.act = lambda exchange: exchange.reply(200, b"x" * 1000, announced=2000)

    with transport.stream(get(script.url)) as answer, pytest.raises(UnreachableError, match="cut off"):
        list(answer.chunks())


def test_a_chunked_stream_cut_short_is_unreachable(script: Any, transport: Transport) -> None:
    def act(exchange: Any) -> None:
        exchange.send_response(200)
        exchange.send_header("Transfer-Encoding", "chunked")
        exchange.end_headers()
        exchange.wfile.write(b"5\r\nhello\r\n5\r\nwo")
        exchange.hang_up()

    script.act = act

    with transport.stream(get(script.url)) as answer, pytest.raises(UnreachableError):
        list(answer.chunks())


def test_a_body_cut_short_is_asked_for_again(script: Any, transport: Transport, naps: list[float]) -> None:
    script.act = script.in_turn(
        lambda exchange: exchange.reply(200, b"{", announced=9), script.status(200, b"{}")
    )

    assert transport.send(get(script.url)).json() == {}
    assert naps == [0.5]


def test_a_dropped_connection_is_tried_again_with_growing_pauses(
    script: Any, transport: Transport, naps: list[float]
) -> None:
    script.act = script.in_turn(*[script.hang_up] * 3, script.status(200))

    assert transport.send(get(script.url)).status == 200
    assert naps == [0.5, 1.0, 2.0]


def test_a_writing_request_is_never_sent_twice(script: Any, transport: Transport, naps: list[float]) -> None:
    script.act = script.hang_up

    with pytest.raises(UnreachableError):
        transport.send(Request("POST", script.url, body=b"{}"))

    assert len(script.seen) == 1
    assert naps == []


def test_a_writing_request_answered_503_is_handed_back(script: Any, transport: Transport) -> None:
    script.act = script.status(503)

    assert transport.send(Request("POST", script.url, body=b"{}")).status == 503
    assert len(script.seen) == 1


def test_a_writing_request_that_says_so_is_repeated(script: Any, transport: Transport) -> None:
    script.act = script.in_turn(script.status(503), script.status(200))

    assert transport.send(Request("PATCH", script.url, body=b"{}", repeat=True)).status == 200


@pytest.mark.parametrize("code", [406, 420, 429, 500, 502, 503])
def test_passing_troubles_are_waited_out(script: Any, transport: Transport, code: int) -> None:
    script.act = script.in_turn(script.status(code), script.status(200))

    assert transport.send(get(script.url)).status == 200


@pytest.mark.parametrize("code", [400, 401, 403, 404, 302])
def test_other_answers_are_handed_back_at_once(script: Any, transport: Transport, code: int) -> None:
    script.act = script.status(code, Location="https://elsewhere.example/")

    assert transport.send(get(script.url)).status == code
    assert len(script.seen) == 1


def test_trouble_that_does_not_pass_is_handed_back(script: Any, naps: list[float]) -> None:
    script.act = script.status(503)
    transport = Transport(retry=RetryPolicy(attempts=3), sleep=naps.append, jitter=lambda: 1.0)

    assert transport.send(get(script.url)).status == 503
    assert naps == [0.625, 1.25]
    transport.close()


def test_retry_after_is_obeyed(script: Any, transport: Transport, naps: list[float]) -> None:
    script.act = script.in_turn(script.status(503, Retry_After="7"), script.status(200))

    assert transport.send(get(script.url)).status == 200
    assert naps == [7.0]


def test_a_very_long_retry_after_is_told_and_not_waited_for(
    script: Any, transport: Transport, naps: list[float]
) -> None:
    script.act = script.status(503, b"[]", Retry_After="3600")
    org = Org(Login("me", script.url, TOKEN), transport, api_version="66.0")

    with pytest.raises(UnavailableError, match=r"until \d{4}-\d\d-\d\d \d\d:\d\d UTC"):
        rest.limits(org)

    assert naps == []


def test_streams_wait_troubles_out_too(script: Any, transport: Transport) -> None:
    script.act = script.in_turn(script.hang_up, script.status(503, b"x" * 100), script.status(200, b"abc"))

    with transport.stream(get(script.url)) as answer:
        assert b"".join(answer.chunks()) == b"abc"


def test_silence_is_a_time_out(script: Any) -> None:
    release = threading.Event()

    def act(_: Any) -> None:
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


def test_a_tls_connection_to_something_else_is_not_retried(script: Any, naps: list[float]) -> None:
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


def test_a_proxy_gets_the_request_with_its_password_but_never_this_machine(script: Any) -> None:
    script.act = script.status(407)
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


def test_secrets_reach_no_log(script: Any, transport: Transport, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    script.act = script.in_turn(script.hang_up, script.status(200))

    transport.send(get(f"{script.url}/x?q=s3cret", headers=Headers({"Authorization": f"Bearer {TOKEN}"})))

    ours = [record.__dict__ for record in caplog.records if record.name.startswith("lht")]
    assert len(ours) == 2
    assert "s3cret" not in repr(ours)


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-4], lambda whole: whole[:5] + b"x" + whole[6:-8] + b"garbage!"]
)
def test_a_garbled_or_truncated_gzip_body_is_asked_for_again(
    script: Any, transport: Transport, damage: Any
) -> None:
    whole = gzip.compress(b'{"a": 1}')
    script.act = script.in_turn(
        script.status(200, damage(whole), Content_Encoding="gzip"),
        script.status(200, whole, Content_Encoding="gzip"),
    )

    assert transport.send(get(script.url)).json() == {"a": 1}
    assert len(script.seen) == 2


def test_a_gzip_body_of_several_members_is_read_whole(script: Any, transport: Transport) -> None:
    body = gzip.compress(b'{"a":') + gzip.compress(b" 1}")
    script.act = script.status(200, body, Content_Encoding="gzip")

    assert transport.send(get(script.url)).json() == {"a": 1}
