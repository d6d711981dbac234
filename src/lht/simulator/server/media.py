"""What a request says of its body and of the answer it can read: compression in, formats out."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault

if TYPE_CHECKING:
    from collections.abc import Mapping

XML_TYPES = frozenset({"application/xml", "text/xml"})
RAW_DEFLATE = -zlib.MAX_WBITS


def inflated(body: bytes, headers: Mapping[str, str]) -> bytes:
    """Gives a body as it was before it was compressed; raises ApiFault 415 or 400."""
    form = headers.get("content-encoding", "").strip().lower()
    if form in {"", "identity"} or not body:
        return body
    try:
        if form in {"gzip", "x-gzip"}:
            return gzip.decompress(body)
        if form == "deflate":
            return _undeflated(body)
    except (OSError, EOFError, zlib.error) as error:
        raise ApiFault(
            400, "JSON_PARSER_ERROR", f"The body is not the {form} that it is said to be: {error}"
        ) from None
    raise ApiFault(
        415, "UNSUPPORTED_MEDIA_TYPE", f"Content-Encoding '{form}' is not supported by this resource"
    )


def _undeflated(body: bytes) -> bytes:
    """Some callers leave out the frame that HTTP wants around deflate."""
    try:
        return zlib.decompress(body)
    except zlib.error:
        return zlib.decompress(body, RAW_DEFLATE)


def check_accept(headers: Mapping[str, str]) -> None:
    """Refuses who can read nothing but XML: a real org would write that, and JSON instead would only puzzle."""
    offers = [offer.replace(" ", "").lower() for offer in headers.get("accept", "").split(",")]
    if offers and all(offer.partition(";")[0] in XML_TYPES for offer in offers):
        raise ApiFault(406, "NOT_ACCEPTABLE", "This org writes JSON only; a real one would answer with XML")
