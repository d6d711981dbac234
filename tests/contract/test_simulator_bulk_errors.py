"""What Bulk API 2.0 query does not do, row by row of the specification's table: exact codes and texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

IN_CSV = "not supported in Bulk V2 Query with CSV content type"
COMPOUND = "Selecting compound data not supported in Bulk Query"
ROOT = "If you are attempting to use a custom object, be sure to append the '__c' after the entity name."
COLUMN = (
    "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name."
)
SEE = "Please reference your WSDL or the describe call for the appropriate names."


@pytest.fixture(scope="module")
def calm() -> Iterator[Caller]:
    """A caller of an org in which these tests leave no jobs and no records."""
    with simulator() as org:
        yield Caller(org).login()


@pytest.mark.parametrize(
    ("soql", "code", "message"),
    [
        ("SELECT BillingAddress FROM Account", "API_ERROR", COMPOUND),
        ("SELECT Owner.Address FROM Account", "API_ERROR", COMPOUND),
        ("SELECT Location__c FROM Specimen__c", "API_ERROR", COMPOUND),
        ("SELECT Id, (SELECT Id FROM Contacts) FROM Account", "API_ERROR", f"Aggregate Relationships {IN_CSV}"),
        ("SELECT Name FROM Account GROUP BY Name", "API_ERROR", f"GROUP BY {IN_CSV}"),
        (
            "SELECT CALENDAR_YEAR(CreatedDate) FROM Account GROUP BY CALENDAR_YEAR(CreatedDate)",
            "API_ERROR",
            f"GROUP BY {IN_CSV}",
        ),
        ("SELECT Id FROM Account OFFSET 1", "API_ERROR", f"OFFSET {IN_CSV}"),
        ("SELECT TYPEOF What WHEN Account THEN Name END FROM Task", "API_ERROR", f"TYPEOF {IN_CSV}"),
        ("SELECT COUNT() FROM Account", "API_ERROR", f"Aggregate functions {IN_CSV}"),
        ("SELECT COUNT(Id) n FROM Account", "API_ERROR", f"Aggregate functions {IN_CSV}"),
        ("SELECT MIN(CreatedDate), MAX(CreatedDate) FROM Account", "API_ERROR", f"Aggregate functions {IN_CSV}"),
        ("SELECT FIELDS(STANDARD) FROM Account", "API_ERROR", f"FIELDS() {IN_CSV}"),
        ("SELECT FIELDS(ALL) FROM Account LIMIT 200", "API_ERROR", f"FIELDS() {IN_CSV}"),
        ("SELECT FIELDS(CUSTOM) FROM Account LIMIT 200", "API_ERROR", f"FIELDS() {IN_CSV}"),
        ("SELECT Image__c FROM Specimen__c", "API_ERROR", f"Blob field {IN_CSV}"),
        ("SELECT Body FROM Attachment", "INVALIDENTITY", "Entity 'Attachment' is not supported by the Bulk API."),
        ("select id from attachment", "INVALIDENTITY", "Entity 'Attachment' is not supported by the Bulk API."),
        (
            "SELECT Nope FROM Account",
            "INVALID_FIELD",
            f"\nSELECT Nope FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such column 'Nope' on entity 'Account'. {COLUMN} {SEE}",
        ),
        (
            "SELECT Id FROM Nope",
            "INVALID_TYPE",
            f"\nSELECT Id FROM Nope\n               ^\nERROR at Row:1:Column:16\nsObject type 'Nope' is not supported. {ROOT} {SEE}",
        ),
        ("nonsense", "MALFORMED_QUERY", "unexpected token: 'nonsense'"),
    ],
)  # fmt: skip
def test_a_query_that_is_not_supported_is_refused_when_the_job_is_made(
    calm: Caller, soql: str, code: str, message: str
) -> None:
    refused = calm.job(soql).error

    assert refused[:2] == (400, code)
    assert refused[2].endswith(message)
    assert calm.get("/jobs/query").json()["records"] == []


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT Nope FROM Account",
        "SELECT Id FROM Nope",
        "SELECT Nope.Id FROM Account",
        "SELECT Id FROM Account WHERE",
    ],
)
def test_bad_soql_is_told_in_the_words_of_rest(calm: Caller, soql: str) -> None:
    assert calm.job(soql).error == calm.get("/query", q=soql).error


@pytest.mark.parametrize(
    "clause",
    [
        "ORDER BY Name",
        "LIMIT 1",
        "ORDER BY Id LIMIT 2",
        "WHERE CreatedDate = LAST_N_DAYS:3",
        "WHERE IsDeleted = true",
        "WHERE CALENDAR_YEAR(CreatedDate) = 2024",
        "WHERE DAY_ONLY(CreatedDate) > 2024-01-01",
    ],
)
def test_order_limit_and_conditions_are_supported(calm: Caller, clause: str) -> None:
    job = calm.finished_job(f"SELECT Id FROM Account {clause}")
    calm.call("DELETE", f"/jobs/query/{job['id']}")

    assert job["state"] == "JobComplete"


def test_jobs_beyond_the_daily_quota_are_refused(api: Caller) -> None:
    api.org.admin.use_limits(DailyBulkV2QueryJobs=9_999)
    last = api.job("SELECT Id FROM Account").status
    refused = api.job("SELECT Id FROM Account").error

    assert last == 200
    assert refused == (400, "LIMIT_EXCEEDED", "Max bulk v2 query jobs (10000) per 24 hrs has been reached")


def test_jobs_beyond_the_daily_storage_are_refused(api: Caller) -> None:
    api.org.admin.use_limits(DailyBulkV2QueryFileStorageMB=976_562)

    message = "Max bulk v2 query result size stored (1000000000) kb per 24 hrs has been exceeded"
    assert api.job("SELECT Id FROM Account").error == (400, "LIMIT_EXCEEDED", message)
    api.org.admin.change_settings(limits={"DailyBulkV2QueryFileStorageMB": 2_000_000})
    assert api.job("SELECT Id FROM Account").status == 200


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        (400, "FeatureNotEnabled", "Async API not enabled"),
        (403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization."),
        (403, "API_CURRENTLY_DISABLED", "API is disabled for this User"),
        (400, "TXN_SECURITY_METERING_ERROR", "The operation was blocked by a transaction security policy"),
        (400, "MALFORMED_QUERY", "Implementation restriction: Vote requires a filter by a single Id"),
    ],
)
def test_refusals_of_other_orgs_can_be_ordered(calm: Caller, status: int, code: str, message: str) -> None:
    calm.org.admin.fault(
        "status", status=status, code=code, message=message, path="*/jobs/query", method="POST"
    )

    assert calm.job("SELECT Id FROM Account").error == (status, code, message)
    assert calm.get("/jobs/query").json()["records"] == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operation": "insert"}, "operation must be one of query, queryAll, not 'insert'"),
        ({"operation": "Query"}, "operation must be one of query, queryAll, not 'Query'"),
        ({"operation": None}, "operation must be one of query, queryAll, not null"),
        ({"contentType": "JSON"}, "contentType must be one of CSV, not 'JSON'"),
        ({"columnDelimiter": ","}, "columnDelimiter must be one of BACKQUOTE, CARET, COMMA, PIPE, SEMICOLON, TAB, not ','"),
        ({"lineEnding": "CR"}, "lineEnding must be one of LF, CRLF, not 'CR'"),
        ({"query": " "}, "No query found in the job"),
        ({"object": "Account"}, "Unknown property for a query job: object"),
    ],
)  # fmt: skip
def test_a_property_that_makes_no_sense_is_refused(
    calm: Caller, change: dict[str, Any], message: str
) -> None:
    body = {"operation": "query", "query": "SELECT Id FROM Account"} | change

    assert calm.call("POST", "/jobs/query", body).error == (400, "INVALIDJOB", message)


def test_results_asked_for_too_early_or_of_a_job_that_failed_are_refused(api: Caller) -> None:
    api.org.admin.fault("job_fails", error_message="no")
    api.org.admin.fault("job_hangs")
    failed = api.finished_job("SELECT Id FROM Account")["id"]
    hanging = api.job("SELECT Id FROM Account").json()["id"]
    api.wait(hanging, {"InProgress"})
    refused = [api.results(job_id).error for job_id in (failed, hanging)]
    pages = [api.get(f"/jobs/query/{job_id}/resultPages").error for job_id in (failed, hanging)]

    wanted = [
        (
            400,
            "JOB_NOT_COMPLETE",
            f"can only download query results of successfully completed bulk job: {job_id}",
        )
        for job_id in (failed, hanging)
    ]
    assert refused == pages == wanted


def test_results_are_refused_in_another_version_than_the_jobs(api: Caller) -> None:
    job_id = api.finished_job("SELECT Id FROM Account")["id"]
    old = Caller(api.org, "v60.0", api.headers)
    message = "Results must be read with the API version of the job, 66.0"

    assert old.results(job_id).error == (409, "INVALIDVERSION", message)
    assert old.get(f"/jobs/query/{job_id}/resultPages").error == (409, "INVALIDVERSION", message)


@pytest.mark.parametrize(
    ("ordered", "refusal"),
    [
        (None, "Aborting already Completed Job not allowed"),
        ({"kind": "job_fails"}, "Aborting already Failed Job not allowed"),
    ],
)
def test_a_job_that_ended_cannot_be_aborted(
    api: Caller, ordered: dict[str, str] | None, refusal: str
) -> None:
    if ordered:
        api.org.admin.fault(**ordered)
    where = f"/jobs/query/{api.finished_job('SELECT Id FROM Account')['id']}"

    assert api.call("PATCH", where, {"state": "Aborted"}).error == (400, "INVALIDJOBSTATE", refusal)
    assert api.call("DELETE", where).status == 204


def test_a_job_that_runs_cannot_be_deleted(api: Caller) -> None:
    api.org.admin.change_settings(job_delay_s=30)
    where = f"/jobs/query/{api.job('SELECT Id FROM Account').json()['id']}"

    message = "Error encountered when deleting the job because the job is not terminated"
    assert api.call("DELETE", where).error == (400, "API_ERROR", message)


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("job_id", ["750000000000001AAA", "001000000000001AAA", "x"])
def test_a_job_that_is_not_there_is_not_found(calm: Caller, method: str, job_id: str) -> None:
    body = {"state": "Aborted"} if method == "PATCH" else None

    assert calm.call(method, f"/jobs/query/{job_id}", body).error == (
        404, "NOT_FOUND", "The requested resource does not exist",
    )  # fmt: skip


@pytest.mark.parametrize(
    "query", [{"jobType": "V3"}, {"concurrencyMode": "x"}, {"isPkChunkingEnabled": "maybe"}]
)
def test_a_filter_of_the_list_that_makes_no_sense_is_refused(calm: Caller, query: dict[str, str]) -> None:
    assert calm.get("/jobs/query", **query).error[:2] == (400, "INVALIDJOB")
