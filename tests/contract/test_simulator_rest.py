"""Single records over REST: every way to write, read and ask on conditions."""

from __future__ import annotations

import json
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lht.testing.caller import Caller, Reply

ROOT = "/services/data/v66.0"


def since(reply: Reply, seconds: int = 0) -> dict[str, str]:
    """The header of who has that answer, or one so much older or younger."""
    moment = parsedate_to_datetime(reply.headers["last-modified"]) + timedelta(seconds=seconds)
    return {"If-Modified-Since": format_datetime(moment, usegmt=True)}


def test_a_made_record_says_where_it_is(shared: Caller) -> None:
    made = shared.call("POST", "/sobjects/Account", {"Name": "a"})
    upserted = shared.call("PATCH", "/sobjects/Account/ExternalId__c/k", {"Name": "b"})
    by_id = shared.call("POST", "/sobjects/Account/Id", {"Name": "c"})

    for reply in (made, upserted, by_id):
        assert reply.status == 201
        assert reply.headers["location"] == f"{ROOT}/sobjects/Account/{reply.json()['id']}"
        assert shared.get(reply.headers["location"]).status == 200


def test_an_upsert_by_post_takes_no_id_in_its_body(shared: Caller) -> None:
    account = shared.create("Account", Name="a")
    refused = shared.call("POST", "/sobjects/Account/Id", {"Name": "b", "Id": account})

    message = "The Id field should not be specified in the sobject data."
    assert refused.error == (400, "INVALID_FIELD", message)
    assert shared.call("POST", f"/sobjects/Account/{account}", {"Name": "b"}).error[:2] == (404, "NOT_FOUND")


def test_an_upsert_takes_its_key_from_the_address_alone(shared: Caller) -> None:
    refused = shared.call("PATCH", "/sobjects/Account/ExternalId__c/k", {"Name": "b", "ExternalId__c": "k"})

    message = "The ExternalId__c field should not be specified in the sobject data."
    assert refused.error == (400, "INVALID_FIELD", message)


def test_a_record_is_read_changed_and_deleted_by_external_id(api: Caller) -> None:
    where = "/sobjects/Account/ExternalId__c/a%20b"
    made = api.call("PATCH", where, {"Name": "a"}).json()["id"]

    assert api.get(where, fields="Name").json() == {
        "attributes": {"type": "Account", "url": f"{ROOT}/sobjects/Account/{made}"},
        "Name": "a",
        "Id": made,
    }
    assert api.call("PATCH", where, {"Name": "b"}).json()["created"] is False
    assert api.call("DELETE", where).status == 204
    assert [api.call(method, where).error[:2] for method in ("GET", "DELETE")] == [(404, "NOT_FOUND")] * 2


def test_heads_have_no_body(api: Caller) -> None:
    account = api.create("Account", Name="a", ExternalId__c="k")
    for path in (
        "",
        "/sobjects",
        "/sobjects/Account",
        f"/sobjects/Account/{account}",
        "/sobjects/Account/ExternalId__c/k",
    ):
        reply = api.call("HEAD", path)
        assert (reply.status, reply.body) == (200, b"")
        assert reply.headers["sforce-limit-info"].startswith("api-usage=")


def test_a_post_can_mean_another_method(shared: Caller) -> None:
    account = shared.create("Account", Name="a")
    where = f"/sobjects/Account/{account}"
    changed = shared.call("POST", where, {"Name": "b"}, _HttpMethod="PATCH")
    read = shared.call("POST", where, _HttpMethod="GET").json()["Name"]
    unknown = shared.call("POST", where, {"Name": "c"}, _HttpMethod="patch")
    deleted = shared.call("POST", where, _HttpMethod="DELETE")

    assert (changed.status, read, unknown.status, deleted.status) == (204, "b", 405, 204)
    assert shared.call("GET", "/limits", _HttpMethod="DELETE").status == 200


def test_json_for_people_says_the_same(shared: Caller) -> None:
    account = shared.create("Account", Name="ü")
    for path in (f"/sobjects/Account/{account}", "/nothing", "/sobjects/Account/describe"):
        plain, pretty = shared.get(path), shared.get(path, headers={"X-PrettyPrint": "1"})
        assert json.loads(plain.body) == json.loads(pretty.body)
        assert (plain.body.count(b"\n"), pretty.body.count(b"\n") > 2) == (0, True)


