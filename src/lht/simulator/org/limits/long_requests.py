"""Requests that are under way, and how many of them have been for long: an org bears only so many of those."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.simulator.org.settings import Settings


class LongRequests:
    """Notes when each request began, by a real clock: the org's may be stopped while somebody waits."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._began: dict[object, float] = {}
        self._lock = threading.Lock()

    def too_many(self) -> bool:
        """Tells whether as many have been under way for long as may be."""
        if not self._settings.enforce_limits:
            return False
        since = time.monotonic() - self._settings.long_request_s
        with self._lock:
            return sum(began <= since for began in self._began.values()) >= self._settings.long_requests

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Counts a request for as long as the block runs."""
        mark = object()
        with self._lock:
            self._began[mark] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._began[mark]
