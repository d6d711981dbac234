from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from situations import (
    ACCOUNT,
    COLUMNS,
    FULL_TABLE,
    NOON,
    OTHER_ORG,
    debt,
    plan,
    situation,
    watermark,
    without,
)

from lht.errors import ConfigError, UnknownFieldError, WatermarkError
from lht.mapping.types import parse_type
from lht.model.salesforce import Field
from lht.model.sync import DeletePolicy, SyncMode
from lht.sync.plan import Situation, TableFacts, conditions, find_cursor

EMPTY = TableFacts(COLUMNS, rows=0)
BARE = without(ACCOUNT, "SystemModstamp", "CreatedDate")


def test_a_table_in_step_reads_what_changed_since_the_overlap() -> None:
    made = plan()

    assert (made.mode, made.lower_bound) == (SyncMode.INCREMENTAL, NOON - timedelta(minutes=15))
    assert made.soql == (
        "SELECT Id, IsDeleted, Name, Key__c, Unique__c, CreatedDate, Hidden__c, SystemModstamp FROM Account "
        "WHERE SystemModstamp >= 2026-05-01T11:45:00Z"
    )
    assert (made.creates_table, made.reads_deleted, made.backfill, made.trusts_stamps) == (
        False,
        True,
        (),
        True,
    )


@pytest.mark.parametrize(
    ("given", "options", "reason"),
    [
        (situation(), {"full": True}, "--full was given"),
        (situation(facts=None), {}, "the table is new"),
        (situation(facts=None, stored=None), {}, "the table is new"),
        (situation(sobject=BARE), {}, "Account has no field that tells what changed"),
        (situation(stored=None), {}, "the table has rows but no sync state"),
        (situation(stored=None, facts=EMPTY), {}, "the table is empty"),
        (situation(stored=None, facts=EMPTY), {"adopt": True}, "the table is empty"),
        (situation(stored=None), {"adopt": True}, "the table has no cursor value to start from"),
        (situation(), {"where": "Name = 'x'"}, "the filter changed since the last sync"),
        (situation(), {"cursor": "CreatedDate"}, "the cursor changed since the last sync"),
        (situation(types={"name": parse_type("varchar(9)")}), {}, "the type overrides changed since the last sync"),
        (situation(stored=watermark(read_until=None)), {}, "no full sync has ended yet"),
        (situation(facts=EMPTY), {}, "the table was emptied since the last sync"),
        (situation(), {"full": True, "lastmodifieddate": NOON}, "--full was given"),
        (situation(facts=None), {"lastmodifieddate": NOON}, "the table is new"),
    ],
)  # fmt: skip
def test_everything_is_read_when(given: Situation, options: dict[str, Any], reason: str) -> None:
    made = plan(given, **options)

    assert (made.mode, made.lower_bound, made.reason) == (SyncMode.FULL, None, reason)


def test_another_key_reads_everything() -> None:
    assert plan(key="key__C").reason == "the key changed since the last sync"
    assert plan(key="Unique__c").key_column == "Unique__c"


def test_an_empty_table_that_was_empty_before_stays_incremental() -> None:
    assert plan(situation(facts=EMPTY, stored=watermark(rows_in_table=0))).mode is SyncMode.INCREMENTAL


def test_adopt_starts_an_overlap_before_the_newest_row() -> None:
    made = plan(situation(stored=None, facts=replace(FULL_TABLE, newest=NOON)), adopt=True, overlap_s=60)

    assert (made.lower_bound, made.reason) == (
        NOON - timedelta(minutes=1),
        "--adopt trusts the rows that are there",
    )


@pytest.mark.parametrize("given", [situation(), situation(stored=None), situation(stored=None, facts=None)])
def test_a_bound_by_hand_is_taken_as_it_is(given: Situation) -> None:
    made = plan(given, lastmodifieddate=NOON)

    assert (made.mode, made.lower_bound) == (SyncMode.INCREMENTAL, NOON)
    assert made.reason == "--lastmodifieddate sets the lower bound"


