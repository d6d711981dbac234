"""Result files of query jobs: formatted once, then read by ranges of rows.

A job has two files: the rows' text, end to end, and the position where each row begins, eight bytes a row. Any
range of rows is thus one range of bytes, and a page costs no memory however many rows it has.
"""

from __future__ import annotations

import sys
import tempfile
from array import array
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from lht.simulator.store.csv_form import CsvForm, row_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import BinaryIO

    from lht.simulator.store.database import Database

ROWS_AT_ONCE = 2_048
CHUNK_BYTES = 1 << 20
POSITION_BYTES = 8


class Stopped(Exception):  # noqa: N818 - not an error: somebody asked for it
    """The writing of a result was given up because its job was aborted."""


class QueryFailed(Exception):  # noqa: N818 - it becomes the state of a job
    """DuckDB could not carry out a query that was accepted, such as one whose column was dropped meanwhile."""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """The finished rows of one job."""

    path: Path
    rows: int

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """Gives where the bytes of rows start to stop (exclusive) begin and end."""
        with self._index.open("rb") as index:
            return _position(index, start), _position(index, stop)

    def read(self, start: int, stop: int) -> RowReader:
        """Opens the text of rows start to stop (exclusive); a deleted file can be read to its end."""
        begin, end = self.span(start, stop)
        return RowReader(self.path, begin, end)

    def reach(self, start: int, stop: int, most_bytes: int) -> int:
        """Gives how far, up to stop, the rows from start take no more than so many bytes; one row always fits."""
        with self._index.open("rb") as index:
            limit = _position(index, start) + most_bytes
            if stop <= start or _position(index, stop) <= limit:
                return stop
            low, high = start + 1, stop
            while low < high:
                middle = (low + high + 1) // 2
                low, high = (middle, high) if _position(index, middle) <= limit else (low, middle - 1)
        return low

    def delete(self) -> None:
        """Removes both files."""
        self.path.unlink(missing_ok=True)
        self._index.unlink(missing_ok=True)

    @property
    def _index(self) -> Path:
        return self.path.with_suffix(".idx")


@dataclass(frozen=True, slots=True)
class Select:
    """A query whose rows are wanted; `columns` are its output columns with describe's types, in file order."""

    sql: str
    params: Sequence[object]
    columns: Sequence[tuple[str, str]]


class RowReader:
    """Gives a range of a file in chunks; whoever asked for it closes it."""

    def __init__(self, path: Path, begin: int, end: int) -> None:
        self._file = path.open("rb")
        self._file.seek(begin)
        self._left = end - begin

    def __iter__(self) -> Iterator[bytes]:
        """Reads on from where it stands."""
        while self._left > 0 and (chunk := self._file.read(min(CHUNK_BYTES, self._left))):
            self._left -= len(chunk)
            yield chunk

    def close(self) -> None:
        """Closes the file; a second call does nothing."""
        self._file.close()


class ResultStore:
    """A directory for result files; it is removed on close."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="lht-results-", ignore_cleanup_errors=True)

    def write(
        self, name: str, db: Database, select: Select, form: CsvForm, progress: Callable[[int], None]
    ) -> ResultFile:
        """Runs a SELECT and writes its rows. `progress` is told the count; it may raise to give up."""
        path = Path(self._directory.name) / f"{name}.csv"
        cursor = db.cursor()
        try:
            found = cursor.execute(
                f"SELECT {row_sql(select.columns, form)} FROM ({select.sql})", list(select.params)
            )
            rows = _write_rows(path, lambda: found.fetchmany(ROWS_AT_ONCE), progress)
        except duckdb.Error as error:
            ResultFile(path, 0).delete()
            raise QueryFailed(str(error)) from error
        except BaseException:
            ResultFile(path, 0).delete()
            raise
        finally:
            cursor.close()
        return ResultFile(path, rows)

    def close(self) -> None:
        """Removes the directory with all results."""
        self._directory.cleanup()


def _write_rows(path: Path, fetch: Callable[[], list[tuple[bytes]]], progress: Callable[[int], None]) -> int:
    rows = position = 0
    with path.open("wb") as text, path.with_suffix(".idx").open("wb") as index:
        index.write(_packed([0]))
        while batch := fetch():
            lines = [line for (line,) in batch]
            ends = [position := position + len(line) for line in lines]
            text.write(b"".join(lines))
            index.write(_packed(ends))
            rows += len(lines)
            progress(rows)
    return rows


def _packed(positions: Sequence[int]) -> bytes:
    return array("Q", positions).tobytes()


def _position(index: BinaryIO, row: int) -> int:
    index.seek(row * POSITION_BYTES)
    return int.from_bytes(index.read(POSITION_BYTES), sys.byteorder)
