"""Stages everything that one table's run needs to know from the org, question by question."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from lht.errors import ApiError
from lht.model.sync import DeletePolicy, SyncMode
from lht.records.deletions import stream_deletions
from lht.sfdc import rest
from lht.sync.deletions import DELETED_AT, ID, UNANSWERED
from lht.sync.extract import SMALL, extract
from lht.sync.plan import conditions
from lht.sync.question import Extract, Question, staging_name
from lht.warehouse.merge_spec import Marks

if TYPE_CHECKING:
    from datetime import datetime

    from lht.model.sync import SyncPlan
    from lht.model.table import Column, TableName
    from lht.sync.deletions import Gone
    from lht.sync.run import TableRun


def ask(
    table_run: TableRun,
    purpose: str,
    columns: tuple[Column, ...],
    where: list[str],
    *,
    marks: Marks | None = None,
    resumable: bool = False,
    may_be_nothing: bool = False,
) -> Question:
    """Words a question about the run's object; its key is the Id unless `marks` says otherwise."""
    plan = table_run.plan
    by_id = Marks(next(column.name for column in columns if column.field == "Id"))
    return Question(
        plan.object,
        plan.table,
        purpose,
        columns,
        marks or by_id,
        tuple(where),
        resumable=resumable,
        may_be_nothing=may_be_nothing,
    )


def row_marks(plan: SyncPlan) -> Marks:
    """The columns that tell which record a staged row of the plan is of."""
    named = {(column.field or "").lower(): column.name for column in plan.columns}
    return Marks(plan.key_column, named["id"], named.get("isdeleted"), named.get((plan.cursor or "").lower()))


def read(
    table_run: TableRun, question: Question, *, maybe_small: bool = True, cap: datetime | None = None
) -> Extract:
    """Stages a question's rows, to be cleared away when the run ends."""
    got = extract(table_run.run, question, table_run.options, maybe_small=maybe_small, cap=cap)
    if got.staging:
        table_run.leftovers.stagings.append(got.staging)
    if got.job:
        table_run.leftovers.jobs.append(got.job)
    return got


def read_rows(table_run: TableRun, *, may_be_nothing: bool) -> Extract:
    """Stages the rows of the plan's window.

    Rows that a killed run asked for may serve, unless they must be younger than the Ids of changed records.
    """
    plan = table_run.plan
    where = conditions(plan.where, plan.cursor, plan.lower_bound)
    question = ask(
        table_run,
        "rows",
        plan.columns,
        where,
        marks=row_marks(plan),
        resumable=not _reads_changed_ids(table_run),
        may_be_nothing=may_be_nothing,
    )
    return read(table_run, question, maybe_small=_maybe_small(table_run), cap=_all_committed(table_run))


def _maybe_small(table_run: TableRun) -> bool:
    """Whether it is worth a call to ask how many rows there are."""
    stored = table_run.stored
    return stored is None or table_run.plan.mode is SyncMode.INCREMENTAL or stored.rows_in_table < SMALL


def _all_committed(table_run: TableRun) -> datetime | None:
    """Asks up to when all transactions have ended: what is still open will show older stamps later."""
    run, plan = table_run.run, table_run.plan
    if not table_run.situation.sobject.replicateable:
        return None
    now = run.org_time()
    try:
        return rest.updated_until(run.org, plan.object, now - timedelta(minutes=3), now)
    except ApiError as error:
        if error.error_code in UNANSWERED:
            return None
        raise


def _reads_changed_ids(table_run: TableRun) -> bool:
    plan = table_run.plan
    is_filtered = bool(plan.where and plan.cursor) and plan.mode is SyncMode.INCREMENTAL
    return is_filtered and table_run.table_has_rows and plan.deletes is not DeletePolicy.KEEP


def read_changed_ids(table_run: TableRun) -> Extract | None:
    """Stages the Ids of all changed records, so that those which left the filter are noticed."""
    if not _reads_changed_ids(table_run):
        return None
    plan = table_run.plan
    columns = (ID, replace(DELETED_AT, field=plan.cursor))
    where = conditions(None, plan.cursor, plan.lower_bound)
    return read(table_run, ask(table_run, "changed", columns, where, may_be_nothing=True))


def read_all_ids(table_run: TableRun) -> Extract:
    """Stages the Ids of all live records that match the filter; archived ones, which only queryAll tells, too."""
    plan = table_run.plan
    where = conditions(plan.where, None, None)
    is_live = ["IsDeleted = FALSE"] if plan.has_is_deleted else []
    return read(table_run, ask(table_run, "ids", (table_run.id_column,), [*where, *is_live]))


def reads_formulas(plan: SyncPlan) -> bool:
    """Whether the calculated fields of all records are read."""
    return plan.refresh_formulas and any(column.calculated for column in plan.columns)


def read_formulas(table_run: TableRun) -> tuple[Extract, tuple[Column, ...]] | None:
    """Stages the calculated fields of all records, where the plan refreshes them; with the columns."""
    plan = table_run.plan
    calculated = tuple(column for column in plan.columns if column.calculated)
    if not reads_formulas(plan):
        return None
    where = conditions(plan.where, None, None)
    question = ask(table_run, "formulas", (table_run.id_column, *calculated), where)
    return read(table_run, question), calculated


def stage_gone(table_run: TableRun, gone: Gone) -> TableName | None:
    """Stages getDeleted's answer."""
    if not gone.records:
        return None
    run = table_run.run
    name = staging_name(run, ask(table_run, "gone", (ID, DELETED_AT), []))
    staging = run.warehouse.stage((ID, DELETED_AT), stream_deletions(gone.records), name)
    table_run.leftovers.stagings.append(staging)
    return staging
