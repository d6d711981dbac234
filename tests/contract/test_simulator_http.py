"""What every resource has in common: versions, methods, addresses, headers, compression."""

from __future__ import annotations

import gzip
import http.client
import json
import zlib
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Callable


def test_versions_are_listed_for_everybody_oldest_first(api: Caller) -> None:
    versions = api.raw("GET", "/services/data/").json()

    assert [v["version"] for v in versions] == [f"{number}.0" for number in range(40, 67)]
    assert versions[-1] == {"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"}
    assert [v["label"] for v in versions[-4:-1]] == ["Spring '25", "Summer '25", "Winter '26"]


@pytest.mark.parametrize("version", ["v40.0", "v52.0", "v66.0"])
def test_every_version_answers(api: Caller, version: str) -> None:
    api.version = version

    assert [api.get(path).status for path in ("/", "/sobjects", "/limits/", "/jobs/query")] == [200] * 4


@pytest.mark.parametrize("version", ["v39.0", "v67.0", "66.0", "v66", "v66.5"])
def test_no_other_version_answers(api: Caller, version: str) -> None:
    api.version = version

    assert api.get("/limits").error == (404, "NOT_FOUND", "The requested resource does not exist")


@pytest.mark.parametrize("path", ["/sobjects/Account/describe", "/limits/recordCount", "/query"])
def test_a_trailing_slash_makes_no_difference(api: Caller, path: str) -> None:
    query = {"q": "SELECT Id FROM User"} if path == "/query" else {}

    assert api.get(path, **query).json() == api.get(f"{path}/", **query).json()


@pytest.mark.parametrize(
    "path", ["/nothing", "/sobjects/Nope__c/describe", "/sobjects/Account/001000000000000"]
)
def test_what_is_not_there_is_not_found(api: Caller, path: str) -> None:
    assert api.get(path).error[:2] == (404, "NOT_FOUND")


def test_query_plans_are_not_there(api: Caller) -> None:
    assert api.get("/query", explain="SELECT Id FROM User").error[:2] == (404, "NOT_FOUND")


def test_a_method_that_a_resource_lacks_is_refused(api: Caller) -> None:
    assert api.call("PUT", "/limits").error[:2] == (405, "METHOD_NOT_ALLOWED")


def test_an_address_of_16_384_bytes_is_served_and_one_more_is_not(api: Caller) -> None:
    start = f"/services/data/{api.version}/query?q=SELECT+Id+FROM+User+WHERE+Id+!=+'"
    lengths = [16_384, 16_385]
    answers = [api.raw("GET", start + "x" * (n - len(start) - 1) + "'", headers=api.headers) for n in lengths]

    assert [answer.status for answer in answers] == [400, 414]
    assert answers[0].error[1] != answers[1].error[1]


def test_metered_answers_tell_how_much_was_used(api: Caller) -> None:
    first = api.get("/limits").headers["sforce-limit-info"]
    refused = api.get("/query", q="nonsense").headers["sforce-limit-info"]

    assert (first, refused) == ("api-usage=1/15000", "api-usage=2/15000")
    assert "sforce-limit-info" not in api.raw("GET", "/services/data").headers
    assert "sforce-limit-info" not in api.token().headers


def test_limits_count_what_was_asked(api: Caller) -> None:
    api.finished_job("SELECT Id FROM Account")
    before = api.get("/limits").json()
    after = api.get("/limits").json()

    assert before["DailyApiRequests"]["Remaining"] - after["DailyApiRequests"]["Remaining"] == 1
    assert before["DailyBulkV2QueryJobs"] == {"Max": 10_000, "Remaining": 9_999}


