"""Which live records hold which value of a field: asked once for many records, and kept true while they are written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.writes import rows

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.writes.values import Stored
    from lht.simulator.store.database import Connection


class HeldValues:
    """The holders of those values of one field that somebody asked for.

    Whether two texts are the same the database alone decides, so values are known by what it makes of them.
    """

    def __init__(self, connection: Connection, schema: ObjectSchema, field: FieldSchema) -> None:
        self._connection = connection
        self._schema = schema
        self._field = field
        self._expected: dict[Stored, None] = {}
        self._folded: dict[Stored, Stored] = {}
        self._holders: dict[Stored, list[str]] = {}
        self._holds: dict[str, Stored] = {}
        self._fresh: list[str] = []

    def expect(self, values: Iterable[Stored]) -> None:
        """Says that holders of those values will be asked for."""
        self._expected |= {value: None for value in values if value is not None and value not in self._folded}

    def holders(self, value: Stored) -> list[str] | None:
        """Gives the ids of the live records that hold a value; None if that must be read."""
        return list(self._holders[self._folded[value]]) if value in self._folded else None

    def read(self, value: Stored) -> list[str]:
        """Reads the holders of all expected values, and gives those of this one."""
        asked = list(self._expected | {value: None})
        self._expected = {}
        self._folded |= zip(asked, rows.folded(self._connection, self._field, asked), strict=True)
        for one in asked:
            self._holders.setdefault(self._folded[one], [])
        fresh = {self._folded[one]: one for one in asked}
        for found, record_id in rows.holders(
            self._connection, self._schema, self._field, list(fresh.values())
        ):
            self._put(record_id, self._folded[found])
            self._fresh.append(record_id)
        return list(self._holders[self._folded[value]])

    def fresh(self) -> list[str]:
        """Gives the ids that were read since this was last asked: nobody has been told of them yet."""
        found, self._fresh = self._fresh, []
        return found

    def note(self, record_id: str, row: Row) -> None:
        """Takes into account what a record holds by now."""
        held = self._holds.pop(record_id, None)
        if held is not None:
            self._holders[held].remove(record_id)
        value = row.get(self._field.name)
        if value is None or row.get("IsDeleted"):
            return
        if value in self._folded:
            self._put(record_id, self._folded[value])
        else:  # nobody asked for it, but it may be the same as one that somebody did
            self.forget()

    def _put(self, record_id: str, folded: Stored) -> None:
        if record_id not in self._holders[folded]:
            self._holders[folded].append(record_id)
        self._holds[record_id] = folded

    def forget(self) -> None:
        """Reads anew who holds what before that is next told."""
        self._expected |= dict.fromkeys(self._folded)
        self._folded, self._holders, self._holds = {}, {}, {}
