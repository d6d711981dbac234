"""Columns as Arrow sees them: the schema that every stream of records has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from lht.model.table import ColumnKind

if TYPE_CHECKING:
    from lht.model.table import Column, ColumnType

MAX_PRECISION: Final = 38

_SIMPLE: Final[dict[ColumnKind, pa.DataType]] = {
    ColumnKind.TEXT: pa.string(),
    ColumnKind.VARIANT: pa.string(),
    ColumnKind.FLOAT: pa.float64(),
    ColumnKind.BOOLEAN: pa.bool_(),
    ColumnKind.DATE: pa.date32(),
    ColumnKind.TIMESTAMP: pa.timestamp("us"),
    ColumnKind.TIME: pa.time64("us"),
}


def arrow_type(column_type: ColumnType) -> pa.DataType:
    """Gives the Arrow type of a column's values; timestamps have no zone and hold UTC."""
    if column_type.kind in _SIMPLE:
        return _SIMPLE[column_type.kind]
    return pa.decimal128(*digits(column_type))


def digits(column_type: ColumnType) -> tuple[int, int]:
    """Gives precision and scale of a decimal or whole number."""
    if column_type.kind is ColumnKind.INTEGER:
        return MAX_PRECISION, 0
    return column_type.precision or MAX_PRECISION, column_type.scale or 0


def is_decimal(column_type: ColumnType) -> bool:
    """Tells whether values are exact numbers, whole ones among them."""
    return column_type.kind not in _SIMPLE


def path_of(column: Column) -> str:
    """Gives the field that a column is read from; the columns of streams always have one."""
    return column.field or column.name


@dataclass(frozen=True)
class Layout:
    """The columns of a stream, and the object whose records they hold (for messages)."""

    columns: tuple[Column, ...]
    object_name: str = ""

    @cached_property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(column.name, arrow_type(column.type)) for column in self.columns])

    @cached_property
    def id_index(self) -> int | None:
        """Where the record's Id is, None if it was not asked for."""
        return next((i for i, column in enumerate(self.columns) if path_of(column).lower() == "id"), None)
