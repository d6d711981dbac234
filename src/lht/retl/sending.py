"""Sends a run's parts and settles each: its rows' fates, what was pushed, and its status in one transaction."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from lht.errors import LimitExceededError
from lht.model.retl import Operation, Outcome, PartStatus
from lht.retl import images, outcomes, small, submit, undelete
from lht.retl.budget import batches_of, check_budget, goes_by_calls
from lht.retl.intent import columns_of, load_outbox
from lht.sfdc import limits, rest
from lht.state.retl_store import UNDO

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from lht.model.retl import Intent, Part, SentColumn
    from lht.retl.run import RetlRun

MOST_JOBS = 4
"""How many jobs are in Salesforce's hands at a time; it works on each in parallel by itself."""
_RESULT = (
    "row_number, match_key, source, r.outcome, r.created, coalesce(r.sf_id, o.record_id,"
    f" CASE r.outcome WHEN '{Outcome.UNKNOWN}' THEN i.record_id END) AS sf_id, r.class, r.message, r.fields"
)
"""Of a row of unknown fate the record is known that it found, if it found one."""
_NOT_ASKED = "(SELECT NULL::BIGINT AS row_number, NULL::VARCHAR AS record_id)"
_OPEN = frozenset(PartStatus) - {PartStatus.SETTLED, PartStatus.ABANDONED}


def send_all(run: RetlRun, intent: Intent, columns: Sequence[SentColumn]) -> None:
    """Sends the parts that are not settled, some jobs ahead of those whose end is waited for.

    Where a limit of the org stops it, what is under way is followed to its end first.
    """
    flying: deque[Part] = deque()
    try:
        for part in run.state.parts(run.run_id):
            if part.status not in _OPEN:
                continue
            # What is sent again met locks of jobs beside it: it goes alone.
            while len(flying) > (0 if part.attempt > 1 else MOST_JOBS - 1):
                _follow(run, intent, flying.popleft(), columns)
            sent = _send_part(run, intent, part, columns)
            flying.extend([sent] if sent else [])
    except LimitExceededError:
        _follow_all(run, intent, flying, columns)
        raise
    _follow_all(run, intent, flying, columns)


def _send_part(run: RetlRun, intent: Intent, part: Part, columns: Sequence[SentColumn]) -> Part | None:
    """Sends a part; gives it back if it is a job whose end is to be waited for."""
    part = submit.take_back(run, part)
    load_outbox(run, part.number)
    if part.status is PartStatus.PLANNED:
        _check_part(run, part)
    images.take_images(run, part, columns)
    if goes_by_calls(part, intent.rows_selected - intent.rows_unchanged):
        if part.operation is Operation.UNDELETE:
            undelete.send_part(run, part)
        else:
            small.send_part(run, part, columns)
        _settle(run, intent, part)
        return None
    sent = submit.submit_part(run, part, columns)
    return None if sent.status is PartStatus.SETTLED else sent  # all its rows were in conflict


def _check_part(run: RetlRun, part: Part) -> None:
    """Checks the limits again before each further part: the first was checked with the whole run."""
    if part.number > 1:
        check_budget(run, calls=limits.CALLS_PER_JOB, batches=batches_of(part))


def _follow_all(run: RetlRun, intent: Intent, flying: deque[Part], columns: Sequence[SentColumn]) -> None:
    while flying:
        _follow(run, intent, flying.popleft(), columns)


def _follow(run: RetlRun, intent: Intent, part: Part, columns: Sequence[SentColumn]) -> None:
    """Waits for a job's end and settles its part."""
    run.tell("waiting", f"job {part.job_id}", total=part.rows)
    job = submit.follow(run, part)
    load_outbox(run, part.number)
    outcomes.read_outcomes(run, part, job if job.resource else None, columns)
    _settle(run, intent, replace(part, job_state=job.state.value))


def _settle(run: RetlRun, intent: Intent, part: Part) -> None:
    """Records every row's fate, what Salesforce holds of ours now, and that the part is done: all or nothing."""
    unknown = f"outcome = '{Outcome.UNKNOWN}' AND part = {part.number:d}"
    has_unknown = run.work.count("outcomes", unknown) > 0
    found = images.imaged_rows(run) if has_unknown else _NOT_ASKED
    # Joined first: a statement that runs out of memory is tried again with more, a stream cannot be.
    run.work.execute(
        f"CREATE OR REPLACE TABLE settled AS SELECT {_RESULT}"
        " FROM outbox AS o JOIN outcomes AS r USING (part, attempt, row_number)"
        f" LEFT JOIN {found} AS i USING (row_number)"
    )
    with run.work.resting():
        results = run.work.batches("SELECT * FROM settled")
        run.state.settle(part, results, _pushed(run, intent, part), has_unknown=has_unknown)
    run.tell("settled", done=part.rows, total=part.rows)


def _pushed(run: RetlRun, intent: Intent, part: Part) -> pa.RecordBatchReader | None:
    """What was sent for each key; None where keys find nothing, or what was sent is not what a user asked for."""
    holds = part.operation in {Operation.UPDATE, Operation.UPSERT}
    if intent.match_field is None or intent.command == UNDO or not holds:
        return None
    return run.work.batches("SELECT match_key, CAST(to_json(sent) AS VARCHAR) AS sent FROM outbox")


def abandon(run: RetlRun, intent: Intent) -> None:
    """Ends an unfinished run: what Salesforce may be at work on is followed, what was not sent never will be.

    Of calls that were under way nobody knows how far they came: to make them again would send what was given up.
    """
    for part in run.state.parts(run.run_id):
        if part.status is PartStatus.CALLING:
            load_outbox(run, part.number)
            outcomes.give_up(run, part)
            _settle(run, intent, part)
        elif part.status in _OPEN:
            submit.give_up(run, part)
    send_all(run, intent, columns_of(intent, run.sobject, lambda name: rest.describe(run.org, name)))
    run.state.finish(intent, run.state.counts(run.run_id), abandoned=True)
