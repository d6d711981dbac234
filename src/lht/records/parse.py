"""Result pages as one stream of typed Arrow batches, read as the pages land."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lht.records.spool import FetchesAgain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from lht.model.table import Column
    from lht.records.batches import PageParser
    from lht.records.spool import Page


@dataclass(slots=True)
class Tally:
    """What has been counted so far: records that Salesforce announced, and rounded values by column."""

    expected: int = 0
    rounded: dict[str, int] = field(default_factory=dict)

    def count_rounded(self, column: str, values: int) -> None:
        if values:
            self.rounded[column] = self.rounded.get(column, 0) + values


class RecordStream:
    """Typed records on their way into a staging table.

    `rows`, `rounded` (values per column that lost digits) and `expected` (how many records Salesforce said there
    are in what was read) are final once `reader` is spent. `error` is the first exception met inside the reader,
    Ctrl-C included: drivers wrap it in one of their own.
    """

    def __init__(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch], tally: Tally) -> None:
        import pyarrow as pa  # noqa: PLC0415  # a driver: imported where it is needed

        self.rows = 0
        self.error: BaseException | None = None
        self._tally = tally
        self.reader = pa.RecordBatchReader.from_batches(schema, self._counted(batches))

    @property
    def expected(self) -> int:
        return self._tally.expected

    @property
    def rounded(self) -> Mapping[str, int]:
        return self._tally.rounded

    def _counted(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        try:
            for batch in batches:
                self.rows += batch.num_rows
                yield batch
        except GeneratorExit:
            raise
        except BaseException as error:
            self.error = self.error or error
            raise


def stream_pages(
    pages: Iterable[Page], columns: Sequence[Column], *, object_name: str = "", delimiter: str = ","
) -> RecordStream:
    """Streams the records of CSV pages, one Arrow column per column, in order.

    Pages that can be fetched again (`FetchesAgain`, as `extract.download` gives them) are, where one proves to
    be damaged. A page's header must be the columns' fields, in any order and letter case.
    """
    from lht.records.batches import PageParser  # noqa: PLC0415  # loads pyarrow
    from lht.records.layout import Layout  # noqa: PLC0415

    layout = Layout(tuple(columns), object_name)
    tally = Tally()
    parser = PageParser(layout, tally, delimiter=delimiter)
    return RecordStream(layout.schema, _all_batches(pages, parser), tally)


def _all_batches(pages: Iterable[Page], parser: PageParser) -> Iterator[pa.RecordBatch]:
    again = pages.again if isinstance(pages, FetchesAgain) else None
    try:
        for page in pages:
            yield from parser.parse(page, again)
    finally:
        close = getattr(pages, "close", None)
        if close is not None:
            close()
