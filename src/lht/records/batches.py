"""Pages to typed Arrow batches.

The CSV reader's conversions are tried first. What it refuses is read again from the first row that was not given
out yet, with that column as text and converted with care; a record longer than two blocks, with larger blocks.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from pyarrow import csv

from lht.errors import IncompleteExtractError, Recovery
from lht.model.table import ColumnKind
from lht.records.convert import Values, convert, pc, times
from lht.records.layout import MAX_PRECISION, arrow_type, digits, is_decimal, path_of
from lht.records.source import PageSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lht.model.table import Column
    from lht.records.layout import Layout
    from lht.records.parse import Tally
    from lht.records.spool import Page

FIRST_BLOCK_BYTES: Final = 1 << 20
"""Measured as quick as 8 MB, with 100 MB less memory; a record has at most 400,000 characters, so few need more."""
LARGEST_BLOCK_BYTES: Final = 64 << 20
_MOST_FETCHES: Final = 3
_UNSCALED_LIMIT: Final = Decimal(10) ** 19
"""More digits than a Salesforce number has: what is larger may have wrapped around, and is read with care."""
_REFUSED_COLUMN: Final = re.compile(r"In CSV column #(\d+)")
_WRONG_WIDTH: Final = re.compile(r"Expected (\d+) columns, got (\d+)")


class PageParser:
    """Parses the pages of one result, and counts what it gives out."""

    def __init__(
        self, layout: Layout, tally: Tally, *, delimiter: str = ",", block_bytes: int = FIRST_BLOCK_BYTES
    ) -> None:
        self._layout = layout
        self._tally = tally
        self._delimiter = delimiter
        self._block_bytes = block_bytes
        self._refused: set[str] = set()

    def parse(self, page: Page, again: Callable[[Page], Page] | None = None) -> Iterator[pa.RecordBatch]:
        """Yields a page's batches. A damaged page is fetched `again` a few times, and read on from where it was."""
        done = 0
        for fetches in range(_MOST_FETCHES):
            try:
                for batch in self._batches(page, done):
                    done += batch.num_rows
                    yield batch
                _check_rows(page, done)
                self._tally.expected += done
            except IncompleteExtractError as error:
                if again is None or fetches == _MOST_FETCHES - 1 or error.recovery is not Recovery.RETRY:
                    raise
                page = again(page)
            else:
                return

    def _batches(self, page: Page, done: int) -> Iterator[pa.RecordBatch]:
        attempt = _Attempt(self._layout, self._delimiter, self._block_bytes, set(self._refused))
        while True:
            try:
                for batch, rounded in attempt.read(page, done):
                    done += batch.num_rows
                    for name, count in rounded.items():
                        self._tally.count_rounded(name, count)
                    yield batch
            except ValueError as error:  # ArrowInvalid is one
                attempt.learn(error, page)
                self._block_bytes = attempt.block_bytes
                self._refused |= attempt.refused
            else:
                return


