"""The bytes of one page on their way to the CSV reader: its header taken off, its text cleaned, its numbers watched."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from lht.errors import IncompleteExtractError, Recovery
from lht.records.convert import pc
from lht.records.inflate import PageReader

if TYPE_CHECKING:
    from pathlib import Path

_BOM: Final = b"\xef\xbb\xbf"
_HEADER_STEP: Final = 1 << 16
_EDGE: Final = 16
_LARGE_EXPONENT: Final = r"E-?(?:[2-9][0-9]|[0-9]{3})"
_LARGE_EXPONENT_NUMBER: Final = re.compile(rb"[0-9]" + _LARGE_EXPONENT.encode() + rb"(?![0-9A-Za-z])")


class PageSource:
    """A file for the CSV reader, and the page's header.

    NUL characters are left out: a field of one NUL is then an empty one, which is null. Where `watches_numbers`,
    a number with an exponent of 20 or more, either way, ends the reading with a ValueError and sets
    `has_wild_numbers`: Arrow's decimal reader wraps around or reads past its tables on such numbers, silently.
    """

    def __init__(self, path: Path, *, delimiter: str, watches_numbers: bool) -> None:
        self._reader = PageReader(path)
        self._watches_numbers = watches_numbers
        self._edge = b""
        self.has_wild_numbers = False
        self.closed = False
        try:
            self.header, self._unread = self._take_header(path.name, delimiter)
        except BaseException:
            self.close()
            raise

    @property
    def has_rows(self) -> bool:
        """Tells whether anything follows the header."""
        if not self._unread:
            self._unread = self._reader.read(_HEADER_STEP)
        return bool(self._unread.strip())

    def read(self, size: int = -1) -> bytes:
        """Gives at most `size` bytes, and none only at the page's end."""
        while raw := self._unread[:size] + self._reader.read(max(0, size - len(self._unread))):
            self._unread = self._unread[size:]
            clean = raw.replace(b"\0", b"") if b"\0" in raw else raw
            if self._watches_numbers:
                self._watch(clean)
            if clean:
                return clean
        return b""

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True
        self._reader.close()

    def _take_header(self, page: str, delimiter: str) -> tuple[list[str], bytes]:
        taken = self._reader.read(_HEADER_STEP)
        while b"\n" not in taken and (more := self._reader.read(_HEADER_STEP)):
            taken += more
        line, _, rest = taken.removeprefix(_BOM).partition(b"\n")
        if not line.strip():
            raise IncompleteExtractError(
                f"The result page {page} is empty: not even a header came.", recovery=Recovery.RETRY
            )
        names = line.decode("utf-8", "replace").strip().split(delimiter)
        return [name.strip().strip('"') for name in names], rest

    def _watch(self, block: bytes) -> None:
        """Looks at the block, and at its seam with the one before."""
        seam = self._edge + block[:_EDGE]
        self._edge = block[-_EDGE:]
        if _has_large_exponent(block) or _has_large_exponent(seam):
            self.has_wild_numbers = True
            raise ValueError("a number with a large exponent")


def _has_large_exponent(block: bytes) -> bool:
    """Asks Arrow's matcher first: it is many times faster and lets other threads run."""
    offsets = pa.py_buffer(struct.pack("=ii", 0, len(block)))
    whole = pa.Array.from_buffers(pa.binary(), 1, [None, offsets, pa.py_buffer(block)])
    if not pc.match_substring_regex(whole, _LARGE_EXPONENT)[0].as_py():
        return False
    return _LARGE_EXPONENT_NUMBER.search(block) is not None
