"""A run as it is remembered: decided once, committed with its rows, found again by the same command."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from lht.errors import ConfigError, PlanRefusedError, UnknownFieldError
from lht.model.retl import Intent, Operation, RetlOptions, RetlRequest, SentColumn
from lht.retl.conflicts import leave_out

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from lht.model.salesforce import Field, SObject
    from lht.retl.planning import Prepared
    from lht.retl.run import RetlRun
    from lht.state.retl_store import RetlState

_SENT_BY = ("mapping", "nulls", "insert_missing", "result_key")
"""Options that say what is sent. A command that differs in others (guards, comparisons) is the same command."""


def fingerprint(org_id: str, request: RetlRequest, of_run: str | None = None) -> str:
    """Stands for a command: what it does, to which object of which org, with which query."""
    options = {name: getattr(request.options, name) for name in _SENT_BY}
    key = (request.match_field or "").lower()
    parts = [org_id, request.operation, request.object.lower(), key, request.query.strip(), options, of_run]
    return sha256(json.dumps(parts, sort_keys=True, default=dict).encode()).hexdigest()


def new_intent(run: RetlRun, prepared: Prepared, command: str, of_run: str | None = None) -> Intent:
    """The record of a run that is about to send what was prepared."""
    columns, request = prepared.columns, run.request
    return Intent(
        run_id=run.run_id,
        org_id=run.org.org_id,
        object=run.sobject.name,
        command=command,
        operation=request.operation,
        match_field=request.match_field,
        headers=tuple(column.header for column in columns),
        targets=tuple(column.target for column in columns),
        fingerprint=fingerprint(run.org.org_id, request, of_run),
        query=request.query,
        options=json.dumps(asdict(request.options), sort_keys=True),
        rows_selected=prepared.plan.rows_selected,
        rows_unchanged=prepared.plan.rows_unchanged,
        started_at=run.now(),
        of_run=of_run,
    )


def unfinished(run: RetlRun, of_run: str | None = None) -> Intent | None:
    """The run that the same command began and did not end, if there is one.

    Another command's is only told; but beside an insert no other begins, as it may bring rows that are there already.
    """
    same, others = _open_intents(run, of_run)
    if same is not None:
        return same
    for other in others:
        began = f"{other.command} of {other.object}, run {other.run_id}, began {other.started_at:%Y-%m-%d %H:%M} UTC"
        if _both_insert(run, other):
            raise PlanRefusedError(
                f"{began} and has not ended: its rows may be in Salesforce already.",
                hint="Run its command again, so that it ends, or add --new_run to end it as it is.",
            )
        run.tell("warning", f"{began} and has not ended: run its command again")
    return None


def taken_up(run: RetlRun, found: Intent) -> RetlRun:
    """The run that was found, in the place of a new one: it goes on under its own id, and guarded as it was begun."""
    began, now = read_options(found), run.request.options
    options = replace(
        now,
        if_unchanged_since_sync=began.if_unchanged_since_sync or now.if_unchanged_since_sync,
        baseline=now.baseline or began.baseline,
        result_key=began.result_key,
    )
    request = replace(
        run.request, operation=found.operation, match_field=found.match_field, query=found.query
    )
    return replace(run, run_id=found.run_id, request=replace(request, options=options))


def others_under_way(run: RetlRun) -> str | None:
    """Another command's run, not ended, that may have written to records which are there."""
    own = fingerprint(run.org.org_id, run.request)
    found = run.state.open_intents(run.org.org_id, run.sobject.name)
    writing = (one for one in found if one.operation is not Operation.INSERT and one.fingerprint != own)
    return next((one.run_id for one in writing), None)


def superseded(run: RetlRun, of_run: str | None = None) -> list[Intent]:
    """The unfinished runs that a new run takes the place of."""
    same, others = _open_intents(run, of_run)
    return [*([same] if same else []), *(other for other in others if _both_insert(run, other))]


