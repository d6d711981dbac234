"""Ids of Bulk jobs, of whatever kind: all are numbered in one row, and none is given out twice by one org."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Protocol

from lht.simulator.org.ids import make_id
from lht.simulator.org.writes import rows

if TYPE_CHECKING:
    from lht.simulator.store.database import Database

KEY_PREFIX = "750"
COUNTED_AS = "(Bulk jobs)"
BLOCK = 1_000
"""How many numbers are written down as used at a time: jobs go with the process, but who remembers the id of one must
not meet another job under it later."""


class Host(Protocol):
    """Whose jobs they are; looked up anew, as a reset may replace it."""

    @property
    def db(self) -> Database: ...


class JobIds:
    """Gives ids, each once."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._last = self._end = 0
        self._lock = threading.Lock()

    def following(self) -> str:
        """Gives the next id."""
        with self._lock:
            if self._last == self._end:
                self._reserve()
            self._last += 1
            return make_id(KEY_PREFIX, self._last)

    def _reserve(self) -> None:
        with self._host.db.transaction() as connection:
            used = rows.used_numbers(connection).get(COUNTED_AS)
            self._last = max(self._last, used or 0)
            self._end = self._last + BLOCK
            counted = {COUNTED_AS: self._end}
            rows.note_used(connection, counted if used else {}, {} if used else counted)
