"""The listener for the browser's answer, called over real sockets."""

from __future__ import annotations

import http.client
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING

import pytest

from lht.errors import AuthError, ConfigError
from lht.sfdc.auth.listener import Listener, Page, open_servers

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 20.0


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        return int(found.getsockname()[1])


@contextmanager
def listening(port: int, host: str = "localhost") -> Iterator[Listener]:
    with Listener(f"http://{host}:{port}/OauthRedirect", lambda query: "ours" in query) as listener:
        yield listener


def get(
    port: int, path: str, *, host: str = "127.0.0.1", method: str = "GET"
) -> tuple[int, str, dict[str, str]]:
    with closing(http.client.HTTPConnection(host, port, timeout=PATIENCE_S)) as connection:
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), dict(answer.getheaders())


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


HOSTS = ["127.0.0.1", *(["::1"] if has_ipv6() else [])]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as found:
        yield found


@pytest.mark.parametrize("host", HOSTS)
def test_the_answer_is_given_and_its_page_tells_the_outcome(pool: ThreadPoolExecutor, host: str) -> None:
    port = free_port()
    with listening(port) as listener:
        browser = pool.submit(get, port, "/OauthRedirect?code=s3cret&state=ours", host=host)
        visit = listener.wait(PATIENCE_S)
        assert not browser.done()
        visit.tell("Logged in", "as <me@example.com> & co")

    status, page, headers = browser.result(PATIENCE_S)
    assert (status, visit.query) == (200, "code=s3cret&state=ours")
    assert "as &lt;me@example.com&gt; &amp; co" in page
    assert "s3cret" not in page
    assert headers["Cache-Control"] == "no-store"
    assert "script" not in headers["Content-Security-Policy"]


def test_other_paths_methods_and_logins_do_not_end_the_waiting(pool: ThreadPoolExecutor) -> None:
    port = free_port()
    with listening(port) as listener:
        others = [
            get(port, "/favicon.ico")[0],
            get(port, "/")[0],
            get(port, "/OauthRedirect?code=c&state=foreign")[0],
            get(port, "/OauthRedirect?code=c&state=ours", method="POST")[0],
        ]
        browser = pool.submit(get, port, "/OauthRedirect?state=ours")
        listener.wait(PATIENCE_S).tell("Done", "")

    assert others == [404, 404, 400, 501]
    assert browser.result(PATIENCE_S)[0] == 200


def test_only_the_first_answer_counts(pool: ThreadPoolExecutor) -> None:
    port = free_port()
    with listening(port) as listener:
        first = pool.submit(get, port, "/OauthRedirect?state=ours")
        visit = listener.wait(PATIENCE_S)
        again = get(port, "/OauthRedirect?state=ours")
        visit.tell("Done", "")

    assert (first.result(PATIENCE_S)[0], again[0]) == (200, 409)


def test_connections_that_are_never_used_hold_nothing_up(pool: ThreadPoolExecutor) -> None:
    port = free_port()
    with listening(port) as listener, closing(socket.create_connection(("127.0.0.1", port))):
        browser = pool.submit(get, port, "/OauthRedirect?state=ours")
        listener.wait(PATIENCE_S).tell("Done", "")

    assert browser.result(PATIENCE_S)[0] == 200


def test_a_connection_that_was_opened_in_advance_does_not_outlive_its_login() -> None:
    """Browsers keep such connections, and would ask the listener of yesterday by them."""
    port = free_port()
    with closing(socket.socket()) as early:
        early.settimeout(PATIENCE_S)
        with listening(port):
            early.connect(("127.0.0.1", port))
            get(port, "/")  # so that the earlier connection is accepted, too
        rest = early.recv(1)

    assert rest == b""


@pytest.mark.parametrize("hosts", [("203.0.113.1", "127.0.0.1"), ("127.0.0.1", "203.0.113.1")])
def test_one_address_is_enough_where_the_machine_lacks_the_other(hosts: tuple[str, ...]) -> None:
    (server,) = open_servers(hosts, free_port(), BaseHTTPRequestHandler)
    server.server_close()

    assert server.server_address[0] == "127.0.0.1"


def test_a_machine_with_neither_address_says_so() -> None:
    with pytest.raises(ConfigError, match="cannot be opened"):
        open_servers(("203.0.113.1", "203.0.113.2"), free_port(), BaseHTTPRequestHandler)


def test_a_request_that_is_too_large_or_never_ends_holds_nothing_up(pool: ThreadPoolExecutor) -> None:
    port = free_port()
    with listening(port) as listener, closing(socket.create_connection(("127.0.0.1", port))) as slow:
        slow.sendall(b"GET /OauthRedirect?state=ou")
        huge = get(port, "/OauthRedirect?state=ours" + "x" * 70_000)[0]
        browser = pool.submit(get, port, "/OauthRedirect?state=ours")
        listener.wait(PATIENCE_S).tell("Done", "")

    assert (huge, browser.result(PATIENCE_S)[0]) == (414, 200)


@pytest.mark.parametrize(("status", "colour"), [(200, "#2e844a"), (400, "#ea001e")])
def test_pages_fit_phones_and_dark_rooms(status: int, colour: str) -> None:
    page = Page(status, "<title>", "text").body.decode()

    assert "width=device-width" in page
    assert "prefers-color-scheme:dark" in page
    assert colour in page
    assert "<h1>&lt;title&gt;</h1>" in page


def test_an_answer_that_is_never_settled_gets_a_page_too(pool: ThreadPoolExecutor) -> None:
    port = free_port()
    with listening(port) as listener:
        browser = pool.submit(get, port, "/OauthRedirect?state=ours")
        listener.wait(PATIENCE_S)

    status, page, _ = browser.result(PATIENCE_S)
    assert status == 500
    assert "broken off" in page


def test_without_an_answer_the_waiting_ends() -> None:
    port = free_port()
    with listening(port) as listener:
        get(port, "/OauthRedirect?state=foreign")
        with pytest.raises(AuthError, match=r"No answer .* \(1 that belonged to other logins") as caught:
            listener.wait(0.05)

    assert "--no-browser" in caught.value.hint


def test_afterwards_nobody_listens() -> None:
    port = free_port()
    with listening(port):
        pass

    for host in HOSTS:
        with pytest.raises(ConnectionRefusedError):
            get(port, "/", host=host)
    assert not [thread for thread in threading.enumerate() if "serve_forever" in thread.name]


@pytest.mark.parametrize("host", HOSTS)
def test_a_busy_port_names_the_key_to_set(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.create_server((host, 0), family=family)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"Port {port}") as caught, listening(port):
            pass

    assert "redirect_uri" in caught.value.hint


def test_two_logins_at_once_do_not_share_a_port() -> None:
    port = free_port()
    with listening(port), pytest.raises(ConfigError, match="another program"), listening(port):
        pass


@pytest.mark.parametrize(
    "uri",
    [
        "https://localhost:1717/x",
        "http://acme.example.com:80/x",
        "http://localhost/x",
        "nonsense",
        "http://localhost:x/",
    ],
)
def test_an_address_that_is_not_on_this_machine_is_refused(uri: str) -> None:
    with pytest.raises(ConfigError, match="cannot listen"):
        Listener(uri, lambda _: True)
