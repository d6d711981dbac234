"""Parents that rows name and the org does not have, found before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from retl_desk import open_desk, rows_of

from lht.retl import fetch
from lht.retl.parents import unknown_parents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from retl_desk import Desk

    from lht.testing.simulator import LocalOrg


@pytest.fixture
def desk(local_org: LocalOrg, tmp_path: Path) -> Iterator[Desk]:
    local_org.admin.reset()
    opened = open_desk(local_org, tmp_path)
    yield opened
    opened.close()


@pytest.mark.parametrize("most_by_calls", [100_000, 0])
def test_parents_by_id_are_looked_for_in_every_object_that_may_be_one(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, most_by_calls: int
) -> None:
    monkeypatch.setattr(fetch, "MOST_BY_CALLS", most_by_calls)
    contact, gone = desk.create("Contact", [{"LastName": "C"}, {"LastName": "D"}])
    lead = desk.create("Lead", [{"LastName": "L", "Company": "Co"}])[0]
    account = desk.create("Account", [{"Name": "A"}])[0]
    desk.world.rest.delete("Contact", gone)
    run = desk.run("Task", "insert")
    named = (contact, lead[:15], None, "#N/A", gone, account, gone)
    rows_of(run, *((n, None, None, "x", value) for n, value in enumerate(named, start=1)), texts=2)

    (mistake,) = unknown_parents(run, desk.columns("Task", "Subject", "WhoId"))

    assert (mistake.code, mistake.rows, mistake.column, mistake.field) == (
        "UNKNOWN_PARENT",
        3,
        "WhoId",
        "WhoId",
    )
    assert mistake.message.startswith("3 rows name 2 parents in WhoId that the org does not have")
    assert mistake.example == f"row 5: {gone}"


def test_parents_by_key_must_be_one_each(desk: Desk) -> None:
    desk.create(
        "Contact",
        [{"LastName": "A", "Email": "two@example.com"}, {"LastName": "B", "Email": "two@example.com"}],
    )
    desk.create("Contact", [{"LastName": "C", "Email": "one@example.com"}])
    run = desk.run("Contact", "update")
    keys = ("ONE@example.com ", "two@example.com", "Two@Example.com", "none@example.com")
    rows_of(run, *((n, None, None, "x", key) for n, key in enumerate(keys, start=1)), texts=2)

    missing, several = unknown_parents(run, desk.columns("Contact", "LastName", "ReportsTo.Email"))

    assert (missing.code, missing.rows, missing.example) == ("UNKNOWN_PARENT", 1, "row 4: none@example.com")
    assert "must be sent before, by a run of their own" in missing.way_out
    assert (several.code, several.rows, several.field) == ("AMBIGUOUS_PARENT", 2, "ReportsToId")
    assert "Name the parents by Id" in several.way_out


def test_nothing_is_asked_where_no_row_names_a_parent(desk: Desk) -> None:
    run = desk.run("Contact", "insert")
    columns = desk.columns("Contact", "LastName", "AccountId")
    rows_of(run, (1, None, None, "x", None), texts=2)
    calls = run.org.calls

    assert unknown_parents(run, columns) == ()
    assert run.org.calls == calls
