"""Puts staged rows, deletions and state into the warehouse in one transaction, and counts what it did."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import TYPE_CHECKING

from lht.errors import (
    IncompleteExtractError,
    Recovery,
    StatementError,
    SyncError,
    VisibilityLostError,
    WarehouseUnreachableError,
)
from lht.model.run import RunRecord
from lht.model.sync import DeletePolicy, ObjectResult, SyncMode, Watermark
from lht.state.tables import system_columns
from lht.sync import shape, window
from lht.sync.reading import row_marks
from lht.warehouse import merge
from lht.warehouse.merge_spec import Deletions, MergeCounts, MergeSpec

if TYPE_CHECKING:
    from datetime import datetime

    from lht.model.table import Column, TableName
    from lht.sync.question import Extract
    from lht.sync.run import Run, TableRun
    from lht.warehouse.merge_spec import KeyProblems

VALVE_SHARE = 0.10
VALVE_ROWS = 100
ATTEMPTS = 3
"""Of a transaction that met a conflict or ran out of memory; each is all or nothing."""


@dataclass(frozen=True, slots=True)
class Staged:
    """Everything that a run has staged.

    `ids`: all live Ids; `named`: Ids known to be gone, with their times; `formulas`: calculated columns of all
    rows, with their names; `deleted_until`: where the next getDeleted window starts.
    """

    rows: Extract
    deleted_until: datetime | None
    ids: Extract | None = None
    named: tuple[TableName, ...] = ()
    formulas: tuple[Extract, tuple[Column, ...]] | None = None


@dataclass(frozen=True, slots=True)
class Decided:
    """What the transaction will do, found out before it: nothing is created or dropped while it is open.

    `absence`: the staged rows whose absences mean something, None where nothing was read completely.
    """

    spec: MergeSpec
    counts: MergeCounts
    absence: MergeSpec | None
    formulas: MergeSpec | None


@dataclass(frozen=True, slots=True)
class Landed:
    """What one transaction changed."""

    counts: MergeCounts
    deleted_unseen: int
    rows_in_table: int


def commit(table_run: TableRun, staged: Staged) -> ObjectResult:
    """Lands everything in one transaction, which first checks that the table is still ours.

    Raises SyncError for keys that do not identify a row, VisibilityLostError when the valve closes, RunLockedError
    for a lost lock; the table's rows are then as they were.
    """
    if staged.rows.staging is None:
        return _commit_nothing(table_run, staged)
    run, decided = table_run.run, _decide(table_run, staged)
    for _ in range(ATTEMPTS - 1):
        try:
            return _commit_once(table_run, staged, decided)
        except StatementError as error:
            if error.recovery is not Recovery.RETRY:
                raise
            run.tell("warning", table_run.plan.object, f"{error.message} The transaction is tried again.")
            run.warehouse.make_room()
    return _commit_once(table_run, staged, decided)


def _commit_nothing(table_run: TableRun, staged: Staged) -> ObjectResult:
    """Writes down that there was nothing to do, without a transaction: each row of the state is true by itself.

    The run's row comes last, as it always does: it says that the rest is there.
    """
    facts = table_run.situation.facts
    landed = Landed(MergeCounts(), 0, facts.rows if facts else 0)
    return _save_state(table_run, staged, landed)


def _decide(table_run: TableRun, staged: Staged) -> Decided:
    """Compares what is staged with the table. The scratch table that this may leave is cleared away with the rest."""
    run = table_run.run
    spec = merge_spec(table_run, staged.rows)
    _refuse_bad_keys(table_run, spec, staged)
    if not spec.target_is_empty:
        table_run.leftovers.stagings.append(spec.changes)
    counts = merge.classify(run.warehouse, spec)
    formulas = shape.plan_fill(table_run, *staged.formulas) if staged.formulas else None
    return Decided(spec, counts, _complete_read(table_run, spec, staged), formulas)


def _commit_once(table_run: TableRun, staged: Staged, decided: Decided) -> ObjectResult:
    run = table_run.run
    result = None
    try:
        with run.warehouse.transaction():
            table_run.lock.check()
            gone = _land(table_run, staged, decided)
            rows = run.warehouse.row_count(table_run.plan.table)
            _refuse_strange_rows(table_run, decided, rows)
            result = _save_state(table_run, staged, Landed(decided.counts, gone, rows))
    except WarehouseUnreachableError:
        if result is None or not _is_committed(table_run, result):
            raise
    return result


def _is_committed(table_run: TableRun, result: ObjectResult) -> bool:
    """Looks, where the connection was lost, whether the transaction's last row is there: then all of it is."""
    table_run.run.warehouse.reconnect()
    return table_run.run.state.is_done(_done(table_run, result))


