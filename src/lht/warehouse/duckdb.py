"""The warehouse port on DuckDB, over a connection of our own or of a caller.

Staging tables are TEMP tables: they are written without compression, three times as fast as tables of the file,
leave the file no larger, and end with the connection however the process ends. Only the connection that staged
rows sees them.
"""

from __future__ import annotations

import contextlib
import re
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from lht.errors import (
    CapabilityMissingError,
    LhtError,
    MissingTableError,
    PrivilegeError,
    Recovery,
    RunLockedError,
    StatementError,
    WarehouseError,
    WarehouseUnreachableError,
)
from lht.model.table import NO_OPTIONS, Capabilities, Column, ColumnKind, ColumnType, TableName, TableOptions
from lht.warehouse import statements
from lht.warehouse.adapting import dropped_if_unfilled, first_line, headline, naive, placed_name
from lht.warehouse.memory import MEMORY_LIMIT_MB, THREADS, Memory
from lht.warehouse.statements import Dialect, Statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import TracebackType

    import duckdb
    import pyarrow as pa

    from lht.warehouse.port import RowStream

CAPABILITIES = Capabilities(
    name="duckdb",
    state_schema="lht",
    folds_upper=False,
    has_text_length=False,
    has_column_comments=True,
    has_variant=True,
    widens_text=True,
    widens_precision=True,
    has_transactional_ddl=True,
    has_table_options=False,
    is_single_process=True,
)

DIALECT = Dialect(
    name="duckdb",
    types={
        ColumnKind.TEXT: "VARCHAR",
        ColumnKind.INTEGER: "HUGEINT",
        ColumnKind.DECIMAL: "DECIMAL({precision},{scale})",
        ColumnKind.FLOAT: "DOUBLE",
        ColumnKind.BOOLEAN: "BOOLEAN",
        ColumnKind.DATE: "DATE",
        ColumnKind.TIMESTAMP: "TIMESTAMP",
        ColumnKind.TIME: "TIME",
        ColumnKind.VARIANT: "JSON",
    },
    create_scratch="CREATE OR REPLACE TEMP TABLE",
    clock="make_timestamp(epoch_us(get_current_timestamp()))",
    row_hash="hash",
    merge_limit=1_000,
    view_comment=(
        "SELECT comment FROM duckdb_views()\n"
        "WHERE lower(database_name) = lower(?) AND lower(schema_name) = lower(?) AND lower(view_name) = lower(?)"
    ),
)

READ_ROWS = 10_000
"""A batch of a result: DuckDB's own choice, a million rows, would hold most results whole."""
LOCK_POLL_S = 0.1
SCHEMA_TRIES, SCHEMA_POLL_S = 100, 0.02
_INTERRUPTED = "Query interrupted"
"""What DuckDB makes of Ctrl-C: a plain RuntimeError."""

_KINDS = {
    "BIGINT": ColumnKind.INTEGER,
    "BOOLEAN": ColumnKind.BOOLEAN,
    "DATE": ColumnKind.DATE,
    "DOUBLE": ColumnKind.FLOAT,
    "FLOAT": ColumnKind.FLOAT,
    "HUGEINT": ColumnKind.INTEGER,
    "INTEGER": ColumnKind.INTEGER,
    "JSON": ColumnKind.VARIANT,
    "SMALLINT": ColumnKind.INTEGER,
    "TIME": ColumnKind.TIME,
    "TIMESTAMP": ColumnKind.TIMESTAMP,
    "TINYINT": ColumnKind.INTEGER,
    "UBIGINT": ColumnKind.INTEGER,
    "UHUGEINT": ColumnKind.INTEGER,
    "UINTEGER": ColumnKind.INTEGER,
    "USMALLINT": ColumnKind.INTEGER,
    "UTINYINT": ColumnKind.INTEGER,
    "VARCHAR": ColumnKind.TEXT,
}


