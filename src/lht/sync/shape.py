"""Gives a table the shape that a plan wants: created, columns added, widened, exchanged.

Every change stands in `schema_changes` before it is made: a run that dies in between leaves a debt that the next
run finds and pays, never a column whose old rows nobody fills. Call all of it under the table's lock.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lht.mapping.widening import Change, compare
from lht.model.run import SchemaChange
from lht.model.table import Column
from lht.state.tables import system_column_definitions, system_columns
from lht.warehouse import live, merge, statements
from lht.warehouse.merge_spec import MergeSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.sync import ColumnChange, SyncPlan
    from lht.model.table import TableName
    from lht.sync.question import Extract
    from lht.sync.run import Run, TableRun

NEW = "__lht_new"
OLD = "__lht_old"


def create_table(run: Run, plan: SyncPlan, comment: str) -> None:
    """Creates the schema if it is missing, then the table with its system columns."""
    run.warehouse.create_schema(plan.table)
    system = system_column_definitions(run.warehouse.capabilities)
    run.warehouse.create_table(plan.table, (*plan.columns, *system), comment=comment)
    refresh_live_view(run, plan.table)


def refresh_live_view(run: Run, table: TableName) -> None:
    """Brings the view of a table's live rows in step with its columns, if there is one that is LHT's."""
    live.refresh(run.warehouse, table, system_columns(run.warehouse.capabilities))


def add_columns(run: Run, plan: SyncPlan, existing: Sequence[Column], *, owes: bool) -> list[SchemaChange]:
    """Adds the plan's new columns, and the system columns where a table was made by others.

    `owes`: old rows still lack the values, until a backfill brings them. Gives these debts.
    """
    have = {column.name.lower() for column in existing}
    system = [c for c in system_column_definitions(run.warehouse.capabilities) if c.name.lower() not in have]
    recorded = [_record(run, plan, "add", c, old_type=None, owes=owes) for c in plan.drift.added]
    if owes:
        recorded += [
            _record(run, plan, "reappear", c, old_type=None, owes=True) for c in plan.drift.reappeared
        ]
    if plan.drift.added or system:
        run.warehouse.add_columns(plan.table, (*plan.drift.added, *system))
        refresh_live_view(run, plan.table)
    return recorded if owes else []


def widen_columns(run: Run, plan: SyncPlan) -> None:
    """Alters columns whose new type holds every old value."""
    for change in plan.drift.widened:
        column = _column(plan, change)
        _record(run, plan, "widen", column, old_type=str(change.old), owes=False)
        run.warehouse.alter_type(plan.table, change.column, change.new)
    if plan.drift.widened:
        refresh_live_view(run, plan.table)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A column on its way to a new type: `temporary` is filled first, then takes the name `change.column`."""

    change: ColumnChange
    temporary: Column
    debt: SchemaChange


def begin_exchanges(run: Run, plan: SyncPlan) -> tuple[Exchange, ...]:
    """Adds an empty column of the new type for each exchange; one that a killed run added is taken up."""
    exchanges = []
    for change in plan.drift.exchanged:
        column = _column(plan, change)
        debt = _record(run, plan, "exchange", column, old_type=str(change.old), owes=True)
        temporary = replace(column, name=_suffixed(run, change.column, NEW))
        _set_aside_other_type(run, plan.table, temporary)
        run.warehouse.add_columns(plan.table, (temporary,))
        exchanges.append(Exchange(change, temporary, debt))
    return tuple(exchanges)


def _set_aside_other_type(run: Run, table: TableName, temporary: Column) -> None:
    """Renames what an unfinished exchange left, if the field has changed its type again since."""
    capabilities = run.warehouse.capabilities
    for left in run.warehouse.columns(table) or ():
        is_it = left.name.lower() == temporary.name.lower()
        if is_it and compare(left.type, temporary.type, capabilities) is not Change.SAME:
            aside = _suffixed(run, temporary.name[: -len(NEW)], OLD)
            run.warehouse.rename_column(table, left.name, _free_name(run, table, aside))


