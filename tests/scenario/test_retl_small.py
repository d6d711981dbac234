"""Few rows, sent by calls: every row's fate, whatever became of the answers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from retl_desk import begin, open_desk, part_of

from lht.errors import LimitExceededError
from lht.model.retl import PartStatus
from lht.retl.images import take_images
from lht.retl.small import send_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retl_desk import Desk

    from lht.retl.run import RetlRun
    from lht.testing.simulator import LocalOrg


@pytest.fixture
def desk(local_org: LocalOrg, tmp_path: Path) -> Iterator[Desk]:
    local_org.admin.reset()
    opened = open_desk(local_org, tmp_path)
    yield opened
    local_org.admin.clear_faults()
    opened.close()


def outcomes(run: RetlRun, *names: str) -> list[tuple[Any, ...]]:
    return run.work.query(f"SELECT {', '.join(names)} FROM outcomes ORDER BY row_number")


def test_an_update_tells_the_fate_of_each_row(desk: Desk) -> None:
    ids = desk.create("Account", [{"Name": f"A{n}", "Phone": "1", "Fax": "1"} for n in range(203)])
    run = desk.run("Account", "update")
    columns = desk.columns("Account", "Id", "Name", "Phone", "Fax", "AnnualRevenue")
    rows = [(n, i, i, i, f"B{n}", "#N/A", None, "1234567890") for n, i in enumerate(ids, start=1)]
    rows[1] = (2, ids[1], ids[1], ids[1], "x" * 300, None, None, None)
    desk.world.rest.delete("Account", ids[2])
    part = part_of(run, *rows)
    begin(run, part, columns)
    before = run.org.calls

    send_part(run, part, columns)

    assert run.org.calls - before == 2
    assert [found.status for found in run.state.parts(run.run_id)] == [PartStatus.CALLING]
    found = outcomes(run, "outcome", "class", "fields", "sf_id", "created")
    assert found[1] == ("failed", "STRING_TOO_LONG", "Name", ids[1], False)
    assert found[2][:2] == ("failed", "ENTITY_IS_DELETED")
    assert {row[0] for row in found[3:]} == {"succeeded"}
    assert "data value too large" in outcomes(run, "message")[1][0]
    (record,) = desk.world.rest.query(
        f"SELECT Name, Phone, Fax, AnnualRevenue FROM Account WHERE Id = '{ids[202]}'"
    )
    assert [record[name] for name in ("Name", "Phone", "Fax", "AnnualRevenue")] == [
        "B203",
        None,
        "1",
        1234567890.0,
    ]


def test_an_upsert_whose_answer_was_lost_tells_what_it_created(desk: Desk) -> None:
    desk.create("Account", [{"Name": "old", "ExternalId__c": "K1"}])
    run = desk.run("Account", "upsert", "ExternalId__c")
    columns = desk.columns("Account", "ExternalId__c", "Name")
    part = part_of(
        run, (1, "k1", None, "K1", "one"), (2, "k2", None, "K2", "two"), (3, "k3", None, "K3", "x" * 300)
    )
    begin(run, part, columns)
    take_images(run, part, columns)
    desk.world.local.admin.fault("drop", method="PATCH", path="*/composite/sobjects/*")

    send_part(run, part, columns)

    assert outcomes(run, "outcome", "created", "class") == [
        ("succeeded", False, None),
        ("succeeded", True, None),
        ("failed", False, "STRING_TOO_LONG"),
    ]
    names = {r["Name"]: r["Id"] for r in desk.world.rest.query("SELECT Id, Name FROM Account")}
    assert outcomes(run, "sf_id")[:2] == [(names["one"],), (names["two"],)]


def test_a_deletion_that_is_repeated_finds_its_work_done_and_says_so(desk: Desk) -> None:
    ids = desk.create("Account", [{"Name": "a"}, {"Name": "b"}])
    run = desk.run("Account", "delete")
    columns = desk.columns("Account", "Id")
    part = part_of(run, *((n, i, i, i) for n, i in enumerate(ids, start=1)))
    begin(run, part, columns)
    desk.world.local.admin.fault("drop", method="DELETE", path="*/composite/sobjects")

    send_part(run, part, columns)
    lost = outcomes(run, "outcome", "class", "message")
    send_part(run, replace(part, status=PartStatus.CALLING), columns)
    resumed = outcomes(run, "outcome", "class", "message")
    send_part(run, part, columns)
    others = outcomes(run, "outcome", "class")

    assert (
        lost
        == resumed
        == [("succeeded", None, "It was deleted by an earlier call of this run whose answer was lost.")] * 2
    )
    assert others == [("failed", "ENTITY_IS_DELETED")] * 2


def test_a_part_that_was_cut_off_is_sent_again_and_remembers_what_it_created(desk: Desk) -> None:
    run = desk.run("Account", "upsert", "ExternalId__c")
    columns = desk.columns("Account", "ExternalId__c", "Name")
    rows = [(n, f"k{n}", None, f"K{n}", f"N{n}") for n in range(1, 251)]
    part = part_of(run, *rows)
    begin(run, part, columns)
    take_images(run, part, columns)
    path = {"method": "PATCH", "path": "*/composite/sobjects/*"}
    desk.world.local.admin.fault("status", status=403, code="REQUEST_LIMIT_EXCEEDED", skip=1, **path)
    with pytest.raises(LimitExceededError):
        send_part(run, part, columns)

    (resumed,) = run.state.parts(run.run_id)
    again = desk.run("Account", "upsert", "ExternalId__c")
    part_of(again, *rows)
    send_part(again, resumed, columns)

    assert again.work.count("outcomes", "outcome = 'succeeded' AND created") == 250
    assert len(desk.world.rest.query("SELECT Id FROM Account")) == 250


def test_a_call_that_is_refused_as_a_whole_fails_its_rows(desk: Desk) -> None:
    run = desk.run("Account", "update")
    columns = desk.columns("Account", "Id", "Name")
    ids = desk.create("Account", [{"Name": "a"}])
    part = part_of(run, (1, ids[0], ids[0], ids[0], "b"))
    begin(run, part, columns)
    desk.world.local.admin.fault("status", status=400, code="JSON_PARSER_ERROR", message="no", method="PATCH")

    send_part(run, part, columns)

    assert outcomes(run, "outcome", "class") == [("failed", "JSON_PARSER_ERROR")]
