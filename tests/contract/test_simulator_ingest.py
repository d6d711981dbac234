"""Bulk API 2.0 ingest jobs of the local org, over HTTP."""

from __future__ import annotations

import gzip
import http.client
import socket
from typing import TYPE_CHECKING

import pytest

from lht.testing import simulator
from lht.testing.caller import Caller
from lht.testing.simulator import AdminError

if TYPE_CHECKING:
    from pathlib import Path

    from lht.testing.caller import Reply

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


def _open(api: Caller, **form: str) -> str:
    body = {"object": "Account", "operation": "insert", **form}
    return str(api.call("POST", "/jobs/ingest", body).json()["id"])


def _set(api: Caller, job_id: str, state: str) -> Reply:
    return api.call("PATCH", f"/jobs/ingest/{job_id}", {"state": state})


def _names(count: int) -> str:
    return "Name\n" + "".join(f"N{number:05d}\n" for number in range(count))


@pytest.mark.parametrize(
    ("form", "code", "message"),
    [
        ({"object": "Nope"}, "INVALIDJOB", "InvalidJob : Unable to find object: Nope"),
        ({"object": "Attachment"}, "INVALIDENTITY", "Entity 'Attachment' is not supported by the Bulk API."),
        ({"operation": "Insert"}, "INVALIDJOB", "operation must be one of"),
        ({"operation": "upsert"}, "INVALIDJOB", "InvalidJob : External ID was blank for Account."),
        ({"operation": "upsert", "externalIdFieldName": "Phone"}, "INVALIDJOB", "InvalidJob : Field name provided, Phone"),
        ({"externalIdFieldName": "Id"}, "INVALIDJOB", "InvalidJob : externalIdFieldName is for upsert only"),
        ({"contentType": "XML"}, "INVALIDJOB", "contentType must be one of CSV"),
        ({"columnDelimiter": ","}, "INVALIDJOB", "columnDelimiter must be one of BACKQUOTE"),
        ({"lineEnding": "CR"}, "INVALIDJOB", "lineEnding must be one of LF, CRLF"),
        ({"assignmentRuleId": "01Q000000000001"}, "INVALIDJOB", "InvalidJob : Invalid assignmentRuleId"),
        ({"operation": "hardDelete"}, "FEATURENOTENABLED", "hardDelete operation requires special user profile"),
        ({"speed": "fast"}, "INVALIDJOB", "InvalidJob : Unknown property for an ingest job: speed"),
    ],
)  # fmt: skip
def test_an_order_that_makes_no_sense_is_refused(
    shared: Caller, form: dict[str, str], code: str, message: str
) -> None:
    answer = shared.call("POST", "/jobs/ingest", {"object": "Account", "operation": "insert"} | form)

    assert answer.error[:2] == (400, code)
    assert answer.error[2].startswith(message)


def test_an_upsert_may_be_by_id_or_by_a_field_that_finds_records(api: Caller) -> None:
    first = api.create("Contact", LastName="A", Email="a@example.com")
    by_mail = api.load(
        "Contact", "upsert", "Email,LastName\nA@example.com,B\nb@example.com,C\n", externalIdFieldName="email"
    )
    by_id = api.load("Contact", "upsert", f"Id,LastName\n{first},D\n,E\n", externalIdFieldName="Id")
    rows = api.get("/query", q="SELECT LastName FROM Contact ORDER BY LastName").json()["records"]

    assert (by_mail["externalIdFieldName"], by_id["externalIdFieldName"]) == ("Email", "Id")
    assert [row["LastName"] for row in rows] == ["C", "D", "E"]


