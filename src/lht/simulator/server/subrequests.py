"""Requests within requests: found and carried out as if each had come alone, except that none is metered."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from starlette.responses import Response

from lht.simulator.errors import ApiFault, not_found
from lht.simulator.org.site import Site
from lht.simulator.server.addresses import routed, values
from lht.simulator.server.call import Call, fault_answer
from lht.simulator.server.json_places import as_parser_says
from lht.simulator.store.database import ShapeChanged

if TYPE_CHECKING:
    from collections.abc import Iterable

Handler: TypeAlias = Callable[[Site, Call], Response]
Methods: TypeAlias = Mapping[str, Handler]
T = TypeVar("T")

ATTEMPTS, PAUSE_S = 5, 0.01
ROOT = "/services/data/"
PASSED_ON = {"location": "Location", "etag": "ETag", "last-modified": "Last-Modified"}
"""The headers of an answer that the answer around it shows."""
ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@dataclass(frozen=True, slots=True)
class Inner:
    """One request of a body."""

    method: str
    url: str
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of it."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_failed(self) -> bool:
        """Whether it, or one record of its collection, was refused."""
        some = isinstance(self.body, list) and any(
            isinstance(one, dict) and one.get("success") is False for one in self.body
        )
        return some or not (200 <= self.status < 300 or self.status == 304)  # noqa: PLR2004 - HTTP's own numbers

    @property
    def has_failed_plainly(self) -> bool:
        """Whether its status says so, as a batch sees it."""
        return self.status >= 400  # noqa: PLR2004 - as above


class Subrequests:
    """Knows which handler serves which address."""

    def __init__(self, routes: Mapping[str, Methods]) -> None:
        self._routes = [(_pattern(path), methods) for path, methods in routes.items()]

    def answer(self, site: Site, outer: Call, inner: Inner) -> Answer:
        """Carries out one request with the rights and the form of the one around it."""
        address = urllib.parse.urlsplit(inner.url)
        version = address.path.removeprefix(ROOT).partition("/")[0]
        try:
            handler, path = self._find(inner.method, routed(address.path))
            return _answer(steady(site, handler, _call(outer, inner, address.query, path)))
        except ApiFault as fault:
            return _answer(fault_answer(as_parser_says(fault, _body(inner)), version))
        except ShapeChanged:
            if site.db.is_together:
                raise
            often = ApiFault(500, "UNKNOWN_EXCEPTION", "the object was changed again and again")
            return _answer(fault_answer(often))

    def _find(self, method: str, path: str) -> tuple[Handler, dict[str, str]]:
        for pattern, methods in self._routes:
            if found := pattern.fullmatch(path):
                if method not in methods:
                    raise method_refused(method, methods) if methods else not_found()
                return methods[method], values(found.groupdict())
        raise not_found()


def steady(site: Site, handler: Handler, call: Call) -> Response:
    """Runs a request again if an admin changed an object under it.

    What is done `together` with more is done again by who holds it together.
    """
    if site.db.is_together:
        return handler(site, call)

    def work() -> Response:
        site.org.catch_up()
        return handler(site, call)

    return patiently(work)


def patiently(work: Callable[[], T]) -> T:
    """Does again what met an object that changed: nothing of the first attempt is left."""
    for attempt in range(ATTEMPTS):
        try:
            return work()
        except ShapeChanged:
            time.sleep(attempt * PAUSE_S)
    return work()


def method_refused(method: str, methods: Iterable[str]) -> ApiFault:
    """Makes the answer to a method that a resource lacks."""
    known = set(methods)
    allowed = ",".join(["HEAD"] * ("GET" in known) + [name for name in ALL_METHODS if name in known])
    return ApiFault(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed. Allowed are {allowed}")


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    written = (f"(?P<{part}>[^/]+)" if place % 2 else re.escape(part) for place, part in enumerate(parts))
    return re.compile(f"{ROOT}(?P<version>[^/]+){''.join(written)}")


def _call(outer: Call, inner: Inner, query: str, path: dict[str, str]) -> Call:
    headers = {name.lower(): str(value) for name, value in inner.headers.items()}
    made = replace(
        outer,
        method=inner.method,
        path=path,
        query=dict(urllib.parse.parse_qsl(query, keep_blank_values=True)),
        headers=headers | {"authorization": outer.headers.get("authorization", "")},
        body=_body(inner),
    )
    _ = made.version_number
    return made


def _body(inner: Inner) -> bytes:
    return b"" if inner.body is None else json.dumps(inner.body).encode()


def _answer(made: Response) -> Answer:
    shown = {PASSED_ON[name]: value for name, value in made.headers.items() if name in PASSED_ON}
    if made.media_type and not made.media_type.startswith("application/json"):
        raise ApiFault(
            400, "INVALID_INPUT", "the content of files cannot be asked for within another request"
        )
    return Answer(made.status_code, json.loads(bytes(made.body)) if made.body else None, shown)