def test_a_bound_by_hand_needs_a_cursor() -> None:
    with pytest.raises(ConfigError, match="Account has none"):
        plan(situation(sobject=BARE), lastmodifieddate=NOON)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"org_id": OTHER_ORG}, f"holds Account of org {OTHER_ORG}; this login is for org"),
        ({"object": "Contact"}, "holds Contact of org .*; this run is for Account"),
    ],
)
def test_a_table_of_another_org_or_object_is_refused_unless_rebound(
    changes: dict[str, str], message: str
) -> None:
    given = situation(stored=watermark(**changes))

    with pytest.raises(WatermarkError, match=message):
        plan(given)
    rebound = plan(given, rebind=True)
    assert (rebound.mode, rebound.trusts_stamps) == (SyncMode.FULL, False)
    assert rebound.reason.startswith("--rebind takes the table from")


def test_unknown_keys_and_keys_that_identify_nothing_are_refused() -> None:
    with pytest.raises(UnknownFieldError, match="Kee__c"):
        plan(key="Kee__c")
    with pytest.raises(ConfigError, match="Name does not identify") as refusal:
        plan(key="Name")
    assert refusal.value.hint == "Use --sync_field Id or Key__c or Unique__c."


@pytest.mark.parametrize(
    ("missing", "expected"),
    [((), "SystemModstamp"), (("SystemModstamp",), None), (("SystemModstamp", "CreatedDate"), None)],
)
def test_the_cursor_tells_of_changes(missing: tuple[str, ...], expected: str | None) -> None:
    assert find_cursor(without(ACCOUNT, *missing), None) == expected


def test_objects_that_only_grow_go_by_their_creation_date() -> None:
    history = replace(without(ACCOUNT, "SystemModstamp"), name="AccountHistory")

    assert find_cursor(history, None) == "CreatedDate"


def test_a_wished_cursor_must_be_a_filterable_datetime() -> None:
    assert find_cursor(ACCOUNT, "createddate") == "CreatedDate"
    for name in ("Name", "Hidden__c"):
        with pytest.raises(ConfigError, match=f"{name} cannot be a cursor"):
            find_cursor(ACCOUNT, name)
    with pytest.raises(UnknownFieldError):
        find_cursor(ACCOUNT, "Created_Date")


def test_what_old_rows_lack_is_backfilled_unless_everything_is_read() -> None:
    grown = replace(ACCOUNT, fields=(*ACCOUNT.fields, Field("New__c", "string"), Field("Back__c", "string")))
    facts = TableFacts((*COLUMNS, replace(COLUMNS[2], name="Back__c")), rows=10)
    given = situation(sobject=grown, facts=facts, owed=(debt("Name"), debt("Excluded__c")))

    made = plan(given)

    assert sorted(column.name for column in made.backfill) == ["Back__c", "Name", "New__c"]
    assert plan(given, full=True).backfill == ()
    assert plan(replace(given, facts=replace(facts, rows=0)), full=True).backfill == ()
    assert plan(replace(given, facts=None, stored=None), lastmodifieddate=NOON).backfill == ()


def test_deletions_are_asked_for_where_the_object_tells_them_and_the_policy_wants_them() -> None:
    assert not plan(situation(sobject=replace(ACCOUNT, replicateable=False))).reads_deleted
    assert not plan(deletes=DeletePolicy.KEEP).reads_deleted
    assert not plan(situation(sobject=without(ACCOUNT, "IsDeleted"))).has_is_deleted


def test_formulas_are_refreshed_apart_only_where_not_everything_is_read() -> None:
    assert plan(refresh_formulas=True).refresh_formulas
    assert not plan(refresh_formulas=True, full=True).refresh_formulas


def test_warnings_say_what_will_not_be_seen() -> None:
    before = ("Gone__c", *(column.name for column in COLUMNS if column.name != "Name"))

    told = plan(situation(stored=watermark(fields=before)), cursor="CreatedDate", adopt=True, full=True)

    assert told.warnings == (
        "field Account.Gone__c is gone; its column keeps the old values",
        "field Account.Name is back; its column is filled anew",
        "CreatedDate is the cursor: changes of existing records will not be seen",
        "--adopt has no effect with --full",
    )


def test_conditions_are_the_filter_and_the_bound() -> None:
    assert conditions(None, None, None) == []
    assert conditions("  ", "SystemModstamp", None) == []
    assert conditions("A = 1", "SystemModstamp", NOON) == ["A = 1", "SystemModstamp >= 2026-05-01T12:00:00Z"]