def _land(table_run: TableRun, staged: Staged, decided: Decided) -> int:
    """Changes the table; gives how many rows were deleted that no staged row told of."""
    warehouse, spec, absence = table_run.run.warehouse, decided.spec, decided.absence
    live_before = merge.live_count(warehouse, spec) if absence else 0
    merge.merge(warehouse, spec, decided.counts)
    gone = merge.delete_moved(warehouse, spec) + _delete_named(table_run.run, spec, staged)
    if absence:
        _check_valve(table_run, merge.absent_count(warehouse, absence), live_before)
        gone += merge.delete_absent(warehouse, absence)
    if decided.formulas:
        merge.fill(warehouse, decided.formulas)
    return gone


def _refuse_strange_rows(table_run: TableRun, decided: Decided, rows: int) -> None:
    """Refuses a table that was empty when the run began, and now has rows that are not the run's."""
    if decided.spec.target_is_empty and rows != decided.counts.changed:
        plan = table_run.plan
        raise IncompleteExtractError(
            f"{plan.table} was empty and would have {rows} rows where {decided.counts.changed} came; nothing was "
            "committed.",
            hint="Another program writes to the table. Run the same command again when it has ended.",
            object=plan.object,
            table=str(plan.table),
        )


def _save_state(table_run: TableRun, staged: Staged, landed: Landed) -> ObjectResult:
    """Writes the state that goes with the rows: the last statements, the very last says that the run is done."""
    run = table_run.run
    watermark = _watermark(table_run, staged, landed)
    result = _result(table_run, staged, landed, watermark)
    _pay_debts(table_run)
    for job in table_run.leftovers.jobs:
        run.state.save_job(replace(job, status="done"))
    # A lock may be lost while a long merge runs; what is then said of the table must not be committed.
    if not run.state.save_watermark(watermark, held_by=table_run.lock.token):
        raise table_run.lock.lost()
    run.state.save_run(_done(table_run, result))
    return result


def merge_spec(table_run: TableRun, rows: Extract, *, by_id: bool = False) -> MergeSpec:
    """Describes the merge of staged rows that a plan asks for; `by_id`: they have nothing but Ids."""
    run, plan = table_run.run, table_run.plan
    marks = row_marks(plan)
    spec = MergeSpec(
        target=plan.table,
        staging=rows.table,
        key_column=(marks.id or marks.key) if by_id else marks.key,
        columns=tuple(c.name for c in plan.columns),
        stamp_column=marks.stamp,
        deleted_column=marks.deleted,
        id_column=marks.id,
        policy=plan.deletes,
        run_id=run.run_id,
        synced_at=run.now(),
        system=system_columns(run.warehouse.capabilities),
        facts=rows.facts,
        trusts_stamps=plan.trusts_stamps,
    )
    is_empty = not table_run.table_has_rows
    known = (plan.columns, table_run.target_columns(plan.columns))
    return merge.prepare(run.warehouse, spec, target_is_empty=is_empty, known=known)


def _key_problems(table_run: TableRun, spec: MergeSpec, staged: Staged) -> KeyProblems:
    """Looks for keys that do not identify a record, among the staged rows and, where that can be, in the table.

    Salesforce lets no two records share a unique field, but does not watch over other external ids.
    """
    warehouse, plan = table_run.run.warehouse, table_run.plan
    found = merge.key_problems(warehouse, spec)
    key = table_run.situation.sobject.find(plan.key)
    is_unique = key is None or key.unique or key.type == "id"
    if found or is_unique or plan.mode is SyncMode.FULL:
        return found
    return merge.taken_keys(warehouse, spec, gone=staged.named, live=staged.ids.table if staged.ids else None)


def _refuse_bad_keys(table_run: TableRun, spec: MergeSpec, staged: Staged) -> None:
    plan = table_run.plan
    problems = _key_problems(table_run, spec, staged)
    if not problems:
        return
    told = []
    if problems.empty:
        told.append(f"{problems.empty} records have no {plan.key} (such as {problems.empty_example})")
    if problems.repeated:
        told.append(
            f"{problems.repeated} values of {plan.key} are shared (such as {problems.repeated_example})"
        )
    raise SyncError(
        f"{plan.object}.{plan.key} does not identify its records: {'; '.join(told)}. {plan.table} was not changed.",
        hint="Use --sync_field Id, or mend the records in Salesforce.",
        object=plan.object,
        table=str(plan.table),
    )


def _delete_named(run: Run, spec: MergeSpec, staged: Staged) -> int:
    """Applies getDeleted's answer, and rows that no longer match the filter."""
    named = (Deletions(table, "Id", "deleted_at", live_rows=staged.rows.staging) for table in staged.named)
    return sum(merge.delete_named(run.warehouse, spec, deletions) for deletions in named)


