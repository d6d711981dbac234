from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.simulator.errors import ApiFault

if TYPE_CHECKING:
    from lht.simulator.org.org import Org


def rest(org: Org, page: dict[str, Any]) -> list[dict[str, Any]]:
    """All records from this page on."""
    records = list(page["records"])
    while not page["done"]:
        page = org.queries.query_more(page["nextRecordsUrl"].rpartition("/")[2])
        records += page["records"]
    return records


def test_pages_together_hold_every_record_once(org: Org) -> None:
    made = {org.records.create("Account", {"Name": f"n{number}"}) for number in range(11)}

    page = org.queries.query("SELECT Id FROM Account", batch_size=4)

    assert (page["totalSize"], page["done"], len(page["records"])) == (11, False, 4)
    found = [record["Id"] for record in rest(org, page)]
    assert len(found) == 11
    assert set(found) == made


def test_changes_do_not_move_an_open_query(org: Org) -> None:
    for number in range(6):
        org.records.create("Account", {"Name": f"n{number}"})
    page = org.queries.query("SELECT Id, Name FROM Account ORDER BY Name", batch_size=2)
    org.records.purge("Account", [record["Id"] for record in page["records"]])
    org.records.create("Account", {"Name": "n0"})

    assert [record["Name"] for record in rest(org, page)] == [f"n{number}" for number in range(6)]


def test_the_last_page_names_no_next_one(org: Org) -> None:
    page = org.queries.query("SELECT Id FROM User")

    assert "nextRecordsUrl" not in page
    assert page["done"] is True


def test_a_page_can_be_read_again(org: Org) -> None:
    for number in range(5):
        org.records.create("Account", {"Name": f"n{number}"})
    cursor = org.queries.query("SELECT Id FROM Account", batch_size=2)["nextRecordsUrl"].rpartition("/")[2]

    assert org.queries.query_more(cursor) == org.queries.query_more(cursor)


@pytest.mark.parametrize("cursor", ["01gAA0000000001AAA-2000", "nonsense", "", "x-y"])
def test_an_unknown_cursor_is_refused(org: Org, cursor: str) -> None:
    with pytest.raises(ApiFault) as fault:
        org.queries.query_more(cursor)
    assert (fault.value.status, fault.value.code) == (400, "INVALID_QUERY_LOCATOR")


def test_a_cursor_expires_after_two_days(org: Org) -> None:
    for number in range(3):
        org.records.create("Account", {"Name": f"n{number}"})
    cursor = org.queries.query("SELECT Id FROM Account", batch_size=2)["nextRecordsUrl"].rpartition("/")[2]
    org.clock.move(49 * 3600)

    with pytest.raises(ApiFault, match="INVALID_QUERY_LOCATOR"):
        org.queries.query_more(cursor)


def test_parents_are_nested_and_a_missing_one_is_null(org: Org) -> None:
    account = org.records.create("Account", {"Name": "a"})
    org.records.create("Contact", {"LastName": "with", "AccountId": account})
    org.records.create("Contact", {"LastName": "without"})

    records = org.queries.query(
        "SELECT lastname, account.OWNER.name, account.name FROM contact ORDER BY LastName"
    )["records"]

    owner = {
        "attributes": {"type": "User", "url": f"/services/data/v66.0/sobjects/User/{org.user_id}"},
        "Name": "Mia Admin",
    }
    parent = {
        "attributes": {"type": "Account", "url": f"/services/data/v66.0/sobjects/Account/{account}"},
        "Owner": owner,
        "Name": "a",
    }
    assert [(r["LastName"], r["Account"]) for r in records] == [("with", parent), ("without", None)]
    assert list(records[0]) == ["attributes", "LastName", "Account"]


def test_a_polymorphic_parent_tells_what_it_is(org: Org) -> None:
    account = org.records.create("Account", {"Name": "a"})
    org.records.create("Task", {"Subject": "Call", "WhatId": account})

    record = org.queries.query("SELECT What.Name, What.Type FROM Task")["records"][0]

    assert record["What"] == {
        "attributes": {"type": "Account", "url": f"/services/data/v66.0/sobjects/Account/{account}"},
        "Name": "a",
        "Type": "Account",
    }


def test_counts_have_no_records_and_aggregates_no_address(org: Org) -> None:
    assert org.queries.query("SELECT COUNT() FROM User") == {"totalSize": 1, "done": True, "records": []}
    assert org.queries.query("SELECT COUNT(Id) FROM User")["records"] == [
        {"attributes": {"type": "AggregateResult"}, "expr0": 1}
    ]


def test_formulas_follow_their_fields_without_moving_a_stamp(org: Org) -> None:
    org.records.create("Specimen__c", {"Count__c": 4, "Mass__c": 2000, "Name": "s", "Colour__c": "Red"})

    record = org.queries.query(
        "SELECT Double_Count__c, Title__c, Is_Heavy__c FROM Specimen__c WHERE Is_Heavy__c = true"
    )["records"][0]

    assert (record["Double_Count__c"], record["Title__c"], record["Is_Heavy__c"]) == (8.0, "s (Red)", True)


def test_deleted_records_are_only_in_query_all(org: Org) -> None:
    org.records.delete("Account", org.records.create("Account", {"Name": "a"}))

    assert org.queries.query("SELECT Id FROM Account")["totalSize"] == 0
    assert org.queries.query("SELECT Id FROM Account", include_deleted=True)["totalSize"] == 1
