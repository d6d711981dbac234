"""The warehouse port on Snowflake, over a login of our own or a caller's session.

What LHT makes for itself lies in the schema LHT beside its state: the internal stage LHT_STAGE with a folder for each
run and staging table, and transient staging tables without Time Travel, whose names hold the run's id. DDL would
commit an open transaction, so none runs inside one. Names are written in full, so no session setting matters.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import time
from datetime import UTC, datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Self

from lht.errors import (
    ConfigError,
    MissingTableError,
    PrivilegeError,
    StatementError,
    WarehouseError,
    WarehouseUnreachableError,
)
from lht.model.table import NO_OPTIONS, Column, ColumnType, TableName, TableOptions
from lht.warehouse import statements
from lht.warehouse.adapting import dropped_if_unfilled, headline, naive, placed_name
from lht.warehouse.snowflake import failures, reading
from lht.warehouse.snowflake.dialect import CAPABILITIES, DIALECT, parse_type
from lht.warehouse.snowflake.link import LAST_WORD_S, WHOSE
from lht.warehouse.snowflake.staging import Loader
from lht.warehouse.statements import Statement, quote, quote_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    import pyarrow as pa
    from snowflake.connector.cursor import SnowflakeCursor

    from lht.warehouse.port import RowStream
    from lht.warehouse.snowflake.link import Files, Link

CROWDED_PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Up to so long LHT waits, each time, before it tries again to get in line for a table that many write to."""
_DDL = re.compile(r"\s*(CREATE|ALTER|DROP|TRUNCATE|COMMENT|GRANT|REVOKE|UNDROP)\b", re.IGNORECASE)
_CHANGED = {"number of rows inserted", "number of rows updated", "number of rows deleted"}


