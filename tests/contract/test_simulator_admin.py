"""The admin resources of the local org: what a test can do to it, and the failures that it can order."""

from __future__ import annotations

import gzip
import http.client
import time
import zlib
from typing import TYPE_CHECKING

import pytest

from lht.testing.simulator import AdminError

if TYPE_CHECKING:
    from lht.testing.caller import Caller


def test_reset_puts_the_org_back_and_keeps_the_login(api: Caller) -> None:
    admin = api.org.admin
    api.create("Account", Name="A")
    admin.add_field("Account", "New__c")
    admin.change_settings(page_size=3, limits={"DailyApiRequests": 5})
    admin.fault("status")
    admin.freeze_clock()
    job_id = api.job("SELECT Id FROM Account")
    admin.clear_faults()
    job_id = api.finished_job("SELECT Id FROM Account")["id"]

    admin.reset()

    assert api.get("/query", q="SELECT COUNT() FROM Account").json()["totalSize"] == 0
    assert api.get("/query", q="SELECT New__c FROM Account").error[1] == "INVALID_FIELD"
    assert api.get(f"/jobs/query/{job_id}").status == 404
    assert (admin.settings()["page_size"], admin.settings()["limits"]["DailyApiRequests"]) == (
        100_000,
        15_000,
    )
    assert (admin.faults(), admin.clock()["frozen"]) == ([], False)


def test_the_clock_can_be_set_moved_stopped_and_started(api: Caller) -> None:
    admin = api.org.admin
    admin.set_clock("2030-01-01T00:00:00Z", frozen=True)
    admin.advance_clock(90)
    account = api.login().create("Account", Name="A")

    assert admin.clock() == {"now": "2030-01-01T00:01:30+00:00", "frozen": True}
    assert api.get(f"/sobjects/Account/{account}").json()["SystemModstamp"] == "2030-01-01T00:01:30.000+0000"
    assert admin.run_clock()["frozen"] is False


def test_settings_are_checked(api: Caller) -> None:
    for wrong in (
        {"nonsense": 1},
        {"page_size": 0},
        {"page_size": "x"},
        {"job_delay_s": -1},
        {"limits": {"Nope": 1}},
    ):
        with pytest.raises(AdminError, match="INVALID_INPUT"):
            api.org.admin.change_settings(**wrong)

    assert api.org.admin.change_settings(job_delay_s=0.25)["job_delay_s"] == 0.25


def test_fields_come_change_hide_and_go(api: Caller) -> None:
    admin, account = api.org.admin, api.create("Account", Name="A")
    where = f"/sobjects/Account/{account}"
    admin.add_field("Account", "Rank__c", "string", length=20)
    api.call("PATCH", where, {"Rank__c": "12"})
    admin.alter_field("Account", "Rank__c", type="double", length=0, precision=18, scale=2)
    altered = api.read_csv("SELECT Rank__c FROM Account").rows[1:]
    admin.hide_field("Account", "Rank__c")
    hidden = api.get("/query", q="SELECT Rank__c FROM Account").error
    admin.hide_field("Account", "Rank__c", hidden=False)
    shown = api.get(where).json()["Rank__c"]
    admin.drop_field("Account", "Rank__c")

    assert (altered, hidden[:2], shown) == ([["12.0"]], (400, "INVALID_FIELD"), 12.0)
    names = [field["name"] for field in api.get("/sobjects/Account/describe").json()["fields"]]
    assert "Rank__c" not in names


def test_a_field_that_makes_no_sense_is_refused(api: Caller) -> None:
    with pytest.raises(AdminError, match="INVALID_INPUT"):
        api.org.admin.add_field("Account", "New__c", colour="red")
    with pytest.raises(AdminError, match="DUPLICATE_DEVELOPER_NAME"):
        api.org.admin.add_field("Account", "Name")
    with pytest.raises(AdminError, match="NOT_FOUND"):
        api.org.admin.alter_field("Account", "Nope__c", length=1)


def test_records_hide_come_back_and_are_purged(api: Caller) -> None:
    admin = api.org.admin
    ids = [api.create("Account", Name=name) for name in ("A", "B", "C")]

    assert admin.hide_records("Account", where="Name = 'A'") == 1
    assert admin.hide_records("Account", ids[1:2]) == 1
    assert api.get("/query", q="SELECT Id FROM Account").json()["totalSize"] == 1
    assert admin.hide_records("Account", hidden=False) == 3
    api.call("DELETE", f"/sobjects/Account/{ids[0]}")
    assert admin.undelete([ids[0]]) == 1
    api.call("DELETE", f"/sobjects/Account/{ids[0]}")
    assert admin.purge("Account") == 1
    assert len(api.read_csv("SELECT Id FROM Account", "queryAll").rows) == 3


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/objects/Account/hide", {"id": ["001000000000001"]}),
        ("POST", "/objects/Account/read_only", {"record_ids": []}),
        ("POST", "/objects/Account/empty_bin", {"id": "001000000000001"}),
        ("POST", "/objects/Account/purge", {"where": "Name = 'A'"}),
        ("POST", "/archive", {"older_than": 1}),
        ("PUT", "/clock", {"now": "2026-01-02T03:04:05Z", "frozen": "no"}),
        ("POST", "/clock/advance", {"seconds": 1, "minutes": 5}),
    ],
)
def test_a_misspelt_key_is_refused_and_does_not_mean_all(
    api: Caller, method: str, path: str, body: dict[str, object]
) -> None:
    api.create("Account", Name="A")

    with pytest.raises(AdminError, match=r"allowed: |must be true or false"):
        api.org.admin.call(method, path, body)
    assert api.get("/query", q="SELECT Id FROM Account").json()["totalSize"] == 1


