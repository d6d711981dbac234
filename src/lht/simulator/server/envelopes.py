"""SOAP 1.1 envelopes: what is asked read from XML, and answers and faults written as XML. Pure.

A document with a DOCTYPE is refused before anything in it is looked at, so no entity is ever expanded or fetched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from lht.simulator.errors import ApiFault

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
DOCTYPES_REFUSED = "DOCTYPE declaration is not allowed in a SOAP message"


class SoapFault(Exception):  # noqa: N818 - the word of SOAP
    """A refusal of a whole message; `code` with its prefix, such as soapenv:Client."""

    def __init__(self, code: str, message: str, status: int = 500) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status


def client_fault(message: str) -> SoapFault:
    """Makes the refusal of a message that cannot be understood."""
    return SoapFault("soapenv:Client", message)


def platform_fault(code: str, message: str) -> SoapFault:
    """Makes a refusal under one of Salesforce's own codes."""
    return SoapFault(f"sf:{code}", message)


@dataclass(frozen=True, slots=True)
class Message:
    """What a SOAP message asks: the headers that count, the operation, and its arguments by name in their order."""

    namespace: str
    operation: str
    arguments: tuple[tuple[str, str], ...]
    session_id: str
    all_or_none: bool = False


class _NoDoctypes(ET.TreeBuilder):
    """Builds a tree of a document that declares nothing."""

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> NoReturn:
        raise client_fault(DOCTYPES_REFUSED)


def read(body: bytes) -> Message:
    """Reads a message; raises SoapFault for what is none."""
    root = _tree(body)
    if root.tag != f"{{{SOAP}}}Envelope":
        raise SoapFault("soapenv:VersionMismatch", f"the message must be an Envelope of {SOAP}")
    operation = next(iter(_child(root, "Body")), None)
    if operation is None:
        raise client_fault("the Body of the message asks for nothing")
    namespace, _, name = operation.tag[1:].rpartition("}")
    return Message(
        namespace,
        name,
        tuple((_local(one.tag), (one.text or "").strip()) for one in operation),
        _header(root, namespace, "SessionHeader", "sessionId"),
        _header(root, namespace, "AllOrNoneHeader", "allOrNone").lower() in {"true", "1"},
    )


def _tree(body: bytes) -> ET.Element:
    parser = ET.XMLParser(target=_NoDoctypes())  # noqa: S314 - documents that declare entities are refused
    try:
        parser.feed(body)
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise client_fault(f"The message is not well-formed XML: {error}") from None
    return root


def _child(root: ET.Element, name: str) -> ET.Element:
    found = root.find(f"{{{SOAP}}}{name}")
    if found is None:
        raise client_fault(f"the Envelope has no {name}")
    return found


def _header(root: ET.Element, namespace: str, name: str, part: str) -> str:
    found = root.find(f"{{{SOAP}}}Header/{{{namespace}}}{name}/{{{namespace}}}{part}")
    return "" if found is None else (found.text or "").strip()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def write_results(
    namespace: str,
    operation: str,
    outcomes: Sequence[tuple[str | None, ApiFault | None]],
    used: tuple[int, int],
) -> bytes:
    """Writes the result of each record, as its id and why it was refused, under the header that counts API requests."""
    current, limit = used
    header = (
        "<LimitInfoHeader><limitInfo>"
        f"<current>{current}</current><limit>{limit}</limit><type>API REQUESTS</type>"
        "</limitInfo></LimitInfoHeader>"
    )
    results = "".join(f"<result>{_result(*outcome)}</result>" for outcome in outcomes)
    return _envelope(
        f'xmlns="{namespace}" xmlns:xsi="{XSI}"',
        f"<soapenv:Header>{header}</soapenv:Header>"
        f"<soapenv:Body><{operation}Response>{results}</{operation}Response></soapenv:Body>",
    )


def _result(record_id: str | None, fault: ApiFault | None) -> str:
    written = '<id xsi:nil="true"/>' if record_id is None else f"<id>{escape(record_id)}</id>"
    if fault is None:
        return f"{written}<success>true</success>"
    fields = "".join(f"<fields>{escape(name)}</fields>" for name in fault.fields or ())
    error = f"{fields}<message>{_text(fault.message)}</message><statusCode>{fault.code}</statusCode>"
    return f"<errors>{error}</errors>{written}<success>false</success>"


def write_fault(namespace: str, fault: SoapFault) -> bytes:
    """Writes a fault; one of Salesforce's own codes has it in its detail, too."""
    prefix, _, code = fault.code.rpartition(":")
    message, is_own = _text(fault.message), prefix == "sf"
    detail = (
        '<detail><sf:UnexpectedErrorFault xsi:type="sf:UnexpectedErrorFault">'
        f"<sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{message}</sf:exceptionMessage>"
        "</sf:UnexpectedErrorFault></detail>"
    )
    body = (
        f"<soapenv:Fault><faultcode>{fault.code}</faultcode>"
        f"<faultstring>{f'{code}: ' if is_own else ''}{message}</faultstring>{detail if is_own else ''}"
        "</soapenv:Fault>"
    )
    named = f'xmlns:sf="{namespace.replace("urn:", "urn:fault.", 1)}" xmlns:xsi="{XSI}"'
    return _envelope(named, f"<soapenv:Body>{body}</soapenv:Body>")


def _envelope(names: str, content: str) -> bytes:
    written = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<soapenv:Envelope xmlns:soapenv="{SOAP}" {names}>{content}</soapenv:Envelope>'
    )
    return written.encode("utf-8", "replace")


def _text(text: str) -> str:
    """Writes a text; what XML cannot hold, such as a control character that somebody sent, becomes a question mark."""
    held = "".join(char if char in "\t\n\r" or char >= " " else "?" for char in text)
    return escape(held.replace("\ufffe", "?").replace("\uffff", "?"))
