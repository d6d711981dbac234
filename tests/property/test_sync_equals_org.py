"""Whatever happens to an org between syncs, the table ends equal to it in every stored field."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lakes import SnowflakeLake
from world import World, open_world

from lht.model.sync import DeletePolicy, ObjectResult
from lht.testing import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lht.testing import StandIn
    from lht.testing.simulator import LocalOrg

MARK, REMOVE, KEEP = DeletePolicy.MARK, DeletePolicy.REMOVE, DeletePolicy.KEEP
COMPARED = ("Id", "Name", "Industry", "NumberOfEmployees", "Description", "ExternalId__c", "IsDeleted")
STEPS = st.lists(
    st.sampled_from(["insert", "update", "delete", "undelete", "purge", "sync", "full", "second", "hour", "week", "month"]),
    max_size=14,
)  # fmt: skip


@pytest.fixture(scope="module")
def org() -> Iterator[LocalOrg]:
    with simulator(records=0, seed=5, token_lifetime_s=1e9) as local:
        yield local


def in_org(world: World) -> dict[str, tuple[Any, ...]]:
    records = world.rest.query(f"SELECT {', '.join(COMPARED)} FROM Account")
    return {record["Id"]: tuple(record[name] for name in COMPARED) for record in records}


def in_table(world: World) -> dict[str, tuple[Any, ...]]:
    rows = world.rows(f"SELECT {', '.join(COMPARED)} FROM Account")
    return {row[0]: tuple(row) for row in rows}


def act(world: World, step: str, chance: random.Random, policies: Sequence[DeletePolicy] = (MARK,)) -> None:
    known = in_org(world)
    live = [i for i, row in known.items() if not row[-1]]
    deleted = [i for i, row in known.items() if row[-1]]
    admin = world.local.admin
    match step:
        case "insert":
            world.rest.create("Account", Name=f"N{chance.random()}", NumberOfEmployees=chance.randrange(99))
        case "update" if live:
            world.rest.update("Account", chance.choice(live), Description=f"d\n\"{chance.random()}'")
        case "delete" if live:
            chosen = chance.choice(live)
            for case in world.rest.query(f"SELECT Id, IsDeleted FROM Case WHERE AccountId = '{chosen}'"):
                if not case["IsDeleted"]:  # cases keep their account from being deleted
                    world.rest.delete("Case", case["Id"])
            world.rest.delete("Account", chosen)
        case "undelete" if deleted:
            admin.undelete([chance.choice(deleted)])
        case "purge" if deleted:
            admin.purge("Account", [chance.choice(deleted)])
        case "sync" | "full":
            world.sync(full=step == "full", deletes=chance.choice(policies))
        case "second" | "hour" | "week" | "month":
            admin.advance_clock({"second": 1, "hour": 3600, "week": 7 * 86_400, "month": 30 * 86_400}[step])
        case _:
            pass


def sync_at_last(world: World, **options: Any) -> ObjectResult:
    """Syncs after the minute has ended: getDeleted tells whole minutes only, so what was purged waits for that."""
    world.local.admin.advance_clock(60)
    return world.sync(**options)


@given(steps=STEPS, seed=st.integers(0, 2**16))
@example(steps=["insert", "sync", "delete", "purge"], seed=0)
@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_interleaving_of_changes_and_syncs_ends_with_a_table_equal_to_the_org(
    org: LocalOrg, steps: list[str], seed: int
) -> None:
    org.admin.reset()
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as spool:
        world = open_world(org, Path(spool))
        try:
            for step in steps:
                act(world, step, chance)
            result = sync_at_last(world)
            expected, found = in_org(world), in_table(world)
        finally:
            world.close()

    assert {i: row for i, row in found.items() if i in expected} == expected
    assert all(row[-1] for i, row in found.items() if i not in expected), "a purged row is still live"
    assert result.rows_in_table == len(found)


def on_snowflake(stand_in: StandIn, spool: str) -> SnowflakeLake:
    """An empty database of its own; the stand-in drops it at its end."""
    return SnowflakeLake(stand_in.database(), Path(spool) / "parts")


@given(steps=STEPS, seed=st.integers(0, 2**16))
@settings(
    max_examples=3,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_on_snowflake_too_the_table_ends_equal_to_the_org(
    org: LocalOrg, lht_stand_in: StandIn, steps: list[str], seed: int
) -> None:
    org.admin.reset()
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as spool:
        world = open_world(org, Path(spool), on_snowflake(lht_stand_in, spool))
        try:
            for step in steps:
                act(world, step, chance)
            sync_at_last(world)
            expected, found = in_org(world), in_table(world)
        finally:
            world.close()

    assert {i: row for i, row in found.items() if i in expected} == expected
    assert all(row[-1] for i, row in found.items() if i not in expected), "a purged row is still live"


def live(rows: dict[str, tuple[Any, ...]]) -> dict[str, tuple[Any, ...]]:
    return {record: row for record, row in rows.items() if not row[-1]}


def after(
    org: LocalOrg, steps: list[str], seed: int, policies: Sequence[DeletePolicy], last: DeletePolicy
) -> tuple[dict[str, tuple[Any, ...]], dict[str, tuple[Any, ...]]]:
    """Org and table after the steps, with syncs by one or other policy, and a last sync."""
    org.admin.reset()
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as spool:
        world = open_world(org, Path(spool))
        try:
            for step in steps:
                act(world, step, chance, policies)
            sync_at_last(world, deletes=last)
            return in_org(world), in_table(world)
        finally:
            world.close()


@given(steps=STEPS, seed=st.integers(0, 2**16))
@example(steps=["insert", "sync", "delete", "purge"], seed=0)
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_where_deletions_are_removed_the_table_has_the_live_records_and_no_other(
    org: LocalOrg, steps: list[str], seed: int
) -> None:
    expected, found = after(org, steps, seed, (REMOVE,), REMOVE)

    assert found == live(expected)


@given(steps=STEPS, seed=st.integers(0, 2**16), last=st.sampled_from([MARK, REMOVE]))
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_whatever_the_policies_were_before_the_live_rows_are_the_live_records(
    org: LocalOrg, steps: list[str], seed: int, last: DeletePolicy
) -> None:
    expected, found = after(org, steps, seed, (MARK, REMOVE, KEEP), last)

    assert live(found) == live(expected)


@pytest.fixture(scope="module")
def large_org() -> Iterator[LocalOrg]:
    with simulator(records=2100, seed=5, token_lifetime_s=1e9) as local:
        yield local


@given(
    steps=st.lists(
        st.sampled_from(["insert", "update", "delete", "purge", "sync", "hour", "month"]), max_size=7
    ),
    seed=st.integers(0, 2**16),
)
@settings(
    max_examples=4,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_what_bulk_jobs_bring_is_equal_to_the_org(large_org: LocalOrg, steps: list[str], seed: int) -> None:
    expected, found = after(large_org, ["sync", *steps], seed, (MARK,), MARK)

    assert {i: row for i, row in found.items() if i in expected} == expected
    assert all(row[-1] for i, row in found.items() if i not in expected), "a purged row is still live"
