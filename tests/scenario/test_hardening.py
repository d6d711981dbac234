"""Runs that were killed, policies that change, clean-ups that fail: what earlier versions lost or marked wrongly."""

from __future__ import annotations

import os
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from world import ROWS

from lht.errors import ConfigError, LhtError, RunLockedError, SyncError, VisibilityLostError, WatermarkError
from lht.mapping.types import parse_type
from lht.model.sync import DeletePolicy, SyncRequest
from lht.sync.engine import run_sync

if TYPE_CHECKING:
    from world import World

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR, DAY = 3600, 86_400


def accounts(world: World, count: int) -> list[str]:
    return [world.rest.create("Account", Name=f"A{n:04}") for n in range(count)]


def names(world: World) -> list[Any]:
    return [row[0] for row in world.rows("SELECT Name FROM Account WHERE NOT IsDeleted ORDER BY Name")]


def is_deleted(world: World, record: str) -> Any:
    return world.value(f"SELECT IsDeleted FROM Account WHERE Id = '{record}'")


def purge(world: World, *records: str) -> None:
    for record in records:
        world.rest.delete("Account", record)
    world.local.admin.purge("Account", list(records))


def statuses(world: World) -> list[Any]:
    latest = "QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY saved DESC) = 1 ORDER BY run_id"
    return [row[0] for row in world.rows(f"SELECT status FROM lht.runs {latest}")]


# -- answers of a run that was killed --------------------------------------------------------------------------


def test_ids_that_a_killed_run_read_do_not_make_later_records_deleted(bulk_world: World) -> None:
    world = bulk_world
    world.sync()
    world.local.admin.advance_clock(20 * DAY)
    world.interrupted(at="waiting")  # the rows were few; the job reads all Ids
    later = world.rest.create("Account", Name="later")
    world.local.admin.advance_clock(HOUR)

    world.sync()

    assert is_deleted(world, later) is False


def test_a_deletion_after_the_rows_of_a_killed_run_is_not_lost(bulk_world: World) -> None:
    world = bulk_world
    world.interrupted()
    gone = world.rest.query("SELECT Id FROM Account WHERE IsDeleted = false LIMIT 1")[0]["Id"]
    world.local.admin.advance_clock(HOUR)
    purge(world, gone)
    world.local.admin.advance_clock(HOUR)
    world.sync()
    world.local.admin.advance_clock(HOUR)

    world.sync()

    assert is_deleted(world, gone) is True


def test_a_changed_record_is_not_taken_for_filtered_out_because_the_rows_are_older(bulk_world: World) -> None:
    world = bulk_world
    world.local.admin.advance_clock(HOUR)
    world.sync(where="Name != 'x'")
    reached = world.value("SELECT read_until FROM lht.watermarks")
    stamps = world.rows(
        "SELECT SystemModstamp, Id FROM Account WHERE NOT IsDeleted ORDER BY SystemModstamp, Id"
    )
    overlap = int((reached - stamps[200][0]).total_seconds())
    oldest = stamps[0][1]
    assert stamps[0][0] < reached - timedelta(seconds=overlap)
    world.interrupted(where="Name != 'x'", overlap_s=overlap, skip=1)  # the rows; changed Ids come first
    world.rest.update("Account", oldest, Description="changed, still in the filter")

    world.sync(where="Name != 'x'", overlap_s=overlap)

    assert is_deleted(world, oldest) is False


def test_a_result_that_the_valve_refused_is_not_taken_up_again(bulk_world: World) -> None:
    world = bulk_world
    world.sync()
    world.local.admin.hide_records("Account")
    with pytest.raises(VisibilityLostError):
        world.sync(full=True)
    world.local.admin.hide_records("Account", hidden=False)

    assert world.sync(full=True).rows_deleted_unseen == 0


def test_leftovers_of_a_killed_run_are_ended_even_if_nobody_asks_for_them_again(bulk_world: World) -> None:
    world = bulk_world
    world.sync()
    world.local.admin.advance_clock(20 * DAY)
    world.interrupted(at="waiting")
    world.local.admin.advance_clock(HOUR)
    world.sync(deletes=DeletePolicy.KEEP)

    assert world.rest.call("GET", "jobs/query")["records"] == []
    assert not list(world.spool_dir.glob("*"))
    latest = "QUALIFY row_number() OVER (PARTITION BY job_id ORDER BY saved DESC) = 1"
    assert "open" not in [row[0] for row in world.rows(f"SELECT status FROM lht.jobs {latest}")]


