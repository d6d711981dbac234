"""Reading an upload: its header, and its records one after the other.

What makes no sense as CSV fails the whole job; a few mistakes are those of one row.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

from lht.simulator.errors import ApiFault
from lht.simulator.store.csv_form import DELIMITERS, LINE_ENDINGS, CsvForm

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_HEADER_CHARS = 32_000
MOST_FIELDS = 5_000
MOST_RECORD_CHARS = 400_000
MOST_OPEN_CHARS = 4_000_000
"""As much text as is looked through for a closing quote; no record may be a tenth of that."""
UNESCAPED = "Failed to parse CSV. Found unescaped quote. A value with quote should be within a quote"


class JobFailed(Exception):  # noqa: N818 - it becomes the state of a job
    """The whole job cannot be carried out; its text is the job's errorMessage."""


def invalid_batch(reason: str) -> JobFailed:
    """Gives the failure of a job whose data make no sense."""
    return JobFailed(f"InvalidBatch : {reason}")


@dataclass(frozen=True, slots=True)
class BadRow:
    """A record that cannot be told into values, and why."""

    fault: ApiFault


Record: TypeAlias = "list[str] | BadRow"


@dataclass(frozen=True, slots=True)
class Upload:
    """One uploaded file: the text of its header as it was sent, and the names in it."""

    path: Path
    form: CsvForm
    header: str
    names: list[str]

    @classmethod
    def open(cls, path: Path, form: CsvForm) -> Upload:
        """Reads the header; raises JobFailed."""
        header = next(_records(_lines(path), form), None)
        if not header:
            raise invalid_batch("Failed to parse CSV. No header row found")
        if len(header) > MOST_HEADER_CHARS:
            raise invalid_batch(
                f"Failed to parse CSV. Header row is longer than {MOST_HEADER_CHARS} characters"
            )
        names = _cells(header, DELIMITERS[form.delimiter])
        if isinstance(names, BadRow):
            raise invalid_batch(UNESCAPED)
        if len(names) > MOST_FIELDS:
            raise invalid_batch(f"Failed to parse CSV. There are more than {MOST_FIELDS} fields")
        return cls(path, form, header, names)

    def records(self) -> Iterator[Record]:
        """Reads the records; raises JobFailed at the first place that is no CSV."""
        texts = _records(_lines(self.path), self.form)
        next(texts, None)
        delimiter, width = DELIMITERS[self.form.delimiter], len(self.names)
        for text in texts:
            cells = _cells(text, delimiter) if '"' in text else text.split(delimiter)
            if isinstance(cells, BadRow):
                yield cells
            elif len(cells) != width:
                yield _misfit(width, len(cells))
            elif len(text) > MOST_RECORD_CHARS:
                yield _too_long(len(text))
            else:
                yield cells

    def count(self) -> int:
        """Goes through the whole file and counts its records; raises JobFailed."""
        return sum(1 for _ in self.records())


def loose(path: Path, form: CsvForm) -> tuple[str, int, Iterator[list[str]]]:
    """Gives the header's text, how many names it has, and the records of a file that is no CSV, line by line, as far as they can be told."""
    lines = (text.rstrip("\r\n") for text in _lines(path))
    header = next(lines, "")
    delimiter = DELIMITERS[form.delimiter]
    width = header.count(delimiter) + 1

    def records() -> Iterator[list[str]]:
        for line in filter(None, lines):
            cells = [cell.strip('"') for cell in line.split(delimiter)]
            yield (cells + [""] * width)[:width]

    return header, width, records()


def _lines(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for raw in file:
            yield raw.decode("utf-8", "replace")


def _records(lines: Iterator[str], form: CsvForm) -> Iterator[str]:
    """Puts lines together where a line break stands in quotes, and takes the line endings off."""
    end = LINE_ENDINGS[form.line_ending]
    parts: list[str] = []
    size = quotes = 0
    for line in lines:
        if not parts and '"' not in line:
            if text := _ended(line, end, form):
                yield text
            continue
        parts.append(line)
        size, quotes = size + len(line), quotes + line.count('"')
        if quotes % 2:
            _check_open(line, size, end, form)
            continue
        text = "".join(parts)
        parts, size, quotes = [], 0, 0
        yield _ended(text, end, form)
    if parts:
        raise invalid_batch(UNESCAPED)


def _check_open(line: str, size: int, end: str, form: CsvForm) -> None:
    """Looks at a line that ends within quotes: a value's own line breaks must not be of the other kind."""
    if end == "\n" and line.endswith("\r\n"):
        raise _other_ending(form)
    if size > MOST_OPEN_CHARS:
        raise invalid_batch(UNESCAPED)


def _ended(text: str, end: str, form: CsvForm) -> str:
    if not text.endswith("\n"):
        return text
    if text.endswith("\r\n") is not (end == "\r\n"):
        raise _other_ending(form)
    return text[: -len(end)]


def _other_ending(form: CsvForm) -> JobFailed:
    said = f"LineEnding is invalid on user data. Current LineEnding setting is {form.line_ending}"
    return JobFailed(f"ClientInputError : {said}")


@cache
def _patterns(delimiter: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    mark = re.escape(delimiter)
    inner = r'"[^"]*(?:""[^"]*)*"'
    strict = re.compile(rf'{mark}({inner}|[^"{mark}]*)(?={mark}|\Z)')
    blanks = re.compile(rf'{mark}( *{inner} *|[^"{mark}]*)(?={mark}|\Z)')
    return strict, blanks


def _cells(text: str, delimiter: str) -> Record:
    """Tells a record into its values; a blank beside a quote is a mistake of its row, any other stray quote the file's."""
    strict, blanks = _patterns(delimiter)
    whole = delimiter + text
    cells = strict.findall(whole)
    if _is_all(cells, whole):
        return [cell[1:-1].replace('""', '"') if cell[:1] == '"' else cell for cell in cells]
    if delimiter != "\t" and _is_all(blanks.findall(whole), whole):
        return BadRow(ApiFault(400, "INVALID_FIELD", UNESCAPED, ()))
    raise invalid_batch(UNESCAPED)


def _is_all(cells: list[str], whole: str) -> bool:
    return sum(map(len, cells)) + len(cells) == len(whole)


def _misfit(expected: int, found: int) -> BadRow:
    message = f"Number of fields in header is different from the row. header = {expected} row = {found}"
    return BadRow(ApiFault(400, "INVALID_FIELD", message, ()))


def _too_long(found: int) -> BadRow:
    message = f"Record has {found} characters, more than {MOST_RECORD_CHARS}"
    return BadRow(ApiFault(400, "LIMIT_EXCEEDED", message, ()))
