"""Ingest jobs over real sockets: what is sent, what goes out again, and what never does."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lht.errors import (
    LhtError,
    RequestRejectedError,
    SessionExpiredError,
    UnavailableError,
    UnreachableError,
)
from lht.model.salesforce import JobState
from lht.sfdc import ingest
from lht.sfdc.auth import Login
from lht.sfdc.ingest import ResultFile
from lht.sfdc.org import Org

if TYPE_CHECKING:
    from pathlib import Path

    from lht.sfdc.transport import Transport

JOB = "750000000000001AAA"
PUT = ("PUT", f"/services/data/v66.0/jobs/ingest/{JOB}/batches")
DEAD = json.dumps([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]).encode()
SIZE = 32 << 20


@pytest.fixture
def org(script: Any, transport: Transport) -> Org:
    login = Login(username="me", instance_url=script.url, access_token="t1")
    return Org(login, transport, api_version="66.0", renew=lambda used: replace(used, access_token="t2"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "part.csv"
    with path.open("wb") as made:
        made.truncate(SIZE)
    return path


def test_a_file_goes_up_whole_with_its_length_and_never_lies_in_memory(
    script: Any, org: Org, file: Path
) -> None:
    script.act = script.status(201, b"")
    tracemalloc.start()
    ingest.upload(org, JOB, file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (script.seen, script.sizes) == ([PUT], [SIZE])
    assert peak < SIZE / 4


def test_a_dead_session_is_renewed_and_the_whole_file_goes_again(script: Any, org: Org, file: Path) -> None:
    script.act = script.in_turn(script.status(401, DEAD), script.status(201, b""))
    ingest.upload(org, JOB, file)

    assert (script.seen, script.sizes) == ([PUT, PUT], [SIZE, SIZE])


@pytest.mark.parametrize(
    ("act", "error"),
    [
        ("hang_up", UnreachableError),
        (500, UnavailableError),
        (503, UnavailableError),
        (429, UnavailableError),
        (413, RequestRejectedError),
    ],
)
def test_an_upload_that_may_have_arrived_is_not_repeated(
    script: Any, org: Org, file: Path, act: Any, error: type[LhtError]
) -> None:
    script.act = script.hang_up if act == "hang_up" else script.status(act, b"[]", Retry_After="1")

    with pytest.raises(error):
        ingest.upload(org, JOB, file)
    assert script.seen == [PUT]


def test_a_session_that_cannot_be_renewed_ends_the_upload(script: Any, org: Org, file: Path) -> None:
    script.act = script.status(401, DEAD)

    with pytest.raises(SessionExpiredError):
        ingest.upload(org, JOB, file)
    assert len(script.seen) == 2


@pytest.mark.parametrize("act", ["hang_up", 503])
def test_a_job_is_asked_for_once(script: Any, org: Org, act: Any) -> None:
    script.act = script.hang_up if act == "hang_up" else script.status(act, b"[]")

    with pytest.raises((UnreachableError, UnavailableError)):
        ingest.create_job(org, "Account", "insert")
    assert len(script.seen) == 1


def test_closing_goes_again_as_the_state_tells_what_happened(script: Any, org: Org) -> None:
    told = json.dumps({"id": JOB, "state": "UploadComplete"}).encode()
    script.act = script.in_turn(script.status(503), script.status(200, told))

    assert ingest.close_job(org, JOB).state is JobState.UPLOAD_COMPLETE


def test_a_job_that_salesforce_does_not_know_is_none(script: Any, org: Org) -> None:
    script.act = script.status(404, b'[{"errorCode": "NOT_FOUND", "message": "gone"}]')

    assert ingest.read_job(org, JOB) is None


def test_the_list_is_followed_to_its_end_and_leaves_out_the_older_api(script: Any, org: Org) -> None:
    pages = [
        {"done": False, "records": [{"id": "1", "state": "Open", "jobType": "V2Ingest"}],
         "nextRecordsUrl": "services/data/v66.0/jobs/ingest?queryLocator=2"},
        {"done": True, "records": [{"id": "2", "jobType": "Classic"}, {"id": "3", "state": "Open"}]},
    ]  # fmt: skip
    script.act = script.in_turn(*(script.status(200, json.dumps(page).encode()) for page in pages))

    assert [job.id for job in ingest.list_jobs(org)] == ["1", "3"]
    assert script.seen[1][1] == "/services/data/v66.0/jobs/ingest?queryLocator=2"


def test_results_are_read_as_they_come(script: Any, org: Org) -> None:
    script.act = script.status(200, b'"sf__Id"\n')

    with ingest.open_results(org, JOB, ResultFile.UNPROCESSED) as answer:
        assert b"".join(answer.chunks()) == b'"sf__Id"\n'
    assert script.seen == [("GET", f"/services/data/v66.0/jobs/ingest/{JOB}/unprocessedrecords")]
