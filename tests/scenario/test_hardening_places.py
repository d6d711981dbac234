"""Interrupted anywhere, and tables of any name and place: the next run, or the same one, ends as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import ROWS

from lht.model.sync import DeletePolicy

if TYPE_CHECKING:
    from world import World

DAY = 86_400


@pytest.mark.parametrize("at", ["planned", "waiting", "reading", "loading"])
def test_a_run_interrupted_anywhere_is_made_good_by_the_next(bulk_world: World, at: str) -> None:
    world = bulk_world
    world.interrupted(at=at)

    result = world.sync()

    assert (result.rows_in_table, world.value("SELECT count(*) FROM Account")) == (ROWS, ROWS)
    assert world.rest.call("GET", "jobs/query")["records"] == []
    assert not list(world.spool_dir.glob("*"))
    assert world.value("SELECT count(*) FROM lht.locks") == 0


def test_an_incremental_run_interrupted_before_its_commit_repeats_its_window(bulk_world: World) -> None:
    world = bulk_world
    world.sync()
    world.local.admin.advance_clock(DAY)
    record = world.rest.create("Account", Name="new")
    world.interrupted(at="loading")
    world.local.admin.advance_clock(DAY)

    result = world.sync()

    assert (result.mode, result.rows_inserted) == ("incremental", 1)
    assert world.value(f"SELECT Name FROM Account WHERE Id = '{record}'") == "new"


def test_several_jobs_of_one_run_are_all_closed(bulk_world: World) -> None:
    world = bulk_world
    world.sync()
    world.local.admin.add_field("Account", "Tier__c", "string", length=20, default_value="silver")
    world.local.admin.advance_clock(20 * DAY)

    world.sync()

    latest = "QUALIFY row_number() OVER (PARTITION BY job_id ORDER BY saved DESC) = 1"
    assert {row[0] for row in world.rows(f"SELECT status FROM lht.jobs {latest}")} == {"done"}
    assert world.rest.call("GET", "jobs/query")["records"] == []


def test_a_job_deleted_in_the_org_before_the_rerun_is_asked_anew(bulk_world: World) -> None:
    world = bulk_world
    world.interrupted()
    for job in world.rest.call("GET", "jobs/query")["records"]:
        world.rest.call("DELETE", f"jobs/query/{job['id']}")

    assert world.sync().rows_in_table == ROWS


def test_fields_that_differ_do_not_take_up_a_job(bulk_world: World) -> None:
    world = bulk_world
    world.interrupted()
    world.sync(fields=("Name",))

    assert world.value("SELECT count(Name) FROM Account") == ROWS


@pytest.mark.parametrize("table", ['odd."na""me. ä"', "raw.T", 'raw."_lht_stage"'])
def test_tables_of_any_name_in_any_schema_are_kept_in_step(world: World, table: str) -> None:
    world.rest.create("Account", Name="A")
    world.sync(table=table)
    world.rest.create("Account", Name="B")

    result = world.sync(table=table)

    assert (result.mode, result.rows_inserted, result.rows_in_table) == ("incremental", 1, 2)


def test_deletions_too_many_for_get_deleted_are_found_by_comparing_ids(world: World) -> None:
    gone = world.rest.create("Account", Name="A")
    world.rest.create("Account", Name="B")
    world.sync()
    world.rest.delete("Account", gone)
    world.local.admin.purge("Account", [gone])
    world.local.admin.advance_clock(3600)
    world.local.admin.change_settings(most_ids=0)

    result = world.sync(deletes=DeletePolicy.REMOVE)

    assert (result.rows_deleted_unseen, result.rows_in_table) == (1, 1)
