"""Limits of the local org: what is counted, what is refused when it is used up, and in which words."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from lht.testing import simulator
from lht.testing.caller import Caller
from lht.testing.simulator import AdminError

if TYPE_CHECKING:
    from collections.abc import Iterator

SPENT = (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
CROWDED = (403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded.")


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    with simulator() as org:
        yield Caller(org).login()


@pytest.fixture
def fresh(shared: Caller) -> Caller:
    """A caller of an org that was put back to how it started."""
    shared.org.admin.reset()
    return shared.login()


def test_every_limit_says_how_much_there_is_and_how_much_is_left(fresh: Caller) -> None:
    limits = fresh.get("/limits").json()

    assert {frozenset(entry) for entry in limits.values()} == {frozenset({"Max", "Remaining"})}
    assert {
        name: limits[name]["Max"]
        for name in ("DailyApiRequests", "DailyBulkApiBatches", "DailyBulkV2QueryJobs")
    } == {"DailyApiRequests": 15_000, "DailyBulkApiBatches": 15_000, "DailyBulkV2QueryJobs": 10_000}
    assert limits["DailyBulkV2QueryFileStorageMB"] == {"Max": 976_562, "Remaining": 976_562}
    assert all(0 <= entry["Remaining"] <= entry["Max"] for entry in limits.values())


def test_batches_had_another_name_up_to_version_48(fresh: Caller) -> None:
    old, new = (
        Caller(fresh.org, version, fresh.headers).get("/limits").json() for version in ("v48.0", "v49.0")
    )

    assert old["DailyBulkApiRequests"] == new["DailyBulkApiBatches"] == {"Max": 15_000, "Remaining": 15_000}
    assert ("DailyBulkApiBatches" in old, "DailyBulkApiRequests" in new) == (False, False)


def test_every_call_of_a_job_counts_as_one_and_no_batch_is_taken(fresh: Caller) -> None:
    before = fresh.get("/limits").json()
    job_id = fresh.job("SELECT Id FROM Account").json()["id"]
    fresh.org.admin.clear_requests()
    fresh.wait(job_id)
    fresh.results(job_id)
    fresh.call("DELETE", f"/jobs/query/{job_id}")
    calls = 1 + len(fresh.org.admin.requests())
    after = fresh.get("/limits").json()
    left = {name: before[name]["Remaining"] - entry["Remaining"] for name, entry in after.items()}

    assert {name: used for name, used in left.items() if used} == {
        "DailyApiRequests": calls + 1, "DailyBulkV2QueryJobs": 1,
    }  # fmt: skip


def test_refused_requests_count_and_say_so(fresh: Caller) -> None:
    used = [fresh.get(path).headers["sforce-limit-info"] for path in ("/limits", "/sobjects/Nope", "/query")]

    assert used == [f"api-usage={n}/15000" for n in (1, 2, 3)]
    assert "sforce-limit-info" not in fresh.raw("GET", "/services/data").headers
    assert "sforce-limit-info" not in fresh.token().headers


def test_the_daily_calls_end_and_come_back(fresh: Caller) -> None:
    fresh.org.admin.use_limits(DailyApiRequests=14_999)
    answers = [fresh.get("/limits") for _ in range(3)]
    fresh.org.admin.advance_clock(25 * 3_600)

    assert answers[0].json()["DailyApiRequests"] == {"Max": 15_000, "Remaining": 0}
    assert [answer.error for answer in answers[1:]] == [SPENT, SPENT]
    assert answers[2].headers["sforce-limit-info"] == "api-usage=15000/15000"
    assert fresh.login().get("/limits").json()["DailyApiRequests"]["Remaining"] == 14_999


def test_the_24_hours_move_hour_by_hour(fresh: Caller) -> None:
    fresh.org.admin.set_clock("2026-03-01T10:30:00Z", frozen=True)
    fresh.login()
    fresh.org.admin.use_limits(DailyApiRequests=100)
    fresh.org.admin.set_clock("2026-03-01T20:30:00Z", frozen=True)
    fresh.login()
    fresh.org.admin.use_limits(DailyApiRequests=10)
    fresh.org.admin.set_clock("2026-03-02T10:30:00Z", frozen=True)

    assert fresh.login().get("/limits").headers["sforce-limit-info"] == "api-usage=11/15000"


def test_an_org_that_may_exceed_its_limits_refuses_nothing(fresh: Caller) -> None:
    admin = fresh.org.admin
    admin.change_settings(enforce_limits=False, long_requests=0, long_request_s=0)
    admin.use_limits(DailyApiRequests=20_000, DailyBulkV2QueryJobs=20_000)
    answer = fresh.get("/limits")

    assert answer.headers["sforce-limit-info"] == "api-usage=20001/15000"
    assert answer.json()["DailyApiRequests"] == {"Max": 15_000, "Remaining": 0}
    assert fresh.finished_job("SELECT Id FROM Account")["state"] == "JobComplete"


def test_the_answer_of_limits_may_be_late_but_the_header_is_not(fresh: Caller) -> None:
    fresh.org.admin.freeze_clock()
    fresh.org.admin.change_settings(limits_lag_s=300)
    answers = [fresh.get("/limits") for _ in range(3)]
    fresh.org.admin.advance_clock(300)
    later = fresh.get("/limits").json()

    assert {answer.json()["DailyApiRequests"]["Remaining"] for answer in answers} == {14_999}
    assert [answer.headers["sforce-limit-info"] for answer in answers] == [
        f"api-usage={n}/15000" for n in (1, 2, 3)
    ]
    assert later["DailyApiRequests"]["Remaining"] == 14_996


def test_record_counts_may_be_late(fresh: Caller) -> None:
    def told() -> int:
        [entry] = fresh.get("/limits/recordCount", sObjects="Account,Nope").json()["sObjects"]
        return int(entry["count"])

    fresh.org.admin.freeze_clock()
    fresh.create("Account", Name="A")
    exact = told()
    fresh.org.admin.change_settings(record_count_lag_s=3_600)
    fresh.create("Account", Name="B")
    late = told()
    fresh.org.admin.advance_clock(3_600)
    fresh.login()

    assert (exact, late, told()) == (1, 1, 2)
    fresh.create("Account", Name="C")
    fresh.org.admin.change_settings(record_count_lag_s=0)
    assert told() == 3


def test_long_requests_keep_further_ones_out_until_one_ends(fresh: Caller) -> None:
    admin = fresh.org.admin
    admin.change_settings(long_requests=2, long_request_s=0.2)
    admin.fault("delay", delay_s=2, path="*/sobjects", times=2)
    slow: list[int] = []
    threads = [threading.Thread(target=lambda: slow.append(fresh.get("/sobjects").status)) for _ in range(2)]
    for thread in threads:
        thread.start()
    seen = [fresh.get("/limits")]
    while seen[-1].status == 200:
        assert any(thread.is_alive() for thread in threads)
        seen.append(fresh.get("/limits"))
    open_to_all = fresh.token().status
    for thread in threads:
        thread.join()

    assert seen[-1].error == CROWDED
    assert (slow, open_to_all, fresh.get("/limits").status) == ([200, 200], 200, 200)


def test_quick_requests_in_any_number_are_not_long_ones(fresh: Caller) -> None:
    fresh.org.admin.change_settings(long_requests=1, long_request_s=20)
    fresh.org.admin.fault("delay", delay_s=0.3, path="*/sobjects", times=5)
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(fresh.get("/sobjects").status)) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 5


@pytest.mark.parametrize(
    "uses", [{"Nope": 1}, {"DailyApiRequests": -1}, {"DailyApiRequests": "1"}, {"DailyApiRequests": True}]
)
def test_uses_that_make_no_sense_are_refused_and_not_counted(fresh: Caller, uses: dict[str, object]) -> None:
    with pytest.raises(AdminError, match="limit"):
        fresh.org.admin.call("POST", "/limits/use", {"DailyBulkV2QueryJobs": 5} | uses)

    assert fresh.get("/limits").json()["DailyBulkV2QueryJobs"]["Remaining"] == 10_000


def test_what_a_job_stores_is_counted_in_whole_megabytes(fresh: Caller) -> None:
    fresh.create("Account", Name="A", Description="x" * 30_000)
    for _ in range(35):
        fresh.finished_job("SELECT Description FROM Account")
    used = 976_562 - fresh.get("/limits").json()["DailyBulkV2QueryFileStorageMB"]["Remaining"]

    assert used == 35 * 30_003 // (1 << 20) == 1
