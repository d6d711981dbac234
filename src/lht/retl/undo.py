"""Decides what puts back a run's changes: a run of its own, of rows that are updated, deleted and undeleted.

What the run wrote is in the state: its outbox, results and before-images. Only what Salesforce still holds of it is put
back; what somebody changed since is left, and told. So an undo that was done sends nothing when it is asked for
again, and the undo of an undo does again what was undone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.errors import PlanRefusedError
from lht.model.retl import (
    Difference,
    Nulls,
    Operation,
    RetlOptions,
    RetlPlan,
    RetlRequest,
    SentColumn,
)
from lht.retl import undo_sql
from lht.retl.held import read_held, touched_fields
from lht.retl.intent import columns_of, ended_intent
from lht.retl.normal import NULL_MARK
from lht.retl.planning import Prepared, Task
from lht.retl.undelete import read_bin
from lht.retl.undo_sql import BACK, CREATED, DELETED, UPDATED, Restored
from lht.retl.words import counted
from lht.sfdc import rest
from lht.state.retl_store import UNDO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.retl import Intent
    from lht.model.salesforce import Field
    from lht.retl.run import RetlRun
    from lht.state.retl_store import RetlState

_SHOWN = 10


def undo_task(state: RetlState, run_id: str, *, recreate: bool = False) -> Task:
    """Puts back what a run that has ended changed; `recreate`: what left the Recycle Bin is made anew, with a new Id.

    Records are found by their Ids, and a field that was empty is emptied.
    """
    of = ended_intent(state, run_id)
    request = RetlRequest(
        operation=Operation.UPDATE,
        object=of.object,
        query="",
        match_field="Id",
        source=f"what run {run_id} changed",
        options=RetlOptions(nulls=Nulls.CLEAR, recreate=recreate),
    )
    return Task(request, lambda run: prepare_undo(run, of), run_id)


def prepare_undo(run: RetlRun, of: Intent) -> Prepared:
    """Fills `encoded` with what puts back run `of`, and `left_rows` with what is left, as results; sends nothing.

    `run.request` is `undo_task`'s.
    """
    columns = columns_of(of, run.sobject, lambda name: rest.describe(run.org, name))
    run.tell("reading", f"reading what run {of.run_id} wrote")
    _load(run, of)
    restored = _restored(run, columns, of.match_field)
    mine = _columns(run, restored)
    _judge(run, columns, restored)
    _read_bin(run, of)
    places = {column.target.lower(): place for place, column in enumerate(mine, 1)}
    placed = {one.place: places[one.field.name.lower()] for one in restored}
    recreated = [(places[field.name.lower()], field) for field in _createable(run)]
    for statement in undo_sql.encoded(len(mine), placed, recreated):
        run.work.execute(statement)
    run.work.execute(undo_sql.left(recreates=run.request.options.recreate))
    return Prepared(mine, _plan(run, mine, restored), left="left_rows", is_compared=True)


# ---- what the run wrote


def _load(run: RetlRun, of: Intent) -> None:
    if of.org_id != run.org.org_id:
        raise PlanRefusedError(
            f"Run {of.run_id} wrote to org {of.org_id}; this login is of {run.org.org_id}. Nothing was sent.",
            hint="Give the login of that org: --username.",
        )
    texts = "* REPLACE (from_json(sent, '[\"VARCHAR\"]') AS sent)"
    sent = run.work.load("was_sent", run.state.outbox(of.run_id), texts)
    run.work.load("was_result", run.state.row_results(of.run_id))
    run.work.load("was_image", run.state.images(of.run_id))
    if not sent and any(part.rows for part in run.state.parts(of.run_id)):
        raise PlanRefusedError(
            f"What run {of.run_id} sent is not kept any more: 'lht prune' removed it. It cannot be undone.",
            hint="Its numbers are in 'lht runs'; 'lht prune --older_than' tells how long rows are kept.",
        )
    run.work.execute(undo_sql.WRITTEN)


def _has(run: RetlRun, *kinds: str) -> bool:
    listed = ", ".join(f"'{kind}'" for kind in kinds)
    return run.work.count("written", f"kind IN ({listed})") > 0


# ---- which fields are put back


def _restored(run: RetlRun, columns: Sequence[SentColumn], key: str | None) -> tuple[Restored, ...]:
    """The fields that an update can put back, with the columns that wrote them."""
    found = []
    for place, column in enumerate(columns, 1):
        field = run.sobject.find(column.target)
        is_key = column.header.lower() in {"id", (key or "").lower()}
        if field and field.updateable and not is_key and _has(run, UPDATED):
            found.append(Restored(place, column, field))
    return tuple(found)


def _createable(run: RetlRun) -> list[Field]:
    """The fields of a record that is made anew, where that was asked and there is one to make."""
    if not (run.request.options.recreate and _has(run, DELETED)):
        return []
    fields = touched_fields(run.sobject, Operation.DELETE, ())
    return [field for field in fields if field.createable and field.type != "id"]


def _columns(run: RetlRun, restored: Sequence[Restored]) -> tuple[SentColumn, ...]:
    """The undo's own columns: the Id, then each field once, by its own name also where a relationship wrote it."""
    own_id = run.sobject.by_name["id"]
    fields = {one.field.name: one.field for one in restored}
    fields |= {field.name: field for field in _createable(run)}
    return (
        SentColumn("Id", "Id", own_id, "Id", is_key=True),
        *(SentColumn(name, name, field, name) for name, field in fields.items()),
    )


