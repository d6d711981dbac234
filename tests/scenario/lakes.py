"""The warehouses that a scenario runs on: how LHT reaches them, and how a test looks into them without LHT."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Protocol

import duckdb
import snowflake.connector

from lht.state.tables import ALL, RETL
from lht.warehouse.duckdb import from_connection
from lht.warehouse.snowflake.connect import open_snowflake

if TYPE_CHECKING:
    from pathlib import Path

    from lht.testing import StandInDatabase
    from lht.warehouse.port import Warehouse


class Lake(Protocol):
    """A warehouse of a test's own. SQL is what both understand, names without quotes."""

    def warehouse(self) -> Warehouse:
        """The warehouse as a run of LHT gets it; the lake closes it."""
        ...

    def rows(self, sql: str) -> list[tuple[Any, ...]]: ...

    def tables(self) -> list[str]:
        """The tables where names lie that name no schema."""
        ...

    def left_over(self) -> list[Any]:
        """What LHT made for itself and should have taken away: staging tables, staged files."""
        ...

    def close(self) -> None: ...


class DuckDBLake:
    """A database in memory, through a caller's connection."""

    def __init__(self) -> None:
        self.connection = duckdb.connect(":memory:")

    def warehouse(self) -> Warehouse:
        return from_connection(self.connection)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.cursor().execute(sql).fetchall()

    def tables(self) -> list[str]:
        found = self.rows("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'")
        return [row[0] for row in found]

    def left_over(self) -> list[Any]:
        return self.connection.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()

    def close(self) -> None:
        self.connection.close()


class SnowflakeLake:
    """A database on the stand-in for Snowflake, through a login of LHT's own."""

    def __init__(self, database: StandInDatabase, work_dir: Path) -> None:
        self.database = database
        self._warehouse = open_snowflake(database.options, name="stand-in", work_dir=work_dir)
        self._beside = snowflake.connector.connect(**database.options)

    def warehouse(self) -> Warehouse:
        return self._warehouse

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self._beside.cursor() as cursor:
            return list(cursor.execute(sql).fetchall())

    def tables(self) -> list[str]:
        return self._tables("PUBLIC")

    def _tables(self, schema: str) -> list[str]:
        found = f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{schema}'"
        return [row[0] for row in self.rows(found)]

    def left_over(self) -> list[Any]:
        state = {table.name.upper() for table in (*ALL, *RETL)}
        files: list[Any] = []
        with contextlib.suppress(snowflake.connector.errors.ProgrammingError):  # no stage, no files
            files = self.rows("LIST @LHT.LHT_STAGE")
        return [name for name in self._tables("LHT") if name not in state] + files

    def close(self) -> None:
        self._beside.close()
        self._warehouse.close()
