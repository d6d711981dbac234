"""What comes next for a part: every recorded status with everything that a job can say."""

from __future__ import annotations

import pytest

from lht.model.retl import Operation, Part, PartStatus
from lht.model.salesforce import BulkJob, JobState
from lht.retl.steps import Step, may_begin_again, next_step, pause_s

SEND, RESEND, CLOSE, FOLLOW, LEAVE = Step.SEND, Step.RESEND, Step.CLOSE, Step.FOLLOW, Step.LEAVE
STATES = (*JobState, None)
"""Open, UploadComplete, InProgress, JobComplete, Failed, Aborted; and gone."""
TABLE = {
    PartStatus.PLANNED: (SEND, SEND, SEND, SEND, SEND, SEND, SEND),
    PartStatus.CREATED: (RESEND, FOLLOW, FOLLOW, FOLLOW, SEND, SEND, SEND),
    PartStatus.UPLOADED: (CLOSE, FOLLOW, FOLLOW, FOLLOW, FOLLOW, FOLLOW, FOLLOW),
    PartStatus.CLOSED: (CLOSE, FOLLOW, FOLLOW, FOLLOW, FOLLOW, FOLLOW, FOLLOW),
    PartStatus.CALLING: (LEAVE,) * 7,
    PartStatus.SETTLED: (LEAVE,) * 7,
    PartStatus.ABANDONED: (LEAVE,) * 7,
}


def job(state: JobState | None, records: int = 0) -> BulkJob | None:
    if state is None:
        return None
    return BulkJob("750", state, "Account", "insert", None, "66.0", records=records)


@pytest.mark.parametrize("status", PartStatus)
def test_every_status_has_a_step_for_every_state(status: PartStatus) -> None:
    assert tuple(next_step(status, job(state)) for state in STATES) == TABLE[status]


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.ABORTED])
def test_rows_of_a_job_that_began_by_other_hands_are_not_sent_again(state: JobState) -> None:
    assert next_step(PartStatus.CREATED, job(state, records=1)) is FOLLOW


@pytest.mark.parametrize("operation", ["insert", "update"])
@pytest.mark.parametrize("status", PartStatus)
def test_what_salesforce_has_not_begun_may_begin_again(status: PartStatus, operation: str) -> None:
    part = Part("run", 1, 1, Operation(operation), status, 1, 1, "750")
    again = {state for state in STATES if may_begin_again(part, job(state))}

    if status is PartStatus.CREATED:
        assert again == {JobState.OPEN, JobState.FAILED, JobState.ABORTED, None}
    else:
        is_overwriting = status is PartStatus.UPLOADED and operation == "update"
        assert again == ({JobState.OPEN} if is_overwriting else set())


def test_pauses_grow_and_have_an_end() -> None:
    assert [pause_s(attempt) for attempt in (1, 2, 3, 4, 9)] == [1, 4, 16, 30, 30]
