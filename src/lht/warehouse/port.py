"""What every warehouse offers to the rooms above it; they see this protocol, never an adapter.

One `Warehouse` is one connection and belongs to one thread at a time: other threads take a `fork()`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

from lht.model.table import NO_OPTIONS
from lht.warehouse.statements import Dialect, Statement

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime
    from types import TracebackType

    import pyarrow as pa

    from lht.model.table import Capabilities, Column, ColumnType, TableName, TableOptions

__all__ = ["Dialect", "RowStream", "Statement", "Warehouse"]


class RowStream(Protocol):
    """Typed rows on their way into a staging table.

    `error` is the first exception that the reader met: drivers wrap it, so `stage` raises this one instead.
    """

    @property
    def reader(self) -> pa.RecordBatchReader: ...

    @property
    def error(self) -> BaseException | None: ...


class Warehouse(Protocol):
    """One connection to a warehouse."""

    @property
    def capabilities(self) -> Capabilities: ...

    @property
    def dialect(self) -> Dialect: ...

    @property
    def description(self) -> str:
        """What people call it, such as `duckdb lht.duckdb`; never a secret."""
        ...

    def table_name(self, table: str, schema: str | None = None) -> TableName:
        """Resolves `T`, `s.T` or `c.s.T` against the connection's own catalog and schema.

        `schema` (`s` or `c.s`) stands in where `table` names none.
        """
        ...

    def columns(self, table: TableName) -> tuple[Column, ...] | None:
        """Gives a table's columns in order, None if there is no such table."""
        ...

    def row_count(self, table: TableName) -> int: ...

    def create_schema(self, table: TableName) -> None:
        """Creates the schema that `table` lies in, if it is missing."""
        ...

    def create_table(
        self,
        table: TableName,
        columns: Sequence[Column],
        *,
        comment: str = "",
        options: TableOptions = NO_OPTIONS,
    ) -> None:
        """Creates a table with its comments; one that exists already is an error.

        CapabilityMissingError for options that this warehouse does not have.
        """
        ...

    def add_columns(self, table: TableName, columns: Sequence[Column]) -> None:
        """Adds columns, empty for all rows; those that exist already are left as they are."""
        ...

    def alter_type(self, table: TableName, column: str, new_type: ColumnType) -> None: ...

    def rename_column(self, table: TableName, old: str, new: str) -> None: ...

    def drop_table(self, table: TableName) -> None:
        """Drops a table if it exists."""
        ...

    def execute(self, statement: Statement) -> int:
        """Runs a statement and gives the number of rows it changed."""
        ...

    def query(self, statement: Statement) -> list[tuple[object, ...]]:
        """Gives a small result. Timestamps are naive UTC, as tables hold them."""
        ...

    def read(self, statement: Statement) -> pa.RecordBatchReader:
        """Gives a result of any size in batches; read it to its end before this connection's next statement."""
        ...

    def stage(self, columns: Sequence[Column], stream: RowStream, name: str) -> TableName:
        """Writes a stream into a new staging table, which this connection reads; the caller drops it.

        The stream's columns are `columns`, in order. Runs outside transactions. What a killed process leaves ends
        with its connection, or by `clear_leftovers`.
        """
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Commits at the end of the block, rolls back on any exception; never nested.

        WarehouseUnreachableError where the connection is lost, the answer to COMMIT included: `reconnect`, then
        look whether the transaction's rows are there.
        """
        ...

    def reconnect(self) -> None:
        """Opens a lost connection anew; WarehouseUnreachableError where that cannot be, as for a caller's."""
        ...

    def clear_leftovers(self, run_id: str, *, is_gone: bool = False) -> None:
        """Removes the staging tables and files that a run left whose process is dead.

        `is_gone`: it is known to be, not only silent: then its open transaction is ended, too.
        """
        ...

    def tag(self, run_id: str, object_name: str = "") -> None:
        """Marks the statements to come in the warehouse's own history, where it keeps one."""
        ...

    def make_room(self) -> None:
        """Allows the next transaction more memory, where LHT limits it: it rewrites many rows, or ran out."""
        ...

    def now(self) -> datetime:
        """The warehouse's clock: aware, UTC."""
        ...

    def fork(self) -> Warehouse:
        """Gives another thread its way to the same database, with the same defaults.

        That is a connection of its own, or, where none can be opened without a person or the caller, a view of this
        one, which waits while a statement or transaction of another view runs. Any thread may ask for it, also while
        this connection is at work.
        """
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes as `close` does."""
        ...

    def close(self) -> None:
        """Closes what LHT opened; a caller's connection stays open."""
        ...
