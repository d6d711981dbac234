"""Activities and their parents: the day of the latest one, and those so old that they are archived."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from lht.simulator.org.writes import rows
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.org.writes.working_set import WorkingSet
    from lht.simulator.store.database import Connection

ABOUT = ("WhatId", "WhoId", "AccountId")
DONE = {
    "Task": '"IsClosed" AND coalesce("ActivityDate", CAST("CreatedDate" AS DATE)) < ?',
    "Event": 'coalesce(CAST("EndDateTime" AS DATE), "ActivityDate", CAST("CreatedDate" AS DATE)) < ?',
}
"""What is over, of activities, by object."""


def note_activity(work: WorkingSet, catalog: Catalog, schema: ObjectSchema, row: Row) -> None:
    """Moves LastActivityDate of what an activity is about, which is the platform's doing: only SystemModstamp moves."""
    day, now = row.get("ActivityDate"), row.get("SystemModstamp")
    if schema.name not in DONE or not isinstance(day, date) or not isinstance(now, datetime):
        return
    if not (row.get("IsClosed") if schema.name == "Task" else day <= now.date()):
        return
    for parent_id in {str(row[name]) for name in ABOUT if row.get(name)}:
        parent = catalog.by_prefix(parent_id)
        if parent is not None and {"LastActivityDate", "SystemModstamp"} <= rows.stored_names(parent):
            work.later(
                (note_activity, parent.name), partial(_note_days, work, parent), [(parent_id, day, now)]
            )


def _note_days(work: WorkingSet, parent: ObjectSchema, noted: list[tuple[str, date, datetime]]) -> None:
    latest: dict[str, tuple[date, datetime]] = {}
    for parent_id, day, now in noted:
        if parent_id not in latest or latest[parent_id][0] < day:
            latest[parent_id] = day, now
    listed = ", ".join(f"unnest(CAST(? AS {kind}[]))" for kind in ("VARCHAR", "DATE", "TIMESTAMP"))
    table, (chosen, given) = quoted(parent.name), rows.among(parent, list(latest))
    sql = (
        f'UPDATE {table} SET "LastActivityDate" = v.day, "SystemModstamp" = v.moment '
        f"FROM (SELECT {listed}) v(id, day, moment) "
        f'WHERE {table}."Id" = v.id AND {chosen} AND ("LastActivityDate" IS NULL OR "LastActivityDate" < v.day)'
    )
    days, moments = zip(*latest.values(), strict=True)
    connection = work.rewriting([(parent, list(latest))])
    connection.execute(sql, [list(latest), list(days), list(moments), *given])


def archive(connection: Connection, catalog: Catalog, now: datetime, older_than_days: float) -> int:
    """Archives activities that were over that long ago; gives their number. SystemModstamp moves with it."""
    count, before = 0, (now - timedelta(days=older_than_days)).date()
    for name, done in DONE.items():
        schema = catalog.object(name)
        if schema is None or "IsArchived" not in rows.stored_names(schema):
            continue
        sql = (
            f'UPDATE {quoted(name)} SET "IsArchived" = true, "SystemModstamp" = ? '
            f'WHERE "IsArchived" IS NOT TRUE AND "IsDeleted" IS NOT TRUE AND {done}'
        )
        found = connection.execute(sql, [now, before]).fetchone()
        count += int(found[0]) if found else 0
    return count