def test_fields_are_those_asked_for_and_the_id(shared: Caller) -> None:
    account = shared.create("Account", Name="a", AnnualRevenue=5)
    where = f"/sobjects/Account/{account}"
    found = shared.get(where, fields="annualrevenue,Name,Name").json()

    assert list(found) == ["attributes", "AnnualRevenue", "Name", "Id"]
    assert shared.get(where, fields="Name,Nope").error[:2] == (400, "INVALID_FIELD")


def test_a_parent_is_reached_and_changed_through_its_child(shared: Caller) -> None:
    account = shared.create("Account", Name="a")
    child, orphan = (
        shared.create("Contact", LastName="b", AccountId=account),
        shared.create("Contact", LastName="c"),
    )
    where = f"/sobjects/Contact/{child}/Account"

    assert shared.get(where).json()["Id"] == account
    assert shared.get(where, fields="Name").json()["Name"] == "a"
    assert shared.get(where, fields="Nope").status == 400
    assert shared.call("PATCH", where, {"Name": "b"}).status == 204
    assert shared.get(where).json()["Name"] == "b"
    assert shared.get(f"/sobjects/Contact/{orphan}/Account").error[:2] == (404, "NOT_FOUND")
    assert shared.call("DELETE", where).status == 204
    assert shared.get(f"/sobjects/Account/{account}").status == 404


def test_children_are_reached_through_their_parent(api: Caller) -> None:
    account, empty = api.create("Account", Name="a"), api.create("Account", Name="b")
    child = api.create("Contact", LastName="b", AccountId=account)
    found = api.get(f"/sobjects/Account/{account}/Contacts", fields="LastName").json()

    assert (found["totalSize"], found["done"]) == (1, True)
    assert [(one["Id"], one["LastName"]) for one in found["records"]] == [(child, "b")]
    assert "Email" in api.get(f"/sobjects/Account/{account}/Contacts").json()["records"][0]
    assert api.get(f"/sobjects/Account/{empty}/Contacts").json()["records"] == []
    assert api.get(f"/sobjects/Account/{account}/Nopes").error[:2] == (404, "NOT_FOUND")
    assert api.call("PATCH", f"/sobjects/Account/{account}/Contacts", {"LastName": "c"}).status == 404


def test_headers_of_stock_clients_are_accepted(shared: Caller) -> None:
    headers = {
        "Sforce-Auto-Assign": "false",
        "Sforce-Duplicate-Rule-Header": "allowSave=true",
        "Sforce-Call-Options": "client=x",
        "Sforce-Mru": "updateMru=true",
    }

    assert shared.call("POST", "/sobjects/Account", {"Name": "a"}, headers=headers).status == 201


def test_the_running_user_is_a_record_like_any_other(shared: Caller) -> None:
    user = shared.get("/query", q="SELECT Id FROM User WHERE Username = 'me@example.com'").json()["records"][
        0
    ]["Id"]

    assert shared.get(f"/sobjects/User/{user}").json()["Username"] == "me@example.com"


def test_a_parent_is_named_by_its_external_id(api: Caller) -> None:
    account = api.create("Account", Name="a", ExternalId__c="k")
    parent = {"attributes": {"type": "Account"}, "ExternalId__c": "k"}
    alone = api.call("POST", "/sobjects/Contact", {"LastName": "b", "Account": parent}).json()["id"]
    record = {"attributes": {"type": "Contact"}, "LastName": "c", "Account": parent}
    among = api.call("POST", "/composite/sobjects", {"records": [record]}).json()[0]["id"]

    for child in (alone, among):
        assert api.get(f"/sobjects/Contact/{child}").json()["AccountId"] == account


def test_the_columns_of_a_query_are_told_in_full(shared: Caller) -> None:
    soql = "SELECT Name, Owner.Name, NumberOfEmployees, (SELECT Id FROM Contacts) FROM Account"
    found = shared.get("/query", q=soql, columns="true").json()

    assert sorted(found) == ["columnMetadata", "entityName", "groupBy", "idSelected", "keyPrefix"]
    assert found["columnMetadata"][0] == {
        "aggregate": False,
        "apexType": "String",
        "booleanType": False,
        "columnName": "Name",
        "custom": False,
        "displayName": "Name",
        "foreignKeyName": None,
        "insertable": True,
        "joinColumns": [],
        "numberType": False,
        "textType": True,
        "updatable": True,
    }
    shape = [
        (one["columnName"], one["aggregate"], [part["columnName"] for part in one["joinColumns"]])
        for one in found["columnMetadata"]
    ]
    assert shape == [
        ("Name", False, []),
        ("Owner", False, ["Name"]),
        ("NumberOfEmployees", False, []),
        ("Contacts", True, ["Id"]),
    ]
    assert (found["groupBy"], found["idSelected"]) == (False, False)


