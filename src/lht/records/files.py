"""Result pages as one file: CSV as Salesforce wrote it, or typed Parquet. A file appears only when it is whole."""

from __future__ import annotations

import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from lht.errors import ConfigError, IncompleteExtractError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from lht.records.inflate import PageReader
    from lht.records.parse import RecordStream
    from lht.records.spool import Page

_STEP: Final = 1 << 20
_BOM: Final = b"\xef\xbb\xbf"
_GZIP: Final = b"\x1f\x8b"
_ANY_WRAPPER: Final = 47
"""zlib's word for: gzip or zlib, told by the data."""


def read_header(chunks: Iterable[bytes]) -> tuple[str, ...]:
    """Gives the column names of a result from the first bytes of its body, compressed or not."""
    unpack = None
    text = b""
    for number, chunk in enumerate(chunks):
        if number == 0 and chunk.startswith(_GZIP):
            unpack = zlib.decompressobj(_ANY_WRAPPER)
        text += unpack.decompress(chunk) if unpack else chunk
        if b"\n" in text:
            break
    line = text.removeprefix(_BOM).partition(b"\n")[0].strip().decode()
    if not line:
        raise IncompleteExtractError("The job's result is empty: not even a header came.")
    return tuple(name.strip().strip('"') for name in line.split(","))


def write_csv(pages: Iterable[Page], path: Path) -> int:
    """Joins pages under one header and gives the number of records, counted."""
    records = 0
    with _whole_file(path) as file:
        for number, page in enumerate(pages):
            records += _append(page, file, with_header=number == 0)
    return records


def write_parquet(stream: RecordStream, path: Path) -> int:
    """Writes a stream and gives the number of records."""
    import pyarrow.parquet as pq  # noqa: PLC0415  # a driver: imported where it is needed

    with _whole_file(path) as file:
        try:
            with pq.ParquetWriter(file, stream.reader.schema) as writer:
                for batch in stream.reader:
                    writer.write_batch(batch)
        except Exception:
            if stream.error:
                raise stream.error from None
            raise
    return stream.rows


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be written: {error.strerror}.", hint="Choose another --output."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _append(page: Page, file: BinaryIO, *, with_header: bool) -> int:
    from lht.records.inflate import PageReader  # noqa: PLC0415  # brings isal

    reader, counter = PageReader(page.path), _RecordCounter()
    try:
        header, rest = _split_header(reader)
        if with_header:
            file.write(header + b"\n")
        while rest:
            counter.see(rest)
            file.write(rest)
            rest = reader.read(_STEP)
    finally:
        reader.close()
    if counter.is_open:
        file.write(b"\n")
    return counter.records


def _split_header(reader: PageReader) -> tuple[bytes, bytes]:
    taken = reader.read(_STEP)
    header, _, rest = taken.removeprefix(_BOM).partition(b"\n")
    return header.rstrip(b"\r"), rest


class _RecordCounter:
    """Counts records: ends of lines outside quotes. A doubled quote closes and opens, which changes nothing."""

    def __init__(self) -> None:
        self._ends = 0
        self._in_quotes = False
        self._last = b"\n"

    @property
    def is_open(self) -> bool:
        """Whether the last record has no end of line."""
        return self._last != b"\n"

    @property
    def records(self) -> int:
        return self._ends + self.is_open

    def see(self, block: bytes) -> None:
        for part in block.split(b'"'):
            if not self._in_quotes:
                self._ends += part.count(b"\n")
            self._in_quotes = not self._in_quotes
        self._in_quotes = not self._in_quotes  # n quotes make n + 1 parts
        self._last = block[-1:]
