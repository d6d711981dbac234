"""Arrow streams on their way into staging tables, and results with the types that their columns are to have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.model.table import ColumnKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    import pyarrow as pa

    from lht.model.table import Column

    Batches: TypeAlias = pa.RecordBatchReader


class Stream:
    """An Arrow stream as `Warehouse.stage` takes it: `error` is the first exception that reading it met."""

    def __init__(self, batches: Batches) -> None:
        import pyarrow as pa  # noqa: PLC0415 - a driver is loaded where it is first needed

        self.error: BaseException | None = None
        self.names = tuple(batches.schema.names)
        self.reader = pa.RecordBatchReader.from_batches(batches.schema, self._watched(batches))

    def _watched(self, batches: Batches) -> Iterator[pa.RecordBatch]:
        try:
            yield from batches
        except GeneratorExit:
            raise
        except BaseException as error:
            self.error = self.error or error
            raise


def typed(batches: Batches, columns: Sequence[Column]) -> Batches:
    """Gives a result the columns' names and types, whatever the warehouse makes of whole numbers and names."""
    import pyarrow as pa  # noqa: PLC0415

    schema = pa.schema([pa.field(column.name, _arrow_type(column.type.kind)) for column in columns])

    def cast() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            arrays = [batch.column(place).cast(field.type) for place, field in enumerate(schema)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, cast())


def _arrow_type(kind: ColumnKind) -> pa.DataType:
    import pyarrow as pa  # noqa: PLC0415

    plain: dict[ColumnKind, pa.DataType] = {
        ColumnKind.INTEGER: pa.int64(),
        ColumnKind.FLOAT: pa.float64(),
        ColumnKind.BOOLEAN: pa.bool_(),
        ColumnKind.TIMESTAMP: pa.timestamp("us"),
    }
    return plain.get(kind, pa.string())
