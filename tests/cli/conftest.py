"""A project folder beside a local org, and the command line run in it: in this process, or as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lht.cli.main import run
from lht.testing import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.testing import LocalOrg

CONFIG = """\
[salesforce_sandbox]
CLIENT_ID = "{org.client_id}"
CLIENT_SECRET = "{org.client_secret}"
login_url = "{org.url}"
flow = "client-credentials"

[myconnection]
type = "duckdb"
path = "lake.duckdb"
"""


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Shell:
    """Runs command lines in a folder of the test's own."""

    folder: Path
    org: LocalOrg | None
    capture: pytest.CaptureFixture[str]

    def __call__(self, *argv: str) -> Outcome:
        """Runs in this process."""
        self.capture.readouterr()
        code = run(argv)
        told = self.capture.readouterr()
        return Outcome(int(code), told.out, told.err)

    def process(self, *argv: str) -> Outcome:
        """Runs as users do."""
        done = subprocess.run(
            [sys.executable, "-m", "lht", *argv], cwd=self.folder, capture_output=True, text=True, check=False
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def write_config(self, text: str) -> None:
        path = self.folder / ".snowflake" / "connections.toml"
        path.parent.mkdir(exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")

    def log_in(self, org: LocalOrg) -> None:
        self.write_config(CONFIG.format(org=org))
        assert self("login").code == 0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project that no setting of this machine reaches."""
    for name in list(os.environ):
        if name.startswith(("LHT_", "SNOWFLAKE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("LHT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "100")
    project = tmp_path / "project"
    (project / ".snowflake").mkdir(parents=True)
    monkeypatch.chdir(project)
    return project


@pytest.fixture
def bare(folder: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Nothing configured, no org."""
    return Shell(folder, None, capsys)


@pytest.fixture(scope="module")
def local_org() -> Iterator[LocalOrg]:
    """One org for a module's tests, which only read it."""
    with simulator(records=120, seed=3) as org:
        yield org


@pytest.fixture
def shell(local_org: LocalOrg, folder: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Configured and logged in."""
    shell = Shell(folder, local_org, capsys)
    shell.log_in(local_org)
    return shell
