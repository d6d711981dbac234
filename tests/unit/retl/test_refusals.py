"""Which refusals of a job another job would not meet, and what is said of one that is too large."""

from __future__ import annotations

import pytest

from lht.errors import (
    AccessDeniedError,
    ApiError,
    LhtError,
    RequestRejectedError,
    UnavailableError,
    UnreachableError,
)
from lht.model.retl import Operation, Part, PartStatus
from lht.retl.refusals import explained, is_passing, is_too_large

PART = Part("r1", 3, 1, Operation.INSERT, PartStatus.PLANNED, 50_001, 120_000_000)


def rejected(message: str, status: int = 400, code: str = "INVALIDJOB") -> RequestRejectedError:
    return RequestRejectedError(message, status=status, error_code=code)


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (UnreachableError("cut off"), True),
        (UnavailableError("later", status=503), True),
        (rejected("Found multiple contents for job: <750>"), True),
        (rejected("Uploading to already Aborted Job not allowed", code="INVALID_JOB_STATE"), True),
        (rejected("no such object"), False),
        (AccessDeniedError("no right", status=403), False),
    ],
)
def test_another_job_is_tried_where_it_may_do_better(error: LhtError, passes: bool) -> None:  # noqa: FBT001
    assert is_passing(error) is passes


@pytest.mark.parametrize(
    "error",
    [
        rejected("no", status=413, code=""),
        rejected("Request exceeded the maximum size limit"),
        rejected("The content is too large"),
    ],
)
def test_an_upload_that_is_too_large_is_told_with_its_size_and_smaller_batches(error: ApiError) -> None:
    told = explained(error, PART)

    assert is_too_large(error)
    assert not is_passing(error)
    assert "50,001 rows, 120.0 MB" in told.message
    assert told.hint == "Run it again with --new_run --batch_size 25000."


def test_every_other_refusal_stays_as_it_is() -> None:
    error = rejected("no such object")

    assert explained(error, PART) is error
