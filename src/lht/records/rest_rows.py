"""REST query answers as the same stream of typed Arrow batches that Bulk results are, one batch for each page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lht.errors import IncompleteExtractError
from lht.records.parse import RecordStream, Tally

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import pyarrow as pa

    from lht.model.table import Column
    from lht.records.layout import Layout


def stream_rest(
    pages: Iterable[Mapping[str, Any]], columns: Sequence[Column], *, object_name: str = ""
) -> RecordStream:
    """Streams the records of `query` or `queryAll` answers, at most 2,000 at a time.

    A dotted path whose parent is null is null; any other field that an answer lacks is an error, as a value that
    was not read must not become a null.
    """
    from lht.records.layout import Layout  # noqa: PLC0415  # loads pyarrow

    layout = Layout(tuple(columns), object_name)
    tally = Tally()
    return RecordStream(layout.schema, _batches(pages, layout, tally), tally)


def _batches(pages: Iterable[Mapping[str, Any]], layout: Layout, tally: Tally) -> Iterator[pa.RecordBatch]:
    is_first = True
    for page in pages:
        records = page["records"]
        if is_first:
            tally.expected = int(page.get("totalSize", len(records)))
            is_first = False
        if records:
            yield _batch(records, layout, tally)


def _batch(records: Sequence[Mapping[str, Any]], layout: Layout, tally: Tally) -> pa.RecordBatch:
    import pyarrow as pa  # noqa: PLC0415  # a driver: imported where it is needed

    from lht.records.convert import convert  # noqa: PLC0415
    from lht.records.layout import path_of  # noqa: PLC0415

    texts = [
        pa.array([_text(_value(record, path_of(column).split("."))) for record in records], pa.string())
        for column in layout.columns
    ]
    ids = None if layout.id_index is None else texts[layout.id_index]
    arrays = []
    for column, column_texts in zip(layout.columns, texts, strict=True):
        values, rounded = convert(column_texts, column, layout, ids)
        tally.count_rounded(column.name, rounded)
        arrays.append(values)
    batch = pa.RecordBatch.from_arrays(arrays, schema=layout.schema)
    batch.validate(full=True)
    return batch


def text_at(record: Mapping[str, Any], path: str) -> str | None:
    """A field of a record, or of its parent, as the text that Bulk would print.

    Numbers keep their spelling only where the answer was read with `parse_float=str`.
    """
    return _text(_value(record, path.split(".")))


def _value(record: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = record
    for step in path:
        if value is None:
            return None
        value = _step(value, step)
    return value


def _step(record: Mapping[str, Any], name: str) -> Any:
    """Answers have the org's spelling of names, whatever was asked."""
    if name in record:
        return record[name]
    for key, value in record.items():
        if key.lower() == name.lower():
            return value
    raise IncompleteExtractError(f"The REST answer lacks the field {name}, which was asked for.")


def _text(value: Any) -> str | None:
    """Gives a JSON value as Bulk would print it; there is no empty text, and no NUL character."""
    match value:
        case None:
            return None
        case str():
            return value.replace("\0", "") or None
        case bool():
            return "true" if value else "false"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False)
        case _:
            return str(value)
