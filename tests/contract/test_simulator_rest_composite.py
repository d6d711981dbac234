"""Requests within requests: composite, batch, graph and tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lht.testing.caller import Caller

ROOT = "/services/data/v66.0"
HALTED = {
    "message": "The transaction was rolled back since another operation in the same transaction failed.",
    "errorCode": "PROCESSING_HALTED",
}


def part(name: str, method: str, path: str, body: object = None, **more: object) -> dict[str, Any]:
    found = {"referenceId": name, "method": method, "url": f"{ROOT}{path}", **more}
    return found if body is None else found | {"body": body}


def run(api: Caller, *parts: object, all_or_none: bool = False) -> list[dict[str, Any]]:
    answer = api.call("POST", "/composite", {"allOrNone": all_or_none, "compositeRequest": list(parts)})
    assert answer.status == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["compositeResponse"]
    return found


def count(api: Caller, kind: str) -> int:
    return int(api.get("/query", q=f"SELECT COUNT() FROM {kind}").json()["totalSize"])


def test_later_requests_use_what_earlier_ones_said(shared: Caller) -> None:
    account, contact, read, asked = run(
        shared,
        part("anAccount", "POST", "/sobjects/Account", {"Name": "A & B"}),
        part("aContact", "POST", "/sobjects/Contact/", {"LastName": "c", "AccountId": "@{anAccount.id}"}),
        part("aRead", "GET", "/sobjects/Account/@{anAccount.id}?fields=Name"),
        part("aQuery", "GET", "/query?q=SELECT+Account.Name+FROM+Contact+WHERE+Account.Name='@{aRead.Name}'"),
    )

    where = f"{ROOT}/sobjects/Account/{account['body']['id']}"
    assert (account["httpStatusCode"], account["httpHeaders"]) == (201, {"Location": where})
    assert (contact["httpStatusCode"], contact["referenceId"]) == (201, "aContact")
    assert read["body"]["Name"] == "A & B"
    assert asked["body"]["records"][0]["Account"]["Name"] == "A & B"
    assert [list(one) for one in (account, read)] == [
        ["body", "httpHeaders", "httpStatusCode", "referenceId"]
    ] * 2


def test_only_what_depends_on_a_failure_fails_with_it(api: Caller) -> None:
    first, second, third = run(
        api,
        part("bad", "POST", "/sobjects/Account", {}),
        part("child", "POST", "/sobjects/Contact", {"LastName": "c", "AccountId": "@{bad.id}"}),
        part("other", "POST", "/sobjects/Account", {"Name": "b"}),
    )

    message = "Required fields are missing: [Name]"
    missing = {"message": message, "errorCode": "REQUIRED_FIELD_MISSING", "fields": ["Name"]}
    assert (first["httpStatusCode"], first["body"]) == (400, [missing])
    reference = "Invalid reference specified. No value for bad.id found in bad"
    assert (second["httpStatusCode"], second["body"]) == (
        400,
        [{"message": reference, "errorCode": "PROCESSING_HALTED"}],
    )
    assert third["httpStatusCode"] == 201


def test_all_or_none_leaves_nothing_and_says_which_failed(api: Caller) -> None:
    found = run(
        api,
        part("a", "POST", "/sobjects/Account", {"Name": "a"}),
        part("seen", "GET", "/sobjects/Account/@{a.id}"),
        part("bad", "POST", "/sobjects/Contact", {}),
        part("c", "POST", "/sobjects/Account", {"Name": "c"}),
        all_or_none=True,
    )

    assert [one["httpStatusCode"] for one in found] == [400] * 4
    assert [one["body"] == [HALTED] for one in found] == [True, True, False, True]
    assert found[2]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert count(api, "Account") == 0


def test_all_or_none_keeps_all_and_reads_its_own_writes(api: Caller) -> None:
    found = run(
        api,
        part("a", "POST", "/sobjects/Account", {"Name": "a"}),
        part("rows", "GET", "/query/?q=SELECT+Id,Name+FROM+Account"),
        part("gone", "DELETE", "/sobjects/Account/@{rows.records[0].Id}"),
        all_or_none=True,
    )

    assert [one["httpStatusCode"] for one in found] == [201, 200, 204]
    assert found[1]["body"]["records"][0]["Name"] == "a"
    assert found[2]["body"] is None
    assert count(api, "Account") == 0


def test_a_query_of_several_pages_can_stand_with_writes_that_are_all_or_none(api: Caller) -> None:
    people = [{"attributes": {"type": "Contact"}, "LastName": "a"}]
    for number in (200, 1):
        api.call("POST", "/composite/sobjects", {"records": people * number})
    options = {"Sforce-Query-Options": "batchSize=200"}
    _, asked, _ = run(
        api,
        part("a", "POST", "/sobjects/Account", {"Name": "a"}),
        part("q", "GET", "/query?q=SELECT+Id+FROM+Contact", httpHeaders=options),
        part("b", "POST", "/sobjects/Account", {"Name": "b"}),
        all_or_none=True,
    )

    further = api.get(asked["body"]["nextRecordsUrl"]).json()
    assert (len(asked["body"]["records"]), len(further["records"])) == (200, 1)
    assert count(api, "Account") == 2


@pytest.mark.parametrize(
    ("outer", "inner", "left"), [(False, False, 2), (False, True, 1), (True, True, 0), (True, False, 0)]
)
def test_the_flags_of_composite_and_collection_work_together(
    api: Caller, *, outer: bool, inner: bool, left: int
) -> None:
    records = [{"attributes": {"type": "Account"}, **fields} for fields in ({"Name": "a"}, {})]
    found = run(
        api,
        part("many", "POST", "/composite/sobjects", {"allOrNone": inner, "records": records}),
        part("one", "POST", "/sobjects/Account", {"Name": "b"}),
        all_or_none=outer,
    )

    assert found[0]["httpStatusCode"] == 200
    assert [one["success"] for one in found[0]["body"]] == [not inner, False]
    assert found[1]["body"] == [HALTED] if outer else found[1]["httpStatusCode"] == 201
    assert count(api, "Account") == left


def test_a_composite_is_one_call_however_much_it_holds(api: Caller) -> None:
    before = api.get("/limits").headers["sforce-limit-info"]
    run(api, *(part(f"r{n}", "POST", "/sobjects/Account", {"Name": "a"}) for n in range(25)))

    assert (before, api.get("/limits").headers["sforce-limit-info"]) == (
        "api-usage=1/15000",
        "api-usage=3/15000",
    )


def test_more_than_twenty_five_are_refused_in_composites_own_form(api: Caller) -> None:
    parts = [part(f"r{n}", "POST", "/sobjects/Account", {"Name": "a"}) for n in range(26)]
    answer = api.call("POST", "/composite", {"compositeRequest": parts})

    message = "The request can’t contain more than 25 operations."  # noqa: RUF001 - Salesforce's own mark
    entry = {
        "body": [{"message": message, "errorCode": "LIMIT_EXCEEDED"}],
        "httpHeaders": {},
        "httpStatusCode": 400,
        "referenceId": None,
    }
    assert (answer.status, answer.json()) == (400, {"compositeResponse": [entry]})
    assert count(api, "Account") == 0


def test_five_queries_and_collections_are_the_most(shared: Caller) -> None:
    parts = [part(f"r{n}", "GET", "/query?q=SELECT+Id+FROM+User") for n in range(6)]

    assert [one["httpStatusCode"] for one in run(shared, *parts[:5])] == [200] * 5
    assert shared.call("POST", "/composite", {"compositeRequest": parts}).status == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"compositeRequest": []},
        {"compositeRequest": [1]},
        {"compositeRequest": [{"method": "GET", "url": f"{ROOT}/limits"}]},
        {"compositeRequest": [part("a", "get", "/sobjects")]},
        {"compositeRequest": [part("a b", "GET", "/sobjects")]},
        {"compositeRequest": [part("a", "GET", "/sobjects")] * 2},
        {"compositeRequest": [part("a", "GET", "/sobjects", httpHeaders={"accept": "x"})]},
        {"compositeRequest": [part("a", "GET", "/sobjects", httpHeaders=1)]},
        {"compositeRequest": [part("a", "GET", "/sobjects")], "allOrNone": "yes"},
    ],
    ids=str,
)
def test_a_body_that_is_no_composite_is_refused_whole(shared: Caller, body: dict[str, Any]) -> None:
    answer = shared.call("POST", "/composite", body)

    assert (answer.status, answer.json()["compositeResponse"][0]["referenceId"]) == (400, None)


def test_what_cannot_be_within_another_request_is_refused_alone(shared: Caller) -> None:
    paths = ("/limits", "/composite", "/jobs/query", "/nothing")
    found = run(
        shared, *(part(f"r{n}", "GET", path) for n, path in enumerate(paths)), part("ok", "GET", "/sobjects")
    )

    assert [one["httpStatusCode"] for one in found] == [400] * 4 + [200]
    assert {one["body"][0]["errorCode"] for one in found[:4]} == {"PROCESSING_HALTED"}


def test_a_wrong_method_or_address_fails_alone(shared: Caller) -> None:
    found = run(
        shared,
        part("a", "DELETE", "/sobjects/Account"),
        part("b", "GET", "/sobjects/Nope"),
        part("c", "GET", "/query"),
        part("d", "GET", "/sobjects") | {"url": "/services/data/v20.0/sobjects"},
    )

    assert [one["httpStatusCode"] for one in found] == [405, 404, 400, 410]


def test_the_content_of_a_file_is_refused_within_another_request(shared: Caller) -> None:
    account = shared.create("Account", Name="a")
    file = shared.create("Attachment", Name="f", ParentId=account, Body="b25l")
    found = run(shared, part("a", "GET", f"/sobjects/Attachment/{file}/Body"), part("b", "GET", "/sobjects"))

    assert [one["httpStatusCode"] for one in found] == [400, 200]


def test_names_with_other_characters_were_taken_before_52(api: Caller) -> None:
    parts = (
        part("ref[1]", "POST", "/sobjects/Account", {"Name": "a"}),
        part("child", "POST", "/sobjects/Contact", {"LastName": "b", "AccountId": "@{ref[1].id}"}),
    )
    new = api.call("POST", "/composite", {"compositeRequest": parts})
    api.version = "v51.0"
    first, second = run(api, *parts)

    message = "Invalid reference specified. No value for ref[1].id found in ref"
    assert (new.status, first["httpStatusCode"], first["referenceId"]) == (400, 201, "ref[1]")
    assert second["body"] == [{"message": message, "errorCode": "PROCESSING_HALTED"}]


def test_null_can_be_referred_to_since_52(api: Caller) -> None:
    contact = api.create("Contact", LastName="b")
    parts = (
        part("a", "GET", f"/sobjects/Contact/{contact}"),
        part("b", "POST", "/sobjects/Contact", {"LastName": "@{a.LastName}", "FirstName": "@{a.FirstName}"}),
    )
    new = run(api, *parts)[1]["httpStatusCode"]
    api.version = "v51.0"
    old = run(api, *parts)[1]["httpStatusCode"]

    assert (new, old) == (201, 400)


@pytest.mark.parametrize(
    "reference",
    ["a.Nope", "a.Name.x", "nope.id", "a[0]", "a.attributes", "a.", "", "a.Name[0", "a.records[99999999999]"],
)
def test_a_reference_that_leads_nowhere_is_refused(shared: Caller, reference: str) -> None:
    account = shared.create("Account", Name="a")
    parts = (
        part("a", "GET", f"/sobjects/Account/{account}"),
        part("b", "POST", "/sobjects/Account", {"Name": f"@{{{reference}}}"}),
    )

    assert run(shared, *parts)[1]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_headers_of_an_inner_request_are_its_own(shared: Caller) -> None:
    seeded = {"Name": "a"}
    found = run(
        shared,
        part("a", "POST", "/sobjects/Account", seeded),
        part("b", "GET", "/sobjects/Account/@{a.id}"),
        part(
            "c",
            "GET",
            "/sobjects/Account/@{a.id}",
            httpHeaders={"If-Modified-Since": "Tue, 10 Aug 2055 00:00:00 GMT"},
        ),
        part("d", "GET", "/sobjects/Account/@{a.id}", httpHeaders={"If-None-Match": '"nope"'}),
    )

    assert [one["httpStatusCode"] for one in found] == [201, 200, 200, 200]
    assert sorted(found[1]["httpHeaders"]) == ["ETag", "Last-Modified"]


def test_a_batch_runs_each_alone_and_counts_each(api: Caller) -> None:
    requests = [
        {"method": "POST", "url": "v66.0/sobjects/Account", "richInput": {"Name": "a"}},
        {"method": "GET", "url": "v66.0/sobjects/Nope"},
        {"method": "GET", "url": "/services/data/v66.0/query?q=SELECT+Name+FROM+Account"},
    ]
    answer = api.call("POST", "/composite/batch", {"batchRequests": requests})
    found = answer.json()

    assert (answer.status, found["hasErrors"]) == (200, True)
    assert [one["statusCode"] for one in found["results"]] == [201, 404, 200]
    assert found["results"][2]["result"]["records"][0]["Name"] == "a"
    assert answer.headers["sforce-limit-info"] == "api-usage=3/15000"


def test_a_batch_halts_when_told_to(api: Caller) -> None:
    requests = [
        {"method": "GET", "url": "v66.0/sobjects/Nope"},
        {"method": "POST", "url": "v66.0/sobjects/Account", "richInput": {"Name": "a"}},
    ]
    found = api.call("POST", "/composite/batch", {"batchRequests": requests, "haltOnError": True}).json()

    assert found["results"][1]["statusCode"] == 412
    assert found["results"][1]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
    assert count(api, "Account") == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"batchRequests": [1]},
        {"batchRequests": [{}]},
        {"batchRequests": [{"method": "GET", "url": "v66.0/limits"}] * 26},
    ],
    ids=lambda body: str(body)[:40],
)
def test_a_body_that_is_no_batch_is_refused(shared: Caller, body: dict[str, Any]) -> None:
    assert shared.call("POST", "/composite/batch", body).status == 400


def test_graphs_stand_or_fall_each_for_itself(api: Caller) -> None:
    def graph(name: str, *parts: object) -> dict[str, Any]:
        return {"graphId": name, "compositeRequest": list(parts)}

    account = part("a", "POST", "/sobjects/Account", {"Name": "a"})
    child = part("b", "POST", "/sobjects/Contact", {"LastName": "c", "AccountId": "@{a.id}"})
    wrong = part("b", "POST", "/sobjects/Contact", {"AccountId": "@{a.id}"})
    answer = api.call(
        "POST", "/composite/graph", {"graphs": [graph("1", account, child), graph("2", account, wrong)]}
    )
    first, second = answer.json()["graphs"]

    assert (answer.status, first["graphId"], first["isSuccessful"], second["isSuccessful"]) == (
        200,
        "1",
        True,
        False,
    )
    assert [one["httpStatusCode"] for one in first["graphResponse"]["compositeResponse"]] == [201, 201]
    assert second["graphResponse"]["compositeResponse"][0]["body"] == [HALTED]
    assert (count(api, "Account"), count(api, "Contact")) == (1, 1)


@pytest.mark.parametrize(
    "graphs",
    [
        None,
        [1],
        [{"compositeRequest": [part("a", "GET", "/sobjects/Account/x")]}],
        [{"graphId": "1", "compositeRequest": [part("a", "GET", "/query?q=x")]}],
        [
            {
                "graphId": "1",
                "compositeRequest": [part(f"r{n}", "POST", "/sobjects/Account", {}) for n in range(501)],
            }
        ],
    ],
    ids=lambda graphs: str(graphs)[:40],
)
def test_a_body_that_is_no_graph_is_refused(shared: Caller, graphs: object) -> None:
    assert shared.call("POST", "/composite/graph", {"graphs": graphs}).status == 400


def node(kind: str, name: str, **fields: object) -> dict[str, Any]:
    return {"attributes": {"type": kind, "referenceId": name}, **fields}


def test_a_tree_makes_parents_before_their_children(api: Caller) -> None:
    records = [
        node("Account", "r1", Name="a", Contacts={"records": [node("Contact", "r2", LastName="c")]}),
        node("Account", "r3", Name="b", ChildAccounts={"records": [node("Account", "r4", Name="d")]}),
    ]
    answer = api.call("POST", "/composite/tree/Account", {"records": records})
    found = answer.json()

    assert (answer.status, found["hasErrors"]) == (201, False)
    assert [one["referenceId"] for one in found["results"]] == ["r1", "r3", "r2", "r4"]
    parents = api.get("/query", q="SELECT Account.Name FROM Contact").json()["records"]
    assert parents[0]["Account"]["Name"] == "a"


def test_a_tree_that_has_a_fault_is_not_made_at_all(api: Caller) -> None:
    bad = node("Contact", "r2", LastName="c", Email="123")
    records = [node("Account", "r1", Name="a", Contacts={"records": [bad]}), node("Account", "r3", Name="b")]
    answer = api.call("POST", "/composite/tree/Account", {"records": records})

    error = {
        "statusCode": "INVALID_EMAIL_ADDRESS",
        "message": "Email: invalid email address: 123",
        "fields": ["Email"],
    }
    assert (answer.status, answer.json()) == (
        400,
        {"hasErrors": True, "results": [{"referenceId": "r2", "errors": [error]}]},
    )
    assert count(api, "Account") == 0


@pytest.mark.parametrize(
    "records",
    [
        None,
        [1],
        [{"Name": "a"}],
        [node("Contact", "r1", LastName="a")],
        [node("Account", "r1", Name="a")] * 2,
        [node("Account", f"r{n}", Name="a") for n in range(201)],
    ],
    ids=lambda records: str(records)[:40],
)
def test_a_body_that_is_no_tree_is_refused(api: Caller, records: object) -> None:
    assert api.call("POST", "/composite/tree/Account", {"records": records}).status == 400
    assert count(api, "Account") == 0


def test_the_resources_of_composite_are_listed(shared: Caller) -> None:
    found = shared.get("/composite").json()

    assert found["sobjects"] == f"{ROOT}/composite/sobjects"
    assert sorted(found) == ["batch", "graph", "sobjects", "tree"]
