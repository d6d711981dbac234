"""Where an org on disk writes down what its clock says, so that time does not jump when it is started again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lht.simulator.org.clock import Clock

if TYPE_CHECKING:
    from lht.simulator.store.database import Database

TABLE = "_clock"


def kept_clock(db: Database) -> Clock:
    """Gives the clock as the org's last process left it, which writes down every change from now on."""
    db.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (offset_us BIGINT, frozen TIMESTAMP)")
    found = db.rows(f"SELECT offset_us, frozen FROM {TABLE}")
    clock = _clock(*found[0]) if found else Clock()
    clock.on_change = lambda offset, frozen: _keep(db, offset, frozen)
    return clock


def _clock(offset_us: object, frozen: object) -> Clock:
    stands = frozen.replace(tzinfo=UTC) if isinstance(frozen, datetime) else None
    return Clock(timedelta(microseconds=int(str(offset_us))), stands)


def _keep(db: Database, offset: timedelta, frozen: datetime | None) -> None:
    stands = frozen.astimezone(UTC).replace(tzinfo=None) if frozen else None
    with db.transaction() as connection:
        connection.execute(f"DELETE FROM {TABLE}")
        connection.execute(
            f"INSERT INTO {TABLE} VALUES (?, ?)", [offset // timedelta(microseconds=1), stands]
        )
