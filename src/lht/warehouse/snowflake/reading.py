"""Results as Arrow batches of one schema, chunk by chunk as Snowflake sends them.

Chunks of one result differ in their Arrow types: whole numbers are as narrow as their values allow, timestamps as
precise. So the schema comes from the result's description, and every chunk is cast to it. That numbers with decimals
come as such, not as floats, `link` sees to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pyarrow as pa
    from snowflake.connector.cursor import SnowflakeCursor

FIXED, REAL, DATE, BINARY, TIME, BOOLEAN = 0, 1, 3, 11, 12, 13
TIMESTAMPS = {4, 6, 7, 8}
"""The connector's codes of types; those not named here come as text."""
INT64_DIGITS = 18
ROWS_AT_ONCE = 10_000


def result_schema(description: Sequence[Any]) -> pa.Schema:
    """The Arrow schema of a result."""
    import pyarrow as pa  # noqa: PLC0415

    return pa.schema([pa.field(column.name, _type(column)) for column in description])


def _type(column: Any) -> pa.DataType:
    import pyarrow as pa  # noqa: PLC0415

    if column.type_code == FIXED:
        if column.scale:
            return pa.decimal128(column.precision or 38, column.scale)
        return pa.int64() if (column.precision or 38) <= INT64_DIGITS else pa.decimal128(38, 0)
    if column.type_code in TIMESTAMPS:
        return pa.timestamp("us")
    others: dict[int, pa.DataType] = {
        REAL: pa.float64(),
        DATE: pa.date32(),
        BINARY: pa.binary(),
        TIME: pa.time64("us"),
        BOOLEAN: pa.bool_(),
    }
    return others.get(column.type_code, pa.string())


def batches(cursor: SnowflakeCursor, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Gives what a cursor has found, chunk by chunk."""
    from snowflake.connector.errors import NotSupportedError  # noqa: PLC0415

    try:
        for chunk in cursor.fetch_arrow_batches(force_microsecond_precision=True):
            yield from _typed(chunk, schema).to_batches()
    except NotSupportedError:  # a session whose results come as JSON
        yield from _from_rows(cursor, schema)


def _typed(chunk: pa.Table, schema: pa.Schema) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415

    columns = [_cast(chunk.column(place), field.type) for place, field in enumerate(schema)]
    return pa.Table.from_arrays(columns, schema=schema)


def _cast(column: pa.ChunkedArray[Any], wanted: pa.DataType) -> pa.ChunkedArray[Any]:
    import pyarrow as pa  # noqa: PLC0415

    if column.type == wanted:
        return column
    # Digits beyond microseconds are dropped, as Salesforce and DuckDB have none.
    return column.cast(wanted, safe=not pa.types.is_temporal(wanted))


def _from_rows(cursor: SnowflakeCursor, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa  # noqa: PLC0415

    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        columns: Iterable[Sequence[object]] = zip(*rows, strict=True)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