def _complete_read(table_run: TableRun, spec: MergeSpec, staged: Staged) -> MergeSpec | None:
    """Gives the staged rows whose absences mean something; None where nothing was read completely."""
    if table_run.plan.deletes is DeletePolicy.KEEP or spec.target_is_empty:
        return None
    if table_run.plan.mode is SyncMode.FULL:
        return spec
    if staged.ids is None:
        return None
    return merge_spec(table_run, staged.ids, by_id=True)


def _check_valve(table_run: TableRun, absent: int, live: int) -> None:
    plan, allowed = table_run.plan, table_run.options.allow_deletes
    too_many = absent > VALVE_ROWS and absent > live * VALVE_SHARE
    if not too_many or (allowed is not None and absent <= allowed):
        return
    what = "removed" if plan.deletes is DeletePolicy.REMOVE else "marked as deleted"
    raise VisibilityLostError(
        f"{absent} of {live} live rows of {plan.table} are missing in {plan.object} and would be {what}; nothing "
        f"was changed. This is a {plan.mode} sync, as {plan.reason}. A login that lost sharing or permissions looks "
        "just like this.",
        hint=f"Check what the login may see; if the records are really gone, add --allow_deletes {absent}.",
        object=plan.object,
        table=str(plan.table),
    )


def _pay_debts(table_run: TableRun) -> None:
    """A full sync reads every column of every row, so nothing is owed any more."""
    run, plan = table_run.run, table_run.plan
    if plan.mode is SyncMode.FULL:
        read = {column.name.lower() for column in plan.columns}
        shape.pay(run, [debt for debt in table_run.debts if debt.column.lower() in read])


def _watermark(table_run: TableRun, staged: Staged, landed: Landed) -> Watermark:
    """Gives where the table stands once the transaction is committed."""
    run, plan, options = table_run.run, table_run.plan, table_run.options
    is_full = plan.mode is SyncMode.FULL
    by_hand = not is_full and options.lastmodifieddate is not None
    stored = table_run.stored if plan.trusts_stamps else None
    watermark, read_until = window.advance(
        stored,
        newest=staged.rows.facts.newest,
        job_created=staged.rows.read_until,
        lower_bound=plan.lower_bound,
        by_hand=by_hand,
        is_full=is_full,
        overlap_s=options.overlap_s,
    )
    return Watermark(
        org_id=run.org.org_id,
        object=plan.object,
        table=plan.table,
        key=plan.key,
        cursor=plan.cursor,
        fingerprint=plan.fingerprint,
        watermark=watermark,
        read_until=read_until,
        deleted_until=staged.deleted_until,
        covered_from=window.covered_from(stored, plan.lower_bound, by_hand=by_hand, is_full=is_full),
        rows_in_table=landed.rows_in_table,
        run_id=run.run_id,
        formulas_read_at=run.now()
        if is_full or plan.refresh_formulas
        else getattr(stored, "formulas_read_at", None),
        fully_read_at=run.now() if is_full else getattr(stored, "fully_read_at", None),
        where=plan.where,
        fields=tuple(column.field or column.name for column in plan.columns),
    )


def _result(table_run: TableRun, staged: Staged, landed: Landed, watermark: Watermark) -> ObjectResult:
    plan, counts, started = table_run.plan, landed.counts, table_run.started
    return ObjectResult(
        object=plan.object,
        table=str(plan.table),
        mode=plan.mode,
        rows_read=counts.read,
        rows_inserted=counts.inserted,
        rows_updated=counts.updated,
        rows_unchanged=counts.unchanged,
        rows_deleted=counts.deleted,
        rows_deleted_unseen=landed.deleted_unseen,
        rows_duplicate=counts.duplicate,
        rows_ignored=counts.ignored,
        rows_in_table=landed.rows_in_table,
        rows_rounded=staged.rows.rounded,
        watermark=watermark.watermark,
        covered_from=watermark.covered_from,
        job_id=staged.rows.job.job_id if staged.rows.job else None,
        api_calls=table_run.run.org.calls - started.calls,
        columns_added=() if plan.creates_table else tuple(column.name for column in plan.drift.added),
        columns_vanished=plan.drift.vanished,
        seconds=round(time.monotonic() - started.clock_s, 3),
        warnings=plan.warnings,
    )


def _done(table_run: TableRun, result: ObjectResult) -> RunRecord:
    plan, started_at = table_run.plan, table_run.started.at
    return run_record(
        table_run.run, plan.object, plan.table, started_at=started_at, status="done", result=result
    )


def run_record(
    run: Run,
    object_name: str,
    table: TableName,
    *,
    started_at: datetime,
    status: str,
    result: ObjectResult | None = None,
) -> RunRecord:
    """Gives the record of one object's part in the run, as it ended; `status`: done, failed or interrupted."""
    return RunRecord(
        run_id=run.run_id,
        org_id=run.org.org_id,
        object=object_name,
        table=table,
        command="sync",
        status=status,
        started_at=started_at,
        ended_at=run.now(),
        lht_version=version("lht"),
        result=result,
    )
