"""HTTP requests and responses as plain values, so that a conversation can be tested without a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lht.errors import ConfigError, UnreachableError

if TYPE_CHECKING:
    from pathlib import Path

SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_REPEATABLE_METHODS = frozenset({"GET", "HEAD", "DELETE"})


class Headers(Mapping[str, str]):
    """Headers by name in any letter case; of a repeated header the last one counts."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, str] | None = None) -> None:
        self._items = {name.lower(): value for name, value in (items or {}).items()}

    def __getitem__(self, name: str) -> str:
        return self._items[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._items

    def __repr__(self) -> str:
        """Shows the headers with the secret ones masked."""
        shown = {name: "***" if name in SECRET_HEADERS else value for name, value in self._items.items()}
        return f"Headers({shown})"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `repeat` says that sending it twice does no harm, although its method might.

    `file` is a body that is read from disk piece by piece; its length stands in the headers.
    """

    method: str
    url: str
    headers: Headers = field(default_factory=Headers)
    body: bytes | None = field(default=None, repr=False)
    timeout_s: float = 120.0
    repeat: bool = False
    file: Path | None = None

    @property
    def is_repeatable(self) -> bool:
        return self.repeat or self.method in _REPEATABLE_METHODS

    @property
    def place(self) -> str:
        """Method, host and path for logs and errors: no query, as a filter may hold values."""
        parts = urlsplit(self.url)
        return f"{self.method} {parts.hostname or ''}{parts.path}"


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer, its body inflated."""

    status: int
    headers: Headers = field(default_factory=Headers)
    body: bytes = field(default=b"", repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004  # HTTP's own classes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")

    @property
    def date(self) -> datetime | None:
        return server_date(self.headers)

    def json(self, *, numbers_as_texts: bool = False) -> Any:
        """Reads the body; what is no JSON came from something that is not Salesforce.

        `numbers_as_texts` keeps each number's own spelling: a float would lose digits.
        """
        as_number = str if numbers_as_texts else None
        try:
            return json.loads(self.body, parse_float=as_number, parse_int=as_number)
        except ValueError as error:
            raise UnreachableError(
                f"The answer (HTTP {self.status}) is not JSON: something between here and Salesforce answered.",
                hint="Check the instance URL, and any proxy or sign-on page on the way.",
            ) from error


def server_date(headers: Mapping[str, str]) -> datetime | None:
    """The server's clock as the `Date` header tells it."""
    return _http_date(headers.get("Date", ""))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait as `Retry-After` asks; a date in it is measured by the server's own clock."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    then, now = _http_date(text), server_date(headers)
    if then is None or now is None:
        return None
    return max(0.0, (then - now).total_seconds())


def _http_date(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  # costs start-up time

    try:
        parsed = parsedate_to_datetime(text)
    except (TypeError, ValueError):
        return None
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    if host.lower() == "localhost":
        return True
    import ipaddress  # noqa: PLC0415  # costs start-up time

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_url(url: str) -> str:
    """Gives the URL back, or refuses one that would carry secrets over an open wire."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
        parts = urlsplit("")
    if parts.scheme not in {"http", "https"} or not host:
        raise ConfigError(
            "A Salesforce URL is not valid.", hint="It looks like https://mydomain.my.salesforce.com."
        )
    if parts.username is not None or parts.password is not None:
        raise ConfigError(f"The URL of {host} holds a user name or password.", hint="Take it out of the URL.")
    if parts.scheme == "http" and not is_loopback(host):
        raise ConfigError(
            f"http://{host} would send tokens unencrypted.",
            hint="Use https://; http:// is for a local simulator on 127.0.0.1 only.",
        )
    return url
