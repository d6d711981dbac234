"""The outermost layer: paths made alike, requests too long refused, failures on demand, dates, the request log."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from contextlib import contextmanager, suppress
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

from lht.simulator.errors import ApiFault
from lht.simulator.server import soap
from lht.simulator.server.addresses import plain, routed
from lht.simulator.server.call import JSON_TYPE, fault_answer
from lht.simulator.server.envelopes import SoapFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from lht.simulator.org.faults import Fault
    from lht.simulator.org.site import Site
    from lht.simulator.server.connections import Connections

MOST_URI_BYTES = 16_384
MOST_HEADER_BYTES = 16_384
METERED = ("/services/data/", soap.ROOT)
TOO_MANY_LONG = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
OAUTH_PATHS = "/services/oauth2/"
LOG_ENTRIES = 20_000
SPELLED = {
    b"etag": b"ETag",
    b"sforce-numberofrecords": b"Sforce-NumberOfRecords",
    b"www-authenticate": b"WWW-Authenticate",
}
USUAL_CODES = {
    401: ("INVALID_SESSION_ID", "Session expired or invalid"),
    403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    404: ("NOT_FOUND", "The requested resource does not exist"),
    429: ("REQUEST_LIMIT_EXCEEDED", "Too many requests"),
    500: ("UNKNOWN_EXCEPTION", "An unexpected error occurred"),
    503: ("SERVER_UNAVAILABLE", "The server is temporarily unavailable"),
}


class RequestLog:
    """The latest requests, for tests that count; admin calls are left out."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=LOG_ENTRIES)
        self._lock = threading.Lock()

    def add(self, scope: Scope, status: int | None) -> None:
        """Writes down one request; without a status where the caller was hung up on."""
        query = scope["query_string"].decode("latin-1")
        entry = {"method": scope["method"], "path": plain(scope["path"]), "query": query, "status": status}
        with self._lock:
            self._entries.append(entry)

    def entries(self) -> list[dict[str, Any]]:
        with self._lock:
            return list(self._entries)

    def clear(self) -> dict[str, Any]:
        """Empties the log; gives the empty answer."""
        with self._lock:
            self._entries.clear()
        return {}


class Gate:
    """The ASGI application."""

    def __init__(self, inner: ASGIApp, site: Site, connections: Connections, log: RequestLog) -> None:
        self._inner = inner
        self._site = site
        self._connections = connections
        self._log = log
        self._under_way: dict[asyncio.Task[Any], asyncio.AbstractEventLoop] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request, unless it is broken off."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a server runs every request in one
        self._under_way[task] = asyncio.get_running_loop()
        try:
            await self._answer(scope, receive, send)
        except asyncio.CancelledError:
            self._connections.hang_up(tuple(scope["client"]))
            await asyncio.sleep(0)
        finally:
            del self._under_way[task]

    def break_off(self) -> None:
        """Hangs up on everybody who still waits; for the thread that ends the server."""
        for task, loop in list(self._under_way.items()):
            loop.call_soon_threadsafe(task.cancel)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope = {**scope, "path": routed(scope["raw_path"].decode("utf-8", "replace"))}
        exchange = Exchange(send, format_datetime(self._site.clock.now(), usegmt=True))
        if scope["path"].startswith("/simulator"):
            await self._inner(scope, receive, exchange.send)
            return
        fault = self._site.faults.for_request(scope["method"], plain(scope["path"]))
        try:
            with self._under_limit(scope) as refused:
                await self._serve(scope, receive, exchange, fault, refused)
        finally:
            self._log.add(scope, exchange.status)

    @contextmanager
    def _under_limit(self, scope: Scope) -> Iterator[ASGIApp | None]:
        """Counts a metered request while it runs; gives its refusal where too many others run for long."""
        if not scope["path"].startswith(METERED):
            yield None
        elif self._site.long_requests.too_many():
            yield _answer_at(scope, ApiFault(403, "REQUEST_LIMIT_EXCEEDED", TOO_MANY_LONG))
        else:
            with self._site.long_requests.under_way():
                yield None

    async def _serve(
        self,
        scope: Scope,
        receive: Receive,
        exchange: Exchange,
        fault: Fault | None,
        refused: ASGIApp | None,
    ) -> None:
        app = _refusal(scope) or refused or self._inner
        if fault is not None:
            await asyncio.sleep(fault.delay_s)
            app = _meet(fault, scope, app, self._site)
        if fault is not None and fault.kind == "drop":
            await self._drop(fault, app, scope, receive, exchange)
            return
        if fault is not None and fault.kind == "truncate_gzip":
            exchange.hold_back(fault.cut_bytes)
        await app(scope, receive, exchange.send)

    async def _drop(
        self, fault: Fault, app: ASGIApp, scope: Scope, receive: Receive, exchange: Exchange
    ) -> None:
        """Carries out the request, unless it is to be lost on its way in, and hangs up on the answer."""
        exchange.stop_after(fault.after_bytes)
        if not fault.before:
            with suppress(HungUp):
                await app(scope, receive, exchange.send)
        if fault.before or fault.after_bytes is None:
            exchange.status = None
        self._connections.hang_up(tuple(scope["client"]))
        await asyncio.sleep(0)


