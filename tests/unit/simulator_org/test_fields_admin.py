from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import ApiFault
from lht.simulator.org.org import Org
from lht.simulator.org.schemas.catalog import field_from
from lht.simulator.org.schemas.schema import FieldSchema

if TYPE_CHECKING:
    from pathlib import Path


def stamps(org: Org) -> list[object]:
    return [
        record["SystemModstamp"]
        for record in org.queries.query("SELECT SystemModstamp FROM Account")["records"]
    ]


def test_a_new_field_fills_records_with_its_default_and_moves_no_stamp(org: Org) -> None:
    made = org.records.create("Account", {"Name": "a"})
    before = stamps(org)
    org.clock.move(60)
    org.fields.add(
        "Account", FieldSchema("Tier__c", "string", "Tier", length=10, custom=True, default_value="gold")
    )
    org.fields.add("Account", FieldSchema("Big__c", "boolean", "Big", custom=True))

    record = org.records.read("Account", made)
    assert (record["Tier__c"], record["Big__c"], stamps(org)) == ("gold", False, before)
    assert org.records.read("Account", org.records.create("Account", {"Name": "b"}))["Tier__c"] == "gold"


def test_a_new_formula_is_evaluated_at_once(org: Org) -> None:
    org.records.create("Account", {"Name": "a"})
    org.fields.add(
        "Account", FieldSchema("Shout__c", "string", "Shout", length=1300, formula='upper("Name")')
    )

    assert org.queries.query("SELECT Shout__c FROM Account")["records"][0]["Shout__c"] == "A"


def test_a_field_cannot_be_added_twice(org: Org) -> None:
    with pytest.raises(ApiFault, match="DUPLICATE_DEVELOPER_NAME"):
        org.fields.add("Account", FieldSchema("phone", "phone", "Phone"))


def test_a_dropped_field_is_gone_and_moves_no_stamp(org: Org) -> None:
    org.records.create("Account", {"Name": "a", "Site": "s"})
    before = stamps(org)
    org.clock.move(60)
    org.fields.drop("Account", "site")

    assert "Site" not in {field["name"] for field in org.describe("Account")["fields"]}
    with pytest.raises(ApiFault, match="INVALID_FIELD"):
        org.queries.query("SELECT Site FROM Account")
    assert stamps(org) == before


def test_fields_that_the_org_relies_on_cannot_be_dropped(org: Org) -> None:
    for name in ("Id", "SystemModstamp", "OwnerId", "Name", "IsDeleted"):
        with pytest.raises(ApiFault, match="every record needs"):
            org.fields.drop("Account", name)


def test_a_hidden_reference_still_cascades(org: Org) -> None:
    account = org.records.create("Account", {"Name": "a"})
    org.records.create("Contact", {"LastName": "c", "AccountId": account})
    org.fields.hide("Contact", "AccountId")
    org.records.delete("Account", account)

    assert org.queries.query("SELECT COUNT() FROM Contact")["totalSize"] == 0


def test_a_hidden_field_looks_dropped_and_comes_back_with_its_values(org: Org) -> None:
    made = org.records.create("Account", {"Name": "a", "Site": "s"})
    org.fields.hide("Account", "Site")

    assert "Site" not in org.records.read("Account", made)
    with pytest.raises(ApiFault, match="No such column 'Site'"):
        org.queries.query("SELECT Site FROM Account")
    with pytest.raises(ApiFault, match="INVALID_FIELD"):
        org.records.update("Account", made, {"Site": "t"})
    org.fields.hide("Account", "Site", hidden=False)
    assert org.records.read("Account", made)["Site"] == "s"


@pytest.mark.parametrize(
    ("name", "sent", "kind", "facts", "kept"),
    [
        ("Text__c", "12.345", "double", {"precision": 18, "scale": 2}, 12.35),
        ("Text__c", "abc", "double", {"precision": 18, "scale": 2}, None),
        ("Text__c", "1.6E3", "int", {"digits": 9}, 1600),
        ("Text__c", "2024-05-01", "date", {}, "2024-05-01"),
        ("Text__c", "abcdef", "string", {"length": 3}, "abc"),
        ("Level__c", 150.0, "string", {"length": 10}, "150"),
        ("Level__c", 1.25, "string", {"length": 10}, "1.25"),
        ("Level__c", 1.25, "double", {"precision": 10, "scale": 1}, 1.3),
        ("Count__c", 7, "double", {"precision": 10, "scale": 1}, 7.0),
        ("Checked__c", True, "string", {"length": 10}, "true"),
        ("Seen__c", "2024-05-01T10:20:30Z", "string", {"length": 30}, "2024-05-01T10:20:30.000Z"),
        ("Seen__c", "2024-05-01T10:20:30Z", "date", {}, "2024-05-01"),
        ("Found__c", "2024-05-01", "datetime", {}, "2024-05-01T00:00:00.000+0000"),
        ("Found__c", "2024-05-01", "double", {"precision": 10}, None),
        ("Text__c", "yes", "boolean", {"nillable": False}, True),
    ],
)
def test_an_altered_field_converts_what_it_held(
    org: Org, *, name: str, sent: object, kind: str, facts: dict[str, object], kept: object
) -> None:
    made = org.records.create("Specimen__c", {name: sent})
    org.fields.alter(
        "Specimen__c", field_from({"name": name, "type": kind, "label": name, "custom": True, **facts})
    )

    assert org.records.read("Specimen__c", made, fields=[name])[name] == kept
    assert org.queries.query(f"SELECT {name} FROM Specimen__c")["records"][0][name] == kept


def test_a_field_that_becomes_a_formula_is_computed(org: Org) -> None:
    made = org.records.create("Specimen__c", {"Count__c": 2, "Text__c": "old"})
    org.fields.alter(
        "Specimen__c", FieldSchema("Text__c", "string", "Text", length=1300, formula="'n' || \"Count__c\"")
    )

    assert org.records.read("Specimen__c", made)["Text__c"] == "n2"


def test_an_org_on_disk_keeps_rows_and_shape(tmp_path: Path) -> None:
    first = Org.open(path=tmp_path / "org", records=10)
    first.fields.add("Account", FieldSchema("Tier__c", "string", "Tier", length=10, custom=True))
    made = first.records.create("Account", {"Name": "a", "Tier__c": "gold"})
    first.close()
    again = Org.open(path=tmp_path / "org", records=500)

    try:
        assert again.records.read("Account", made)["Tier__c"] == "gold"
        assert again.records.create("Account", {"Name": "b"}) > made
        assert again.db.count('SELECT count(*) FROM "Account"') == 12
    finally:
        again.close()


def test_reset_makes_the_org_as_it_was(tmp_path: Path) -> None:
    org = Org.open(records=20, seed=3)
    try:
        before = org.db.rows('SELECT * EXCLUDE ("_hidden") FROM "Account" ORDER BY "Id"')
        org.fields.drop("Account", "Site")
        org.records.create("Account", {"Name": "a"})
        org.clock.freeze()
        org.limits.take_request()
        org.reset()

        assert org.db.rows('SELECT * EXCLUDE ("_hidden") FROM "Account" ORDER BY "Id"') == before
        assert (org.clock.is_frozen, org.limits.used("DailyApiRequests")) == (False, 0)
    finally:
        org.close()
