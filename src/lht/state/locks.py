"""Keeps two runs off one table, by a row in the `locks` table.

No warehouse is asked to enforce anything: a lock is written, committed, and read back. Whoever then sees another
live holder's row steps back, so two that came at once may both step back and try again, but never both go on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import socket
import threading
import time
import uuid
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lht.errors import LhtError, Recovery, RunLockedError
from lht.state import tables
from lht.state.rows import table_row
from lht.state.store import state_table, stored_name
from lht.warehouse.statements import Statement, insert_row, quote, quote_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from lht.model.table import TableName
    from lht.warehouse.port import Warehouse

HEARTBEAT_S = 15.0
SILENCE_S = 90.0
_CONFLICT_TRIES = 8

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a lock: a random token, and where its process can be looked for."""

    token: str
    host: str
    boot_id: str
    pid: int


@dataclass(frozen=True, slots=True)
class Holder:
    """A row of the lock table."""

    owner: Owner
    run_id: str
    acquired_at: datetime
    heartbeat_at: datetime


def this_process() -> Owner:
    """An owner with a new token for the process that calls."""
    return Owner(uuid.uuid4().hex, socket.gethostname(), _boot_id(), os.getpid())


def _boot_id() -> str:
    """Tells one start of the machine from the next, as pids begin anew; empty where the system does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def is_alive(pid: int) -> bool:
    """Whether a process of this machine runs."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


