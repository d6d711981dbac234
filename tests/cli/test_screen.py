"""How answers become text and documents, without a command."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from lht.cli.answer import Answer, Table, as_json, document
from lht.cli.exits import Exit
from lht.cli.render import connections, synced
from lht.cli.screen import Screen, print_blocks
from lht.errors import IncompleteExtractError
from lht.model.operations import ConnectionInfo, ConnectionTest
from lht.model.sync import DeletePolicy, ErrorReport, ObjectResult, SyncEvent, SyncResult
from lht.model.table import ColumnKind, ColumnType, TableName

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Thing:
    table: TableName
    when: datetime
    kinds: tuple[ColumnType, ...]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_documents_spell_values_as_people_do() -> None:
    thing = Thing(
        TableName("lake", "main", "T"),
        datetime(2024, 5, 1, 10, 20, tzinfo=UTC),
        (ColumnType(ColumnKind.DATE),),
    )

    assert document(thing) == {"table": "lake.main.T", "when": "2024-05-01T10:20:00Z", "kinds": ["date"]}
    assert document({1: DeletePolicy.MARK, "d": date(2024, 5, 1), "n": Decimal("1.50")}) == {
        "1": "mark",
        "d": "2024-05-01",
        "n": "1.50",
    }
    assert as_json({"name": "麗"}) == '{\n  "name": "麗"\n}\n'


def test_tables_are_not_cut_where_nobody_watches() -> None:
    out = io.StringIO()
    print_blocks([Table(("A", "N"), [("[bold]x" * 40, 1)], numeric=frozenset({"N"})), "end"], out)

    head, rule, row, end = out.getvalue().splitlines()
    assert head.split() == ["A", "N"]
    assert set(rule) == {"─"}
    assert row.split() == ["[bold]x" * 40, "1"]
    assert end == "end"


def test_tables_fold_on_a_terminal() -> None:
    out = Terminal()
    print_blocks([Table(("A",), [("x" * 500,)])], out)

    assert max(len(line) for line in out.getvalue().splitlines()) < 500


def test_a_narrow_terminal_does_without_optional_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = Terminal()
    print_blocks([Table(("A", "B", "C"), [("a" * 15, "b" * 15, "c" * 15)], optional=("B", "C"))], out)

    assert "a" * 15 in out.getvalue()
    assert "b" not in out.getvalue().replace("\x1b", "")
    assert "c" * 15 in out.getvalue()


def test_a_very_wide_row_is_printed_value_by_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = Terminal()
    headings = tuple(f"Field{n}" for n in range(7))
    print_blocks([Table(headings, [tuple(f"value {n}" for n in range(7))])], out)

    assert out.getvalue().splitlines() == ["--- 1", *(f"Field{n}  value {n}" for n in range(7))]


def test_the_first_failed_object_gives_the_exit_code() -> None:
    error = IncompleteExtractError("2 of 3 rows came.", hint="Again.")
    report = ErrorReport(error.code, error.message, error.hint)
    result = SyncResult("r", (ObjectResult("A", "T"), ObjectResult("B", "U", error=report)), (error,))

    answer = synced(result)

    assert answer.exit is Exit.DATA
    assert answer.document["objects"][1]["error"]["exit"] == 8


def test_events_become_bars_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    with Screen().progress() as on_event:
        on_event(SyncEvent("planned", "Account", "full sync"))
        on_event(SyncEvent("reading", "Account", done=1500, total=3000))
        on_event(SyncEvent("warning", "Account", "mind the gap"))

    assert "1,500 rows" in terminal.getvalue()
    assert "Account: mind the gap" in terminal.getvalue()


def test_events_become_log_lines_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    with screen.logging(), screen.progress() as on_event:
        on_event(SyncEvent("loading", "Account", done=5, total=5))
        on_event(SyncEvent("reading", "Account", done=1, total=5))
        on_event(SyncEvent("failed", "Account", "no"))

    assert capsys.readouterr().err.splitlines() == [
        "info: Account: loading 5 of 5 rows",
        "error: Account: no",
    ]


def test_raw_answers_are_written_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    Screen().show(Answer({}, raw="a,b\n", notes=["more"]))

    told = capsys.readouterr()
    assert told.out == "a,b\n"
    assert told.err == "more\n"


def test_tried_connections_fit_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    finding = (
        "role LOADER, warehouse LOADING, SALESFORCE_MIRROR.RAW_OBJECTS; schema LHT comes with the first run"
    )
    good = ConnectionTest(ok=True, finding=finding, fix="", seconds=0.84)
    bad = ConnectionTest(ok=False, finding=finding, fix="Type: this.", seconds=12.0, code="WH-PRIVILEGE")
    found = [
        ConnectionInfo("a_connection_with_a_name", "snowflake", "myorg-acct", test=good),
        ConnectionInfo("other", "snowflake", "myorg-acct", test=bad),
        ConnectionInfo("salesforce_prod", "app", "https://login.salesforce.com"),
    ]
    answer = connections(found, Path("/home/me/.snowflake"), tested=True, default="other")
    out = Terminal()
    print_blocks(answer.blocks, out)

    lines = out.getvalue().splitlines()
    assert answer.exit == Exit.WAREHOUSE
    assert any("a_connection_with_a_name  snowflake  yes      0.8  role" in line for line in lines)
    assert any(line.startswith("other") and "snowflake  no      12.0  role" in line for line in lines)
    assert any(line.startswith("salesforce_prod") and "tried by: lht login" in line for line in lines)
    assert lines[-3:] == [
        "other: Type: this.",
        "Commands without --db_connect use other.",
        "From /home/me/.snowflake.",
    ]
    assert max(len(line.rstrip()) for line in lines if "\x1b" not in line) <= 80