def test_there_is_one_upload_to_a_job_and_every_state_refuses_what_it_must(api: Caller) -> None:
    job = _open(api)
    path = f"/jobs/ingest/{job}"
    api.put(job, "Name\nA\n")

    assert api.put(job, "Name\nB\n").error[:2] == (400, "INVALIDJOB")
    assert api.put(job, "Name\nB\n").error[2].startswith("InvalidJob : Found multiple contents for job")
    assert api.call("DELETE", path).error[:2] == (400, "INVALIDJOBSTATE")
    assert api.get(f"{path}/successfulResults").error[:2] == (400, "INVALIDJOBSTATE")
    assert _set(api, job, "Open").error[:2] == (400, "INVALIDJOBSTATE")
    _set(api, job, "UploadComplete")
    api.wait(job, kind="ingest")
    assert _set(api, job, "UploadComplete").error[:2] == (400, "INVALIDJOBSTATE")
    assert _set(api, job, "Aborted").error == (
        400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed",
    )  # fmt: skip
    assert api.put(job, "Name\nB\n").error[:2] == (400, "INVALIDJOBSTATE")
    assert api.call("DELETE", path).status == 204
    assert [api.get(path).status, api.put(job, "").status, api.call("DELETE", path).status] == [404, 404, 404]
    assert api.get("/query", q="SELECT COUNT() FROM Account").json()["totalSize"] == 1


def test_rows_come_back_in_another_order_than_they_were_sent_in(api: Caller) -> None:
    job = api.load("Account", "insert", _names(1_001))["id"]
    names = [row["Name"] for row in api.outcome(job, "successfulResults")]
    few = api.load("Account", "insert", "Name\nA\nB\n")["id"]

    assert names != sorted(names)
    assert [int(name[1:]) // 200 for name in names[::200]] != sorted(
        int(name[1:]) // 200 for name in names[::200]
    )
    assert sorted(names) == [f"N{number:05d}" for number in range(1_001)]
    assert [row["Name"] for row in api.outcome(few, "successfulResults")] == ["B", "A"]


def test_an_abort_keeps_what_is_done_and_tells_what_is_not(api: Caller) -> None:
    api.org.admin.fault("job_hangs", after_rows=400, jobs="ingest")
    job = _open(api)
    api.put(job, _names(1_000))
    _set(api, job, "UploadComplete")
    while api.get(f"/jobs/ingest/{job}").json()["numberRecordsProcessed"] < 400:
        assert api.get(f"/jobs/ingest/{job}").json()["state"] != "JobComplete"
    aborted = _set(api, job, "Aborted")
    ended = api.wait(job, kind="ingest")
    done = {row["Name"] for row in api.outcome(job, "successfulResults")}
    left = {row["Name"] for row in api.outcome(job, "unprocessedrecords")}
    there = api.get("/query", q="SELECT Name FROM Account").json()["records"]

    assert (aborted.status, set(aborted.json()), ended["state"]) == (200, REDUCED, "Aborted")
    assert "errorMessage" not in ended
    assert (ended["numberRecordsProcessed"], len(done), len(left)) == (400, 400, 600)
    assert done == {row["Name"] for row in there}
    assert not done & left


@pytest.mark.parametrize("uploaded", [False, True])
def test_an_open_job_can_be_aborted_and_nothing_of_it_is_done(api: Caller, *, uploaded: bool) -> None:
    job = _open(api)
    if uploaded:
        api.put(job, 'Name\n"A, B"\n')
    _set(api, job, "Aborted")

    assert api.get(f"/jobs/ingest/{job}").json()["state"] == "Aborted"
    assert api.outcome(job, "unprocessedrecords") == ([{"Name": "A, B"}] if uploaded else [])
    assert api.get("/query", q="SELECT COUNT() FROM Account").json()["totalSize"] == 0


def test_a_job_fails_on_order_with_part_of_it_done(api: Caller) -> None:
    said = "TooManyLockFailure : Too many lock failure 200 Trying again later"
    api.org.admin.fault("job_fails", after_rows=200, error_message=said, jobs="ingest")
    status = api.load("Account", "insert", _names(600))

    assert (status["state"], status["errorMessage"], status["numberRecordsProcessed"]) == (
        "Failed",
        said,
        200,
    )
    assert len(api.outcome(status["id"], "unprocessedrecords")) == 400


