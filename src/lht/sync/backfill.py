"""Gives old rows the values of columns that are new, back, or of a new type."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.sync import shape
from lht.sync.extract import SMALL, by_job
from lht.sync.jobs import start_job, take_up
from lht.sync.plan import conditions
from lht.sync.reading import ask, read
from lht.warehouse import merge

if TYPE_CHECKING:
    from lht.model.run import JobRecord, SchemaChange
    from lht.sync.question import Question
    from lht.sync.run import TableRun


@dataclass(frozen=True, slots=True)
class Backfill:
    """A debt and how it is being paid. `record` None: the rows are few enough to be read when they land."""

    question: Question
    record: JobRecord | None
    exchanges: tuple[shape.Exchange, ...]
    debts: tuple[SchemaChange, ...]


def start_backfill(table_run: TableRun) -> Backfill | None:
    """Creates the job that reads the columns of all rows, before the run's own job."""
    run, plan = table_run.run, table_run.plan
    exchanges = shape.begin_exchanges(run, plan)
    exchanged = {exchange.change.column.lower() for exchange in exchanges}
    owed = [column for column in plan.backfill if column.name.lower() not in exchanged]
    columns = (*owed, *(exchange.temporary for exchange in exchanges))
    if not columns:
        return None
    where = conditions(plan.where, None, None)
    question = ask(
        table_run, "backfill", tuple(dict.fromkeys((table_run.id_column, *columns))), where, resumable=True
    )
    read = {*(column.name.lower() for column in owed), *exchanged}
    known = (*table_run.debts, *(exchange.debt for exchange in exchanges))
    debts = tuple(debt for debt in known if debt.column.lower() in read)
    return Backfill(question, _job(table_run, question), exchanges, debts)


def _job(table_run: TableRun, question: Question) -> JobRecord | None:
    """Takes up or creates the job where the table is large enough to need one."""
    facts = table_run.situation.facts
    record = take_up(table_run.run, question)
    if record is None and facts and facts.rows >= SMALL:
        record = start_job(table_run.run, question, None, api_budget=table_run.options.api_budget)
    if record:
        table_run.leftovers.jobs.append(record)
    return record


def land_backfill(table_run: TableRun, backfill: Backfill) -> None:
    """Fills the old rows and pays the debt in one transaction, then exchanges what waited for its values."""
    run, plan = table_run.run, table_run.plan
    if backfill.record:
        staged = by_job(run, backfill.question, backfill.record, table_run.options)
        table_run.leftovers.stagings.append(staged.table)
    else:
        staged = read(table_run, backfill.question)
    fill = shape.plan_fill(table_run, staged, backfill.question.columns[1:])
    with run.warehouse.transaction():
        table_run.lock.check()
        merge.fill(run.warehouse, fill)
        shape.keep_old_values(run, plan, staged.table, backfill.exchanges)
        table_run.lock.check_again()
        shape.pay(run, backfill.debts)
    shape.finish_exchanges(run, plan.table, backfill.exchanges)
    shape.refresh_live_view(run, plan.table)  # also if an earlier run was killed before it could
