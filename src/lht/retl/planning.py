"""Reads a query and decides which of its rows would be sent; nothing is written on either side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lht.errors import MissingTableError, PlanRefusedError
from lht.model.retl import Operation, RetlPlan, SentColumn
from lht.retl import conflicts, diff, held, parents, query
from lht.retl.checks import find_mistakes, find_warnings
from lht.retl.columns import match_columns
from lht.retl.encode import encode_rows
from lht.retl.intent import others_under_way
from lht.retl.words import counted
from lht.sfdc import rest

if TYPE_CHECKING:
    from lht.model.retl import RetlRequest
    from lht.retl.run import RetlRun


Keeping = Callable[["RetlRun", Sequence[SentColumn]], int]


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was decided; the rows to send are in `encoded`."""

    columns: tuple[SentColumn, ...]
    plan: RetlPlan
    left: str | None = None
    """A relation of results: rows that were selected, and that will not be sent."""
    is_compared: bool = False
    """Whether the plan tells what Salesforce holds, as an undo's does from the start."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a run is about: the rows of a query, or (`of_run`) what another run did. `prepare` decides what is sent."""

    request: RetlRequest
    prepare: Callable[[RetlRun], Prepared]
    of_run: str | None = None


def query_task(request: RetlRequest) -> Task:
    """Writes the rows of a query."""
    return Task(request, prepare)


def prepare(run: RetlRun, *, keep: Keeping | None = None) -> Prepared:
    """Reads the query, checks every row, and leaves out what would change nothing.

    `keep` may take rows out of `encoded` before they are checked, and gives how many are left.
    """
    request = run.request
    query.check_query(request.query, dialect=run.warehouse.capabilities.name.lower())
    run.tell("reading")
    names = query.load_query(run)
    matched = match_columns(run.sobject, names, request, lambda name: rest.describe(run.org, name))
    selected = run.work.count("source")
    run.tell("checking", total=selected)
    encode_rows(run, matched.columns)
    if keep and not matched.mistakes:
        selected = keep(run, matched.columns)
    mistakes = (
        *matched.mistakes,
        *find_mistakes(run, matched),
        *parents.unknown_parents(run, matched.columns),
    )
    if not mistakes:
        conflicts.check_baseline(run, matched.columns)
    unchanged = 0 if mistakes else _leave_out(run, matched.columns)
    plan = RetlPlan(
        operation=request.operation,
        object=run.sobject.name,
        match_field=request.match_field,
        columns=matched.columns,
        rows_selected=selected,
        rows_to_send=selected - unchanged,
        rows_unchanged=unchanged,
        mistakes=mistakes,
        warnings=(*matched.warnings, *find_warnings(run, matched)),
    )
    return Prepared(matched.columns, plan)


def _leave_out(run: RetlRun, columns: Sequence[SentColumn]) -> int:
    """Takes out the rows that would change nothing, where that was asked; gives how many."""
    if run.request.options.compare_org:
        run.tell("comparing", "comparing with what Salesforce holds")
        held.read_held(run, columns, "encoded")
        return diff.drop_unchanged(run, columns, "held")
    if run.request.options.only_changed and _load_pushed(run, columns):
        return diff.drop_unchanged(run, columns, "pushed")
    return 0


def _load_pushed(run: RetlRun, columns: Sequence[SentColumn]) -> bool:
    """Fills `pushed`; False where LHT has never written to Salesforce from here."""
    if other := others_under_way(run):
        run.tell("warning", f"all rows count as changed, as what run {other} has written is not known yet")
        return False
    run.tell("comparing", "comparing with what was last written")
    headers = [column.header for column in columns]
    try:
        pushed = run.state.pushed(run.org.org_id, run.sobject.name, run.request.match_field, headers)
    except MissingTableError:
        return False
    run.work.load("pushed", pushed, "match_key, from_json(sent, '[\"VARCHAR\"]') AS sent")
    return True


def compare(run: RetlRun, prepared: Prepared) -> RetlPlan:
    """Completes a plan with what Salesforce holds now: what would be created, changed, left; the first differences."""
    columns, plan = prepared.columns, prepared.plan
    if plan.operation is Operation.INSERT:
        return replace(plan, rows_to_create=plan.rows_to_send)
    run.tell("comparing", "comparing with what Salesforce holds")
    held.read_held(run, columns, "encoded")
    plan = _without_conflicts(run, columns, plan)
    found = run.work.count("encoded SEMI JOIN held USING (row_number)")
    new = run.work.count("encoded ANTI JOIN held USING (row_number)", "operation IN ('insert', 'upsert')")
    plan = replace(plan, rows_not_found=plan.rows_to_send - found - new)
    if plan.operation is Operation.DELETE:
        return replace(plan, rows_to_delete=found)
    differences = diff.first_differences(run, columns)
    same = diff.drop_unchanged(run, columns, "held")
    return replace(
        plan, rows_to_create=new, rows_to_change=found - same, rows_to_leave=same, differences=differences
    )


def _without_conflicts(run: RetlRun, columns: Sequence[SentColumn], plan: RetlPlan) -> RetlPlan:
    if not run.request.options.if_unchanged_since_sync:
        return plan
    number = conflicts.find_conflicts(run, columns, "encoded")
    run.work.execute("DELETE FROM encoded WHERE row_number IN (SELECT row_number FROM conflicts)")
    return replace(plan, rows_conflicting=number, rows_to_send=plan.rows_to_send - number)


def refusal(plan: RetlPlan) -> PlanRefusedError:
    """The error for a plan with mistakes."""
    first, *others = plan.mistakes
    more = (
        f" There {'is' if len(others) == 1 else 'are'} {counted(len(others), 'mistake')} more."
        if others
        else ""
    )
    return PlanRefusedError(
        f"{first.message}{more} Nothing was sent.", hint=first.way_out, mistakes=plan.mistakes
    )