def test_pages_that_nobody_remembers_are_removed_after_a_week(world: World) -> None:
    for name, age in (("750old", 8 * DAY), ("750new", DAY)):
        directory = world.spool_dir / name
        directory.mkdir(parents=True)
        (directory / "0.csv.gz").write_bytes(b"x")
        then = datetime.now(UTC).timestamp() - age
        os.utime(directory, (then, then))

    world.sync()

    assert [path.name for path in world.spool_dir.iterdir()] == ["750new"]


# -- after the commit ------------------------------------------------------------------------------------------


def test_a_job_that_cannot_be_deleted_does_not_make_a_good_run_fail(bulk_world: World) -> None:
    bulk_world.local.admin.fault("expire_session", method="DELETE", path="*/jobs/query/*", times=1)

    result = bulk_world.sync()

    assert (result.rows_in_table, statuses(bulk_world)) == (ROWS, ["done"])
    assert any("was not deleted" in event.message for event in bulk_world.events)


def test_ctrl_c_after_the_commit_leaves_the_run_done(world: World) -> None:
    accounts(world, 1)

    world.interrupted(at="committed")

    assert statuses(world) == ["done"]


@pytest.mark.parametrize("name", ["A0000", "changed"])
def test_no_scratch_table_stays_on_the_callers_connection(world: World, name: str) -> None:
    first, _ = accounts(world, 2)
    world.sync()
    world.rest.update("Account", first, Name=name)

    world.sync()

    assert world.lake.left_over() == []


def test_no_scratch_table_stays_when_the_valve_closes(world: World) -> None:
    ids = accounts(world, 150)
    world.sync()
    world.local.admin.hide_records("Account", ids[:120])
    with pytest.raises(VisibilityLostError):
        world.sync(full=True)

    assert world.lake.left_over() == []


# -- policies and positions ------------------------------------------------------------------------------------


def test_deletions_passed_over_under_keep_are_found_when_the_policy_changes(world: World) -> None:
    gone, _, _ = accounts(world, 3)
    world.sync(deletes=DeletePolicy.KEEP)
    purge(world, gone)
    world.local.admin.advance_clock(HOUR)
    world.sync(deletes=DeletePolicy.KEEP)
    world.local.admin.advance_clock(HOUR)

    result = world.sync()

    assert (result.mode, names(world)) == ("incremental", ["A0001", "A0002"])


def test_rows_that_left_the_filter_under_keep_are_found_when_the_policy_changes(world: World) -> None:
    one, _ = accounts(world, 2)
    world.sync(deletes=DeletePolicy.KEEP, where="Name LIKE 'A%'")
    world.rest.update("Account", one, Name="B")
    world.local.admin.advance_clock(HOUR)
    world.sync(deletes=DeletePolicy.KEEP, where="Name LIKE 'A%'")
    world.local.admin.advance_clock(HOUR)

    world.sync(where="Name LIKE 'A%'", deletes=DeletePolicy.REMOVE)

    assert names(world) == ["A0001"]


def test_marked_rows_stay_when_the_policy_becomes_remove_and_then_keep(world: World) -> None:
    first, second, third = accounts(world, 3)
    world.sync()
    world.rest.delete("Account", first)
    world.local.admin.advance_clock(HOUR)
    world.sync()
    world.local.admin.advance_clock(HOUR)
    world.rest.delete("Account", second)
    world.sync(deletes=DeletePolicy.REMOVE)
    world.local.admin.advance_clock(HOUR)
    world.rest.delete("Account", third)
    world.sync(deletes=DeletePolicy.KEEP)

    assert world.rows("SELECT Id, IsDeleted FROM Account ORDER BY Id") == [(first, True), (third, False)]


def test_the_watermark_never_moves_back_when_the_newest_record_is_gone(world: World) -> None:
    world.local.admin.set_clock(NOON, frozen=True)
    accounts(world, 1)
    world.local.admin.set_clock(NOON + timedelta(days=1), frozen=True)
    newest = world.rest.create("Account", Name="newest")
    before = world.sync().watermark
    purge(world, newest)

    assert world.sync(full=True).watermark == before


def test_an_earlier_bound_by_hand_covers_more(world: World) -> None:
    world.local.admin.set_clock(NOON, frozen=True)
    accounts(world, 1)
    world.local.admin.set_clock(NOON + timedelta(days=1), frozen=True)
    world.sync(lastmodifieddate=NOON + timedelta(hours=1))

    result = world.sync(lastmodifieddate=NOON - timedelta(hours=1))

    assert (result.covered_from, names(world)) == (NOON - timedelta(hours=1), ["A0000"])


def test_an_override_for_another_object_reads_nothing_in_full(world: World) -> None:
    accounts(world, 1)
    world.sync()

    result = world.sync(types={"contact.email": parse_type("varchar(80)")})

    assert result.mode == "incremental"


