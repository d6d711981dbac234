"""What a part overwrites is kept before it is sent, and what somebody else changed is not overwritten."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from lakes import DuckDBLake
from retl_desk import Desk, begin, open_desk, part_of, rows_of
from world import open_world

from lht.errors import PlanRefusedError
from lht.model.retl import Part, PartStatus
from lht.retl.conflicts import check_baseline, find_conflicts, leave_out
from lht.retl.held import read_held
from lht.retl.images import image_cost, take_images

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lakes import Lake

    from lht.retl.run import RetlRun
    from lht.testing.simulator import LocalOrg


@pytest.fixture
def desk(local_org: LocalOrg, tmp_path: Path) -> Iterator[Desk]:
    local_org.admin.reset()
    opened = open_desk(local_org, tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def both(local_org: LocalOrg, tmp_path: Path, scenario_lake: Lake) -> Iterator[Desk]:
    """On either warehouse."""
    local_org.admin.reset()
    opened = Desk(open_world(local_org, tmp_path / "spool", scenario_lake), tmp_path)
    yield opened
    opened.close()


def images(run: RetlRun) -> list[dict[str, Any]]:
    return sorted(run.state.images(run.run_id).read_all().to_pylist(), key=lambda row: row["row_number"])


def test_a_row_has_the_image_read_last_before_it_was_sent_and_a_new_record_none(desk: Desk) -> None:
    (known,) = desk.create("Account", [{"Name": "old", "ExternalId__c": "K1", "Phone": "1"}])
    run = desk.run("Account", "upsert", "ExternalId__c")
    columns = desk.columns("Account", "ExternalId__c", "Name", "Phone")
    part = part_of(run, (1, "k1", None, "K1", "new", None), (2, "k2", None, "K2", "new", None))
    begin(run, part, columns)

    take_images(run, part, columns)
    desk.world.rest.update("Account", known, Name="changed by others")
    take_images(run, part, columns)
    desk.world.rest.update("Account", known, Name="written")
    for begun in (PartStatus.UPLOADED, PartStatus.CALLING):
        take_images(run, replace(part, status=begun), columns)

    (image,) = images(run)
    assert (image["row_number"], image["record_id"], image["match_key"]) == (1, known, "k1")
    assert json.loads(image["image"]) == {"ExternalId__c": "K1", "Name": "changed by others", "Phone": "1"}
    (record,) = desk.world.rest.query("SELECT SystemModstamp FROM Account")
    assert image["modstamp"][:10] == record["SystemModstamp"][:10]


@pytest.mark.parametrize(("operation", "undo"), [("insert", True), ("update", False)])
def test_nothing_is_read_where_no_image_is_wanted(desk: Desk, operation: str, *, undo: bool) -> None:
    ids = desk.create("Account", [{"Name": "old"}])
    run = desk.run("Account", operation, undo=undo)
    columns = desk.columns("Account", "Id", "Name")
    part = part_of(run, (1, ids[0], ids[0], ids[0], "new"))
    begin(run, part, columns)
    calls = run.org.calls

    take_images(run, part, columns)

    assert run.org.calls == calls
    assert images(run) == []


@pytest.mark.parametrize(
    ("asked", "rows", "options", "cost"),
    [
        (("update", "Id"), 4_001, {}, (3, 0)),
        (("upsert", "ExternalId__c"), 901, {}, (3, 0)),
        (("upsert", "ExternalId__c"), 100_001, {}, (12, 1)),
        (("delete", None), 5, {"undo": False}, (0, 0)),
        (("delete", None), 5, {"undo": False, "if_unchanged_since_sync": True}, (1, 0)),
        (("insert", None), 5, {}, (0, 0)),
    ],
)
def test_what_reading_costs_is_known_before(
    desk: Desk, asked: tuple[str, str | None], rows: int, options: dict[str, bool], cost: tuple[int, int]
) -> None:
    run = desk.run("Account", *asked, **options)
    part = Part("r", 1, 1, run.request.operation, PartStatus.PLANNED, rows, 0)

    assert image_cost(run, part) == cost


ROWS = (
    {"Name": "same", "ExternalId__c": "K1", "AnnualRevenue": 150, "Phone": "1"},
    {"Name": "theirs", "ExternalId__c": "K2", "AnnualRevenue": 150, "Phone": "1"},
    {"Name": "theirs as ours", "ExternalId__c": "K3", "AnnualRevenue": 150, "Phone": "1"},
    {"Name": "emptied", "ExternalId__c": "K4", "AnnualRevenue": 150, "Phone": "1"},
    {"Name": "left alone", "ExternalId__c": "K5", "AnnualRevenue": 150, "Phone": "1"},
)


def test_what_others_changed_since_the_sync_is_not_sent(both: Desk) -> None:
    ids = both.create("Account", ROWS)
    both.world.sync("Account")
    update = both.world.rest.update
    update("Account", ids[1], AnnualRevenue=151)
    update("Account", ids[2], AnnualRevenue=200)
    update("Account", ids[3], AnnualRevenue=None)
    update("Account", ids[4], AnnualRevenue=7, Phone="2")
    late = both.create("Account", [{"Name": "made since", "ExternalId__c": "K6", "AnnualRevenue": 1}])
    run = both.run("Account", "upsert", "ExternalId__c", if_unchanged_since_sync=True)
    columns = both.columns("Account", "ExternalId__c", "Name", "AnnualRevenue")
    new = {n: f"k{n}" for n in range(1, 8)}
    part = part_of(
        run,
        *((n, key, None, key.upper(), None, None if n == 5 else "200.00") for n, key in new.items()),
    )
    begin(run, part, columns)

    check_baseline(run, columns)
    take_images(run, part, columns)

    assert run.work.query("SELECT row_number FROM outbox ORDER BY 1") == [(1,), (3,), (5,), (7,)]
    assert [image["record_id"] for image in images(run)] == [ids[0], ids[2], ids[4]]
    results = {r["row_number"]: r for r in run.state.row_results(run.run_id).read_all().to_pylist()}
    assert results.keys() == {2, 4, 6}
    second = results[2]
    assert (second["outcome"], second["class"], second["fields"]) == (
        "conflicting",
        "CONFLICT",
        "AnnualRevenue",
    )
    told = [float(json.loads(second[name])["AnnualRevenue"]) for name in ("base", "ours", "theirs")]
    assert told == [150, 200, 151]
    assert json.loads(results[4]["theirs"]) == {"AnnualRevenue": None}
    assert json.loads(results[6]["base"]) == {"AnnualRevenue": None}
    assert late


def test_rows_found_in_conflict_stay_out_when_a_run_goes_on(desk: Desk) -> None:
    ids = desk.create("Account", ROWS[:2])
    desk.world.sync("Account")
    desk.world.rest.update("Account", ids[1], Name="theirs now")
    rows = [(n, i, i, i, "ours") for n, i in enumerate(ids, start=1)]
    run = desk.run("Account", "update", if_unchanged_since_sync=True)
    columns = desk.columns("Account", "Id", "Name")
    part = part_of(run, *rows)
    begin(run, part, columns)
    take_images(run, part, columns)

    again = desk.run("Account", "update", if_unchanged_since_sync=True)
    part_of(again, *rows)
    leave_out(again)

    assert again.work.query("SELECT row_number FROM outbox") == [(1,)]


def test_what_lht_itself_last_wrote_is_no_conflict(desk: Desk) -> None:
    ids = desk.create("Account", ROWS[:2])
    desk.world.sync("Account")
    columns = desk.columns("Account", "ExternalId__c", "Name")
    first = desk.run("Account", "upsert", "ExternalId__c")
    part = part_of(first, (1, "k1", None, "K1", "pushed"), (2, "k2", None, "K2", "pushed"))
    begin(first, part, columns)
    results = "SELECT row_number, part, attempt, match_key, 'succeeded' AS outcome, FALSE AS created, NULL::VARCHAR AS sf_id, operation, source FROM outbox"
    pushed = "SELECT match_key, CAST(to_json(sent) AS VARCHAR) AS sent FROM outbox"
    first.state.settle(part, first.work.batches(results), first.work.batches(pushed))
    desk.world.rest.update("Account", ids[0], Name="pushed")
    desk.world.rest.update("Account", ids[1], Name="changed after our push")

    run = desk.run("Account", "upsert", "ExternalId__c", if_unchanged_since_sync=True)
    rows_of(run, (1, "k1", None, "K1", "ours"), (2, "k2", None, "K2", "ours"), texts=2)
    read_held(run, columns, "encoded")

    assert find_conflicts(run, columns, "encoded") == 1
    assert run.work.query("SELECT * FROM conflicts") == [
        (2, "Name", "theirs", "ours", "changed after our push")
    ]


def test_a_deletion_is_in_conflict_with_any_change_of_the_record(desk: Desk) -> None:
    ids = desk.create("Account", ROWS[:2])
    desk.world.sync("Account")
    desk.world.rest.update("Account", ids[1], Industry="Banking")
    run = desk.run("Account", "delete", if_unchanged_since_sync=True)
    columns = desk.columns("Account", "Id")
    rows_of(run, *((n, i, i, None) for n, i in enumerate(ids, start=1)), texts=1)
    read_held(run, columns, "encoded")

    assert find_conflicts(run, columns, "encoded") == 1
    assert run.work.query("SELECT * FROM conflicts") == [(2, "Industry", None, None, "Banking")]


def test_a_parent_named_by_key_is_compared_by_the_lookups_id(desk: Desk) -> None:
    parents = desk.create("Account", ROWS[:2])
    contacts = desk.create(
        "Contact", [{"LastName": n, "AccountId": parents[0], "ExternalId__c": n} for n in ("A", "B")]
    )
    desk.world.sync("Contact")
    desk.world.rest.update("Contact", contacts[1], AccountId=None)
    run = desk.run("Contact", "update", if_unchanged_since_sync=True)
    columns = desk.columns("Contact", "Id", "Account.ExternalId__c")
    rows_of(run, *((n, i, i, i, "K2") for n, i in enumerate(contacts, start=1)), texts=2)
    read_held(run, columns, "encoded")

    assert find_conflicts(run, columns, "encoded") == 1
    assert run.work.query("SELECT * FROM conflicts") == [(2, "AccountId", parents[0], "K2", None)]


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        (None, "Account of this org is synced into no table here"),
        ("nowhere", "There is no table memory.main.nowhere"),
        ("narrow", "lacks Name, Phone"),
    ],
)
def test_without_a_baseline_nothing_is_sent(desk: Desk, baseline: str | None, expected: str) -> None:
    lake = desk.world.lake
    assert isinstance(lake, DuckDBLake)
    lake.rows("CREATE TABLE narrow (ID VARCHAR, Fax VARCHAR)")
    run = desk.run("Account", "update", if_unchanged_since_sync=True, baseline=baseline)
    run.state.ensure()

    with pytest.raises(PlanRefusedError, match=expected):
        check_baseline(run, desk.columns("Account", "Id", "Name", "Phone", "Fax"))
