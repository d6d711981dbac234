"""What nobody should send: each answer is a refusal in Salesforce's form, and the org goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.testing.simulator import AdminError

if TYPE_CHECKING:
    from lht.testing.caller import Caller

ACCOUNTS = "/services/data/v66.0/sobjects/Account"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b'{"Name": NaN}',
        b'{"Name": -Infinity}',
        b'{"AnnualRevenue": 1e400}',
        b'{"AnnualRevenue": ' + b"9" * 5_000 + b"}",
        b'{"a":' * 50_000,
        b"[" * 100_000,
    ],
    ids=str,
)
def test_what_is_no_json_is_refused_as_such(api: Caller, body: bytes) -> None:
    assert api.raw("POST", ACCOUNTS, body, api.headers).error[:2] == (400, "JSON_PARSER_ERROR")
    assert api.get("/limits").status == 200


def test_a_body_that_is_missing_is_said_to_be_missing(api: Caller) -> None:
    message = "The HTTP entity body is required, but this request has no entity body."

    assert api.raw("POST", ACCOUNTS, None, api.headers).error == (400, "JSON_PARSER_ERROR", message)


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "multipart/related; boundary=x", "nonsense"]
)
def test_an_unknown_media_type_is_refused(api: Caller, kind: str) -> None:
    answer = api.raw("POST", ACCOUNTS, b'{"Name": "a"}', api.headers | {"Content-Type": kind})

    message = f"MediaType of '{kind.partition(';')[0]}' is not supported by this resource"
    assert answer.error == (415, "UNSUPPORTED_MEDIA_TYPE", message)
    assert answer.headers["sforce-limit-info"].startswith("api-usage=")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"Name": {"a": 1}}, "JSON_PARSER_ERROR"),
        ({"Name": ["a"]}, "JSON_PARSER_ERROR"),
        ({"Name": "a", "AnnualRevenue": "1e99999999"}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"Name": "a", "NumberOfEmployees": "1" * 5_000}, "NUMBER_OUTSIDE_VALID_RANGE"),
        ({"Name": "a", "NumberOfEmployees": True}, "JSON_PARSER_ERROR"),
        ({"Name": "a", "OwnerId": 1}, "MALFORMED_ID"),
        ({"Name": "a", "Owner": {}}, "INVALID_FIELD"),
        ({"Name": "a", "Owner": {"Username": ["a"]}}, "JSON_PARSER_ERROR"),
        ({"Name": "a", "_seq": 1}, "INVALID_FIELD"),
        ({"Name": "a", "\ud800": 1}, "INVALID_FIELD"),
        ({"Name": "a", "": 1}, "INVALID_FIELD"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(api: Caller, body: dict[str, Any], code: str) -> None:
    assert api.call("POST", "/sobjects/Account", body).error[:2] == (400, code)


def test_methods_that_nobody_knows_are_refused_with_those_that_there_are(api: Caller) -> None:
    refused = api.call("PUT", "/sobjects/Account")

    message = "HTTP Method 'PUT' not allowed. Allowed are HEAD,GET,POST"
    assert refused.error == (405, "METHOD_NOT_ALLOWED", message)
    assert refused.headers["content-type"] == "application/json;charset=UTF-8"
    assert [api.call(method, "/limits").error[:2] for method in ("TRACE", "PROPFIND")] == [
        (405, "METHOD_NOT_ALLOWED")
    ] * 2


@pytest.mark.parametrize("given", ["x", "00300000000000A", "001" + "0" * 200, "%00"])
def test_an_id_that_cannot_be_one_is_not_found_and_cannot_be_written(api: Caller, given: str) -> None:
    where = f"/sobjects/Account/{given}"

    assert api.get(where).error[:2] == (404, "NOT_FOUND")
    for method, body in (("PATCH", {"Name": "x"}), ("DELETE", None)):
        code = api.call(method, where, body).error
        assert code[:2] == (400, "MALFORMED_ID")
        assert code[2].startswith("Account ID: id value of incorrect type: ")


def test_the_id_of_a_record_is_no_field_of_its_body(api: Caller) -> None:
    account = api.create("Account", Name="a")
    message = "The Id field should not be specified in the sobject data."

    for method, where in (("POST", "/sobjects/Account"), ("PATCH", f"/sobjects/Account/{account}")):
        refused = api.call(method, where, {"Name": "b", "Id": account})
        assert refused.error == (400, "INVALID_FIELD", message)


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("", ""),
        ("x", "y"),
        ("2026-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00"),
        ("0001-01-01T00:00:00+14:00", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00", "2026-01-02T00:00:00"),
        ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z"),
    ],
)
def test_a_window_that_is_none_is_refused(api: Caller, start: str, end: str) -> None:
    for resource in ("updated", "deleted"):
        answer = api.get(f"/sobjects/Account/{resource}", start=start, end=end)
        assert answer.error[:2] == (400, "INVALID_REPLICATION_DATE")


@pytest.mark.parametrize("cursor", ["x", "01g000000000001AAA-2000", "-1", "01g-" + "9" * 5_000])
def test_a_cursor_that_was_never_given_is_refused(api: Caller, cursor: str) -> None:
    assert api.get(f"/query/{cursor}").error[:2] == (400, "INVALID_QUERY_LOCATOR")


@pytest.mark.parametrize(
    "clause", ["LIMIT {}", "WHERE NumberOfEmployees < {}", "WHERE CreatedDate < LAST_N_DAYS:{}"]
)
def test_numbers_without_end_are_read_or_refused(api: Caller, clause: str) -> None:
    answer = api.get("/query", q=f"SELECT Id FROM Account {clause.format('9' * 5_000)}")

    assert answer.status in (200, 400)


@pytest.mark.parametrize("key", ["operation", "query", "contentType", "columnDelimiter", "lineEnding"])
@pytest.mark.parametrize("value", [1, [], {}, "nonsense"])
def test_a_job_property_of_the_wrong_kind_is_refused(api: Caller, key: str, value: object) -> None:
    body = {"operation": "query", "query": "SELECT Id FROM Account", key: value}

    assert api.call("POST", "/jobs/query", body).status == 400


def test_a_job_property_that_is_null_takes_its_usual_value(api: Caller) -> None:
    body = {"operation": "query", "query": "SELECT Id FROM Account", "lineEnding": None, "contentType": None}
    made = api.call("POST", "/jobs/query", body).json()

    assert (made["lineEnding"], made["contentType"]) == ("LF", "CSV")


def test_a_page_size_beyond_all_rows_is_one_page(api: Caller) -> None:
    api.create("Account", Name="a")
    job = api.finished_job("SELECT Name FROM Account")["id"]

    assert api.get(f"/jobs/query/{job}/results", maxRecords="9" * 5_000).rows == [["Name"], ["a"]]
    assert api.get(f"/jobs/query/{job}/results", maxRecords="0" * 5_000).error[:2] == (400, "INVALIDJOB")


def test_an_external_id_of_several_records_answers_with_their_addresses(api: Caller) -> None:
    people = [api.create("Contact", LastName=name, Email="same@example.com") for name in ("a", "b")]
    where = "/sobjects/Contact/Email/same@example.com"

    for answer in (api.get(where), api.call("PATCH", where, {"LastName": "c"})):
        assert answer.status == 300
        assert answer.json() == [f"/services/data/v66.0/sobjects/Contact/{person}" for person in people]


@pytest.mark.parametrize(
    "body",
    [
        {"now": "x"},
        {"now": 5},
        {"now": "9999-12-31T23:59:59Z"},
        {"now": "0001-01-01T00:00:00+14:00", "frozen": True},
    ],
)
def test_the_clock_keeps_to_times_that_can_be_reckoned_with(api: Caller, body: dict[str, Any]) -> None:
    with pytest.raises(AdminError, match="INVALID_INPUT"):
        api.org.admin.call("PUT", "/clock", body)
    for seconds in (1e30, -1e30, 1e12):
        with pytest.raises(AdminError, match="INVALID_INPUT"):
            api.org.admin.advance_clock(seconds)

    assert api.get("/limits").status == 200


@pytest.mark.parametrize(
    "facts",
    [
        {"name": ""},
        {"name": "a b"},
        {"name": 'a"b'},
        {"name": "_seq"},
        {"type": "nope"},
        {"type": ["string"]},
        {"length": "x"},
        {"length": -1},
        {"picklist": "abc"},
        {"picklist": [1]},
        {"type": "double", "precision": 5, "scale": 6},
        {"type": "double", "default_value": "abc"},
        {"type": "double", "formula": "1 +"},
        {"type": "double", "formula": "Nope"},
        {"type": "reference", "reference_to": "Nope"},
        {"type": "reference"},
        {"type": "reference", "reference_to": "User", "relationship_name": "Owner"},
    ],
    ids=str,
)
def test_a_field_that_cannot_be_is_refused_and_leaves_no_trace(api: Caller, facts: dict[str, Any]) -> None:
    before = api.get("/sobjects/Account/describe").json()["fields"]
    with pytest.raises(AdminError, match="INVALID_INPUT"):
        api.org.admin.call("POST", "/objects/Account/fields", {"name": "New__c", "type": "string"} | facts)

    assert api.get("/sobjects/Account/describe").json()["fields"] == before
    assert api.get("/query", q="SELECT FIELDS(ALL) FROM Account LIMIT 1").status == 200


def test_a_new_field_has_the_sizes_of_its_type(api: Caller) -> None:
    kinds = {"string": (255, 0, 0), "email": (80, 0, 0), "double": (0, 18, 0), "int": (0, 0, 9)}
    for kind in kinds:
        api.org.admin.add_field("Account", f"New_{kind}__c", kind)
    api.org.admin.add_field("Account", "Twin__c", "reference", reference_to="Account")
    fields = {f["name"]: f for f in api.get("/sobjects/Account/describe").json()["fields"]}

    found = {kind: fields[f"New_{kind}__c"] for kind in kinds}
    assert {k: (f["length"], f["precision"], f["digits"]) for k, f in found.items()} == kinds
    assert (fields["Twin__c"]["relationshipName"], fields["Twin__c"]["length"]) == ("Twin__r", 18)


def test_the_id_is_neither_altered_nor_hidden(api: Caller) -> None:
    for change in ({"type": "int"}, {"hidden": True}):
        with pytest.raises(AdminError, match="INVALID_INPUT"):
            api.org.admin.call("PATCH", "/objects/Account/fields/Id", change)


@pytest.mark.parametrize(
    "facts",
    [
        {"kind": ["status"]},
        {"kind": "status", "status": "x"},
        {"kind": "status", "status": 99},
        {"kind": "status", "times": "x"},
        {"kind": "status", "times": 0},
        {"kind": "status", "path": 5},
        {"kind": "status", "retry_after": "a\nb"},
        {"kind": "status", "retry_after": "x"},
        {"kind": "status", "retry_after": "Wed, 32 Oct 2026 07:28:00 GMT"},
        {"kind": "status", "method": ""},
        {"kind": "status", "path": ""},
        {"kind": "status", "after_bytes": 5},
        {"kind": "status", "message": "\ud800"},
        {"kind": "job_hangs", "path": "*"},
        {"kind": "delay", "delay_s": 1e300},
        {"kind": "drop", "after_bytes": -5},
        {"kind": "delay", "delay_s": "x"},
        {"kind": "truncate_gzip", "cut_bytes": "x"},
        {"kind": "status", "id": 5},
    ],
    ids=str,
)
def test_a_failure_that_cannot_be_is_refused(api: Caller, facts: dict[str, Any]) -> None:
    with pytest.raises(AdminError, match="INVALID_INPUT"):
        api.org.admin.call("POST", "/faults", facts)

    assert api.get("/limits").status == 200


@pytest.mark.parametrize("value", [0, 2, "0", "120", "Wed, 21 Oct 2026 07:28:00 GMT", None])
def test_a_failure_may_say_when_to_come_back(api: Caller, value: str | int | None) -> None:
    api.org.admin.fault("status", retry_after=value)
    refused = api.get("/limits")

    assert (refused.status, refused.headers.get("retry-after")) == (
        503,
        None if value is None else str(value),
    )


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/objects/Account/fields/Phone", {"length": 0}),
        ("PATCH", "/objects/Account/fields/Phone", {"length": 10**30}),
        ("PATCH", "/objects/Account/fields/Phone", {"type": "double", "precision": 0}),
        ("PATCH", "/objects/Account/fields/Phone", {"formula": "\ud800"}),
        ("PATCH", "/objects/Account/fields/NumberOfEmployees", {"digits": 0}),
        ("POST", "/objects/Account/fields", {"name": "X__c", "type": "string", "length": 0}),
        ("POST", "/objects/Account/fields", {"name": "X__c", "type": "string", "length": 131_073}),
        ("POST", "/objects/Account/hide", {"ids": [], "where": "Name = 'a'"}),
        ("POST", "/objects/Account/read_only", {"ids": [], "where": "Name = 'a'"}),
        ("POST", "/objects/Account/record_types", {"name": "\ud800", "developer_name": "A"}),
        ("POST", "/archive", {"older_than_days": -1}),
        ("POST", "/limits/use", {"DailyApiRequests": 10**30}),
        ("PATCH", "/settings", {"most_ids": 10**30}),
        ("PATCH", "/settings", {"earliest_date_available": 20260101}),
        ("PATCH", "/app", {"refresh_token_life_s": 1e300}),
    ],
    ids=str,
)
def test_an_admin_body_that_makes_no_sense_is_refused(
    api: Caller, method: str, path: str, body: dict[str, Any]
) -> None:
    with pytest.raises(AdminError, match="INVALID_INPUT"):
        api.org.admin.call(method, path, body)


def test_a_field_that_changes_its_type_gets_the_usual_size_of_the_new_one(api: Caller) -> None:
    altered = api.org.admin.call("PATCH", "/objects/Account/fields/NumberOfEmployees", {"type": "string"})

    assert (altered["length"], altered["digits"]) == (255, 0)
    with pytest.raises(AdminError, match="length must be from 1 to 131,072"):
        api.org.admin.call("PATCH", "/objects/Account/fields/NumberOfEmployees", {"length": 0})


@pytest.mark.parametrize("body", [{"ids": "x"}, {"ids": [1]}, {"ids": [{}]}])
@pytest.mark.parametrize("path", ["/objects/Account/hide", "/objects/Account/purge", "/undelete"])
def test_ids_for_an_admin_are_a_list_of_texts(api: Caller, path: str, body: dict[str, Any]) -> None:
    with pytest.raises(AdminError, match="INVALID_INPUT"):
        api.org.admin.call("POST", path, body)
