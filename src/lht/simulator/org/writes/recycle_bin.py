"""Deletion: what goes with a record, what keeps it, the recycle bin, and the end of the rows that lay in it."""

from __future__ import annotations

from dataclasses import dataclass
from dataclasses import field as kept
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org import ids
from lht.simulator.org.effects.after_save import after_delete, after_insert
from lht.simulator.org.effects.changing import Changing
from lht.simulator.org.writes import relations, rows
from lht.simulator.org.writes.cascade import Cascade, Kin, cascade_of, refusals
from lht.simulator.org.writes.rows import MANY
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.org.settings import Settings
    from lht.simulator.org.writes.working_set import WorkingSet
    from lht.simulator.store.database import Connection, Database

TABLE = "_bin"
"""What lies in the recycle bin since when, and what was emptied out of it but still has its row.

Seeded deletions are not in it: they stay until somebody empties the bin.
"""

MOST_DAYS = 100_000
"""No org is as old as that."""


def make_tables(connection: Connection) -> None:
    """Makes what the bin keeps for itself, unless it is there."""
    connection.execute(
        f"CREATE TABLE IF NOT EXISTS {TABLE} (object VARCHAR, id VARCHAR, since TIMESTAMP, emptied TIMESTAMP)"
    )
    relations.make_table(connection)


TABLES = (TABLE, relations.TABLE)
ONE_BY_ONE = frozenset({"OpportunityLineItem"})
"""Objects each deletion of whose records is written down for somebody else, as an opportunity's amount is."""


def gone() -> ApiFault:
    """The answer to who speaks of a record that is deleted."""
    return ApiFault(404, "ENTITY_IS_DELETED", "entity is deleted")


