"""Pages of a result and the locators that name where they begin."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.simulator.store.results import ResultFile, RowReader


MOST_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Page:
    """Rows from `start` to `stop`, exclusive."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class PageBounds:
    """How large the pages of a job are; it stays so, as a page that is read again must be the same."""

    rows: int
    """Where the request names no maxRecords."""
    bytes: int
    """Where the request names no maxRecords: as much text at most."""
    most_rows: int
    """Whatever the request names; 0 for no such bound."""

    def page(self, result: ResultFile, start: int, max_records: int | None) -> Page:
        """Gives the page that begins at a row."""
        rows = max_records or self.rows
        stop = min(start + min(rows, self.most_rows or rows), result.rows)
        return Page(start, stop if max_records else result.reach(start, stop, self.bytes))


def page_start(locator: str | None, result: ResultFile) -> int:
    """Gives the row where a page begins; raises ApiFault 400 for a locator that was never given out."""
    start = row_of(locator) if locator else 0
    if start and start >= result.rows:
        raise ApiFault(400, "INVALIDQUERYLOCATOR", "invalid query locator")
    return start


@dataclass(frozen=True, slots=True)
class ResultPage:
    """One page as it is sent: its header row, its rows, and the locator of the next (None on the last)."""

    header: bytes
    result: ResultFile
    page: Page
    locator: str | None

    @property
    def rows(self) -> int:
        return self.page.stop - self.page.start

    def open(self) -> PageReader:
        """Opens the page now, so that a job deleted meanwhile can be read to the end."""
        return PageReader(self.header, self.result.read(self.page.start, self.page.stop))


@dataclass(frozen=True, slots=True)
class PageReader:
    """The bytes of one page, header first; whoever opened it closes it."""

    header: bytes
    rows: RowReader

    def __iter__(self) -> Iterator[bytes]:
        """Gives the bytes in chunks, once."""
        yield self.header
        yield from self.rows

    def close(self) -> None:
        """Closes the file behind it."""
        self.rows.close()


def locator_for(row: int) -> str:
    """Names the page that begins at a row. Clients must not read anything into it."""
    return base64.urlsafe_b64encode(f"row:{row}".encode()).decode().rstrip("=")


def row_of(locator: str) -> int:
    """Reads a locator; raises ApiFault 400 for one that was never given out."""
    padded = locator + "=" * (-len(locator) % 4)
    try:
        word, _, row = base64.urlsafe_b64decode(padded.encode("ascii")).decode().partition(":")
    except (UnicodeError, binascii.Error):
        word, row = "", ""
    if word != "row" or not row.isdecimal() or len(row) > MOST_DIGITS or locator_for(int(row)) != locator:
        raise ApiFault(400, "INVALIDQUERYLOCATOR", "invalid query locator")
    return int(row)


def page_list(
    job_path: str, result: ResultFile, start: int, bounds: PageBounds, number: int
) -> dict[str, Any]:
    """Gives the next few page addresses. A result without rows has one page: its header."""
    pages: list[dict[str, str]] = []
    while len(pages) < number and (start < result.rows or not pages):
        pages.append({"resultUrl": f"{job_path}/results?locator={locator_for(start)}"})
        start = bounds.page(result, start, None).stop
    done = start >= result.rows
    following = None if done else f"{job_path}/resultPages?locator={locator_for(start)}"
    return {"resultPages": pages, "nextRecordsUrl": following, "done": done}
