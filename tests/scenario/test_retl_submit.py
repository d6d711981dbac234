"""A part on its way into a real local org: killed between any two steps, its answers lost; each record arrives once."""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pyarrow as pa
import pytest
from lakes import DuckDBLake
from world import Rest

from lht.errors import JobTimedOutError, LhtError, LimitExceededError, RequestRejectedError
from lht.model.retl import Intent, Operation, Part, PartStatus, RetlOptions, RetlRequest, SentColumn
from lht.model.salesforce import JobState
from lht.retl import strays, submit
from lht.retl.run import RetlRun
from lht.retl.work import Work
from lht.sfdc import rest
from lht.sfdc.auth import Login
from lht.sfdc.org import Org
from lht.sfdc.transport import Transport
from lht.state.retl_store import RetlState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.model.retl import RetlEvent
    from lht.model.salesforce import SObject
    from lht.testing.simulator import LocalOrg

NAMES = ("Ann, & Co", 'Bob "B"', "Zoë\nGmbH", "#1", "x" * 80)
JOBS = "*/jobs/ingest"
BATCHES = "*/jobs/ingest/*/batches"
ONE_JOB = "*/jobs/ingest/750*"


class Killed(BaseException):
    """The process ends here."""


class Mortal:
    """A state whose process is killed when it commits a part for the nth time, just before or just after."""

    def __init__(self, state: RetlState, number: int, *, after: bool) -> None:
        self._state, self._left, self._after = state, number, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)

    def save_part(self, part: Part) -> None:
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        self._state.save_part(part)
        if self._left == 0:
            raise Killed


@dataclass
class Desk:
    """A run of one part whose rows are recorded, and the org that it writes to."""

    local: LocalOrg
    rest: Rest
    run: RetlRun
    columns: tuple[SentColumn, ...]
    events: list[RetlEvent] = field(default_factory=list)

    def part(self) -> Part:
        (found,) = self.run.state.parts("r1")
        return found

    def intent(self) -> Intent:
        found = self.run.state.intent("r1")
        assert found is not None
        return found

    def dies(self, number: int, *, after: bool) -> RetlRun:
        return replace(self.run, state=cast("RetlState", Mortal(self.run.state, number, after=after)))

    def finish(self) -> JobState:
        """Takes the run up and goes on to the end of its job."""
        strays.sweep(self.run, self.intent(), self.columns)
        part = submit.submit_part(self.run, self.part(), self.columns)
        assert part == self.part()
        return submit.follow(self.run, part).state

    def accounts(self) -> list[str]:
        return sorted(record["Name"] for record in self.rest.query("SELECT Name FROM Account"))

    def jobs(self) -> Counter[str]:
        return Counter(job["state"] for job in self.rest.call("GET", "jobs/ingest")["records"])

    def is_written_once(self) -> bool:
        """Whether each row is in the org once, and no job is left Open."""
        jobs = self.jobs()
        return self.accounts() == sorted(NAMES) and jobs["JobComplete"] == 1 and jobs["Open"] == 0


@pytest.fixture(scope="module")
def shared(local_org: LocalOrg) -> Iterator[tuple[DuckDBLake, SObject]]:
    """A warehouse with LHT's tables, and what the org's accounts look like."""
    lake = DuckDBLake()
    RetlState(lake.warehouse()).ensure()
    with open_org(local_org) as org:
        described = rest.describe(org, "Account")
    yield lake, described
    lake.close()


def open_org(local: LocalOrg, token: str = "", renewed: str = "") -> Org:
    login = Login(username="me", instance_url=local.url, access_token=token or Rest(local).token)
    return Org(
        login,
        Transport(sleep=lambda _s: None),
        api_version="66.0",
        renew=lambda used: replace(used, access_token=renewed),
        owns_transport=True,
    )


@pytest.fixture
def desk(local_org: LocalOrg, shared: tuple[DuckDBLake, SObject], tmp_path: Path) -> Iterator[Desk]:
    local_org.admin.reset()
    local_org.admin.clear_requests()
    (lake, sobject), plain = shared, Rest(local_org)
    for table in ("intents", "parts", "outbox"):
        lake.rows(f"DELETE FROM lht.{table}")
    with open_org(local_org, plain.token) as org, Work(tmp_path / "work") as work:
        events: list[RetlEvent] = []
        run = RetlRun(
            run_id="r1",
            org=org,
            warehouse=lake.warehouse(),
            state=RetlState(lake.warehouse()),
            work=work,
            request=RetlRequest(Operation.INSERT, "Account", "SELECT 1"),
            sobject=sobject,
            now=lambda: datetime.now(UTC),
            sleep=lambda seconds: time.sleep(min(seconds, 0.02)),
            on_event=events.append,
        )
        columns = (SentColumn("Name", "NAME", sobject.by_name["name"], "Name"),)
        record(run, [[name] for name in NAMES], columns)
        yield Desk(local_org, plain, run, columns, events)


