"""The one door to the network: requests in, responses out; repeats what is safe to repeat."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Protocol, Self, TypeVar
from urllib.parse import urlsplit

from lht.errors import ConfigError, LhtError, Recovery, TimedOutError, TransportError, UnreachableError
from lht.sfdc.messages import Headers, Request, Response, check_url, is_loopback, retry_after_s
from lht.sfdc.redact import redact

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import TracebackType

    import urllib3

__all__ = ["Headers", "Network", "Request", "Response", "RetryPolicy", "StreamedResponse", "Transport"]

_log = logging.getLogger(__name__)
_RETRYABLE_STATUSES = frozenset({406, 420, 429, 500, 502, 503, 504})
_CONNECT_TIMEOUT_S = 20.0
_POOL_SIZE = 10
_CHUNK_BYTES = 1 << 18
_UPLOAD_STALL_S = 60.0
"""How long a piece of an upload may wait for the other side to take it; the driver calls that connecting, too."""


@dataclass(frozen=True, slots=True)
class Network:
    """The way out: proxies per scheme, hosts that need none, a bundle of trusted certificates."""

    http_proxy: str | None = field(default=None, repr=False)
    https_proxy: str | None = field(default=None, repr=False)
    no_proxy: str = ""
    ca_file: str | None = None

    def proxy_for(self, scheme: str, host: str) -> str | None:
        """The proxy for a host; never one for this machine."""
        if is_loopback(host) or _is_exempt(host.lower(), self.no_proxy.lower()):
            return None
        return self.https_proxy if scheme == "https" else self.http_proxy


def _is_exempt(host: str, no_proxy: str) -> bool:
    """Whether NO_PROXY names the host or one of its domains; `*` names all."""
    names = [name.strip().removeprefix("*").lstrip(".") for name in no_proxy.split(",")]
    if "*" in (name.strip() for name in no_proxy.split(",")):
        return True
    return any(name and (host == name or host.endswith(f".{name}")) for name in names)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how patiently a request that is safe to repeat goes out again."""

    attempts: int = 6
    connect_attempts: int = 3
    first_s: float = 0.5
    longest_s: float = 30.0
    longest_retry_after_s: float = 120.0

    def pause_s(self, attempt: int, jitter: float) -> float:
        """Doubles each time, and spreads (by up to a quarter) those that failed together."""
        return min(self.longest_s, self.first_s * 2.0 ** (attempt - 1)) * (1 + jitter / 4)


class _Answer(Protocol):
    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Headers: ...


A = TypeVar("A", bound=_Answer)


class StreamedResponse:
    """An answer whose body is read piece by piece, as the compressed bytes that come off the wire.

    A context manager; leaving it early hangs up. A body that ends before its announced length raises
    `UnreachableError`. A body without a length cannot be checked here: the inflater sees its missing end.
    """

    def __init__(self, raw: urllib3.BaseHTTPResponse, request: Request) -> None:
        self._raw = raw
        self._request = request
        self._is_spent = False
        self.status = raw.status
        self.headers = _headers(raw)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def chunks(self, size: int = _CHUNK_BYTES) -> Iterator[bytes]:
        """Yields the body as it comes; empty pieces are left out."""
        with _translated(self._request):
            for piece in self._raw.stream(size, decode_content=False):
                if piece:
                    yield piece
        self._is_spent = True

    def read_whole(self) -> Response:
        """Reads the rest, inflated: for answers that turn out to be errors."""
        body = b"".join(self.chunks())
        if self.headers.get("Content-Encoding", "").lower() == "gzip":
            body = _inflated(body, self._request)
        return Response(self.status, self.headers, body)

    def close(self) -> None:
        """Gives the connection back if the body was read to its end, else hangs up."""
        if not self._is_spent:
            self._raw.close()
        self._raw.release_conn()


