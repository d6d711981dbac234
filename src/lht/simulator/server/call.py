"""One request as the handlers see it, and the answers they give."""

from __future__ import annotations

import json
import math
import re
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from starlette.responses import Response, StreamingResponse

from lht.simulator.errors import ApiFault, DuplicatesFound, ManyFound, not_found
from lht.simulator.org.writes.write_options import WriteOptions
from lht.simulator.server.addresses import values
from lht.simulator.server.media import inflated
from lht.simulator.server.uploads import spool
from lht.simulator.versions import NEWEST, OLDEST, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

RETIRED = range(7, 31)
GZIP_LEVEL = 1
GZIP_BITS = 31
JSON_TYPE = "application/json;charset=UTF-8"
JSON_KINDS = frozenset({"", "application/json"})
"""What a request with a JSON body may call it; it need not call it anything."""
_ALLOW_SAVE = re.compile(r"allowsave\s*=\s*true")
_VERSION = re.compile(r"v(\d{1,3})\.0")


@dataclass(frozen=True, slots=True)
class Call:
    """A request with its body read. Names in `headers` are lower-case."""

    method: str
    path: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    base_url: str
    upload: Path | None = None
    """Where the body lies that is too large to be held."""
    upload_is_too_large: bool = False

    @classmethod
    async def of(cls, request: Request) -> Call:
        """Reads a request."""
        return cls._of(request, inflated(await request.body(), dict(request.headers)))

    @classmethod
    async def with_upload(cls, request: Request, path: Path, most_bytes: int) -> Call:
        """Reads a request whose body goes to a file."""
        fits = await spool(request, path, most_bytes)
        return replace(cls._of(request, b""), upload=path, upload_is_too_large=not fits)

    @classmethod
    def _of(cls, request: Request, body: bytes) -> Call:
        headers = dict(request.headers)
        base_url = f"{request.url.scheme}://{request.headers.get('host') or request.url.netloc}"
        query = dict(request.query_params)
        return cls(request.method, values(request.path_params), query, headers, body, base_url)

    @property
    def version(self) -> str:
        """The version as the path has it, such as v66.0."""
        return self.path["version"]

    @property
    def version_number(self) -> float:
        """The version as a number; raises ApiFault 404 for one that this org does not speak, 410 for a retired one."""
        found = _VERSION.fullmatch(self.path.get("version", ""))
        if found is not None and int(found[1]) in RETIRED:
            raise ApiFault(410, "GONE", f"The API version {found[1]}.0 is retired and unavailable")
        if found is None or not OLDEST <= int(found[1]) <= NEWEST:
            raise not_found()
        return float(found[1])

    @property
    def token(self) -> str:
        """The access token, or an empty text."""
        kind, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if kind.lower() in {"bearer", "oauth"} else ""

    @property
    def wants_gzip(self) -> bool:
        """Whether the caller can read gzip."""
        offers = [
            offer.replace(" ", "") for offer in self.headers.get("accept-encoding", "").lower().split(",")
        ]
        return any(offer.partition(";")[0] == "gzip" and not offer.endswith(";q=0") for offer in offers)

    @property
    def wants_pretty(self) -> bool:
        """Whether the caller wants JSON that people can read."""
        return self.headers.get("x-prettyprint", "").strip().lower() in {"1", "true"}

    def json_body(self) -> dict[str, Any]:
        """Reads the body as the JSON object that an API resource needs; raises ApiFault 415 or 400."""
        return _object(self._json())

    def record_body(self) -> dict[str, Any]:
        """Reads the body as the one record that a resource of records needs; a list is refused as one was seen to be."""
        found = self._json()
        if isinstance(found, list):
            message = (
                "Json Deserialization failed on token 'null' and has left off in the middle of parsing a row. "
                "Will go to end of row to begin parsing the next row"
            )
            raise ApiFault(400, "INVALID_FIELD", message)
        return _object(found)

    def _json(self) -> object:
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind not in JSON_KINDS:
            message = f"MediaType of '{kind}' is not supported by this resource"
            raise ApiFault(415, "UNSUPPORTED_MEDIA_TYPE", message)
        if not self.body.strip():
            message = "The HTTP entity body is required, but this request has no entity body."
            raise ApiFault(400, "JSON_PARSER_ERROR", message)
        return _parsed(self.body)

    def admin_body(self, *allowed: str) -> dict[str, Any]:
        """Reads the body as JSON whatever it is said to be; none at all is an empty object.

        A key that is not `allowed` is refused, as a misspelt `ids` would mean all records; none allowed, none checked.
        """
        body = _object(_parsed(self.body or b"{}"))
        unknown = [key for key in body if allowed and key not in allowed]
        if unknown:
            known = ", ".join(allowed)
            raise ApiFault(400, "INVALID_INPUT", f"nothing is called {unknown[0]!r} here; allowed: {known}")
        _check_writable(body)
        return body


def _check_writable(body: dict[str, Any]) -> None:
    """Half of a pair of surrogates can be escaped in JSON, but neither kept nor sent."""
    try:
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise ApiFault(400, "INVALID_INPUT", "a text holds half a character") from None


