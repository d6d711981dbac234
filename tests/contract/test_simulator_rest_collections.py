"""Collections: many records written or read by one request."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lht.testing.caller import Caller

COLLECTION = "/composite/sobjects"
ROLLED_BACK = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
    "fields": [],
}


def record(kind: str = "Account", **fields: object) -> dict[str, Any]:
    return {"attributes": {"type": kind}, **fields}


def send(
    api: Caller, method: str, *records: object, path: str = COLLECTION, all_or_none: bool = False
) -> Any:
    answer = api.call(method, path, {"allOrNone": all_or_none, "records": list(records)})
    assert answer.status == 200, answer.text
    return answer.json()


def names(api: Caller, kind: str = "Account") -> list[str]:
    found = api.get("/query", q=f"SELECT Name FROM {kind} ORDER BY Name").json()
    return [row["Name"] for row in found["records"]]


def test_records_of_several_objects_are_made_in_order(api: Caller) -> None:
    made = send(api, "POST", record(Name="a"), record("Contact", LastName="b"), record(Name="c"))

    assert [one["id"][:3] for one in made] == ["001", "003", "001"]
    assert [sorted(one) for one in made] == [["errors", "id", "success"]] * 3
    assert (names(api), names(api, "Contact")) == (["a", "c"], ["b"])


def test_a_refused_record_leaves_the_others_and_has_no_id(api: Caller) -> None:
    made = send(api, "POST", record(Name="a"), record(), record("Contact", LastName="b", Email="nope"))

    assert made[1:] == [
        {
            "success": False,
            "errors": [
                {
                    "statusCode": "REQUIRED_FIELD_MISSING",
                    "message": "Required fields are missing: [Name]",
                    "fields": ["Name"],
                }
            ],
        },
        {
            "success": False,
            "errors": [
                {
                    "statusCode": "INVALID_EMAIL_ADDRESS",
                    "message": "Email: invalid email address: nope",
                    "fields": ["Email"],
                }
            ],
        },
    ]
    assert (names(api), names(api, "Contact")) == (["a"], [])


def test_all_or_none_leaves_nothing_of_any(api: Caller) -> None:
    made = send(api, "POST", record(Name="a"), record(), record(Name="c"), all_or_none=True)

    assert [one["success"] for one in made] == [False] * 3
    assert [one["errors"][0]["statusCode"] for one in made][1] == "REQUIRED_FIELD_MISSING"
    assert [made[0], made[2]] == [{"success": False, "errors": [ROLLED_BACK]}] * 2
    assert names(api) == []


def test_all_or_none_keeps_all_that_are_right(api: Caller) -> None:
    made = send(api, "POST", record(Name="a"), record(Name="b"), all_or_none=True)

    assert [one["success"] for one in made] == [True, True]
    assert names(api) == ["a", "b"]


def test_changes_name_their_record(api: Caller) -> None:
    account, contact = api.create("Account", Name="a"), api.create("Contact", LastName="b")
    other = api.create("Account", Name="z")
    changed = send(
        api,
        "PATCH",
        record(id=account, Name="A"),
        record("Contact", Id=contact[:15], LastName="B"),
        record(Name="c"),
        record("Contact", Id=other, LastName="d"),
        record(Id="001000000000000AAA", Name="e"),
    )

    assert changed[:2] == [
        {"id": account, "success": True, "errors": []},
        {"id": contact, "success": True, "errors": []},
    ]
    assert [(one["errors"][0]["statusCode"], one["errors"][0]["message"]) for one in changed[2:]] == [
        ("MISSING_ARGUMENT", "Id not specified in an update call"),
        ("MALFORMED_ID", f"Contact ID: id value of incorrect type: {other}"),
        ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id"),
    ]
    assert (names(api), names(api, "Contact")) == (["A", "z"], ["B"])


def test_a_record_cannot_be_changed_twice_in_a_call(api: Caller) -> None:
    account = api.create("Account", Name="a")
    changed = send(api, "PATCH", record(Id=account, Name="b"), record(Id=account[:15], Name="c"))

    assert [one["errors"][0]["statusCode"] for one in changed] == ["DUPLICATE_VALUE"] * 2
    assert names(api) == ["a"]


def test_changes_are_all_or_none_too(api: Caller) -> None:
    account = api.create("Account", Name="a")
    changed = send(
        api, "PATCH", record(Id=account, Name="b"), record(Id=account[:-1], Name="c"), all_or_none=True
    )

    assert changed[0] == {"success": False, "errors": [ROLLED_BACK]}
    assert names(api) == ["a"]


@pytest.mark.parametrize("all_or_none", [True, False])
def test_deletions_are_told_one_by_one(api: Caller, *, all_or_none: bool) -> None:
    account, contact = api.create("Account", Name="a"), api.create("Contact", LastName="b")
    wanted = f"{account},{contact},001RM000003oLrB!!!"
    flag = str(all_or_none).lower()
    found = api.call("DELETE", COLLECTION, ids=wanted, allOrNone=flag).json()

    bad = {"statusCode": "MALFORMED_ID", "message": "malformed id 001RM000003oLrB!!!", "fields": []}
    assert found[2] == {"success": False, "errors": [bad]}
    if all_or_none:
        assert found[:2] == [{"success": False, "errors": [ROLLED_BACK]}] * 2
    else:
        assert found[:2] == [{"id": one, "success": True, "errors": []} for one in (account, contact)]
    assert names(api) == (["a"] if all_or_none else [])


def test_upserts_say_what_they_created(api: Caller) -> None:
    account = api.create("Account", Name="a", ExternalId__c="K1")
    path = f"{COLLECTION}/Account/ExternalId__c"
    found = send(
        api, "PATCH", record(Name="A", ExternalId__c="k1"), record(Name="b", externalid__c="k2"), path=path
    )

    assert found[0] == {"id": account, "success": True, "errors": [], "created": False}
    assert (found[1]["created"], names(api)) == (True, ["A", "b"])


def test_a_key_that_stands_twice_in_a_call_is_refused_for_both(api: Caller) -> None:
    path = f"{COLLECTION}/Account/ExternalId__c"
    found = send(
        api,
        "PATCH",
        record(Name="a", ExternalId__c="k1"),
        record(Name="b", ExternalId__c="K1 "),
        record(Name="c", ExternalId__c="k2"),
        record(Name="d"),
        path=path,
    )

    twice = {"statusCode": "DUPLICATE_VALUE", "message": "duplicate external id specified", "fields": []}
    assert found[:2] == [{"success": False, "errors": [twice]}] * 2
    assert (found[2]["created"], found[3]["errors"][0]["statusCode"]) == (True, "MISSING_ARGUMENT")
    assert names(api) == ["c"]


def test_upserts_by_id_make_what_has_none(api: Caller) -> None:
    account = api.create("Account", Name="a")
    path = f"{COLLECTION}/Account/Id"
    found = send(
        api, "PATCH", record(Id=None, Name="b"), record(Id=account, Name="A"), record(Name="c"), path=path
    )

    assert [one["created"] for one in found] == [True, False, True]
    assert names(api) == ["A", "b", "c"]


def test_upserts_by_a_lookup_field_that_is_no_external_id(api: Caller) -> None:
    path = f"{COLLECTION}/Contact/Email"
    people = [record("Contact", LastName=name, Email=f"{name}@example.com") for name in "ab"]
    first, second = send(api, "PATCH", *people, path=path), send(api, "PATCH", *people, path=path)

    assert [one["created"] for one in first + second] == [True, True, False, False]
    for name in "cd":
        api.create("Contact", LastName=name, Email="same@example.com")
    (shared,) = send(api, "PATCH", record("Contact", LastName="e", Email="same@example.com"), path=path)
    assert shared["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"


def test_a_field_that_is_no_key_is_not_found(shared: Caller) -> None:
    refused = shared.call("PATCH", f"{COLLECTION}/Account/Foo__c", {"records": [record(Name="a")]})

    message = "Provided external ID field does not exist or is not accessible: Foo__c"
    assert refused.error == (404, "NOT_FOUND", message)


def test_a_value_that_is_unique_within_the_call_too(api: Caller) -> None:
    made = send(api, "POST", record(Name="a", ExternalId__c="k"), record(Name="b", ExternalId__c="k"))

    message = f"duplicate value found: ExternalId__c duplicates value on record with id: {made[0]['id']}"
    assert made[1]["errors"][0]["message"] == message
    assert names(api) == ["a"]


@pytest.mark.parametrize(
    ("method", "number", "most"), [("POST", 201, 200), ("PATCH", 201, 200), ("DELETE", 201, 200)]
)
def test_more_than_two_hundred_are_refused(shared: Caller, method: str, number: int, most: int) -> None:
    if method == "DELETE":
        answer = shared.call("DELETE", COLLECTION, ids=",".join(["001000000000000AAA"] * number))
    else:
        answer = shared.call(method, COLLECTION, {"records": [record(Name="a")] * number})

    message = f"record limit reached. cannot submit more than {most} records into this call"
    assert answer.error == (400, "EXCEEDED_ID_LIMIT", message)


def test_ten_runs_of_one_object_are_the_most(api: Caller) -> None:
    mixed = [record(Name="a"), record("Contact", LastName="b")] * 5
    assert [one["success"] for one in send(api, "POST", *mixed)] == [True] * 10

    refused = api.call("POST", COLLECTION, {"records": [*mixed, record(Name="c")]})
    assert refused.error[:2] == (400, "LIMIT_EXCEEDED")
    assert "10 chunks" in refused.error[2]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"records": {}},
        {"records": [1]},
        {"records": [{"Name": "a"}]},
        {"records": [{"attributes": "Account"}]},
        {"records": [], "allOrNone": "true"},
    ],
    ids=str,
)
def test_a_body_that_is_no_collection_is_refused_whole(api: Caller, body: dict[str, Any]) -> None:
    assert api.call("POST", COLLECTION, body).status == 400
    assert names(api) == []


def test_an_unknown_object_or_field_is_refused_for_its_record(shared: Caller) -> None:
    made = send(
        shared, "POST", record("Nope__c", Name="a"), record(Name="b", Nope="c"), record(Name="d", Id="x")
    )

    codes = [one["errors"][0]["statusCode"] for one in made]
    assert codes == ["INVALID_TYPE", "INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"]


def test_two_hundred_records_take_well_under_a_second(api: Caller) -> None:
    started = time.perf_counter()
    made = send(api, "POST", *(record(Name=f"a{place}") for place in range(200)))

    assert all(one["success"] for one in made)
    assert time.perf_counter() - started < 5, "generous, as this machine may be busy"


def test_records_are_read_by_their_ids_in_order(api: Caller) -> None:
    first, second = (api.create("Account", Name=name) for name in "ab")
    gone, unseen = (api.create("Account", Name=name) for name in "cd")
    api.call("DELETE", f"/sobjects/Account/{gone}")
    api.org.admin.hide_records("Account", [unseen])
    contact = api.create("Contact", LastName="e")
    wanted = [second, gone, first[:15], "nonsense", unseen, contact, second]
    by_get = api.get(f"{COLLECTION}/Account", ids=",".join(wanted), fields="id,name")
    by_post = api.call("POST", f"{COLLECTION}/Account", {"ids": wanted, "fields": ["id", "name"]})
    by_table = api.call("POST", f"{COLLECTION}/Account", {"recordIds": wanted, "fieldNames": ["id", "name"]})

    expected = [
        {
            "attributes": {"type": "Account", "url": f"/services/data/v66.0/sobjects/Account/{one}"},
            "Id": one,
            "Name": name,
        }
        for one, name in ((second, "b"), (first, "a"), (second, "b"))
    ]
    assert by_get.json() == [expected[0], None, expected[1], None, None, None, expected[2]]
    assert by_get.json() == by_post.json() == by_table.json()


def test_a_field_that_is_not_there_refuses_the_whole_reading(shared: Caller) -> None:
    account = shared.create("Account", Name="a")
    refused = shared.get(f"{COLLECTION}/Account", ids=account, fields="Name,Nope")

    assert refused.error == (400, "INVALID_FIELD", "No such column 'Nope' on sobject of type Account")
    assert shared.get(f"{COLLECTION}/Account", ids=account).status == 400
    assert shared.get(f"{COLLECTION}/Account", fields="Name").status == 400


def test_two_thousand_are_the_most_that_are_read(shared: Caller) -> None:
    account = shared.create("Account", Name="a")
    whole = shared.call("POST", f"{COLLECTION}/Account", {"ids": [account] * 2_000, "fields": ["Name"]})
    refused = shared.call("POST", f"{COLLECTION}/Account", {"ids": [account] * 2_001, "fields": ["Name"]})

    assert [one["Name"] for one in whole.json()] == ["a"] * 2_000
    assert refused.error[:2] == (400, "EXCEEDED_ID_LIMIT")


def test_parents_are_named_by_keys_of_theirs_and_by_their_object_where_there_are_several(api: Caller) -> None:
    accounts = send(api, "POST", *(record(Name=f"a{n}", ExternalId__c=f"k{n}") for n in range(100)))
    lead = api.create("Lead", LastName="l", Company="c", Email="same@example.com")
    contact = api.create("Contact", LastName="c", Email="same@example.com")
    owner = api.get("/query", q="SELECT Username, Id FROM User LIMIT 1").json()["records"][0]
    children = [
        record("Contact", LastName=f"c{n}", Account={"ExternalId__c": f"k{n % 100}"}) for n in range(198)
    ]
    found = send(
        api, "POST", *children,
        record("Contact", LastName="lost", Account={"ExternalId__c": "k999"}),
        record("Contact", LastName="null", Account={"ExternalId__c": None}),
    )  # fmt: skip
    kinds = [
        {"attributes": {"type": kind}, "Email": "Same@example.com"} for kind in ("Lead", "Contact", "Account")
    ]
    owned = {"attributes": {"type": "User"}, "Username": owner["Username"]}
    tasks = send(api, "POST", *(record("Task", Subject="t", Who=who, Owner=owned) for who in kinds))
    rows = api.get(
        "/query", q="SELECT AccountId FROM Contact WHERE LastName LIKE 'c%' AND AccountId <> null ORDER BY Id"
    )
    whom = api.get("/query", q="SELECT WhoId, OwnerId FROM Task ORDER BY Id").json()["records"]

    assert [row["AccountId"] for row in rows.json()["records"]] == [
        accounts[n % 100]["id"] for n in range(198)
    ]
    assert [one["errors"][0]["message"] for one in found[198:]] == [
        f"Foreign key external ID: {key} not found for field ExternalId__c in entity Account"
        for key in ("k999", "null")
    ]
    assert [(row["WhoId"], row["OwnerId"]) for row in whom] == [(lead, owner["Id"]), (contact, owner["Id"])]
    assert tasks[2]["errors"][0]["statusCode"] == "INVALID_FIELD"
