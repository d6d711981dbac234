"""Merges: up to two losers go into the recycle bin, and what belonged to them belongs to the winner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org.writes import rows
from lht.simulator.org.writes.rows import MANY
from lht.simulator.org.writes.working_set import working
from lht.simulator.org.writes.write_options import AS_USUAL
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.writes.records import RecordKeeper
    from lht.simulator.store.database import Connection

MERGED_ALL_THE_SAME = frozenset({"Case"})
"""Objects whose describe says that they are not mergeable, though Apex and people merge them.

https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/langCon_apex_dml_examples_merge.htm
"""
MOST_LOSERS = 2
STAY_BEHIND = ("History", "Share", "Feed")
"""Objects whose records go with the loser instead of moving to the winner."""


def merge(
    keeper: RecordKeeper,
    object_name: str,
    master: str,
    losers: Sequence[str],
    fields: Mapping[str, object],
) -> None:
    """Merges records in a transaction. The master is touched by the user, children by the platform alone."""
    schema = keeper.catalog.need(object_name)
    if not schema.mergeable and schema.name not in MERGED_ALL_THE_SAME:
        raise ApiFault(400, "INVALID_TYPE_FOR_OPERATION", f"entity type {schema.name} does not support merge")
    with keeper.db.transaction() as connection, working(connection) as work:
        winner = keeper.changeable(work, schema, master, AS_USUAL)
        beaten = [keeper.changeable(work, schema, loser, AS_USUAL) for loser in losers]
        if not 1 <= len(beaten) <= MOST_LOSERS or len({winner, *beaten}) != len(beaten) + 1:
            raise ValueError("losers must be one or two other records than the master")
        now = keeper.clock.stamp()
        keeper.update_in(work, schema, master, fields)
        work.writing()
        for child, field in keeper.catalog.children(schema):
            if _moves(child, field):
                _reparent(connection, (child, field), beaten, winner, now)
        sql = f'UPDATE {quoted(schema.name)} SET "MasterRecordId" = ? WHERE "Id" IN {MANY}'
        connection.execute(sql, [winner, beaten])
        for fault in filter(None, keeper.bin.delete(work, schema, beaten)):
            raise fault


def _moves(child: ObjectSchema, field: FieldSchema) -> bool:
    return field.has_column and field.name != "MasterRecordId" and not child.name.endswith(STAY_BEHIND)


def _reparent(
    connection: Connection,
    relation: tuple[ObjectSchema, FieldSchema],
    losers: list[str],
    winner: str,
    now: datetime,
) -> None:
    """Moves live children; the winner is not made its own parent."""
    child, field = relation
    held = rows.children(connection, child, field, losers, deleted=False)
    if not held:
        return
    name, stamped = quoted(field.name), "SystemModstamp" in rows.stored_names(child)
    sets = f'{name} = nullif(?, "Id")' + (', "SystemModstamp" = ?' if stamped else "")
    sql = f'UPDATE {quoted(child.name)} SET {sets} WHERE "Id" IN {MANY}'
    connection.execute(sql, [winner, *([now] if stamped else []), held])
