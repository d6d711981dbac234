"""Starts the local stand-in for Snowflake in a process of its own, for the tour.

This room may not import `lht.testing`, where it lives: what the two share is a command line and the words printed.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MODULE = "lht.testing.stand_in"
DEFAULT_PORT = 8789
READY_S = 120.0
STOP_S = 10.0


@dataclass(frozen=True, slots=True)
class StandIn:
    """A stand-in that runs: what it printed of itself."""

    facts: Mapping[str, str]

    @property
    def url(self) -> str:
        """Where it answers."""
        return self.facts["url"]

    @property
    def port(self) -> int:
        """The port of that address."""
        return int(self.facts["port"])

    @property
    def connection(self) -> str:
        """Its lines in `connections.toml`, for the connector; it lets anyone in, so its password is no secret."""
        options = {name: value for name, value in self.facts.items() if name != "url"}
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in (options | {"port": self.port}).items()]
        return "".join(lines)


def check_installed() -> None:
    """Refuses, before anything is made, where the stand-in's server is not installed."""
    if importlib.util.find_spec("fakesnow") is None:
        raise ConfigError(
            "The local stand-in for Snowflake is not installed; it comes with an extra.",
            hint="Type: pip install 'lht[testing]'",
        )


def command(path: Path, port: int) -> list[str]:
    """The command line that starts a stand-in which keeps its databases in a folder."""
    return [sys.executable, "-m", MODULE, "--port", str(port), "--path", str(path)]


@contextmanager
def started_stand_in(path: Path, port: int, *, log: Path) -> Iterator[StandIn]:
    """Serves a stand-in while the block runs.

    It ends when its standard input does, so that it cannot outlive this process, however that ends.
    """
    path.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w", encoding="utf-8") as told,
        subprocess.Popen(  # noqa: S603 - our own program
            [*command(path, port), "--until-stdin-ends"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
            start_new_session=True,  # Ctrl-C is for the tour, which then ends the stand-in
        ) as process,
    ):
        try:
            yield StandIn(_facts_when_ready(process, log))
        finally:
            _stop(process)


def _facts_when_ready(process: subprocess.Popen[str], log: Path) -> dict[str, str]:
    """Reads what the stand-in prints until it is ready; one that hangs is killed, and what it printed ends there."""
    assert process.stdout is not None  # noqa: S101 - asked for above
    facts: dict[str, str] = {}
    alarm = threading.Timer(READY_S, process.kill)
    alarm.start()
    try:
        for line in process.stdout:
            name, _, value = line.strip().partition(": ")
            if name == "ready":
                return facts
            facts[name] = value
    finally:
        alarm.cancel()
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise ConfigError(
        f"The stand-in for Snowflake did not start: {lines[-1] if lines else 'it said nothing'}.",
        hint=f"All that it said is in {log}.",
    )


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