class _Attempt:
    """How a page is read: which columns as text, in blocks of what size. Refusals teach it better."""

    def __init__(self, layout: Layout, delimiter: str, block_bytes: int, refused: set[str]) -> None:
        self.block_bytes = block_bytes
        self.refused = refused
        self._layout = layout
        self._delimiter = delimiter
        self._is_wild = False
        self._names: list[str] = []
        self._source: PageSource | None = None

    def read(self, page: Page, skip: int) -> Iterator[tuple[pa.RecordBatch, dict[str, int]]]:
        """Yields batches from row `skip` on, each with its count of rounded values by column."""
        watches = any(is_decimal(c.type) and not self._is_careful(c) for c in self._layout.columns)
        source = self._source = PageSource(page.path, delimiter=self._delimiter, watches_numbers=watches)
        try:
            self._names = self._match_header(source.header, page)
            if not source.has_rows:
                return
            with self._open(source, skip) as reader:
                for batch in reader:
                    yield self._typed(batch)
        finally:
            source.close()

    def learn(self, error: ValueError, page: Page) -> None:
        """Changes how to read after a refusal, or raises what the refusal really means."""
        text = str(error)
        refused = _REFUSED_COLUMN.search(text)
        if self._source is not None and self._source.has_wild_numbers and not self._is_wild:
            self._is_wild = True
        elif refused and self._names[int(refused[1])] not in self.refused:
            self.refused.add(self._names[int(refused[1])])
        elif "straddling" in text and self.block_bytes < LARGEST_BLOCK_BYTES:
            self.block_bytes = min(self.block_bytes * 2, LARGEST_BLOCK_BYTES)
        else:
            raise _unreadable(page, text) from None

    def _is_careful(self, column: Column) -> bool:
        return path_of(column) in self.refused or (self._is_wild and is_decimal(column.type))

    def _match_header(self, header: list[str], page: Page) -> list[str]:
        """Gives our spelling for each name of the header, in the file's order: old versions sort their columns."""
        ours = {path_of(column).lower(): path_of(column) for column in self._layout.columns}
        if sorted(name.lower() for name in header) != sorted(ours):
            raise _wrong_header(header, list(ours.values()), page)
        return [ours[name.lower()] for name in header]

    def _open(self, source: PageSource, skip: int) -> csv.CSVStreamingReader:
        file: Any = source  # all that the reader asks of a file is `read`, `close` and `closed`
        return csv.open_csv(
            file,
            read_options=csv.ReadOptions(
                block_size=self.block_bytes, column_names=self._names, skip_rows_after_names=skip
            ),
            parse_options=csv.ParseOptions(delimiter=self._delimiter, newlines_in_values=True),
            convert_options=csv.ConvertOptions(
                column_types={path_of(column): self._csv_type(column) for column in self._layout.columns},
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                true_values=["true"],
                false_values=["false"],
            ),
        )

    def _csv_type(self, column: Column) -> pa.DataType:
        """Asks for decimals at full precision: narrower ones are not checked when they come in E-notation."""
        if self._is_careful(column):
            return pa.binary()
        if is_decimal(column.type):
            return pa.decimal128(MAX_PRECISION, digits(column.type)[1])
        match column.type.kind:
            case ColumnKind.TIMESTAMP:
                return pa.timestamp("us", "UTC")
            case ColumnKind.TIME:
                return pa.string()
            case _:
                return arrow_type(column.type)

    def _typed(self, batch: pa.RecordBatch) -> tuple[pa.RecordBatch, dict[str, int]]:
        rounded: dict[str, int] = {}
        arrays = []
        for column in self._layout.columns:
            values = batch.column(path_of(column))
            if self._is_careful(column):
                values, count = convert(values, column, self._layout, self._ids(batch))
                rounded |= {column.name: count} if count else {}
            else:
                values = self._checked(values, column)
            arrays.append(values)
        typed = pa.RecordBatch.from_arrays(arrays, schema=self._layout.schema)
        typed.validate(full=True)
        return typed, rounded

    def _checked(self, values: Values, column: Column) -> Values:
        try:
            if is_decimal(column.type):
                return _checked_decimals(values, column)
            if column.type.kind is ColumnKind.TIMESTAMP:
                return values.view(pa.timestamp("us"))
            return times(values) if column.type.kind is ColumnKind.TIME else values
        except pa.ArrowInvalid:
            index = self._names.index(path_of(column))
            raise pa.ArrowInvalid(f"In CSV column #{index}: refused") from None

    def _ids(self, batch: pa.RecordBatch) -> Values | None:
        index = self._layout.id_index
        return None if index is None else batch.column(path_of(self._layout.columns[index]))


def _checked_decimals(values: Values, column: Column) -> Values:
    values.validate(full=True)
    precision, scale = digits(column.type)
    ends = pc.min_max(values)
    limit = _UNSCALED_LIMIT.scaleb(-scale)
    for end in (ends["min"].as_py(), ends["max"].as_py()):
        if end is not None and abs(end) >= limit:
            raise pa.ArrowInvalid("more digits than Salesforce has")
    return values if precision == MAX_PRECISION else values.cast(pa.decimal128(precision, scale))


def _check_rows(page: Page, rows: int) -> None:
    if page.rows is not None and rows != page.rows:
        raise IncompleteExtractError(
            f"Result page {page.number} has {rows} rows, Salesforce said {page.rows}.",
            recovery=Recovery.RETRY,
        )


def _unreadable(page: Page, text: str) -> IncompleteExtractError:
    """Tells what is wrong without the reader's own words: these quote the record."""
    if "straddling" in text:
        how = f"it holds a record longer than {LARGEST_BLOCK_BYTES >> 20} MB"
    elif width := _WRONG_WIDTH.search(text):
        how = f"it holds a row of {width[2]} columns instead of {width[1]}"
    else:
        how = "it is not a CSV file as Salesforce writes it"
    return IncompleteExtractError(
        f"Result page {page.number} cannot be read: {how}.", recovery=Recovery.RETRY
    )


def _wrong_header(header: list[str], ours: list[str], page: Page) -> IncompleteExtractError:
    theirs = {name.lower() for name in header}
    asked = {name.lower() for name in ours}
    missing = [name for name in ours if name.lower() not in theirs]
    extra = [name for name in header if name.lower() not in asked]
    told = [f"without {', '.join(missing)}"] if missing else []
    told += [f"with {', '.join(extra)}"] if extra else []
    how = " and ".join(told) or "with a column twice"
    return IncompleteExtractError(
        f"The columns of result page {page.number} are not those that were asked for: it came {how}.",
        hint="If the job is not one of this command's, name the fields that it selects.",
    )