# Conditions


@pytest.mark.parametrize("path", ["/sobjects", "/sobjects/Account/describe"])
def test_a_describe_is_not_repeated_to_who_has_it(shared: Caller, path: str) -> None:
    first = shared.get(path)
    again = shared.get(path, headers=since(first))

    assert (again.status, again.body) == (304, b"")
    assert again.headers["sforce-limit-info"].startswith("api-usage=")
    assert again.headers["last-modified"] == first.headers["last-modified"]
    assert shared.get(path, headers=since(first, -1)).status == 200
    assert shared.get(path, headers={"If-Modified-Since": "nonsense"}).status == 200
    assert shared.get(path, headers={"If-Unmodified-Since": "Tue, 10 Aug 2015 00:00:00 GMT"}).status == 412


@pytest.mark.parametrize("frozen", [False, True])
def test_a_change_of_an_object_is_told_at_once(api: Caller, *, frozen: bool) -> None:
    """Whatever the second, and whichever of the answer's two dates the caller keeps."""
    if frozen:
        api.org.admin.freeze_clock()
    path = "/sobjects/Account/describe"
    for number in range(3):
        first = api.get(path)
        by_date = {"If-Modified-Since": first.headers["date"]}
        api.org.admin.add_field("Account", f"New{number}__c")
        for headers in (since(first), by_date):
            told = api.get(path, headers=headers)
            assert told.status == 200
            assert told.json()["fields"] != first.json()["fields"]


def test_a_change_of_another_object_changes_no_describe(api: Caller) -> None:
    api.org.admin.freeze_clock()
    account, contact = (api.get(f"/sobjects/{name}/describe") for name in ("Account", "Contact"))
    api.org.admin.add_field("Contact", "New__c")

    assert api.get("/sobjects/Account/describe", headers=since(account)).status == 304
    assert api.get("/sobjects/Contact/describe", headers=since(contact)).status == 200


def test_a_hidden_field_is_a_change(api: Caller) -> None:
    path = "/sobjects/Account/describe"
    first = api.get(path)
    api.org.admin.hide_field("Account", "Industry")

    assert api.get(path, headers=since(first)).status == 200


def test_a_record_is_not_repeated_to_who_has_it(api: Caller) -> None:
    contact = api.create("Contact", LastName="a")
    where = f"/sobjects/Contact/{contact}"
    first = api.get(where)

    assert "etag" not in first.headers
    assert api.get(where, headers=since(first)).status == 304
    assert api.get(where, headers=since(first, -1)).status == 200
    api.org.admin.advance_clock(5)
    api.call("PATCH", where, {"LastName": "b"})
    assert api.get(where, headers=since(first)).json()["LastName"] == "b"


def test_an_account_has_a_mark_of_its_content(shared: Caller) -> None:
    where = f"/sobjects/Account/{shared.create('Account', Name='a')}"
    plain, packed = shared.get(where), shared.get(where, headers={"Accept-Encoding": "gzip"})
    tag = plain.headers["etag"]

    assert packed.headers["etag"] == tag[:-1] + '--gzip"'
    for held in (tag, packed.headers["etag"], f'"x", {tag}', "*"):
        assert shared.get(where, headers={"If-None-Match": held}).status == 304
        assert shared.get(where, headers={"If-Match": held}).status == 200
    assert shared.get(where, headers={"If-None-Match": '"x"'}).status == 200
    assert shared.get(where, headers={"If-Match": '"x"'}).error[0] == 412


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match"])
def test_a_change_on_a_condition_is_made_only_if_it_holds(shared: Caller, header: str) -> None:
    where = f"/sobjects/Account/{shared.create('Account', Name='a')}"
    tag = shared.get(where).headers["etag"]
    held, missed = (tag, '"x"') if header == "If-Match" else ('"x"', tag)

    assert shared.call("PATCH", where, {"Name": "b"}, headers={header: missed}).error[0] == 412
    assert shared.get(where).json()["Name"] == "a"
    assert shared.call("PATCH", where, {"Name": "b"}, headers={header: held}).status == 204
    assert shared.call("PATCH", where, {"Name": "c"}, headers={header: tag}).status == (
        412 if header == "If-Match" else 204
    )


