"""Whole runs that are held back: by others' changes, by the org's daily limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from retl_desk import open_desk

from lht.app.reverse import request_for
from lht.errors import LimitExceededError, PlanRefusedError
from lht.model.retl import Operation, RetlOptions, RetlRequest
from lht.retl.engine import Setting, plan_retl, run_retl
from lht.retl.planning import query_task
from lht.state.retl_store import RetlState
from lht.sync import extract

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retl_desk import Desk

    from lht.model.retl import RetlPlan, RetlResult
    from lht.testing.simulator import LocalOrg


@pytest.fixture
def desk(lht_simulator: LocalOrg, tmp_path: Path) -> Iterator[Desk]:
    opened = open_desk(lht_simulator, tmp_path)
    yield opened
    opened.close()


def request(sql: str, **options: Any) -> RetlRequest:
    return RetlRequest(Operation.UPDATE, "Account", sql, "Id", options=RetlOptions(**options))


def send(desk: Desk, asked: RetlRequest) -> RetlResult:
    desk.world.runs += 1
    setting = Setting(f"run{desk.world.runs:04}", "retl_update", desk.folder / "work")
    return run_retl(desk.world.org, desk.world.lake.warehouse(), query_task(asked), setting)


def plan(desk: Desk, asked: RetlRequest) -> RetlPlan:
    setting = Setting("plan", "retl_update", desk.folder / "work")
    return plan_retl(desk.world.org, desk.world.lake.warehouse(), query_task(asked), setting)


SQL = "SELECT Id, 'ours' AS Industry FROM Account ORDER BY Id"


def test_others_changes_are_left_and_counted(desk: Desk) -> None:
    ids = desk.create("Account", [{"Name": f"A{n}"} for n in range(3)])
    desk.world.execute("CREATE TABLE t (Id VARCHAR)")
    unsynced = request("SELECT Id, 'x' AS Industry FROM t", if_unchanged_since_sync=True)
    with pytest.raises(PlanRefusedError, match="Nothing was sent"):
        send(desk, unsynced)
    assert RetlState(desk.world.lake.warehouse()).unfinished() == []

    desk.world.sync("Account")
    desk.world.rest.update("Account", ids[1], Industry="Banking")
    asked = request(SQL, if_unchanged_since_sync=True)

    assert plan(desk, asked).rows_conflicting == 1
    result = send(desk, asked)

    assert (result.rows_sent, result.rows_succeeded, result.rows_conflicting) == (2, 2, 1)
    found = desk.world.rest.query("SELECT Industry FROM Account ORDER BY Name")
    assert [record["Industry"] for record in found] == ["ours", "Banking", "ours"]


def test_records_that_others_changed_are_not_deleted(desk: Desk) -> None:
    ids = desk.create("Account", [{"Name": f"A{n}"} for n in range(3)])
    desk.world.sync("Account")
    desk.world.rest.update("Account", ids[1], Industry="Banking")
    given = {"if_unchanged_since_sync": True}
    asked = request_for(
        "delete", "Account", ("SELECT Id FROM Account", "--sql"), match_field=None, options=given
    )

    result = send(desk, asked)

    assert (result.rows_sent, result.rows_succeeded, result.rows_conflicting) == (2, 2, 1)
    left = desk.world.rest.query("SELECT Id FROM Account", include_deleted=False)
    assert [record["Id"] for record in left] == [ids[1]]


def test_a_run_without_room_in_the_limits_sends_nothing(desk: Desk) -> None:
    desk.create("Account", [{"Name": "A"}])
    desk.world.sync("Account")
    used = desk.world.rest.call("GET", "limits")["DailyApiRequests"]
    desk.world.local.admin.use_limits(DailyApiRequests=int(used["Max"] * 0.8))

    with pytest.raises(LimitExceededError, match=r"DailyApiRequests: .* of .* API calls are used") as caught:
        send(desk, request(SQL))

    assert "--api_budget" in caught.value.hint
    assert desk.world.rest.query("SELECT Industry FROM Account")[0]["Industry"] is None
    assert send(desk, request(SQL, api_budget=100.0)).rows_succeeded == 1


def test_a_sync_begins_no_job_above_its_share_of_the_calls(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(extract, "SMALL", 0)
    desk.create("Account", [{"Name": f"A{n}"} for n in range(3)])
    allowed = desk.world.rest.call("GET", "limits")["DailyApiRequests"]["Max"]
    desk.world.local.admin.use_limits(DailyApiRequests=int(allowed * 0.8))

    with pytest.raises(LimitExceededError, match="DailyApiRequests"):
        desk.world.sync("Account")
    assert desk.world.sync("Account", api_budget=99.0).rows_inserted == 3
