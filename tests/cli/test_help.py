"""Help, spelling, and how quickly the command line answers."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command

from lht.cli.app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from syrupy.assertion import SnapshotAssertion

    from conftest import Shell


def command_paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from command_paths(child, (*path, name))


@pytest.mark.parametrize("path", list(command_paths(get_command(app))), ids=" ".join)
def test_help_texts(bare: Shell, path: tuple[str, ...], snapshot: SnapshotAssertion) -> None:
    outcome = bare(*path, "--help")

    assert outcome.code == 0
    assert outcome.err == ""
    assert outcome.out == snapshot


def test_help_loads_no_driver() -> None:
    script = (
        "import sys; from lht.cli.main import run; run(['--help']);"
        "print(*sorted({m.partition('.')[0] for m in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    heavy = {
        "duckdb",
        "pyarrow",
        "urllib3",
        "rich",
        "isal",
        "cryptography",
        "starlette",
        "tomlkit",
        "platformdirs",
    }
    assert heavy & set(done.stderr.split()) == set()


@pytest.mark.parametrize(
    "argv",
    [
        ("bulk-status", "--job-id", "750", "--help"),
        ("bulk_status", "--job_id", "750", "--help"),
        ("sync", "--dry-run", "--sync-field", "Id", "--db-connect", "x", "--help"),
        ("simulator", "start", "--write-config", "x", "--help"),
    ],
)
def test_underscores_and_dashes_are_the_same(bare: Shell, argv: tuple[str, ...]) -> None:
    assert bare(*argv).code == 0


def test_no_arguments_show_help(bare: Shell) -> None:
    outcome = bare()

    assert outcome.code == 0
    assert "Commands:" in outcome.out


def test_the_version_is_one_line(bare: Shell) -> None:
    assert bare("--version").out == "lht 4.0.0\n"
