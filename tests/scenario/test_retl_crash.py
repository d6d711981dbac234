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
INSERT = ("retl_insert", "--sql", "SELECT Name, Phone FROM wanted")
UPDATE = ("retl_update", "--field", "Id", "--sql", "SELECT Id, Phone FROM changed")
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

    def is_killed(self, *argv: str) -> bool:
        """Runs until the faults that wait have all been met, and kills it then; false if it ended before."""
        process = self.start(*argv)
        deadline = time.monotonic() + PATIENCE_S
        while self.local.admin.faults() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        process.kill()
        process.communicate()
        return process.returncode < 0

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "lake.duckdb")) as connection:
            return connection.execute(sql).fetchall()

    def accounts(self) -> list[tuple[str, str]]:
        found = self.rest.query("SELECT Name, Phone FROM Account", include_deleted=False)
        return sorted((record["Name"], record["Phone"]) for record in found)

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


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", JOBS),
        ("PUT", "*/batches"),
        ("PATCH", ONE_JOB),
        ("GET", "*/successfulResults"),
    ],
)
def test_an_insert_killed_at_any_step_and_typed_again_inserts_each_row_once(
    project: Project, method: str, path: str
) -> None:
    project.local.admin.fault("drop", method=method, path=path)
    assert project.is_killed(*INSERT)

    told = project.run(*INSERT)

    assert (told["rows_sent"], told["rows_succeeded"], told["rows_created"]) == (ROWS, ROWS, ROWS)
    assert project.accounts() == wanted()
    assert [(row, outcome) for row, outcome, _ in project.fates()] == [
        (row, "succeeded") for row in range(1, ROWS + 1)
    ]
    assert len({record for _, _, record in project.fates()}) == ROWS
    assert project.left_over() == {}


def test_a_run_killed_again_and_again_still_ends_as_an_undisturbed_one(project: Project) -> None:
    for method, path in (
        ("POST", JOBS),
        ("PUT", "*/batches"),
        ("PATCH", ONE_JOB),
        ("GET", "*/failedResults"),
    ):
        project.local.admin.fault("drop", method=method, path=path)
        assert project.is_killed(*INSERT)

    project.run(*INSERT)

    assert project.accounts() == wanted()
    assert len(project.fates()) == ROWS
    assert project.left_over() == {}


def test_answers_lost_at_every_step_of_one_run_write_nothing_twice(project: Project) -> None:
    for method, path in (("POST", JOBS), ("PUT", "*/batches"), ("PATCH", ONE_JOB), ("GET", "*Results")):
        project.local.admin.fault("drop", method=method, path=path)

    told = project.run(*INSERT)

    assert told["rows_created"] == ROWS
    assert project.accounts() == wanted()
    assert project.left_over() == {}
    assert project.local.admin.faults() == []


@pytest.mark.parametrize(
    ("command", "method"), [(UPDATE, "PATCH"), (DELETE, "DELETE")], ids=["update", "delete"]
)
def test_few_rows_killed_in_the_middle_of_a_call_are_told_once(
    project: Project, command: tuple[str, ...], method: str
) -> None:
    ids = [project.rest.create("Account", Name=f"old {i}", Phone="1") for i in range(ROWS)]
    project.rows(
        f"CREATE TABLE changed AS SELECT unnest({ids}) AS Id, '555 ' || unnest(range({ROWS})) AS Phone"
    )
    project.local.admin.fault("drop", method=method, path="*/composite/sobjects")
    assert project.is_killed(*command)

    told = project.run(*command)

    expected = [] if command is DELETE else [(f"old {i}", f"555 {i}") for i in range(ROWS)]
    assert (told["rows_sent"], told["rows_succeeded"], told["rows_created"]) == (ROWS, ROWS, 0)
    assert project.accounts() == expected
    assert {record for _, _, record in project.fates()} == set(ids)
    assert project.left_over() == {}


def test_a_change_by_others_is_not_overwritten_by_a_run_that_goes_on(project: Project) -> None:
    ids = [project.rest.create("Account", Name=f"old {i}", Phone="1") for i in range(ROWS)]
    project.run("sync")
    project.rest.update("Account", ids[0], Phone="theirs")
    project.rows(
        f"CREATE TABLE changed AS SELECT unnest({ids}) AS Id, '555 ' || unnest(range({ROWS})) AS Phone"
    )
    project.local.admin.fault("drop", method="PATCH", path="*/composite/sobjects")
    assert project.is_killed(*UPDATE, "--if_unchanged_since_sync")

    process = project.start(*UPDATE, "--if_unchanged_since_sync")
    out, err = process.communicate(timeout=PATIENCE_S)
    told = json.loads(out)

    assert (told["rows_sent"], told["rows_succeeded"], told["rows_conflicting"]) == (ROWS - 1, ROWS - 1, 1), (
        err
    )
    assert project.accounts() == sorted(
        [("old 0", "theirs")] + [(f"old {i}", f"555 {i}") for i in range(1, ROWS)]
    )
    assert [outcome for _, outcome, _ in project.fates()].count("conflicting") == 1
    assert project.left_over() == {}
