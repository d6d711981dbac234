"""Who may own a record: people who are active, and queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org.writes import rows
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.org.writes.working_set import WorkingSet

OWNER = "OwnerId"


def check_owner(work: WorkingSet, catalog: Catalog, schema: ObjectSchema, sent: Row) -> None:
    """Refuses an owner who cannot own the record; references were checked before."""
    owner = sent.get(OWNER)
    if owner is None:
        return
    holder = catalog.by_prefix(str(owner))
    if holder is None:
        return
    if holder.name == "User" and _value(work, holder, "IsActive", owner) is False:
        message = f"operation performed with inactive user [{owner}] as owner of {schema.label.lower()}"
        raise ApiFault(400, "INACTIVE_OWNER_OR_USER", message, (OWNER,))
    if holder.name == "Group" and _value(work, holder, "Type", owner) not in {"Queue", None}:
        message = "Queue not associated with this SObject type"
        raise ApiFault(400, "INVALID_OPERATION", message, (OWNER,))


def _value(work: WorkingSet, schema: ObjectSchema, field: str, record_id: object) -> object:
    if field not in rows.stored_names(schema):
        return None
    sql = f'SELECT {quoted(field)} FROM {quoted(schema.name)} WHERE "Id" = ?'
    found = work.once(schema, (field, record_id), lambda at: at.execute(sql, [record_id]).fetchone())
    return found[0] if found else None


def ownerless() -> ApiFault:
    """The answer to a record that is to lose its owner."""
    return ApiFault(400, "INVALID_CROSS_REFERENCE_KEY", "Owner ID: owner cannot be blank", (OWNER,))
