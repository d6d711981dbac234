"""The commands that write to Salesforce, as people and programs use them. Each test has records of its own."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

import lht
from lht.testing import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Outcome, Shell
    from lht.testing import LocalOrg

RESULT_KEYS = {
    "run_id", "operation", "object", "rows_selected", "rows_unchanged", "rows_sent", "rows_succeeded", "rows_failed",
    "rows_unprocessed", "rows_unknown", "rows_created", "rows_conflicting", "jobs", "errors", "seconds",
}  # fmt: skip
UPSERT = ("retl_upsert", "--sobject", "Account", "--field", "ExternalId")


@pytest.fixture(scope="module")
def local_org() -> Iterator[LocalOrg]:
    """An org that these tests write to."""
    with simulator(records=0, seed=3) as org:
        org.admin.add_validation_rule(
            "Account",
            "Sane",
            condition="AnnualRevenue < 0",
            message="No: less than nothing",
            field="AnnualRevenue",
        )
        yield org


def rows(prefix: str, count: int, revenue: str = "n * 1000") -> str:
    return (
        f"SELECT '{prefix}-' || n AS ExternalId, 'Company ' || n AS Name, {revenue} AS AnnualRevenue\n"
        f"FROM (SELECT unnest(range(1, {count + 1})) AS n)"
    )


def held(prefix: str, fields: str = "Name, AnnualRevenue") -> list[tuple[Any, ...]]:
    """What Salesforce holds of a test's records, by its own REST API."""
    soql = f"SELECT {fields} FROM Account WHERE ExternalId__c LIKE '{prefix}-%' ORDER BY ExternalId__c"
    with lht.connect_org() as org:
        records = org.request("GET", "query", params={"q": soql}).json()["records"]
    return [tuple(record[name.strip()] for name in fields.split(",")) for record in records]


def lake(shell: Shell, sql: str) -> list[Any]:
    with duckdb.connect(str(shell.folder / "lake.duckdb")) as warehouse:
        return warehouse.execute(sql).fetchall()


def fates(shell: Shell, run_id: str) -> list[tuple[Any, ...]]:
    return lake(
        shell,
        "SELECT row_number, outcome, class FROM lht.row_results "
        f"WHERE run_id = '{run_id}' ORDER BY row_number, attempt",
    )


# Plan, then send


def test_a_dry_run_changes_nothing_and_prints_the_command_that_does_it(shell: Shell) -> None:
    (shell.folder / "q.sql").write_text(rows("dry", 3))
    planned = shell(*UPSERT, "--query", "q.sql", "--dry_run", "--json")
    told = shell(*UPSERT, "--query", "q.sql", "--dry_run")

    assert (planned.code, told.code) == (0, 0)
    plan = planned.json["plan"]
    assert (plan["rows_selected"], plan["rows_to_create"], plan["rows_to_change"]) == (3, 3, 0)
    assert planned.json["command"] == "lht retl_upsert --sobject Account --query q.sql --field ExternalId"
    assert planned.json["command"] in told.out
    assert held("dry") == []
    assert lake(shell, "SELECT * FROM duckdb_tables() WHERE table_name IN ('intents', 'outbox')") == []


def test_an_upsert_its_second_run_and_its_undo(shell: Shell) -> None:
    first = shell(*UPSERT, "--sql", rows("ups", 3), "--json")
    second = shell(*UPSERT, "--sql", rows("ups", 3), "--only_changed", "--json")
    changed = shell(*UPSERT, "--sql", rows("ups", 4, "n * 2000"), "--only_changed", "--json").json
    before = held("ups", "AnnualRevenue")
    undone = shell("retl_undo", "--run_id", changed["run_id"], "--json")

    assert (first.code, second.code, undone.code) == (0, 0, 0)
    assert set(first.json) >= RESULT_KEYS
    assert (first.json["rows_created"], first.json["rows_succeeded"]) == (3, 3)
    assert (second.json["rows_unchanged"], second.json["rows_sent"]) == (3, 0)
    assert (changed["rows_sent"], changed["rows_created"]) == (4, 1)
    assert before == [(2000,), (4000,), (6000,), (8000,)]
    assert held("ups", "AnnualRevenue") == [(1000,), (2000,), (3000,)]
    assert undone.json["of_run"] == changed["run_id"]