class Transport:
    """Sends requests over a pool of connections; may be shared by threads.

    `sleep` and `jitter` (0 to 1) are for tests to replace.
    """

    def __init__(
        self,
        network: Network | None = None,
        *,
        retry: RetryPolicy | None = None,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._network = network or Network()
        self._retry = retry or RetryPolicy()
        self._sleep = sleep
        self._jitter = jitter
        self._pools: dict[str | None, urllib3.PoolManager] = {}
        self._lock = threading.Lock()
        self._agent = ""

    def send(self, request: Request, *, on_attempt: Callable[[], None] | None = None) -> Response:
        """Gives the whole answer, whatever its status. `on_attempt` is called before each try."""
        return self._repeated(request, self._send_once, on_attempt)

    def stream(self, request: Request, *, on_attempt: Callable[[], None] | None = None) -> StreamedResponse:
        """Gives the answer as soon as its headers are there; the caller closes it."""
        return self._repeated(request, self._open_once, on_attempt)

    def close(self) -> None:
        with self._lock:
            pools, self._pools = list(self._pools.values()), {}
        for pool in pools:
            pool.clear()

    def _send_once(self, request: Request) -> Response:
        with self._open_once(request) as answer:
            return answer.read_whole()

    def _open_once(self, request: Request) -> StreamedResponse:
        import urllib3  # noqa: PLC0415  # a driver: imported where it is needed

        connect_s = _UPLOAD_STALL_S if request.file else _CONNECT_TIMEOUT_S
        timeout = urllib3.Timeout(connect=min(connect_s, request.timeout_s), read=request.timeout_s)
        started = time.monotonic()
        with _translated(request):
            raw = self._pool(request.url).request(
                request.method,
                request.url,
                body=_pieces(request.file) if request.file else request.body,
                headers={"User-Agent": self._user_agent(), "Accept-Encoding": "gzip", **request.headers},
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        seconds = round(time.monotonic() - started, 3)
        _log.debug("answer", extra={"request": request.place, "status": raw.status, "seconds": seconds})
        return StreamedResponse(raw, request)

    def _repeated(
        self, request: Request, once: Callable[[Request], A], on_attempt: Callable[[], None] | None
    ) -> A:
        check_url(request.url)
        for attempt in count(1):
            if on_attempt:
                on_attempt()
            try:
                answer = once(request)
            except TransportError as error:
                if not self._may_repeat(request, error, attempt):
                    raise
                pause_s = self._retry.pause_s(attempt, self._jitter())
            else:
                wait_s = self._pause_after(request, answer, attempt)
                if wait_s is None:
                    return answer
                if isinstance(answer, StreamedResponse):
                    answer.close()
                pause_s = wait_s
            _log.info(
                "trying again",
                extra={"request": request.place, "attempt": attempt, "pause_s": round(pause_s, 2)},
            )
            self._sleep(pause_s)
        raise AssertionError  # pragma: no cover  # count() has no end

    def _may_repeat(self, request: Request, error: TransportError, attempt: int) -> bool:
        """Whether to go on: a request that never left may go again whatever its method."""
        if error.recovery is not Recovery.RETRY:
            return False
        if error.context.get("sent") == "no":
            return attempt < self._retry.connect_attempts
        return request.is_repeatable and attempt < self._retry.attempts

    def _pause_after(self, request: Request, answer: _Answer, attempt: int) -> float | None:
        """Seconds to wait before asking again, or None if this answer is to be taken."""
        if answer.status not in _RETRYABLE_STATUSES or not request.is_repeatable:
            return None
        if attempt >= self._retry.attempts:
            return None
        asked_s = retry_after_s(answer.headers)
        if asked_s is None:
            return self._retry.pause_s(attempt, self._jitter())
        return asked_s if asked_s <= self._retry.longest_retry_after_s else None

    def _user_agent(self) -> str:
        if not self._agent:
            self._agent = _user_agent()
        return self._agent

    def _pool(self, url: str) -> urllib3.PoolManager:
        import urllib3  # noqa: PLC0415

        parts = urllib3.util.parse_url(url)
        proxy = self._network.proxy_for(parts.scheme or "", (parts.host or "").strip("[]"))
        with self._lock:
            if proxy not in self._pools:
                self._pools[proxy] = self._new_pool(proxy)
            return self._pools[proxy]

    def _new_pool(self, proxy: str | None) -> urllib3.PoolManager:
        import urllib3  # noqa: PLC0415

        context = _ssl_context(self._network.ca_file)
        if proxy is None:
            return urllib3.PoolManager(maxsize=_POOL_SIZE, ssl_context=context)
        parts = urllib3.util.parse_url(proxy)
        headers = urllib3.make_headers(proxy_basic_auth=parts.auth) if parts.auth else None
        address = parts._replace(auth=None).url
        return urllib3.ProxyManager(address, maxsize=_POOL_SIZE, proxy_headers=headers, ssl_context=context)


def _pieces(path: Path) -> Iterator[bytes]:
    """A file's bytes, so that memory does not grow with it."""
    with path.open("rb") as file:
        while piece := file.read(_CHUNK_BYTES):
            yield piece


def _inflated(body: bytes, request: Request) -> bytes:
    """A whole gzip body as it was; unlike the driver's own reader, this one notices a missing end."""
    import zlib  # noqa: PLC0415

    parts = []
    while body:
        inflater = zlib.decompressobj(wbits=31)
        try:
            parts.append(inflater.decompress(body))
        except zlib.error as error:
            raise UnreachableError(f"{request.place} came garbled.") from error
        if not inflater.eof:
            raise UnreachableError(f"{request.place} was cut off.")
        body = inflater.unused_data
    return b"".join(parts)


def _ssl_context(ca_file: str | None) -> ssl.SSLContext:
    import ssl  # noqa: PLC0415  # costs start-up time, like the next one

    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"The certificates in {ca_file} cannot be read.",
            hint="SSL_CERT_FILE names a file of PEM certificates.",
        ) from error


def _user_agent() -> str:
    from importlib import metadata  # noqa: PLC0415

    try:
        return f"lht/{metadata.version('lht')}"
    except metadata.PackageNotFoundError:  # pragma: no cover  # run from a bare source tree
        return "lht"


def _headers(raw: urllib3.BaseHTTPResponse) -> Headers:
    return Headers(dict(raw.headers.items()))


@contextlib.contextmanager
def _translated(request: Request) -> Iterator[None]:
    """Turns the driver's errors into ours, once, here."""
    import urllib3  # noqa: PLC0415

    try:
        yield
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _translate(error, request) from error


def _translate(error: Exception, request: Request) -> LhtError:
    import ssl  # noqa: PLC0415

    from urllib3 import exceptions as u3  # noqa: PLC0415

    host = urlsplit(request.url).hostname or ""
    match error:
        case u3.NewConnectionError() | u3.ConnectTimeoutError() | u3.ProxyError():
            return _never_sent(error, host)
        case u3.TimeoutError() | TimeoutError():
            return TimedOutError(f"{request.place} got no answer within {request.timeout_s:g} s.")
        case u3.SSLError() | ssl.SSLError():
            hint = "Behind a proxy that inspects traffic, name its certificates in SSL_CERT_FILE."
            message = f"No trusted connection to {host}: {redact(str(error))}"
            return UnreachableError(message, hint=hint, recovery=Recovery.ABORT)
        case u3.LocationValueError() | u3.URLSchemeUnknown():
            return ConfigError(f"The URL of {host} is not valid.")
    return UnreachableError(f"{request.place} was cut off: {redact(str(error))}")


def _never_sent(error: Exception, host: str) -> TransportError:
    """The error of a connection that was never made: whatever was to be sent may safely be sent again."""
    from urllib3 import exceptions as u3  # noqa: PLC0415

    match error:
        case u3.NameResolutionError():
            hint = "Check login_url or my_domain in connections.toml, and the network."
            return UnreachableError(f"The host {host} is not known.", hint=hint, sent="no")
        case u3.ProxyError():
            hint = "Check HTTPS_PROXY and NO_PROXY."
            return UnreachableError(f"The proxy on the way to {host} failed.", hint=hint, sent="no")
        case u3.NewConnectionError():
            hint = "Is the address right?"
            if is_loopback(host):
                hint = "Is the local org running? 'lht simulator start' starts one."
            return UnreachableError(f"{host} refused the connection.", hint=hint, sent="no")
    return TimedOutError(
        f"No connection to {host} in time.", hint="Check the network and the proxy.", sent="no"
    )