def test_a_used_up_allowance_refuses_every_metered_request(api: Caller) -> None:
    api.org.admin.change_settings(limits={"DailyApiRequests": 1})

    assert api.get("/limits").status == 200
    assert api.get("/limits").error == (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def test_json_is_compressed_only_for_who_asks(api: Caller) -> None:
    plain = api.get("/sobjects/Account/describe")
    packed = api.get("/sobjects/Account/describe", headers={"Accept-Encoding": "deflate, gzip;q=0.8"})
    refused = api.get("/sobjects/Account/describe", headers={"Accept-Encoding": "gzip;q=0"})

    assert "content-encoding" not in plain.headers
    assert "content-encoding" not in refused.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.json() == plain.json()


def _undressed(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("coding", "pack"),
    [
        ("gzip", gzip.compress),
        ("GZIP", lambda body: gzip.compress(body[:5]) + gzip.compress(body[5:])),
        ("deflate", zlib.compress),
        ("deflate", _undressed),
        ("identity", bytes),
    ],
)
def test_a_body_may_come_compressed(api: Caller, coding: str, pack: Callable[[bytes], bytes]) -> None:
    body = pack(json.dumps({"Name": "Zoë"}).encode())
    headers = api.headers | {"Content-Type": "application/json", "Content-Encoding": coding}
    made = api.raw("POST", "/services/data/v66.0/sobjects/Account", body, headers)

    assert made.status == 201
    assert api.get(f"/sobjects/Account/{made.json()['id']}").json()["Name"] == "Zoë"


@pytest.mark.parametrize(
    ("coding", "body", "refusal"),
    [
        ("gzip", b'{"Name": "a"}', (400, "JSON_PARSER_ERROR")),
        ("gzip", gzip.compress(b'{"Name": "a"}', mtime=0)[:-9], (400, "JSON_PARSER_ERROR")),
        ("deflate", b'{"Name": "a"}', (400, "JSON_PARSER_ERROR")),
        ("br", b"whatever", (415, "UNSUPPORTED_MEDIA_TYPE")),
    ],
)
def test_a_body_that_is_not_compressed_as_it_says_is_refused(
    api: Caller, coding: str, body: bytes, refusal: tuple[int, str]
) -> None:
    answer = api.raw(
        "POST", "/services/data/v66.0/sobjects/Account", body, api.headers | {"Content-Encoding": coding}
    )

    assert answer.error[:2] == refusal


def test_who_reads_only_xml_is_told_that_there_is_none(api: Caller) -> None:
    only, first, browser = (
        "application/xml, text/xml;q=0.5",
        "application/xml, application/json",
        "text/html, */*;q=0.1",
    )
    answers = [
        api.get("/limits", headers={"Accept": accept}) for accept in (only, first, browser, "text/csv")
    ]

    assert answers[0].error[:2] == (406, "NOT_ACCEPTABLE")
    assert [answer.status for answer in answers[1:]] == [200] * 3


def test_an_external_id_may_hold_a_slash(api: Caller) -> None:
    key = "/sobjects/Account/ExternalId__c/a%2Fb%20c%2f"
    made = api.call("PATCH", key, {"Name": "Slashed"}).json()
    batch = {"batchRequests": [{"method": "GET", "url": f"v66.0{key}"}]}
    results = api.call("POST", "/composite/batch", batch).json()["results"]

    assert api.get(key).json()["ExternalId__c"] == "a/b c/"
    assert results[0]["result"]["Id"] == made["id"]
    assert api.get("/sobjects/Account/ExternalId__c/a/b%20c/").error[:2] == (404, "NOT_FOUND")


def test_an_instance_address_may_end_in_a_slash(api: Caller) -> None:
    assert api.raw("GET", "//services/data/v66.0/limits/", headers=api.headers).status == 200
    assert api.raw("GET", "/services/data//v66.0/limits", headers=api.headers).status == 404


def test_headers_are_spelled_as_salesforce_spells_them(api: Caller) -> None:
    """A stock client looks up content-type in a case-sensitive dict, and must not find it, as in a real org."""
    job = api.finished_job("SELECT Id FROM User")
    connection = http.client.HTTPConnection(urlsplit(api.org.url).netloc)
    connection.request("GET", f"/services/data/v66.0/jobs/query/{job['id']}/results", headers=api.headers)
    names = set(connection.getresponse().headers)
    connection.close()

    assert {"Content-Type", "Date", "Sforce-Limit-Info", "Sforce-Locator", "Sforce-NumberOfRecords"} <= names


def test_field_types_are_spelled_as_rest_spells_them(api: Caller) -> None:
    types = {field["type"] for field in api.get("/sobjects/Specimen__c/describe").json()["fields"]}

    assert {"anyType"} == {name for name in types if not name.islower()}


def test_the_date_header_is_the_orgs_time(api: Caller) -> None:
    api.org.admin.set_clock("2031-02-03T04:05:06Z", frozen=True)

    assert (
        parsedate_to_datetime(api.get("/limits").headers["date"]).isoformat() == "2031-02-03T04:05:06+00:00"
    )


@pytest.mark.parametrize("body", [b"{", b"1", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(api: Caller, body: bytes) -> None:
    answer = api.raw("POST", "/services/data/v66.0/sobjects/Account", body, api.headers)

    assert answer.error[:2] == (400, "JSON_PARSER_ERROR")


def test_records_are_made_read_changed_and_deleted(api: Caller) -> None:
    made = api.call("POST", "/sobjects/Account/", {"Name": "Ann's"})
    where = f"/sobjects/Account/{made.json()['id']}"
    changed = api.call("PATCH", where, {"Name": "Bo's"})
    read = api.get(where, fields="Name").json()
    deleted = api.call("DELETE", where)

    assert (made.status, made.json()["success"], made.json()["errors"]) == (201, True, [])
    assert (changed.status, changed.body, read["Name"]) == (204, b"", "Bo's")
    assert (deleted.status, deleted.body, api.get(where).status) == (204, b"", 404)


def test_an_upsert_answers_as_its_version_did(api: Caller) -> None:
    where = "/sobjects/Account/ExternalId__c/k1"
    made = api.call("PATCH", where, {"Name": "A"})
    changed = api.call("PATCH", where, {"Name": "B"})
    api.version = "v45.0"
    old = api.call("PATCH", where, {"Name": "C"})

    assert (made.status, made.json()["created"]) == (201, True)
    assert (changed.status, changed.json()["created"]) == (200, False)
    assert (old.status, old.body, api.get(where).json()["Name"]) == (204, b"", "C")


def test_columns_of_a_query_can_be_asked_without_its_rows(api: Caller) -> None:
    found = api.get("/query", q="SELECT Id, Owner.Name, AnnualRevenue FROM Account", columns="true").json()

    assert [c["columnName"] for c in found["columnMetadata"]] == ["Id", "Owner", "AnnualRevenue"]
    assert [c["columnName"] for c in found["columnMetadata"][1]["joinColumns"]] == ["Name"]
    assert (found["entityName"], found["idSelected"], found["keyPrefix"]) == ("Account", True, "001")


def test_a_query_without_text_is_refused(api: Caller) -> None:
    assert api.get("/query").error[:2] == (400, "MALFORMED_QUERY")


@pytest.mark.parametrize(
    ("asked", "given"), [("batchSize=250", 250), ("batchSize=1", 200), ("nonsense", 300)]
)
def test_the_page_size_that_a_caller_wants_is_kept_within_bounds(api: Caller, asked: str, given: int) -> None:
    with simulator(records=400) as org:
        caller = Caller(org).login()
        page = caller.get(
            "/query", q="SELECT Id FROM Account LIMIT 300", headers={"Sforce-Query-Options": asked}
        )

    assert (len(page.json()["records"]), page.json()["totalSize"]) == (given, 300)
