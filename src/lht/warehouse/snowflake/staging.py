"""Typed Parquet parts of an Arrow stream: written one after the other, each handed on as soon as it is whole."""

from __future__ import annotations

import contextlib
import re
import secrets
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from lht.errors import IncompleteExtractError, MissingTableError, ValueOutOfRangeError, WarehouseError
from lht.model.table import ColumnKind, ColumnType
from lht.warehouse import statements
from lht.warehouse.statements import Statement, listed, quote, quote_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    import pyarrow as pa
    import pyarrow.parquet as pq

    from lht.model.table import Column, TableName
    from lht.warehouse.port import RowStream
    from lht.warehouse.snowflake.adapter import SnowflakeWarehouse

STAGE = "LHT_STAGE"
PARTS = "lht-parts"
"""Begins the names of folders with parts; the run's id follows."""
TEXTS = "_TEXTS"
"""Ends the name of the table in which a staging table's variants are still text."""
PART_BYTES = 100_000_000
"""About what Snowflake loads best: https://docs.snowflake.com/en/user-guide/data-load-considerations-prepare"""
ROW_GROUP_BYTES = 16_000_000
"""Rows are kept, as Arrow, until they are that many bytes; so much memory writing takes."""
PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-:+=,~ \\"


def part_schema(columns: Sequence[Column]) -> pa.Schema:
    """The types of the parts; variants travel as their JSON text, timestamps without a zone."""
    import pyarrow as pa  # noqa: PLC0415 - a driver is loaded where it is first needed

    plain = {
        ColumnKind.TEXT: pa.string(),
        ColumnKind.VARIANT: pa.string(),
        ColumnKind.INTEGER: pa.decimal128(38, 0),
        ColumnKind.FLOAT: pa.float64(),
        ColumnKind.BOOLEAN: pa.bool_(),
        ColumnKind.DATE: pa.date32(),
        ColumnKind.TIMESTAMP: pa.timestamp("us"),
        ColumnKind.TIME: pa.time64("us"),
    }
    return pa.schema(
        [
            pa.field(
                column.name,
                plain.get(column.type.kind)
                or pa.decimal128(column.type.precision or 38, column.type.scale or 0),
            )
            for column in columns
        ]
    )


