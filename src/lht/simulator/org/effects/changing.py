"""One change of records, as what follows from it sees it: where, of which objects, by whom and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.simulator.org.writes import rows
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from datetime import datetime

    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.writes.working_set import WorkingSet


@dataclass(frozen=True, slots=True)
class Changing:
    """The transaction, the objects that the org has, the user and the moment."""

    work: WorkingSet
    catalog: Catalog
    user_id: str
    now: datetime

    def add(self, object_name: str, row: Row) -> str | None:
        """Adds a row as far as the object has its fields; nothing where the org lacks the object."""
        schema = self.catalog.object(object_name)
        if schema is None:
            return None
        return self.work.insert(schema, self._known(object_name, self._born() | row))

    def find(self, object_name: str, record_id: object) -> Row:
        """Gives a row, empty where there is none."""
        schema = self.catalog.object(object_name)
        return (self.work.find(schema, str(record_id)) or {}) if schema and record_id else {}

    def set(self, object_name: str, record_id: str, row: Row) -> None:
        """Writes fields that the object has."""
        schema, known = self.catalog.object(object_name), self._known(object_name, row)
        if schema is not None and known:
            self.work.update(schema, record_id, known)

    def column(self, object_name: str, sql: str, params: list[object]) -> list[str]:
        """Gives the first column of `SELECT … FROM object` with what stands behind it; none where it is not there."""
        if self.catalog.object(object_name) is None:
            return []
        found = self.work.reading().execute(sql.format(table=quoted(object_name)), params).fetchall()
        return [str(row[0]) for row in found if row[0] is not None]

    def has(self, object_name: str, *fields: str) -> bool:
        """Tells whether the org has an object with those stored fields."""
        schema = self.catalog.object(object_name)
        return schema is not None and set(fields) <= rows.stored_names(schema)

    def _known(self, object_name: str, row: Row) -> Row:
        schema = self.catalog.object(object_name)
        names = rows.stored_names(schema) if schema else frozenset[str]()
        return {name: value for name, value in row.items() if name in names}

    def _born(self) -> Row:
        stamps: Row = dict.fromkeys(("CreatedDate", "LastModifiedDate", "SystemModstamp"), self.now)
        people: Row = {"CreatedById": self.user_id, "LastModifiedById": self.user_id, "IsDeleted": False}
        return stamps | people
