"""What the suites share: rows as streams, names as the warehouse stores them, a table in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lht.mapping.names import column_name
from lht.model.table import Column, ColumnKind, ColumnType
from lht.records.layout import arrow_type
from lht.warehouse.statements import Statement, listed, quote_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lht.model.table import TableName
    from lht.warehouse.port import Warehouse

TEXT = ColumnType(ColumnKind.TEXT)
WHOLE = ColumnType(ColumnKind.INTEGER)
FLAG = ColumnType(ColumnKind.BOOLEAN)
MOMENT = ColumnType(ColumnKind.TIMESTAMP)
Row = tuple[Any, ...]
SCHEMAS = ("LHT_SUITE", "LHT_SUITE_SHARED", "LHT_SUITE_STATE")
"""The schemas that the suites make, beside LHT's own."""


@dataclass
class Stream:
    """Rows on their way into a staging table; `error` is what the reader met."""

    reader: pa.RecordBatchReader
    error: BaseException | None = None


def stored_column(warehouse: Warehouse, name: str, column_type: ColumnType = TEXT) -> Column:
    """A column under the name that the warehouse gives a field."""
    return Column(column_name(name, warehouse.capabilities), column_type)


def batch_of(columns: Sequence[Column], rows: Sequence[Row]) -> pa.RecordBatch:
    """Rows as one typed batch."""
    schema = schema_of(columns)
    arrays = [pa.array([row[n] for row in rows], field.type) for n, field in enumerate(schema)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def schema_of(columns: Sequence[Column]) -> pa.Schema:
    """The Arrow schema of a stream with these columns."""
    return pa.schema([(column.name, arrow_type(column.type)) for column in columns])


def stream_of(columns: Sequence[Column], *batches: Sequence[Row]) -> Stream:
    """Rows, batch by batch, as a stream."""
    made = [batch_of(columns, rows) for rows in batches]
    return Stream(pa.RecordBatchReader.from_batches(schema_of(columns), made))


def failing_stream(columns: Sequence[Column], error: BaseException, *batches: Sequence[Row]) -> Stream:
    """A stream whose reader raises after these batches."""

    def read() -> Iterable[pa.RecordBatch]:
        yield from (batch_of(columns, rows) for rows in batches)
        stream.error = error
        raise error

    stream = Stream(pa.RecordBatchReader.from_batches(schema_of(columns), read()))
    return stream


def table_with(
    warehouse: Warehouse, columns: Sequence[Column], *rows: Row, name: str = "LHT_SUITE.T"
) -> TableName:
    """Creates a table, and its schema, with rows."""
    table = warehouse.table_name(name)
    warehouse.create_schema(table)
    warehouse.create_table(table, columns)
    for row in rows:
        warehouse.execute(insert_row(table, dict(zip((c.name for c in columns), row, strict=True))))
    return table


def insert_row(table: TableName, values: Mapping[str, object]) -> Statement:
    """Inserts one row."""
    marks = ", ".join("?" for _ in values)
    return Statement(
        f"INSERT INTO {quote_table(table)} ({listed(values)}) VALUES ({marks})", tuple(values.values())
    )


def rows_of(warehouse: Warehouse, table: TableName) -> list[Row]:
    """All rows of a table, by its first column."""
    return [
        tuple(row) for row in warehouse.query(Statement(f"SELECT * FROM {quote_table(table)} ORDER BY 1"))
    ]
