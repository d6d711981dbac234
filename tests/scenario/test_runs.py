"""What is told of runs that are under way, that were killed, and that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.app.history import runs
from lht.warehouse.duckdb import from_connection

if TYPE_CHECKING:
    from world import World

    from lht.model.sync import SyncEvent


def test_a_run_under_way_is_known_by_its_lock(world: World) -> None:
    world.rest.create("Account", Name="A")
    seen: list[tuple[str, str, str]] = []

    def look(event: SyncEvent) -> None:
        if event.kind == "loading":
            seen.extend(
                (r.run_id, r.object, r.status) for r in runs(from_connection(world.connection.cursor()))
            )

    world.run("Account", on_event=look)

    assert seen == [("run0001", "Account", "running")]
    assert [(r.run_id, r.status) for r in runs(from_connection(world.connection))] == [("run0001", "done")]


def test_a_killed_run_is_told_as_interrupted_before_and_after_its_lock_is_replaced(world: World) -> None:
    world.rest.create("Account", Name="A")
    world.sync()
    world.connection.execute(
        "INSERT INTO lht.locks BY NAME SELECT '' AS table_catalog, 'main' AS table_schema, 'Account' AS table_name, "
        "'t' AS token, 'elsewhere' AS host, '' AS boot_id, 'dead' AS run_id, 1 AS pid, 'Account' AS object, "
        "'00D' AS org_id, 'sync' AS command, '4' AS lht_version, "
        "TIMESTAMP '2020-01-01' AS acquired_at, TIMESTAMP '2020-01-01' AS heartbeat_at"
    )
    before = {r.run_id: r.status for r in runs(from_connection(world.connection))}

    world.sync()

    after = {r.run_id: r.status for r in runs(from_connection(world.connection))}
    assert before == {"run0001": "done", "dead": "interrupted"}
    assert after == {"run0001": "done", "dead": "interrupted", "run0002": "done"}
    told = [event.message for event in world.events if "run dead" in event.message]
    assert len(told) == 1


def test_a_failed_run_tells_how_long_it_took(world: World) -> None:
    world.rest.create("Account", Name="A")

    world.run("Account", key="Name")

    (failed,) = runs(from_connection(world.connection))
    assert failed.status == "failed"
    assert failed.result is not None
    assert failed.result.seconds > 0
