"""The counts that `recordCount` tells: exact, unless the org is told to be late with them as a real one is."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lht.simulator.org.writes.rows import state
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.store.database import Database


class RecordCounts:
    """Counts live records that the user may see, and remembers each count for `lag_s` seconds of the org's clock."""

    def __init__(self, db: Database, catalog: Catalog, clock: Clock) -> None:
        self._db = db
        self._catalog = catalog
        self._clock = clock
        self._kept: dict[str, tuple[datetime, int]] = {}
        self._lag_s = 0.0
        self._lock = threading.Lock()

    def be_late(self, seconds: float) -> None:
        """Lets counts grow that old, from the present ones on; 0 makes them exact."""
        with self._lock:
            self._kept.clear()
            self._lag_s = seconds
        if seconds:
            self.told()

    def told(self, names: Sequence[str] | None = None) -> list[dict[str, object]]:
        """Gives the counts of the named objects, or of all; unknown names are left out."""
        wanted = [schema.name for schema in self._catalog] if names is None else names
        known = (self._catalog.object(name.strip()) for name in wanted)
        return [{"count": self._count(schema), "name": schema.name} for schema in known if schema]

    def _count(self, schema: ObjectSchema) -> int:
        now = self._clock.now()
        with self._lock:
            kept = self._kept.get(schema.name)
        if kept is not None and 0 <= (now - kept[0]).total_seconds() < self._lag_s:
            return kept[1]
        counted = self._exact(schema)
        with self._lock:
            self._kept[schema.name] = (now, counted)
        return counted

    def _exact(self, schema: ObjectSchema) -> int:
        alive = state(schema, deleted=False)
        return self._db.count(f"SELECT count(*) FROM {quoted(schema.name)} WHERE _hidden IS NOT TRUE{alive}")