# ---- what is there now


def _judge(run: RetlRun, columns: Sequence[SentColumn], restored: Sequence[Restored]) -> None:
    rows = (
        "(SELECT row_number, record_id AS match_key, record_id FROM written "
        f"WHERE kind IN ('{UPDATED}', '{CREATED}', '{BACK}'))"
    )
    run.tell("comparing", "comparing with what Salesforce holds")
    read_held(run, columns, rows)
    for statement in undo_sql.judged(columns, restored):
        run.work.execute(statement)


def _read_bin(run: RetlRun, of: Intent) -> None:
    """Salesforce finds records for a while that left the bin: those that an undo has asked for in vain are gone."""
    read_bin(run, f"SELECT record_id FROM written WHERE kind = '{DELETED}'", "bin")
    for earlier in run.state.runs_of(of.run_id):
        if earlier.command == UNDO and run.work.count("bin", "is_deleted"):
            run.work.load("tried", run.state.row_results(earlier.run_id), "sf_id, class, message")
            run.work.execute(
                "DELETE FROM bin WHERE is_deleted AND record_id IN (SELECT sf_id FROM tried "
                "WHERE class = 'UNDELETE_FAILED' AND message ILIKE '%recycle bin%')"
            )


# ---- the plan


def _plan(run: RetlRun, columns: tuple[SentColumn, ...], restored: Sequence[Restored]) -> RetlPlan:
    work = run.work
    selected, to_send, left = work.count("written"), work.count("encoded"), work.count("left_rows")
    by_operation = dict(work.query("SELECT operation, count(*) FROM encoded GROUP BY operation"))
    back = by_operation.get(str(Operation.UNDELETE), 0)
    return RetlPlan(
        operation=Operation.UPDATE,
        object=run.sobject.name,
        match_field="Id",
        columns=columns,
        rows_selected=selected,
        rows_to_send=to_send,
        rows_unchanged=selected - to_send - left,
        rows_to_create=by_operation.get(str(Operation.INSERT), 0),
        rows_to_change=by_operation.get(str(Operation.UPDATE), 0),
        rows_to_delete=by_operation.get(str(Operation.DELETE), 0),
        rows_conflicting=left,
        rows_to_undelete=back,
        warnings=(*_left(run), *_partly(run)),
        differences=_differences(run, restored),
    )


def _left(run: RetlRun) -> list[str]:
    found = run.work.query(
        "SELECT class, count(*), arg_min(row_number, row_number), arg_min(sf_id, row_number), "
        "arg_min(message, row_number) FROM left_rows GROUP BY class ORDER BY class"
    )
    return [
        f"Not put back ({word}): {counted(rows, 'row')}, such as row {row}, record {record}: {message}"
        for word, rows, row, record, message in found
    ]


def _partly(run: RetlRun) -> list[str]:
    """Rows that are put back but for some fields."""
    ((rows, record, fields),) = run.work.query(
        "SELECT count(*), min(j.record_id), arg_min(array_to_string(list_concat(j.changed, j.lost), ', '), "
        "j.record_id) FROM judged AS j JOIN encoded AS e USING (row_number) "
        f"WHERE j.kind = '{UPDATED}' AND len(list_concat(j.changed, j.lost)) > 0"
    )
    if not rows:
        return []
    why = "that were changed since or are not kept"
    return [f"Put back but for fields {why}: {counted(rows, 'row')}, such as {fields} of record {record}."]


def _differences(run: RetlRun, restored: Sequence[Restored]) -> tuple[Difference, ...]:
    """The first values that would be put back."""
    found: list[Difference] = []
    for one in restored:
        now = undo_sql.image_text("h", one.field)
        rows = run.work.query(
            f"SELECT j.row_number, j.record_id, {now}, nullif(j.old{one.place}, '{NULL_MARK}') "
            "FROM judged AS j JOIN held AS h USING (row_number) "
            f"WHERE j.old{one.place} IS NOT NULL ORDER BY j.row_number LIMIT {_SHOWN}"
        )
        found += [Difference(row, key, one.field.name, old, new) for row, key, old, new in rows]
    return tuple(sorted(found, key=lambda one: one.row)[:_SHOWN])