def test_a_failed_row_its_record_and_its_retry(shell: Shell) -> None:
    shell.folder.joinpath("q.sql").write_text(
        "SELECT Key AS ExternalId__c, Name, Revenue AS AnnualRevenue FROM T"
    )
    lake(
        shell,
        "CREATE TABLE T AS SELECT * FROM (VALUES ('ret-1', 'A', 1), ('ret-2', 'B', -1)) AS v(Key, Name, Revenue)",
    )
    told = shell(*UPSERT, "--query", "q.sql")
    run_id = told.out.split("--run_id ")[1].split()[0]
    printed = " ".join(re.findall(r"^ +(SELECT.*|WHERE.*)$", told.out, flags=re.MULTILINE))

    assert told.code == 5
    assert "FIELD_CUSTOM_VALIDATION_EXCEPTION" in told.out
    assert fates(shell, run_id) == [
        (1, "succeeded", None),
        (2, "failed", "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
    ]
    assert [row[1:4] for row in lake(shell, printed)] == [
        ("ret-2", "failed", "FIELD_CUSTOM_VALIDATION_EXCEPTION")
    ]

    lake(shell, "UPDATE T SET Revenue = 2 WHERE Key = 'ret-2'")
    plan = shell("retl_retry", "--run_id", run_id, "--dry_run", "--json").json["plan"]
    again = shell("retl_retry", "--run_id", run_id, "--json")

    assert plan["rows_to_send"] == 1
    assert (again.code, again.json["rows_sent"], again.json["rows_succeeded"]) == (0, 1, 1)
    assert held("ret") == [("A", 1), ("B", 2)]


def test_a_refused_plan_tells_every_mistake_and_sends_nothing(shell: Shell) -> None:
    sql = "SELECT 'ref-1' AS ExternalId, repeat('long', 70) AS Name, 'blue' AS Colour"
    told, document = shell(*UPSERT, "--sql", sql), shell(*UPSERT, "--sql", sql, "--json")

    assert (told.code, document.code, told.out) == (8, 8, "")
    assert "longlong" in told.err
    assert "Colour" in told.err
    error = document.json["error"]
    assert (error["code"], error["exit"]) == ("RETL-PLAN", 8)
    assert {m["column"] for m in error["mistakes"]} == {"Name", "Colour"}
    assert all(m["message"] and m["way_out"] for m in error["mistakes"])
    assert held("ref") == []


def test_inserts_and_updates(shell: Shell) -> None:
    made = shell(
        "retl_insert",
        "--sobject",
        "Account",
        "--sql",
        rows("ins", 2),
        "--map",
        "ExternalId=ExternalId__c",
        "--json",
    )
    ids = [record for (record,) in held("ins", "Id")]
    sql = f"SELECT '{ids[0]}' AS Id, 'New' AS Name, NULL AS AnnualRevenue"
    kept = shell("retl_update", "--sobject", "Account", "--sql", sql, "--json")
    cleared = shell("retl_update", "--sobject", "Account", "--sql", sql, "--nulls", "clear", "--json")
    same = shell(
        "retl_update", "--sobject", "Account", "--sql", sql, "--nulls", "clear", "--compare", "org", "--json"
    )

    assert (made.code, made.json["rows_created"]) == (0, 2)
    assert (kept.code, cleared.code, same.code) == (0, 0, 0)
    assert (same.json["rows_unchanged"], same.json["rows_sent"]) == (1, 0)
    assert held("ins") == [("New", None), ("Company 2", 2000)]


# Deletions


def delete_of(shell: Shell, prefix: str, count: int, *options: str) -> tuple[str, ...]:
    assert shell(*UPSERT, "--sql", rows(prefix, count)).code == 0
    ids = ", ".join(f"('{record}')" for (record,) in held(prefix, "Id"))
    return (
        "retl_delete",
        "--sobject",
        "Account",
        "--sql",
        f"SELECT Id FROM (VALUES {ids}) AS v(Id)",
        *options,
    )


def test_more_deletions_than_allowed_need_a_word(shell: Shell) -> None:
    delete = delete_of(shell, "del", 3, "--max_deletes", "2")

    refused, done = shell(*delete), shell(*delete, "--yes", "--json")

    assert refused.code == 8
    assert "--yes" in refused.err
    assert (done.code, done.json["rows_succeeded"]) == (0, 3)
    assert held("del") == []


@contextmanager
def at_a_terminal(shell: Shell, argv: tuple[str, ...]) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Starts a command at a terminal and comes back when it asks."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "lht", *argv], cwd=shell.folder, stdin=theirs, stderr=theirs, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(theirs)
    try:
        told = b""
        while b"[y/N]" not in told:
            told += os.read(ours, 1000)
        yield process, ours
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def drained(terminal: int) -> None:
    while True:
        try:
            if not os.read(terminal, 1000):
                return
        except OSError:
            return


@pytest.mark.parametrize(
    ("answer", "code", "left"), [("\n", 8, 2), ("\x04", 8, 2), ("yes\n", 0, 0), (None, 130, 2)]
)
def test_a_terminal_is_asked_before_anything_is_deleted(
    shell: Shell, answer: str | None, code: int, left: int
) -> None:
    prefix = f"ask{code}{ord(answer[0]) if answer else ''}"
    with at_a_terminal(shell, delete_of(shell, prefix, 2)) as (process, terminal):
        if answer is None:
            process.send_signal(2)
        else:
            os.write(terminal, answer.encode())
        drained(terminal)
        ended = process.wait(30)

    assert ended == code
    assert len(held(prefix)) == left


# What is refused before anything is opened


@pytest.mark.parametrize(
    ("argv", "code", "word"),
    [
        ((*UPSERT,), 2, "--query"),
        ((*UPSERT, "--query", "q.sql", "--sql", "SELECT 1"), 2, "once"),
        ((*UPSERT, "--query", "no/such.sql"), 3, "no/such.sql"),
        ((*UPSERT, "--query", "SELECT 1 AS Id"), 3, "--sql"),
        ((*UPSERT, "--sql", "SELECT 1", "--map", "AField"), 2, "COLUMN=Field"),
        ((*UPSERT, "--sql", "SELECT 1", "--map", "A=B", "--map", "a=C"), 2, "twice"),
        ((*UPSERT, "--sql", ""), 2, "empty"),
        ((*UPSERT, "--sql", "DROP TABLE lht.meta"), 8, "SELECT"),
        ((*UPSERT, "--sql", "SELECT Id FROM no_such_table"), 7, "--schema"),
        (("retl_upsert", "--sobject", "Account", "--sql", "SELECT 1"), 2, "--field"),
        (("retl_upsert", "--sobject", "Acount", "--sql", "SELECT 1 AS Id", "--field", "Id"), 3, "Account"),
        (("retl_insert", "--sobject", "Account", "--sql", "SELECT 1", "--field", "Id"), 2, "--field"),
        (("retl_update", "--sobject", "Account", "--sql", "SELECT 1", "--field", "Name"), 3, "upsert"),
        (("retl_delete", "--sobject", "Account", "--sql", "SELECT 1", "--nulls", "clear"), 2, "--nulls"),
        (("retl_retry", "--run_id", "nonsense"), 3, "nonsense"),
        (("retl_undo", "--run_id", "nonsense"), 3, "nonsense"),
    ],
)
def test_what_makes_no_sense_is_refused(shell: Shell, argv: tuple[str, ...], code: int, word: str) -> None:
    outcome: Outcome = shell(*argv)

    assert (outcome.code, outcome.out) == (code, "")
    assert word in " ".join(outcome.err.split())
