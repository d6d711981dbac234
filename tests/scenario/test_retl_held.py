"""What Salesforce holds for a run's rows, read from a real local org."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from retl_desk import open_desk, rows_of

from lht.retl import fetch
from lht.retl.held import read_held
from lht.sfdc import collections

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
    local_org.admin.clear_requests()
    yield opened
    opened.close()


def held(run: RetlRun, *names: str) -> list[tuple[Any, ...]]:
    return run.work.query(f"SELECT {', '.join(names)} FROM held ORDER BY row_number")


def calls(desk: Desk, path: str) -> int:
    return sum(entry["path"].rstrip("/").endswith(path) for entry in desk.world.local.admin.requests())


def test_records_are_read_by_id_in_pages_and_those_that_are_gone_are_not_held(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collections, "MOST_READ", 300)
    ids = desk.create("Account", [{"Name": f"A{n}", "NumberOfEmployees": n} for n in range(402)])
    desk.world.rest.delete("Account", ids[5])
    run = desk.run("Account", "update")
    columns = desk.columns("Account", "Id", "Name", "NumberOfEmployees")
    rows_of(run)
    run.work.execute(
        "INSERT INTO encoded SELECT unnest(range(1, 403)), NULL, unnest(?::VARCHAR[]), 'update'", [ids]
    )
    rows_of(
        run,
        (3_000, None, "001000000000000AAA"),
        (3_001, None, "nonsense"),
        (3_002, None, ids[0][:15]),
        name="odd",
    )
    run.work.execute("INSERT INTO encoded SELECT * FROM odd")
    desk.world.local.admin.clear_requests()

    read_held(run, columns, "encoded")

    assert calls(desk, "composite/sobjects/Account") == 2
    assert run.work.count("held") == 401 + 1
    found = held(run, "row_number", "record_id", "h1", "h2", "h3", "image")
    assert found[0] == (
        1,
        ids[0],
        ids[0],
        "A0",
        "0",
        json.dumps({"Name": "A0", "NumberOfEmployees": "0"}, separators=(",", ":")),
    )
    assert found[-1][:2] == (3_002, ids[0])
    assert 6 not in [row[0] for row in found]


VALUES: dict[str, Any] = {
    "Ratio__c": 0.1,
    "Mass__c": 123456789012345678,
    "Price__c": 12345678901234.56,
    "Checked__c": True,
    "Found__c": "2024-02-29",
    "Seen__c": "2024-02-29T10:20:30Z",
    "Opens__c": "10:20:30.000Z",
    "Traits__c": "Rare;Heavy",
    "Long__c": 'two\nlines, "quoted"',
}


def test_calls_and_a_bulk_query_tell_the_same_of_every_type(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = desk.create("Account", [{"Name": "Parent", "ExternalId__c": "P-1"}])[0]
    desk.create(
        "Specimen__c",
        [
            {"Name": "full", "ExternalId__c": "Ä'1\\", "Account__c": account, **VALUES},
            {"Name": "bare", "ExternalId__c": "K2"},
        ],
    )
    headers = ("ExternalId__c", "Name", *VALUES, "Account__r.ExternalId__c")
    columns = desk.columns("Specimen__c", *headers)
    names = ["row_number", "record_id", "modstamp", "image", *(f"h{n}" for n in range(1, len(headers) + 1))]

    def read() -> list[tuple[Any, ...]]:
        run = desk.run("Specimen__c", "upsert", "ExternalId__c")
        rows_of(run, (1, " ä'1\\ ", None), (2, "k2", None), (3, "K3", None), (4, None, None))
        read_held(run, columns, "encoded")
        return held(run, *names)

    by_calls = read()
    monkeypatch.setattr(fetch, "MOST_BY_CALLS", 1)
    by_job = read()

    assert [row[0] for row in by_calls] == [1, 2]
    assert by_calls[0][4:] == (
        "Ä'1\\",
        "full",
        "0.1",
        "1.2345678901234568e+17",
        "12345678901234.56",
        "true",
        "2024-02-29",
        "2024-02-29T10:20:30.000Z",
        "10:20:30.000Z",
        "Rare;Heavy",
        VALUES["Long__c"],
        "P-1",
    )
    assert json.loads(by_calls[1][3])["Account__c"] is None
    assert by_calls[1][-1] is None
    assert [numbers(row) for row in by_job] == [numbers(row) for row in by_calls]


def numbers(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Bulk writes a number as Java does: 150.0 and 1.0E7 where REST may write 150 and 10000000."""
    return tuple(as_number(value) for value in row if not str(value).startswith("{"))


