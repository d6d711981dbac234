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

FIRST_BLOCK_BYTES: Final = 1 << 20
"""As quick as larger blocks, with 100 MB less memory; few records need more."""
LARGEST_BLOCK_BYTES: Final = 16 << 20
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
            yield from self._batches(schema)
        except ValueError as error:  # ArrowInvalid is one; its words quote the row
            self.error = IncompleteExtractError(
                f"The file {self._path.name} is not CSV as Salesforce writes it.", recovery=Recovery.RETRY
            )
            raise self.error from error
        except LhtError as error:
            self.error = error
            raise

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Where a record is longer than two blocks, goes on from there with larger ones."""
        done, block_bytes = 0, FIRST_BLOCK_BYTES
        while self._source.has_rows:
            try:
                for batch in self._open(schema, block_bytes, done):
                    done += batch.num_rows
                    yield batch
            except ValueError as error:
                if "straddling" not in str(error) or self.skipped or block_bytes == LARGEST_BLOCK_BYTES:
                    raise
                block_bytes *= 4
                self._source.close()
                self._source = PageSource(self._path, delimiter=self._delimiter, watches_numbers=False)
            else:
                return

    def _open(self, schema: pa.Schema, block_bytes: int, skip: int) -> csv.CSVStreamingReader:
        file: Any = self._source  # all that the reader asks of a file is `read`, `close` and `closed`
        return csv.open_csv(
            file,
            read_options=csv.ReadOptions(
                block_size=block_bytes,
                column_names=schema.names,
                skip_rows_after_names=skip,
                use_threads=False,
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
