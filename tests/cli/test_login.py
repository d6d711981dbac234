"""`lht login` and `lht logout` as people and scripts meet them: what is said, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from lht.testing.browser import Browser, read_page

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Shell
    from lht.testing import LocalOrg

PATIENCE_S = 30.0
WEB = """\
[{name}]
CLIENT_ID = "{org.client_id}"
CLIENT_SECRET = "{org.client_secret}"
login_url = "{org.url}"
flow = "web"
"""
SF = """\
#!{python}
import json
print(json.dumps({{"status": 0, "result": {{
    "username": "{org.username}", "instanceUrl": "{org.url}", "accessToken": {token!r}, "id": "00D000000000001"}}}}))
"""


@pytest.fixture
def web(bare: Shell, local_org: LocalOrg, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """An app for the web flow, on a machine whose only browser is one for terminals."""
    monkeypatch.setenv("BROWSER", "lynx")
    monkeypatch.delenv("DISPLAY", raising=False)
    bare.write_config(WEB.format(name="local", org=local_org))
    local_org.admin.end_grants()  # else nobody would be asked again
    return bare


def answer(org: LocalOrg, address: str, decision: str = "allow") -> str:
    """Where the browser ends up."""
    parts = urlsplit(address)
    browser, path = Browser(org), f"{parts.path}?{parts.query}"
    reply = browser.log_in(path)
    if "proof" in read_page(reply).inputs:
        reply = browser.decide(path, reply, decision)
    return reply.headers["location"]


class Terminal:
    """A command on a terminal of its own; what it writes there is read as it comes."""

    def __init__(self, shell: Shell, *argv: str, stdin_too: bool = True) -> None:
        self.ours, theirs = os.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "lht", *argv],
            cwd=shell.folder,
            stdin=theirs if stdin_too else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=theirs,
            text=True,
            start_new_session=True,
        )
        os.close(theirs)
        self.seen = ""
        self._watchdog = threading.Timer(PATIENCE_S, self.process.kill)
        self._watchdog.start()

    def read_until(self, words: str) -> str:
        while words not in self.seen:
            part = os.read(self.ours, 65536).decode()
            assert part
            self.seen += part
        return self.seen

    def type(self, text: str) -> None:
        os.write(self.ours, f"{text}\n".encode())

    def address(self) -> str:
        self.read_until("Paste that whole address")
        return next(word for word in self.seen.split() if "/services/oauth2/authorize?" in word)

    def end(self) -> tuple[int, str]:
        """The exit code and what went to stdout; the rest of the terminal is read too."""
        out, _ = self.process.communicate()
        self._watchdog.cancel()
        with closing(os.fdopen(self.ours, "rb", buffering=0)) as rest:
            while part := self._rest(rest):
                self.seen += part.decode()
        return self.process.returncode, out

    @staticmethod
    def _rest(stream: Any) -> bytes:
        try:
            return bytes(stream.read(65536))
        except OSError:  # how Linux says that the other side is closed
            return b""


def test_without_a_browser_a_person_pastes_the_answer(web: Shell, local_org: LocalOrg) -> None:
    terminal = Terminal(web, "login", "--json")
    terminal.type(answer(local_org, terminal.address()))
    code, out = terminal.end()

    assert code == 0, terminal.seen
    assert {**json.loads(out), "org_id": ""} == {
        "username": local_org.username,
        "instance_url": local_org.url,
        "org_id": "",
        "app": "local",
        "flow": "web",
    }


@pytest.mark.parametrize("option", ["--no-browser", "--no_browser"])
def test_a_denial_is_exit_4(web: Shell, local_org: LocalOrg, option: str) -> None:
    terminal = Terminal(web, "login", option)
    terminal.type(answer(local_org, terminal.address(), "deny"))
    code, out = terminal.end()

    assert (code, out) == (4, "")
    assert "Error: The access was denied in the browser" in terminal.seen


@pytest.mark.parametrize("typed", [b"&\n", b"http://[x\n", b"\xff\xfe\n", b"\x1b[31m\n"])
@pytest.mark.parametrize("errors", ["strict", "surrogateescape"])
def test_junk_that_is_pasted_is_exit_4(web: Shell, typed: bytes, errors: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lht", "login", "--no-browser"],
        cwd=web.folder,
        env={**os.environ, "PYTHONIOENCODING": f"utf-8:{errors}"},
        input=typed,
        capture_output=True,
        check=False,
    )

    assert done.returncode == 4, done.stderr
    assert b"Run 'lht login' again" in done.stderr


def test_the_input_ending_is_exit_4(web: Shell) -> None:
    outcome = web.process("login", "--no-browser", "--json")

    assert outcome.code == 4
    assert outcome.json["error"]["message"] == "The input ended before the answer came."


def test_ctrl_c_while_waiting_is_exit_130(web: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", "true")
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        redirect = f"http://127.0.0.1:{found.getsockname()[1]}/x"
    config = web.folder / ".snowflake" / "connections.toml"
    web.write_config(config.read_text() + f'redirect_uri = "{redirect}"\n')

    terminal = Terminal(web, "login")
    terminal.read_until("Waiting for the answer")
    terminal.process.send_signal(signal.SIGINT)
    code, out = terminal.end()

    assert (code, out) == (130, "")
    assert "interrupted" in terminal.seen


def test_with_neither_browser_nor_terminal_the_other_flows_are_named(web: Shell) -> None:
    outcome = web.process("login")

    assert outcome.code == 4
    assert "no browser here" in outcome.err
    assert "--flow jwt" in outcome.err


def test_a_busy_port_names_the_key(web: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROWSER", "true")
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        redirect = f"http://localhost:{found.getsockname()[1]}/OauthRedirect"
        web.write_config(
            (web.folder / ".snowflake" / "connections.toml").read_text() + f'redirect_uri = "{redirect}"\n'
        )
        outcome = web("login")

    assert outcome.code == 3
    assert "used by another program" in outcome.err
    assert "redirect_uri" in outcome.err


def test_on_a_terminal_it_asks_which_app(web: Shell, local_org: LocalOrg) -> None:
    web.write_config(WEB.format(name="one", org=local_org) + WEB.format(name="two", org=local_org))

    terminal = Terminal(web, "login")
    terminal.read_until("Which app (one, two) [one]:")
    terminal.type("three")
    terminal.read_until("No app has that name. Which one (one, two) [one]: ")
    terminal.type("TWO")
    terminal.type(answer(local_org, terminal.address()))

    assert terminal.end() == (0, f"Logged in as {local_org.username} at {local_org.url} (app two).\n")


@pytest.mark.parametrize(("key", "code"), [("\x03", 130), ("\x04", 4)])
def test_whoever_leaves_at_the_question_reads_it_on_a_line_of_its_own(
    web: Shell, local_org: LocalOrg, key: str, code: int
) -> None:
    web.write_config(WEB.format(name="one", org=local_org) + WEB.format(name="two", org=local_org))

    terminal = Terminal(web, "login")
    terminal.read_until("[one]: ")
    if key == "\x03":
        terminal.process.send_signal(signal.SIGINT)
    else:
        os.write(terminal.ours, key.encode())

    assert terminal.end()[0] == code
    assert terminal.seen.split("[one]: ")[1].startswith("\r\n")


@pytest.mark.parametrize(
    ("argv", "code", "words"),
    [
        (("--flow", "magic"), 2, "web, jwt, client-credentials, sf-cli"),
        (("--app", "locla"), 3, "Did you mean 'local'"),
        (("--flow", "jwt"), 3, "private_key_path"),
        (("--flow", "sf-cli"), 4, "not on the PATH"),
        (("--login_url", "http://acme.example.com", "--no_browser"), 3, "unencrypted"),
    ],
)
def test_what_cannot_work_is_said(
    web: Shell, argv: tuple[str, ...], code: int, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(web.folder))

    outcome = web("login", *argv)

    assert (outcome.code, outcome.out) == (code, "")
    assert words in " ".join(outcome.err.split())


def test_a_login_of_the_salesforce_cli_is_used(
    bare: Shell, local_org: LocalOrg, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lht.testing.caller import Caller

    program = tmp_path / "sf"
    token = Caller(local_org).token().json()["access_token"]
    program.write_text(SF.format(python=sys.executable, org=local_org, token=token))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    logged_in = bare("login", "--flow", "sf-cli")
    listed = bare("connections", "--test", "--json").json["connections"]
    logged_out = bare("logout")

    assert logged_in.out == f"Logged in as {local_org.username} at {local_org.url} (the Salesforce CLI).\n"
    assert [(entry["flow"], entry["ok"]) for entry in listed] == [("sf-cli", True)]
    assert "the Salesforce CLI stays logged in" in logged_out.out


def test_connections_tell_flow_and_state(shell: Shell, local_org: LocalOrg) -> None:
    good = shell("connections", "--test", "--json").json["connections"]
    local_org.admin.expire_sessions()
    renewed = shell("connections", "--test", "--json").json["connections"]

    def told(entries: list[dict[str, Any]]) -> tuple[str, str]:
        (login,) = (entry for entry in entries if entry["kind"] == "login")
        return login["flow"], login["finding"].partition(";")[0]

    assert (told(good), told(renewed)) == (("client-credentials", "good"), ("client-credentials", "renewed"))
    assert "FLOW" in shell("connections").out


def test_logout_says_that_the_org_ended_the_session(shell: Shell) -> None:
    outcome = shell("logout", "--json")

    assert outcome.code == 0
    assert (outcome.json["revoked"], outcome.json["reason"]) == (True, "")


def test_logout_says_where_the_org_could_not_be_reached(shell: Shell) -> None:
    kept = shell.folder / ".snowflake" / "sfdc.json"
    with closing(socket.create_server(("127.0.0.1", 0))) as found:
        nowhere = f"http://127.0.0.1:{found.getsockname()[1]}"
    body = json.loads(kept.read_text())
    for login in body["logins"].values():
        login["login_url"] = nowhere
    kept.write_text(json.dumps(body))

    outcome = shell("logout")

    assert outcome.code == 0
    assert "which Salesforce did not end: 127.0.0.1 refused the connection" in outcome.out
    assert shell("objects").code == 4


def test_a_login_that_was_revoked_says_what_to_type(web: Shell, local_org: LocalOrg) -> None:
    terminal = Terminal(web, "login")
    terminal.type(answer(local_org, terminal.address()))
    assert terminal.end()[0] == 0
    local_org.admin.end_grants()

    outcome = web("sync", "--sobject", "Account")

    assert outcome.code == 4
    assert "you are not logged in" in outcome.err
    assert "Run 'lht login'" in outcome.err
