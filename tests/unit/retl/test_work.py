"""What killed runs leave on disk, and that nobody's own work is taken for it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from lht.retl.work import Work, clear_leftovers

if TYPE_CHECKING:
    from pathlib import Path

AT_WORK = """
import sys
from pathlib import Path
from lht.retl.work import Work
with Work(Path(sys.argv[1])):
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_folders_of_killed_runs_are_removed_and_those_at_work_are_not(tmp_path: Path) -> None:
    command = [sys.executable, "-c", AT_WORK, str(tmp_path / "other")]
    with (
        Work(tmp_path / "own"),
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run,
    ):
        assert run.stdout is not None
        run.stdout.readline()
        clear_leftovers(tmp_path)

        assert {path.name for path in tmp_path.iterdir()} == {"own", "other"}
        run.kill()
    clear_leftovers(tmp_path)

    assert not list(tmp_path.iterdir())
