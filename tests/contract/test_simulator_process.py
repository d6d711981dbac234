"""The org as a process of its own, and as a value in a test."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import SimulatorError
from lht.simulator.main import started
from lht.testing import simulator

if TYPE_CHECKING:
    from pathlib import Path

    from lht.testing import LocalOrg


PROGRAM = "from lht.simulator.main import serve; serve(port=0, records=3, on_start=lambda r: print('telling', r.url))"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_stops_without_a_trace(number: signal.Signals) -> None:
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        lines = []
        while not lines or lines[-1] != "ready":
            lines.append(process.stdout.readline().strip())
            assert lines[-1], process.stderr.read()
        said = dict(line.split(": ", 1) for line in lines[:5])
        with urllib.request.urlopen(f"{said['url']}/services/data") as answer:
            versions = json.load(answer)
        process.send_signal(number)
        rest = process.communicate(timeout=30)

    assert list(said) == ["url", "client_id", "client_secret", "username", "password"]
    assert lines[5:] == [f"telling {said['url']}", "ready"]
    assert (versions[-1]["version"], said["username"]) == ("66.0", "me@example.com")
    assert (process.returncode, rest) == (0, ("", ""))


def test_a_busy_port_is_an_error_with_its_number() -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]

        with pytest.raises(SimulatorError, match=f"port {port}"), started(port=port):
            raise AssertionError("it started")


def test_an_unknown_setting_is_an_error() -> None:
    with (
        pytest.raises(SimulatorError, match="no setting is called nonsense"),
        started(settings={"nonsense": 1}),
    ):
        raise AssertionError("it started")


def test_an_org_on_disk_keeps_its_records(tmp_path: Path) -> None:
    with simulator(records=5, path=tmp_path):
        pass
    with started(path=tmp_path) as running:
        assert running.site.org.record_count(["Account"])["sObjects"][0]["count"] > 0


def test_the_fixture_gives_an_org_with_credentials(lht_simulator: LocalOrg) -> None:
    assert lht_simulator.url.startswith("http://127.0.0.1:")
    assert all((lht_simulator.client_id, lht_simulator.client_secret, lht_simulator.password))
