"""Takes records out of the Recycle Bin, 200 a call, and finds out what became of a call whose answer was lost."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lht.errors import RequestRejectedError, TransportError, UnavailableError
from lht.model.retl import Outcome, PartStatus
from lht.retl.awake import Awake
from lht.retl.outcomes import begin_part
from lht.retl.steps import pause_s
from lht.sfdc import rest, soap
from lht.sfdc.collections import Saved
from lht.sfdc.wire import ErrorBody

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from lht.model.retl import Part
    from lht.retl.run import RetlRun

ATTEMPTS = 4
IDS_PER_QUERY = 450
"""So many Ids fit into a URL of 16,000 bytes."""


def send_part(run: RetlRun, part: Part) -> None:
    """Undeletes a part's records and fills `outcomes`. That it is under way is committed first.

    A part that was under way when its process died is gone through again: what is back already is a success.
    """
    if part.status is not PartStatus.CALLING:
        run.state.save_part(replace(part, status=PartStatus.CALLING))
    begin_part(run.work, part)
    awake, done = Awake(run), 0
    for numbers, ids in _chunks(run, part):
        awake.check()
        saved = _undeleted(run, ids)
        run.work.append("outcomes", _outcomes(part, numbers, ids, saved))
        done += len(ids)
        run.tell("sending", "taking out of the Recycle Bin", done=done, total=part.rows)


def _chunks(run: RetlRun, part: Part) -> Iterator[tuple[list[int], list[str]]]:
    batches = run.work.batches(
        "SELECT row_number, record_id FROM outbox WHERE part = ? ORDER BY row_number", [part.number]
    )
    for batch in batches:
        numbers = [int(str(number)) for number in batch.column(0).to_pylist()]
        ids = [str(one) for one in batch.column(1).to_pylist()]
        for start in range(0, len(ids), soap.MOST_UNDELETED):
            end = start + soap.MOST_UNDELETED
            yield numbers[start:end], ids[start:end]


def _undeleted(run: RetlRun, ids: Sequence[str]) -> list[Saved]:
    """Undeletes up to 200 records that are not back yet; those that come back with a parent are a success, too."""
    saved = dict.fromkeys(ids, Saved(None, is_success=True))
    waiting = [one for one in ids if one not in _live(run, ids)]
    if waiting:
        saved |= dict(zip(waiting, _called(run, waiting), strict=True))
    refused = [one for one in ids if not saved[one].is_success]
    back = _live(run, refused) if refused else frozenset()
    return [Saved(one, is_success=True) if one in back else saved[one] for one in ids]


def _called(run: RetlRun, ids: Sequence[str]) -> list[Saved]:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return soap.undelete(run.org, ids)
        except RequestRejectedError as refusal:
            # All records of the call are refused for one reason; to send it again would end alike.
            error = ErrorBody(refusal.error_code or "REJECTED", refusal.message)
            return [Saved(None, is_success=False, errors=(error,))] * len(ids)
        except (TransportError, UnavailableError) as error:
            if attempt == ATTEMPTS:
                raise
            run.tell("warning", f"whether records came out of the Recycle Bin is not known ({error.message})")
            run.sleep(pause_s(attempt))
    raise AssertionError  # pragma: no cover  # the last attempt returns or raises


def _live(run: RetlRun, ids: Sequence[str]) -> frozenset[str]:
    return frozenset(own_id for own_id, is_deleted in _states(run, ids) if not is_deleted)


def read_bin(run: RetlRun, ids: str, table: str) -> None:
    """Makes a table of those of a SELECT's Ids that Salesforce still finds: `record_id`, `is_deleted`."""
    import pyarrow as pa  # noqa: PLC0415 - a driver: imported where it is needed

    run.work.execute(f"CREATE OR REPLACE TABLE {table} (record_id VARCHAR, is_deleted BOOLEAN)")
    for batch in run.work.batches(ids):
        found = list(_states(run, [str(one) for one in batch.column(0).to_pylist()]))
        own_ids = pa.array([own_id for own_id, _ in found], pa.string())
        flags = pa.array([is_deleted for _, is_deleted in found], pa.bool_())
        run.work.append(table, pa.table({"record_id": own_ids, "is_deleted": flags}))


def _states(run: RetlRun, ids: Sequence[str]) -> Iterator[tuple[str, bool]]:
    """Whether records are deleted; those that left the Recycle Bin are not found at all."""
    if run.sobject.find("IsDeleted") is None:  # records of such objects are gone at once
        return
    for start in range(0, len(ids), IDS_PER_QUERY):
        listed = ",".join(f"'{one}'" for one in ids[start : start + IDS_PER_QUERY])
        soql = f"SELECT Id, IsDeleted FROM {run.sobject.name} WHERE Id IN ({listed})"
        for page in rest.query_pages(run.org, soql, include_deleted=True):
            for record in page["records"]:
                yield record["Id"], bool(record["IsDeleted"])


def _outcomes(part: Part, numbers: Sequence[int], ids: Sequence[str], saved: Sequence[Saved]) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415 - a driver: imported where it is needed

    def texts(values: Sequence[str | None]) -> pa.Array[pa.StringScalar]:
        return pa.array(values, pa.string())

    whole = len(numbers)
    return pa.table(
        {
            "part": pa.array([part.number] * whole, pa.int64()),
            "attempt": pa.array([part.attempt] * whole, pa.int64()),
            "row_number": pa.array(numbers, pa.int64()),
            "outcome": texts([str(Outcome.SUCCEEDED if one.is_success else Outcome.FAILED) for one in saved]),
            "created": pa.array([False] * whole, pa.bool_()),
            "sf_id": texts(list(ids)),
            "class": texts([one.errors[0].code if one.errors else None for one in saved]),
            "message": texts(["; ".join(error.message for error in one.errors) or None for one in saved]),
            "fields": texts(
                [",".join(n for error in one.errors for n in error.fields) or None for one in saved]
            ),
        }
    )
