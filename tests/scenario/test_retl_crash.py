"""Whole runs of the command line, killed by the system in the middle, or cut off from answers; then typed again.

Whatever the moment, the org ends as after an undisturbed run: each row is written once, has one last fate, and
nothing is left behind.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from world import Rest

if TYPE_CHECKING:
    from pathlib import Path

    from lht.testing.simulator import LocalOrg

ROWS = 7
JOBS = "*/jobs/ingest"
ONE_JOB = "*/jobs/ingest/750*"
PATIENCE_S = 60.0
MORE_THAN_TRIED = 100
INSERT = ("retl_insert", "--sql", "SELECT Name, Phone FROM wanted")
UPDATE = (
    "retl_update",
    "--field",
    "Id",
    "--sql",
    "SELECT Id, Phone FROM changed",
    "--if_unchanged_since_sync",
)
DELETE = ("retl_delete", "--field", "Id", "--sql", "SELECT Id FROM changed", "--yes")


@dataclass
class Project:
    """A lake with rows to send, an org to send them to, and the command line in a process of its own."""

    folder: Path
    local: LocalOrg
    rest: Rest

    def command(self, *argv: str) -> list[str]:
        lake = f"duckdb:///{self.folder}/lake.duckdb"
        return [
            *(sys.executable, "-m", "lht", argv[0], "--sobject", "Account", "--db_connect", lake, "--json"),
            *argv[1:],
        ]

    def start(self, *argv: str) -> subprocess.Popen[str]:
        known = {name: value for name, value in os.environ.items() if not name.startswith(("LHT_", "SNOW"))}
        own = {
            "LHT_SALESFORCE_ACCESS_TOKEN": self.rest.token,
            "LHT_SALESFORCE_INSTANCE_URL": self.local.url,
            "LHT_CACHE_DIR": str(self.folder / "cache"),
            "HOME": str(self.folder),
        }
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.command(*argv), cwd=self.folder, env=known | own, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *argv: str) -> dict[str, Any]:
        process = self.start(*argv)
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, (out, err)
        told: dict[str, Any] = json.loads(out)
        return told

    def is_killed(self, method: str, path: str, *argv: str) -> bool:
        """Runs until the answer to such a request is lost, and kills it then; false if it ended before.

        What it asks again is not answered either: however late the kill comes, it is still at that step.
        """
        admin = self.local.admin
        admin.fault("drop", method=method, path=path, times=MORE_THAN_TRIED)
        process = self.start(*argv)
        deadline = time.monotonic() + PATIENCE_S
        while admin.faults()[0]["times"] == MORE_THAN_TRIED and process.poll() is None:
            assert time.monotonic() < deadline, f"no {method} {path} was asked"
            time.sleep(0.01)
        process.kill()
        process.communicate()
        admin.clear_faults()
        return process.returncode < 0

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "lake.duckdb")) as connection:
            return connection.execute(sql).fetchall()

    def accounts(self) -> list[tuple[str, str]]:
        found = self.rest.query("SELECT Name, Phone FROM Account", include_deleted=False)
        return sorted((record["Name"], record["Phone"]) for record in found)

    def old_accounts(self) -> list[str]:
        """Makes records, and the rows that are to change them; gives the ids."""
        ids = [self.rest.create("Account", Name=f"old {i}", Phone="1") for i in range(ROWS)]
        self.rows(
            f"CREATE TABLE changed AS SELECT unnest({ids}) AS Id, '555 ' || unnest(range({ROWS})) AS Phone"
        )
        return ids

    def fates(self) -> list[tuple[int, str, str]]:
        """The last fate of each row: its number, its outcome, and the id of its record."""
        return [
            (int(row), outcome, record)
            for row, outcome, record in self.rows(
                "SELECT row_number, outcome, sf_id FROM lht.row_results "
                "QUALIFY row_number() OVER (PARTITION BY run_id, row_number ORDER BY attempt DESC) = 1 ORDER BY ALL"
            )
        ]

    def left_over(self) -> dict[str, Any]:
        """What a run should not leave: jobs that wait, locks, runs that have not ended, files with rows in them."""
        jobs = Counter(job["state"] for job in self.rest.call("GET", "jobs/ingest")["records"])
        (status,) = self.rows("SELECT last(status ORDER BY saved) FROM lht.intents")[0]
        (locks,) = self.rows("SELECT count(*) FROM lht.locks")[0]
        files = [str(path) for path in (self.folder / "cache").rglob("*") if path.is_file()]
        tables = self.rows("SELECT table_name FROM duckdb_tables() WHERE table_name ILIKE '%stag%'")
        found = {"Open": jobs["Open"], "status": status, "locks": locks, "files": files, "tables": tables}
        return {name: value for name, value in found.items() if value not in (0, "done", [])}


@pytest.fixture
def project(local_org: LocalOrg, tmp_path: Path) -> Project:
    local_org.admin.reset()
    found = Project(tmp_path, local_org, Rest(local_org))
    found.rows(
        f"CREATE TABLE wanted AS SELECT 'Account, no. ' || i AS Name, '555 ' || i AS Phone FROM range({ROWS}) r(i)"
    )
    return found


def wanted() -> list[tuple[str, str]]:
    return [(f"Account, no. {i}", f"555 {i}") for i in range(ROWS)]


def test_an_insert_killed_as_its_job_is_closed_and_typed_again_inserts_each_row_once(
    project: Project,
) -> None:
    """The step that counts: rows may have been written from here on. The others are taken in turn below."""
    assert project.is_killed("PATCH", ONE_JOB, *INSERT)

    told = project.run(*INSERT)

    assert (told["rows_sent"], told["rows_succeeded"], told["rows_created"]) == (ROWS, ROWS, ROWS)
    assert project.accounts() == wanted()
    assert [(row, outcome) for row, outcome, _ in project.fates()] == [
        (row, "succeeded") for row in range(1, ROWS + 1)
    ]
    assert len({record for _, _, record in project.fates()}) == ROWS
    assert project.left_over() == {}


def test_a_run_killed_again_and_again_still_ends_as_an_undisturbed_one(project: Project) -> None:
    """Each death leaves something else: a job that nobody knows, one with rows, one at work, results not read.

    What may be left between any two steps, and what comes next then, test_retl_submit shows one by one.
    """
    for method, path in (
        ("POST", JOBS),
        ("PUT", "*/batches"),
        ("PATCH", ONE_JOB),
        ("GET", "*/failedResults"),
    ):
        assert project.is_killed(method, path, *INSERT)
        assert project.accounts() in ([], wanted())

    told = project.run(*INSERT)

    assert (told["rows_sent"], told["rows_succeeded"], told["rows_created"]) == (ROWS, ROWS, ROWS)
    assert project.accounts() == wanted()
    assert len({record for _, _, record in project.fates()}) == len(project.fates()) == ROWS
    assert project.left_over() == {}


def test_answers_lost_at_every_step_of_one_run_write_nothing_twice(project: Project) -> None:
    for method, path in (("POST", JOBS), ("PUT", "*/batches"), ("PATCH", ONE_JOB), ("GET", "*Results")):
        project.local.admin.fault("drop", method=method, path=path)

    told = project.run(*INSERT)

    assert told["rows_created"] == ROWS
    assert project.accounts() == wanted()
    assert project.left_over() == {}
    assert project.local.admin.faults() == []


def test_few_rows_killed_in_the_middle_of_a_call_are_told_once(project: Project) -> None:
    ids = project.old_accounts()
    assert project.is_killed("DELETE", "*/composite/sobjects", *DELETE)

    told = project.run(*DELETE)

    assert (told["rows_sent"], told["rows_succeeded"], told["rows_created"]) == (ROWS, ROWS, 0)
    assert project.accounts() == []
    assert {record for _, _, record in project.fates()} == set(ids)
    assert project.left_over() == {}


def test_a_change_by_others_is_not_overwritten_by_a_run_that_goes_on(project: Project) -> None:
    ids = project.old_accounts()
    project.run("sync")
    project.rest.update("Account", ids[0], Phone="theirs")
    assert project.is_killed("PATCH", "*/composite/sobjects", *UPDATE)

    process = project.start(*UPDATE)
    out, err = process.communicate(timeout=PATIENCE_S)
    told = json.loads(out)

    fates = (told["rows_sent"], told["rows_succeeded"], told["rows_created"], told["rows_conflicting"])
    assert fates == (ROWS - 1, ROWS - 1, 0, 1), err
    assert project.accounts() == sorted(
        [("old 0", "theirs")] + [(f"old {i}", f"555 {i}") for i in range(1, ROWS)]
    )
    assert Counter(outcome for _, outcome, _ in project.fates()) == {"succeeded": ROWS - 1, "conflicting": 1}
    assert {record for _, _, record in project.fates()} == set(ids)
    assert project.left_over() == {}
