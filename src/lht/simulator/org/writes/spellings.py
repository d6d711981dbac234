"""Values that somebody wrote to an unrestricted picklist although it lacks them.

Salesforce makes an inactive entry of such a value, and takes every later one that differs from it in letter case alone
for the same: the record then holds the first one's spelling (help article 000386557).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.writes.values import Stored
    from lht.simulator.org.writes.working_set import WorkingSet
    from lht.simulator.store.database import Connection

TABLE = "_spellings"
KINDS = frozenset({"picklist", "multipicklist"})


def make_table(connection: Connection) -> None:
    """Makes the list of such values, unless it is there."""
    connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (object VARCHAR, field VARCHAR, spelled VARCHAR)")


def as_first_spelled(work: WorkingSet, schema: ObjectSchema, field: FieldSchema, value: Stored) -> Stored:
    """Gives a picklist's value as it was first spelled, and remembers those that are new."""
    if field.type not in KINDS or field.restricted_picklist or not isinstance(value, str):
        return value
    listed = {entry.value for entry in field.picklist}
    parts = value.split(";") if field.type == "multipicklist" else [value]
    if listed.issuperset(parts):
        return value
    known = work.keep((TABLE, schema.name, field.name), lambda at: _Known(at, schema.name, field.name))
    return ";".join(part if part in listed else known.spelled(part) for part in parts)


class _Known:
    """Such values of one field, as a transaction sees them."""

    def __init__(self, connection: Connection, object_name: str, field_name: str) -> None:
        self._connection = connection
        self._place = [object_name, field_name]
        sql = f"SELECT spelled FROM {TABLE} WHERE object = ? AND field = ?"
        found = connection.execute(sql, self._place).fetchall()
        self._spelled = {str(row[0]).lower(): str(row[0]) for row in found}

    def spelled(self, value: str) -> str:
        folded = value.lower()
        if folded not in self._spelled:
            self._spelled[folded] = value
            self._connection.execute(f"INSERT INTO {TABLE} VALUES (?, ?, ?)", [*self._place, value])
        return self._spelled[folded]