def test_archived_records_are_among_all_ids(world: World) -> None:
    accounts(world, 1)
    world.sync()
    world.local.admin.advance_clock(20 * DAY)
    world.local.admin.clear_requests()

    world.sync()

    assert not [path for path in world.paths() if path.endswith("/query")]


# -- whose table is it -----------------------------------------------------------------------------------------


def test_a_table_of_another_object_is_refused(world: World) -> None:
    accounts(world, 2)
    world.sync(table="T")

    with pytest.raises(WatermarkError, match="holds Account"):
        world.sync("Contact", table="T")
    assert world.value("SELECT count(*) FROM T WHERE NOT IsDeleted") == 2
    assert world.sync("Contact", table="T", rebind=True).mode == "full"


def test_two_objects_for_one_table_are_refused_before_anything_is_read(world: World) -> None:
    with pytest.raises(ConfigError, match="same table"):
        world.run("Account", "Contact", table="T")


def test_a_copy_of_the_org_wins_over_newer_stamps_when_the_table_is_given_to_it(world: World) -> None:
    """A sandbox has the Ids of the org that it was copied from."""
    accounts(world, 1)
    world.sync()
    world.execute(
        "UPDATE Account SET Name = 'newer elsewhere', SystemModstamp = SystemModstamp + INTERVAL '1 day'"
    )
    world.execute("UPDATE lht.watermarks SET org_id = '00D000000000009AAA'")

    world.sync(rebind=True)

    assert names(world) == ["A0000"]


def test_a_second_run_on_the_table_is_turned_away_and_the_first_one_ends_well(world: World) -> None:
    accounts(world, 2)
    world.sync()
    refused: list[LhtError] = []

    other = world.lake.warehouse().fork()

    def second(event: Any) -> None:
        if event.kind == "reading":
            turned_away = run_sync(
                world.org,
                other,
                world.requests("Account", lock_timeout_s=0.2),
                run_id="second",
                spool_dir=world.spool_dir,
            )
            refused.extend(turned_away.failures)

    def run() -> None:
        world.run("Account", on_event=second)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()

    assert [(type(error), "run0002" in error.message) for error in refused] == [(RunLockedError, True)]
    assert statuses(world) == ["done", "done"]


def test_a_dead_runs_lock_is_replaced_and_said_so(world: World) -> None:
    accounts(world, 1)
    world.sync()
    table = world.lake.warehouse().table_name("Account")
    catalog = world.value("SELECT table_catalog FROM lht.watermarks")
    world.execute(
        "INSERT INTO lht.locks (table_catalog, table_schema, table_name, token, host, boot_id, run_id, pid, "
        f"acquired_at, heartbeat_at) SELECT '{catalog}', '{table.schema}', '{table.name}', 't', 'elsewhere', '', "
        "'dead', 1, TIMESTAMP '2020-01-01 00:00:00', TIMESTAMP '2020-01-01 00:00:00'"
    )

    world.sync()

    assert any("run dead" in event.message for event in world.events if event.kind == "warning")


def test_objects_in_parallel_may_create_the_same_new_schema(world: World) -> None:
    accounts(world, 1)
    for n in range(2):
        requests = [
            SyncRequest(name, schema=f"s{n}") for name in ("Account", "Contact", "Opportunity", "User")
        ]
        result = run_sync(
            world.org,
            world.lake.warehouse(),
            requests,
            run_id=f"r{n}",
            spool_dir=world.spool_dir,
            parallel=4,
        )

        assert result.failures == ()


# -- a key that is not the Id ----------------------------------------------------------------------------------


def keyed(world: World) -> list[Any]:
    return world.rows("SELECT ExternalId__c, Name FROM Account WHERE NOT IsDeleted ORDER BY 1, 2")


def test_a_record_whose_key_changed_has_one_row(world: World) -> None:
    record = world.rest.create("Account", Name="A", ExternalId__c="k1")
    world.sync(key="ExternalId__c")
    world.rest.update("Account", record, ExternalId__c="k2")

    result = world.sync(key="ExternalId__c")

    assert (keyed(world), result.rows_in_table, result.rows_deleted_unseen) == ([("k2", "A")], 1, 1)


def test_records_that_swap_their_keys_swap_their_rows(world: World) -> None:
    a = world.rest.create("Account", Name="A", ExternalId__c="k1")
    b = world.rest.create("Account", Name="B", ExternalId__c="k2")
    world.sync(key="ExternalId__c")
    world.rest.update("Account", a, ExternalId__c="k3")
    world.rest.update("Account", b, ExternalId__c="k1")
    world.rest.update("Account", a, ExternalId__c="k2")

    world.sync(key="ExternalId__c")

    assert (keyed(world), world.value("SELECT count(*) FROM Account")) == ([("k1", "B"), ("k2", "A")], 2)


