"""CSV files of any columns, read as text: nothing is made of a value, and an empty one stays an empty text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Self

import pyarrow as pa
from pyarrow import csv

from lht.errors import IncompleteExtractError, LhtError, Recovery
from lht.records.source import PageSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import TracebackType

BLOCK_BYTES: Final = 4 << 20
"""More than the longest record takes: 400,000 characters of up to four bytes."""


class TextRows:
    """The rows of one file as Arrow texts named `f0`, `f1` …, whatever its header says.

    A row with another number of values than the header is left out and counted in `skipped`. `error` is what went
    wrong inside the reader, as drivers wrap it in errors of their own. Close it.
    """

    def __init__(self, path: Path, *, delimiter: str = ",") -> None:
        self.skipped = 0
        self.error: BaseException | None = None
        self._path = path
        self._delimiter = delimiter
        self._source = PageSource(path, delimiter=delimiter, watches_numbers=False)

    @property
    def header(self) -> list[str]:
        """The columns' names as they came, without quotes."""
        return self._source.header

    def reader(self) -> pa.RecordBatchReader:
        """The rows, once. What cannot be read is an IncompleteExtractError."""
        names = [f"f{number}" for number in range(len(self.header))]
        schema = pa.schema([(name, pa.string()) for name in names])
        return pa.RecordBatchReader.from_batches(schema, self._noted(schema))

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _noted(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        try:
            if self._source.has_rows:
                yield from self._open(schema)
        except ValueError as error:  # ArrowInvalid is one; its words quote the row
            self.error = IncompleteExtractError(
                f"The file {self._path.name} is not CSV as Salesforce writes it.", recovery=Recovery.RETRY
            )
            raise self.error from error
        except LhtError as error:
            self.error = error
            raise

    def _open(self, schema: pa.Schema) -> csv.CSVStreamingReader:
        file: Any = self._source  # all that the reader asks of a file is `read`, `close` and `closed`
        return csv.open_csv(
            file,
            read_options=csv.ReadOptions(
                block_size=BLOCK_BYTES, column_names=schema.names, use_threads=False
            ),
            parse_options=csv.ParseOptions(
                delimiter=self._delimiter, newlines_in_values=True, invalid_row_handler=self._skip
            ),
            convert_options=csv.ConvertOptions(
                column_types=schema, null_values=[], strings_can_be_null=False
            ),
        )

    def _skip(self, _row: object) -> Literal["skip"]:
        self.skipped += 1
        return "skip"
