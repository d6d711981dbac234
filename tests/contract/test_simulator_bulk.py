"""Bulk API 2.0 query jobs of the local org, over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lht.testing.caller import Caller, Reply


STATUS_KEYS = {
    "id", "operation", "object", "createdById", "createdDate", "systemModstamp", "state", "concurrencyMode",
    "contentType", "apiVersion", "jobType", "lineEnding", "columnDelimiter", "numberRecordsProcessed", "retries",
    "totalProcessingTime", "isPkChunkingSupported",
}  # fmt: skip
COUNTERS = {"numberRecordsProcessed", "retries", "totalProcessingTime", "isPkChunkingSupported"}


def test_a_new_job_answers_200_upload_complete(api: Caller) -> None:
    created = api.job("select id from account")

    assert created.status == 200
    assert set(created.json()) == STATUS_KEYS - COUNTERS - {"jobType"}
    assert {k: created.json()[k] for k in ("state", "object", "operation", "apiVersion", "contentType")} == {
        "state": "UploadComplete", "object": "Account", "operation": "query", "apiVersion": 66.0, "contentType": "CSV",
    }  # fmt: skip
    assert created.json()["id"].startswith("750")
    assert created.json()["createdDate"].endswith(".000+0000")


def test_a_job_passes_through_the_real_states(api: Caller) -> None:
    api.create("Account", Name="A")
    api.org.admin.change_settings(job_delay_s=1)
    job_id = api.job("SELECT Id FROM Account").json()["id"]
    states = [api.get(f"/jobs/query/{job_id}").json()["state"]]
    states += [api.wait(job_id, {"InProgress"})["state"]]
    status = api.wait(job_id)

    assert [*states, status["state"]] == ["UploadComplete", "InProgress", "JobComplete"]
    assert set(status) == STATUS_KEYS
    assert (status["numberRecordsProcessed"], status["jobType"], status["retries"]) == (1, "V2Query", 0)
    assert status["totalProcessingTime"] >= 1000


def test_results_are_not_given_before_the_job_is_complete(api: Caller) -> None:
    api.org.admin.change_settings(job_delay_s=30)
    job_id = api.job("SELECT Id FROM Account").json()["id"]

    assert api.results(job_id).error[:2] == (400, "JOB_NOT_COMPLETE")
    assert api.get(f"/jobs/query/{job_id}/resultPages").error[:2] == (400, "JOB_NOT_COMPLETE")


def test_values_are_written_as_the_specification_says(api: Caller) -> None:
    api.org.admin.set_clock("2026-01-02T03:04:05Z", frozen=True)
    owner = api.get("/query", q="SELECT Id, Name FROM User").json()["records"][0]
    account = api.create(
        "Account", Name='ACME "North", Ltd', AnnualRevenue=16147805824397, NumberOfEmployees=10
    )
    name = 'a\r\nb\nc,"d" 😀'
    plain = api.create("Account", Name="Zed", Description=name, ParentId=account, AnnualRevenue=23)

    answer = api.read_csv(
        "select ID, NAME, annualrevenue, NumberOfEmployees, IsDeleted, Description, owner.name, Parent.Owner.Name, "
        "SystemModstamp from Account where name != null"
    )

    head, *rows = answer.text.partition("\n")
    assert head == (
        '"Id","Name","AnnualRevenue","NumberOfEmployees","IsDeleted","Description","Owner.Name","Parent.Owner.Name",'
        '"SystemModstamp"'
    )
    who = owner["Name"]
    first = f'"{account}","ACME ""North"", Ltd","1.6147805824397E13","10","false","","{who}","","2026-01-02T03:04:05.000Z"\n'
    quoted = name.replace('"', '""')
    second = f'"{plain}","Zed","23.0","","false","{quoted}","{who}","{who}","2026-01-02T03:04:05.000Z"\n'
    assert rows[1] in {first + second, second + first}
    assert answer.headers["content-type"].lower() == "text/csv; charset=utf-8"


def test_no_rows_are_a_header_alone(api: Caller) -> None:
    answer = api.read_csv("SELECT Id, Name FROM Contact")

    assert answer.text == '"Id","Name"\n'
    assert (answer.headers["sforce-locator"], answer.headers["sforce-numberofrecords"]) == ("null", "0")


@pytest.mark.parametrize(
    ("delimiter", "sign"),
    [("BACKQUOTE", "`"), ("CARET", "^"), ("COMMA", ","), ("PIPE", "|"), ("SEMICOLON", ";"), ("TAB", "\t")],
)
@pytest.mark.parametrize(("ending", "end"), [("LF", "\n"), ("CRLF", "\r\n")])
def test_delimiter_and_line_ending_are_the_jobs(
    seeded: Caller, delimiter: str, sign: str, ending: str, end: str
) -> None:
    answer = seeded.read_csv(
        "SELECT Username, IsActive FROM User WHERE Username = 'me@example.com'",
        columnDelimiter=delimiter,
        lineEnding=ending,
    )

    assert answer.text == f'"Username"{sign}"IsActive"{end}"me@example.com"{sign}"true"{end}'


def _chain(api: Caller, job_id: str, **query: int) -> list[Reply]:
    pages, locator = [], None
    while locator != "null":
        asked = query | ({"locator": locator} if locator else {})
        pages.append(api.results(job_id, **asked))
        locator = pages[-1].headers["sforce-locator"]
    return pages


@pytest.mark.parametrize(("query", "sizes"), [({}, 25), ({"maxRecords": 7}, 7), ({"maxRecords": 1000}, 1000)])
def test_pages_follow_each_other_until_the_locator_null(
    seeded: Caller, query: dict[str, int], sizes: int
) -> None:
    job = seeded.finished_job("SELECT Id, Name, Description FROM Account", "queryAll")
    pages = _chain(seeded, job["id"], **query)
    whole = seeded.results(job["id"], maxRecords=100_000).rows

    assert {tuple(page.rows[0]) for page in pages} == {("Id", "Name", "Description")}
    assert [row for page in pages for row in page.rows[1:]] == whole[1:]
    assert [int(p.headers["sforce-numberofrecords"]) for p in pages] == [len(p.rows) - 1 for p in pages]
    assert all(len(page.rows) - 1 <= sizes for page in pages)
    assert len(whole) - 1 == job["numberRecordsProcessed"]


def test_a_page_can_be_read_again_with_its_locator(seeded: Caller) -> None:
    job_id = seeded.finished_job("SELECT Id, Description FROM Account", "queryAll")["id"]
    locator = seeded.results(job_id).headers["sforce-locator"]

    assert seeded.results(job_id, locator=locator).body == seeded.results(job_id, locator=locator).body


@pytest.mark.parametrize("locator", ["x", "MTAwMDA", "cm93Og", "cm93Ojk5OTk5OQ", "%%%"])
def test_a_locator_that_was_never_given_is_refused(seeded: Caller, locator: str) -> None:
    job_id = seeded.finished_job("SELECT Id FROM User")["id"]

    assert seeded.results(job_id, locator=locator).error[:2] == (400, "INVALIDQUERYLOCATOR")


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5"])
def test_a_page_size_that_is_no_number_above_zero_is_refused(seeded: Caller, number: str) -> None:
    job_id = seeded.finished_job("SELECT Id FROM User")["id"]

    assert seeded.results(job_id, maxRecords=number).status == 400


def test_parallel_pages_hold_the_same_rows_five_addresses_at_a_time(seeded: Caller) -> None:
    seeded.org.admin.change_settings(page_size=8)
    try:
        job_id = seeded.finished_job("SELECT Id FROM Account", "queryAll")["id"]
    finally:
        seeded.org.admin.change_settings(page_size=25)
    lists = [seeded.get(f"/jobs/query/{job_id}/resultPages").json()]
    while not lists[-1]["done"]:
        lists.append(seeded.get(lists[-1]["nextRecordsUrl"]).json())
    urls = [page["resultUrl"] for found in lists for page in found["resultPages"]]
    rows = [row for url in reversed(urls) for row in seeded.get(url).rows[1:]]

    assert [len(found["resultPages"]) for found in lists[:-1]] == [5] * (len(lists) - 1)
    assert len(lists) > 1
    assert lists[-1]["nextRecordsUrl"] is None
    assert sorted(rows) == sorted(seeded.results(job_id, maxRecords=100_000).rows[1:])


def test_parallel_pages_of_nothing_are_one_page_with_the_header(api: Caller) -> None:
    job_id = api.finished_job("SELECT Id FROM Contact")["id"]
    found = api.get(f"/jobs/query/{job_id}/resultPages").json()

    assert (len(found["resultPages"]), found["done"]) == (1, True)
    assert api.get(found["resultPages"][0]["resultUrl"]).text == '"Id"\n'


def test_parallel_pages_came_with_version_58(api: Caller) -> None:
    api.version = "v57.0"
    job_id = api.finished_job("SELECT Id FROM Contact")["id"]

    assert api.get(f"/jobs/query/{job_id}/resultPages").status == 404


def test_results_are_read_with_the_version_of_the_job(api: Caller) -> None:
    job_id = api.finished_job("SELECT Id FROM Contact")["id"]
    api.version = "v65.0"

    assert (api.results(job_id).status, api.get(f"/jobs/query/{job_id}").status) == (409, 200)


def test_columns_were_sorted_up_to_version_49(api: Caller) -> None:
    api.version = "v49.0"

    assert api.read_csv("SELECT Name, Id, AnnualRevenue FROM Account").text == '"AnnualRevenue","Id","Name"\n'


def test_results_are_compressed_only_for_who_asks(seeded: Caller) -> None:
    job_id = seeded.finished_job("SELECT Id, Name FROM Account")["id"]
    plain = seeded.results(job_id)
    packed = seeded.results(job_id, headers={"Accept-Encoding": "gzip"})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text


def test_query_all_finds_deleted_records_and_query_does_not(api: Caller) -> None:
    gone = api.create("Account", Name="Gone")
    api.call("DELETE", f"/sobjects/Account/{gone}")

    assert api.read_csv("SELECT Id, IsDeleted FROM Account").rows[1:] == []
    assert api.read_csv("SELECT Id, IsDeleted FROM Account", "queryAll").rows[1:] == [[gone, "true"]]


def test_jobs_are_listed_without_counters(api: Caller) -> None:
    ids = [api.finished_job("SELECT Id FROM Account")["id"] for _ in range(2)]
    listed = api.get("/jobs/query").json()

    assert [job["id"] for job in listed["records"]] == ids
    assert (listed["done"], listed["nextRecordsUrl"]) == (True, None)
    assert set(listed["records"][0]) == STATUS_KEYS - COUNTERS
    assert len(api.get("/jobs/query", jobType="V2Query").json()["records"]) == 2
    assert api.get("/jobs/query", jobType="Classic").json()["records"] == []
    assert api.get("/jobs/query", isPkChunkingEnabled="true").json()["records"] == []


def test_a_running_job_can_be_aborted_but_not_deleted(api: Caller) -> None:
    api.org.admin.change_settings(job_delay_s=30)
    where = f"/jobs/query/{api.job('SELECT Id FROM Account').json()['id']}"
    deleted = api.call("DELETE", where)
    aborted = api.call("PATCH", where, {"state": "Aborted"})
    again = api.call("PATCH", where, {"state": "Aborted"})

    message = "Error encountered when deleting the job because the job is not terminated"
    assert deleted.error == (400, "API_ERROR", message)
    assert (aborted.status, aborted.json()["state"]) == (200, "Aborted")
    assert set(aborted.json()) == STATUS_KEYS - COUNTERS - {"jobType", "lineEnding", "columnDelimiter"}
    assert again.error == (400, "INVALIDJOBSTATE", "Aborting already Aborted Job not allowed")
    assert api.get(where).json()["state"] == "Aborted"
    assert api.call("DELETE", where).status == 204


def test_a_finished_job_can_be_deleted_but_not_aborted(api: Caller) -> None:
    where = f"/jobs/query/{api.finished_job('SELECT Id FROM Account')['id']}"
    aborted = api.call("PATCH", where, {"state": "Aborted"})
    deleted = api.call("DELETE", where)

    assert aborted.error == (400, "INVALIDJOBSTATE", "Aborting already Completed Job not allowed")
    assert (deleted.status, deleted.body) == (204, b"")
    assert [api.call(m, where).error[1] for m in ("GET", "DELETE")] == ["NOT_FOUND"] * 2


def test_jobs_vanish_seven_days_after_they_ended(api: Caller) -> None:
    api.org.admin.freeze_clock()
    api.login()
    where = f"/jobs/query/{api.finished_job('SELECT Id FROM Account')['id']}"
    api.org.admin.advance_clock(7 * 86_400)
    before = api.login().get(where).status
    api.org.admin.advance_clock(1)

    assert (before, api.get(where).status) == (200, 404)


@pytest.mark.parametrize(
    "body",
    [
        {"operation": "insert", "query": "SELECT Id FROM User"},
        {"query": "SELECT Id FROM User"},
        {"operation": "query"},
        {"operation": "query", "query": "SELECT Id FROM User", "contentType": "JSON"},
        {"operation": "query", "query": "SELECT Id FROM User", "columnDelimiter": ","},
        {"operation": "query", "query": "SELECT Id FROM User", "lineEnding": "CR"},
        {"operation": "query", "query": "SELECT Id FROM User", "object": "User"},
    ],
)
def test_a_job_with_a_wrong_property_is_refused(api: Caller, body: object) -> None:
    assert api.call("POST", "/jobs/query", body).error[:2] == (400, "INVALIDJOB")


COMPOUND = "Selecting compound data not supported in Bulk Query"
CHILDREN = "Aggregate Relationships not supported in Bulk V2 Query with CSV content type"
ATTACHMENT = "Entity 'Attachment' is not supported by the Bulk API."


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT Id, BillingAddress FROM Account", "API_ERROR", COMPOUND),
        ("SELECT Id, Location__c FROM Specimen__c", "API_ERROR", COMPOUND),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "API_ERROR", CHILDREN),
        ("SELECT Name FROM Account GROUP BY Name", "API_ERROR", None),
        ("SELECT Id FROM Account LIMIT 5 OFFSET 5", "API_ERROR", None),
        ("SELECT TYPEOF What WHEN Account THEN Name END FROM Task", "API_ERROR", None),
        ("SELECT COUNT(Id) FROM Account", "API_ERROR", None),
        ("SELECT MAX(SystemModstamp) FROM Account", "API_ERROR", None),
        ("SELECT COUNT() FROM Account", "API_ERROR", None),
        ("SELECT FIELDS(ALL) FROM Account LIMIT 200", "API_ERROR", None),
        ("SELECT FIELDS(STANDARD) FROM Account", "API_ERROR", None),
        ("SELECT FIELDS(CUSTOM) FROM Account LIMIT 200", "API_ERROR", None),
        ("SELECT Id, Image__c FROM Specimen__c", "API_ERROR", None),
        ("SELECT Id FROM Attachment", "INVALIDENTITY", ATTACHMENT),
        ("SELECT Id FROM Nope__c", "INVALID_TYPE", None),
        ("SELECT Nope FROM Account", "INVALID_FIELD", None),
        ("SELECT Nope.Name FROM Account", "INVALID_FIELD", None),
        ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY", None),
        ("nonsense", "MALFORMED_QUERY", None),
    ],
)
def test_what_the_bulk_api_does_not_support_is_refused_at_once(
    api: Caller, soql: str, code: str, message: str | None
) -> None:
    status, given_code, given_message = api.job(soql).error

    assert (status, given_code) == (400, code)
    assert message in (None, given_message)
    assert api.get("/jobs/query").json()["records"] == []


@pytest.mark.parametrize(
    "soql", ["SELECT Nope FROM Account", "SELECT Id FROM Nope__c", "SELECT Id FROM Account WHERE"]
)
def test_bad_soql_is_refused_as_rest_refuses_it(api: Caller, soql: str) -> None:
    assert api.job(soql).error == api.get("/query", q=soql).error


@pytest.mark.parametrize("clause", ["ORDER BY Name, Id", "ORDER BY Name DESC LIMIT 3", "LIMIT 0"])
def test_order_and_limit_are_allowed(seeded: Caller, clause: str) -> None:
    rest = seeded.get("/query", q=f"SELECT Id FROM Account {clause}").json()["records"]
    answer = seeded.results(seeded.finished_job(f"SELECT Id FROM Account {clause}")["id"], maxRecords=1000)

    assert [row[0] for row in answer.rows[1:]] == [record["Id"] for record in rest]


def test_an_object_that_nobody_may_query_is_refused() -> None:
    from dataclasses import replace

    from lht.simulator.errors import ApiFault
    from lht.simulator.main import started

    with started() as running:
        schema = running.site.catalog.need("Task")
        running.site.catalog.put(replace(schema, queryable=False))

        with pytest.raises(ApiFault, match="entity type Task does not support query") as refused:
            running.site.jobs.create({"operation": "query", "query": "SELECT Id FROM Task"}, 66.0)

        assert (refused.value.status, refused.value.code) == (400, "INVALID_TYPE_FOR_OPERATION")


def test_the_quota_of_jobs_is_kept_and_comes_back_after_a_day(api: Caller) -> None:
    api.org.admin.change_settings(limits={"DailyBulkV2QueryJobs": 1})
    api.finished_job("SELECT Id FROM Account")
    refused = api.job("SELECT Id FROM Account").error
    api.org.admin.advance_clock(25 * 3600)

    assert refused == (400, "LIMIT_EXCEEDED", "Max bulk v2 query jobs (1) per 24 hrs has been reached")
    assert api.login().job("SELECT Id FROM Account").status == 200


def test_the_quota_of_result_storage_is_kept(api: Caller) -> None:
    api.org.admin.change_settings(limits={"DailyBulkV2QueryFileStorageMB": 0})

    message = "Max bulk v2 query result size stored (0) kb per 24 hrs has been exceeded"
    assert api.job("SELECT Id FROM Account").error == (400, "LIMIT_EXCEEDED", message)


def test_a_column_dropped_while_the_job_waits_makes_it_fail(api: Caller) -> None:
    api.org.admin.add_field("Account", "Late__c")
    api.org.admin.change_settings(job_delay_s=1)
    job_id = api.job("SELECT Late__c FROM Account").json()["id"]
    api.org.admin.drop_field("Account", "Late__c")

    assert (api.wait(job_id)["state"], "Late__c" in api.wait(job_id)["errorMessage"]) == ("Failed", True)


def test_every_kind_of_value_comes_as_its_type_says(api: Caller) -> None:
    account = api.create("Account", Name="nul\x00and\ttab")
    sent_and_read = {
        "Found__c": ("2024-05-01", "2024-05-01"),
        "Seen__c": ("2024-05-01T10:20:30.000+0200", "2024-05-01T08:20:30.000Z"),
        "Opens__c": ("10:20:30.000Z", "10:20:30.000Z"),
        "Ratio__c": (-0.0001, "-1.0E-4"),
        "Share__c": (33, "33.0"),
        "Count__c": (10, "10"),
        "Serials__c": (9007199254740991, "9007199254740991"),
        "Area__c": (None, ""),
        "Checked__c": (True, "true"),
    }
    sent = {name: value for name, (value, _) in sent_and_read.items()}
    parents = {"Required__c": "R", "Account__c": account, "Master__c": api.create("Contact", LastName="L")}
    made = api.call("POST", "/sobjects/Specimen__c", sent | parents)

    answer = api.read_csv(f"SELECT {', '.join(sent)}, Account__r.Name FROM Specimen__c")

    assert made.status == 201, made.text
    assert answer.rows == [
        [*sent, "Account__r.Name"],
        [*(text for _, text in sent_and_read.values()), "nul\x00and\ttab"],
    ]


def test_a_page_that_is_being_read_outlives_its_job() -> None:
    from lht.simulator.main import started

    with started(records=20) as running:
        jobs = running.site.jobs
        job_id = jobs.create({"operation": "query", "query": "SELECT Id FROM Account"}, 66.0)["id"]
        while jobs.get(job_id)["state"] != "JobComplete":
            pass
        reader = jobs.results(job_id, 66.0, None, None).open()
        jobs.delete(job_id)
        text = b"".join(reader)
        reader.close()

    assert text.count(b"\n") > 1
