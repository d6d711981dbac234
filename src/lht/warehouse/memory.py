"""How much memory a DuckDB database of ours may take: as little as what is staged and rewritten needs.

DuckDB writes each column of each row group in a buffer of its own, so wide tables need more than narrow ones, several
at once more than one, and long texts more than short ones.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    SetLimit = Callable[[int], object]

MEMORY_LIMIT_MB = 130
THREADS = 2
NARROW_COLUMNS = 40
MB_PER_COLUMN = 2.0
RAISE_MB = 60
"""What comparing and rewriting a large share of a table takes beyond the rest."""
MOST_RAISES = 8
"""So often the limit is raised for a statement that ran out of memory."""
VECTOR_ROWS = 2048
"""DuckDB moves, and holds in memory, this many rows at a time on each thread."""


class Memory:
    """The memory limit of one database, shared by its connections; it only ever rises.

    `set_limit` tells the database, in megabytes, through a connection that is not at work. Without a first limit
    there is none. `enough_mb` is what narrow tables of short rows take.
    """

    def __init__(self, limit_mb: int | None, *, enough_mb: int = MEMORY_LIMIT_MB) -> None:
        self._limit_mb = limit_mb
        self._enough_mb = enough_mb
        self._columns: dict[Hashable, int] = {}
        self._row_mb = 0.0
        self._raises = 0
        self._lock = threading.Lock()

    @property
    def limit_mb(self) -> int | None:
        """The limit as it stands."""
        return self._limit_mb

    @property
    def is_exhausted(self) -> bool:
        """Whether the limit was raised as often as makes sense."""
        return self._raises >= MOST_RAISES

    def reserve(self, staging: Hashable, columns: int, set_limit: SetLimit) -> None:
        """Allows what all staging tables need together."""
        with self._lock:
            self._columns[staging] = columns
            self._follow(set_limit)

    def release(self, staging: Hashable) -> None:
        """Forgets a staging table, if there was one of that name."""
        with self._lock:
            self._columns.pop(staging, None)

    def observe(self, bytes_per_row: float, set_limit: SetLimit) -> None:
        """Allows what rows of this size, such as long texts, need."""
        with self._lock:
            self._row_mb = max(self._row_mb, bytes_per_row / 1e6)
            self._follow(set_limit)

    def make_room(self, set_limit: SetLimit) -> None:
        """Allows more for a large rewrite; once more, if that was not enough."""
        with self._lock:
            self._raises += 1
            self._follow(set_limit)

    def _follow(self, set_limit: SetLimit) -> None:
        wanted = self._wanted_mb()
        if self._limit_mb is not None and wanted > self._limit_mb:
            self._limit_mb = wanted
            set_limit(wanted)

    def _wanted_mb(self) -> int:
        extra = max(0, sum(self._columns.values()) - NARROW_COLUMNS) * MB_PER_COLUMN
        vectors = self._row_mb * VECTOR_ROWS * THREADS
        extra += self._raises * RAISE_MB + max(0.0, vectors - self._enough_mb / 10)
        return self._enough_mb + round(extra)
