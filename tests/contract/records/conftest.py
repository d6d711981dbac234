"""Pages as Salesforce writes them, by an encoder that shares no code with the reader."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import pytest

from lht.mapping.types import parse_type
from lht.model.table import Column
from lht.records.parse import stream_pages
from lht.records.spool import Page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa

    from lht.records.parse import RecordStream


class Pages:
    """Writes pages to a directory and reads them back."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.count = 0

    def raw(self, body: bytes, *, rows: int | None = None) -> Page:
        """A page with these very bytes on disk."""
        path = self.directory / f"{self.count}.csv.gz"
        path.write_bytes(body)
        self.count += 1
        return Page(self.count - 1, None, path, rows, len(body))

    def page(self, header: Sequence[str], *records: Sequence[str], rows: int | None = None) -> Page:
        body = gzip.compress(self.csv(header, *records), 1)
        return self.raw(body, rows=len(records) if rows is None else rows)

    def csv(self, header: Sequence[str], *records: Sequence[str]) -> bytes:
        """Every header and value in quotes, quotes doubled, LF: the form of Bulk API 2.0."""
        lines = (
            ",".join('"' + value.replace('"', '""') + '"' for value in row) for row in (header, *records)
        )
        return "".join(f"{line}\n" for line in lines).encode()

    def columns(self, **types: str) -> list[Column]:
        return [Column(name, parse_type(text), field=name) for name, text in types.items()]

    def column(self, type_text: str, *values: str) -> RecordStream:
        """A stream of one page with Id and Amount__c."""
        records = ([f"001{i:012d}AAA", value] for i, value in enumerate(values))
        page = self.page(["Id", "Amount__c"], *records)
        return self.stream([page], Id="varchar(18)", Amount__c=type_text)

    def stream(self, pages: Sequence[Page], **types: str) -> RecordStream:
        return stream_pages(pages, self.columns(**types), object_name="Account")

    def read(self, stream: RecordStream) -> pa.Table:
        return stream.reader.read_all()

    def values(self, type_text: str, *values: str) -> list[Any]:
        return self.read(self.column(type_text, *values))["Amount__c"].to_pylist()


@pytest.fixture
def pages(tmp_path: Path) -> Pages:
    return Pages(tmp_path)
