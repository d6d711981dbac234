"""Limits that are really counted, over the last 24 hours of the org's clock."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

from lht.simulator.errors import ApiFault
from lht.simulator.org.limits.allowances import (
    ALLOWED,
    API_REQUESTS,
    BULK_BATCHES,
    BULK_QUERY_JOBS,
    BULK_QUERY_STORAGE_MB,
    storage_kb,
)
from lht.simulator.versions import NEWEST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lht.simulator.org.clock import Clock

Answer: TypeAlias = "dict[str, dict[str, int]]"

MOST = 1_000_000_000
DAY = timedelta(hours=24)
BATCHES_NAMED_SINCE = 49
OLD_BATCHES = "DailyBulkApiRequests"
"""What the limit of batches was called up to version 48.0."""
BULK_ROWS = "(rows of ingest jobs)"
"""Counted as limits are, but not told by `/limits/`."""
__all__ = ["API_REQUESTS", "BULK_BATCHES", "BULK_QUERY_JOBS", "BULK_QUERY_STORAGE_MB", "Limits"]


class Limits:
    """Counts uses by the hour and gives what is left; the allowances may be set.

    `enforced` false makes it an org that may go beyond what it has paid for: everything is counted, nothing refused.
    `lag_s` is how old the answer of `/limits/` may be, by the org's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._uses: dict[str, Counter[datetime]] = {}
        self._shown: tuple[datetime, Answer] | None = None
        self.allowed = dict(ALLOWED)
        self.enforced = True
        self.lag_s = 0.0

    def count(self, name: str, uses: int = 1) -> None:
        """Counts uses of a limit."""
        hour = self._clock.now().replace(minute=0, second=0)
        with self._lock:
            self._uses.setdefault(name, Counter())[hour] += uses

    def use(self, uses: Mapping[str, object]) -> None:
        """Counts uses by name as if they had happened; raises ValueError, with nothing counted, if one is wrong."""
        counted = checked_counts(uses, self.allowed)
        for name, number in counted.items():
            self.count(name, number)

    def used(self, name: str) -> int:
        """Gives the uses of the last 24 hours."""
        since = self._clock.now() - DAY
        with self._lock:
            return sum(uses for hour, uses in self._uses.get(name, Counter()).items() if hour > since)

    def remaining(self, name: str) -> int:
        """Gives what is left, never less than nothing."""
        return max(0, self.allowed[name] - self.used(name))

    def take_request(self) -> None:
        """Counts one API request, or refuses it when none is left."""
        with self._lock:
            if self._is_spent(API_REQUESTS):
                raise ApiFault(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
            self.count(API_REQUESTS)

    def take_query_job(self) -> None:
        """Counts one Bulk query job, or refuses it when none is left, or no room for its results."""
        with self._lock:
            if self._is_spent(BULK_QUERY_STORAGE_MB):
                most = storage_kb(self.allowed[BULK_QUERY_STORAGE_MB])
                message = f"Max bulk v2 query result size stored ({most}) kb per 24 hrs has been exceeded"
                raise ApiFault(400, "LIMIT_EXCEEDED", message)
            if self._is_spent(BULK_QUERY_JOBS):
                message = (
                    f"Max bulk v2 query jobs ({self.allowed[BULK_QUERY_JOBS]}) per 24 hrs has been reached"
                )
                raise ApiFault(400, "LIMIT_EXCEEDED", message)
            self.count(BULK_QUERY_JOBS)

    def take_batches(self, batches: int, rows: int, most_rows: int) -> bool:
        """Counts batches and rows of an ingest job; tells whether they were left, else none is counted."""
        with self._lock:
            spent = self.remaining(BULK_BATCHES) < batches or self.used(BULK_ROWS) + rows > most_rows
            if self.enforced and spent:
                return False
            self.count(BULK_BATCHES, batches)
            self.count(BULK_ROWS, rows)
            return True

    def usage_header(self) -> str:
        """Gives the value of `Sforce-Limit-Info`, which is never late."""
        return f"api-usage={self.used(API_REQUESTS)}/{self.allowed[API_REQUESTS]}"

    def as_json(self, version: float = NEWEST) -> Answer:
        """Gives the answer of `/limits/`, as old as it may be."""
        shown = self._lately()
        if version >= BATCHES_NAMED_SINCE:
            return shown
        return {OLD_BATCHES if name == BULK_BATCHES else name: entry for name, entry in shown.items()}

    def reset(self) -> None:
        """Forgets all uses and gives every allowance its first value."""
        with self._lock:
            self._uses.clear()
            self._shown = None
            self.allowed = dict(ALLOWED)

    def _is_spent(self, name: str) -> bool:
        return self.enforced and self.remaining(name) == 0

    def _lately(self) -> Answer:
        now = self._clock.now()
        with self._lock:
            if self._shown is None or not 0 <= (now - self._shown[0]).total_seconds() < self.lag_s:
                self._shown = (now, self._now())
            return self._shown[1]

    def _now(self) -> Answer:
        return {name: {"Max": most, "Remaining": self.remaining(name)} for name, most in self.allowed.items()}


def checked_counts(wanted: object, known: Mapping[str, int]) -> dict[str, int]:
    """Gives whole numbers by the names of limits; raises ValueError for anything else."""
    if not isinstance(wanted, dict) or any(
        isinstance(v, bool) or not isinstance(v, int) or not 0 <= v <= MOST for v in wanted.values()
    ):
        raise ValueError(f"limits must be an object of whole numbers from 0 to {MOST:,d} by name")
    if unknown := sorted(set(wanted) - set(known)):
        raise ValueError(f"no limit is called {unknown[0]}; there are {', '.join(sorted(known))}")
    return wanted