class UnknownRecord(ApiFault):
    """The answer to a change of a record that is not there."""

    def __init__(self) -> None:
        super().__init__(400, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")


@dataclass(slots=True)
class RecycleBin:
    """Deletes, undeletes and purges, in the caller's transaction unless said otherwise."""

    db: Database
    catalog: Catalog
    clock: Clock
    settings: Settings
    user_id: str
    _looked: tuple[datetime, datetime, tuple[float, float]] | None = kept(default=None, init=False)
    """When the bin was last gone through, when something falls due next, and under which settings that holds."""

    def expect(self, work: WorkingSet, schema: ObjectSchema, record_ids: Sequence[str]) -> None:
        """Says that those records will be deleted: who refers to them is read at once."""
        if schema.name not in ONE_BY_ONE:
            self._kin(work, schema, record_ids)

    def _kin(self, work: WorkingSet, schema: ObjectSchema, record_ids: Sequence[str]) -> Kin:
        kin = work.keep((Kin, schema.name), lambda _: Kin(work, self.catalog, schema, record_ids))
        return kin if kin.serves(work, record_ids) else Kin(work, self.catalog, schema, record_ids)

    def delete(
        self, work: WorkingSet, schema: ObjectSchema, record_ids: Sequence[str]
    ) -> list[ApiFault | None]:
        """Puts live records into the bin in their order, with what belongs to them; gives the refusal of each, or None."""
        size = 1 if schema.name in ONE_BY_ONE else max(len(record_ids), 1)
        found = list[ApiFault | None]()
        for start in range(0, len(record_ids), size):
            found += self._delete(work, schema, record_ids[start : start + size])
        return found

    def _delete(
        self, work: WorkingSet, schema: ObjectSchema, record_ids: Sequence[str]
    ) -> list[ApiFault | None]:
        kin = self._kin(work, schema, record_ids)
        cascade = cascade_of(kin, schema, record_ids)
        refused = refusals(work.reading(), cascade.held) if cascade.held else {}
        if cascade.gone:
            kin.note(cascade.gone)
            self._remove(work, cascade)
        late = gone() if has_bin(schema) else UnknownRecord()
        return [late if place in cascade.again else refused.get(one) for place, one in enumerate(record_ids)]

    def _remove(self, work: WorkingSet, cascade: Cascade) -> None:
        now, members = self.clock.stamp(), cascade.by_object()
        losers = [(child, held) for child, _, held in relations.by_field(cascade.cleared)]
        connection = work.rewriting([*members, *losers])
        relations.clear(connection, cascade.cleared, now)
        rows.log_deleted(connection, members, now)
        self._put(connection, [member for member in members if has_bin(member[0])], now)
        for schema, record_ids in members:
            if has_bin(schema):
                rows.mark_deleted(connection, schema, record_ids, now, deleted=True)
            else:
                rows.erase(connection, schema, record_ids)
        at = Changing(work, self.catalog, self.user_id, now)
        for schema, record_ids in members:
            after_delete(at, schema, record_ids)

    def bring_back(
        self,
        work: WorkingSet,
        schema: ObjectSchema,
        record_ids: list[str],
        moment: datetime | None,
    ) -> None:
        """Takes records out of the bin with what was deleted with them, and gives lookups back that were cleared.

        Whether they lie in it, and may come back, must have been checked.
        """
        now, connection = self.clock.stamp(), work.writing()
        for child, found in self._members(connection, schema, record_ids):
            together = rows.deleted_together(connection, child, found, moment) if moment else []
            self.bring_back(work, child, together, moment)
        rows.unlog_deleted(connection, schema, record_ids)
        rows.mark_deleted(connection, schema, record_ids, now, deleted=False)
        relations.unmerge(connection, schema, record_ids)
        self._forget(connection, record_ids)
        relations.restore(connection, self.catalog, record_ids, now)
        work.expect(schema, record_ids, whole=True)
        for record_id in record_ids:
            row = work.find(schema, record_id) or {}
            after_insert(work, self.catalog, schema, row, self.user_id, again=True)

    def empty(
        self, connection: Connection, schema: ObjectSchema, record_ids: Sequence[str] | None = None
    ) -> int:
        """Empties records out of the bin, or all of an object: their rows stay for queryAll until they are purged."""
        chosen = _binned(connection, schema, record_ids)
        self._empty(connection, schema, chosen, self.clock.stamp())
        return len(chosen)

    def _empty(
        self, connection: Connection, schema: ObjectSchema, record_ids: list[str], now: datetime
    ) -> None:
        for child, found in self._members(connection, schema, record_ids):
            self._empty(connection, child, found, now)
        known = emptied_among(connection, record_ids)
        fresh = [record_id for record_id in record_ids if record_id not in known]
        self._forget(connection, fresh)
        relations.forget(connection, fresh)
        sql = f"INSERT INTO {TABLE} SELECT ?, unnest(CAST(? AS VARCHAR[])), ?, ?"
        connection.execute(sql, [schema.name, fresh, now, now])
        self._looked = None

    def purge(
        self, connection: Connection, schema: ObjectSchema, record_ids: Sequence[str] | None = None
    ) -> int:
        """Removes records for good, those given or the object's whole bin; gives their number.

        What belongs to them goes too. They stay in the log of getDeleted.
        """
        if record_ids is None:
            chosen = _binned(connection, schema, None)
        else:
            chosen = [ids.checked_id(record_id) for record_id in record_ids]
        self._purge(connection, schema, chosen, self.clock.stamp())
        return len(chosen)

    def _purge(
        self, connection: Connection, schema: ObjectSchema, record_ids: list[str], now: datetime
    ) -> None:
        for deleted in (False, True):
            found = relations.ties(connection, self.catalog, schema, record_ids, deleted=deleted)
            for child, field, kids in relations.by_field(found):
                if field.child_cascade:
                    self._purge(connection, child, kids, now)
            if not deleted:
                relations.clear(connection, [tie for tie in found if tie.id not in record_ids], now)
        never = rows.never_deleted(connection, schema, record_ids)
        rows.log_deleted(connection, [(schema, never)], now)
        rows.erase(connection, schema, record_ids)
        self._forget(connection, record_ids)
        relations.forget(connection, record_ids)

    def _members(
        self, connection: Connection, schema: ObjectSchema, record_ids: list[str]
    ) -> list[tuple[ObjectSchema, list[str]]]:
        """Gives the deleted children that share their parents' fate."""
        found = relations.ties(connection, self.catalog, schema, record_ids, deleted=True)
        return [(child, kids) for child, field, kids in relations.by_field(found) if field.child_cascade]

    def tidy(self) -> None:
        """Empties out what lay in the bin too long and purges what was emptied long enough ago, in a transaction.

        Quick where nothing is due: requests begin with it.
        """
        now, waits = self.clock.stamp(), (self.settings.recycle_bin_days, self.settings.purge_after_hours)
        if self._looked is not None and self._looked[0] <= now < self._looked[1] and self._looked[2] == waits:
            return
        stay, linger = (timedelta(days=min(days, MOST_DAYS)) for days in (waits[0], waits[1] / 24))
        with self.db.transaction() as connection:
            connection.execute(
                f"UPDATE {TABLE} SET emptied = since + ? WHERE emptied IS NULL AND since + ? <= ?",
                [stay, stay, now],
            )
            for schema, found in self._due(connection, now - linger):
                self._purge(connection, schema, found, now)
            sql = f"SELECT min(coalesce(emptied + ?, since + ?)) FROM {TABLE}"
            (due,) = connection.execute(sql, [linger, stay]).fetchone() or (None,)
        soonest = now + min(stay, linger)
        self._looked = (now, min(due or soonest, soonest), waits)

    def _due(self, connection: Connection, until: datetime) -> list[tuple[ObjectSchema, list[str]]]:
        sql = f"SELECT object, list(id) FROM {TABLE} WHERE emptied <= ? GROUP BY object"
        found = connection.execute(sql, [until]).fetchall()
        return [(schema, due) for name, due in found if (schema := self.catalog.object(name))]

    def _put(
        self, connection: Connection, members: list[tuple[ObjectSchema, list[str]]], now: datetime
    ) -> None:
        sql = (
            f"INSERT INTO {TABLE} SELECT unnest(CAST(? AS VARCHAR[])), unnest(CAST(? AS VARCHAR[])), ?, NULL"
        )
        connection.execute(sql, [*rows.listed(members), now])

    def _forget(self, connection: Connection, record_ids: list[str]) -> None:
        connection.execute(f"DELETE FROM {TABLE} WHERE id IN {MANY}", [record_ids])


def has_bin(schema: ObjectSchema) -> bool:
    """Tells whether deleted records stay for a while: shares, and what has no such mark, vanish at once."""
    return not schema.name.endswith("Share") and "IsDeleted" in rows.stored_names(schema)


def emptied_among(connection: Connection, record_ids: Sequence[str]) -> set[str]:
    """Gives those of the records that were emptied out of the bin."""
    sql = f"SELECT id FROM {TABLE} WHERE emptied IS NOT NULL AND id IN {MANY}"
    return {str(row[0]) for row in connection.execute(sql, [list(record_ids)]).fetchall()}


def _binned(connection: Connection, schema: ObjectSchema, record_ids: Sequence[str] | None) -> list[str]:
    if "IsDeleted" not in rows.stored_names(schema):
        return []
    sql, given = f'SELECT "Id" FROM {quoted(schema.name)} WHERE "IsDeleted"', list[object]()
    if record_ids is not None:
        sql += f' AND "Id" IN {MANY}'
        given = [[ids.checked_id(record_id) for record_id in record_ids]]
    return [str(row[0]) for row in connection.execute(sql, given).fetchall()]
