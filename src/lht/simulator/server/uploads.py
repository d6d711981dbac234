"""Bodies that go to a file as they come in, so that memory does not grow with them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

GZIP_BITS = 31
PACKED = {"gzip": GZIP_BITS, "x-gzip": GZIP_BITS, "deflate": zlib.MAX_WBITS}


async def spool(request: Request, path: Path, most_bytes: int) -> bool:
    """Writes a body to a file, inflated; tells whether it fits. What is too much is read, as nobody listens before the end."""
    form = request.headers.get("content-encoding", "").strip().lower()
    if form not in {"", "identity", *PACKED}:
        message = f"Content-Encoding '{form}' is not supported by this resource"
        raise ApiFault(415, "UNSUPPORTED_MEDIA_TYPE", message)
    unpacker = zlib.decompressobj(PACKED[form]) if form in PACKED else None
    size = 0
    with path.open("wb") as file:
        async for chunk in request.stream():
            plain = _inflated(unpacker, chunk, form) if unpacker else chunk
            size += len(plain)
            if size <= most_bytes:
                file.write(plain)
    return size <= most_bytes


def _inflated(unpacker: zlib._Decompress, chunk: bytes, form: str) -> bytes:
    try:
        return unpacker.decompress(chunk)
    except zlib.error as error:
        message = f"The body is not the {form} that it is said to be: {error}"
        raise ApiFault(400, "CLIENTINPUTERROR", message) from None
