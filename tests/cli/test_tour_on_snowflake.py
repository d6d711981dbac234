"""The tour with a local stand-in for Snowflake: repeatable however it ended before, and nothing of it stays behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Shell

ANY_PORTS = """\
import sys
from lht.cli import demo, stand_in
demo.DEFAULT_PORT = stand_in.DEFAULT_PORT = 0
from lht.__main__ import main
main()
"""
"""Runs the command line with no port of its own, so that tests beside each other do not meet."""
DEADLINE_S = 60


@contextlib.contextmanager
def started_tour(shell: Shell) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Runs the tour as a process until the stand-in answers; gives it, and the stand-in's port."""
    argv = [sys.executable, "-c", ANY_PORTS, "demo", "--warehouse", "snowflake", "--records", "60"]
    with subprocess.Popen(argv, cwd=shell.folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if found := re.search(r"stand-in for Snowflake answers at http://127\.0\.0\.1:(\d+)", line):
                yield process, int(found[1])
                break
        else:
            pytest.fail(f"the tour ended with {process.wait()} before a stand-in was there")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def falls_silent(port: int) -> bool:
    deadline = time.monotonic() + DEADLINE_S
    while answers(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_ctrl_c_ends_the_stand_in_with_the_tour(bare: Shell) -> None:
    with started_tour(bare) as (tour, port):
        tour.send_signal(signal.SIGINT)
        code = tour.wait(DEADLINE_S)

    assert code == 130
    assert falls_silent(port)


def test_a_tour_that_was_killed_hurts_no_later_one_and_the_commands_work_as_printed(bare: Shell) -> None:
    with started_tour(bare) as (tour, port):
        tour.kill()
    assert falls_silent(port)
    argv = [sys.executable, "-c", ANY_PORTS, "demo", "--warehouse", "snowflake", "--records", "60", "--json"]

    told = subprocess.run(argv, cwd=bare.folder, capture_output=True, text=True, check=False)

    assert (told.returncode, told.stderr) == (0, "")
    document = json.loads(told.stdout)
    assert document["warehouse"] == "snowflake"
    assert document["second"]["objects"][0]["columns_added"] == ["SEGMENT__C"]
    assert work_as_printed(bare, document["next"]) == [0, 0, 0, 0, 0]


def work_as_printed(shell: Shell, commands: list[str]) -> list[int]:
    """Starts the two servers as the first two lines say, and runs the others; gives their exit codes."""
    org, stand_in, *others = [shlex.split(command) for command in commands]
    with running(stand_in[: stand_in.index("&")], shell) as server:
        assert server.stdout is not None
        assert "ready\n" in iter(server.stdout.readline, "")
        started = subprocess.run(org, cwd=shell.folder, capture_output=True, text=True, check=True)
        try:
            done = [
                subprocess.run(command, cwd=shell.folder, capture_output=True, check=False)
                for command in others
            ]
        finally:
            os.kill(int(started.stderr.split()[-1]), signal.SIGTERM)
    return [process.returncode for process in done]


@contextlib.contextmanager
def running(command: list[str], shell: Shell) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, cwd=shell.folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def test_without_the_extra_the_pip_line_is_told_and_nothing_is_made(
    bare: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "fakesnow", None)

    outcome = bare("demo", "--warehouse", "snowflake")

    assert outcome.code == 3
    assert "pip install 'lht[testing]'" in outcome.err
    assert not (bare.folder / "demo").exists()
