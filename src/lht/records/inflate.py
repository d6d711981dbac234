"""Inflates result pages from disk, and notices when one ends early.

Most inflaters give what they have when a stream stops in its middle, and stop after the first gzip member: here
the end must be seen, and every member is read. A body that was never compressed passes as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lht.errors import IncompleteExtractError, Recovery

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC: Final = b"\x1f\x8b"
_READ_BYTES: Final = 1 << 18


class PageReader:
    """The inflated bytes of one page. Close it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("rb")
        self._unread = self._file.read(_READ_BYTES)
        self._is_gzip = self._unread.startswith(_MAGIC)
        self._member: Any = None

    def read(self, size: int) -> bytes:
        """Gives `size` bytes, fewer only at the page's end. A page cut short is an IncompleteExtractError."""
        parts: list[bytes] = []
        missing = size
        while missing > 0 and (part := self._part(missing)):
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def close(self) -> None:
        self._file.close()

    def _take(self, limit: int = _READ_BYTES) -> bytes:
        taken, self._unread = self._unread, b""
        return taken or self._file.read(limit)

    def _part(self, limit: int) -> bytes:
        if not self._is_gzip:
            taken = self._take(limit)
            self._unread = taken[limit:]
            return taken[:limit]
        while self._member is not None or self._next_member():
            part = self._inflate(limit)
            if part:
                return part
        return b""

    def _next_member(self) -> bool:
        """Starts the next gzip member, False at the page's end; zero bytes between members are padding."""
        from isal import igzip_lib  # noqa: PLC0415  # a driver: imported where it is needed

        while taken := self._take():
            self._unread = taken.lstrip(b"\0")
            if self._unread:
                self._member = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
                return True
        return False

    def _inflate(self, limit: int) -> bytes:
        from isal import igzip_lib  # noqa: PLC0415

        member = self._member
        taken = self._take() if member.needs_input else b""
        if member.needs_input and not taken:
            raise self._cut_short("it ends in the middle")
        try:
            part: bytes = member.decompress(taken, limit)
        except igzip_lib.IsalError as error:  # type: ignore[misc]  # isal has no types
            raise self._cut_short("its bytes are damaged") from error
        if member.eof:
            self._unread = member.unused_data
            self._member = None
        return part

    def _cut_short(self, how: str) -> IncompleteExtractError:
        return IncompleteExtractError(
            f"The result page {self._path.name} did not arrive whole: {how}.", recovery=Recovery.RETRY
        )
