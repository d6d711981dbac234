"""Records that the running user sees but may not change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org.writes.rows import MANY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.simulator.org.writes.working_set import WorkingSet
    from lht.simulator.store.database import Connection

TABLE = "_read_only"


def make_table(connection: Connection) -> None:
    """Makes the list of such records, unless it is there."""
    connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (id VARCHAR)")


def set_read_only(connection: Connection, record_ids: Sequence[str], *, read_only: bool) -> None:
    """Takes the right to change records, or gives it back."""
    connection.execute(f"DELETE FROM {TABLE} WHERE id IN {MANY}", [list(record_ids)])
    if read_only:
        connection.execute(f"INSERT INTO {TABLE} SELECT unnest(CAST(? AS VARCHAR[]))", [list(record_ids)])


def read_only_among(connection: Connection, record_ids: Sequence[str]) -> set[str]:
    """Gives those of the records that the user may only read."""
    match, given = ("= ?", record_ids[0]) if len(record_ids) == 1 else (f"IN {MANY}", list(record_ids))
    found = connection.execute(f"SELECT id FROM {TABLE} WHERE id {match}", [given]).fetchall()
    return {str(row[0]) for row in found}


def check_writable(work: WorkingSet, record_id: str) -> None:
    """Refuses to change a record that the user may only read."""
    if work.is_read_only(record_id):
        message = "insufficient access rights on object id"
        raise ApiFault(403, "INSUFFICIENT_ACCESS_OR_READONLY", message, ())