def test_a_change_after_another_is_refused_if_so_wanted(api: Caller) -> None:
    where = f"/sobjects/Contact/{api.create('Contact', LastName='a')}"
    first = api.get(where)
    condition = {"If-Unmodified-Since": first.headers["last-modified"]}

    assert api.call("PATCH", where, {"LastName": "b"}, headers=condition).status == 204
    api.org.admin.advance_clock(5)
    assert api.call("PATCH", where, {"LastName": "c"}).status == 204
    assert api.call("PATCH", where, {"LastName": "d"}, headers=condition).error[0] == 412
    assert api.get(where).json()["LastName"] == "c"


@pytest.mark.parametrize("header", ["If-Match", "If-None-Match", "If-Unmodified-Since"])
def test_a_condition_that_cannot_be_read_refuses_a_change(shared: Caller, header: str) -> None:
    where = f"/sobjects/Account/{shared.create('Account', Name='a')}"

    assert shared.call("PATCH", where, {"Name": "b"}, headers={header: "nonsense"}).status == 400
    assert shared.get(where).json()["Name"] == "a"


# Versions


@pytest.mark.parametrize("number", range(40, 67))
def test_every_version_serves_records_in_its_own_way(shared: Caller, number: int) -> None:
    version = f"v{number}.0"
    key = f"version-{number}"

    def call(method: str, path: str, body: object = None, **query: object) -> Reply:
        return shared.call(method, f"/services/data/{version}{path}", body, **query)

    where = f"/sobjects/Account/ExternalId__c/{key}"
    made, changed = (call("PATCH", where, {"Name": name}) for name in "ab")
    listed = call("GET", "").json()
    limits = call("GET", "/limits").json()

    assert (made.status, changed.status) == (201, 204 if number < 46 else 200)
    assert changed.body == b"" if number < 46 else changed.json()["created"] is False
    assert all(url.startswith((f"/services/data/{version}/", "http")) for url in listed.values())
    assert (
        call("GET", where)
        .json()["attributes"]["url"]
        .startswith(f"/services/data/{version}/sobjects/Account/001")
    )
    assert ("DailyBulkApiRequests" in limits, "DailyBulkApiBatches" in limits) == (number < 49, number >= 49)
    assert (
        call("GET", "/composite/sobjects/Account", ids=made.json()["id"], fields="Name").json()[0]["Name"]
        == "b"
    )
    assert call("DELETE", where).status == 204


# Bodies that are odd


def send(api: Caller, body: bytes) -> Reply:
    return api.raw(
        "POST", f"{ROOT}/sobjects/Account", body, api.headers | {"Content-Type": "application/json"}
    )


def test_a_byte_order_mark_is_no_part_of_the_json(shared: Caller) -> None:
    made = send(shared, b"\xef\xbb\xbf" + json.dumps({"Name": "ü 漢字 😀"}, ensure_ascii=False).encode())

    assert made.status == 201
    assert shared.get(f"/sobjects/Account/{made.json()['id']}").json()["Name"] == "ü 漢字 😀"


@pytest.mark.parametrize(
    "body",
    [
        b'{"Name": "a", "Name": "b"}',
        b'{"Name": "a",}',
        b"{'Name': 'a'}",
        b'{"Name": "a"} x',
        b'{"Name": "\x01"}',
        b'{"Name"}',
    ],
)
def test_json_that_is_not_quite_that_is_refused(shared: Caller, body: bytes) -> None:
    assert send(shared, body).error[:2] == (400, "JSON_PARSER_ERROR")


def test_numbers_and_texts_stand_for_each_other(shared: Caller) -> None:
    account = shared.create("Account", Name=5, NumberOfEmployees="10000", AnnualRevenue="1e3")
    found: dict[str, Any] = shared.get(f"/sobjects/Account/{account}").json()

    assert (found["Name"], found["NumberOfEmployees"], found["AnnualRevenue"]) == ("5", 10_000, 1000.0)


def test_a_huge_body_is_read_and_refused_for_what_it_says(shared: Caller) -> None:
    refused = send(shared, json.dumps({"Name": "x" * 3_000_000}).encode())

    assert refused.error[:2] == (400, "STRING_TOO_LONG")
