"""Whole syncs against the local org: what the table holds afterwards, and what the run says it did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lht.errors import ConfigError, UnknownFieldError, UnknownObjectError, VisibilityLostError, WatermarkError
from lht.model.sync import DeletePolicy, SyncMode

if TYPE_CHECKING:
    from world import World

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
LIVE = "SELECT Name FROM Account WHERE NOT IsDeleted ORDER BY Name"


def accounts(world: World, count: int) -> list[str]:
    return [world.rest.create("Account", Name=f"A{n:04}") for n in range(count)]


def names(world: World) -> list[Any]:
    return [row[0] for row in world.rows(LIVE)]


def test_a_first_sync_is_full_creates_the_table_and_counts_every_row(world: World) -> None:
    accounts(world, 3)

    result = world.sync()

    assert (result.mode, result.rows_read, result.rows_inserted, result.rows_in_table) == ("full", 3, 3, 3)
    assert names(world) == ["A0000", "A0001", "A0002"]


def test_a_second_sync_reads_only_what_changed_since_the_overlap(world: World) -> None:
    first, second = accounts(world, 2)
    world.sync()
    world.local.admin.advance_clock(3600)
    world.rest.update("Account", first, Name="changed")
    third = world.rest.create("Account", Name="new")
    world.rest.delete("Account", second)

    result = world.sync()

    counted = (result.rows_read, result.rows_inserted, result.rows_updated, result.rows_deleted)
    assert (result.mode, *counted) == ("incremental", 3, 1, 1, 1)
    assert names(world) == ["changed", "new"]
    assert world.rows(f"SELECT IsDeleted, _lht_deleted_at IS NULL FROM Account WHERE Id = '{second}'") == [
        (True, False)
    ]
    assert world.value("SELECT count(*) FROM Account") == 3
    assert third != first


def test_an_object_unchanged_for_longer_than_the_overlap_reads_no_row(world: World) -> None:
    accounts(world, 2)
    world.local.admin.advance_clock(3600)
    world.sync()
    world.local.admin.advance_clock(3600)

    result = world.sync()

    assert (result.rows_read, result.rows_in_table) == (0, 2)


def test_rows_committed_late_with_an_older_stamp_are_found_by_the_overlap(world: World) -> None:
    early, late = accounts(world, 2)
    world.local.admin.hide_records("Account", [late])
    world.local.admin.advance_clock(300)
    world.rest.update("Account", early, Name="newest")
    world.sync()
    world.local.admin.hide_records("Account", [late], hidden=False)

    result = world.sync()

    assert result.rows_inserted == 1
    assert names(world) == ["A0001", "newest"]


def test_rows_that_share_the_watermark_second_are_not_skipped(world: World) -> None:
    world.local.admin.set_clock(NOON, frozen=True)
    accounts(world, 1)
    world.sync()
    world.rest.create("Account", Name="same second")

    assert world.sync().rows_inserted == 1


def test_counts_add_up_to_the_rows_read(world: World) -> None:
    ids = accounts(world, 5)
    world.sync()
    world.rest.update("Account", ids[0], Name="x")
    world.rest.delete("Account", ids[1])

    result = world.sync()

    parts = (
        result.rows_inserted + result.rows_updated + result.rows_unchanged + result.rows_deleted
        + result.rows_duplicate + result.rows_ignored
    )  # fmt: skip
    assert (result.rows_read, parts) == (5, 5)


# -- deletions -----------------------------------------------------------------------------------------------


def test_a_purged_record_is_learnt_from_get_deleted(world: World) -> None:
    gone, _ = accounts(world, 2)
    world.sync()
    world.rest.delete("Account", gone)
    world.local.admin.purge("Account", [gone])
    world.local.admin.advance_clock(3600)

    result = world.sync()

    assert (result.rows_deleted_unseen, names(world)) == (1, ["A0001"])


def test_deletions_older_than_get_deleted_reaches_are_found_by_comparing_ids(world: World) -> None:
    gone, _ = accounts(world, 2)
    world.sync()
    world.rest.delete("Account", gone)
    world.local.admin.purge("Account", [gone])
    world.local.admin.advance_clock(20 * 86_400)

    result = world.sync()

    assert (result.mode, result.rows_deleted_unseen, names(world)) == ("incremental", 1, ["A0001"])


def test_an_undeleted_record_loses_its_mark(world: World) -> None:
    (record,) = accounts(world, 1)
    world.sync()
    world.rest.delete("Account", record)
    world.sync()
    world.local.admin.undelete([record])

    world.sync()

    assert world.rows("SELECT IsDeleted, _lht_deleted_at FROM Account") == [(False, None)]


def test_a_record_deleted_and_undeleted_within_one_second_stays_live(world: World) -> None:
    world.local.admin.set_clock(NOON, frozen=True)
    (record,) = accounts(world, 1)
    world.sync()
    world.rest.delete("Account", record)
    world.local.admin.undelete([record])
    world.local.admin.set_clock(NOON + timedelta(hours=2), frozen=True)

    world.sync()

    assert world.rows("SELECT IsDeleted, _lht_deleted_at FROM Account") == [(False, None)]


def test_remove_takes_deleted_rows_out(world: World) -> None:
    gone, _ = accounts(world, 2)
    world.sync()
    world.rest.delete("Account", gone)

    result = world.sync(deletes=DeletePolicy.REMOVE)

    assert (result.rows_deleted, result.rows_in_table) == (1, 1)


def test_keep_leaves_rows_as_they_last_lived(world: World) -> None:
    gone, _ = accounts(world, 2)
    world.sync(deletes=DeletePolicy.KEEP)
    world.rest.delete("Account", gone)

    result = world.sync(deletes=DeletePolicy.KEEP)

    assert (result.rows_deleted, names(world)) == (0, ["A0000", "A0001"])


def test_shares_that_vanish_are_found_although_get_deleted_refuses_them(world: World) -> None:
    world.local.admin.reset()
    accounts(world, 2)
    shares = world.rest.query("SELECT Id FROM AccountShare")
    world.sync("AccountShare")
    world.rest.delete("AccountShare", shares[0]["Id"])

    result = world.sync("AccountShare")

    assert (len(shares), result.rows_deleted_unseen) == (2, 1)


# -- the valve -----------------------------------------------------------------------------------------------


def test_the_valve_keeps_rows_when_a_login_lost_its_sharing(world: World) -> None:
    ids = accounts(world, 150)
    world.sync()
    world.local.admin.hide_records("Account", ids[:120])

    with pytest.raises(VisibilityLostError, match="120 of 150"):
        world.sync(full=True)

    assert len(names(world)) == 150


def test_allow_deletes_opens_the_valve_for_that_many(world: World) -> None:
    ids = accounts(world, 150)
    world.sync()
    world.local.admin.hide_records("Account", ids[:120])

    result = world.sync(full=True, allow_deletes=120)

    assert (result.rows_deleted_unseen, len(names(world))) == (120, 30)


# -- the question ----------------------------------------------------------------------------------------------


def test_rows_that_leave_the_filter_are_treated_as_deleted(world: World) -> None:
    one, _ = accounts(world, 2)
    world.sync(where="Name LIKE 'A%'")
    world.local.admin.advance_clock(3600)
    world.rest.update("Account", one, Name="B")

    result = world.sync(where="Name LIKE 'A%'")

    assert (result.mode, result.rows_deleted_unseen, names(world)) == ("incremental", 1, ["A0001"])


def test_a_filter_with_or_stays_inside_its_parentheses(world: World) -> None:
    accounts(world, 3)
    world.sync(where="Name = 'A0000' OR Name = 'A0001'")
    world.local.admin.advance_clock(3600)

    result = world.sync(where="Name = 'A0000' OR Name = 'A0001'")

    assert (result.rows_read, result.rows_unchanged, names(world)) == (2, 2, ["A0000", "A0001"])


def test_a_changed_filter_is_said_and_read_in_full(world: World) -> None:
    accounts(world, 2)
    world.sync()

    result = world.sync(where="Name = 'A0000'")

    assert (result.mode, names(world)) == ("full", ["A0000"])
    assert world.reasons() == ["full sync: the filter changed since the last sync"]


def test_a_lower_bound_by_hand_records_what_is_covered(world: World) -> None:
    world.local.admin.set_clock(NOON, frozen=True)
    accounts(world, 1)
    world.local.admin.set_clock(NOON + timedelta(days=1), frozen=True)
    world.rest.create("Account", Name="later")

    result = world.sync(lastmodifieddate=NOON + timedelta(hours=1))

    assert (result.mode, names(world)) == (SyncMode.INCREMENTAL, ["later"])
    assert result.covered_from == NOON + timedelta(hours=1)


def test_a_bound_after_the_watermark_does_not_move_it(world: World) -> None:
    world.local.admin.set_clock(NOON, frozen=True)
    accounts(world, 1)
    before = world.sync().watermark
    world.local.admin.set_clock(NOON + timedelta(days=1), frozen=True)
    world.rest.create("Account", Name="in the gap")
    world.local.admin.set_clock(NOON + timedelta(days=2), frozen=True)
    world.rest.create("Account", Name="later")

    by_hand = world.sync(lastmodifieddate=NOON + timedelta(days=1, hours=12))
    healed = world.sync()

    assert (by_hand.rows_inserted, by_hand.watermark) == (1, before)
    assert healed.rows_inserted == 1


def test_a_full_table_without_state_is_read_in_full(world: World) -> None:
    accounts(world, 1)
    world.sync()
    world.execute("DROP SCHEMA lht CASCADE")

    world.sync()

    assert world.reasons() == ["full sync: the table has rows but no sync state"]


def test_adopt_trusts_the_rows_that_are_there(world: World) -> None:
    world.local.admin.set_clock(NOON, frozen=True)
    accounts(world, 2)
    world.sync()
    world.execute("DROP SCHEMA lht CASCADE")
    world.local.admin.set_clock(NOON + timedelta(hours=2), frozen=True)
    world.rest.create("Account", Name="new")

    result = world.sync(adopt=True)

    assert (result.mode, result.rows_inserted, result.rows_read) == ("incremental", 1, 3)


def test_an_emptied_table_is_filled_again(world: World) -> None:
    accounts(world, 2)
    world.sync()
    world.execute("DELETE FROM Account")

    assert world.sync().rows_inserted == 2


def test_a_table_of_another_org_is_refused_and_rebind_reads_in_full(world: World) -> None:
    accounts(world, 1)
    world.sync()
    world.execute("UPDATE lht.watermarks SET org_id = '00D000000000009AAA'")

    with pytest.raises(WatermarkError, match="00D000000000009AAA"):
        world.sync()
    assert world.sync(rebind=True).mode == "full"


def test_a_unique_external_id_can_be_the_key(world: World) -> None:
    world.rest.create("Account", Name="A", ExternalId__c="k1")
    world.rest.create("Account", Name="B", ExternalId__c="k2")

    world.sync(key="ExternalId__c")
    result = world.sync(key="ExternalId__c", full=True)

    assert (result.rows_unchanged, result.rows_in_table) == (2, 2)


def test_records_without_the_key_are_refused_by_name(world: World) -> None:
    world.rest.create("Account", Name="A")

    with pytest.raises(Exception, match="1 records have no ExternalId__c"):
        world.sync(key="ExternalId__c")


def test_a_field_that_identifies_nothing_cannot_be_the_key(world: World) -> None:
    with pytest.raises(ConfigError, match="--sync_field Industry does not identify"):
        world.sync(key="Industry")


def test_misspelt_names_are_answered_with_the_nearest(world: World) -> None:
    with pytest.raises(UnknownObjectError, match="Account"):
        world.sync("Acount")
    with pytest.raises(UnknownFieldError, match="Industry"):
        world.sync(fields=("Industri",))


def test_only_the_asked_fields_are_read_with_what_a_sync_needs(world: World) -> None:
    accounts(world, 1)

    world.sync(fields=("Name", "Owner.Name"))

    assert tuple(world.types()) == world.named(
        "Id", "IsDeleted", "Name", "SystemModstamp", "Owner_Name",
        "_lht_run_id", "_lht_synced_at", "_lht_deleted_at",
    )  # fmt: skip


# -- objects of other kinds ------------------------------------------------------------------------------------


def test_an_object_that_bulk_refuses_is_read_by_rest(world: World) -> None:
    account = world.rest.create("Account", Name="A")
    world.rest.create("Attachment", Name="a.txt", ParentId=account, Body="eA==")

    result = world.sync("Attachment")

    assert (result.rows_inserted, result.job_id) == (1, None)


def test_history_is_read_by_its_creation_date(world: World) -> None:
    plan = world.plan("AccountHistory")

    assert plan.cursor == "CreatedDate"


def test_batch_size_reads_the_chain_of_pages(world: World) -> None:
    world.local.admin.change_settings(page_size=7)
    accounts(world, 30)

    result = world.sync(batch_size=7, full=True)

    assert result.rows_inserted == 30


def test_several_objects_run_together_and_one_that_fails_stops_no_other(world: World) -> None:
    accounts(world, 2)

    result = world.run("Account", "Nonsense__c", "Contact")

    assert [r.error.code if r.error else None for r in result.objects] == [None, "CONFIG-OBJECT", None]
    assert len(result.failures) == 1


def test_formulas_are_stale_until_they_are_refreshed(world: World) -> None:
    world.rest.create("Specimen__c", Name="s", Count__c=2)
    world.local.admin.advance_clock(3600)
    world.sync("Specimen__c")
    world.execute("UPDATE Specimen__c SET Double_Count__c = NULL")
    world.local.admin.advance_clock(3600)

    world.sync("Specimen__c")
    stale = world.value("SELECT Double_Count__c FROM Specimen__c")
    world.sync("Specimen__c", refresh_formulas=True)

    assert (stale, world.value("SELECT Double_Count__c FROM Specimen__c")) == (None, 4.0)


def test_a_plan_changes_nothing(world: World) -> None:
    accounts(world, 1)

    plan = world.plan()

    assert (plan.mode, plan.creates_table, plan.reason) == (SyncMode.FULL, True, "the table is new")
    assert world.lake.tables() == []


def test_a_query_too_long_for_a_url_is_read_in_parts_joined_by_id(world: World) -> None:
    for n in range(330):
        world.local.admin.add_field(
            "Attachment", f"A_field_with_a_long_name_number_{n:04}__c", "string", length=9
        )
    account = world.rest.create("Account", Name="A")
    last = {"A_field_with_a_long_name_number_0329__c": "last"}
    world.rest.create("Attachment", Name="a.txt", ParentId=account, Body="eA==", **last)
    world.rest.create("Attachment", Name="b.txt", ParentId=account, Body="eA==")

    result = world.sync("Attachment")

    assert len([path for path in world.paths() if path.endswith("/queryAll")]) == 2
    assert result.rows_inserted == 2
    assert world.rows(f"SELECT Name, ParentId, {', '.join(last)} FROM Attachment ORDER BY Name") == [
        ("a.txt", account, "last"),
        ("b.txt", account, None),
    ]