def test_a_deleted_record_with_the_same_key_does_not_stand_for_the_one_in_the_table(world: World) -> None:
    first = world.rest.create("Account", Name="first", ExternalId__c="k1")
    world.sync(key="ExternalId__c")
    purge(world, first)
    second = world.rest.create("Account", Name="second", ExternalId__c="k1")
    world.rest.delete("Account", second)

    world.sync(key="ExternalId__c", full=True)

    assert keyed(world) == []


def test_a_refused_key_can_be_mended_in_the_org(world: World) -> None:
    record = world.rest.create("Account", Name="A")
    with pytest.raises(SyncError, match="have no ExternalId__c"):
        world.sync(key="ExternalId__c")
    world.rest.update("Account", record, ExternalId__c="k1")

    world.sync(key="ExternalId__c")

    assert keyed(world) == [("k1", "A")]


def test_an_external_id_that_two_living_records_share_is_refused_in_whatever_run_it_shows(
    world: World,
) -> None:
    world.local.admin.add_field("Account", "Code__c", "string", length=20, external_id=True)
    first = world.rest.create("Account", Name="first", Code__c="k1")
    world.local.admin.advance_clock(HOUR)
    world.sync(key="Code__c")
    world.local.admin.advance_clock(HOUR)
    world.rest.create("Account", Name="second", Code__c="k1")

    with pytest.raises(SyncError, match=r"1 values of Code__c are shared \(such as k1\)"):
        world.sync(key="Code__c")
    assert names(world) == ["first"]
    world.rest.delete("Account", first)
    world.sync(key="Code__c")
    assert names(world) == ["second"]


# -- columns on their way --------------------------------------------------------------------------------------


def with_score(world: World, value: float) -> str:
    record = world.rest.create("Account", Name="A")
    world.rest.create("Account", Name="B")
    world.local.admin.add_field("Account", "Score__c", "double", precision=18, scale=2)
    world.rest.update("Account", record, Score__c=value)
    world.sync()
    world.local.admin.advance_clock(HOUR)
    return record


def score_type(world: World) -> Any:
    return world.type_of("Score__c")


def test_an_exchange_keeps_the_values_of_records_that_are_gone(world: World) -> None:
    record = with_score(world, 1.25)
    purge(world, record)
    world.sync()
    world.local.admin.advance_clock(HOUR)
    world.local.admin.alter_field("Account", "Score__c", scale=4)

    world.sync()

    assert score_type(world) == "number(38,4)"
    assert float(world.value(f"SELECT Score__c FROM Account WHERE Id = '{record}'")) == 1.25


def test_an_exchange_that_was_killed_and_overtaken_by_another_loses_no_digit(world: World) -> None:
    record = with_score(world, 1.25)
    world.local.admin.alter_field("Account", "Score__c", scale=4)
    world.interrupted()
    world.local.admin.alter_field("Account", "Score__c", scale=6)
    world.rest.update("Account", record, Score__c=1.234567)

    world.sync()

    assert score_type(world) == "number(38,6)"
    assert float(world.value(f"SELECT Score__c FROM Account WHERE Id = '{record}'")) == 1.234567


def test_an_exchange_killed_between_its_renames_is_completed(world: World) -> None:
    record = with_score(world, 1.25)
    world.execute("ALTER TABLE Account RENAME COLUMN Score__c TO Score__c__lht_old")
    world.execute("ALTER TABLE Account ADD COLUMN Score__c__lht_new DECIMAL(38, 4)")
    world.execute("UPDATE Account SET Score__c__lht_new = Score__c__lht_old")

    result = world.sync()

    assert (result.columns_added, score_type(world)) == ((), "number(38,4)")
    assert float(world.value(f"SELECT Score__c FROM Account WHERE Id = '{record}'")) == 1.25


def test_a_path_that_is_no_longer_asked_for_has_not_vanished(world: World) -> None:
    accounts(world, 1)
    world.sync(fields=("Name", "Owner.Name"))

    assert world.sync().columns_vanished == ()


def test_a_debt_is_paid_only_by_a_backfill_that_read_its_column(world: World) -> None:
    record = world.rest.create("Account", Name="A")
    world.sync()
    world.local.admin.advance_clock(HOUR)
    for name in ("First__c", "Second__c"):
        world.local.admin.add_field("Account", name, "string", length=20, default_value="set")
    world.rest.update("Account", record, First__c="x")
    world.interrupted(at="reading")
    world.local.admin.advance_clock(HOUR)
    world.sync(exclude=("Second__c",))

    world.sync()

    assert world.rows("SELECT First__c, Second__c FROM Account") == [
        tuple(
            world.rest.query("SELECT First__c, Second__c FROM Account")[0][n]
            for n in ("First__c", "Second__c")
        )
    ]
