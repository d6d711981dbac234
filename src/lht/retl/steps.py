"""What comes next for a part: decided by what was recorded of it and by what its job says. Pure.

The rule behind the table: a job that LHT never asked to close has done nothing, so it may be aborted and its rows sent
by another. Once closing may have been asked, rows may have been written: nothing is sent again then, the job's own
results tell what became of each row.

| recorded | Open | UploadComplete, InProgress, JobComplete | Failed, Aborted | gone |
| --- | --- | --- | --- | --- |
| planned | (no job) SEND | SEND | SEND | SEND |
| created | RESEND | FOLLOW | SEND if it processed no row, else FOLLOW | SEND |
| uploaded | CLOSE | FOLLOW | FOLLOW | FOLLOW |
| closed | CLOSE | FOLLOW | FOLLOW | FOLLOW |
| calling, settled, abandoned | LEAVE | LEAVE | LEAVE | LEAVE |

A created job that is beyond Open was closed by other hands: what it holds is not known, so it is followed like one of
ours. One that is gone was never closed: Salesforce ends a job that stays Open for a day. A job that is gone after it
may have been closed is followed to where nobody knows its rows' fate.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from lht.model.retl import Operation, PartStatus
from lht.model.salesforce import JobState

if TYPE_CHECKING:
    from lht.model.retl import Part
    from lht.model.salesforce import BulkJob

_ENDED_EARLY = {JobState.FAILED, JobState.ABORTED}


class Step(StrEnum):
    """What is to be done for a part. RESEND: abort its job, then send its rows by another."""

    SEND = "send"
    RESEND = "resend"
    CLOSE = "close"
    FOLLOW = "follow"
    LEAVE = "leave"


def next_step(status: PartStatus, job: BulkJob | None) -> Step:
    """The step for a part as it was recorded; `job` is None where there is none, or none any more."""
    match status:
        case PartStatus.PLANNED:
            return Step.SEND
        case PartStatus.CREATED:
            return _of_created(job)
        case PartStatus.UPLOADED | PartStatus.CLOSED:
            return Step.CLOSE if job and job.state is JobState.OPEN else Step.FOLLOW
    return Step.LEAVE


def _of_created(job: BulkJob | None) -> Step:
    if job is None:
        return Step.SEND
    if job.state is JobState.OPEN:
        return Step.RESEND
    return Step.SEND if job.state in _ENDED_EARLY and job.records == 0 else Step.FOLLOW


def may_begin_again(part: Part, job: BulkJob | None) -> bool:
    """Whether a part of a run that is taken up can be sent anew, with what it overwrites read anew.

    An upload that waits to be closed could be closed as it is; but what it overwrites was read before the run was cut
    off. An insert overwrites nothing.
    """
    step = next_step(part.status, job)
    if part.status is PartStatus.UPLOADED:
        return step is Step.CLOSE and part.operation is not Operation.INSERT
    return part.status is PartStatus.CREATED and step in {Step.SEND, Step.RESEND}


def pause_s(attempt: int) -> float:
    """How long to wait before a job is tried once more: 1 second, then 4, 16 and at most 30."""
    return min(30.0, 4.0 ** (attempt - 1))
