"""Reads and writes the rows of `locks`: who works on a table now."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lht.errors import LhtError, Recovery
from lht.state import rows, statements, tables
from lht.state.names import state_names

if TYPE_CHECKING:
    from collections.abc import Callable

    from lht.model.run import Holder
    from lht.model.table import TableName
    from lht.warehouse.port import Warehouse
    from lht.warehouse.statements import Statement

_CONFLICT_TRIES = 8


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
        """Writes a lock; False if the state tables are not of our version."""
        row = rows.holder_row(holder, self._names.catalog)
        return self._write(statements.add_lock(self._names, row)) > 0

    def remove(self, token: str) -> None:
        self._write(statements.remove_lock(self._names, token))

    def beat(self, token: str) -> None:
        """Says that the holder lives."""
        self._write(statements.beat(self._names, token))

    def holders(self, table: TableName) -> tuple[list[Holder], datetime]:
        """Who has a lock on a table, and the warehouse's clock."""
        key = rows.table_row(table, self._names.catalog)
        return self._read(self._names.equal(key), *key.values())

    def all(self) -> tuple[list[Holder], datetime]:
        """All locks, and the warehouse's clock."""
        return self._read("TRUE")

    def under_way(self, run_id: str | None = None) -> tuple[list[Holder], datetime]:
        """The locks of runs that have not written how they ended, and the warehouse's clock."""
        condition = statements.is_under_way(self._names)
        if run_id is None:
            return self._read(condition)
        return self._read(f"{condition} AND {self._names.sql('run_id')} = ?", run_id)

    def _read(self, condition: str, *params: object) -> tuple[list[Holder], datetime]:
        asking = statements.locks(self._names, condition, params)
        found: list[tuple[Any, ...]] = self._warehouse.query(asking)
        columns = [column.name for column in tables.LOCKS.columns]
        held = [dict(zip(columns, row, strict=True)) for _, *row in found]
        clock: datetime = found[0][0]
        holders = [rows.holder_from(row, self._names.catalog) for row in held if row["token"] is not None]
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
