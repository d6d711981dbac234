"""A run's own DuckDB database, where its rows are checked, compared and cut into parts.

It is a file in the run's folder, so that memory stays flat whatever the number of rows. Nothing in it is needed
after a crash: what must be remembered is in the warehouse. Its tables, each made by the module that fills it:

| table | one row is |
| --- | --- |
| `source` | a row of the query: `row_number` from 1, then the query's columns as they came |
| `encoded` | the same row as it would be sent: `row_number`, `match_key`, `record_id`, `operation`, `source` (JSON), and `c1`, `c2` … in the order of the plan's columns |
| `held` | what Salesforce holds for a row: `row_number`, `record_id`, `modstamp`, `h1`, `h2` … beside `c1`, `c2` …, and `image` (JSON: field -> text) |
| `pushed` | what was last written for a key: `match_key`, `sent` (a list of texts) |
| `outbox` | a row of a part: `part`, `attempt`, `row_number`, `operation`, `match_key`, `record_id`, `sent` (a list of texts), `source` |
| `outcomes` | what became of it: `part`, `attempt`, `row_number`, `outcome`, `created`, `sf_id`, `class`, `message`, `fields` |
"""

from __future__ import annotations

from contextlib import contextmanager
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Self, TypeVar

from lht.errors import ConfigError, LhtError, RetlError
from lht.warehouse.adapting import first_line
from lht.warehouse.memory import Memory
from lht.warehouse.streams import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    import duckdb
    import pyarrow as pa

_DATABASE = "work.duckdb"
MEMORY_LIMIT_MB = 100
"""Beside what the warehouse takes in the same process; wide tables and long texts raise it."""
RESTING_MB = 50
"""So much less while nothing but a scan is asked of it."""
THREADS = 2
_T = TypeVar("_T")
BATCH_ROWS = 2_048
"""As many rows as DuckDB moves at once: longer batches only lie in memory, beside what the warehouse needs."""


