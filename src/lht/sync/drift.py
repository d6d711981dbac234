"""How an object's shape differs from its table's, and what is owed to the old rows. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.errors import SchemaDriftError
from lht.mapping.widening import Change, compare
from lht.model.sync import ColumnChange, Drift

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lht.model.sync import SyncPlan
    from lht.model.table import Capabilities, Column


def find_drift(
    wanted: Sequence[Column],
    existing: Sequence[Column],
    *,
    read_before: Iterable[str],
    known_fields: Iterable[str],
    capabilities: Capabilities,
) -> Drift:
    """Compares the columns that a run reads with those that the table has.

    `read_before` names the fields that the last run read, `known_fields` all that describe tells now: a field
    that was read and is no longer told has vanished, one that was not read before but has a column is back. Dotted
    paths do not vanish: they are asked for by name, or not.
    """
    have = {column.name.lower(): column for column in existing}
    before = {name.lower() for name in read_before}
    known = {name.lower() for name in known_fields}
    changes = {kind: tuple(_changes(wanted, have, kind, capabilities)) for kind in Change}
    return Drift(
        added=tuple(column for column in wanted if column.name.lower() not in have),
        widened=changes[Change.ALTER],
        exchanged=changes[Change.EXCHANGE],
        incompatible=changes[Change.INCOMPATIBLE],
        vanished=tuple(sorted(n for n in read_before if "." not in n and n.lower() not in known)),
        reappeared=tuple(c for c in wanted if before and c.name.lower() in have and _field(c) not in before),
    )


def _field(column: Column) -> str:
    return (column.field or column.name).lower()


def _changes(
    wanted: Sequence[Column], have: dict[str, Column], kind: Change, capabilities: Capabilities
) -> Iterable[ColumnChange]:
    for column in wanted:
        old = have.get(column.name.lower())
        if old and compare(old.type, column.type, capabilities) is kind:
            yield ColumnChange(old.name, column.field or column.name, old.type, column.type)


def refuse_incompatible(plan: SyncPlan) -> None:
    """Raises SchemaDriftError with both types of each column that cannot be reconciled, and the ways out."""
    if not plan.drift.incompatible:
        return
    told = "; ".join(
        f'column "{c.column}" is {c.old}, field {plan.object}.{c.field} is {c.new}'
        for c in plan.drift.incompatible
    )
    first = plan.drift.incompatible[0]
    raise SchemaDriftError(
        f"{plan.object} no longer fits table {plan.table}: {told}.",
        hint=f'Keep the column\'s type with `"{plan.object}.{first.field}" = "{first.old}"` under [types] in '
        f"lht.toml, or leave the field out with --exclude {first.field}, or rename the old column.",
        object=plan.object,
        table=str(plan.table),
    )