def test_a_request_is_carried_out_though_its_answer_is_lost(api: Caller) -> None:
    admin = api.org.admin
    admin.fault("drop", method="POST", path="*/jobs/ingest")
    with pytest.raises(http.client.RemoteDisconnected):
        _open(api)
    (entry,) = api.get("/jobs/ingest").json()["records"]
    admin.fault("drop", method="PUT", path="*/batches")
    with pytest.raises(http.client.RemoteDisconnected):
        api.put(entry["id"], "Name\nA\n")
    again = api.put(entry["id"], "Name\nA\n")
    admin.fault("drop", method="PATCH", path="*/jobs/ingest/*")
    with pytest.raises(http.client.RemoteDisconnected):
        _set(api, entry["id"], "UploadComplete")
    ended = api.wait(entry["id"], kind="ingest")

    assert (entry["state"], again.status) == ("Open", 400)
    assert (ended["state"], ended["numberRecordsProcessed"]) == ("JobComplete", 1)


def test_a_request_that_is_lost_on_its_way_does_nothing(api: Caller) -> None:
    job = _open(api)
    api.org.admin.fault("drop", method="PUT", path="*/batches", before=True)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
        api.put(job, "Name\nA\n")
    api.org.admin.fault("status", status=503, method="PUT", path="*/batches")

    assert [api.put(job, "Name\nA\n").status for _ in range(2)] == [503, 201]


@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_a_form_brings_a_job_with_its_data(api: Caller, end: str) -> None:
    job = '{"object":"Account","operation":"insert","contentType":"CSV"}'
    parts = [
        f'--B{end}Content-Type: application/json{end}Content-Disposition: form-data; name="job"{end}{end}{job}',
        f'{end}--B{end}Content-Type: text/csv{end}Content-Disposition: form-data; name="content"; filename="content"',
        f"{end}{end}Name\nA\nB\n{end}--B--{end}",
    ]
    kind = {"Content-Type": "multipart/form-data; boundary=B"}
    made = api.raw("POST", "/services/data/v66.0/jobs/ingest", "".join(parts).encode(), api.headers | kind)
    ended = api.wait(made.json()["id"], kind="ingest")

    assert (made.status, made.json()["state"], "contentUrl" in made.json()) == (200, "UploadComplete", False)
    assert (ended["state"], ended["numberRecordsProcessed"]) == ("JobComplete", 2)


def test_an_upload_comes_in_chunks_or_compressed_and_may_be_too_large(api: Caller) -> None:
    api.org.admin.change_settings(most_upload_bytes=20_000)
    packed, chunked, large = _open(api), _open(api), _open(api)
    data = _names(2_000).encode()
    found = [
        api.put(packed, gzip.compress(data), Content_Encoding="gzip").status,
        api.put(chunked, iter([data[:50], data[50:]])).status,
        api.put(large, data * 2).error[:2],
        api.put(large, data, Content_Type="application/json").error[:2],
    ]
    for job in (packed, chunked):
        _set(api, job, "UploadComplete")
    counts = [api.wait(job, kind="ingest")["numberRecordsProcessed"] for job in (packed, chunked)]

    assert found == [201, 201, (413, "REQUEST_ENTITY_TOO_LARGE"), (415, "UNSUPPORTED_MEDIA_TYPE")]
    assert counts == [2_000, 2_000]
    assert api.org.admin.call("GET", "/settings")["most_upload_bytes"] == 20_000


def test_deleted_for_good_means_past_the_recycle_bin(api: Caller) -> None:
    api.org.admin.change_settings(hard_delete=True)
    first, second = (api.create("Account", Name=name) for name in "AB")
    api.load("Account", "delete", f"ID\n{first}\n")
    job = api.load("Account", "hardDelete", f'"Id"\n{second}\n{first}\n')

    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (2, 1)
    assert api.org.admin.undelete([first]) == 1
    with pytest.raises(AdminError, match="recycle bin"):
        api.org.admin.undelete([second])


def test_a_job_takes_a_batch_for_every_ten_thousand_records_until_none_is_left(api: Caller) -> None:
    api.org.admin.change_settings(limits={"DailyBulkApiBatches": 3})
    first = api.load("Account", "insert", "Name\nA\n")
    left = api.get("/limits").json()["DailyBulkApiBatches"]["Remaining"]
    api.org.admin.call("POST", "/limits/use", {"DailyBulkApiBatches": 1})
    second = api.load("Account", "delete", "Id\n" + "no id\n" * 10_001)
    told = [len(api.outcome(second["id"], kind)) for kind in ("failedResults", "unprocessedrecords")]

    assert (first["state"], left) == ("JobComplete", 2)
    assert (second["state"], second["errorMessage"]) == (
        "Failed",
        "ExceededQuota : ApiBatchItems Limit exceeded.",
    )
    assert (second["numberRecordsProcessed"], told) == (10_000, [10_000, 0])


