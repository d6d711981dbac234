"""Entries of getDeleted as Arrow batches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lht.records.parse import RecordStream, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from lht.model.salesforce import DeletedRecord

_BATCH_ROWS: Final = 50_000


def stream_deletions(records: Sequence[DeletedRecord]) -> RecordStream:
    """Streams `Id` and `deleted_at` (UTC, without a zone)."""
    import pyarrow as pa  # noqa: PLC0415  # a driver: imported where it is needed

    schema = pa.table(
        {"Id": pa.array([], pa.string()), "deleted_at": pa.array([], pa.timestamp("us"))}
    ).schema
    return RecordStream(schema, _batches(records, schema), Tally(expected=len(records)))


def _batches(records: Sequence[DeletedRecord], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa  # noqa: PLC0415

    for start in range(0, len(records), _BATCH_ROWS):
        part = records[start : start + _BATCH_ROWS]
        ids = pa.array([record.id for record in part], pa.string())
        times = pa.array([record.deleted_at for record in part], pa.timestamp("us", "UTC"))
        yield pa.RecordBatch.from_arrays([ids, times.view(pa.timestamp("us"))], schema=schema)