def write_options(call: Call) -> WriteOptions:
    """Reads what the headers say about writes; `Sforce-Auto-Assign` is accepted, as no rule here assigns."""
    said = call.headers.get("sforce-duplicate-rule-header", "").lower()
    return WriteOptions(allow_save=bool(_ALLOW_SAVE.search(said)))


def _parsed(body: bytes) -> object:
    try:
        found: object = json.loads(
            body, parse_float=_finite, parse_constant=_no_constant, object_pairs_hook=_no_repeats
        )
    except (ValueError, RecursionError) as error:
        raise ApiFault(400, "JSON_PARSER_ERROR", f"Unexpected character in the body: {error}") from None
    return found


def _object(found: object) -> dict[str, Any]:
    if not isinstance(found, dict):
        raise ApiFault(400, "JSON_PARSER_ERROR", "The body must be a JSON object")
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text} is too large")
    return number


def _no_constant(word: str) -> None:
    raise ValueError(f"JSON has no {word}")


def _no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(
            f"the name {next(name for name in names if names.count(name) > 1)} stands there twice"
        )
    return found


def json_answer(
    call: Call, value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answers with JSON, compressed if the caller can read that."""
    return bytes_answer(call, json_bytes(value, pretty=call.wants_pretty), status, headers)


def bytes_answer(
    call: Call,
    body: bytes,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    *,
    media_type: str = JSON_TYPE,
) -> Response:
    """Answers with bytes, of JSON unless said otherwise, compressed if the caller can read that."""
    given = dict(headers or {})
    if not call.wants_gzip:
        return Response(body, status, given, media_type)
    packed = b"".join(squeezed([body]))
    return Response(
        packed, status, {**given, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}, media_type
    )


def json_bytes(value: object, *, pretty: bool = False) -> bytes:
    """Writes JSON, for people if so wanted."""
    form: dict[str, Any] = {"indent": 2} if pretty else {"separators": (",", ":")}
    return json.dumps(value, ensure_ascii=False, **form).encode("utf-8", "replace")


class Source(Protocol):
    """Bytes that come in chunks from something that must be closed."""

    def __iter__(self) -> Iterator[bytes]: ...
    def close(self) -> None: ...


class _Stream(StreamingResponse):
    """Closes its source however the answer ends: callers hang up, and are hung up on."""

    def __init__(
        self, source: Source, chunks: Iterable[bytes], headers: Mapping[str, str], media_type: str
    ) -> None:
        super().__init__(chunks, 200, headers, media_type)
        self._source = source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._source.close()


def stream_answer(call: Call, source: Source, headers: Mapping[str, str], media_type: str) -> Response:
    """Answers chunk by chunk, so that memory does not grow with the answer; closes the source."""
    if not call.wants_gzip:
        return _Stream(source, source, headers, media_type)
    packed = {**headers, "Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
    return _Stream(source, squeezed(source), packed, media_type)


def squeezed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Compresses chunks into one gzip member, at the level that costs least."""
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_BITS)
    for chunk in chunks:
        if packed := packer.compress(chunk):
            yield packed
    yield packer.flush()


def fault_answer(
    fault: ApiFault,
    version: str = "",
    headers: Mapping[str, str] | None = None,
    *,
    pretty: bool = False,
) -> Response:
    """Answers with an error, or with the addresses of the records that share an external id."""
    body: list[Any] = fault_body(fault, version)
    if isinstance(fault, ManyFound):
        root = f"/services/data/{version}/sobjects/{fault.object_name}"
        body = [f"{root}/{record_id}" for record_id in fault.record_ids]
    return Response(json_bytes(body, pretty=pretty), fault.status, headers, JSON_TYPE)


def fault_body(fault: ApiFault, version: str = VERSION) -> list[dict[str, Any]]:
    """Writes an error as REST does."""
    entry: dict[str, Any] = {"message": fault.message, "errorCode": fault.code}
    if fault.fields is not None:
        entry["fields"] = list(fault.fields)
    if isinstance(fault, DuplicatesFound):
        entry["duplicateResut"] = _duplicates(fault, version)  # so misspelled by every real org
    return [entry]


def _duplicates(fault: DuplicatesFound, version: str) -> dict[str, Any]:
    root = f"/services/data/{version}/sobjects/{fault.object_name}"
    records = [
        {
            "additionalInformation": [],
            "fieldDiffs": [],
            "matchConfidence": 100.0,
            "record": {
                "attributes": {"type": fault.object_name, "url": f"{root}/{record_id}"},
                "Id": record_id,
            },
        }
        for record_id in fault.record_ids
    ]
    result = {
        "entityType": fault.object_name,
        "errors": [],
        "matchEngine": "ExactMatchEngine",
        "matchRecords": records,
        "rule": fault.rule,
        "size": len(records),
        "success": True,
    }
    return {
        "allowSave": fault.allow_save,
        "duplicateRule": fault.rule,
        "duplicateRuleEntityType": fault.object_name,
        "errorMessage": fault.message,
        "matchResults": [result],
    }