class TableLock:
    """A lock on one table, held while the `with` block runs; otherwise RunLockedError names who holds it.

    Entering happens outside transactions, after `State.ensure`. A thread keeps the heartbeat through a connection
    of its own. A lock whose process is gone is replaced at once; one of a process that cannot be looked for, after
    90 s of silence; `replaced` then tells whose it was.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        table: TableName,
        *,
        run_id: str,
        schema: str | None = None,
        owner: Owner | None = None,
        timeout_s: float = 0.0,
        heartbeat_s: float = HEARTBEAT_S,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        is_alive: Callable[[int], bool] = is_alive,
    ) -> None:
        self.replaced: Holder | None = None
        self._table = table
        self._owner = owner or this_process()
        self._run_id = run_id
        self._rows = _LockRows(warehouse, table, schema, sleep)
        self._timeout_s = timeout_s
        self._heartbeat_s = heartbeat_s
        self._sleep = sleep
        self._monotonic = monotonic
        self._is_alive = is_alive
        self._beat = _Heartbeat(self._rows, self._owner, heartbeat_s)

    def __enter__(self) -> Self:
        deadline = self._monotonic() + self._timeout_s
        while (holder := self._try()) is not None:
            if self._monotonic() >= deadline:
                raise self._locked(holder)
            self._sleep(random.uniform(0.05, 0.25))  # noqa: S311 - jitter, no secret
        self._beat.start()
        return self

    def _try(self) -> Holder | None:
        """Takes the lock and gives None, or gives who has it."""
        if (holder := self._live_holder()) is not None:
            return holder
        self._rows.add(self._owner, self._run_id)
        if (holder := self._live_holder()) is not None:
            self._rows.remove(self._owner.token)
        return holder

    def _live_holder(self) -> Holder | None:
        """Finds another holder that lives; removes those that do not."""
        now = self._rows.now()
        for holder in self._rows.holders():
            if holder.owner.token == self._owner.token:
                continue
            if self._has_died(holder, now):
                self._rows.remove(holder.owner.token)
                self.replaced = holder
                _log.warning(
                    "the lock of a dead run was replaced",
                    extra={"table": str(self._table), "dead_run": holder.run_id, "pid": holder.owner.pid},
                )
            else:
                return holder
        return None

    def _has_died(self, holder: Holder, now: datetime) -> bool:
        ours, theirs = self._owner, holder.owner
        if (ours.host, ours.boot_id) == (theirs.host, theirs.boot_id) and not self._is_alive(theirs.pid):
            return True
        return now - holder.heartbeat_at > timedelta(seconds=SILENCE_S)

    def _locked(self, holder: Holder) -> RunLockedError:
        who = f"process {holder.owner.pid} on {holder.owner.host}"
        return RunLockedError(
            f"Another run, {holder.run_id} ({who}), holds the table {self._table} "
            f"since {holder.acquired_at:%Y-%m-%d %H:%M:%S} UTC.",
            hint="Wait for it to end, or stop it; then run this command again.",
            table=str(self._table),
            run_id=holder.run_id,
            pid=holder.owner.pid,
            host=holder.owner.host,
        )

    def check(self) -> None:
        """Raises RunLockedError if the lock is no longer ours; call it in the final transaction."""
        holders = self._rows.holders()
        if any(holder.owner.token == self._owner.token for holder in holders):
            return
        by = f" Run {holders[0].run_id} has taken it." if holders else ""
        raise RunLockedError(
            f"This run lost its lock on the table {self._table} and changed nothing.{by}",
            hint="Its process was asleep for too long; run the same command again.",
            table=str(self._table),
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beat.stop()
        # A lock that cannot be given back (the connection may be gone) falls to silence; it must not hide `error`.
        with contextlib.suppress(LhtError) if error else contextlib.nullcontext():
            self._rows.remove(self._owner.token)


@dataclass(slots=True)
class _LockRows:
    """Reads and writes one table's lock rows; writes are statements of their own, tried again on a conflict."""

    warehouse: Warehouse
    table: TableName
    schema: str | None
    sleep: Callable[[float], None]
    _name: TableName = field(init=False)

    def __post_init__(self) -> None:
        self._name = state_table(self.warehouse, tables.LOCKS, self.schema)

    def over(self, warehouse: Warehouse) -> _LockRows:
        """The same rows through another connection."""
        return _LockRows(warehouse, self.table, self.schema, self.sleep)

    def now(self) -> datetime:
        return self.warehouse.now()

    def _key(self) -> dict[str, object]:
        return dict(table_row(self.table, self._name.catalog))

    def _column(self, name: str) -> str:
        return quote(stored_name(self.warehouse, name))

    def holders(self) -> list[Holder]:
        names = ("token", "host", "boot_id", "pid", "run_id", "acquired_at", "heartbeat_at")
        key = self._key()
        condition = " AND ".join(f"{self._column(name)} = ?" for name in key)
        found = self.warehouse.query(
            Statement(
                f"SELECT {', '.join(map(self._column, names))} FROM {quote_table(self._name)} WHERE {condition}",
                tuple(key.values()),
            )
        )
        return [_holder(row) for row in found]

    def add(self, owner: Owner, run_id: str) -> None:
        now = self.now()
        row = {**self._key(), **asdict(owner), "run_id": run_id, "acquired_at": now, "heartbeat_at": now}
        self._write(insert_row(self._name, {stored_name(self.warehouse, n): v for n, v in row.items()}))

    def remove(self, token: str) -> None:
        self._write(
            Statement(f"DELETE FROM {quote_table(self._name)} WHERE {self._column('token')} = ?", (token,))
        )

    def beat(self, token: str) -> None:
        self._write(
            Statement(
                f"UPDATE {quote_table(self._name)} SET {self._column('heartbeat_at')} = ? "
                f"WHERE {self._column('token')} = ?",
                (self.now(), token),
            )
        )

    def _write(self, statement: Statement) -> None:
        for tries_left in reversed(range(_CONFLICT_TRIES)):
            try:
                self.warehouse.execute(statement)
            except LhtError as error:
                if error.recovery is not Recovery.RETRY or not tries_left:
                    raise
                self.sleep(random.uniform(0.01, 0.05))  # noqa: S311 - jitter, no secret
            else:
                return


def _holder(row: tuple[object, ...]) -> Holder:
    token, host, boot_id, pid, run_id, acquired_at, heartbeat_at = row
    owner = Owner(str(token), str(host), str(boot_id), int(str(pid)))
    return Holder(owner, str(run_id), _aware(acquired_at), _aware(heartbeat_at))


def _aware(value: object) -> datetime:
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC)


class _Heartbeat:
    """Tells the warehouse every few seconds, from a thread with a connection of its own, that the holder lives."""

    def __init__(self, rows: _LockRows, owner: Owner, interval_s: float) -> None:
        self._rows = rows
        self._owner = owner
        self._interval_s = interval_s
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        connection = self._rows.warehouse.fork()
        self._thread = threading.Thread(
            target=self._run, args=(connection,), name="lht-heartbeat", daemon=True
        )
        self._thread.start()

    def _run(self, connection: Warehouse) -> None:
        rows = self._rows.over(connection)
        while not self._stopped.wait(self._interval_s):
            try:
                rows.beat(self._owner.token)
            except LhtError as error:
                # One lost beat is no harm; if the lock is lost, `check` finds out before anything is committed.
                _log.warning("heartbeat failed", extra={"error": str(error)})
        connection.close()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread:
            self._thread.join()