def test_requests_are_counted_without_admin_calls_and_tokens(api: Caller) -> None:
    api.org.admin.clear_requests()
    api.get("/limits/")
    api.get("/query", q="nonsense")

    assert api.org.admin.requests() == [
        {"method": "GET", "path": "/services/data/v66.0/limits", "query": "", "status": 200},
        {"method": "GET", "path": "/services/data/v66.0/query", "query": "q=nonsense", "status": 400},
    ]


def test_a_page_in_a_browser_cannot_use_the_admin_resources(api: Caller) -> None:
    answer = api.raw("POST", "/simulator/reset", headers={"Origin": "http://example.com"})

    assert answer.status == 403


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 403),
        ("evil.example:80", 403),
        ("localhost.evil.example", 403),
        ("192.0.2.1", 403),
        ("localhost:1", 200),
        ("login.localhost", 200),
        ("LOCALHOST.", 200),
        ("[::1]:1", 200),
        ("127.0.0.1", 200),
    ],
)
def test_a_page_whose_name_was_made_to_lead_here_reads_no_admin_resource(
    api: Caller, host: str, status: int
) -> None:
    assert api.raw("GET", "/simulator/user", headers={"Host": host}).status == status


def test_unknown_admin_paths_and_methods_are_refused(api: Caller) -> None:
    assert api.raw("GET", "/simulator/nope").status == 404
    assert api.raw("DELETE", "/simulator/reset").status == 405


def test_a_status_is_answered_as_often_as_ordered(api: Caller) -> None:
    api.org.admin.fault("status", status=503, retry_after=7, times=2, path="*/limits", skip=1)
    answers = [api.get("/limits") for _ in range(4)]

    assert [answer.status for answer in answers] == [200, 503, 503, 200]
    assert (answers[1].headers["retry-after"], answers[1].error[1]) == ("7", "SERVER_UNAVAILABLE")
    assert api.org.admin.faults() == []


def test_a_fault_waits_for_its_method_and_path(api: Caller) -> None:
    api.org.admin.fault(
        "status", status=500, method="POST", path="*/jobs/query", code="UNKNOWN", message="No."
    )

    assert api.get("/jobs/query").status == 200
    assert api.job("SELECT Id FROM User").error == (500, "UNKNOWN", "No.")


def test_a_fault_of_no_known_kind_is_refused(api: Caller) -> None:
    for wrong in ({"kind": "nonsense"}, {"kind": "status", "colour": "red"}):
        with pytest.raises(AdminError, match="INVALID_INPUT"):
            api.org.admin.fault(**wrong)


def test_a_connection_is_dropped_in_the_middle_of_the_body(seeded: Caller) -> None:
    job_id = seeded.finished_job("SELECT Id, Name, Description FROM Account")["id"]
    seeded.org.admin.fault("drop", after_bytes=100, path="*/results")

    with pytest.raises(http.client.IncompleteRead) as broken:
        seeded.results(job_id)

    assert len(broken.value.partial) == 100
    assert seeded.results(job_id).status == 200


@pytest.mark.parametrize(("lost", "made"), [("request", 0), ("answer", 1)])
def test_an_answer_is_lost_after_or_before_the_work_was_done(api: Caller, lost: str, made: int) -> None:
    api.org.admin.fault("drop", method="POST", before=lost == "request")

    with pytest.raises(ConnectionError):  # a reset, or an end, as the machine has it
        api.call("POST", "/sobjects/Account", {"Name": "A"})

    assert api.get("/query", q="SELECT COUNT() FROM Account").json()["totalSize"] == made
    assert [r["status"] for r in api.org.admin.requests() if r["method"] == "POST"][-1] is None


def test_a_compressed_page_ends_too_early(seeded: Caller) -> None:
    job_id = seeded.finished_job("SELECT Id, Name FROM Account")["id"]
    whole = seeded.results(job_id, headers={"Accept-Encoding": "gzip"}).body
    seeded.org.admin.fault("truncate_gzip", cut_bytes=40)
    cut = seeded.results(job_id, headers={"Accept-Encoding": "gzip"})

    assert (cut.status, cut.body) == (200, whole[:-40])
    with pytest.raises((EOFError, zlib.error)):
        gzip.decompress(cut.body)


def test_a_session_ends_when_ordered(api: Caller) -> None:
    api.org.admin.fault("expire_session", path="*/query")

    assert api.get("/limits").status == 200
    assert api.get("/query", q="SELECT Id FROM User").error[:2] == (401, "INVALID_SESSION_ID")
    assert api.get("/limits").status == 401
    assert api.login().get("/limits").status == 200


def test_an_answer_comes_late(api: Caller) -> None:
    api.org.admin.fault("delay", delay_s=0.5, path="*/limits")
    began = time.monotonic()
    status = api.get("/limits").status

    assert (status, time.monotonic() - began >= 0.5) == (200, True)


@pytest.mark.parametrize("message", ["Retried more than 15 times", None])
def test_a_job_fails_with_or_without_words(api: Caller, message: str | None) -> None:
    api.org.admin.fault("job_fails", error_message=message)
    status = api.finished_job("SELECT Id FROM Account")

    assert (status["state"], status.get("errorMessage")) == ("Failed", message)
    assert api.results(status["id"]).error[:2] == (400, "JOB_NOT_COMPLETE")
    assert api.finished_job("SELECT Id FROM Account")["state"] == "JobComplete"


def test_a_job_hangs_until_it_is_aborted(api: Caller) -> None:
    api.org.admin.fault("job_hangs")
    job_id = api.job("SELECT Id FROM Account").json()["id"]
    api.wait(job_id, {"InProgress"})
    api.call("PATCH", f"/jobs/query/{job_id}", {"state": "Aborted"})

    assert api.get(f"/jobs/query/{job_id}").json()["state"] == "Aborted"
