"""What a deletion does to others, and what time does to what was deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.simulator.errors import ApiFault
from lht.simulator.org.schemas.new_fields import new_field

if TYPE_CHECKING:
    from lht.simulator.org.org import Org

DAY_S = 86_400


def add_parent(org: Org, **facts: Any) -> None:
    body = {"name": "Parent__c", "type": "reference", "reference_to": "Account", **facts}
    org.fields.add("Contact", new_field(body))


def value(org: Org, soql: str, **how: bool) -> Any:
    found = org.queries.query(soql, **how)["records"]
    return [next(v for k, v in row.items() if k != "attributes") for row in found]


def test_a_lookup_is_cleared_with_its_parent_and_comes_back_with_it(org: Org) -> None:
    parent = org.records.create("Account", {"Name": "P"})
    child = org.records.create("Account", {"Name": "C", "ParentId": parent})
    org.clock.move(60)
    org.records.delete("Account", parent)
    cleared = org.records.read("Account", child)
    org.clock.move(60)
    org.records.undelete(parent)
    restored = org.records.read("Account", child)

    assert (cleared["ParentId"], restored["ParentId"]) == (None, parent)
    stamps = [(r["LastModifiedDate"][11:19], r["SystemModstamp"][11:19]) for r in (cleared, restored)]
    assert stamps == [("10:20:30", "10:21:30"), ("10:20:30", "10:22:30")]


def test_a_lookup_that_was_set_anew_meanwhile_is_not_put_back(org: Org) -> None:
    parent, other = (org.records.create("Account", {"Name": name}) for name in "PO")
    child = org.records.create("Account", {"Name": "C", "ParentId": parent})
    org.records.delete("Account", parent)
    org.records.update("Account", child, {"ParentId": other})
    org.records.undelete(parent)

    assert org.records.read("Account", child)["ParentId"] == other


def test_a_restricted_lookup_keeps_its_parent_from_being_deleted(org: Org) -> None:
    add_parent(org, child_restricted=True)
    parent = org.records.create("Account", {"Name": "Acme"})
    child = org.records.create("Contact", {"LastName": "Ann", "Parent__c": parent})
    with pytest.raises(ApiFault) as fault:
        org.records.delete("Account", parent)
    org.records.delete("Contact", child)
    org.records.delete("Account", parent)

    assert (fault.value.status, fault.value.code) == (400, "DELETE_FAILED")
    assert fault.value.message == (
        "Your attempt to delete Acme could not be completed because it is associated with the following contacts.: Ann\n"
    )
    assert value(org, "SELECT Id FROM Account") == []


def test_a_restricted_lookup_of_a_record_that_goes_too_is_no_hindrance(org: Org) -> None:
    add_parent(org, child_restricted=True)
    parent = org.records.create("Account", {"Name": "Acme"})
    org.records.create("Contact", {"LastName": "Ann", "AccountId": parent, "Parent__c": parent})
    org.records.delete("Account", parent)

    assert value(org, "SELECT Id FROM Contact") == []


def test_a_refused_deletion_changes_nothing(org: Org) -> None:
    add_parent(org, child_restricted=True)
    parent = org.records.create("Account", {"Name": "Acme"})
    org.records.create("Account", {"Name": "C", "ParentId": parent})
    org.records.create("Contact", {"LastName": "Ann", "Parent__c": parent})
    with org.db.transaction() as connection, pytest.raises(ApiFault):
        org.records.delete_in(connection, org.catalog.need("Account"), parent)

    assert value(org, "SELECT ParentId FROM Account WHERE Name = 'C'") == [parent]


def test_the_bin_gives_up_records_after_fifteen_days_and_their_rows_a_day_later(org: Org) -> None:
    gone = org.records.create("Account", {"Name": "A"})
    contact = org.records.create("Contact", {"LastName": "c", "AccountId": gone})
    org.catch_up()
    org.records.delete("Account", gone)
    org.clock.move(15 * DAY_S)
    org.catch_up()
    seen = [value(org, f"SELECT Id FROM {name}", include_deleted=True) for name in ("Account", "Contact")]
    with pytest.raises(ApiFault, match="UNDELETE_FAILED"):
        org.records.undelete(gone)
    org.clock.move(DAY_S - 1)
    org.catch_up()
    still = value(org, "SELECT Id FROM Account", include_deleted=True)
    org.clock.move(1)
    org.catch_up()

    assert (seen, still) == ([[gone], [contact]], [gone])
    assert value(org, "SELECT Id FROM Account", include_deleted=True) == []
    assert value(org, "SELECT Id FROM Contact", include_deleted=True) == []


def test_a_record_can_be_undeleted_until_the_last_second(org: Org) -> None:
    gone = org.records.create("Account", {"Name": "A"})
    org.records.delete("Account", gone)
    org.clock.move(15 * DAY_S - 1)
    org.catch_up()
    org.records.undelete(gone)
    org.clock.move(30 * DAY_S)
    org.catch_up()

    assert value(org, "SELECT Id FROM Account") == [gone]


def test_how_long_the_bin_keeps_records_can_be_set_while_they_lie_in_it(org: Org) -> None:
    gone = org.records.create("Account", {"Name": "A"})
    org.records.delete("Account", gone)
    org.catch_up()
    org.settings.change({"recycle_bin_days": 0.5, "purge_after_hours": 0})
    org.clock.move(DAY_S / 2)
    org.catch_up()

    assert value(org, "SELECT Id FROM Account", include_deleted=True) == []


def test_an_emptied_record_is_seen_by_query_all_for_a_day_and_cannot_come_back(org: Org) -> None:
    kept, gone = (org.records.create("Account", {"Name": name}) for name in "AB")
    org.records.delete("Account", gone)
    emptied = org.records.empty_bin("Account"), org.records.empty_bin("Account", [kept])
    with pytest.raises(ApiFault, match="UNDELETE_FAILED"):
        org.records.undelete(gone)
    seen = value(org, "SELECT Id FROM Account WHERE IsDeleted = true", include_deleted=True)
    org.clock.move(DAY_S)
    org.catch_up()

    assert (emptied, seen) == ((1, 0), [gone])
    assert value(org, "SELECT Id FROM Account", include_deleted=True) == [kept]


def test_seeded_deletions_stay_whatever_the_clock_says(seeded: Org) -> None:
    before = seeded.queries.query("SELECT COUNT() FROM Account WHERE IsDeleted = true", include_deleted=True)
    seeded.catch_up()

    assert before["totalSize"] > 0
    assert (
        seeded.queries.query("SELECT COUNT() FROM Account WHERE IsDeleted = true", include_deleted=True)
        == before
    )
