"""Transactions that are held open: what they change gets the stamp of their start and is seen once they commit."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault
from lht.simulator.org import ids
from lht.simulator.org.clock import Clock
from lht.simulator.org.writes import rows
from lht.simulator.org.writes.write_options import WriteOptions

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.org.writes.records import RecordKeeper
    from lht.simulator.store.database import Connection

ACTIONS = ("create", "update", "delete")
KEYS = frozenset({"action", "object", "id", "fields"})


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a record; the id of a new one is reserved by `number`."""

    action: str
    schema: ObjectSchema
    record_id: str
    fields: dict[str, Any]
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Pending:
    """A transaction that is open."""

    name: str
    started: datetime
    changes: tuple[Change, ...]

    def as_json(self) -> dict[str, Any]:
        """Writes it down for an admin."""
        listed = [{"action": c.action, "object": c.schema.name, "id": c.record_id} for c in self.changes]
        return {"id": self.name, "started": self.started.isoformat(), "changes": listed}


class _TriedOut(Exception):  # noqa: N818 - the way out of a transaction that is to leave nothing
    """Everything could be written."""


class OpenTransactions:
    """Keeps what open transactions are going to write: the database knows nothing of it before they commit."""

    def __init__(self, keeper: RecordKeeper) -> None:
        self._keeper = keeper
        self._pending: dict[str, Pending] = {}
        self._lock = threading.RLock()
        self._opened = 0

    def open(self, changes: Sequence[object]) -> dict[str, Any]:
        """Opens a transaction with these changes, which must be possible now; they hold the records they change."""
        read = [self._read(change) for change in changes]
        if not read:
            raise ValueError("changes must name at least one")
        with self._lock:
            self._opened += 1
            pending = Pending(f"tx{self._opened}", self._keeper.clock.stamp(), tuple(self._reserved(read)))
            held = {change.record_id for change in pending.changes}
            self._keeper.locks.take(pending.name, held)
            try:
                self._write(pending, keep=False)
            except _TriedOut:
                self._pending[pending.name] = pending
            finally:
                if pending.name not in self._pending:
                    self._keeper.locks.release(pending.name)
        return pending.as_json()

    def commit(self, name: str) -> dict[str, Any]:
        """Writes what a transaction holds, with the stamps of its start; one that fails is rolled back."""
        with self._lock:
            pending = self._need(name)
            try:
                self._write(pending, keep=True)
            finally:
                self._end(pending)
        return pending.as_json()

    def roll_back(self, name: str) -> dict[str, Any]:
        """Forgets a transaction."""
        with self._lock:
            pending = self._need(name)
            self._end(pending)
        return pending.as_json()

    def listed(self) -> list[dict[str, Any]]:
        """Gives the open transactions, the oldest first."""
        with self._lock:
            return [pending.as_json() for pending in self._pending.values()]

    def oldest(self) -> datetime | None:
        """Tells when the oldest open transaction began."""
        with self._lock:
            return min((pending.started for pending in self._pending.values()), default=None)

    def clear(self) -> None:
        """Forgets all of them."""
        with self._lock:
            self._pending.clear()
            self._keeper.locks.clear()

    def _need(self, name: str) -> Pending:
        if name not in self._pending:
            raise ApiFault(404, "NOT_FOUND", f"No transaction {name} is open")
        return self._pending[name]

    def _end(self, pending: Pending) -> None:
        del self._pending[pending.name]
        self._keeper.locks.release(pending.name)

    def _read(self, body: object) -> Change:
        if not isinstance(body, dict) or not set(body) <= KEYS or body.get("action") not in ACTIONS:
            raise ValueError(
                f"a change is an object with an action ({', '.join(ACTIONS)}), an object, an id unless it creates, and "
                f"fields unless it deletes, not {body!r}"
            )
        action, fields = body["action"], body.get("fields", {})
        if not isinstance(fields, dict) or not isinstance(body.get("object"), str):
            raise ValueError(f"object must be a name, and fields an object: {body!r}")  # noqa: TRY004 - one kind of refusal
        schema = self._keeper.catalog.need(body["object"])
        given = body.get("id", "")
        if (action == "create") is bool(given) or not isinstance(given, str):
            raise ValueError(f"a change needs an id unless it creates: {body!r}")
        return Change(action, schema, ids.to_long(given) or given, fields)

    def _reserved(self, changes: list[Change]) -> list[Change]:
        """Gives new records their ids, which are used up even if the transaction is rolled back."""
        found = []
        with self._keeper.db.transaction() as connection:
            for change in changes:
                if change.action != "create":
                    found.append(change)
                    continue
                number = rows.next_number(connection, change.schema)
                new_id = ids.make_id(str(change.schema.key_prefix), number)
                found.append(replace(change, record_id=new_id, number=number))
        return found

    def _write(self, pending: Pending, *, keep: bool) -> None:
        clock = Clock(frozen=self._aware(pending.started))
        keeper = replace(self._keeper, clock=clock, bin=replace(self._keeper.bin, clock=clock))
        with keeper.db.transaction() as connection:
            for change in pending.changes:
                _apply(keeper, connection, change, self._options(pending, change))
            if not keep:
                raise _TriedOut

    def _options(self, pending: Pending, change: Change) -> WriteOptions:
        """What is tried out, and what is written, takes the rows that it needs, parents too, until the end."""
        take = partial(self._keeper.locks.take, pending.name)
        return WriteOptions(number=change.number, transaction=pending.name, locker=take)

    def _aware(self, moment: datetime) -> datetime:
        return moment.replace(tzinfo=self._keeper.clock.now().tzinfo)


def _apply(keeper: RecordKeeper, connection: Connection, change: Change, options: WriteOptions) -> None:
    schema = keeper.catalog.need(change.schema.name)
    if change.action == "create":
        keeper.create_in(connection, schema, change.fields, options)
    elif change.action == "update":
        keeper.update_in(connection, schema, change.record_id, change.fields, options)
    else:
        keeper.delete_in(connection, schema, change.record_id, options)
