"""A run's own database: the memory it takes, what is told when there is no room, and what killed runs leave."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from lht.errors import ConfigError
from lht.retl.work import Work, clear_leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator
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


def rows(count: int, columns: int, text: str) -> pa.RecordBatchReader:
    schema = pa.schema([(f"a{n}", pa.string()) for n in range(columns)])
    numbers = pa.array([f"{n}{text}" for n in range(count)])
    batches = pa.RecordBatch.from_arrays([numbers] * columns, schema=schema)
    return pa.RecordBatchReader.from_batches(schema, [batches])


def test_long_texts_are_given_the_memory_that_they_need(tmp_path: Path) -> None:
    with Work(tmp_path / "run") as work:
        work.load("source", rows(700, 2, "x" * 60_000))
        work.execute("CREATE TABLE cut AS SELECT [a0, a1] AS sent FROM source")

        assert work.count("cut", "len(sent[2]) > 60_000") == 700


FULL = """
import resource, sys
from pathlib import Path
from lht.errors import LhtError
from lht.retl.work import Work
resource.setrlimit(resource.RLIMIT_FSIZE, (4_000_000, 4_000_000))
with Work(Path(sys.argv[1])) as work:
    try:
        work.execute("CREATE TABLE source AS SELECT uuid() AS a FROM range(500_000)")
    except LhtError as error:
        print(error)
"""


def test_a_full_disk_is_told_with_the_folder_and_what_to_do(tmp_path: Path) -> None:
    folder = str(tmp_path / "run")
    found = subprocess.run([sys.executable, "-c", FULL, folder], capture_output=True, text=True, check=True)

    assert f"The run's rows cannot be kept in {folder}: " in found.stdout
    assert "Free some space, or set LHT_CACHE_DIR to a larger disk" in found.stdout


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match=r"The directory .*file/run cannot be made: .*Set LHT_CACHE_DIR"):
        Work(tmp_path / "file" / "run")


def test_what_a_stream_raises_is_raised_and_not_what_hides_it(tmp_path: Path) -> None:
    def failing() -> Iterator[pa.RecordBatch]:
        yield from rows(10, 1, "")
        raise LockError

    class LockError(Exception):
        pass

    reader = pa.RecordBatchReader.from_batches(pa.schema([("a0", pa.string())]), failing())
    with Work(tmp_path / "run") as work, pytest.raises(LockError):
        work.load("source", reader)
