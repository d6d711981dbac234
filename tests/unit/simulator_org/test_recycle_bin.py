from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import ApiFault

if TYPE_CHECKING:
    from lht.simulator.org.org import Org


@pytest.fixture
def family(org: Org) -> dict[str, str]:
    """An account with one record of each kind below it, made a minute ago."""
    account = org.records.create("Account", {"Name": "a"})
    contact = org.records.create("Contact", {"LastName": "c", "AccountId": account})
    deal = org.records.create(
        "Opportunity",
        {"Name": "o", "StageName": "Prospecting", "CloseDate": "2024-06-01", "AccountId": account},
    )
    task = org.records.create("Task", {"Subject": "Call", "WhoId": contact})
    org.clock.move(60)
    return {"Account": account, "Contact": contact, "Opportunity": deal, "Task": task}


def states(org: Org, family: dict[str, str]) -> dict[str, bool]:
    found = {}
    for name, record_id in family.items():
        rows = org.queries.query(
            f"SELECT IsDeleted FROM {name} WHERE Id = '{record_id}'", include_deleted=True
        )["records"]
        found[name] = rows[0]["IsDeleted"]
    return found


def test_deleting_an_account_deletes_what_belongs_to_it(org: Org, family: dict[str, str]) -> None:
    org.records.delete("Account", family["Account"])

    assert states(org, family) == dict.fromkeys(family, True)
    assert org.queries.query("SELECT COUNT() FROM Contact")["totalSize"] == 0
    assert org.queries.query("SELECT COUNT() FROM AccountShare", include_deleted=True)["totalSize"] == 0


def test_a_deletion_moves_only_the_system_stamp(org: Org, family: dict[str, str]) -> None:
    org.records.delete("Account", family["Account"])

    row = org.queries.query("SELECT LastModifiedDate, SystemModstamp FROM Contact", include_deleted=True)[
        "records"
    ][0]
    assert row["LastModifiedDate"] == "2024-05-01T10:20:30.000+0000"
    assert row["SystemModstamp"] == "2024-05-01T10:21:30.000+0000"


def test_undelete_brings_back_what_went_together_and_nothing_else(org: Org, family: dict[str, str]) -> None:
    org.records.delete("Contact", family["Contact"])
    org.clock.move(60)
    org.records.delete("Account", family["Account"])
    org.clock.move(60)
    org.records.undelete(family["Account"])

    assert states(org, family) == {"Account": False, "Contact": True, "Opportunity": False, "Task": True}
    row = org.queries.query("SELECT SystemModstamp FROM Opportunity")["records"][0]
    assert row["SystemModstamp"] == "2024-05-01T10:23:30.000+0000"
    assert org.queries.query("SELECT COUNT() FROM AccountShare")["totalSize"] == 1


def test_a_deleted_record_answers_that_it_is_deleted(org: Org, family: dict[str, str]) -> None:
    org.records.delete("Account", family["Account"])

    for again in (
        lambda: org.records.read("Account", family["Account"]),
        lambda: org.records.update("Account", family["Account"], {"Name": "b"}),
        lambda: org.records.delete("Account", family["Account"]),
    ):
        with pytest.raises(ApiFault) as fault:
            again()
        assert (fault.value.status, fault.value.code, fault.value.message) == (
            404,
            "ENTITY_IS_DELETED",
            "entity is deleted",
        )


def test_only_what_lies_in_the_bin_can_be_undeleted(org: Org, family: dict[str, str]) -> None:
    with pytest.raises(ApiFault, match="UNDELETE_FAILED"):
        org.records.undelete(family["Account"])


def test_emptying_the_bin_leaves_no_row(org: Org, family: dict[str, str]) -> None:
    kept = org.records.create("Account", {"Name": "kept"})
    org.records.delete("Account", family["Account"])

    assert org.records.purge("Account") == 1
    rows = org.queries.query("SELECT Id FROM Account", include_deleted=True)["records"]
    assert [row["Id"] for row in rows] == [kept]
    assert org.queries.query("SELECT COUNT() FROM Contact", include_deleted=True)["totalSize"] == 0


def test_ids_of_purged_records_are_not_used_again(org: Org) -> None:
    first = org.records.create("Account", {"Name": "a"})
    org.records.purge("Account", [first])

    assert org.records.create("Account", {"Name": "b"}) != first


def test_users_cannot_be_deleted(org: Org) -> None:
    with pytest.raises(ApiFault, match="entity type cannot be deleted"):
        org.records.delete("User", org.user_id)
