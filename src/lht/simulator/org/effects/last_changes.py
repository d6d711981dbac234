"""When what the org tells of its objects was last another, for callers that ask whether it has changed since."""

from __future__ import annotations

import hashlib
import threading
from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.schemas.catalog import Catalog

SECOND = timedelta(seconds=1)


class LastChanges:
    """Remembers each description by its hash.

    A change counts from the second after it was seen, since the dates of HTTP are whole seconds: who was told
    something earlier in that second must be told again.
    """

    def __init__(self, clock: Clock, catalog: Catalog) -> None:
        self._clock = clock
        self._catalog = catalog
        self._opened = clock.now().replace(microsecond=0)
        self._at_first = tuple(catalog)
        self._seen: dict[str, tuple[bytes, datetime]] = {}
        self._lock = threading.Lock()

    def moment(self, name: str, content: bytes) -> datetime:
        """Gives when the description of that name came to be as it is."""
        mark = hashlib.sha256(content).digest()
        with self._lock:
            known = self._seen.get(name)
            if known is None:
                self._seen[name] = mark, self._first_moment()
            elif known[0] != mark:
                self._seen[name] = mark, max(self._next_second(), known[1] + SECOND)
            return self._seen[name][1]

    def _first_moment(self) -> datetime:
        """Gives the start of the org while its objects are still those: nobody was told of others."""
        now = tuple(self._catalog)
        is_untouched = len(now) == len(self._at_first) and all(
            one is first for one, first in zip(now, self._at_first, strict=True)
        )
        return self._opened if is_untouched else self._next_second()

    def _next_second(self) -> datetime:
        return self._clock.now().replace(microsecond=0) + SECOND
