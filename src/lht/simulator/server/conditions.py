"""Conditional requests: answers that say when they last changed, and requests that only want what has."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from lht.simulator.errors import ApiFault

if TYPE_CHECKING:
    from lht.simulator.server.call import Call

FAILED = ApiFault(
    412, "PRECONDITION_FAILED", "A precondition that the request's headers specify is not satisfied"
)
TAGGED = frozenset({"Account"})
"""The objects whose records have an ETag."""
STAMPS = ("LastModifiedDate", "SystemModstamp")
_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_PACKED = re.compile(r"-{1,2}gzip$")


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a resource: when it last changed, and a mark of its content."""

    modified: datetime | None = None
    tag: str | None = None

    @classmethod
    def of_record(cls, record: dict[str, Any]) -> State:
        """Reads the state of a record off its whole JSON."""
        stamp = next((record[name] for name in STAMPS if record.get(name)), None)
        modified = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%f%z") if stamp else None
        if record["attributes"]["type"] not in TAGGED:
            return cls(modified)
        values = {name: value for name, value in record.items() if name != "attributes"}
        digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).digest()
        return cls(modified, base64.b64encode(digest).decode())

    def headers(self, call: Call) -> dict[str, str]:
        """Gives the headers that tell it; a packed answer has a mark of its own."""
        found = {"Last-Modified": format_datetime(self.modified, usegmt=True)} if self.modified else {}
        return found | ({"ETag": f'"{self.tag}{"--gzip" * call.wants_gzip}"'} if self.tag else {})


def unchanged(call: Call, state: State, now: datetime) -> Response | None:
    """Gives the empty answer to who has what there is; raises ApiFault 412 where a condition is not met."""
    _check_still(call, state)
    tags = _tags(call, "if-none-match")
    if tags is None or state.tag is None:
        since = _date(call, "if-modified-since")
        is_known = (
            since is not None
            and state.modified is not None
            and state.modified <= since <= now + timedelta(seconds=1)
        )
    else:
        is_known = _holds(tags, state.tag)
    return Response(status_code=304, headers=state.headers(call)) if is_known else None


def check_write(call: Call, state: State) -> None:
    """Refuses a change of a record that is not what the caller thinks; raises ApiFault 412, or 400 for nonsense."""
    for name in ("if-match", "if-none-match"):
        if name in call.headers and _tags(call, name) is None:
            raise _invalid(name, call)
    if "if-unmodified-since" in call.headers and _date(call, "if-unmodified-since") is None:
        raise _invalid("if-unmodified-since", call)
    _check_still(call, state)
    tags = _tags(call, "if-none-match")
    if tags is not None and state.tag is not None and _holds(tags, state.tag):
        raise FAILED


def is_conditional(call: Call) -> bool:
    """Tells whether a write names a condition."""
    return not call.headers.keys().isdisjoint({"if-match", "if-none-match", "if-unmodified-since"})


def _check_still(call: Call, state: State) -> None:
    tags = _tags(call, "if-match")
    if tags is not None and state.tag is not None:
        if not _holds(tags, state.tag):
            raise FAILED
        return
    until = _date(call, "if-unmodified-since")
    if until is not None and state.modified is not None and state.modified > until:
        raise FAILED


def _tags(call: Call, name: str) -> list[str] | None:
    """Gives the marks of a header, without what packing adds to them; None for no header, or for nonsense."""
    text = call.headers.get(name, "").strip()
    if text == "*":
        return ["*"]
    found = [_TAG.fullmatch(part.strip()) for part in text.split(",")]
    return [_PACKED.sub("", one[1]) for one in found if one] if all(found) else None


def _holds(tags: list[str], tag: str) -> bool:
    return "*" in tags or tag in tags


def _date(call: Call, name: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(call.headers.get(name, ""))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _invalid(name: str, call: Call) -> ApiFault:
    return ApiFault(400, "INVALID_INPUT", f"The header {name} cannot be read: {call.headers[name]}")
