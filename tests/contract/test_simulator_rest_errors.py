"""Every kind of refusal that the REST resources know, with its exact code and words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.testing.simulator import AdminError

if TYPE_CHECKING:
    from lht.testing.caller import Caller

ROOT = "/services/data/v66.0"
NOT_FOUND = "The requested resource does not exist"


def entry(reply_json: Any) -> dict[str, Any]:
    (found,) = reply_json
    return dict(found)


def test_300_several_records_with_one_external_id(api: Caller) -> None:
    people = [api.create("Contact", LastName=name, Email="same@example.com") for name in "ab"]
    found = api.get("/sobjects/Contact/Email/same@example.com")

    assert (found.status, found.json()) == (300, [f"{ROOT}/sobjects/Contact/{person}" for person in people])


def test_304_what_the_caller_has(shared: Caller) -> None:
    moment = shared.get("/sobjects").headers["last-modified"]

    assert shared.get("/sobjects", headers={"If-Modified-Since": moment}).status == 304


def test_400_a_column_that_is_not_there(shared: Caller) -> None:
    message = (
        "\nSELECT Nope FROM Account\n       ^\nERROR at Row:1:Column:8\nNo such column 'Nope' on entity 'Account'. "
        "If you are attempting to use a custom field, be sure to append the '__c' after the custom field name. "
        "Please reference your WSDL or the describe call for the appropriate names."
    )

    assert shared.get("/query", q="SELECT Nope FROM Account").json() == [
        {"message": message, "errorCode": "INVALID_FIELD"}
    ]


def test_400_a_hidden_field_is_as_one_that_is_not_there(api: Caller) -> None:
    api.org.admin.hide_field("Account", "Industry")

    for soql in ("SELECT Industry FROM Account", "SELECT Nope1234 FROM Account"):
        found = api.get("/query", q=soql)
        assert found.error[:2] == (400, "INVALID_FIELD")
    hidden = api.get("/query", q="SELECT Industry FROM Account").error[2]
    assert hidden == found.error[2].replace("Nope1234", "Industry")


def test_400_an_object_that_is_not_there(shared: Caller) -> None:
    found = shared.get("/query", q="select count() from XYZZY").error

    start = (
        "\nselect count() from XYZZY\n                    ^\nERROR at Row:1:Column:21\nsObject type 'XYZZY' is not "
        "supported. If you are attempting to use a custom object, be sure to append the '__c' after the entity name."
    )
    assert found[:2] == (400, "INVALID_TYPE")
    assert found[2].startswith(start)


def test_400_soql_that_is_none(shared: Caller) -> None:
    assert shared.get("/query", q="invalid").error == (400, "MALFORMED_QUERY", "unexpected token: 'invalid'")


@pytest.mark.parametrize(
    ("name", "body", "error"),
    [
        ("Account", {}, ("REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", "Name")),
        (
            "Contact",
            {"LastName": "a", "Email": "nope"},
            ("INVALID_EMAIL_ADDRESS", "Email: invalid email address: nope", "Email"),
        ),
    ],
)
def test_400_a_value_that_will_not_do(
    shared: Caller, name: str, body: object, error: tuple[str, str, str]
) -> None:
    found = shared.call("POST", f"/sobjects/{name}", body)

    code, message, field = error
    assert found.status == 400
    assert entry(found.json()) == {"message": message, "errorCode": code, "fields": [field]}


def test_400_a_value_that_another_record_holds(api: Caller) -> None:
    first = api.create("Account", Name="a", ExternalId__c="k")
    found = api.call("POST", "/sobjects/Account", {"Name": "b", "ExternalId__c": "k"})

    message = f"duplicate value found: ExternalId__c duplicates value on record with id: {first}"
    assert found.status == 400
    assert entry(found.json()) == {"message": message, "errorCode": "DUPLICATE_VALUE", "fields": []}


def test_400_an_id_of_another_object(shared: Caller) -> None:
    contact = shared.create("Contact", LastName="a")
    found = shared.call("PATCH", f"/sobjects/Account/{contact}", {"Name": "b"})

    message = f"Account ID: id value of incorrect type: {contact}"
    assert found.status == 400
    assert entry(found.json()) == {"message": message, "errorCode": "MALFORMED_ID", "fields": ["Id"]}


def test_400_a_cursor_that_has_expired(shared: Caller) -> None:
    assert shared.get("/query/01g000000000001AAA-2000").error[:2] == (400, "INVALID_QUERY_LOCATOR")


def test_401_no_session(api: Caller) -> None:
    api.org.admin.expire_sessions()
    for headers in (api.headers, {}, {"Authorization": "Bearer nope"}):
        for path in ("/limits", "/nothing", "/sobjects/Nope__c"):
            reply = api.raw("GET", f"{ROOT}{path}", headers=headers)
            assert reply.error == (401, "INVALID_SESSION_ID", "Session expired or invalid")
            assert "sforce-limit-info" not in reply.headers


@pytest.mark.parametrize(
    ("setting", "code", "message"),
    [
        (
            "api_enabled_for_org",
            "API_DISABLED_FOR_ORG",
            "The REST API is not enabled for this Organization.",
        ),
        ("api_enabled_for_user", "API_CURRENTLY_DISABLED", "API is disabled for this User"),
    ],
)
def test_403_the_api_is_switched_off(api: Caller, setting: str, code: str, message: str) -> None:
    api.org.admin.change_settings(**{setting: False})
    refused = [api.get(path).error for path in ("/limits", "/query", "/jobs/query")]
    api.org.admin.change_settings(**{setting: True})

    assert refused == [(403, code, message)] * 3
    assert api.get("/limits").status == 200
    with pytest.raises(AdminError, match=setting):
        api.org.admin.change_settings(**{setting: "no"})


def test_403_too_many_requests(api: Caller) -> None:
    api.org.admin.change_settings(limits={"DailyApiRequests": 0})

    assert api.get("/limits").error == (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


NOT_SERVED = [
    "/nothing", "/search?q=FIND+{a}", "/parameterizedSearch?q=a", "/recent", "/tabs", "/theme", "/analytics/reports",
    "/sobjects/Account/describe/layouts", "/sobjects/Account/describe/layouts/012000000000000AAA",
    "/sobjects/Account/describe/compactLayouts", "/sobjects/Account/describe/approvalLayouts", "/sobjects/Account/quickActions",
    "/sobjects/Account/listviews", "/chatter/users/me", "/tooling/query?q=SELECT+Id+FROM+ApexClass", "/process/rules",
    "/actions/standard", "/quickActions", "/appMenu/AppSwitcher", "/connect", "/ui-api/records/x", "/support", "/composite/nothing",
]  # fmt: skip


@pytest.mark.parametrize("path", NOT_SERVED)
def test_404_what_is_not_served(shared: Caller, path: str) -> None:
    reply = shared.call("GET", f"{ROOT}{path}")

    assert reply.error == (404, "NOT_FOUND", NOT_FOUND)
    assert reply.headers["sforce-limit-info"].startswith("api-usage=")


def test_404_a_record_or_object_that_is_not_there(shared: Caller) -> None:
    contact = shared.create("Contact", LastName="a")
    paths = (
        "Nope__c",
        "Nope__c/describe",
        "Account/001000000000000AAA",
        "Account/nonsense",
        f"Account/{contact}",
    )
    for path in paths:
        assert shared.get(f"/sobjects/{path}").error == (404, "NOT_FOUND", NOT_FOUND)
    assert shared.call("POST", "/sobjects/Nope__c", {"Name": "a"}).error == (404, "NOT_FOUND", NOT_FOUND)


def test_404_a_record_that_was_deleted(shared: Caller) -> None:
    where = f"/sobjects/Account/{shared.create('Account', Name='a')}"
    shared.call("DELETE", where)

    for method, body in (("GET", None), ("PATCH", {"Name": "b"}), ("DELETE", None)):
        assert shared.call(method, where, body).error == (404, "ENTITY_IS_DELETED", "entity is deleted")


def test_404_a_field_that_is_no_external_id(shared: Caller) -> None:
    message = "Provided external ID field does not exist or is not accessible: Foo__c"
    for method, body in (("GET", None), ("PATCH", {"Name": "b"}), ("DELETE", None)):
        assert shared.call(method, "/sobjects/Account/Foo__c/x", body).error == (404, "NOT_FOUND", message)


def test_405_a_method_that_a_resource_lacks(shared: Caller) -> None:
    refused = shared.call("DELETE", "/query")

    assert refused.error == (
        405,
        "METHOD_NOT_ALLOWED",
        "HTTP Method 'DELETE' not allowed. Allowed are HEAD,GET",
    )
    assert refused.headers["sforce-limit-info"].startswith("api-usage=")


def test_409_a_job_of_another_version(api: Caller) -> None:
    job = api.finished_job("SELECT Id FROM Account")["id"]
    api.version = "v60.0"

    assert api.get(f"/jobs/query/{job}/results").status == 409


@pytest.mark.parametrize("number", [7, 20, 30])
def test_410_a_retired_version(shared: Caller, number: int) -> None:
    refused = shared.call("GET", f"/services/data/v{number}.0/limits")

    assert refused.error == (410, "GONE", f"The API version {number}.0 is retired and unavailable")


@pytest.mark.parametrize("version", ["v6.0", "v31.0", "v39.0", "v67.0", "v66.1", "latest"])
def test_404_a_version_that_this_org_does_not_speak(shared: Caller, version: str) -> None:
    assert shared.call("GET", f"/services/data/{version}/limits").error == (404, "NOT_FOUND", NOT_FOUND)


def test_412_a_condition_that_is_not_met(shared: Caller) -> None:
    where = f"/sobjects/Account/{shared.create('Account', Name='a')}"
    refused = shared.call("PATCH", where, {"Name": "b"}, headers={"If-Match": '"x"'})

    message = "A precondition that the request's headers specify is not satisfied"
    assert refused.error == (412, "PRECONDITION_FAILED", message)


def test_414_and_431_too_long(shared: Caller) -> None:
    long = shared.raw("GET", f"{ROOT}/query?q={'x' * 17_000}", headers=shared.headers)
    wide = shared.raw("GET", f"{ROOT}/limits", headers=shared.headers | {"X-Wide": "x" * 17_000})

    assert [long.error[:2], wide.error[:2]] == [(414, "URI_TOO_LONG"), (431, "REQUEST_HEADER_TOO_LARGE")]


def test_415_xml(shared: Caller) -> None:
    headers = shared.headers | {"Content-Type": "application/xml"}
    for method, path in (
        ("POST", "/sobjects/Account"),
        ("POST", "/composite"),
        ("POST", "/composite/sobjects"),
    ):
        refused = shared.raw(method, f"{ROOT}{path}", b"<Account/>", headers)
        message = "MediaType of 'application/xml' is not supported by this resource"
        assert refused.error == (415, "UNSUPPORTED_MEDIA_TYPE", message)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "INVALID_SESSION_ID"), (403, "REQUEST_LIMIT_EXCEEDED"), (404, "NOT_FOUND"), (406, "UNKNOWN_EXCEPTION"),
        (409, "UNKNOWN_EXCEPTION"), (420, "UNKNOWN_EXCEPTION"), (428, "UNKNOWN_EXCEPTION"),
        (429, "REQUEST_LIMIT_EXCEEDED"), (500, "UNKNOWN_EXCEPTION"), (502, "UNKNOWN_EXCEPTION"),
        (503, "SERVER_UNAVAILABLE"),
    ],
)  # fmt: skip
def test_on_demand_any_status(shared: Caller, status: int, code: str) -> None:
    shared.org.admin.fault("status", status=status, path="*/sobjects")
    refused = shared.get("/sobjects").error

    assert refused[:2] == (status, code)
    assert shared.get("/sobjects").status == 200


def test_on_demand_with_words_of_ones_own(shared: Caller) -> None:
    shared.org.admin.fault("status", status=428, code="PRECONDITION_REQUIRED", message="be conditional")

    assert shared.get("/limits").error == (428, "PRECONDITION_REQUIRED", "be conditional")