def record(run: RetlRun, rows: list[list[str | None]], columns: tuple[SentColumn, ...]) -> None:
    """Commits rows as one part, and puts them where a part's rows lie while it is sent."""
    table = pa.table(
        {
            "part": [1] * len(rows),
            "attempt": [1] * len(rows),
            "row_number": list(range(1, len(rows) + 1)),
            "operation": [run.request.operation.value] * len(rows),
            "match_key": [row[0] for row in rows],
            "record_id": pa.array([None] * len(rows), pa.string()),
            "sent": [json.dumps(row) for row in rows],
            "source": ["{}"] * len(rows),
        }
    )
    run.work.load("outbox", table.to_reader(), "* REPLACE (from_json(sent, '[\"VARCHAR\"]') AS sent)")
    part = Part("r1", 1, 1, run.request.operation, PartStatus.PLANNED, len(rows), 0)
    headers = tuple(column.header for column in columns)
    intent = Intent(
        "r1", run.org.org_id, "Account", "retl_insert", run.request.operation, None, headers, headers,
        "f", "SELECT 1", "{}", len(rows), 0, run.now(),
    )  # fmt: skip
    run.state.begin(intent, [part], table.to_reader())


def test_rows_of_any_text_arrive_as_themselves(desk: Desk) -> None:
    assert desk.finish() is JobState.JOB_COMPLETE
    assert desk.is_written_once()
    assert desk.jobs() == {"JobComplete": 1}
    assert not list(desk.run.work.folder.glob("*.csv"))


@pytest.mark.parametrize("commit", [1, 2, 3])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_killed_at_any_commit_ends_as_an_undisturbed_one(desk: Desk, commit: int, when: str) -> None:
    with pytest.raises(Killed):
        submit.submit_part(desk.dies(commit, after=when == "after"), desk.part(), desk.columns)

    assert desk.finish() is JobState.JOB_COMPLETE
    assert desk.is_written_once()


def test_a_run_killed_again_and_again_ends_as_an_undisturbed_one(desk: Desk) -> None:
    for commit, after in ((1, False), (1, False), (2, False), (2, True), (3, True), (1, False)):
        run = desk.dies(commit, after=after)
        strays.sweep(run, desk.intent(), desk.columns)
        with pytest.raises(Killed):
            submit.submit_part(run, desk.part(), desk.columns)

    assert desk.finish() is JobState.JOB_COMPLETE
    assert desk.is_written_once()


@pytest.mark.parametrize(
    "fault",
    [{"kind": "drop"}, {"kind": "drop", "before": True}, {"kind": "status", "status": 503}],
    ids=["lost", "never came", "unavailable"],
)
@pytest.mark.parametrize(("method", "path"), [("POST", JOBS), ("PUT", BATCHES), ("PATCH", ONE_JOB)])
def test_an_answer_lost_anywhere_writes_nothing_twice(
    desk: Desk, fault: dict[str, Any], method: str, path: str
) -> None:
    desk.local.admin.fault(**fault, method=method, path=path)

    assert desk.finish() is JobState.JOB_COMPLETE
    assert desk.is_written_once()
    assert desk.local.admin.faults() == []


def test_a_session_that_dies_during_the_upload_is_renewed_in_the_same_job(desk: Desk) -> None:
    fresh = Rest(desk.local)
    with open_org(desk.local, desk.rest.token, fresh.token) as org:
        run = replace(desk.run, org=org)
        desk.local.admin.fault("expire_session", method="PUT", path=BATCHES)
        part = submit.submit_part(run, desk.part(), desk.columns)
        job = submit.follow(run, part)

    desk.rest.token = fresh.token
    assert (job.state, desk.jobs()) == (JobState.JOB_COMPLETE, {"JobComplete": 1})
    assert desk.is_written_once()


def test_an_upload_that_never_comes_through_leaves_no_job_and_can_be_gone_on_with(desk: Desk) -> None:
    desk.local.admin.fault("status", status=500, method="PUT", path=BATCHES, times=submit.ATTEMPTS)

    with pytest.raises(LhtError):
        submit.submit_part(desk.run, desk.part(), desk.columns)
    assert (desk.part().status, desk.part().job_id, desk.jobs()) == (
        PartStatus.PLANNED,
        None,
        {"Aborted": submit.ATTEMPTS},
    )
    assert desk.finish() is JobState.JOB_COMPLETE


