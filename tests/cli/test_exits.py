"""Errors: exit codes, words, suggestions, one JSON document."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from lht import errors
from lht.app import setup
from lht.cli.exits import Exit, exit_of, exit_of_code
from lht.testing import simulator

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Shell


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.ConfigError, 3),
        (errors.UnknownObjectError, 3),
        (errors.SecretUnavailableError, 3),
        (errors.StateVersionError, 3),
        (errors.LoginRejectedError, 4),
        (errors.SessionExpiredError, 4),
        (errors.RowsFailedError, 5),
        (errors.UnreachableError, 6),
        (errors.LimitExceededError, 6),
        (errors.JobFailedError, 6),
        (errors.PrivilegeError, 7),
        (errors.CapabilityMissingError, 7),
        (errors.ValueOutOfRangeError, 8),
        (errors.SchemaDriftError, 8),
        (errors.VisibilityLostError, 8),
        (errors.PlanRefusedError, 8),
        (errors.RunLockedError, 9),
    ],
)
def test_each_class_has_its_exit_code(kind: type[errors.LhtError], code: int) -> None:
    assert exit_of(kind) == code
    assert exit_of_code(kind.code) == code


def test_an_unknown_code_is_our_bug() -> None:
    assert exit_of_code("NEVER-HEARD-OF") is Exit.BUG


@pytest.mark.parametrize(
    ("argv", "code", "word"),
    [
        (("snyc",), 2, "Did you mean 'sync'?"),
        (("sync", "--fulll"), 2, "--full"),
        (("sync", "--sobject", "A", "--all"), 2, "--all"),
        (("sync", "--sobject", "A", "--sobject", "B", "--table", "T"), 2, "--table"),
        (("sync", "--sobject", "A", "--full", "--lastmodifieddate", "2024-01-01"), 2, "--lastmodifieddate"),
        (("sync", "--sobject", "A", "--lastmodifieddate", "yesterday"), 2, "2024-01-01 00:00:00"),
        (("query",), 2, "--sobject"),
        (("query", "--bapi20", "--soql", "SELECT Id FROM Account"), 2, "--sobject"),
        (("query", "--soql", "SELECT Id FROM Account", "--where", "Id != null"), 2, "--where"),
        (("query", "--sobject", "A", "--output", "a.csv"), 2, "--output"),
        (("create", "--sobject", "Account"), 2, "--table"),
        (("objects",), 4, "lht login"),
        (("login",), 3, "lht init"),
        (("runs", "--db_connect", "nowhere"), 3, "nowhere"),
        (("runs", "--db_connect", "mysql://x/y"), 3, "duckdb:///"),
        (("-C", "no_such_folder", "runs"), 2, "no_such_folder"),
    ],
)
def test_mistakes_are_told_without_a_trace(bare: Shell, argv: tuple[str, ...], code: int, word: str) -> None:
    told = bare(*argv)
    as_json = bare(*argv, "--json")

    assert told.code == as_json.code == code
    assert word in told.err
    assert told.out == ""
    assert "Traceback" not in told.err
    assert set(as_json.json["error"]) == {"code", "message", "hint", "exit"}
    assert as_json.json["error"]["exit"] == code
    assert as_json.err == ""


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        (("describe", "Acount"), "Account"),
        (("create", "--sobject", "Oportunity", "--table", "T"), "Opportunity"),
        (("query", "--sobject", "Account", "--fields", "Nmae"), "Name"),
        (("runs", "--db_connect", "myconection"), "myconnection"),
        (("objects", "--username", "mee@example.com"), "me@example.com"),
    ],
)
def test_near_misses_are_suggested(shell: Shell, argv: tuple[str, ...], word: str) -> None:
    outcome = shell(*argv)

    assert outcome.code == 3
    assert f"Did you mean {word}" in outcome.err.replace("'", "")


def test_several_apps_must_be_chosen(bare: Shell) -> None:
    bare.write_config('[a]\nCLIENT_ID = "x"\n[b]\nCLIENT_ID = "y"\n')

    outcome = bare("login")

    assert outcome.code == 2
    assert "a, b" in outcome.err


def test_a_failed_object_gives_the_exit_code_and_the_others_run_on(shell: Shell) -> None:
    outcome = shell("sync", "--sobject", "Acount", "--sobject", "Account", "--json")

    assert outcome.code == 3
    wrong, right = outcome.json["objects"]
    assert wrong["error"]["exit"] == 3
    assert right["error"] is None
    assert right["rows_in_table"] > 0


def test_no_message_can_command_the_terminal(bare: Shell) -> None:
    outcome = bare("login", "--app", "\x1b]0;x\x07\u202eevil\x9b")

    assert outcome.code == 3
    assert not {"\x1b", "\x07", "\u202e", "\x9b"} & set(outcome.err)
    assert "\ufffd]0;x" in outcome.err


def test_a_bug_is_named_and_its_trace_kept(
    bare: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def broken() -> None:
        raise RuntimeError("the cat sat on it")

    monkeypatch.setattr(setup, "init", broken)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    outcome = bare("init")
    loud = bare("init", "-v")

    assert outcome.code == loud.code == 1
    assert "this is a bug in LHT: RuntimeError: the cat sat on it" in outcome.err
    assert "Traceback" not in outcome.err
    (trace,) = tmp_path.glob("lht-bug-*.txt")
    assert str(trace) in outcome.err
    assert "in broken" in trace.read_text()
    assert "Traceback" in loud.err


def test_ctrl_c_says_that_the_command_may_be_repeated(shell: Shell) -> None:
    assert shell.org is not None
    shell.org.admin.change_settings(job_delay_s=60)
    try:
        job_id = shell("query", "--bapi20", "--sobject", "Account", "--json").json["job_id"]
        argv = [sys.executable, "-m", "lht", "bulk_status", "--job_id", job_id, "--wait", "-v"]
        with subprocess.Popen(argv, cwd=shell.folder, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            told = next(line for line in process.stderr if f"job {job_id}" in line)
            os.kill(process.pid, signal.SIGINT)
            rest = process.stderr.read()
    finally:
        shell.org.admin.change_settings(job_delay_s=0)

    assert told.startswith("debug: Account: job")
    assert process.returncode == 130
    assert rest.splitlines()[-1] == "interrupted; run the same command again"
    assert "Traceback" not in rest


@pytest.mark.parametrize("signals", [["SIGTERM"], ["SIGINT", "SIGINT"], ["SIGTERM", "SIGTERM"]])
def test_what_a_scheduler_sends_ends_a_run_as_ctrl_c_does(
    bare: Shell, tmp_path: Path, signals: list[str]
) -> None:
    with simulator(records=2500) as org:
        org.admin.change_settings(job_delay_s=60)
        bare.log_in(org)
        argv = [sys.executable, "-m", "lht", "sync", "--sobject", "Account", "-v", "--json"]
        told = tmp_path / "stderr"
        with (
            told.open("w") as errors_to,
            subprocess.Popen(
                argv, cwd=bare.folder, stdout=subprocess.PIPE, stderr=errors_to, text=True
            ) as process,
        ):
            _wait_until(lambda: "InProgress" in told.read_text() or "UploadComplete" in told.read_text())
            for name in signals:
                process.send_signal(getattr(signal, name))
            out, _ = process.communicate(timeout=30)

    assert process.returncode == 130
    assert json.loads(out)["error"]["code"] == "INTERRUPTED"
    assert "Traceback" not in told.read_text()
    assert "terminate" not in told.read_text()


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_signals_that_the_parent_ignores_stay_ignored(shell: Shell) -> None:
    code = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from lht.cli.interrupts import Interrupts\n"
        "Interrupts(lambda: None).catch()\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
    )

    assert subprocess.run([sys.executable, "-c", code], cwd=shell.folder, check=False).returncode == 0


@pytest.mark.parametrize(
    ("argv", "option"),
    [
        (("sync", "--sobject", "Account", "--table", ""), "--table"),
        (("sync", "--sobject", "Account", "--where", " "), "--where"),
        (("sync", "--sobject", "Account", "--fields", ","), "--fields"),
        (("sync", "--sobject", ""), "--sobject"),
        (("sync", "--sobject", "Account", "--db_connect", ""), "--db_connect"),
        (("bulk_status", "--job_id", ""), "--job_id"),
        (("describe", ""), "OBJECT"),
    ],
)
def test_an_option_with_nothing_in_it_is_refused(shell: Shell, argv: tuple[str, ...], option: str) -> None:
    outcome = shell(*argv)

    assert outcome.code == 2
    assert f"Invalid value for {option}: it is empty" in outcome.err


def test_a_common_option_before_the_command_is_sent_to_its_place(bare: Shell) -> None:
    assert bare("--json", "sync").json["error"]["hint"] == "Put it behind the command: lht COMMAND --json"


def test_a_folder_that_cannot_be_made_is_no_bug(bare: Shell) -> None:
    (bare.folder / "file").touch()

    outcome = bare("demo", "--dir", "file/demo")

    assert outcome.code == 3
    assert "file/demo: Not a directory." in outcome.err


@pytest.mark.parametrize(("redirection", "code"), [(">&-", 0), ("2>&-", 0), (">/dev/full", 3)])
def test_streams_that_cannot_be_written_are_no_bug(shell: Shell, redirection: str, code: int) -> None:
    line = f"{sys.executable} -m lht objects {redirection}"
    done = subprocess.run(line, shell=True, cwd=shell.folder, capture_output=True, text=True, check=False)

    assert done.returncode == code
    assert "bug" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_reader_that_leaves_is_no_error(shell: Shell) -> None:
    line = f"{sys.executable} -m lht describe Account | true"
    done = subprocess.run(line, shell=True, cwd=shell.folder, capture_output=True, text=True, check=False)

    assert done.stderr == ""


def test_json_lines_on_request(shell: Shell) -> None:
    outcome = shell("sync", "--sobject", "Account", "--log_format", "json", "--json")

    assert outcome.json["objects"][0]["object"] == "Account"
    assert all(json.loads(line)["object"] == "Account" for line in outcome.err.splitlines())
