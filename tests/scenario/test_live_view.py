"""The view of live rows beside a table: made by `create`, kept in step by `sync`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.errors import ConfigError
from lht.salesforce import sobject_create

if TYPE_CHECKING:
    from world import World


def create(world: World, *, live_view: bool = True) -> None:
    sobject_create.create(world.lake.warehouse(), world.org, "Account", "Account", live_view=live_view)


def columns_of(world: World, name: str) -> list[object]:
    return list(world.types(name))


def test_a_live_view_shows_the_rows_that_are_not_deleted(world: World) -> None:
    kept, deleted = (world.rest.create("Account", Name=name) for name in ("A", "B"))
    create(world)
    world.sync()
    world.rest.delete("Account", deleted)

    world.sync()

    assert world.value("SELECT count(*) FROM Account") == 2
    assert world.rows("SELECT Id FROM Account_live") == [(kept,)]
    assert columns_of(world, "Account_live") == columns_of(world, "Account")


def test_sync_gives_a_live_view_the_columns_that_its_table_got(world: World) -> None:
    world.rest.create("Account", Name="A")
    create(world)
    world.sync()
    world.local.admin.advance_clock(3600)
    world.local.admin.add_field("Account", "Tier__c", "double", precision=18, scale=2)

    world.sync()
    world.local.admin.advance_clock(3600)
    world.local.admin.alter_field("Account", "Tier__c", scale=4)
    world.sync()

    assert world.named("Tier__c__lht_old")[0] in columns_of(world, "Account")
    shown = {
        name: kind for name, kind in world.types("Account_live").items() if name.lower().startswith("tier")
    }
    assert shown == {world.named("Tier__c")[0]: "number(38,4)"}
    assert world.value("SELECT count(*) FROM Account_live") == 1


def test_the_view_of_an_existing_table_is_made_or_made_anew(world: World) -> None:
    world.sync()
    world.execute("ALTER TABLE Account ADD COLUMN mine INTEGER")
    create(world)
    world.execute("ALTER TABLE Account ADD COLUMN also_mine INTEGER")

    create(world)

    assert columns_of(world, "Account_live")[-2:] == list(world.named("mine", "also_mine"))


@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
def test_what_others_made_is_never_replaced(world: World, kind: str) -> None:
    world.execute(f"CREATE {kind} Account_live AS SELECT 1 AS theirs")

    with pytest.raises(ConfigError, match="LHT did not make it"):
        create(world)
    create(world, live_view=False)
    world.sync()

    assert world.rows("SELECT * FROM Account_live") == [(1,)]


def test_a_view_is_refused_as_a_target_before_anything_is_read(world: World) -> None:
    world.sync()
    world.execute("CREATE VIEW Accounts_shown AS SELECT * FROM Account")
    asked = len(world.paths())

    with pytest.raises(ConfigError, match=r"(?i)accounts_shown is a view") as told:
        world.sync(table="Accounts_shown")

    assert "--table" in told.value.hint
    assert not [path for path in world.paths()[asked:] if "/query" in path]
    with pytest.raises(ConfigError, match="is a view"):
        world.plan(table="Accounts_shown")
    with pytest.raises(ConfigError, match="is a view"):
        sobject_create.create(world.lake.warehouse(), world.org, "Account", "Accounts_shown")
