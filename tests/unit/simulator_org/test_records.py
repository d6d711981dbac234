from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.simulator.errors import ApiFault
from lht.simulator.org.ids import make_id

if TYPE_CHECKING:
    from lht.simulator.org.org import Org


def refused(org: Org, object_name: str, body: dict[str, Any]) -> ApiFault:
    with pytest.raises(ApiFault) as fault:
        org.records.create(object_name, body)
    return fault.value


def test_a_new_record_gets_its_stamps_owner_and_defaults(org: Org) -> None:
    record = org.records.read("Account", org.records.create("account", {"attributes": {}, "NAME": "Acme"}))

    stamps = {record[name] for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp")}
    assert stamps == {"2024-05-01T10:20:30.000+0000"}
    assert {record[name] for name in ("CreatedById", "LastModifiedById", "OwnerId")} == {org.user_id}
    assert (record["Name"], record["IsDeleted"], record["Phone"]) == ("Acme", False, None)


def test_a_record_is_rendered_with_its_address_whole(org: Org) -> None:
    made = org.records.create("Account", {"Name": "Acme", "BillingCity": "Oslo"})

    record = org.records.read("Account", made, fields=["billingaddress", "ShippingAddress"], version="v58.0")

    assert record["attributes"]["url"] == f"/services/data/v58.0/sobjects/Account/{made}"
    assert record["BillingAddress"]["city"] == "Oslo"
    assert record["BillingAddress"]["postalCode"] is None
    assert record["ShippingAddress"] is None


@pytest.mark.parametrize(
    ("object_name", "body", "code", "message", "fields"),
    [
        ("Account", {}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ("Name",)),
        ("Account", {"Name": "  "}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", ("Name",)),
        (
            "Opportunity", {"Name": "x"}, "REQUIRED_FIELD_MISSING", "Required fields are missing: [StageName, CloseDate]",
            ("StageName", "CloseDate"),
        ),
        ("Account", {"Name": "x", "Nope": 1}, "INVALID_FIELD", "No such column 'Nope' on sobject of type Account", None),
        ("Account", {"Name": "x", "Id": "y"}, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", None),
        (
            "Account", {"Name": "x", "ParentId": make_id("003", 1)}, "FIELD_INTEGRITY_EXCEPTION",
            f"Parent Account ID: id value of incorrect type: {make_id('003', 1)}", ("ParentId",),
        ),
        (
            "Account", {"Name": "x", "ParentId": make_id("001", 99)}, "INVALID_CROSS_REFERENCE_KEY",
            "invalid cross reference id", (),
        ),
        (
            "Contact", {"LastName": "x", "Account": {"ExternalId__c": "k9"}}, "INVALID_FIELD",
            "Foreign key external ID: k9 not found for field ExternalId__c in entity Account", (),
        ),
        ("AccountHistory", {}, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "entity type cannot be inserted: Account History", ()),
    ],
)  # fmt: skip
def test_a_record_that_breaks_a_rule_is_refused_in_salesforces_words(
    org: Org,
    *,
    object_name: str,
    body: dict[str, Any],
    code: str,
    message: str,
    fields: tuple[str, ...] | None,
) -> None:
    fault = refused(org, object_name, body)

    assert (fault.status, fault.code, fault.message, fault.fields) == (400, code, message, fields)
    assert org.queries.query(f"SELECT COUNT() FROM {object_name}")["totalSize"] == 0


@pytest.mark.parametrize(
    "name", ["CreatedDate", "SystemModstamp", "IsDeleted", "CreatedById", "BillingAddress"]
)
def test_system_fields_cannot_be_written(org: Org, name: str) -> None:
    fault = refused(org, "Account", {"Name": "x", name: "y"})

    assert fault.code == "INVALID_FIELD_FOR_INSERT_UPDATE"
    assert fault.message.startswith(f"Unable to create/update fields: {name}. ")


def test_a_unique_value_may_be_held_once_in_any_letter_case(org: Org) -> None:
    first = org.records.create("Account", {"Name": "a", "ExternalId__c": "Key-1"})

    fault = refused(org, "Account", {"Name": "b", "ExternalId__c": "key-1"})

    assert fault.code == "DUPLICATE_VALUE"
    assert (
        fault.message == f"duplicate value found: ExternalId__c duplicates value on record with id: {first}"
    )


def test_a_case_sensitive_unique_value_may_differ_in_case_only(org: Org) -> None:
    org.records.create("Specimen__c", {"Code__c": "abc"})
    org.records.create("Specimen__c", {"Code__c": "ABC"})

    assert refused(org, "Specimen__c", {"Code__c": "abc"}).code == "DUPLICATE_VALUE"


def test_a_record_keeps_its_own_unique_value_on_update(org: Org) -> None:
    made = org.records.create("Account", {"Name": "a", "ExternalId__c": "k"})

    org.records.update("Account", made, {"ExternalId__c": "K"})

    assert org.records.read("Account", made)["ExternalId__c"] == "K"


def test_the_key_of_a_deleted_record_is_free_again_and_then_blocks_its_return(org: Org) -> None:
    first = org.records.create("Account", {"Name": "a", "ExternalId__c": "k"})
    org.records.delete("Account", first)
    org.records.create("Account", {"Name": "b", "ExternalId__c": "k"})

    with pytest.raises(ApiFault, match="DUPLICATE_VALUE"):
        org.records.undelete(first)


def test_an_update_moves_stamps_even_if_no_value_moves(org: Org) -> None:
    made = org.records.create("Account", {"Name": "a"})
    org.clock.move(60)
    org.records.update("Account", made[:15], {"Name": "a"})

    record = org.records.read("Account", made)
    assert record["CreatedDate"] == "2024-05-01T10:20:30.000+0000"
    assert record["LastModifiedDate"] == record["SystemModstamp"] == "2024-05-01T10:21:30.000+0000"


def test_null_clears_a_field_but_not_a_required_one(org: Org) -> None:
    made = org.records.create("Account", {"Name": "a", "Phone": "1"})
    org.records.update("Account", made, {"Phone": None})

    assert org.records.read("Account", made)["Phone"] is None
    with pytest.raises(ApiFault, match="REQUIRED_FIELD_MISSING"):
        org.records.update("Account", made, {"Name": None})


def test_a_parent_may_be_named_by_its_external_id(org: Org) -> None:
    parent = org.records.create("Account", {"Name": "a", "ExternalId__c": "k1"})
    child = org.records.create("Contact", {"LastName": "Doe", "Account": {"ExternalId__c": "K1"}})

    assert org.records.read("Contact", child)["AccountId"] == parent


def test_an_upsert_makes_a_record_once_and_changes_it_afterwards(org: Org) -> None:
    made, is_new = org.records.upsert("Account", "ExternalId__c", "k", {"Name": "a"})
    again, is_new_again = org.records.upsert("Account", "externalid__c", "k", {"Name": "b"})

    assert (made, is_new, is_new_again) == (again, True, False)
    assert (
        org.records.read("Account", org.records.find_by_key("Account", "ExternalId__c", "k"))["Name"] == "b"
    )
    with pytest.raises(
        ApiFault, match="NOT_FOUND: Provided external ID field does not exist or is not accessible: Phone"
    ):
        org.records.upsert("Account", "Phone", "1", {"Name": "a"})


def test_names_of_people_are_put_together(org: Org) -> None:
    made = org.records.create("Contact", {"LastName": "Doe", "FirstName": "Jo"})
    org.records.update("Contact", made, {"FirstName": None})

    assert org.records.read("Contact", made)["Name"] == "Doe"


def test_a_stage_decides_what_follows_from_it(org: Org) -> None:
    made = org.records.create(
        "Opportunity", {"Name": "x", "StageName": "Needs Analysis", "CloseDate": "2024-05-06", "Amount": 50.5}
    )
    open_deal = org.records.read("Opportunity", made)
    org.records.update("Opportunity", made, {"StageName": "Closed Won"})
    won = org.records.read("Opportunity", made)

    assert (open_deal["Probability"], open_deal["ExpectedRevenue"], open_deal["Fiscal"]) == (
        20.0,
        10.1,
        "2024 2",
    )
    assert (won["IsClosed"], won["IsWon"], won["Probability"], won["ExpectedRevenue"]) == (
        True,
        True,
        100.0,
        50.5,
    )


def test_a_change_of_a_tracked_field_leaves_history_and_no_other_does(org: Org) -> None:
    made = org.records.create("Account", {"Name": "a"})
    org.records.update("Account", made, {"Name": "b", "Site": "s"})

    history = org.queries.query("SELECT Field, OldValue, NewValue FROM AccountHistory")["records"]
    assert [(h["Field"], h["OldValue"], h["NewValue"]) for h in history] == [
        ("created", None, None),
        ("Name", "a", "b"),
    ]


def test_a_specimen_keeps_a_value_of_every_type(org: Org) -> None:
    account = org.records.create("Account", {"Name": "a"})
    sent: dict[str, Any] = {
        "Name": "s", "Text__c": "t", "Long__c": "l" * 100_000, "Rich__c": "<b>r</b>", "Phone__c": "1", "Email__c": "a@b.cd",
        "Url__c": "https://x.y", "Colour__c": "Red", "Origin__c": "Field", "Traits__c": "Brittle;Rare", "Checked__c": True,
        "Count__c": 7, "Serials__c": 10**17 + 1, "Ratio__c": 1e-15, "Mass__c": 16147805824397.0, "Price__c": -1.5,
        "Share__c": 33.33, "Found__c": "1700-01-01", "Seen__c": "4000-12-31T23:59:59.000+0000", "Opens__c": "23:59:59.999Z",
        "Location__Latitude__s": 59.913868, "Location__Longitude__s": 10.752245, "Secret__c": "x", "Anything__c": "1",
        "Extra__c": "{}", "Shape__c": "[]", "Category__c": "c", "Flag__c": "A", "Account__c": account,
    }  # fmt: skip
    made = org.records.create("Specimen__c", sent)

    record = org.records.read("Specimen__c", made)
    assert {name: record[name] for name in sent} == sent
    assert record["Location__c"] == {"latitude": 59.913868, "longitude": 10.752245}
    assert (record["Double_Count__c"], record["Title__c"], record["Due__c"]) == (
        14.0,
        "s (Red)",
        "1700-01-31",
    )
    assert record["Is_Heavy__c"] is True


def test_the_content_of_a_file_is_read_apart_from_its_record(org: Org) -> None:
    account = org.records.create("Account", {"Name": "a"})
    made = org.records.create("Attachment", {"ParentId": account, "Name": "f.txt", "Body": "aGVsbG8="})

    assert (
        org.records.read("Attachment", made)["Body"]
        == f"/services/data/v66.0/sobjects/Attachment/{made}/Body"
    )
    assert org.records.read("Attachment", made)["BodyLength"] == 5
    assert org.records.read_blob("Attachment", made, "Body") == b"hello"


def test_what_is_not_there_is_not_found(org: Org) -> None:
    for record_id in (make_id("001", 9), make_id("003", 9), "nonsense"):
        with pytest.raises(ApiFault) as fault:
            org.records.read("Account", record_id)
        assert (fault.value.status, fault.value.code) == (404, "NOT_FOUND")


def test_hidden_records_are_not_there_for_the_user(org: Org) -> None:
    kept, hidden = (org.records.create("Account", {"Name": name}) for name in ("kept", "hidden"))
    assert org.hide_records("Account", where="Name = 'hidden'") == 1

    with pytest.raises(ApiFault, match="NOT_FOUND"):
        org.records.read("Account", hidden)
    assert [r["Id"] for r in org.queries.query("SELECT Id FROM Account")["records"]] == [kept]
    assert org.record_count(["Account"]) == {"sObjects": [{"count": 1, "name": "Account"}]}
    assert org.hide_records("Account", ids=[hidden], hidden=False) == 1
    assert org.records.read("Account", hidden)["SystemModstamp"] == "2024-05-01T10:20:30.000+0000"
