"""Ids of Bulk jobs, of whatever kind: all are numbered in one row."""

from __future__ import annotations

import threading

from lht.simulator.org.ids import make_id

KEY_PREFIX = "750"


class JobIds:
    """Gives ids, each once."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def following(self) -> str:
        """Gives the next id."""
        with self._lock:
            self._last += 1
            return make_id(KEY_PREFIX, self._last)
