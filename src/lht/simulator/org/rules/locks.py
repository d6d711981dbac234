"""Records that an open transaction holds: nobody else changes them meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def locked(record_ids: Sequence[str]) -> ApiFault:
    """The answer to who needs rows that somebody else holds."""
    listed = ",".join(record_ids)
    message = f"unable to obtain exclusive access to this record or {len(record_ids)} records: {listed}"
    return ApiFault(400, "UNABLE_TO_LOCK_ROW", message, ())


class Locks:
    """Who holds which record."""

    def __init__(self) -> None:
        self._holders: dict[str, str] = {}
        self._lock = threading.Lock()

    def check(self, record_id: str, transaction: str | None = None) -> None:
        """Refuses a record that somebody else holds."""
        holder = self._holders.get(record_id)
        if holder is not None and holder != transaction:
            raise locked([record_id])

    def __bool__(self) -> bool:
        return bool(self._holders)

    def take(self, transaction: str, record_ids: Iterable[str]) -> None:
        """Gives records to a transaction, all or none."""
        with self._lock:
            wanted = list(record_ids)
            for record_id in wanted:
                self.check(record_id, transaction)
            self._holders.update(dict.fromkeys(wanted, transaction))

    def release(self, transaction: str) -> None:
        """Takes from a transaction what it holds."""
        with self._lock:
            self._holders = {key: holder for key, holder in self._holders.items() if holder != transaction}

    def clear(self) -> None:
        """Releases everything."""
        with self._lock:
            self._holders.clear()
