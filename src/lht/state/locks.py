"""Keeps two runs off one table, by a row in the `locks` table; the row also says that a run is under way.

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
from datetime import datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lht.errors import LhtError, MissingTableError, RunLockedError, StateError
from lht.model.run import Holder, Owner, RunRecord
from lht.state.lock_rows import LockRows
from lht.state.store import State

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from lht.model.table import TableName
    from lht.state.standing import Standing
    from lht.warehouse.port import Warehouse

HEARTBEAT_S = 15.0
SILENCE_S = 90.0

_log = logging.getLogger(__name__)


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


def is_gone(holder: Holder, ours: Owner, *, is_alive: Callable[[int], bool] = is_alive) -> bool:
    """Whether a holder's process was one of this machine's, and runs no more."""
    theirs = holder.owner
    return (ours.host, ours.boot_id) == (theirs.host, theirs.boot_id) and not is_alive(theirs.pid)


def has_died(
    holder: Holder, ours: Owner, clock: datetime, *, is_alive: Callable[[int], bool] = is_alive
) -> bool:
    """Whether a holder's process is known to be gone, or has been silent for too long."""
    if is_gone(holder, ours, is_alive=is_alive):
        return True
    return clock - holder.heartbeat_at > timedelta(seconds=SILENCE_S)


def run_of(holder: Holder, status: str, *, ended_at: datetime | None = None) -> RunRecord:
    """The record of a run that is known by its lock alone."""
    return RunRecord(
        run_id=holder.run_id,
        org_id=holder.org_id,
        object=holder.object,
        table=holder.table,
        command=holder.command,
        status=status,
        started_at=holder.acquired_at,
        ended_at=ended_at,
        lht_version=holder.lht_version,
        result=None,
    )


