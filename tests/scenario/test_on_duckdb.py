"""What only DuckDB has: a caller's transaction, schema and settings, keys that are enforced, a catalog named memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lakes import DuckDBLake
from world import ROWS

from lht.errors import WarehouseError

if TYPE_CHECKING:
    from world import World


@pytest.fixture
def scenario_lake() -> DuckDBLake:
    return DuckDBLake()


def test_a_caller_with_an_open_transaction_is_refused(world: World) -> None:
    world.lake.connection.execute("BEGIN")

    with pytest.raises(WarehouseError, match="transaction"):
        world.sync()
    world.lake.connection.execute("ROLLBACK")


def test_the_callers_schema_is_where_a_plain_name_lies(world: World) -> None:
    world.rest.create("Account", Name="A")
    world.execute("CREATE SCHEMA own")
    world.lake.connection.execute("USE own")
    before = world.rows("SELECT name, value FROM duckdb_settings() ORDER BY name")

    world.sync()

    assert world.value("SELECT count(*) FROM memory.own.Account") == 1
    assert world.lake.connection.execute("SELECT current_schema()").fetchall() == [("own",)]
    assert world.rows("SELECT name, value FROM duckdb_settings() ORDER BY name") == before


def test_a_table_may_be_named_in_full(world: World) -> None:
    world.rest.create("Account", Name="A")

    world.sync(table="memory.raw.t")

    assert world.value("SELECT count(*) FROM raw.T") == 1


def test_a_table_with_a_primary_key_and_columns_of_its_own_can_be_adopted(bulk_world: World) -> None:
    world = bulk_world
    world.sync(fields=("Name",))
    world.execute("ALTER TABLE Account ADD COLUMN note VARCHAR DEFAULT 'none'")
    world.execute("ALTER TABLE Account ADD PRIMARY KEY (Id)")
    world.execute("UPDATE Account SET Name = 'stale', note = 'mine'")
    world.execute("DROP SCHEMA lht CASCADE")

    result = world.sync(fields=("Name",))

    assert (result.mode, result.rows_updated) == ("full", ROWS)
    assert world.rows("SELECT DISTINCT note FROM Account") == [("mine",)]