class Work:
    """One connection to a run's database; it belongs to one thread. A folder is made for this user's eyes only."""

    def __init__(self, folder: Path) -> None:
        _make_folder(folder)
        self.folder = folder
        path = folder / _DATABASE
        path.unlink(missing_ok=True)
        self._memory = Memory(MEMORY_LIMIT_MB, enough_mb=MEMORY_LIMIT_MB)
        self._connection = _open(path, folder)

    def load(self, table: str, reader: pa.RecordBatchReader, select: str = "*") -> int:
        """Makes a table of a stream's batches and gives the number of rows. `select` is what to keep of `incoming`."""
        self._take_in(f"CREATE OR REPLACE TABLE {table} AS SELECT {select} FROM incoming", reader)
        return self.count(table)

    def append(self, table: str, data: pa.Table | pa.RecordBatchReader, select: str = "*") -> None:
        """Adds a stream's rows to a table, by name."""
        import pyarrow as pa  # noqa: PLC0415 - a driver: imported where it is needed

        reader = data.to_reader(BATCH_ROWS) if isinstance(data, pa.Table) else data
        self._take_in(f"INSERT INTO {table} BY NAME SELECT {select} FROM incoming", reader)

    def _take_in(self, sql: str, reader: pa.RecordBatchReader) -> None:
        """Runs a statement that reads `incoming`, which can be read only once: room is made as its rows pass.

        Raises what the reader raised, which DuckDB hides behind an error of its own.
        """
        self._memory.reserve("incoming", len(reader.schema), self._set_limit)
        stream = Stream(self._watched(reader))
        self._connection.register("incoming", stream.reader)
        try:
            self._connection.execute(sql)
        except Exception as error:
            if stream.error:
                raise stream.error from None
            self._explain(error)
            raise
        finally:
            self._connection.unregister("incoming")

    def _watched(self, reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """Lets the memory limit follow the size of the rows that pass."""
        import pyarrow as pa  # noqa: PLC0415 - a driver: imported where it is needed

        def batches() -> Iterator[pa.RecordBatch]:
            with self._connection.cursor() as other:
                for batch in reader:
                    if batch.num_rows:
                        self._memory.observe(batch.nbytes / batch.num_rows, lambda mb: _set_limit(other, mb))
                    yield batch

        return pa.RecordBatchReader.from_batches(reader.schema, batches())

    def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        self._run(sql, params)

    def query(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Gives a small result."""
        return self._run(sql, params)

    def _run(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        return self._tried(lambda: self._connection.execute(sql, list(params)).fetchall())

    def _tried(self, begin: Callable[[], _T]) -> _T:
        """Does something that is all or nothing, again with more memory where it ran out of it."""
        import duckdb  # noqa: PLC0415 - a driver: imported where it is needed

        try:
            return begin()
        except duckdb.Error as error:
            if self._memory.is_exhausted or not _is_out_of_memory(error):
                self._explain(error)
                raise
        self._memory.make_room(self._set_limit)
        return self._tried(begin)

    def _explain(self, error: Exception) -> None:
        """Raises what a person can do about an error, where that is known."""
        if (found := _explained(error, self.folder)) is not None:
            raise found from error

    def value(self, sql: str, params: Sequence[object] = ()) -> Any:
        """Gives the one value of a result of one row."""
        ((found,),) = self.query(sql, params)
        return found

    def has_table(self, table: str) -> bool:
        found = self.value("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [table])
        return int(found) > 0

    def count(self, table: str, condition: str = "TRUE") -> int:
        return int(self.value(f"SELECT count(*) FROM {table} WHERE {condition}"))

    def batches(
        self, sql: str, params: Sequence[object] = (), *, rows: int = BATCH_ROWS
    ) -> pa.RecordBatchReader:
        """Gives a result of any size; another cursor reads it, so that this connection may go on."""
        import pyarrow as pa  # noqa: PLC0415 - a driver: imported where it is needed

        cursor = self._connection.cursor()
        reader = self._tried(lambda: cursor.sql(sql, params=list(params)).to_arrow_reader(rows))
        return pa.RecordBatchReader.from_batches(reader.schema, self._read(reader))

    def _read(self, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
        try:
            yield from reader
        except GeneratorExit:
            raise
        except Exception as error:
            self._explain(error)
            raise

    def write_csv(self, sql: str, path: Path) -> int:
        """Writes a result as CSV with a header, UTF-8, lines ending in LF; gives the file's bytes.

        Only values that need it are quoted; NULL is empty.
        """
        target = str(path).replace("'", "''")
        self._run(f"COPY ({sql}) TO '{target}' (FORMAT csv, HEADER)")
        return path.stat().st_size

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Gives back memory while the warehouse needs it, and this database is read at most."""
        limit_mb = self._memory.limit_mb or MEMORY_LIMIT_MB
        self._set_limit(limit_mb - RESTING_MB)
        try:
            yield
        finally:
            self._set_limit(max(limit_mb, self._memory.limit_mb or 0))

    def _set_limit(self, limit_mb: int) -> None:
        _set_limit(self._connection, limit_mb)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def clear_leftovers(parent: Path) -> None:
    """Removes the folders of runs that were killed: what is in them is of no use, and rows of a warehouse.

    A database that somebody works with cannot be opened by another process, nor here with other settings; so whatever
    can be opened is nobody's.
    """
    import duckdb  # noqa: PLC0415 - a driver: imported where it is needed

    for path in parent.glob(f"*/{_DATABASE}"):
        try:
            duckdb.connect(str(path), config={"threads": 1}).close()
        except duckdb.Error:
            continue
        rmtree(path.parent, ignore_errors=True)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"The directory {folder} cannot be made: {error.strerror}.", hint=_ELSEWHERE
        ) from error


def _open(path: Path, folder: Path) -> duckdb.DuckDBPyConnection:
    import duckdb  # noqa: PLC0415 - a driver: imported where it is needed

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": f"{MEMORY_LIMIT_MB}MB",
        "threads": THREADS,
        "temp_directory": str(folder / "spill"),
        "preserve_insertion_order": "false",
    }
    try:
        connection = duckdb.connect(str(path), config=config)
    except duckdb.Error as error:
        raise ConfigError(f"{path} cannot be made: {first_line(error)}", hint=_ELSEWHERE) from error
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET force_compression = 'uncompressed'")  # else it takes longer than all the rest
    return connection


def _set_limit(connection: duckdb.DuckDBPyConnection, limit_mb: int) -> None:
    connection.execute(f"SET memory_limit = '{limit_mb}MB'")


# ---- errors, by their texts: some come through Arrow, without their classes

_ELSEWHERE = "Set LHT_CACHE_DIR to a directory that you can write."
_MORE_ROOM = "Free some space, or set LHT_CACHE_DIR to a larger disk; then run the same command again."


def _is_out_of_memory(error: object) -> bool:
    marks = ("Out of Memory Error", "failed to pin block", "could not allocate block", "failed to allocate")
    return any(mark in str(error) for mark in marks) and "No space left" not in str(error)


def _explained(error: object, folder: Path) -> LhtError | None:
    text = str(error)
    if "max_temp_directory_size" in text or any(mark in text for mark in ("No space left", "IO Error")):
        return ConfigError(f"The run's rows cannot be kept in {folder}: {first_line(text)}", hint=_MORE_ROOM)
    if _is_out_of_memory(error):
        return RetlError(
            f"The run's rows need more memory than LHT takes: {first_line(text)}",
            hint="Send fewer columns at once, or those with the longest texts in a run of their own.",
        )
    return None