def keep_old_values(run: Run, plan: SyncPlan, staging: TableName, exchanges: Sequence[Exchange]) -> None:
    """Converts the values of rows that the org no longer returns: nothing else will fill their new columns."""
    id_column = next(c.name for c in plan.columns if c.field == "Id")
    for exchange in exchanges:
        statement = statements.convert_absent(
            plan.table,
            staging,
            id_column,
            old=Column(exchange.change.column, exchange.change.old),
            new=exchange.temporary,
            dialect=run.warehouse.dialect,
        )
        run.warehouse.execute(statement)


def finish_exchanges(run: Run, table: TableName, exchanges: Sequence[Exchange]) -> None:
    """Exchanges the filled columns by two renames each; the old values stay in `<name>__lht_old`."""
    for exchange in exchanges:
        name = exchange.change.column
        run.warehouse.rename_column(table, name, _free_name(run, table, _suffixed(run, name, OLD)))
        run.warehouse.rename_column(table, exchange.temporary.name, name)


def mend_exchanges(run: Run, table: TableName, columns: Sequence[Column]) -> bool:
    """Completes an exchange that was killed between its two renames; tells whether it renamed a column."""
    names = {column.name.lower(): column.name for column in columns}
    half_done = [
        name for lowered, name in names.items() if lowered.endswith(NEW) and lowered[: -len(NEW)] not in names
    ]
    for name in half_done:
        run.warehouse.rename_column(table, name, name[: -len(NEW)])
    if half_done:
        refresh_live_view(run, table)
    return bool(half_done)


def _suffixed(run: Run, name: str, suffix: str) -> str:
    """A name that stays free of quotes where names are kept in upper case."""
    return name + (suffix.upper() if run.warehouse.capabilities.folds_upper else suffix)


def _free_name(run: Run, table: TableName, wanted: str) -> str:
    taken = {column.name.lower() for column in run.warehouse.columns(table) or ()}
    numbered = (f"{wanted}{n}" for n in range(2, 1000))
    return wanted if wanted.lower() not in taken else next(n for n in numbered if n.lower() not in taken)


def plan_fill(table_run: TableRun, staged: Extract, columns: Sequence[Column]) -> MergeSpec:
    """Describes how staged values of `columns` get into the rows that have the same Id: `merge.fill` writes them."""
    run, plan, id_column = table_run.run, table_run.plan, table_run.id_column
    spec = MergeSpec(
        target=plan.table,
        staging=staged.table,
        key_column=id_column.name,
        columns=(id_column.name, *(column.name for column in columns)),
        stamp_column=None,
        deleted_column=None,
        id_column=id_column.name,
        policy=plan.deletes,
        run_id=run.run_id,
        synced_at=run.now(),
        system=system_columns(run.warehouse.capabilities),
        facts=staged.facts,
    )
    known = ((id_column, *columns), table_run.target_columns(columns))
    return merge.prepare(run.warehouse, spec, target_is_empty=False, known=known)


def pay(run: Run, changes: Sequence[SchemaChange]) -> None:
    """Notes that old rows have their values now; part of the transaction that brought them."""
    for change in changes:
        run.state.save_change(replace(change, backfilled_at=run.now()))


def _record(
    run: Run, plan: SyncPlan, kind: str, column: Column, *, old_type: str | None, owes: bool
) -> SchemaChange:
    now = run.now()
    change = SchemaChange(
        change_id=f"{run.run_id}:{kind}:{column.name}",
        run_id=run.run_id,
        org_id=run.org.org_id,
        table=plan.table,
        kind=kind,
        column=column.name,
        field=column.field or column.name,
        old_type=old_type,
        new_type=str(column.type),
        changed_at=now,
        backfilled_at=None if owes else now,
    )
    run.state.save_change(change)
    return change


def _column(plan: SyncPlan, change: ColumnChange) -> Column:
    return next(column for column in plan.columns if column.name.lower() == change.column.lower())
