"""Reads and writes the rows of `locks`: who works on a table now."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lht.errors import LhtError, Recovery
from lht.state import rows, tables
from lht.state.names import state_names
from lht.warehouse.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Callable

    from lht.model.run import Holder
    from lht.model.table import TableName
    from lht.warehouse.port import Warehouse

_CONFLICT_TRIES = 8
_TIMES = ("acquired_at", "heartbeat_at")


class LockRows:
    """The lock rows through one connection; each write is a statement of its own, tried again on a conflict."""

    def __init__(self, warehouse: Warehouse, schema: str | None, sleep: Callable[[float], None]) -> None:
        self._warehouse = warehouse
        self._schema = schema
        self._names = state_names(warehouse, schema)
        self._sleep = sleep

    def fork(self) -> tuple[LockRows, Callable[[], None]]:
        """The same rows through a connection for another thread, and how to close it."""
        other = self._warehouse.fork()
        return LockRows(other, self._schema, self._sleep), other.close

    def add(self, holder: Holder) -> bool:
        """Writes a lock, its times by the warehouse's clock; False if the state tables are not of our version.

        One statement does both, so that no lock is ever taken in tables that an upgrade is changing.
        """
        names, clock = self._names, self._names.dialect.clock
        row = rows.holder_row(holder, names.catalog)
        values = {name: value for name, value in row.items() if name not in _TIMES}
        highest = f"SELECT max({names.sql('state_version')}) AS found FROM {names.sql_table(tables.META)}"
        sql = (
            f"INSERT INTO {names.sql_table(tables.LOCKS)} ({names.listed([*values, *_TIMES])})\n"
            f"SELECT {', '.join('?' for _ in values)}, {clock}, {clock}\n"
            f"FROM ({highest}) AS m WHERE m.found = ?"
        )
        return self._write(Statement(sql, (*values.values(), tables.STATE_VERSION))) > 0

    def remove(self, token: str) -> None:
        names = self._names
        self._write(
            Statement(f"DELETE FROM {names.sql_table(tables.LOCKS)} WHERE {names.sql('token')} = ?", (token,))
        )

    def beat(self, token: str) -> None:
        """Says that the holder lives, by the warehouse's clock."""
        names = self._names
        setting = f"{names.sql('heartbeat_at')} = {names.dialect.clock}"
        self._write(
            Statement(
                f"UPDATE {names.sql_table(tables.LOCKS)} SET {setting} WHERE {names.sql('token')} = ?",
                (token,),
            )
        )

    def holders(self, table: TableName) -> tuple[list[Holder], datetime]:
        """Who has a lock on a table, and the warehouse's clock."""
        key = rows.table_row(table, self._names.catalog)
        return self._read(self._names.equal(key), *key.values())

    def under_way(self, run_id: str | None = None) -> tuple[list[Holder], datetime]:
        """The locks of runs that have not written how they ended, and the warehouse's clock."""
        names = self._names
        key = ("run_id", "object", "table_catalog", "table_schema", "table_name")
        same = " AND ".join(f"r.{names.sql(column)} = l.{names.sql(column)}" for column in key)
        ended = f"SELECT 1 AS ended FROM {names.sql_table(tables.RUNS)} AS r WHERE {same}"
        condition = f"{names.sql('object')} <> '' AND NOT EXISTS ({ended})"
        if run_id is None:
            return self._read(condition)
        return self._read(f"{condition} AND {names.sql('run_id')} = ?", run_id)

    def _read(self, condition: str, *params: object) -> tuple[list[Holder], datetime]:
        """Reads lock rows; the clock comes first, with a row of its own if there is no lock."""
        names = self._names
        columns = [column.name for column in tables.LOCKS.columns]
        found: list[tuple[Any, ...]] = self._warehouse.query(
            Statement(
                f"SELECT c.clock, {', '.join(f'h.{names.sql(column)}' for column in columns)}\n"
                f"FROM (SELECT {names.dialect.clock} AS clock) AS c\n"
                f"LEFT JOIN (SELECT * FROM {names.sql_table(tables.LOCKS)} AS l WHERE {condition}) AS h ON TRUE",
                params,
            )
        )
        held = [dict(zip(columns, row, strict=True)) for _, *row in found]
        clock: datetime = found[0][0]
        holders = [rows.holder_from(row, names.catalog) for row in held if row["token"] is not None]
        return holders, clock.replace(tzinfo=UTC)

    def _write(self, statement: Statement) -> int:
        for _ in range(_CONFLICT_TRIES - 1):
            try:
                return self._warehouse.execute(statement)
            except LhtError as error:
                if error.recovery is not Recovery.RETRY:
                    raise
                self._sleep(random.uniform(0.01, 0.05))  # noqa: S311 - jitter, no secret
        return self._warehouse.execute(statement)