class SnowflakeWarehouse:
    """One connection to Snowflake; see `lht.warehouse.port.Warehouse`."""

    capabilities = CAPABILITIES
    dialect = DIALECT

    def __init__(
        self,
        link: Link,
        *,
        label: str = "",
        schema: str | None = None,
        work_dir: Path | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`label` is the connection's name; `schema` (`s` or `d.s`) is where tables lie that name none."""
        self._link = link
        connection = link.connection
        self._label = label or str(connection.account or "")
        self._database, self._schema = _plain(connection.database), _plain(connection.schema)
        self._work_dir = work_dir
        self._sleep = sleep
        self._tag = _query_tag()
        self._run_id = ""
        self._in_transaction = False
        if schema:
            self._use(schema)

    def _use(self, schema: str) -> None:
        parts = statements.split_name(schema, folds_upper=True)
        if len(parts) not in {1, 2}:
            raise ConfigError(f"{schema!r} is not a schema.", hint="Write schema or database.schema.")
        self._schema = parts[-1]
        self._database = parts[0] if len(parts) > 1 else self._database

    @property
    def description(self) -> str:
        return f"snowflake {self._label}".rstrip()

    # ---- names and shapes

    def table_name(self, table: str, schema: str | None = None) -> TableName:
        database, schema, name = placed_name(table, schema, folds_upper=True)
        return TableName(
            database or self._default("database", self._database, table),
            schema or self._default("schema", self._schema, table),
            name,
        )

    def _default(self, key: str, value: str, table: str) -> str:
        if not value:
            raise ConfigError(
                f"Which {key} {table!r} lies in is not known: {self.description} names none.",
                hint=self._how_to_name(key),
            )
        return value

    def _how_to_name(self, key: str) -> str:
        if self._link.is_own:
            return f'Add {key} = "…" to the connection, or write the table as database.schema.table.'
        if key == "database":
            return "Choose one in the session first, with USE DATABASE …: LHT's own tables lie there, too."
        return "Choose one in the session first, with USE SCHEMA …, or write the table as schema.table."

    def columns(self, table: TableName) -> tuple[Column, ...] | None:
        try:
            rows = self.records(Statement(f"DESCRIBE TABLE {quote_table(table)}"))
        except MissingTableError:
            return None
        return tuple(
            Column(str(row["name"]), parse_type(str(row["type"])), comment=str(row.get("comment") or ""))
            for row in rows
            if str(row.get("kind", "COLUMN")).upper() == "COLUMN"
        )

    def row_count(self, table: TableName) -> int:
        ((count,),) = self.query(statements.count_rows(table))
        return int(str(count))

    def create_schema(self, table: TableName) -> None:
        """Looks first: where the schema exists, the role need not be allowed to create one."""
        name, database = table.schema, quote(table.catalog)
        pattern = statements.quote_text(name, self.dialect)
        rows = self.records(Statement(f"SHOW SCHEMAS LIKE {pattern} IN DATABASE {database}"))
        if any(row["name"] == name for row in rows):
            return
        try:
            with self._keeping_the_callers_schema():
                self.execute(statements.create_schema(table))
        except PrivilegeError as error:
            raise PrivilegeError(
                f"Schema {table.catalog}.{name} does not exist, and role {self._role} may not create it.",
                hint=error.hint,
            ) from error

    @contextlib.contextmanager
    def _keeping_the_callers_schema(self) -> Iterator[None]:
        """CREATE SCHEMA also makes the new one the session's current one: the one USE that LHT sends puts it back.

        Where USE is refused, as in a procedure with its owner's rights, the session ends with the procedure.
        https://docs.snowflake.com/en/sql-reference/sql/create-schema
        """
        connection = self._link.connection
        before = _plain(connection.database), _plain(connection.schema)
        try:
            yield
        finally:
            changed = (_plain(connection.database), _plain(connection.schema)) != before
            if changed and not self._link.is_own and all(before):
                with contextlib.suppress(StatementError):
                    self.execute(Statement(f"USE SCHEMA {quote(before[0])}.{quote(before[1])}"))

    def create_table(
        self,
        table: TableName,
        columns: Sequence[Column],
        *,
        comment: str = "",
        options: TableOptions = NO_OPTIONS,
    ) -> None:
        self.execute(statements.create_table(table, columns, self.dialect, comment=comment, options=options))

    def add_columns(self, table: TableName, columns: Sequence[Column]) -> None:
        for column in columns:
            self.execute(statements.add_column(table, column, self.dialect))

    def alter_type(self, table: TableName, column: str, new_type: ColumnType) -> None:
        self.execute(statements.alter_type(table, column, new_type, self.dialect))

    def rename_column(self, table: TableName, old: str, new: str) -> None:
        self.execute(statements.rename_column(table, old, new))

    def drop_table(self, table: TableName) -> None:
        self.execute(statements.drop_table(table))

    # ---- statements

    def execute(self, statement: Statement) -> int:
        (row, *_) = self.records(statement) or [{}]
        return sum(int(str(count)) for name, count in row.items() if name in _CHANGED)

    def query(self, statement: Statement) -> list[tuple[object, ...]]:
        with self._translated(statement.sql):
            return [tuple(naive(value) for value in row) for row in self._run(statement).fetchall()]

    def records(self, statement: Statement) -> list[dict[str, object]]:
        """A small result by the names of its columns, for answers whose columns grow in number."""
        with self._translated(statement.sql):
            cursor = self._run(statement)
            names = [column.name for column in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def _run(self, statement: Statement, **options: Any) -> SnowflakeCursor:
        """Runs a statement; it gets in line again where too many wait for the same table."""
        from snowflake.connector import Error  # noqa: PLC0415 - a driver is loaded where it is first needed

        if self._in_transaction and _DDL.match(statement.sql):
            raise StatementError(
                f"{headline(statement.sql)} would commit the open transaction; nothing was done."
            )
        for pause_s in CROWDED_PAUSES_S:
            try:
                return self._link.execute(statement.sql, _bound(statement), tag=self._tag, **options)
            except Error as error:
                if not failures.is_crowded(error):
                    raise
            self._sleep(pause_s * random.uniform(0.5, 1.0))  # noqa: S311 - only to spread the tries
        return self._link.execute(statement.sql, _bound(statement), tag=self._tag, **options)

    @contextlib.contextmanager
    def _translated(self, sql: str) -> Iterator[None]:
        from snowflake.connector import Error  # noqa: PLC0415

        try:
            yield
        except (Error, OSError) as error:
            compute = str(self._link.connection.warehouse or "").strip('"')
            raise failures.translate(error, sql, role=self._role, warehouse=compute) from error

    @property
    def _role(self) -> str:
        return str(self._link.connection.role or "").strip('"')

    def read(self, statement: Statement) -> pa.RecordBatchReader:
        import pyarrow as pa  # noqa: PLC0415

        with self._translated(statement.sql):
            cursor = self._run(statement)
        schema = reading.result_schema(cursor.description or ())

        def batches() -> Iterator[pa.RecordBatch]:
            with self._translated(statement.sql):
                yield from reading.batches(cursor, schema)

        return pa.RecordBatchReader.from_batches(schema, batches())

    def stage(self, columns: Sequence[Column], stream: RowStream, name: str) -> TableName:
        database = self._default("database", self._database, name)
        table = TableName(database, CAPABILITIES.state_schema, name.upper())
        with dropped_if_unfilled(self, table, stream):
            self._create_staging(table, columns)
            self._loader().load(table, columns, stream)
        return table

    def _create_staging(self, table: TableName, columns: Sequence[Column]) -> None:
        creating = statements.create_scratch(table, columns, self.dialect)
        try:
            self.execute(creating)
        except MissingTableError:  # the first run of all: there is no schema LHT yet
            self.create_schema(table)
            self.execute(creating)

    def _loader(self) -> Loader:
        return Loader(self, self._put, self._run_id, self._work_dir)

    def _put(self, path: Path, folder: str) -> None:
        if self._link.files:
            self._put_by_session(self._link.files, path, folder)
            return
        place = path.as_posix().replace("\\", "\\\\").replace("'", "\\'")
        sql = f"PUT 'file://{place}' {folder} PARALLEL=4 AUTO_COMPRESS=FALSE OVERWRITE=TRUE"
        with self._translated(sql):
            self._run(Statement(sql))

    def _put_by_session(self, files: Files, path: Path, folder: str) -> None:
        from snowflake.snowpark.exceptions import SnowparkClientException  # noqa: PLC0415

        try:
            with self._link.held(), self._translated(f"PUT {folder}"):
                files.put(path, folder, tag=self._tag)
        except SnowparkClientException as error:  # Snowpark hides the connector's error in one of its own
            cause = getattr(error, "conn_error", None) or error
            raise failures.translate(cause, f"PUT {folder}", role=self._role) from error

    # ---- transactions, clock, connections

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        if self._in_transaction:
            raise StatementError("A transaction is open already; transactions are never nested.")
        with self._link.held():
            self._begin()
            self._in_transaction = True
            try:
                yield
                self.execute(Statement("COMMIT"))
            except BaseException as error:
                self._roll_back(is_lost=isinstance(error, WarehouseUnreachableError))
                raise
            finally:
                self._in_transaction = False

    def _begin(self) -> None:
        """Names the transaction after its run: so SHOW TRANSACTIONS tells whose it is, and a killed one can be ended.

        https://docs.snowflake.com/en/sql-reference/sql/begin; where a server takes no names, there is none.
        """
        if self._run_id:
            with contextlib.suppress(StatementError):
                self.execute(Statement(f"BEGIN TRANSACTION NAME {_transaction_name(self._run_id)}"))
                return
        self.execute(Statement("BEGIN"))

    def _roll_back(self, *, is_lost: bool) -> None:
        """Ends the transaction, if the session can be reached; what was committed already stays so."""
        options = {"timeout": LAST_WORD_S} if is_lost else {}
        statement = Statement("ROLLBACK")
        with contextlib.suppress(WarehouseError), self._translated(statement.sql):
            self._run(statement, **options)

    def reconnect(self) -> None:
        self._link.reconnect()

    def clear_leftovers(self, run_id: str, *, is_gone: bool = False) -> None:
        if is_gone:
            with contextlib.suppress(WarehouseError):  # it would end by itself, some minutes later
                self._end_transactions(run_id)
        mark = run_id.replace("-", "_").upper()
        schema = TableName(self._default("database", self._database, "LHT"), CAPABILITIES.state_schema, "")
        with contextlib.suppress(MissingTableError):
            shown = f"SHOW TABLES LIKE {statements.quote_text(f'%{mark}%')} IN SCHEMA {quote_table(schema)}"
            for row in self.records(Statement(shown)):
                if mark in str(row["name"]).upper():
                    self.drop_table(TableName(schema.catalog, schema.schema, str(row["name"])))
            self._loader().remove_run(schema, run_id)

    def _end_transactions(self, run_id: str) -> None:
        """Rolls back what a killed process has left open: its locks would keep others waiting for five minutes.

        Not of a process that may still live: what it did next would then be committed statement by statement.
        https://docs.snowflake.com/en/sql-reference/transactions#aborting-transactions; SHOW tells the same user's only.
        """
        name = _transaction_name(run_id)
        for row in self.records(Statement("SHOW TRANSACTIONS")):
            if str(row["name"]).upper() == name.upper():
                self.query(Statement(f"SELECT SYSTEM$ABORT_TRANSACTION({int(str(row['id']))}) AS told"))

    def tag(self, run_id: str, object_name: str = "") -> None:
        self._run_id = run_id
        self._tag = _query_tag(run_id=run_id, object=object_name)

    def make_room(self) -> None:
        """Snowflake sees to its memory itself."""

    def now(self) -> datetime:
        # SYSDATE is UTC whatever the session's TIMEZONE: https://docs.snowflake.com/en/sql-reference/functions/sysdate
        ((value,),) = self.query(Statement("SELECT SYSDATE() AS now_utc"))
        if not isinstance(value, datetime):
            raise StatementError("Snowflake did not tell its time.")
        return value.replace(tzinfo=UTC)

    def fork(self) -> SnowflakeWarehouse:
        other = SnowflakeWarehouse(
            self._link.fork(), label=self._label, work_dir=self._work_dir, sleep=self._sleep
        )
        other._database, other._schema = self._database, self._schema
        other._tag, other._run_id = self._tag, self._run_id
        return other

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._link.close()


def _transaction_name(run_id: str) -> str:
    """A name that needs no quotes."""
    return f"lht_{re.sub(r'[^A-Za-z0-9_]', '_', run_id)}"


def _query_tag(**facts: str) -> str:
    """What the account's query history shows; Snowflake keeps 2,000 characters."""
    return json.dumps(WHOSE | {key: value for key, value in facts.items() if value})


def _plain(name: str | None) -> str:
    """A name as Snowflake stores it, from the connector, which may give it in quotes."""
    parts = statements.split_name(name) if name and name.startswith('"') else ()
    return parts[0] if parts else name or ""


def _bound(statement: Statement) -> list[object]:
    """Parameters as tables hold them: aware datetimes become naive UTC, the connector knows no kind of text but str."""
    return [naive(value.value if isinstance(value, Enum) else value) for value in statement.params]