def test_an_upload_that_is_too_large_tells_its_size_and_the_way_out(desk: Desk) -> None:
    desk.local.admin.change_settings(most_upload_bytes=100)

    with pytest.raises(RequestRejectedError) as raised:
        submit.submit_part(desk.run, desk.part(), desk.columns)
    assert "5 rows, 0.0 MB" in raised.value.message
    assert raised.value.hint == "Run it again with --new_run --batch_size 2."
    assert desk.jobs() == {"Aborted": 1}


def test_a_limit_that_is_used_up_says_which_and_sends_nothing(desk: Desk) -> None:
    desk.local.admin.fault(
        "status", status=400, code="LIMIT_EXCEEDED", message="Daily batches used up", method="POST", path=JOBS
    )

    with pytest.raises(LimitExceededError, match="Daily batches"):
        submit.submit_part(desk.run, desk.part(), desk.columns)
    assert (desk.part().status, desk.jobs()) == (PartStatus.PLANNED, {})


def test_jobs_of_others_that_look_alike_are_left_alone(desk: Desk) -> None:
    order = {"object": "Account", "operation": "insert", "contentType": "CSV"}
    with pytest.raises(Killed):
        submit.submit_part(desk.dies(1, after=False), desk.part(), desk.columns)
    other = desk.rest.call("POST", "jobs/ingest", order)["id"]

    assert desk.finish() is JobState.JOB_COMPLETE
    assert desk.rest.call("GET", f"jobs/ingest/{other}")["state"] == "Open"
    assert any("ends within a day" in event.message for event in desk.events)


@pytest.mark.parametrize(
    "differs", [{"operation": "update"}, {"object": "Contact"}, {"columnDelimiter": "TAB"}]
)
def test_an_empty_job_that_does_something_else_is_not_aborted(desk: Desk, differs: dict[str, str]) -> None:
    desk.rest.call(
        "POST", "jobs/ingest", {"object": "Account", "operation": "insert", "contentType": "CSV", **differs}
    )

    strays.sweep(desk.run, desk.intent(), desk.columns)

    assert desk.jobs() == {"Open": 1}


def test_a_job_that_vanished_after_it_was_closed_is_said_to_be_gone(desk: Desk) -> None:
    part = submit.submit_part(desk.run, desk.part(), desk.columns)
    submit.follow(desk.run, part)
    desk.rest.call("DELETE", f"jobs/ingest/{part.job_id}")

    again = submit.submit_part(desk.run, desk.part(), desk.columns)
    job = submit.follow(desk.run, again)

    assert (again, job.state, job.resource) == (part, JobState.ABORTED, None)
    assert desk.accounts() == sorted(NAMES)


def test_a_job_that_takes_too_long_is_left_to_be_taken_up(desk: Desk) -> None:
    desk.local.admin.change_settings(job_delay_s=0.6)
    part = submit.submit_part(desk.run, desk.part(), desk.columns)
    hurried = replace(desk.run, request=replace(desk.run.request, options=RetlOptions(job_timeout_s=0.1)))

    with pytest.raises(JobTimedOutError, match="still"):
        submit.follow(hurried, part)
    assert desk.finish() is JobState.JOB_COMPLETE
    assert desk.is_written_once()


@pytest.mark.parametrize("ended", ["Failed", "Aborted"])
def test_jobs_that_end_badly_are_handed_on(desk: Desk, ended: str) -> None:
    if ended == "Failed":
        desk.local.admin.fault("job_fails", error_message="InvalidBatch : no")
    desk.local.admin.change_settings(job_delay_s=0.2)
    part = submit.submit_part(desk.run, desk.part(), desk.columns)
    if ended == "Aborted":
        desk.rest.call("PATCH", f"jobs/ingest/{part.job_id}", {"state": "Aborted"})

    job = submit.follow(desk.run, part)

    assert (job.state, job.error_message) == (
        JobState(ended),
        "InvalidBatch : no" if ended == "Failed" else "",
    )


@pytest.mark.parametrize(
    ("commit", "status"), [(1, PartStatus.ABANDONED), (2, PartStatus.ABANDONED), (3, PartStatus.CLOSED)]
)
def test_a_run_that_is_abandoned_takes_back_what_has_not_begun(
    desk: Desk, commit: int, status: PartStatus
) -> None:
    with pytest.raises(Killed):
        submit.submit_part(desk.dies(commit, after=True), desk.part(), desk.columns)

    assert submit.give_up(desk.run, desk.part()).status is status
    assert desk.part().status is status
    assert desk.jobs()["Aborted"] == (status is PartStatus.ABANDONED)


def test_a_part_without_rows_makes_no_job(desk: Desk) -> None:
    desk.run.work.execute("DELETE FROM outbox")

    assert submit.submit_part(desk.run, desk.part(), desk.columns).status is PartStatus.SETTLED
    assert desk.jobs() == {}
