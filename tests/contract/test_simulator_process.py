"""The org as a process of its own, and as a value in a test."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import SimulatorError
from lht.simulator.main import started
from lht.testing import simulator
from lht.testing.caller import Caller

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


def test_an_org_that_another_process_holds_is_an_error_with_its_number(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys\nfrom lht.simulator.store.database import Database\n"
        f"held = Database(pathlib.Path({str(tmp_path)!r}))\nprint('held', flush=True)\nsys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"

        with pytest.raises(SimulatorError) as refused, started(path=tmp_path):
            raise AssertionError("it started")
        holder.stdin.close()

    assert str(refused.value) == (
        f"the org under {tmp_path} is in use by process {holder.pid}: stop it, or choose another --path"
    )


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


def test_an_org_on_disk_keeps_rows_fields_and_its_time_but_neither_logins_nor_jobs(tmp_path: Path) -> None:
    with simulator(records=20, path=tmp_path) as org:
        caller = Caller(org).login()
        org.admin.set_clock("2031-02-03T04:05:06Z", frozen=True)
        caller.login()
        org.admin.add_field("Account", "Tier__c", "string", length=10)
        org.admin.hide_field("Account", "Site")
        made = caller.create("Account", Name="kept", Tier__c="gold")
        job = caller.finished_job("SELECT Id FROM Account")["id"]
        old = dict(caller.headers)
    with simulator(records=500, seed=9, path=tmp_path) as org:
        again = Caller(org, headers=old)
        dead = again.get("/limits").status
        again.login()
        kept = again.get(f"/sobjects/Account/{made}").json()
        jobs = again.get("/jobs/query").json()["records"], again.get(f"/jobs/query/{job}").status
        clock = org.admin.clock()
        after = again.create("Account", Name="later")

    assert (dead, jobs) == (401, ([], 404))
    assert (kept["Tier__c"], kept["CreatedDate"]) == ("gold", "2031-02-03T04:05:06.000+0000")
    assert clock == {"now": "2031-02-03T04:05:06+00:00", "frozen": True}
    assert "Site" not in kept
    assert after > made


def test_an_org_that_is_being_made_stops_too(tmp_path: Path) -> None:
    start = ["simulator", "start", "--port", "0", "--records", "3000000", "--path", str(tmp_path)]
    with subprocess.Popen(
        [sys.executable, "-m", "lht", *start], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while not (tmp_path / "org.duckdb").exists():
            assert process.poll() is None, process.stderr.read()
        process.terminate()
        said = process.communicate(timeout=30)

    assert (process.returncode, said[0]) == (130, "")
    assert "Traceback" not in said[1]


def test_an_org_whose_making_was_interrupted_is_made_anew(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    program = f"""
from pathlib import Path
from lht.simulator.org.seeds import seed
from lht.simulator.org.org import Org
from lht.simulator.store.database import Database
import os
def killed(self):
    os._exit(9)
Database.compact = killed
Org.open(path=Path({str(tmp_path)!r}), records=30)
"""
    assert subprocess.run([sys.executable, "-c", program], env=environment, check=False).returncode == 9

    with simulator(records=30, path=tmp_path) as interrupted, simulator(records=30) as whole:
        counts = [
            Caller(org).login().get("/limits/recordCount").json()["sObjects"] for org in (interrupted, whole)
        ]
    assert counts[0] == counts[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_with_jobs_and_answers_under_way(number: signal.Signals, tmp_path: Path) -> None:
    busy = (
        "import threading, time, urllib.request\n"
        "from lht.simulator.main import serve\n"
        "def begin(running):\n"
        "    running.site.change_settings({'job_delay_s': 60})\n"
        "    running.site.faults.add({'kind': 'job_hangs'})\n"
        "    running.site.faults.add({'kind': 'delay', 'delay_s': 60})\n"
        "    for _ in range(3):\n"
        "        running.site.jobs.create({'operation': 'query', 'query': 'SELECT Id FROM Account'}, 66.0)\n"
        "    ask = lambda: urllib.request.urlopen(running.url + '/services/data')\n"
        "    threading.Thread(target=ask, daemon=True).start()\n"
        "    time.sleep(0.3)\n"
        "threading.excepthook = lambda _: None\n"
        f"serve(port=0, records=3, path=__import__('pathlib').Path({str(tmp_path)!r}), on_start=begin)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", busy], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        while process.stdout.readline().strip() != "ready":
            assert process.poll() is None, process.stderr.read()
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)

    assert (process.returncode, errors) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["org.duckdb"]


def test_a_connection_is_kept_for_a_client_that_calls_every_five_seconds() -> None:
    with simulator() as org, closing(http.client.HTTPConnection(*org.url[7:].split(":"), timeout=10)) as kept:
        kept.request("GET", "/services/data")
        kept.getresponse().read()
        is_open = kept.sock
        time.sleep(5.5)
        kept.request("GET", "/services/data")

        assert kept.getresponse().status == 200
        assert kept.sock is is_open
