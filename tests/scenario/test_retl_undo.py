"""What a run changed is put back: by a run of its own, and only where nobody has changed it since."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from undoing import Writer

from lht.app import history
from lht.errors import ConfigError, PlanRefusedError
from lht.model.retl import Difference, ErrorClass

if TYPE_CHECKING:
    from pathlib import Path

    from lakes import Lake
    from world import World

KEY = "ExternalId__c"


@pytest.fixture
def scenario_lake() -> Lake:
    from lakes import DuckDBLake

    return DuckDBLake()


@pytest.fixture
def writer(world: World, tmp_path: Path) -> Writer:
    return Writer(world, tmp_path / "work")


def test_an_upsert_is_undone_in_what_it_changed_and_in_what_it_made(writer: Writer) -> None:
    parent = writer.create(Name="Parent", ExternalId__c="P")
    old = writer.create(Name="Old", ExternalId__c="A", Phone="1", NumberOfEmployees=5)
    before = writer.accounts()
    names = (KEY, "Name", "Phone", "NumberOfEmployees", "Parent.ExternalId__c")
    done = writer.write(
        "upsert", names, [("a", "New", None, 7, "P"), ("B", "Born", "2", 1, None)], KEY, nulls="clear"
    )
    assert (done.rows_succeeded, done.rows_created) == (2, 1)
    assert writer.accounts()[old]["ParentId"] == parent

    task = writer.undo_task(done.run_id)
    plan = writer.plan(task)
    result = writer.run(task, "retl_undo")

    assert (plan.rows_to_change, plan.rows_to_delete, plan.rows_conflicting) == (1, 1, 0)
    assert Difference(1, old, "Phone", None, "1") in plan.differences
    assert (result.rows_selected, result.rows_sent, result.rows_succeeded, result.is_whole) == (2, 2, 2, True)
    assert result.of_run == done.run_id
    assert writer.accounts() == before


def test_an_undo_that_is_done_sends_nothing_when_asked_again_and_can_itself_be_undone(writer: Writer) -> None:
    changed = writer.create(Name="Old", ExternalId__c="A")
    done = writer.write("upsert", (KEY, "Name"), [("A", "New"), ("B", "Born")], KEY)
    after = writer.accounts()
    undone = writer.undo(done.run_id)

    again = writer.undo(done.run_id)
    assert (again.rows_selected, again.rows_sent, again.rows_unchanged, again.is_whole) == (2, 0, 2, True)

    redone = writer.undo(undone.run_id)
    assert (redone.rows_sent, redone.rows_succeeded) == (2, 2)
    assert writer.accounts() == after
    assert writer.undo(redone.run_id).rows_succeeded == 2
    assert list(writer.accounts()) == [changed]


def test_what_somebody_changed_since_is_left_and_told(writer: Writer) -> None:
    one, two, three = (writer.create(Name=f"Old{n}", Phone="1") for n in range(3))
    rows = [(one, "New0", "2"), (two, "New1", "2"), (three, "New2", "2")]
    done = writer.write("update", ("Id", "Name", "Phone"), rows, "Id")
    made = writer.write("insert", ("Name", "Phone"), [("Born0", "2"), ("Born1", "2")])
    rest = writer.world.rest
    rest.update("Account", one, Phone="3")
    rest.update("Account", two, Phone="3", Name="Theirs")
    rest.delete("Account", three)
    born = sorted((a["Name"], i) for i, a in writer.accounts().items() if a["Name"].startswith("Born"))
    rest.update("Account", born[0][1], Phone="3")
    rest.update("Account", born[1][1], Description="more")

    plan = writer.plan(writer.undo_task(done.run_id))
    undone = writer.undo(done.run_id)
    assert any("Phone of record" in told for told in plan.warnings)
    assert (undone.rows_selected, undone.rows_sent, undone.rows_conflicting, undone.is_whole) == (
        3,
        1,
        2,
        False,
    )
    assert undone.errors == (
        ErrorClass("CHANGED_SINCE", 1, "Name, Phone changed since the run."),
        ErrorClass("NOT_FOUND", 1, "The record was deleted since, or this login cannot see it."),
    )
    unmade = writer.undo(made.run_id)
    assert (unmade.rows_succeeded, unmade.rows_conflicting) == (1, 1)
    found = writer.accounts()
    assert (found[one]["Name"], found[one]["Phone"]) == ("Old0", "3")
    assert (found[two]["Name"], found[two]["Phone"]) == ("Theirs", "3")
    assert born[0][1] in found
    assert born[1][1] not in found


def test_deleted_records_come_back_out_of_the_bin_or_are_made_anew(writer: Writer) -> None:
    kept = [writer.create(Name=f"N{n}", Phone="1", ExternalId__c=f"K{n}") for n in range(4)]
    before = writer.accounts()
    done = writer.write("delete", ("Id",), [(one,) for one in kept], "Id")
    assert writer.accounts() == {}
    writer.world.local.admin.purge("Account", [kept[2]])
    writer.world.local.admin.empty_bin("Account", [kept[3]])  # queryAll still finds it

    assert writer.plan(writer.undo_task(done.run_id)).rows_to_undelete == 3
    undone = writer.undo(done.run_id)
    assert (undone.rows_succeeded, undone.rows_conflicting, undone.rows_failed) == (2, 1, 1)
    assert undone.errors == (
        ErrorClass("NOT_IN_BIN", 1, "It is not in the Recycle Bin, and --recreate was not given."),
        ErrorClass("UNDELETE_FAILED", 1, "Entity is not in the recycle bin"),
    )
    assert writer.accounts() == {one: before[one] for one in kept[:2]}

    again = writer.undo(done.run_id, recreate=True)
    assert (again.rows_sent, again.rows_created, again.rows_unchanged, again.is_whole) == (2, 2, 2, True)
    found = writer.accounts()
    new = {found[one]["Name"]: found[one] for one in set(found) - set(kept)}
    assert new == {before[one]["Name"]: before[one] for one in kept[2:]}


def test_rows_without_an_image_are_told_and_failed_rows_changed_nothing(writer: Writer) -> None:
    one = writer.create(Name="Old")
    done = writer.write(
        "update", ("Id", "Name"), [(one, "New"), ("001000000000000AAA", "x")], "Id", undo=False
    )
    assert (done.rows_succeeded, done.rows_failed) == (1, 1)

    undone = writer.undo(done.run_id)
    assert (undone.rows_selected, undone.rows_sent) == (1, 0)
    assert [error.error_class for error in undone.errors] == ["NO_IMAGE"]
    assert writer.accounts()[one]["Name"] == "New"


def test_what_was_pushed_is_forgotten_so_that_the_same_rows_go_again(writer: Writer) -> None:
    writer.create(Name="Old", ExternalId__c="A")
    rows = [("A", "New"), ("B", "Born")]
    done = writer.write("upsert", (KEY, "Name"), rows, KEY, only_changed=True)
    assert writer.write("upsert", (KEY, "Name"), rows, KEY, only_changed=True).rows_unchanged == 2
    writer.undo(done.run_id)

    assert writer.write("upsert", (KEY, "Name"), rows, KEY, only_changed=True).rows_sent == 2


def test_an_undo_that_was_cut_off_goes_on_and_undeletes_nothing_twice(writer: Writer) -> None:
    ids = [writer.create(Name=f"N{n}") for n in range(3)]
    done = writer.write("delete", ("Id",), [(one,) for one in ids], "Id")

    def stop(event: Any) -> None:
        if event.kind == "sending" and event.done == 3:
            raise KeyboardInterrupt

    writer.on_event = stop
    with pytest.raises(KeyboardInterrupt):
        writer.undo(done.run_id)
    assert set(writer.accounts()) == set(ids)
    (run,) = [one for one in history.runs(writer.world.lake.warehouse()) if one.is_resumable]
    assert (run.command, run.status) == ("retl_undo", "interrupted")
    writer.on_event = None
    writer.world.local.admin.clear_requests()

    undone = writer.undo(done.run_id)
    assert (undone.run_id, undone.resumed, undone.rows_succeeded) == (run.run_id, True, 3)
    assert writer.requests("POST", "/services/Soap") == 0


def test_a_lost_answer_of_undelete_is_looked_up(writer: Writer) -> None:
    ids = [writer.create(Name=f"N{n}") for n in range(2)]
    done = writer.write("delete", ("Id",), [(one,) for one in ids], "Id")
    writer.world.local.admin.fault("drop", path="*Soap*")

    undone = writer.undo(done.run_id)
    assert undone.rows_succeeded == 2
    assert set(writer.accounts()) == set(ids)


def test_what_cannot_be_undone_is_refused_in_words(writer: Writer) -> None:
    one = writer.create(Name="Old")
    done = writer.write("update", ("Id", "Name"), [(one, "New")], "Id")
    with pytest.raises(ConfigError, match="knows no run nothing"):
        writer.undo("nothing")

    assert history.prune(writer.world.lake.warehouse(), older_than_days=0).rows > 0
    with pytest.raises(PlanRefusedError, match="lht prune"):
        writer.undo(done.run_id)
