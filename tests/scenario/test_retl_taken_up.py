"""Runs that were cut off: taken up days later, beside others, or given up; each a whole run on a real org."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from retl_desk import begin, open_desk, part_of

from lht.errors import LimitExceededError, PlanRefusedError, RunLockedError
from lht.model.retl import Operation, PartStatus, RetlOptions, RetlRequest
from lht.retl import budget, small
from lht.retl.engine import Setting, run_retl
from lht.retl.planning import Task, query_task
from lht.retl.undo import undo_task
from lht.state.retl_store import RetlState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retl_desk import Desk

    from lht.model.retl import RetlResult
    from lht.testing.simulator import LocalOrg

CALL = {"method": "PATCH", "path": "*/composite/sobjects"}
BATCHES = {"method": "PUT", "path": "*/batches"}
ONE_JOB = {"method": "PATCH", "path": "*/jobs/ingest/750*"}
UPDATE = "SELECT Id, v AS Industry FROM t"
OTHER = "SELECT Id, w AS Industry FROM t"


@dataclass
class Lake:
    """A table to write from, and runs of any command on it."""

    desk: Desk

    def fill(self, ids: list[str], value: str) -> None:
        self.desk.world.execute("CREATE OR REPLACE TABLE t (Id VARCHAR, v VARCHAR, w VARCHAR)")
        rows = ", ".join(f"('{one}', '{value}', 'second')" for one in ids)
        self.desk.world.execute(f"INSERT INTO t VALUES {rows}")

    def update(self, sql: str = UPDATE, **options: Any) -> RetlResult:
        return self.run(
            query_task(RetlRequest(Operation.UPDATE, "Account", sql, "Id", options=RetlOptions(**options)))
        )

    def upsert(self, sql: str, **options: Any) -> RetlResult:
        request = RetlRequest(Operation.UPSERT, "Account", sql, "Id", options=RetlOptions(**options))
        return self.run(query_task(request))

    def undo(self, run_id: str) -> RetlResult:
        return self.run(undo_task(RetlState(self.desk.world.lake.warehouse()), run_id), "retl_undo")

    def run(self, task: Task, command: str = "retl") -> RetlResult:
        self.desk.world.runs += 1
        setting = Setting(
            f"run{self.desk.world.runs:04}", command, self.desk.folder / "work", sleep=lambda _s: None
        )
        return run_retl(self.desk.world.org, self.desk.world.lake.warehouse(), task, setting)

    def is_cut_off(self, *paths: dict[str, str], skip: int = 0, **options: Any) -> None:
        """Runs the update until the org takes no more calls of that kind."""
        for path in paths:
            self.desk.world.local.admin.fault(
                "status", status=403, code="REQUEST_LIMIT_EXCEEDED", skip=skip, **path
            )
        with pytest.raises(LimitExceededError):
            self.update(**options)
        assert self.desk.world.local.admin.faults() == []

    def held(self) -> list[str | None]:
        found = self.desk.world.rest.query("SELECT Industry FROM Account ORDER BY Id")
        return [record["Industry"] for record in found]

    def results(self, columns: str, run_id: str) -> set[tuple[Any, ...]]:
        found = self.desk.world.rows(
            f"SELECT DISTINCT {columns} FROM lht.row_results WHERE run_id = '{run_id}'"
        )
        return set(found)


@pytest.fixture
def lake(local_org: LocalOrg, tmp_path: Path) -> Iterator[Lake]:
    local_org.admin.reset()
    local_org.admin.clear_requests()
    opened = open_desk(local_org, tmp_path)
    yield Lake(opened)
    local_org.admin.clear_faults()
    opened.close()


def test_calls_of_a_run_that_is_given_up_are_not_made_again(lake: Lake) -> None:
    ids = lake.desk.create("Account", [{"Name": f"A{n:03}"} for n in range(203)])
    lake.fill(ids, "old")
    lake.update()
    lake.fill(ids, "mistaken")
    lake.is_cut_off(CALL, skip=1)
    lake.fill(ids, "old")

    result = lake.update(only_changed=True, new_run=True)

    # What may have been written counts as changed; nothing of the mistake was sent after it was given up.
    assert (result.rows_sent, result.rows_unchanged, result.rows_succeeded) == (203, 0, 203)
    assert set(lake.held()) == {"old"}
    assert lake.results("outcome, class", "run0002") == {("unknown", "UNKNOWN")}
    writes = [r for r in lake.desk.world.local.admin.requests() if r["path"].endswith("composite/sobjects")]
    assert len([r for r in writes if r["method"] == "PATCH"]) == 2 + 2 + 2
    assert RetlState(lake.desk.world.lake.warehouse()).unfinished() == []


@pytest.mark.parametrize(
    "paths", [(BATCHES,), (BATCHES, ONE_JOB), (ONE_JOB,)], ids=["planned", "created", "uploaded"]
)
def test_what_is_overwritten_is_read_anew_when_a_run_is_taken_up(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, paths: tuple[dict[str, str], ...]
) -> None:
    monkeypatch.setattr(budget, "FEW_ROWS", 0)
    ids = lake.desk.create("Account", [{"Name": f"A{n}", "Industry": "before"} for n in range(3)])
    lake.desk.world.sync("Account")
    lake.fill(ids, "ours")
    lake.is_cut_off(*paths, if_unchanged_since_sync=True)
    lake.desk.world.sync("Account")
    lake.desk.world.rest.update("Account", ids[0], Industry="since")
    lake.desk.world.sync("Account")
    lake.desk.world.rest.update("Account", ids[1], Industry="theirs")

    result = lake.update()

    assert (result.rows_succeeded, result.rows_conflicting, result.resumed) == (2, 1, True)
    assert lake.held() == ["ours", "theirs", "ours"]
    lake.undo(result.run_id)
    assert lake.held() == ["since", "theirs", "before"]


def test_calls_that_go_on_leave_alone_what_others_changed_since(lake: Lake) -> None:
    ids = lake.desk.create("Account", [{"Name": f"A{n:03}", "Industry": "before"} for n in range(203)])
    lake.desk.world.sync("Account")
    lake.fill(ids, "ours")
    lake.is_cut_off(CALL, skip=1, if_unchanged_since_sync=True)
    lake.desk.world.rest.update("Account", ids[0], Industry="theirs")
    lake.desk.world.rest.update("Account", ids[202], Industry="theirs")

    result = lake.update()

    assert (result.rows_sent, result.rows_succeeded, result.rows_conflicting) == (201, 201, 2)
    held = lake.held()
    assert (held[0], held[1], held[201], held[202]) == ("theirs", "ours", "ours", "theirs")
    lake.undo(result.run_id)
    assert set(lake.held()[1:202]) == {"before"}


def test_rows_of_a_run_that_is_given_up_do_not_go_with_those_of_the_new_one(lake: Lake) -> None:
    lake.fill(["1", "2", "3"], "New")
    asked = RetlRequest(Operation.INSERT, "Account", "SELECT v || Id AS Name FROM t")
    new_run = replace(asked, options=RetlOptions(new_run=True))
    results = {"method": "GET", "path": "*/successfulResults"}
    lake.desk.world.local.admin.fault("status", status=403, code="REQUEST_LIMIT_EXCEEDED", **results)
    with pytest.raises(LimitExceededError):
        lake.run(query_task(asked))
    lake.fill(["4"], "New")

    result = lake.run(query_task(new_run))

    assert (result.rows_sent, result.rows_created) == (1, 1)
    assert lake.results("sf_id", "run0001").isdisjoint(lake.results("sf_id", result.run_id))
    names = [record["Name"] for record in lake.desk.world.rest.query("SELECT Name FROM Account")]
    assert sorted(names) == ["New1", "New2", "New3", "New4"]


def test_an_undo_that_was_cut_off_leaves_what_others_changed_since(lake: Lake) -> None:
    ids = lake.desk.create("Account", [{"Name": f"A{n:03}", "Industry": "before"} for n in range(203)])
    lake.fill(ids, "ours")
    done = lake.update()
    lake.desk.world.local.admin.fault("status", status=403, code="REQUEST_LIMIT_EXCEEDED", skip=1, **CALL)
    with pytest.raises(LimitExceededError):
        lake.undo(done.run_id)
    assert lake.held() == ["before"] * 200 + ["ours"] * 3
    lake.desk.world.rest.update("Account", ids[202], Industry="theirs")

    result = lake.undo(done.run_id)

    assert lake.held() == ["before"] * 202 + ["theirs"]
    assert (result.rows_unchanged, result.rows_succeeded, result.rows_conflicting) == (200, 2, 1)
    assert RetlState(lake.desk.world.lake.warehouse()).unfinished() == []


def test_beside_a_run_that_has_not_ended_nothing_counts_as_unchanged(lake: Lake) -> None:
    ids = lake.desk.create("Account", [{"Name": f"A{n}"} for n in range(2)])
    lake.fill(ids, "ours")
    lake.update()
    assert lake.update(only_changed=True).rows_sent == 0
    lake.is_cut_off(CALL, sql=OTHER)

    assert lake.update(only_changed=True).rows_sent == 2
    assert lake.update(sql=OTHER).resumed
    assert set(lake.held()) == {"second"}


def test_no_run_that_creates_records_begins_beside_another(lake: Lake) -> None:
    lake.desk.world.local.admin.fault(
        "status", status=403, code="REQUEST_LIMIT_EXCEEDED", method="POST", path="*/jobs/ingest"
    )
    new = "SELECT NULL::VARCHAR AS Id, 'New' AS Name"
    with pytest.raises(LimitExceededError):
        lake.upsert(new, insert_missing=True)

    with pytest.raises(PlanRefusedError, match="may be in Salesforce already"):
        lake.upsert(f"{new} WHERE TRUE", insert_missing=True)
    assert lake.upsert(new, insert_missing=True).rows_created == 1


def test_a_process_that_slept_makes_no_call_once_its_run_is_anothers(lake: Lake) -> None:
    ids = lake.desk.create("Account", [{"Name": "A", "Industry": "theirs"}])
    run = lake.desk.run("Account", "update")
    columns = lake.desk.columns("Account", "Id", "Industry")
    part = part_of(run, (1, ids[0], ids[0], ids[0], "ours"))
    begin(run, part, columns)
    late = (datetime(2026, 1, 2, tzinfo=UTC) + timedelta(hours=n) for n in count())
    slept = replace(run, state=run.state.guarded("a lock that is gone"), now=lambda: next(late))

    with pytest.raises(RunLockedError):
        small.send_part(slept, replace(part, status=PartStatus.CALLING), columns)

    assert lake.held() == ["theirs"]
    assert run.work.query("SELECT * FROM outcomes") == []
