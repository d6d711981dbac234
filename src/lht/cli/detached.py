"""Leaves the local org running in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from typing import TYPE_CHECKING

from lht.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

READY_S = 300.0
POLL_S = 0.05


def start_detached(argv: Sequence[str]) -> tuple[int, list[str]]:
    """Runs the same command line without `--detach`; gives its process and what it printed until it was ready."""
    words = [
        word for word in argv[list(argv).index("simulator") :] if word != "--detach"
    ]  # after -C, which is done
    with tempfile.NamedTemporaryFile("w+", prefix="lht-org-", suffix=".log", delete=False) as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-m", "lht", *words],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        deadline = time.monotonic() + READY_S
        while time.monotonic() < deadline:
            log.seek(0)
            lines = log.read().splitlines()
            if "ready" in lines:
                return process.pid, lines[: lines.index("ready")]
            if process.poll() is not None:
                raise ConfigError(f"The local org did not start: {' '.join(lines)}".strip())
            time.sleep(POLL_S)
    process.terminate()
    raise ConfigError(f"The local org was not ready after {READY_S:.0f} s; see {log.name}.")
