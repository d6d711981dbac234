"""What a part is about to overwrite, kept before it is sent, so that it can be put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.model.retl import Operation, PartStatus
from lht.retl import conflicts, fetch
from lht.retl.held import is_by_id, read_held
from lht.sfdc import collections
from lht.warehouse.statements import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.retl import Part, SentColumn
    from lht.retl.run import RetlRun


_KEYS_PER_CALL = 450
"""About how many keys a query's URL holds."""
_CALLS_PER_QUERY_JOB = 12
_WITHOUT = frozenset({Operation.INSERT, Operation.UNDELETE})
"""Before these there is no record, or none that can be read."""


def take_images(run: RetlRun, part: Part, columns: Sequence[SentColumn]) -> None:
    """Reads what Salesforce holds for a part that is about to be sent; rows in conflict leave the part.

    Of several images of a row the last counts: a run that was cut off may go on days later, and a later attempt is of
    rows that were not written. Rows whose record does not exist yet have none. Where a part is under way by calls,
    some of it may be written: its images stay, and only what others changed since is looked for.
    """
    options = run.request.options
    keeps = options.undo and part.status is PartStatus.PLANNED
    checks = options.if_unchanged_since_sync and part.status in {PartStatus.PLANNED, PartStatus.CALLING}
    if part.operation in _WITHOUT or not (keeps or checks):
        return
    conflicts.leave_out(run)
    sent = "".join(f", sent[{place}] AS c{place}" for place in range(1, len(columns) + 1))
    rows = f"(SELECT row_number, match_key, record_id{sent} FROM outbox WHERE part = {part.number:d})"
    read_held(run, columns, rows, operation=part.operation)
    if checks:
        conflicts.drop_conflicts(run, part, columns, rows)
    if keeps:
        _save(run, part)


def image_cost(run: RetlRun, part: Part) -> tuple[int, int]:
    """About how many calls, and how many query jobs, it takes to read what a part overwrites."""
    options = run.request.options
    if part.operation in _WITHOUT or not (options.undo or options.if_unchanged_since_sync):
        return 0, 0
    if part.rows > fetch.MOST_BY_CALLS:
        return _CALLS_PER_QUERY_JOB, 1
    by_key = part.operation is Operation.UPSERT and not is_by_id(run.request)
    return -(-part.rows // (_KEYS_PER_CALL if by_key else collections.MOST_READ)), 0


def imaged_rows(run: RetlRun) -> str:
    """A table of the rows that have an image, and its record; read from the state when it is asked for."""
    table = _imaged(run)
    if not run.work.has_table(table):
        images = run.state.images(run.run_id)
        run.work.load(quote(table), images, "CAST(row_number AS BIGINT) AS row_number, record_id")
    return quote(table)


def _imaged(run: RetlRun) -> str:
    return f"imaged_{run.run_id}"


def _save(run: RetlRun, part: Part) -> None:
    run.work.execute(_images(part))
    new = run.work.batches("SELECT * FROM new_images ORDER BY row_number")
    if run.work.count("new_images"):
        run.state.save_images(run.run_id, new)
    run.work.execute(f"DROP TABLE IF EXISTS {quote(_imaged(run))}")  # to be read anew
    run.work.execute("DROP TABLE new_images")


def _images(part: Part) -> str:
    return (
        f"CREATE OR REPLACE TABLE new_images AS SELECT h.row_number, o.match_key, h.record_id, "
        f"h.modstamp, h.image "
        f"FROM held AS h JOIN outbox AS o ON o.row_number = h.row_number AND o.part = {part.number:d}"
    )