class HungUp(Exception):  # noqa: N818 - it was ordered
    """The caller was hung up on; nothing more needs to be sent."""


class Exchange:
    """Sends one answer, with what the gate adds to it or takes from it."""

    def __init__(self, send: Send, date: str) -> None:
        self._send = send
        self._date = date
        self._left: int | None = None
        self._is_cut = False
        self._hold = 0
        self._tail = b""
        self.status: int | None = None

    def stop_after(self, body_bytes: int | None) -> None:
        """Lets that much of the body out, or nothing at all, not even a status, if None."""
        self._left, self._is_cut = body_bytes, True

    def hold_back(self, body_bytes: int) -> None:
        """Ends the body that much too early, in a message that is otherwise whole."""
        self._hold = body_bytes

    async def send(self, message: Message) -> None:
        """Passes a message of the answer on."""
        if message["type"] == "http.response.start":
            await self._start(message)
        elif self._is_cut:
            await self._cut(message)
        elif self._hold:
            await self._short(message)
        else:
            await self._send(message)

    async def _start(self, message: Message) -> None:
        self.status = message["status"]
        headers = [*message["headers"], (b"date", self._date.encode())]
        if self._hold:
            headers = [(name, value) for name, value in headers if name.lower() != b"content-length"]
        if not self._is_cut or self._left is not None:
            await self._send({**message, "headers": [(_spelled(name), value) for name, value in headers]})

    async def _cut(self, message: Message) -> None:
        if self._left is None:
            raise HungUp
        body = message.get("body", b"")[: self._left]
        self._left -= len(body)
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
        if not self._left or not message.get("more_body", False):
            raise HungUp

    async def _short(self, message: Message) -> None:
        """Always keeps the last bytes back: which are the last is known only at the end."""
        body = self._tail + message.get("body", b"")
        keep = min(self._hold, len(body))
        self._tail = body[len(body) - keep :]
        more = message.get("more_body", False)
        await self._send({"type": "http.response.body", "body": body[: len(body) - keep], "more_body": more})


def _spelled(name: bytes) -> bytes:
    """Gives a header's name as Salesforce writes it: some clients look for that spelling and no other."""
    return SPELLED.get(name.lower()) or b"-".join(part.capitalize() for part in name.split(b"-"))


def _refusal(scope: Scope) -> ASGIApp | None:
    """Gives the answer to a request whose head is too long, if it is."""
    length = len(scope["raw_path"]) + len(scope["query_string"]) + bool(scope["query_string"])
    if length > MOST_URI_BYTES:
        return _answer(
            ApiFault(414, "URI_TOO_LONG", f"The URI has {length} bytes, more than {MOST_URI_BYTES}")
        )
    heads = sum(len(name) + len(value) for name, value in scope["headers"])
    if heads > MOST_HEADER_BYTES:
        return _answer(ApiFault(431, "REQUEST_HEADER_TOO_LARGE", f"The headers have {heads} bytes"))
    return None


def _meet(fault: Fault, scope: Scope, app: ASGIApp, site: Site) -> ASGIApp:
    """Gives what shall serve the request instead, for failures that are answers."""
    if fault.kind == "expire_session" and scope["path"].startswith(soap.ROOT):
        site.oauth.sessions.end_where(
            lambda _: True
        )  # the token stands in the message, which is not read yet
        return app
    if fault.kind == "expire_session":
        site.oauth.expire(_token(scope))
        return _answer(ApiFault(401, *USUAL_CODES[401]))
    if fault.kind != "status":
        return app
    if fault.code and scope["path"].startswith(OAUTH_PATHS):
        return _oauth_answer(fault)
    code, message = USUAL_CODES.get(fault.status, ("UNKNOWN_EXCEPTION", f"HTTP {fault.status}"))
    answer = ApiFault(fault.status, fault.code or code, fault.message or message)
    return _answer_at(scope, answer, fault.retry_after)


def _answer_at(scope: Scope, fault: ApiFault, retry_after: str | int | None = None) -> ASGIApp:
    """Refuses as the resource would: SOAP with a fault, whose status is 500 unless another was ordered."""
    if not scope["path"].startswith(soap.ROOT):
        return _answer(fault, retry_after)
    status = 500 if fault.message == TOO_MANY_LONG else fault.status
    refused = soap.fault_answer(SoapFault(f"sf:{fault.code}", fault.message, status))
    if retry_after is not None:
        refused.headers["Retry-After"] = str(retry_after)
    return refused


def _answer(fault: ApiFault, retry_after: str | int | None = None) -> ASGIApp:
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else None
    return fault_answer(fault, headers=headers)


def _oauth_answer(fault: Fault) -> ASGIApp:
    """Refuses as the OAuth endpoints do, with an object."""
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else None
    body = {"error": fault.code, "error_description": fault.message or fault.code}
    return JSONResponse(body, fault.status, headers, JSON_TYPE)


def _token(scope: Scope) -> str:
    headers = dict(scope["headers"])
    return str(headers.get(b"authorization", b"").decode("latin-1").partition(" ")[2].strip())