def typed(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Gives a batch its columns' types and names; ValueOutOfRangeError for a value that does not fit."""
    import pyarrow as pa  # noqa: PLC0415

    arrays = [_fitting(batch.column(place), field) for place, field in enumerate(schema)]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _fitting(column: pa.Array[Any], field: pa.Field[Any]) -> pa.Array[Any]:
    import pyarrow as pa  # noqa: PLC0415

    try:
        return column if column.type == field.type else column.cast(field.type)
    except pa.ArrowInvalid as error:
        raise ValueOutOfRangeError(
            f"A value does not fit column {field.name} ({field.type}); nothing was loaded.",
            hint="Give the field a wider type under [types] in lht.toml.",
            column=field.name,
        ) from error


class Loader:
    """Loads a stream into an empty staging table: parts, their folder on the stage, one COPY."""

    def __init__(
        self,
        warehouse: SnowflakeWarehouse,
        put: Callable[[Path, str], None],
        run_id: str,
        work_dir: Path | None,
    ) -> None:
        """`put` sends a file into a folder of a stage."""
        self._warehouse = warehouse
        self._put = put
        self._run_id = run_id or "no-run"
        self._work_dir = work_dir

    def load(self, table: TableName, columns: Sequence[Column], stream: RowStream) -> None:
        """Loads all of a stream; IncompleteExtractError unless as many rows are loaded as came."""
        variants = [column for column in columns if column.type.kind is ColumnKind.VARIANT]
        if not variants:
            self._copy(table, columns, stream)
            return
        # COPY by column names would store JSON as a text inside a variant: it is parsed in a second step.
        plain = [_as_text(column) for column in columns]
        texts = replace(table, name=f"{table.name}{TEXTS}")
        try:
            self._warehouse.execute(statements.create_scratch(texts, plain, self._warehouse.dialect))
            self._copy(texts, plain, stream)
            self._parse(table, texts, columns)
        finally:
            with contextlib.suppress(WarehouseError):
                self._warehouse.drop_table(texts)

    def _parse(self, table: TableName, texts: TableName, columns: Sequence[Column]) -> None:
        for column in columns:
            if column.type.kind is ColumnKind.VARIANT:
                self._refuse_bad_json(texts, column.name)
        self._warehouse.execute(parse_variants(table, texts, columns))

    def _refuse_bad_json(self, texts: TableName, column: str) -> None:
        ((bad,),) = self._warehouse.query(count_bad_json(texts, column))
        if int(str(bad)):
            raise ValueOutOfRangeError(
                f"{bad} values of column {column} are not JSON; nothing was loaded.",
                hint='Type the field "varchar" under [types] in lht.toml.',
                column=column,
            )

    def _copy(self, table: TableName, columns: Sequence[Column], stream: RowStream) -> None:
        stage = replace(table, name=STAGE)
        folder = f"{self._folder(stage, self._run_id)}{table.name}-{secrets.token_hex(4)}/"
        sent = 0

        def deliver(path: Path) -> None:
            nonlocal sent
            sent += 1
            self._put_on(stage, path, folder)

        try:
            with PartWriter(columns, deliver, self._work_dir, run_id=self._run_id) as writer:
                for batch in stream.reader:
                    writer.write(batch)
                written = writer.finish()
            if sent:
                self._copy_parts(table, folder, written)
        finally:
            if sent:
                self._remove(folder)

    def _put_on(self, stage: TableName, path: Path, folder: str) -> None:
        """Puts a file; the stage is created where it is missing, so that a role need not be allowed to."""
        try:
            self._put(path, folder)
        except MissingTableError:
            self._warehouse.execute(Statement(f"CREATE STAGE IF NOT EXISTS {quote_table(stage)}"))
            self._put(path, folder)

    def _copy_parts(self, table: TableName, folder: str, written: int) -> None:
        rows = self._warehouse.records(copy_into(table, folder))
        loaded = sum(int(str(row.get("rows_loaded") or 0)) for row in rows)
        if loaded != written:
            raise IncompleteExtractError(
                f"Snowflake loaded {loaded} rows into {table} where {written} were sent; nothing was merged.",
                hint="Run the same command again.",
                table=str(table),
            )

    def remove_run(self, schema: TableName, run_id: str) -> None:
        """Removes the files that a run left on the stage and, where it ran here, on this machine."""
        parent = _parent(self._work_dir) or Path(tempfile.gettempdir())
        for left in parent.glob(f"{PARTS}-{_as_folder(run_id)}-*"):
            shutil.rmtree(left, ignore_errors=True)
        self._remove(self._folder(replace(schema, name=STAGE), run_id))

    def _folder(self, stage: TableName, run_id: str) -> str:
        return f"@{quote_table(stage)}/{_as_folder(run_id)}/"

    def _remove(self, folder: str) -> None:
        """Files that cannot be removed cost a little storage: not worth failing a run that is done."""
        with contextlib.suppress(WarehouseError):
            self._warehouse.execute(Statement(f"REMOVE {folder}"))


def _as_folder(run_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]", "_", run_id)


def _as_text(column: Column) -> Column:
    is_variant = column.type.kind is ColumnKind.VARIANT
    return replace(column, type=ColumnType(ColumnKind.TEXT)) if is_variant else column


def copy_into(table: TableName, folder: str) -> Statement:
    """Loads all parts of a folder, or none.

    NULL_IF has a default, also for Parquet, by which a text of a backslash and an N would become NULL:
    https://docs.snowflake.com/en/sql-reference/sql/copy-into-table#type-parquet
    """
    return Statement(
        f"COPY INTO {quote_table(table)}\nFROM {folder}\n"
        "FILE_FORMAT=(TYPE=PARQUET USE_LOGICAL_TYPE=TRUE NULL_IF=())\n"
        "MATCH_BY_COLUMN_NAME=CASE_INSENSITIVE ON_ERROR=ABORT_STATEMENT"
    )


def count_bad_json(texts: TableName, column: str) -> Statement:
    """Counts the values of a text column that are not JSON."""
    name = quote(column)
    return Statement(
        f"SELECT count(*) AS bad FROM {quote_table(texts)} WHERE {name} IS NOT NULL AND TRY_PARSE_JSON({name}) IS NULL"
    )


def parse_variants(table: TableName, texts: TableName, columns: Sequence[Column]) -> Statement:
    """Copies rows, and parses those columns that are variants."""
    values = [
        f"PARSE_JSON({quote(column.name)})" if column.type.kind is ColumnKind.VARIANT else quote(column.name)
        for column in columns
    ]
    return Statement(
        f"INSERT INTO {quote_table(table)} ({listed(column.name for column in columns)})\n"
        f"SELECT {', '.join(values)}\nFROM {quote_table(texts)}"
    )


class PartWriter:
    """Writes batches into parts of a limited size in a folder of its own, which is removed at the end.

    `deliver` gets each part once it is whole, and then it is deleted.
    """

    def __init__(
        self,
        columns: Sequence[Column],
        deliver: Callable[[Path], None],
        work_dir: Path | None = None,
        part_bytes: int = PART_BYTES,
        *,
        run_id: str = "",
    ) -> None:
        self._schema = part_schema(columns)
        self._deliver = deliver
        self._folder = tempfile.TemporaryDirectory(
            prefix=f"{PARTS}-{_as_folder(run_id)}-", dir=_parent(work_dir)
        )
        self._part_bytes = part_bytes
        self._part: _Part | None = None
        self._parts = 0
        self._kept: list[pa.RecordBatch] = []
        self._kept_bytes = 0
        self.rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._part:
            self._part.close()
        self._folder.cleanup()

    def write(self, batch: pa.RecordBatch) -> None:
        """Takes a batch; delivers a part where that completes one."""
        if not batch.num_rows:
            return
        self.rows += batch.num_rows
        self._kept.append(typed(batch, self._schema))
        self._kept_bytes += batch.nbytes
        if self._kept_bytes >= min(ROW_GROUP_BYTES, self._part_bytes):
            self._write_kept()
        if self._part and self._part.size >= self._part_bytes:
            self._hand_over()

    def finish(self) -> int:
        """Delivers what is left, and gives the number of rows."""
        self._write_kept()
        self._hand_over()
        return self.rows

    def _write_kept(self) -> None:
        if self._kept:
            self._part = self._part or self._open()
            self._part.write(self._kept)
        self._kept, self._kept_bytes = [], 0

    def _open(self) -> _Part:
        self._parts += 1
        return _Part(Path(self._folder.name) / f"part-{self._parts:05}.parquet", self._schema)

    def _hand_over(self) -> None:
        if not self._part:
            return
        part, self._part = self._part, None
        part.close()
        self._deliver(part.path)
        part.path.unlink()


class _Part:
    """One Parquet file that is being written."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow as pa  # noqa: PLC0415
        import pyarrow.parquet as pq  # noqa: PLC0415

        self.path = path
        self._schema = schema
        self._file = pa.OSFile(str(path), "wb")
        self._writer: pq.ParquetWriter = pq.ParquetWriter(
            self._file, schema, compression="snappy", store_schema=False
        )

    @property
    def size(self) -> int:
        return int(self._file.tell())

    def write(self, batches: list[pa.RecordBatch]) -> None:
        import pyarrow as pa  # noqa: PLC0415

        table = pa.Table.from_batches(batches, self._schema)
        self._writer.write_table(table, row_group_size=table.num_rows)

    def close(self) -> None:
        if not self._file.closed:
            self._writer.close()
            self._file.close()


def _parent(work_dir: Path | None) -> Path | None:
    """Where the parts lie: the connector reads quotes and wildcards in a path as what they mean in SQL and a shell."""
    if work_dir is None or any(letter not in PLAIN for letter in str(work_dir)):
        return None
    work_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    return work_dir
