"""What people and programs are told of runs that write to Salesforce, without a run."""

from __future__ import annotations

import io
import re
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lht.cli import retl_render
from lht.cli.exits import Exit
from lht.cli.screen import print_blocks
from lht.errors import PlanRefusedError
from lht.model.retl import (
    Difference,
    ErrorClass,
    Mistake,
    Operation,
    RetlJob,
    RetlPlan,
    RetlResult,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.cli.answer import Block

PLAN = RetlPlan(
    Operation.UPSERT,
    "Account",
    "Key__c",
    (),
    rows_selected=1200,
    rows_to_send=352,
    rows_unchanged=848,
    rows_to_create=12,
    rows_to_change=340,
    parts=1,
    api_calls=14,
    differences=(Difference(1, "A-1", "Name", None, "new\x1b[31m\nline" + "x" * 500),),
)
RESULT = RetlResult(
    "r1",
    Operation.UPSERT,
    "Account",
    rows_selected=10,
    rows_unchanged=3,
    rows_sent=7,
    rows_succeeded=5,
    rows_failed=2,
    rows_created=1,
    jobs=(RetlJob("750A", 7, "JobComplete"),),
    errors=(ErrorClass("STRING_TOO_LONG", 2, "data value too large"),),
)
MISTAKES = (
    Mistake(
        "TOO_LONG",
        "12 rows have a text in NAME that is longer than the 255 characters of Account.Name.",
        12,
        "NAME",
        "Name",
        "row 7: 'xxx'",
        "Cut it: left(NAME, 255).",
    ),
    Mistake("UNKNOWN_COLUMN", "Account has no field FOO.", column="FOO", way_out="Did you mean Fax?"),
    Mistake(
        "WRONG_TYPE",
        "1 row has no number in REVENUE.",
        1,
        "REVENUE",
        "AnnualRevenue",
        "row 1: 'a\tlot'",
        "Cast it.",
    ),
)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def printed(blocks: Sequence[Block], stream: io.StringIO) -> str:
    print_blocks(blocks, stream)
    return stream.getvalue()


def test_a_plan_tells_counts_differences_and_the_real_command() -> None:
    answer = retl_render.plan(PLAN, ("retl_upsert", "--sql", "SELECT 'a b'", "--dry_run"))
    text = printed(answer.blocks, io.StringIO())

    counts = dict(re.findall(r"^ +(\w.*?) {5,}([\d,]+)", text, flags=re.MULTILINE))
    assert counts == {
        "rows selected": "1,200",
        "unchanged": "848",
        "to be sent": "352",
        "would create": "12",
        "would change": "340",
    }
    assert "lht retl_upsert --sql 'SELECT '\"'\"'a b'\"'\"''\n" in text
    assert "--dry_run" not in text
    assert "(empty)" in text
    assert "\x1b" not in text
    assert "new\ufffd[31m↵line" in text
    assert max(map(len, text.splitlines())) < 140
    assert answer.exit is Exit.DONE
    assert answer.document["plan"]["rows_to_change"] == 340
    assert answer.document["plan"]["differences"][0]["new"].endswith("x" * 500)


def test_a_result_with_failures_tells_what_to_type_next() -> None:
    answer = retl_render.result(RESULT, ("retl_upsert",), rows_table="lht.row_results")
    text = printed(answer.blocks, io.StringIO())

    assert answer.exit is Exit.ROWS_FAILED
    assert "lht retl_retry --run_id r1" in text
    assert "lht retl_undo --run_id r1 --dry_run" in text
    assert "FROM lht.row_results" in text
    assert "STRING_TOO_LONG" in text
    assert answer.document["errors"] == [
        {"class": "STRING_TOO_LONG", "rows": 2, "example": "data value too large"}
    ]
    assert answer.document["jobs"] == [{"id": "750A", "rows": 7, "state": "JobComplete"}]


def test_a_whole_result_ends_well() -> None:
    whole = replace(RESULT, rows_succeeded=7, rows_failed=0, errors=())

    answer = retl_render.result(whole, ("retl_upsert",), rows_table="lht.row_results")

    assert answer.exit is Exit.DONE
    assert "retl_retry" not in printed(answer.blocks, io.StringIO())


@pytest.mark.parametrize("width", ["40", "80", "200"])
def test_every_mistake_of_a_refused_plan_is_told_at_any_width(
    monkeypatch: pytest.MonkeyPatch, width: str
) -> None:
    monkeypatch.setenv("COLUMNS", width)

    text = printed(retl_render.refused(PlanRefusedError("No.", mistakes=MISTAKES)), Terminal())

    assert "3 things are wrong" in " ".join(text.split())
    lines = re.sub(r"\x1b\[\d*m", "", text).splitlines()[2:]
    assert max(len(line) for line in lines) <= int(width)
    folded = " ".join(text.split())
    for told in ("1. 12 rows", "FOO", "Did you mean Fax?", "Such as row 1: 'a⇥lot'", "Cast it."):
        assert told in folded


def test_the_bars_leave_the_screen_to_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    from lht.cli.screen import Screen
    from lht.model.retl import RetlEvent

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)

    with Screen().progress() as watch:
        watch(RetlEvent("checking", "Account", done=1500, total=3000))
        with watch.hidden():
            before = terminal.getvalue()
            terminal.write("Go on? ")
            assert terminal.getvalue() == before + "Go on? "
        watch(RetlEvent("sending", "Account", "job 750A"))

    assert "1,500 rows" in terminal.getvalue()
    assert "job 750A" in terminal.getvalue()
