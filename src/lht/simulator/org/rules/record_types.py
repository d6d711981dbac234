"""The record types of an object, as describe and the rules for new records see them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.store.database import Connection

MASTER_ID = "012000000000000AAA"
"""The record type that every object has, whose records name none."""


@dataclass(frozen=True, slots=True)
class RecordType:
    """One record type. Of those that are active, the oldest is the running user's default."""

    id: str
    name: str
    developer_name: str
    active: bool = True
    default: bool = False

    @property
    def is_master(self) -> bool:
        return self.id == MASTER_ID


def record_types(connection: Connection, catalog: Catalog, object_name: str) -> tuple[RecordType, ...]:
    """Gives the record types of an object by name, Master last; Master is the default where there are no others."""
    sql = 'SELECT "Id", "Name", "DeveloperName", "IsActive", _seq FROM "RecordType" WHERE "SobjectType" = ? ORDER BY "Name"'
    found = connection.execute(sql, [object_name]).fetchall() if catalog.object("RecordType") else []
    oldest = min((row[4] for row in found if row[3]), default=None)
    types = tuple(
        RecordType(str(row[0]), str(row[1]), str(row[2]), bool(row[3]), bool(row[3]) and row[4] == oldest)
        for row in found
    )
    master = RecordType(MASTER_ID, "Master", "Master", default=not any(known.default for known in types))
    return (*types, master)
