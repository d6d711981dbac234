"""The tour, and the local org as a process."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from lht.testing import Admin

if TYPE_CHECKING:
    from conftest import Shell


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_tour_can_be_repeated_and_its_commands_work_as_printed(
    bare: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = free_port()
    monkeypatch.setattr("lht.cli.demo.DEFAULT_PORT", port)
    told = bare("demo", "--records", "60", "-q")
    document = bare("demo", "--records", "60", "--json").json

    assert told.code == 0
    assert told.err == ""
    assert "new columns Segment__c" in told.out
    assert "deleted" in told.out
    assert len(document["next"]) == 6
    commands = [_runnable(command, port) for command in document["next"]]
    started = subprocess.run(commands[0], cwd=bare.folder, capture_output=True, text=True, check=True)
    pid = int(started.stderr.split()[-1])
    try:
        codes = [
            subprocess.run(c, cwd=bare.folder, capture_output=True, check=False).returncode
            for c in commands[1:]
        ]
    finally:
        os.kill(pid, signal.SIGTERM)
    assert codes == [0, 0, 0, 0, 0]


def _runnable(command: str, port: int) -> list[str]:
    """The printed words; this program's name differs under a test runner, and the port is not the usual one."""
    words = shlex.split(command)
    start = words.index("simulator") if "simulator" in words else words.index("-C")
    extra = ["--port", str(port)] if "simulator" in words else []
    return [sys.executable, "-m", "lht", *words[start:], *extra]


def test_the_tour_leaves_a_foreign_folder_alone(bare: Shell) -> None:
    (bare.folder / "mine").mkdir()
    (bare.folder / "mine" / "file").write_text("dear")

    outcome = bare("demo", "--dir", "mine")

    assert outcome.code == 3
    assert (bare.folder / "mine" / "file").read_text() == "dear"


def test_the_simulator_writes_a_configuration_that_logs_in(bare: Shell) -> None:
    argv = [sys.executable, "-m", "lht", "simulator", "start", "--port", "0", "--write-config", "."]
    with subprocess.Popen(argv, cwd=bare.folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        login = bare("login")
        promised = bare("create", "--sobject", "Account", "--table", "T", "--db_connect", "myconnection")
        process.terminate()

    assert [line.partition(":")[0].strip() for line in lines] == [
        "url", "client_id", "client_secret", "username", "password", "ready",
    ]  # fmt: skip
    assert login.code == promised.code == 0
    assert process.returncode == 0


def test_the_simulator_does_not_replace_a_users_configuration(bare: Shell) -> None:
    bare.write_config("# mine\n")

    outcome = bare.process("simulator", "start", "--port", "0", "--write_config", ".")

    assert outcome.code == 3
    assert (bare.folder / ".snowflake" / "connections.toml").read_text() == "# mine\n"


@pytest.mark.parametrize("place", ["file/below", "/proc/nowhere"])
def test_a_folder_that_cannot_be_written_is_told_before_any_credentials(bare: Shell, place: str) -> None:
    (bare.folder / "file").write_text("not a folder")

    outcome = bare.process("simulator", "start", "--port", "0", "--write_config", place)

    assert (outcome.code, outcome.out) == (3, "")
    assert place in outcome.err
    assert "--write_config" in " ".join(outcome.err.split())


def test_an_org_that_does_not_start_leaves_no_folder(bare: Shell) -> None:
    refused = ("--write_config", "new/deep", "--from-describe", "nowhere")

    outcome = bare.process("simulator", "start", "--port", "0", *refused)

    assert (outcome.code, outcome.out) == (3, "")
    assert "nowhere" in outcome.err
    assert not (bare.folder / "new").exists()


def test_an_address_of_another_machine_is_told_as_such(bare: Shell) -> None:
    outcome = bare("simulator", "start", "--port", "0", "--host", "192.0.2.1")

    assert outcome.code == 3
    assert "192.0.2.1" in outcome.err
    assert "--host 127.0.0.1" in outcome.err


def test_an_address_that_nobody_can_be_sent_to_is_told(bare: Shell) -> None:
    outcome = bare.process("simulator", "start", "--port", "0", "--redirect_uri", "localhost/back")

    assert outcome.code == 3
    assert "localhost/back" in outcome.err


def test_a_further_redirect_address_is_one_of_the_app(bare: Shell) -> None:
    further = "http://127.0.0.1:9000/back"
    argv = [sys.executable, "-m", "lht", "simulator", "start", "--port", "0", "--redirect_uri", further]
    with subprocess.Popen(argv, cwd=bare.folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().partition(": ")[2].strip()
        while process.stdout.readline().strip() not in {"ready", ""}:
            pass
        try:
            known = Admin(url).app()["redirect_uris"]
        finally:
            process.terminate()

    assert known == ["http://localhost:1717/OauthRedirect", "http://127.0.0.1:1717/OauthRedirect", further]


def test_a_busy_port_is_told(bare: Shell) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])

        direct = bare("simulator", "start", "--port", port)
        detached = bare.process("simulator", "start", "--port", port, "--detach")

    assert direct.code == detached.code == 3
    assert port in direct.err
    assert port in detached.err
    assert "--port 0" in direct.err
