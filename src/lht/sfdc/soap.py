"""Undeletes records: the one call that LHT makes by the SOAP API, as REST has none for it.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_undelete.htm
The session stands in the message, not in a header: messages are never logged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from lht.errors import UnreachableError
from lht.sfdc import wire
from lht.sfdc.collections import Saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.sfdc.org import Org

MOST_UNDELETED = 200
NAMESPACE = "urn:partner.soap.sforce.com"
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_TIMEOUT_S = 620.0


def undelete(org: Org, ids: Sequence[str]) -> list[Saved]:
    """Takes up to 200 records out of the Recycle Bin; tells of each, by its position, what became of it.

    Sent once: where the answer is lost (TransportError), `IsDeleted` tells which records are back.
    """
    answer = org.soap(lambda token: write_undelete(token, ids), what="undelete()", timeout_s=_TIMEOUT_S)
    found = read_results(answer.body)
    if len(found) != len(ids):
        raise UnreachableError(f"Salesforce's answer does not tell the fate of all {len(ids)} records.")
    return found


def write_undelete(token: str, ids: Sequence[str]) -> bytes:
    """The message that asks for records back."""
    wanted = "".join(f"<u:ids>{_escaped(one)}</u:ids>" for one in ids)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<e:Envelope xmlns:e="{ENVELOPE}" xmlns:u="{NAMESPACE}">'
        f"<e:Header><u:SessionHeader><u:sessionId>{_escaped(token)}</u:sessionId></u:SessionHeader></e:Header>"
        f"<e:Body><u:undelete>{wanted}</u:undelete></e:Body></e:Envelope>"
    ).encode()


def _escaped(text: str) -> str:
    """A text inside XML; a character that XML cannot hold, which no id has, becomes a question mark."""
    return escape("".join(char if char.isprintable() else "?" for char in text))


def read_results(body: bytes) -> list[Saved]:
    """Reads the result of each record, in the order in which they were asked for."""
    if b"<!DOCTYPE" in body:
        raise UnreachableError("Something between here and Salesforce answered with a document of its own.")
    try:
        root = ET.fromstring(body)  # noqa: S314 - without a DOCTYPE no entity is there to expand
    except ET.ParseError as error:
        raise UnreachableError(f"The answer to undelete() is not XML: {error}") from error
    return [_result(one) for one in root.iter(f"{{{NAMESPACE}}}result")]


def _result(one: ET.Element) -> Saved:
    errors = tuple(
        wire.ErrorBody(
            _text(error, "statusCode"),
            _text(error, "message"),
            tuple(field.text or "" for field in error.findall(f"{{{NAMESPACE}}}fields")),
        )
        for error in one.findall(f"{{{NAMESPACE}}}errors")
    )
    return Saved(
        id=_text(one, "id") or None, is_success=_text(one, "success") in {"true", "1"}, errors=errors
    )


def _text(element: ET.Element, name: str) -> str:
    return (element.findtext(f"{{{NAMESPACE}}}{name}") or "").strip()
