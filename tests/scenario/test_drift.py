"""An object's shape changes between syncs: what its table does about it, and that no old value is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.errors import SchemaDriftError
from lht.mapping.types import parse_type

if TYPE_CHECKING:
    from world import World


def two_synced(world: World) -> list[str]:
    ids = [world.rest.create("Account", Name=name) for name in ("A", "B")]
    world.local.admin.advance_clock(3600)
    world.sync()
    world.local.admin.advance_clock(3600)
    return ids


def add_number(world: World, name: str = "Score__c", scale: int = 2) -> None:
    world.local.admin.add_field("Account", name, "double", precision=18, scale=scale)


def test_a_new_field_becomes_a_column_and_old_rows_get_its_values(world: World) -> None:
    two_synced(world)
    world.local.admin.add_field("Account", "Tier__c", "string", length=20, default_value="silver")
    world.rest.create("Account", Name="C", Tier__c="gold")

    result = world.sync()

    assert (result.mode, result.columns_added) == ("incremental", world.named("Tier__c"))
    assert world.rows("SELECT Name, Tier__c FROM Account ORDER BY Name") == [
        (record["Name"], record["Tier__c"])
        for record in world.rest.query("SELECT Name, Tier__c FROM Account ORDER BY Name")
    ]


def test_values_set_before_the_column_was_known_are_backfilled(world: World) -> None:
    first, _ = two_synced(world)
    add_number(world)
    world.rest.update("Account", first, Score__c=7.5)
    world.local.admin.advance_clock(3600)
    world.local.admin.hide_field("Account", "Score__c")
    world.sync()
    world.local.admin.advance_clock(3600)
    world.local.admin.hide_field("Account", "Score__c", hidden=False)

    world.sync()

    assert world.value(f"SELECT Score__c FROM Account WHERE Id = '{first}'") == 7.5


def test_a_field_that_vanishes_keeps_its_column_and_values_and_is_reported(world: World) -> None:
    first, _ = two_synced(world)
    add_number(world)
    world.rest.update("Account", first, Score__c=7.5)
    world.sync()
    world.local.admin.drop_field("Account", "Score__c")
    world.rest.update("Account", first, Name="changed")

    result = world.sync()

    assert result.columns_vanished == ("Score__c",)
    assert world.rows(f"SELECT Name, Score__c FROM Account WHERE Id = '{first}'") == [("changed", 7.5)]


def test_a_field_that_comes_back_is_backfilled(world: World) -> None:
    first, _ = two_synced(world)
    add_number(world)
    world.rest.update("Account", first, Score__c=1)
    world.sync()
    world.local.admin.advance_clock(3600)
    world.rest.update("Account", first, Score__c=2)
    world.local.admin.hide_field("Account", "Score__c")
    world.sync()
    world.local.admin.advance_clock(3600)
    world.local.admin.hide_field("Account", "Score__c", hidden=False)

    world.sync()

    assert world.value(f"SELECT Score__c FROM Account WHERE Id = '{first}'") == 2


def test_more_decimals_exchange_the_column_and_keep_the_old_one(world: World) -> None:
    first, _ = two_synced(world)
    add_number(world)
    world.rest.update("Account", first, Score__c=1.25)
    world.sync()
    world.local.admin.advance_clock(3600)
    world.local.admin.alter_field("Account", "Score__c", scale=4)

    world.sync()

    assert (world.type_of("Score__c"), world.type_of("Score__c__lht_old")) == ("number(38,4)", "number(38,2)")
    assert world.value(f"SELECT Score__c FROM Account WHERE Id = '{first}'") == 1.25


def test_a_number_that_became_text_is_exchanged(world: World) -> None:
    first, _ = two_synced(world)
    add_number(world, scale=0)
    world.rest.update("Account", first, Score__c=12)
    world.sync()
    world.local.admin.advance_clock(3600)
    world.local.admin.alter_field("Account", "Score__c", type="string", length=40)
    world.rest.update("Account", first, Score__c="twelve")

    world.sync()

    assert world.value(f"SELECT Score__c FROM Account WHERE Id = '{first}'") == "twelve"


def test_a_type_that_cannot_hold_the_values_is_refused_with_both_types_and_a_way_out(world: World) -> None:
    two_synced(world)
    world.execute(
        "ALTER TABLE Account DROP COLUMN CreatedDate", "ALTER TABLE Account ADD COLUMN CreatedDate BOOLEAN"
    )

    with pytest.raises(SchemaDriftError) as refusal:
        world.sync()

    assert "is boolean, field Account.CreatedDate is timestamp" in refusal.value.message
    assert "--exclude CreatedDate" in refusal.value.hint


def test_a_type_override_counts_and_a_changed_one_is_read_in_full(world: World) -> None:
    two_synced(world)

    result = world.sync(types={"account.numberofemployees": parse_type("string(40)")})

    assert result.mode == "full"
    assert world.type_of("NumberOfEmployees").startswith("varchar")


def test_users_own_columns_are_left_alone(world: World) -> None:
    first, _ = two_synced(world)
    world.execute("ALTER TABLE Account ADD COLUMN our_note VARCHAR")
    world.execute("UPDATE Account SET our_note = 'keep me'")
    world.rest.update("Account", first, Name="changed")

    result = world.sync(full=True)

    assert (result.columns_vanished, result.rows_updated) == ((), 1)
    assert world.rows("SELECT DISTINCT our_note FROM Account") == [("keep me",)]


def test_a_backfill_that_was_killed_is_made_good_by_the_next_run(world: World) -> None:
    first, _ = two_synced(world)
    add_number(world)
    world.rest.update("Account", first, Score__c=3)
    world.local.admin.advance_clock(3600)

    def interrupt(event: object) -> None:
        if getattr(event, "kind", "") == "reading":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        world.run("Account", on_event=interrupt)
    world.sync()

    assert world.value(f"SELECT Score__c FROM Account WHERE Id = '{first}'") == 3
    assert world.rows("SELECT DISTINCT backfilled_at IS NULL FROM lht.schema_changes WHERE upper(column_name) = 'SCORE__C' "
                      "QUALIFY row_number() OVER (PARTITION BY change_id ORDER BY saved DESC) = 1") == [(False,)]  # fmt: skip