def open_duckdb(
    path: str,
    *,
    schema: str | None = None,
    lock_timeout_s: float = 10.0,
    memory_limit_mb: int | None = None,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> DuckDBWarehouse:
    """Opens a database file (or `:memory:`, or a `duckdb:///` address) with settings of our own.

    `schema` is where tables lie that name none, instead of the database's own default.
    A file that another process holds is tried again for `lock_timeout_s`, then RunLockedError names that process.
    """
    path = _plain_path(path)
    # A database in memory has its rows there: a limit would only make it spill into the working folder.
    limit_mb = memory_limit_mb or (MEMORY_LIMIT_MB if path != ":memory:" else None)
    deadline = monotonic() + lock_timeout_s
    while True:
        try:
            connection = _connect(path, limit_mb)
        except RunLockedError:
            if monotonic() >= deadline:
                raise
            sleep(LOCK_POLL_S)
        else:
            return DuckDBWarehouse(connection, label=path, owned=True, schema=schema, memory=Memory(limit_mb))


def from_connection(connection: duckdb.DuckDBPyConnection) -> DuckDBWarehouse:
    """Wraps a caller's connection: no setting is changed, it is never closed, an open transaction is refused."""
    _refuse_open_transaction(connection)
    return DuckDBWarehouse(connection, label="", owned=False)


def _refuse_open_transaction(connection: duckdb.DuckDBPyConnection) -> None:
    """Raises WarehouseError if the caller left a transaction open, without disturbing it.

    Outside transactions every statement has a transaction id of its own. (A second BEGIN would tell too, but it
    spoils the open transaction.)
    """
    import duckdb  # noqa: PLC0415

    asking = "SELECT txid_current()"
    try:
        is_open = connection.execute(asking).fetchall() == connection.execute(asking).fetchall()
    except duckdb.TransactionException:
        is_open = True
    except duckdb.Error as error:
        raise WarehouseUnreachableError(
            f"The DuckDB connection cannot be used: {first_line(error)}",
            hint="Pass one that is open: duckdb.connect('lake.duckdb').",
        ) from error
    if is_open:
        raise WarehouseError(
            "The DuckDB connection has an open transaction.",
            hint="COMMIT or ROLLBACK first: LHT commits rows and state in transactions of its own.",
        )


def _plain_path(path: str) -> str:
    """Reads `duckdb:///relative.duckdb`, `duckdb:////absolute.duckdb` and `duckdb:///:memory:` as SQLAlchemy does."""
    if not path.startswith("duckdb:"):
        return path
    plain = re.sub(r"^duckdb:(///)?", "", path)
    return plain or ":memory:"


def _connect(path: str, limit_mb: int | None) -> duckdb.DuckDBPyConnection:
    import duckdb  # noqa: PLC0415 - a driver is loaded where it is first needed

    limit = {"memory_limit": f"{limit_mb}MB"} if limit_mb else {}
    try:
        return duckdb.connect(path, config={"preserve_insertion_order": "false", "threads": THREADS, **limit})
    except duckdb.Error as error:
        raise _opening_error(error, path) from error


def _opening_error(error: duckdb.Error, path: str) -> LhtError:
    text = str(error)
    if "Could not set lock" in text or "being used by another process" in text:
        found = re.search(r"PID (\d+)", text)
        holder = f"process {found[1]}" if found else "another process"
        close = f"Wait for process {found[1]} to end" if found else "Wait for the other run to end"
        return RunLockedError(
            f"Another program, {holder}, holds the DuckDB file {path}.",
            hint=f"{close}, or close the program that holds the file.",
            pid=int(found[1]) if found else None,
        )
    hint = "Check that its folder exists, that you may write there, and that the file is a DuckDB database."
    if "different configuration" in text:
        hint = "This process has the file open already: hand that connection to LHT instead."
    return WarehouseUnreachableError(f"Cannot open the DuckDB file {path}: {first_line(text)}", hint=hint)


def translate(error: duckdb.Error, doing: str) -> LhtError:
    """Turns a driver's error into ours; the only place that reads DuckDB's texts once a database is open."""
    import duckdb  # noqa: PLC0415

    text = f"DuckDB could not {doing}: {first_line(error)}"
    if isinstance(error, duckdb.TransactionException) and "onflict" in str(error):
        return StatementError(text, hint="Run it again.", recovery=Recovery.RETRY)
    if isinstance(error, duckdb.CatalogException) and "does not exist" in str(error):
        return MissingTableError(text)
    if isinstance(error, duckdb.OutOfMemoryException):
        hint = "Free some disk space, or allow DuckDB more memory."
        return StatementError(text, hint=hint, recovery=Recovery.RETRY)
    if isinstance(error, duckdb.PermissionException) or "read-only" in str(error):
        return PrivilegeError(text, hint="Open the database with write access.")
    if "single attached database" in str(error):
        return StatementError(text, hint="Keep the table and LHT's own tables in one database file.")
    return StatementError(text)


class DuckDBWarehouse:
    """One connection to a DuckDB database; see `lht.warehouse.port.Warehouse`."""

    capabilities = CAPABILITIES
    dialect = DIALECT

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        label: str,
        owned: bool,
        schema: str | None = None,
        memory: Memory | None = None,
    ) -> None:
        self._connection = connection
        self._owned = owned
        self._memory = memory
        self._in_transaction = False
        if memory:
            self.execute(Statement("SET TimeZone = 'UTC'"))
        self._catalog, self._schema = self._defaults()
        self._schema = schema or self._schema
        self._label = label or self._catalog
        if owned and schema:
            self._look_there_first(schema)

    def _look_there_first(self, schema: str) -> None:
        """Lets a user's query find the tables that it names without a schema where LHT puts such tables."""
        sql = "SELECT 1 FROM duckdb_schemas() WHERE database_name = ? AND lower(schema_name) = lower(?)"
        is_there = self.query(Statement(sql, (self._catalog, schema)))
        if is_there:  # else it is created with the first table in it
            path = f"{statements.quote(schema)},{statements.quote('main')}"
            self.execute(Statement(f"SET search_path = {statements.quote_text(path)}"))

    def _defaults(self) -> tuple[str, str]:
        ((catalog, schema),) = self.query(Statement("SELECT current_catalog(), current_schema()"))
        return str(catalog), str(schema)

    @property
    def description(self) -> str:
        return f"duckdb {self._label}"

    # ---- names and shapes

    def table_name(self, table: str, schema: str | None = None) -> TableName:
        catalog, schema, name = placed_name(table, schema, folds_upper=False)
        return self._as_stored(TableName(catalog or self._catalog, schema or self._schema, name))

    def _as_stored(self, table: TableName) -> TableName:
        """Gives the spelling of a table that exists: names ignore letter case here, but state is kept by name."""
        sql = (
            "SELECT database_name, schema_name, table_name FROM duckdb_tables()\n"
            "WHERE lower(database_name) = lower(?) AND lower(schema_name) = lower(?) AND lower(table_name) = lower(?)"
        )
        for row in self.query(Statement(sql, (table.catalog, table.schema, table.name))):
            return TableName(*(str(part) for part in row))
        return table

    def columns(self, table: TableName) -> tuple[Column, ...] | None:
        sql = (
            "SELECT column_name, data_type, numeric_precision, numeric_scale, comment FROM duckdb_columns()\n"
            "WHERE lower(database_name) = lower(?) AND lower(schema_name) = lower(?) AND lower(table_name) = lower(?)\n"
            "ORDER BY column_index"
        )
        rows: list[tuple[Any, ...]] = self.query(Statement(sql, (table.catalog, table.schema, table.name)))
        found = tuple(
            Column(name, _column_type(data_type, precision, scale), comment=comment or "")
            for name, data_type, precision, scale, comment in rows
        )
        return found or None

    def row_count(self, table: TableName) -> int:
        ((count,),) = self.query(statements.count_rows(table))
        return int(str(count))

    def create_schema(self, table: TableName) -> None:
        # A schema that another thread is creating is a conflict, even with IF NOT EXISTS, until that one commits.
        for _ in range(SCHEMA_TRIES):
            try:
                self.execute(statements.create_schema(table))
            except StatementError as error:
                if error.recovery is not Recovery.RETRY or self._in_transaction:
                    raise
                time.sleep(SCHEMA_POLL_S)
            else:
                return
        self.execute(statements.create_schema(table))

    def create_table(
        self,
        table: TableName,
        columns: Sequence[Column],
        *,
        comment: str = "",
        options: TableOptions = NO_OPTIONS,
    ) -> None:
        if options != NO_OPTIONS:
            raise CapabilityMissingError(
                f"DuckDB has no transient or clustered tables and no retention time, as asked for {table}.",
                hint="Leave these options out, or use a Snowflake connection.",
            )
        creating = statements.create_table(table, columns, self.dialect)
        self._together([creating, *statements.comments(table, columns, self.dialect, comment)])

    def add_columns(self, table: TableName, columns: Sequence[Column]) -> None:
        adding = [statements.add_column(table, column, self.dialect) for column in columns]
        self._together([*adding, *statements.comments(table, columns, self.dialect)])

    def _together(self, group: Sequence[Statement]) -> None:
        """Runs all or nothing, in the transaction that is open or in one of its own."""
        with contextlib.nullcontext() if self._in_transaction else self.transaction():
            for statement in group:
                self.execute(statement)

    def alter_type(self, table: TableName, column: str, new_type: ColumnType) -> None:
        self.execute(statements.alter_type(table, column, new_type, self.dialect))

    def rename_column(self, table: TableName, old: str, new: str) -> None:
        self.execute(statements.rename_column(table, old, new))

    def drop_table(self, table: TableName) -> None:
        self.execute(statements.drop_table(table))
        if self._memory:
            self._memory.release((id(self._connection), table.name))

    # ---- statements

    def execute(self, statement: Statement) -> int:
        rows = self._run(statement)
        return int(rows[0][0]) if rows and len(rows[0]) == 1 and isinstance(rows[0][0], int) else 0

    def query(self, statement: Statement) -> list[tuple[object, ...]]:
        return self._run(statement)

    def _run(self, statement: Statement) -> list[tuple[Any, ...]]:
        import duckdb  # noqa: PLC0415

        try:
            return self._connection.execute(statement.sql, list(map(naive, statement.params))).fetchall()
        except duckdb.OutOfMemoryException as error:
            if not self._may_take_more():  # inside a transaction, all of it must be done again
                raise translate(error, f"run {headline(statement.sql)}") from error
            return self._run(statement)
        except duckdb.Error as error:
            raise translate(error, f"run {headline(statement.sql)}") from error
        except RuntimeError as error:
            if str(error) == _INTERRUPTED:
                raise KeyboardInterrupt from None
            raise

    def read(self, statement: Statement) -> pa.RecordBatchReader:
        import duckdb  # noqa: PLC0415

        try:
            found = self._connection.sql(statement.sql, params=list(map(naive, statement.params)))
            reader: pa.RecordBatchReader = found.to_arrow_reader(READ_ROWS)
        except duckdb.Error as error:
            raise translate(error, f"run {headline(statement.sql)}") from error
        return reader

    def stage(self, columns: Sequence[Column], stream: RowStream, name: str) -> TableName:
        table = TableName("temp", "main", name)
        self.execute(statements.create_scratch(table, columns, self.dialect))
        if self._memory:
            self._memory.reserve((id(self._connection), name), len(columns), self._set_limit)
        with dropped_if_unfilled(self, table, stream):
            self._fill(table, stream)
        return table

    def _fill(self, table: TableName, stream: RowStream) -> None:
        source = f"{table.name}_stream"
        self._connection.register(source, self._watched(stream.reader))
        try:
            self.execute(
                Statement(
                    f"INSERT INTO {statements.quote_table(table)} SELECT * FROM {statements.quote(source)}"
                )
            )
        finally:
            self._connection.unregister(source)

    def _watched(self, reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """Lets the memory limit follow the size of the rows that pass."""
        import pyarrow as pa  # noqa: PLC0415

        memory = self._memory
        if memory is None:
            return reader

        def batches() -> Iterator[pa.RecordBatch]:
            with self._connection.cursor() as other:
                for batch in reader:
                    if batch.num_rows:
                        memory.observe(batch.nbytes / batch.num_rows, lambda mb: _set_limit(other, mb))
                    yield batch

        return pa.RecordBatchReader.from_batches(reader.schema, batches())

    # ---- transactions, clock, connections

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        if self._in_transaction:
            raise StatementError("A transaction is open already; transactions are never nested.")
        self.execute(Statement("BEGIN TRANSACTION"))
        self._in_transaction = True
        try:
            yield
            self.execute(Statement("COMMIT"))
        except BaseException:
            # A failed COMMIT has rolled back by itself, and then there is nothing left to roll back.
            with contextlib.suppress(StatementError):
                self.execute(Statement("ROLLBACK"))
            raise
        finally:
            self._in_transaction = False

    def reconnect(self) -> None:
        raise WarehouseUnreachableError(f"The connection to {self.description} cannot be opened again.")

    def clear_leftovers(self, run_id: str, *, is_gone: bool = False) -> None:
        """Nothing is left: staging tables end with their process."""

    def tag(self, run_id: str, object_name: str = "") -> None:
        """DuckDB keeps no history of statements."""

    def make_room(self) -> None:
        if self._memory:
            self._memory.make_room(self._set_limit)

    def _set_limit(self, limit_mb: int) -> None:
        _set_limit(self._connection, limit_mb)

    def _may_take_more(self) -> bool:
        """Raises the limit for another try of a single statement, a few times at most."""
        if self._memory is None or self._in_transaction or self._memory.is_exhausted:
            return False
        self.make_room()
        return True

    def now(self) -> datetime:
        ((microseconds,),) = self._run(Statement("SELECT epoch_us(get_current_timestamp())"))
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)

    def fork(self) -> DuckDBWarehouse:
        connection = self._connection.cursor()
        other = DuckDBWarehouse(connection, label=self._label, owned=True, memory=self._memory)
        other._catalog, other._schema = self._catalog, self._schema
        return other

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._owned:
            self._connection.close()


def _set_limit(connection: duckdb.DuckDBPyConnection, limit_mb: int) -> None:
    connection.execute(f"SET memory_limit = '{limit_mb}MB'")


def _column_type(data_type: str, precision: int | None, scale: int | None) -> ColumnType:
    """Reads a type of DuckDB; types that LHT never creates are text or, if nested, variant."""
    if data_type.startswith("DECIMAL"):
        return ColumnType(ColumnKind.DECIMAL, precision=precision, scale=scale)
    if data_type.startswith("TIMESTAMP"):
        return ColumnType(ColumnKind.TIMESTAMP)
    if data_type in _KINDS:
        return ColumnType(_KINDS[data_type])
    is_nested = data_type.endswith("]") or data_type.startswith(("STRUCT", "MAP", "UNION", "VARIANT"))
    return ColumnType(ColumnKind.VARIANT if is_nested else ColumnKind.TEXT)