def test_jobs_are_listed_with_query_jobs_and_vanish_in_time(api: Caller) -> None:
    api.org.admin.freeze_clock()
    query = api.finished_job("SELECT Id, Name FROM Account")["id"]
    done, waiting = api.load("Account", "insert", "Name\nA\n")["id"], _open(api)
    every = api.get("/jobs/ingest/").json()
    kinds = {
        kind: [job["id"] for job in api.get("/jobs/ingest", jobType=kind).json()["records"]]
        for kind in ("V2Query", "V2Ingest", "Classic")
    }
    api.org.admin.change_settings(jobs_per_list=1)
    page = api.get("/jobs/ingest", jobType="V2Ingest").json()
    following = api.get(page["nextRecordsUrl"]).json()

    assert [job["id"] for job in every["records"]] == [query, done, waiting]
    assert (every["done"], every["nextRecordsUrl"]) == (True, None)
    assert kinds == {"V2Query": [query], "V2Ingest": [done, waiting], "Classic": []}
    assert [job["id"] for job in page["records"] + following["records"]] == [done, waiting]
    assert api.get(f"/jobs/ingest/{query}/failedResults").text == '"Id","Name"\n'
    api.org.admin.advance_clock(25 * 3600)
    api.login()
    assert api.get(f"/jobs/ingest/{waiting}").json()["state"] == "Aborted"
    api.org.admin.advance_clock(6 * 86_400)
    api.login()
    assert api.get(f"/jobs/ingest/{done}").status == 404


def test_results_are_compressed_for_who_asks(api: Caller) -> None:
    job = api.load("Account", "insert", "Name\nA\n")["id"]
    answer = api.get(f"/jobs/ingest/{job}/successfulResults", headers={"Accept-Encoding": "gzip"})

    assert answer.headers["content-encoding"] == "gzip"
    assert answer.rows[0] == ["sf__Id", "sf__Created", "Name"]


def test_an_upload_that_breaks_off_leaves_the_job_as_it_was(
    api: Caller, capfd: pytest.CaptureFixture[str]
) -> None:
    job = _open(api)
    host, port = api.org.url.removeprefix("http://").split(":")
    head = f"PUT /services/data/v66.0/jobs/ingest/{job}/batches HTTP/1.1\r\nHost: {host}\r\nContent-Length: 99\r\n"
    token = api.headers["Authorization"]
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            f"{head}Content-Type: text/csv\r\nAuthorization: {token}\r\n\r\nName\nA\n".encode()
        )
    answer = api.put(job, "Name\nB\n")
    _set(api, job, "UploadComplete")
    api.wait(job, kind="ingest")

    assert answer.status == 201
    assert [row["Name"] for row in api.outcome(job, "successfulResults")] == ["B"]
    assert "Traceback" not in capfd.readouterr().err


def test_a_job_without_data_or_records_completes(api: Caller) -> None:
    nothing = _open(api)
    _set(api, nothing, "UploadComplete")
    ended = api.wait(nothing, kind="ingest")
    empty = api.load("Account", "insert", "Name,Site\r\n\r\n", lineEnding="CRLF")

    assert (ended["state"], empty["state"], empty["numberRecordsProcessed"]) == (
        "JobComplete",
        "JobComplete",
        0,
    )
    assert api.get(f"/jobs/ingest/{nothing}/successfulResults").text == '"sf__Id","sf__Created"\n'
    assert api.get(f"/jobs/ingest/{empty['id']}/failedResults").text == '"sf__Id","sf__Error",Name,Site\r\n'


def test_no_id_of_a_job_is_given_out_again_after_a_restart(tmp_path: Path) -> None:
    found = []
    for _ in range(2):
        with simulator(path=tmp_path) as org:
            api = Caller(org).login()
            found += [_open(api), api.job("SELECT Id FROM Account").json()["id"]]

    assert len(set(found)) == 4
