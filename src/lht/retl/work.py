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

from dataclasses import dataclass
from shutil import rmtree
from typing import TYPE_CHECKING, Any, Self

from lht.errors import LhtError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    import duckdb
    import pyarrow as pa

_DATABASE = "work.duckdb"
MEMORY_LIMIT = "160MB"
THREADS = 2
BATCH_ROWS = 10_000


class Work:
    """One connection to a run's database; it belongs to one thread. A folder is made for this user's eyes only."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        path = folder / _DATABASE
        path.unlink(missing_ok=True)
        self._connection = _open(path, folder)

    def load(self, table: str, reader: pa.RecordBatchReader, select: str = "*") -> int:
        """Makes a table of a stream's batches and gives the number of rows. `select` is what to keep of `incoming`."""
        self._connection.register("incoming", reader)
        try:
            self._connection.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT {select} FROM incoming")
        finally:
            self._connection.unregister("incoming")
        return self.count(table)

    def append(self, table: str, data: pa.Table | pa.RecordBatchReader, select: str = "*") -> None:
        """Adds a stream's rows to a table, by name."""
        self._connection.register("incoming", data)
        try:
            self._connection.execute(f"INSERT INTO {table} BY NAME SELECT {select} FROM incoming")
        finally:
            self._connection.unregister("incoming")

    def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        self._connection.execute(sql, list(params))

    def query(self, sql: str, params: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Gives a small result."""
        return self._connection.execute(sql, list(params)).fetchall()

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
        reader: pa.RecordBatchReader = (
            self._connection.cursor().sql(sql, params=list(params)).to_arrow_reader(rows)
        )
        return reader

    def write_csv(self, sql: str, path: Path) -> int:
        """Writes a result as CSV with a header, UTF-8, lines ending in LF; gives the file's bytes.

        Only values that need it are quoted; NULL is empty.
        """
        target = str(path).replace("'", "''")
        self._connection.execute(f"COPY ({sql}) TO '{target}' (FORMAT csv, HEADER)")
        return path.stat().st_size

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@dataclass(frozen=True, slots=True)
class WorkRows:
    """Rows of the work database on their way into a staging table: nothing of LHT's can fail in their reader."""

    reader: pa.RecordBatchReader
    error: BaseException | None = None


def clear_leftovers(parent: Path) -> None:
    """Removes the folders of runs that were killed: what is in them is of no use, and rows of a warehouse.

    A database that somebody works with cannot be opened by another process, nor here with other settings; so whatever
    can be opened is nobody's.
    """
    import duckdb  # noqa: PLC0415 - a driver: imported where it is needed

    for path in parent.glob(f"*/{_DATABASE}"):
        try:
            duckdb.connect(str(path), config={"memory_limit": MEMORY_LIMIT, "threads": 1}).close()
        except duckdb.Error:
            continue
        rmtree(path.parent, ignore_errors=True)


def _open(path: Path, folder: Path) -> duckdb.DuckDBPyConnection:
    import duckdb  # noqa: PLC0415 - a driver: imported where it is needed

    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": MEMORY_LIMIT,
        "threads": THREADS,
        "temp_directory": str(folder / "spill"),
        "preserve_insertion_order": "false",
    }
    try:
        connection = duckdb.connect(str(path), config=config)
    except duckdb.Error as error:
        raise LhtError(f"{path} cannot be made: {error}") from error
    connection.execute("SET TimeZone = 'UTC'")
    return connection
