"""Waits on this machine for the browser to come back with the answer: for one answer, or until a time-out."""

from __future__ import annotations

import errno
import html
import os
import queue
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

from lht.errors import AuthError, ConfigError
from lht.sfdc.messages import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_IDLE_S = 10.0
_OUTCOME_S = 180.0
_WRITTEN_S = 5.0
_TICK_S = 0.5
_POLL_S = 0.05
_NO_SUCH_ADDRESS = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, getattr(errno, "WSAEADDRNOTAVAIL", -1)}
_BUSY = {errno.EADDRINUSE, errno.EACCES}

_GOOD, _BAD = "#2e844a", "#ea001e"
_PAGE = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>LHT: {title}</title><style>
:root{{color-scheme:light dark;--page:#f4f6f9;--card:#fff;--text:#16325c;--edge:#d8dde6}}
@media (prefers-color-scheme:dark){{:root{{--page:#0f141b;--card:#1b232d;--text:#e3e9f1;--edge:#3a4654}}}}
body{{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;background:var(--page);
color:var(--text);font:16px/1.5 system-ui,sans-serif}}
main{{box-sizing:border-box;width:100%;max-width:30rem;margin:1rem;padding:2rem;background:var(--card);
border:1px solid var(--edge);border-top:.35rem solid {colour};border-radius:.5rem;overflow-wrap:anywhere}}
h1{{margin:0 0 .75rem;font-size:1.4rem}}p{{margin:0}}
</style></head>
<body><main><h1>{title}</h1><p>{text}</p></main></body></html>
"""


@dataclass(frozen=True, slots=True)
class Page:
    """What the browser shows at the end."""

    status: int
    title: str
    text: str

    @property
    def body(self) -> bytes:
        colour = _GOOD if self.status < HTTPStatus.BAD_REQUEST else _BAD
        words = {"title": html.escape(self.title), "text": html.escape(self.text)}
        return _PAGE.format(**words, colour=colour).encode()


NOT_OURS = Page(
    400, "This answer belongs to another login", "Log in in the page that the last 'lht login' opened."
)
ONLY_ONE = Page(409, "The login was answered already", "This window can be closed.")
BROKEN_OFF = Page(500, "The login was broken off", "The terminal tells why. Run 'lht login' again.")


@dataclass(slots=True)
class Visit:
    """The answer that the browser brought. Its page is written when the login is settled."""

    query: str = field(repr=False)
    _page: queue.SimpleQueue[Page] = field(default_factory=queue.SimpleQueue)
    _written: threading.Event = field(default_factory=threading.Event)

    def tell(self, title: str, text: str, *, status: int = 200) -> None:
        """Shows the person how it ended; waits until that is on its way, as the program may end right after."""
        self._page.put(Page(status, title, text))
        self._written.wait(_WRITTEN_S)

    def give_up(self) -> None:
        """Shows that it was broken off, unless a page was shown."""
        if not self._written.is_set():
            self._page.put(BROKEN_OFF)
            self._written.wait(_WRITTEN_S)


class Listener:
    """Listens where the redirect address points, on this machine only; a context manager.

    `owns` tells whether an answer belongs to this login: any other is refused, and the waiting goes on.
    """

    def __init__(self, redirect_uri: str, owns: Callable[[str], bool]) -> None:
        self.owns = owns
        self.path, hosts, port = _read_redirect(redirect_uri)
        self.foreign = 0
        self._visits: queue.SimpleQueue[Visit] = queue.SimpleQueue()
        self._claim = threading.Lock()
        self._claimed = False
        self._last: Visit | None = None
        self._servers = open_servers(hosts, port, type("Handler", (_Handler,), {"listener": self}))
        self._threads = [
            threading.Thread(target=server.serve_forever, args=(_POLL_S,), daemon=True)
            for server in self._servers
        ]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last:
            self._last.give_up()
        for server, thread in zip(self._servers, self._threads, strict=True):
            server.shutdown()
            thread.join()
            server.server_close()

    def wait(self, patience_s: float) -> Visit:
        """Gives the answer when it comes."""
        end = time.monotonic() + patience_s
        while (left := end - time.monotonic()) > 0:
            try:
                self._last = self._visits.get(
                    timeout=min(left, _TICK_S)
                )  # short, as Windows hears no Ctrl-C in it
            except queue.Empty:
                continue
            return self._last
        others = f" ({self.foreign} that belonged to other logins were refused)" if self.foreign else ""
        raise AuthError(
            f"No answer came from the browser within {patience_s:g} s{others}.",
            hint="Run 'lht login' again. Where no browser can reach this machine: lht login --no-browser. If the page "
            "named redirect_uri_mismatch, add redirect_uri to the app's callback URLs.",
        )

    def take(self, query: str) -> Visit | Page:
        """Takes an answer in: the first that is ours."""
        with self._claim:
            if not self.owns(query):
                self.foreign += 1
                return NOT_OURS
            if self._claimed:
                return ONLY_ONE
            self._claimed = True
        visit = Visit(query)
        self._visits.put(visit)
        return visit


class _Handler(BaseHTTPRequestHandler):
    """Answers one request; whatever is asked besides the redirect address, such as the icon, is not found."""

    listener: Listener
    timeout = _IDLE_S
    server_version = "LHT"
    sys_version = ""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path != self.listener.path:
            self._write(Page(404, "Nothing is here", "LHT waits for a login at another address."))
            return
        taken = self.listener.take(parts.query)
        if isinstance(taken, Page):
            self._write(taken)
            return
        try:
            self._write(taken._page.get(timeout=_OUTCOME_S))  # noqa: SLF001  # the other half of `tell`
        except queue.Empty:
            self._write(BROKEN_OFF)
        finally:
            taken._written.set()  # noqa: SLF001

    def _write(self, page: Page) -> None:
        self.close_connection = True
        self.send_response(page.status)
        for name, value in {
            "Content-Type": "text/html; charset=utf-8",
            "Content-Length": str(len(page.body)),
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Connection": "close",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(page.body)
        self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Says nothing: the request line holds the code."""


class _Server(ThreadingHTTPServer):
    """Takes each connection in a thread of its own: browsers open some that they never use."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it would let two programs have one port

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._opened: set[Any] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._opened.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._opened.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        """Hangs up on idle connections too: a browser would bring the next login's answer by one of them."""
        super().server_close()
        for request in tuple(self._opened):
            with suppress(OSError):
                request.shutdown(socket.SHUT_RDWR)

    def server_bind(self) -> None:
        TCPServer.server_bind(self)  # HTTP's own would look the machine's name up, which can take long

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: a browser that hangs up is no error of ours."""


class _Server6(_Server):
    address_family = socket.AF_INET6


def _read_redirect(redirect_uri: str) -> tuple[str, tuple[str, ...], int]:
    """Path, addresses and port to listen on."""
    try:
        parts = urlsplit(redirect_uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    if parts.scheme != "http" or not is_loopback(host) or not port:
        raise ConfigError(
            f"LHT cannot listen at the redirect_uri {redirect_uri}.",
            hint="It looks like http://localhost:1717/OauthRedirect; with any other use: lht login --no-browser",
        )
    hosts = ("127.0.0.1", "::1") if host.lower() == "localhost" else (host,)
    return parts.path or "/", hosts, port


def open_servers(hosts: tuple[str, ...], port: int, handler: type[BaseHTTPRequestHandler]) -> list[_Server]:
    """Opens a server for each address that this machine has: without IPv6, or without IPv4, it is one."""
    opened: list[_Server] = []
    missing: OSError | None = None
    for host in hosts:
        kind = _Server6 if ":" in host else _Server
        try:
            opened.append(kind((host, port), handler))
        except OSError as error:
            if error.errno in _NO_SUCH_ADDRESS:
                missing = error
                continue
            for server in opened:
                server.server_close()
            raise _cannot_listen(port, error) from error
    if missing and not opened:
        raise _cannot_listen(port, missing) from missing
    return opened


def _cannot_listen(port: int, error: OSError) -> ConfigError:
    why = "is used by another program" if error.errno in _BUSY else f"cannot be opened ({error.strerror})"
    return ConfigError(
        f"Port {port}, where the browser is to bring the answer, {why}.",
        hint="End that program; or set redirect_uri in the app's table of connections.toml to another port, such as "
        f'"http://localhost:{port + 1}/OauthRedirect", and add the same address to the app\'s callback URLs; or use: '
        "lht login --no-browser",
    )
