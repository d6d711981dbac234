"""A small HTTP server that misbehaves on purpose, and a transport that does not really sleep."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest

from lht.sfdc.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Script:
    """What the server does: `act` is called for each request; `seen` is what came, `sizes` how long the bodies were."""

    url: str = ""
    act: Callable[[Exchange], None] = lambda exchange: exchange.reply(200, b"{}")
    seen: list[tuple[str, str]] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    @staticmethod
    def in_turn(*acts: Callable[[Exchange], None]) -> Callable[[Exchange], None]:
        """Acts one after the other; the last one stays."""
        left = list(acts)
        lock = threading.Lock()

        def act(exchange: Exchange) -> None:
            with lock:
                now = left.pop(0) if len(left) > 1 else left[0]
            now(exchange)

        return act

    @staticmethod
    def status(code: int, body: bytes = b"{}", **headers: str) -> Callable[[Exchange], None]:
        """Answers with a status and a body."""
        return lambda exchange: exchange.reply(code, body, **headers)

    @staticmethod
    def hang_up(exchange: Exchange) -> None:
        """Answers nothing at all."""
        exchange.hang_up()


class Exchange(BaseHTTPRequestHandler):
    """One request with ways to answer it, well or badly."""

    protocol_version = "HTTP/1.1"
    script: Script

    def log_message(self, *_: object) -> None:
        """Keeps the test's output clean."""

    def handle_any(self) -> None:
        size = left = int(self.headers.get("Content-Length", 0))
        while left > 0 and (piece := self.rfile.read(min(left, 1 << 16))):
            left -= len(piece)
        with self.script.lock:
            self.script.seen.append((self.command, self.path))
            self.script.sizes.append(size - left)
        self.script.act(self)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_any  # noqa: N815

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
