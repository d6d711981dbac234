"""Transactions that follow each other and know what the ones before them read, as long as nobody else wrote between them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from lht.simulator.org.writes.working_set import WorkingSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.simulator.store.database import Database

FARTHEST, AT_FIRST = 64, 16


class Ahead:
    """Reads for several transactions at once, which is hardly more work than for one: both go through whole tables.

    What was read is given up as soon as anybody else began a transaction, or one of these failed. How many
    transactions are read for doubles each time that all of it was of use, and halves each time that it was not: where
    others write all the time, each transaction reads for itself. Close it when done.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._connection = db.cursor()
        self._work: WorkingSet | None = None
        self._turn = 0
        self._left = 0
        self._reach = AT_FIRST

    def close(self) -> None:
        """Gives the connection back."""
        self._work = None
        self._connection.close()

    @contextmanager
    def transaction(self, most: int) -> Iterator[tuple[WorkingSet, int]]:
        """Lends the working set of the next transaction, with how many, at most, should now be read for: 0 where that was done."""
        with self._db.transaction(self._connection) as connection:
            turn = self._db.turn
            work, reach = self._next(WorkingSet(connection), turn, most)
            yield work, reach
            work.flush()
        work.settle()
        self._work, self._turn = work, turn

    def _next(self, fresh: WorkingSet, turn: int, most: int) -> tuple[WorkingSet, int]:
        work, self._work = self._work, None
        if work is not None and work.is_whole and self._turn == turn - 1 and self._left:
            self._left -= 1
            return work, 0
        if work is not None:
            found = self._reach // 2 if self._left else self._reach * 2
            self._reach = min(max(found, 1), FARTHEST)
        reach = min(self._reach, most)
        self._left = reach - 1
        return fresh, reach