def as_number(value: Any) -> Any:
    try:
        return float(value)
    except (TypeError, ValueError):
        return value


def test_keys_fill_urls_and_no_url_is_too_long(desk: Desk) -> None:
    desk.create(
        "Account",
        [{"Name": f"A{n}", "ExternalId__c": f"key with blanks & ünïcode {n:06}"} for n in range(900)],
    )
    run = desk.run("Account", "upsert", "ExternalId__c")
    rows_of(run)
    run.work.execute(
        "INSERT INTO encoded SELECT n, format('KEY WITH BLANKS & ünïcode {:06d}', n), NULL, 'upsert' FROM range(900) t(n)"
    )
    desk.world.local.admin.clear_requests()

    read_held(run, desk.columns("Account", "ExternalId__c", "Name"), "encoded")

    assert run.work.count("held", "h2 = 'A' || row_number") == 900
    assert calls(desk, "query") < 8


def test_a_key_that_several_records_have_is_told_and_holds_nothing(desk: Desk) -> None:
    desk.create(
        "Contact", [{"LastName": "A", "Email": "x@example.com"}, {"LastName": "B", "Email": "X@example.com"}]
    )
    run = desk.run("Contact", "upsert", "Email")
    rows_of(run, (1, "X@Example.com", None))

    read_held(run, desk.columns("Contact", "Email", "LastName"), "encoded")

    assert run.work.count("held") == 0
    assert run.work.query("SELECT * FROM held_several") == [(1, "X@Example.com", 2)]
    (warning,) = [event.message for event in desk.events if event.kind == "warning"]
    assert "row 1: 2 records have 'X@Example.com'" in warning


def test_parents_of_several_types_are_compared_by_the_type_that_a_column_names(desk: Desk) -> None:
    contact = desk.create("Contact", [{"LastName": "C", "Email": "c@example.com"}])[0]
    lead = desk.create("Lead", [{"LastName": "L", "Company": "Co", "Email": "l@example.com"}])[0]
    tasks = desk.create(
        "Task", [{"Subject": "1", "WhoId": contact}, {"Subject": "2", "WhoId": lead}, {"Subject": "3"}]
    )
    run = desk.run("Task", "update")
    rows_of(run, *((n, None, task) for n, task in enumerate(tasks)))

    read_held(run, desk.columns("Task", "Id", "Contact:Who.Email"), "encoded")

    assert held(run, "h2", "image->>'WhoId'") == [("c@example.com", contact), (lead, lead), (None, None)]


def test_a_deletion_keeps_every_field_that_can_be_set(desk: Desk) -> None:
    ids = desk.create("Account", [{"Name": "Gone", "Industry": "Banking"}])
    run = desk.run("Account", "delete")
    rows_of(run, (1, ids[0], ids[0]))

    read_held(run, desk.columns("Account", "Id"), "encoded")

    image = json.loads(held(run, "image")[0][0])
    settable = {f.name for f in run.sobject.fields if f.createable or f.updateable}
    assert image.keys() <= settable
    assert (image["Name"], image["Industry"], image["Phone"]) == ("Gone", "Banking", None)
    assert len(image) > 25


def test_more_fields_than_a_url_holds_are_read_in_parts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.create(
        "Account", [{"Name": "A", "ExternalId__c": "K", "Phone": "1", "Fax": "2", "Industry": "Banking"}]
    )
    monkeypatch.setattr(fetch, "_LONGEST_START", 200)
    run = desk.run("Account", "upsert", "ExternalId__c")
    rows_of(run, (1, "K", None))

    read_held(run, desk.columns("Account", "ExternalId__c", "Name", "Phone", "Fax", "Industry"), "encoded")

    assert calls(desk, "query") > 1
    assert held(run, "h1", "h2", "h3", "h4", "h5") == [("K", "A", "1", "2", "Banking")]