def _open_intents(run: RetlRun, of_run: str | None) -> tuple[Intent | None, list[Intent]]:
    wanted = fingerprint(run.org.org_id, run.request, of_run)
    found = run.state.open_intents(run.org.org_id, run.sobject.name)
    same = next((intent for intent in found if intent.fingerprint == wanted), None)
    return same, [intent for intent in found if intent.fingerprint != wanted]


def _both_insert(run: RetlRun, other: Intent) -> bool:
    return _inserts(run.request.operation, run.request.options) and _inserts(
        other.operation, read_options(other)
    )


def _inserts(operation: Operation, options: RetlOptions) -> bool:
    """Whether rows go that no key tells from those that are there."""
    return operation is Operation.INSERT or options.insert_missing


def read_options(intent: Intent) -> RetlOptions:
    """The options of a run; those that this LHT does not know are left out."""
    known = RetlOptions.__dataclass_fields__
    return RetlOptions(**{name: value for name, value in json.loads(intent.options).items() if name in known})


def request_of(intent: Intent) -> RetlRequest:
    """What was asked of a run."""
    return RetlRequest(
        operation=intent.operation,
        object=intent.object,
        query=intent.query,
        match_field=intent.match_field,
        source=f"the query of run {intent.run_id}",
        options=read_options(intent),
    )


def ended_intent(state: RetlState, run_id: str) -> Intent:
    """A run that has ended, to be retried or undone."""
    intent = state.intent(run_id)
    if intent is None:
        raise ConfigError(
            f"LHT knows no run {run_id} that wrote to Salesforce.", hint="'lht runs' lists them."
        )
    if intent.status == "open":
        raise PlanRefusedError(
            f"Run {run_id} has not ended: what became of its rows is not known yet.",
            hint="Run its command again, so that it ends; then run this one again.",
        )
    return intent


def columns_of(
    intent: Intent, sobject: SObject, describe: Callable[[str], SObject]
) -> tuple[SentColumn, ...]:
    """A run's columns, by what describe says of their headers now."""
    pairs = zip(intent.headers, intent.targets, strict=True)
    return tuple(_column(header, target, intent, sobject, describe) for header, target in pairs)


def _column(
    header: str, target: str, intent: Intent, sobject: SObject, describe: Callable[[str], SObject]
) -> SentColumn:
    is_key = header.lower() == (intent.match_field or "").lower()
    own, _, parent_field = header.partition(".")
    if not parent_field:
        return SentColumn(header, header, _field(sobject, header), target, is_key=is_key)
    parent, _, _ = own.rpartition(":")
    lookup = _field(sobject, target)
    parent = parent or lookup.reference_to[0]
    return SentColumn(header, header, _field(describe(parent), parent_field), target, parent, is_key)


def _field(sobject: SObject, name: str) -> Field:
    found = sobject.find(name)
    if found is None:
        raise UnknownFieldError(
            f"{sobject.name}.{name}, which this run writes, is gone from the org, or hidden from this login.",
            hint="Bring it back, or start anew with --new_run.",
        )
    return found


def outbox_rows(run: RetlRun) -> pa.RecordBatchReader:
    """The rows of the work database's outbox as the state keeps them, in no order: sorting so much takes memory."""
    return run.work.batches(
        "SELECT ? AS run_id, operation, match_key, record_id, CAST(to_json(sent) AS VARCHAR) AS sent, source, part, attempt,"
        " row_number FROM outbox",
        [run.run_id],
    )


def load_outbox(run: RetlRun, part: int) -> None:
    """Fills the work database's outbox with one part's rows, as the state has them, without those in conflict.

    A row that was found in conflict has its fate already: it must neither be sent by a run that goes on, nor be
    looked for among a job's results.
    """
    rows = run.state.outbox(run.run_id, part)
    run.work.load("outbox", rows, "* REPLACE (from_json(sent, '[\"VARCHAR\"]') AS sent)")
    leave_out(run)
