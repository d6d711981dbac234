"""Bulk API 2.0 ingest jobs of the local org, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.testing.caller import Caller

REDUCED = {
    "id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "concurrencyMode",
    "contentType", "apiVersion",
}  # fmt: skip
FORM = {"lineEnding", "columnDelimiter"}
TIMES = {
    "retries", "totalProcessingTime", "apiActiveProcessingTime", "apexProcessingTime", "isPkChunkingSupported",
}  # fmt: skip
NUMBERS = {"numberRecordsProcessed", "numberRecordsFailed"}


def test_a_job_is_created_given_its_data_closed_and_carried_out(api: Caller) -> None:
    created = api.call("POST", "/jobs/ingest", {"object": "account", "operation": "insert"})
    job = created.json()
    path = f"/jobs/ingest/{job['id']}"
    empty = api.get(path).json()
    put = api.put(job["id"], "Name,AnnualRevenue\nA,912260031\nB,x\n")
    uploaded = api.get(path).json()
    closed = api.call("PATCH", path, {"state": "UploadComplete"})
    ended = api.wait(job["id"], kind="ingest")

    assert (created.status, set(job)) == (200, REDUCED | FORM | {"contentUrl"})
    assert job["contentUrl"] == f"services/data/v66.0/jobs/ingest/{job['id']}/batches"
    assert (job["state"], job["object"], job["apiVersion"]) == ("Open", "Account", 66.0)
    assert set(empty) == REDUCED | FORM | TIMES | {"contentUrl", "jobType"}
    assert (put.status, put.body) == (201, b"")
    assert set(uploaded) == set(empty) | NUMBERS
    assert uploaded["numberRecordsProcessed"] == uploaded["numberRecordsFailed"] == 0
    assert (closed.status, set(closed.json()), closed.json()["state"]) == (200, REDUCED, "UploadComplete")
    assert set(ended) == REDUCED | FORM | TIMES | NUMBERS | {"jobType"}
    assert [ended[name] for name in ("state", "jobType", *sorted(NUMBERS))] == [
        "JobComplete",
        "V2Ingest",
        1,
        2,
    ]


def test_the_result_files_say_what_became_of_each_record(api: Caller) -> None:
    job = api.load("Account", "insert", 'name,"ANNUALREVENUE"\nA,912260031\nB,x\n"C ""q""",5\nD\n')["id"]
    good = api.get(f"/jobs/ingest/{job}/successfulResults")
    bad = api.get(f"/jobs/ingest/{job}/failedResults/")
    left = api.get(f"/jobs/ingest/{job}/unprocessedRecords")
    ids = {
        row["Name"]: row["Id"]
        for row in api.get("/query", q="SELECT Id, Name FROM Account").json()["records"]
    }

    assert good.text.split("\n", 1)[0] == '"sf__Id","sf__Created",name,"ANNUALREVENUE"'
    assert {tuple(row) for row in good.rows[1:]} == {
        (ids["A"], "true", "A", "9.12260031E8"),
        (ids['C "q"'], "true", 'C "q"', "5.0"),
    }
    assert {tuple(row) for row in bad.rows} == {
        ("sf__Id", "sf__Error", "name", "ANNUALREVENUE"),
        (
            "",
            "INVALID_TYPE_ON_FIELD_IN_RECORD:Annual Revenue: value not of required type: x:AnnualRevenue --",
            "B",
            "x",
        ),
        (
            "",
            "INVALID_FIELD:Number of fields in header is different from the row. header = 2 row = 1:--",
            "",
            "",
        ),
    }
    assert left.text == 'name,"ANNUALREVENUE"\n'
    assert {one.headers["content-type"] for one in (good, bad, left)} == {"text/csv; charset=UTF-8"}


def test_update_upsert_and_deletion_reach_the_records(api: Caller) -> None:
    first, second = (api.create("Account", Name=name, ExternalId__c=name) for name in ("k1", "k2"))
    api.load("Account", "update", f"Id,Name,ExternalId__c\n{first},One,\n")
    upsert = api.load(
        "Account", "upsert", "Name,externalid__C\nUno,K1\nTres,k3\n", externalIdFieldName="ExternalId__c"
    )
    api.load("Account", "delete", f"Id\n{second}\n")
    rows = api.get("/queryAll", q="SELECT Name, ExternalId__c, IsDeleted FROM Account").json()["records"]

    assert {(row["Name"], row["ExternalId__c"], row["IsDeleted"]) for row in rows} == {
        ("Uno", "k1", False), ("k2", "k2", True), ("Tres", "k3", False),
    }  # fmt: skip
    assert {(row["Name"], row["sf__Created"]) for row in api.outcome(upsert["id"], "successfulResults")} == {
        ("Uno", "false"), ("Tres", "true"),
    }  # fmt: skip
