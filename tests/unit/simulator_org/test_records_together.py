"""Records written in a transaction that somebody else began."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import ApiFault
from lht.simulator.org.ids import make_id, number_of, to_long
from lht.simulator.org.writes.working_set import working

if TYPE_CHECKING:
    from lht.simulator.org.org import Org


def test_writes_of_one_transaction_stand_together(org: Org) -> None:
    keeper, account = org.records, org.catalog.need("Account")
    with org.db.transaction() as connection:
        first = keeper.create_in(connection, account, {"Name": "A"})
        keeper.update_in(connection, account, first[:15], {"Name": "B"})
        second, is_new = keeper.upsert_in(connection, account, "ExternalId__c", "k1", {"Name": "C"})
        again = keeper.upsert_in(connection, account, "Id", second, {"Name": "D"})
        keeper.delete_in(connection, account, first)

    assert (is_new, again) == (True, (second, False))
    assert org.records.read("Account", second, fields=["Name"])["Name"] == "D"
    assert org.queries.query("SELECT COUNT() FROM Account")["totalSize"] == 1


def test_a_transaction_that_fails_leaves_nothing(org: Org) -> None:
    account = org.catalog.need("Account")

    def make(*bodies: dict[str, object]) -> None:
        with org.db.transaction() as connection:
            for body in bodies:
                org.records.create_in(connection, account, body)

    with pytest.raises(ApiFault):
        make({"Name": "A"}, {})

    assert org.queries.query("SELECT COUNT() FROM Account")["totalSize"] == 0


def test_an_upsert_with_an_empty_id_makes_a_record(org: Org) -> None:
    with org.db.transaction() as connection:
        made, is_new = org.records.upsert_in(connection, org.catalog.need("Account"), "id", "", {"Name": "A"})

    assert is_new
    assert org.records.read("Account", made, fields=["Name"])["Name"] == "A"


def test_the_key_of_an_upsert_stands_in_the_address_only(org: Org) -> None:
    with pytest.raises(ApiFault) as fault:
        org.records.upsert("Account", "ExternalId__c", "k1", {"Name": "A", "externalid__c": "k1"})

    assert fault.value.code == "INVALID_FIELD"
    assert fault.value.message == "The ExternalId__c field should not be specified in the sobject data."


def test_an_unknown_record_is_a_cross_reference_where_it_is_one_of_several(org: Org) -> None:
    account, unknown = org.catalog.need("Account"), make_id("001", 99)
    with pytest.raises(ApiFault) as of_several, org.db.transaction() as connection:
        org.records.delete_in(connection, account, unknown)
    with pytest.raises(ApiFault) as alone:
        org.records.delete("Account", unknown)

    assert (of_several.value.code, of_several.value.message) == (
        "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id",
    )  # fmt: skip
    assert (alone.value.status, alone.value.code) == (404, "NOT_FOUND")


def test_readers_do_not_wait_for_a_set_that_is_being_written_and_see_it_whole(org: Org) -> None:
    account = org.catalog.need("Account")

    def count() -> int:
        return int(org.queries.query("SELECT COUNT() FROM Account")["totalSize"])

    with ThreadPoolExecutor(1) as reader:
        with org.db.transaction() as connection, working(connection) as work:
            for place in range(200):
                org.records.create_in(work, account, {"Name": str(place)})
            work.flush()
            meanwhile = reader.submit(count).result(timeout=20)
        after = reader.submit(count).result(timeout=20)

    assert (meanwhile, after) == (0, 200)


def test_a_number_tells_where_a_record_is(seeded: Org) -> None:
    for schema in seeded.catalog:
        for record_id, number in seeded.db.rows(f'SELECT "Id", _seq FROM "{schema.name}"'):
            assert number_of(str(schema.key_prefix), str(record_id)) == number, (schema.name, record_id)


def test_an_id_of_another_org_finds_no_record_of_that_number(org: Org) -> None:
    made = org.records.create("Account", {"Name": "A"})
    foreign = to_long(made[:3] + "5f0" + made[6:15])

    with pytest.raises(ApiFault) as fault:
        org.records.update("Account", str(foreign), {"Name": "B"})
    assert fault.value.status == 404
    assert org.records.read("Account", made, fields=["Name"])["Name"] == "A"


def test_a_set_that_waits_to_be_written_is_seen_by_its_own_records(org: Org) -> None:
    account = org.catalog.need("Account")
    with org.db.transaction() as connection, working(connection) as work:
        org.records.create_in(work, account, {"Name": "A", "ExternalId__c": "k"})
        with pytest.raises(ApiFault) as fault:
            org.records.create_in(work, account, {"Name": "B", "ExternalId__c": "K"})
        again = org.records.upsert_in(work, account, "ExternalId__c", "K", {"Name": "C"})
        org.records.delete_in(work, account, again[0])
        org.records.create_in(work, account, {"Name": "D", "ExternalId__c": "k"})

    assert fault.value.code == "DUPLICATE_VALUE"
    assert not again[1]
    assert [row["Name"] for row in org.queries.query("SELECT Name FROM Account")["records"]] == ["D"]
