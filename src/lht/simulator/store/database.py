"""One DuckDB instance: readers have a cursor each, writers take turns."""

from __future__ import annotations

import re
import tempfile
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeAlias

import duckdb

from lht.simulator.errors import SimulatorError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

Connection: TypeAlias = duckdb.DuckDBPyConnection
"""What a transaction or a reader works with, under a name for the rooms that know no DuckDB."""

FILE_NAME = "org.duckdb"
MEMORY_LIMIT = "2GB"
LOG_TABLE = "_deleted_log"
CURSORS = "_cursors"
"""Name of the attached scratch database that keeps the rows of open query cursors: never on disk as data."""


IN_MEMORY = "_org"
"""Name of the database of an org in memory: an attached one can keep its rows compressed, the first one cannot."""


class ShapeChanged(Exception):  # noqa: N818 - it happens, and the work is done again
    """A statement named a table or column that went, or has only come, while it was on its way."""


class Database:
    """The rows of one org, in memory or in `org.duckdb` under `path`; close it when done.

    Any number of threads may read at once, each on a cursor of its own. Writes go through `transaction`, one at
    a time, because two DuckDB transactions that touch the same row would make one of them fail.
    """

    def __init__(
        self, path: Path | None = None, *, memory_limit: str = MEMORY_LIMIT, threads: int = 2
    ) -> None:
        self._root = _connect(path)
        self._in_memory = path is None
        self._write_lock = threading.RLock()
        self._turn = 0
        self._thread = threading.local()
        self._spill = tempfile.TemporaryDirectory(prefix="lht-org-", ignore_cleanup_errors=True)
        self._root.execute("SET GLOBAL TimeZone = 'UTC'")
        self._root.execute(f"SET threads = {threads:d}")
        self._root.execute("SET memory_limit = ?", [memory_limit])
        # DuckDB 2.0.0 hides parents from rows that a LIMIT still wants, when two threads look for the first of them
        # (ORDER BY a column of a LEFT JOIN over UNION ALL, LIMIT n). A full sort is right.
        self._root.execute("SET GLOBAL disabled_optimizers = 'top_n'")
        self._root.execute("SET temp_directory = ?", [self._spill.name])
        self._root.execute(f"ATTACH ':memory:' AS {CURSORS}")
        if self._in_memory:
            self._root.execute(f"ATTACH ':memory:' AS {IN_MEMORY} (COMPRESS)")

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """Gives a reader of its own, for streaming; the caller closes it."""
        cursor = self._root.cursor()
        if self._in_memory:
            cursor.execute(f"USE {IN_MEMORY}")
        return cursor

    def compact(self) -> None:
        """Packs rows that were written in bulk, unless somebody is reading; in memory that happens only when told."""
        with self._write_lock, self.reading() as cursor, suppress(duckdb.TransactionException):
            cursor.execute("CHECKPOINT")

    @contextmanager
    def reading(self, own: Connection | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Lends a reader, unless one is given; raises ShapeChanged where a table or column is not what it was."""
        kept = own or self._shared
        cursor = self.cursor() if kept is None else kept
        try:
            yield cursor
        except (duckdb.BinderException, duckdb.CatalogException) as error:
            raise ShapeChanged(str(error)) from error
        finally:
            if kept is None:
                cursor.close()

    def rows(self, sql: str, params: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Gives every row of a query whose answer is known to be small."""
        with self.reading() as cursor:
            return cursor.execute(sql, list(params)).fetchall()

    def value(self, sql: str, params: Sequence[object] = ()) -> object:
        """Gives the first value of the first row, or None."""
        found = self.rows(sql, params)
        return found[0][0] if found else None

    def count(self, sql: str, params: Sequence[object] = ()) -> int:
        """Gives the first value of the first row as a whole number."""
        return int(str(self.value(sql, params) or 0))

    def execute(self, sql: str, params: Sequence[object] = ()) -> None:
        """Runs one statement in a transaction of its own."""
        with self.transaction() as connection:
            connection.execute(sql, list(params))

    @contextmanager
    def transaction(self, own: Connection | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
        """Holds the write lock, and commits at the end or rolls back on any failure; by a connection of the caller's, if any.

        Do not nest, but under `together`, to whose end both are then left.
        """
        if self._shared is not None:
            yield self._shared
            return
        with self._write_lock, self.reading(own) as connection:
            self._turn += 1
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                _roll_back(connection)
                raise

    @property
    def turn(self) -> int:
        """How many transactions there have been: who holds the write lock sees by it whether others wrote since."""
        return self._turn

    @contextmanager
    def together(self) -> Iterator[None]:
        """Makes all that this thread reads and writes until the end one transaction."""
        with self.transaction() as connection, self._sharing(connection):
            yield

    @contextmanager
    def apart(self) -> Iterator[None]:
        """Lets a thread that works `together` use transactions of their own until the end."""
        with self._sharing(None):
            yield

    @contextmanager
    def _sharing(self, connection: duckdb.DuckDBPyConnection | None) -> Iterator[None]:
        before = self._shared
        self._thread.connection = connection
        try:
            yield
        finally:
            self._thread.connection = before

    @property
    def is_together(self) -> bool:
        """Whether this thread is within `together`."""
        return self._shared is not None

    @property
    def _shared(self) -> duckdb.DuckDBPyConnection | None:
        return getattr(self._thread, "connection", None)

    def check(self, sql: str) -> None:
        """Raises ValueError if a query could not be run."""
        try:
            self.rows(f"EXPLAIN {sql}")
        except (duckdb.Error, ShapeChanged) as error:
            raise ValueError(str(error)) from None

    def close(self) -> None:
        """Closes the instance and removes what it spilled to disk; a second call does nothing."""
        self._root.close()
        self._spill.cleanup()


def check_on(connection: Connection, sql: str) -> None:
    """Raises ValueError if a query could not be run by this connection."""
    try:
        connection.execute(f"EXPLAIN {sql}")
    except duckdb.Error as error:
        raise ValueError(str(error)) from None


def _connect(path: Path | None) -> duckdb.DuckDBPyConnection:
    if path is None:
        return duckdb.connect(":memory:")
    try:
        path.mkdir(parents=True, exist_ok=True)
        return duckdb.connect(str(path / FILE_NAME))
    except duckdb.IOException as error:
        raise SimulatorError(
            _locked(path, str(error)) or f"cannot open the org under {path}: {error}"
        ) from error
    except (OSError, duckdb.Error) as error:
        reason = getattr(error, "strerror", None) or error
        raise SimulatorError(f"cannot open the org under {path}: {reason}") from error


def _locked(path: Path, said: str) -> str:
    """Says who has the file, where DuckDB says that somebody has it; it names the process where it can tell."""
    if "lock" not in said.lower() and "used by another process" not in said:
        return ""
    found = re.search(r"PID (\d+)", said)
    process = f"process {found[1]}" if found else "another process"
    return f"the org under {path} is in use by {process}: stop it, or choose another --path"


def _roll_back(connection: duckdb.DuckDBPyConnection) -> None:
    """Leaves the transaction; a commit that failed has already left it."""
    try:
        connection.execute("ROLLBACK")
    except duckdb.TransactionException:
        return
