"""What is told of runs that are under way, that were killed, and that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.app.history import runs

if TYPE_CHECKING:
    from world import World

    from lht.model.sync import SyncEvent


def test_a_run_under_way_is_known_by_its_lock(world: World) -> None:
    world.rest.create("Account", Name="A")
    seen: list[tuple[str, str, str]] = []

    def look(event: SyncEvent) -> None:
        if event.kind == "loading":
            seen.extend((r.run_id, r.object, r.status) for r in runs(world.lake.warehouse()))

    world.run("Account", on_event=look)

    assert seen == [("run0001", "Account", "running")]
    assert [(r.run_id, r.status) for r in runs(world.lake.warehouse())] == [("run0001", "done")]


def test_a_killed_run_is_told_as_interrupted_before_and_after_its_lock_is_replaced(world: World) -> None:
    world.rest.create("Account", Name="A")
    world.sync()
    table = world.lake.warehouse().table_name("Account")
    catalog = world.value("SELECT table_catalog FROM lht.watermarks")
    then = "TIMESTAMP '2020-01-01 00:00:00'"
    world.execute(
        "INSERT INTO lht.locks (table_catalog, table_schema, table_name, token, host, boot_id, run_id, org_id, object, "
        f"command, lht_version, pid, acquired_at, heartbeat_at) SELECT '{catalog}', '{table.schema}', '{table.name}', "
        f"'t', 'elsewhere', '', 'dead', '00D', 'Account', 'sync', '4', 1, {then}, {then}"
    )
    before = {r.run_id: r.status for r in runs(world.lake.warehouse())}

    world.sync()

    after = {r.run_id: r.status for r in runs(world.lake.warehouse())}
    assert before == {"run0001": "done", "dead": "interrupted"}
    assert after == {"run0001": "done", "dead": "interrupted", "run0002": "done"}
    told = [event.message for event in world.events if "run dead" in event.message]
    assert len(told) == 1


def test_a_failed_run_tells_how_long_it_took(world: World) -> None:
    world.rest.create("Account", Name="A")

    world.run("Account", key="Name")

    (failed,) = runs(world.lake.warehouse())
    assert failed.status == "failed"
    assert failed.result is not None
    assert failed.result.seconds > 0
