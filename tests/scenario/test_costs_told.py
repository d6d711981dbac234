"""The numbers of statements that docs/snowflake.md tells are those that a run sends."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from lakes import DuckDBLake

from lht.sync.engine import run_sync
from lht.warehouse.snowflake.connect import open_snowflake

if TYPE_CHECKING:
    from world import World

    from lht.testing import StandInDatabase

PAGE = (Path(__file__).parents[2] / "docs" / "snowflake.md").read_text(encoding="utf-8")
WORDS = {"two": 2, "six": 6}
AN_HOUR_S = 3600


@pytest.fixture
def scenario_lake() -> DuckDBLake:
    """The tests here open the warehouses that they are about."""
    return DuckDBLake()


def told(pattern: str) -> int:
    found = re.search(pattern, " ".join(PAGE.split()))
    assert found is not None, pattern
    return WORDS.get(found[1]) or int(found[1])


@pytest.fixture
def sent(world: World, lht_snowflake: StandInDatabase) -> Any:
    """Syncs, an hour after the last time, and counts what came; a PUT is one, though the connector asks twice."""

    def sync_and_count(object_name: str = "Account", **options: Any) -> int:
        world.local.admin.advance_clock(AN_HOUR_S)
        lht_snowflake.clear_statements()
        world.runs += 1
        with open_snowflake(lht_snowflake.options, name="lake") as lake:
            requests = world.requests(object_name, **options)
            result = run_sync(
                world.org, lake, requests, run_id=f"run{world.runs:04}", spool_dir=world.spool_dir
            )
        assert not result.failures
        return sum(not re.match(r"PUT 'file://[^/]", s["sql"]) for s in lht_snowflake.statements())

    return sync_and_count


def test_the_page_tells_how_many_statements_a_run_sends(world: World, sent: Any) -> None:
    world.rest.create("Account", Name="Ada")
    world.rest.create("Contact", LastName="Ada")
    very_first = sent()
    first = sent("Contact")
    empty = sent()
    world.rest.create("Account", Name="Bob")
    incremental = sent()
    full = sent(full=True)

    usual = told(r"find.*? (\d+) statements for each object, however many")
    assert empty == told(r"At most (\w+) statements for each object")
    assert incremental == usual
    assert full == usual + told(r"A full sync of a table that has rows takes (\w+) more")
    assert first == told(r"The first sync of an object takes (\w+) as well")
    assert very_first == first + told(r"makes LHT's own tables and the stage, with (\d+) more")
