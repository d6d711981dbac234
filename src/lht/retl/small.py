"""Sends a part of few rows by calls of 200 rows: a job would cost a batch and a wait.

Only where a repetition does no harm, as the answer to a call may be lost: updates, upserts by an external id, and
deletions. https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_update.htm
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lht.errors import RequestRejectedError
from lht.model.retl import Operation, Outcome, PartStatus
from lht.retl.awake import Awake
from lht.retl.held import is_by_id
from lht.retl.images import imaged_rows
from lht.retl.json_rows import record_json
from lht.retl.outcomes import begin_part
from lht.sfdc import collections
from lht.sfdc.wire import ErrorBody

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from lht.model.retl import Part, SentColumn
    from lht.retl.run import RetlRun

LONGEST_BODY = 4 << 20
"""Letters of one call's records: a call is answered within minutes only."""
_GONE = "ENTITY_IS_DELETED"
_NOTE = "It was deleted by an earlier call of this run whose answer was lost."


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of the part, and how it is written in a call."""

    number: int
    record_id: str | None
    text: str


def send_part(run: RetlRun, part: Part, columns: Sequence[SentColumn]) -> None:
    """Sends the part's rows and fills `outcomes`.

    That it is under way is committed first. A part that was under way when its process died is sent again from its
    first row: what was written then is written once more, to the same end.
    """
    is_again = part.status is PartStatus.CALLING
    if not is_again:
        run.state.save_part(replace(part, status=PartStatus.CALLING))
    begin_part(run.work, part)
    caller = _Caller(run, part, is_again=is_again)
    done = 0
    for rows in _chunks(run, part, columns):
        caller.send(rows)
        done += len(rows)
        run.tell("sending", "sending by calls", done=done, total=part.rows)
    _correct_created(run, part)


def _chunks(run: RetlRun, part: Part, columns: Sequence[SentColumn]) -> Iterator[list[_Row]]:
    """Cuts the part at 200 rows, or before its records are too long for one call."""
    chunk: list[_Row] = []
    letters = 0
    for row in _rows(run, part, columns):
        if chunk and (len(chunk) == collections.MOST_WRITTEN or letters + len(row.text) > LONGEST_BODY):
            yield chunk
            chunk, letters = [], 0
        chunk.append(row)
        letters += len(row.text)
    if chunk:
        yield chunk


def _rows(run: RetlRun, part: Part, columns: Sequence[SentColumn]) -> Iterator[_Row]:
    by_id = _names_ids(run, part)
    batches = run.work.batches(
        "SELECT row_number, coalesce(record_id, match_key), sent FROM outbox WHERE part = ? ORDER BY row_number",
        [part.number],
        rows=collections.MOST_READ,
    )
    for batch in batches:
        for number, key, sent in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            record_id = key if by_id else None
            text = record_json(run.sobject.name, part.operation, columns, sent or (), record_id)
            yield _Row(number, record_id, text)


def _names_ids(run: RetlRun, part: Part) -> bool:
    """Whether the part's rows name their records by Id: all do but upserts by another key."""
    return part.operation is not Operation.UPSERT or is_by_id(run.request)


class _Caller:
    """Makes a part's calls and notes every answer. `is_again`: these calls were made before, perhaps in vain."""

    def __init__(self, run: RetlRun, part: Part, *, is_again: bool) -> None:
        self._run = run
        self._part = part
        self._is_again = is_again
        self._awake = Awake(run)
        self._org = run.org.for_object()  # counts the calls of this part alone

    def send(self, rows: Sequence[_Row]) -> None:
        self._awake.check()
        calls = self._org.calls
        try:
            saved = self._call(rows)
        except RequestRejectedError as refusal:
            # All rows of the call are refused for one reason; to send it again would end alike.
            error = ErrorBody(refusal.error_code or "REJECTED", refusal.message)
            saved = [collections.Saved(None, is_success=False, errors=(error,))] * len(rows)
        is_repeated = self._is_again or self._org.calls - calls > 1
        self._note(rows, saved, is_repeated=is_repeated)

    def _call(self, rows: Sequence[_Row]) -> list[collections.Saved]:
        request = self._run.request
        if self._part.operation is Operation.DELETE:
            return collections.delete(self._org, [row.record_id or "" for row in rows])
        texts = [row.text for row in rows]
        if _names_ids(self._run, self._part):
            return collections.update(self._org, texts)
        return collections.upsert(self._org, self._run.sobject.name, request.match_field or "", texts)

    def _note(self, rows: Sequence[_Row], saved: Sequence[collections.Saved], *, is_repeated: bool) -> None:
        import pyarrow as pa  # noqa: PLC0415 - a driver: imported where it is needed

        facts = [self._fact(row, one, is_repeated=is_repeated) for row, one in zip(rows, saved, strict=True)]
        self._run.work.append("outcomes", pa.Table.from_pylist(facts, schema=_schema()))

    def _fact(self, row: _Row, saved: collections.Saved, *, is_repeated: bool) -> dict[str, object]:
        """What became of a row. A repeated call may find its work done: that is a success, and is said."""
        was_deleted = is_repeated and self._part.operation is Operation.DELETE and _is_gone(saved)
        is_success = saved.is_success or was_deleted
        first = saved.errors[0].code if saved.errors and not is_success else None
        messages = _NOTE if was_deleted else "; ".join(error.message for error in saved.errors) or None
        return {
            "part": self._part.number,
            "attempt": self._part.attempt,
            "row_number": row.number,
            "outcome": str(Outcome.SUCCEEDED if is_success else Outcome.FAILED),
            # Of a repeated upsert nobody knows which of the calls made the record: see _correct_created.
            "created": None if is_repeated and saved.is_success else bool(saved.created),
            "sf_id": saved.id or row.record_id,
            "class": first,
            "message": messages,
            "fields": ",".join(name for error in saved.errors for name in error.fields) or None,
        }


def _schema() -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415 - a driver: imported where it is needed

    types: dict[str, pa.DataType] = dict.fromkeys(("part", "attempt", "row_number"), pa.int64())
    types |= dict.fromkeys(("outcome", "sf_id", "class", "message", "fields"), pa.string())
    types["created"] = pa.bool_()
    return pa.schema(types)


def _is_gone(saved: collections.Saved) -> bool:
    return any(error.code == _GONE for error in saved.errors)


def _correct_created(run: RetlRun, part: Part) -> None:
    """Tells for repeated calls what they made: the records of which no image was taken before the first of them."""
    unsure = f"part = {part.number:d} AND attempt = {part.attempt:d} AND created IS NULL"
    if not run.work.count("outcomes", unsure):
        return
    if part.operation is Operation.UPSERT and run.request.options.undo and not _names_ids(run, part):
        made = f"row_number NOT IN (SELECT row_number FROM {imaged_rows(run)})"
    else:
        made = "FALSE"
    run.work.execute(f"UPDATE outcomes SET created = ({made}) WHERE {unsure}")