class TableLock:
    """A lock on one table, held while the `with` block runs; otherwise RunLockedError names who holds it.

    Entering happens outside transactions; it creates LHT's tables where they are missing. What is read to see that
    the lock is ours tells everything else about the table too: `standing`. A thread keeps the heartbeat through a
    connection of its own. A lock whose process is gone is replaced at once; one of a process that cannot be looked
    for, after 90 s of silence: `replaced` then tells whose it was, and that run is written down as interrupted.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        table: TableName,
        *,
        run_id: str,
        org_id: str = "",
        object_name: str = "",
        command: str = "",
        schema: str | None = None,
        owner: Owner | None = None,
        timeout_s: float = 0.0,
        heartbeat_s: float = HEARTBEAT_S,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        is_alive: Callable[[int], bool] = is_alive,
    ) -> None:
        self.replaced: Holder | None = None
        self.standing: Standing
        self.table = table
        self._owner = owner or this_process()
        never = datetime.min  # noqa: DTZ901 - the warehouse's clock writes the times
        self._row = Holder(
            self._owner, run_id, org_id, object_name, table, command, version("lht"), never, never
        )
        self._warehouse = warehouse
        self._state = State(warehouse, schema=schema)
        self._rows = LockRows(warehouse, schema, sleep)
        self._timeout_s = timeout_s
        self._sleep = sleep
        self._monotonic = monotonic
        self._is_alive = is_alive
        self._beat = _Heartbeat(self._rows, self._owner.token, heartbeat_s)

    @property
    def token(self) -> str:
        """Stands for this lock in statements that must not go through without it."""
        return self._owner.token

    def __enter__(self) -> Self:
        deadline = self._monotonic() + self._timeout_s
        while True:
            began = self._monotonic()
            if (holder := self._try()) is None:
                self._beat.start()
                return self
            # Two that collided wait for different times, longer than their statements took: else they meet again.
            self._pause(holder, deadline, 2 * (self._monotonic() - began))
            while (holder := self._live_holder(*self._rows.holders(self.table))) is not None:
                self._pause(holder, deadline)

    def _pause(self, holder: Holder, deadline: float, longer_s: float = 0.0) -> None:
        if self._monotonic() >= deadline:
            raise self._locked(holder)
        self._sleep(random.uniform(0.05, 0.25 + longer_s))  # noqa: S311 - jitter, no secret

    def _try(self) -> Holder | None:
        """Takes the lock and gives None, or gives who has it."""
        self._add()
        try:
            self.standing = self._state.standing(self.table)
            holder = self._live_holder(self.standing.holders, self.standing.clock)
        except BaseException:
            with contextlib.suppress(LhtError):  # what went wrong first is what counts
                self._rows.remove(self.token)
            raise
        if holder is not None:
            self._rows.remove(self.token)
        return holder

    def _add(self) -> None:
        """Writes our row; first creates or upgrades the state tables if that is what it needs."""
        with contextlib.suppress(MissingTableError):
            if self._rows.add(self._row):
                return
        self._state.ensure()
        if not self._rows.add(self._row):
            raise StateError(
                f"No lock on {self.table} could be written into LHT's tables.",
                hint="Another LHT may be upgrading them; run the same command again.",
            )

    def _live_holder(self, holders: Sequence[Holder], clock: datetime) -> Holder | None:
        """Finds another holder that lives; clears away those that do not."""
        others = [holder for holder in holders if holder.owner.token != self.token]
        dead = [h for h in others if has_died(h, self._owner, clock, is_alive=self._is_alive)]
        for holder in dead:
            self._replace(holder, clock)
        return next((holder for holder in others if holder not in dead), None)

    def _replace(self, dead: Holder, clock: datetime) -> None:
        """Writes down how a dead run ended and clears what it left; its row goes last, so that this is repeated."""
        if dead.object:
            self._state.save_first_end(run_of(dead, "interrupted", ended_at=clock))
        with contextlib.suppress(LhtError):  # what cannot be cleared away is no reason to stop
            gone = is_gone(dead, self._owner, is_alive=self._is_alive)
            self._warehouse.clear_leftovers(dead.run_id, is_gone=gone)
        self._rows.remove(dead.owner.token)
        self.replaced = dead

    def _locked(self, holder: Holder) -> RunLockedError:
        who = f"process {holder.owner.pid} on {holder.owner.host}"
        return RunLockedError(
            f"Another run, {holder.run_id} ({who}), holds the table {self.table} "
            f"since {holder.acquired_at:%Y-%m-%d %H:%M:%S} UTC.",
            hint="Wait for it to end, or stop it; then run this command again.",
            table=str(self.table),
            run_id=holder.run_id,
            pid=holder.owner.pid,
            host=holder.owner.host,
        )

    def check(self) -> None:
        """Raises RunLockedError if the lock is no longer ours; call it in the final transaction."""
        holders, _ = self._rows.holders(self.table)
        if any(holder.owner.token == self.token for holder in holders):
            return
        raise self.lost(f" Run {holders[0].run_id} has taken it." if holders else "")

    def check_again(self) -> None:
        """Checks at the end of a transaction, where another process may have taken the lock while it ran."""
        if not self._warehouse.capabilities.is_single_process:
            self.check()

    def lost(self, by: str = "") -> RunLockedError:
        """The error for a lock that is no longer ours."""
        return RunLockedError(
            f"This run lost its lock on the table {self.table} and changed nothing.{by}",
            hint="Its process was asleep for too long; run the same command again.",
            table=str(self.table),
        )

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beat.stop()
        # A lock that cannot be given back (the connection may be gone) falls to silence; it must not hide `error`.
        with contextlib.suppress(LhtError) if error else contextlib.nullcontext():
            self._rows.remove(self.token)


class _Heartbeat:
    """Tells the warehouse every few seconds that the holder lives.

    The thread's own connection is opened when its first beat is due: most runs end before, and a login is not free.
    """

    def __init__(self, rows: LockRows, token: str, interval_s: float) -> None:
        self._rows = rows
        self._token = token
        self._interval_s = interval_s
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="lht-heartbeat", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with contextlib.ExitStack() as connection:
            rows: LockRows | None = None
            while not self._stopped.wait(self._interval_s):
                try:
                    if rows is None:
                        rows, close = self._rows.fork()
                        connection.callback(close)
                    rows.beat(self._token)
                except LhtError as error:
                    # One lost beat is no harm; if the lock is lost, `check` finds out before anything is committed.
                    _log.warning("heartbeat failed", extra={"error": str(error)})

    def stop(self) -> None:
        self._stopped.set()
        if self._thread:
            self._thread.join()
