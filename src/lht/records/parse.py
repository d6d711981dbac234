"""Result pages as one stream of typed Arrow batches, read as the pages land."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lht.records.spool import FetchesAgain

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from lht.model.table import Column
    from lht.records.batches import PageParser
    from lht.records.spool import Page


@dataclass(slots=True)
class Tally:
    """What has been read so far: `expected` is how many records Salesforce announced in it."""

    rows: int = 0
    expected: int = 0
    rounded: dict[str, int] = field(default_factory=dict)
    error: BaseException | None = None

    def count_rounded(self, column: str, values: int) -> None:
        if values:
            self.rounded[column] = self.rounded.get(column, 0) + values


class RecordStream:
    """Typed records on their way into a staging table.

    `rows`, `rounded` (values per column that lost digits) and `expected` (how many records Salesforce announced)
    are final once `reader` is spent. `error` is the first exception met inside the reader, Ctrl-C included:
    drivers wrap it in one of their own. A stream that is not read to its end wants a `close()`, or to be dropped,
    so that downloads behind it stop.
    """

    def __init__(self, schema: pa.Schema, batches: Iterable[pa.RecordBatch], tally: Tally) -> None:
        import pyarrow as pa  # noqa: PLC0415  # a driver: imported where it is needed

        self._tally = tally
        self._counted = _counted(batches, tally)
        self.reader = pa.RecordBatchReader.from_batches(schema, self._counted)

    @property
    def rows(self) -> int:
        return self._tally.rows

    @property
    def expected(self) -> int:
        return self._tally.expected

    @property
    def rounded(self) -> Mapping[str, int]:
        return self._tally.rounded

    @property
    def error(self) -> BaseException | None:
        return self._tally.error

    def close(self) -> None:
        """Ends the stream where it is; not to be called from another thread while it is read."""
        self._counted.close()


def _counted(batches: Iterable[pa.RecordBatch], tally: Tally) -> Generator[pa.RecordBatch, None, None]:
    try:
        for batch in batches:
            tally.rows += batch.num_rows
            yield batch
    except GeneratorExit:
        raise
    except BaseException as error:
        tally.error = tally.error or error
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
