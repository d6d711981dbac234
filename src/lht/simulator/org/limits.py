"""Limits that are really counted, over the last 24 hours of the org's clock."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault

if TYPE_CHECKING:
    from datetime import datetime

    from lht.simulator.org.clock import Clock

API_REQUESTS = "DailyApiRequests"
BULK_BATCHES = "DailyBulkApiBatches"
BULK_QUERY_JOBS = "DailyBulkV2QueryJobs"
BULK_QUERY_STORAGE_MB = "DailyBulkV2QueryFileStorageMB"

ALLOWED = {
    "ConcurrentAsyncGetReportInstances": 200,
    API_REQUESTS: 15_000,
    BULK_BATCHES: 15_000,
    BULK_QUERY_STORAGE_MB: 976_562,
    BULK_QUERY_JOBS: 10_000,
    "DataStorageMB": 5_120,
    "FileStorageMB": 20,
    "SingleEmail": 15,
}
DAY = timedelta(hours=24)


class Limits:
    """Counts uses by the hour and gives what is left; the allowances may be set."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._uses: dict[str, Counter[datetime]] = {}
        self.allowed = dict(ALLOWED)

    def count(self, name: str, uses: int = 1) -> None:
        """Counts uses of a limit."""
        hour = self._clock.now().replace(minute=0, second=0)
        with self._lock:
            self._uses.setdefault(name, Counter())[hour] += uses

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
        if self.remaining(API_REQUESTS) == 0:
            raise ApiFault(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        self.count(API_REQUESTS)

    def take_query_job(self) -> None:
        """Counts one Bulk query job, or refuses it when none is left."""
        if self.remaining(BULK_QUERY_JOBS) == 0:
            most = self.allowed[BULK_QUERY_JOBS]
            message = f"Max bulk v2 query jobs ({most}) per 24 hrs has been reached"
            raise ApiFault(400, "LIMIT_EXCEEDED", message)
        self.count(BULK_QUERY_JOBS)

    def usage_header(self) -> str:
        """Gives the value of `Sforce-Limit-Info`."""
        return f"api-usage={self.used(API_REQUESTS)}/{self.allowed[API_REQUESTS]}"

    def as_json(self) -> dict[str, dict[str, int]]:
        """Gives the answer of `/limits/`."""
        return {name: {"Max": most, "Remaining": self.remaining(name)} for name, most in self.allowed.items()}

    def reset(self) -> None:
        """Forgets all uses and gives every allowance its first value."""
        with self._lock:
            self._uses.clear()
        self.allowed = dict(ALLOWED)
