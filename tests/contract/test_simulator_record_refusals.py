"""Refusals of single values and references that real orgs were seen to give, each with its code and text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lht.testing.caller import Caller


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_a_checkbox_is_never_null(api: Caller, method: str) -> None:
    where = "/sobjects/Specimen__c"
    if method == "PATCH":
        where += f"/{api.create('Specimen__c', Name='a', Required__c='r')}"

    refused = api.call(method, where, {"Name": "a", "Required__c": "r", "Active__c": None})

    assert refused.error == (400, "INVALID_TYPE_ON_FIELD_IN_RECORD", "Active: value not of required type: ")
    assert refused.json()[0]["fields"] == ["Active__c"]


@pytest.mark.parametrize(
    ("field", "label", "farthest"),
    [("BillingLatitude", "Billing Latitude", 90), ("BillingLongitude", "Billing Longitude", 180)],
)
def test_a_place_is_on_earth(api: Caller, field: str, label: str, farthest: int) -> None:
    account = api.create("Account", Name="a")
    message = f"{label}: value outside of valid range on numeric field: {farthest + 1}"

    refused = api.call("PATCH", f"/sobjects/Account/{account}", {field: farthest + 1})

    assert refused.error == (400, "NUMBER_OUTSIDE_VALID_RANGE", message)
    assert api.call("PATCH", f"/sobjects/Account/{account}", {field: -farthest}).status == 204


def test_a_record_that_the_user_may_not_see_cannot_be_pointed_at(api: Caller) -> None:
    hidden = api.create("Account", Name="hidden", ExternalId__c="h")
    contact = api.create("Contact", LastName="a")
    api.org.admin.hide_records("Account", [hidden])
    said = (
        400,
        "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        f"insufficient access rights on cross-reference id: {hidden[:15]}",
    )

    for body in ({"AccountId": hidden}, {"Account": {"ExternalId__c": "h"}}):
        assert api.call("PATCH", f"/sobjects/Contact/{contact}", body).error == said
    unknown = api.call("PATCH", f"/sobjects/Contact/{contact}", {"AccountId": "001000000000ZZZ"})
    assert unknown.error[1:] == ("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")


def test_an_upsert_that_may_only_update_makes_nothing(api: Caller) -> None:
    where = "/sobjects/Account/ExternalId__c/k1"

    refused = api.call("PATCH", f"{where}?updateOnly=true", {"Name": "a"})
    made = api.call("PATCH", where, {"Name": "a"})
    changed = api.call("PATCH", f"{where}?updateOnly=true", {"Name": "b"})

    assert refused.error == (404, "NOT_FOUND", "The requested resource does not exist")
    assert (made.status, changed.status) == (201, 200)
    assert api.get(where).json()["Name"] == "b"
    assert changed.json() == made.json() | {"created": False}


def test_a_key_that_a_hidden_record_holds_is_taken(api: Caller) -> None:
    hidden = api.create("Account", Name="hidden", ExternalId__c="h")
    api.org.admin.hide_records("Account", [hidden])

    upserted = api.call("PATCH", "/sobjects/Account/ExternalId__c/h", {"Name": "a"})
    made = api.call("POST", "/sobjects/Account", {"Name": "a", "ExternalId__c": "h"})

    message = f"duplicate value found: ExternalId__c duplicates value on record with id: {hidden}"
    assert upserted.error == (404, "NOT_FOUND", "The requested resource does not exist")
    assert made.error == (400, "DUPLICATE_VALUE", message)
