"""`lht login --flow web` as people see it: a real browser on the local org's pages, and ours at the end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from selenium.webdriver import Chrome

    from lht.testing import LocalOrg

PATIENCE_S = 40
CONFIG = """\
[local]
CLIENT_ID = "{org.client_id}"
CLIENT_SECRET = "{org.client_secret}"
login_url = "{org.url}"
redirect_uri = "{redirect}"
flow = "web"
"""
HAND_OVER = """\
#!/bin/sh
printf '%s' "$1" > "{folder}/address.part" && mv "{folder}/address.part" "{folder}/address"
"""


@dataclass
class Terminal:
    """A person's shell, in which the browser is a script that tells the test where to go."""

    folder: Path
    org: LocalOrg

    @property
    def variables(self) -> dict[str, str]:
        own = {key: value for key, value in os.environ.items() if not key.startswith(("LHT_", "SNOWFLAKE_"))}
        return {**own, "BROWSER": str(self.folder / "hand-over"), "HOME": str(self.folder)}

    def prepare(self) -> None:
        with closing(socket.create_server(("127.0.0.1", 0))) as found:
            redirect = f"http://localhost:{found.getsockname()[1]}/OauthRedirect"
        self.org.admin.change_app(redirect_uris=[redirect])
        config = self.folder / ".snowflake" / "connections.toml"
        config.parent.mkdir()
        config.touch(mode=0o600)
        config.write_text(CONFIG.format(org=self.org, redirect=redirect))
        script = self.folder / "hand-over"
        script.write_text(HAND_OVER.format(folder=self.folder))
        script.chmod(0o755)

    @contextmanager
    def login(self, *options: str) -> Iterator[subprocess.Popen[str]]:
        (self.folder / "address").unlink(missing_ok=True)
        command = [sys.executable, "-m", "lht", "login", *options]
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def address(self, process: subprocess.Popen[str]) -> str:
        """Where the script was told to go."""
        deadline = time.monotonic() + PATIENCE_S
        while not (self.folder / "address").exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return (self.folder / "address").read_text()

    def run(self, *argv: str) -> Any:
        command = [sys.executable, "-m", "lht", *argv, "--json"]
        return json.loads(
            subprocess.run(
                command, cwd=self.folder, env=self.variables, capture_output=True, check=True
            ).stdout
        )


@pytest.fixture
def terminal(lht_simulator: LocalOrg, tmp_path: Path) -> Terminal:
    found = Terminal(tmp_path, lht_simulator)
    found.prepare()
    return found


def type_in(chromium: Chrome, username: str, password: str) -> None:
    for field, text in (("username", username), ("password", password)):
        element = chromium.find_element(By.ID, field)
        element.clear()
        element.send_keys(text)
    chromium.find_element(By.ID, "Login").click()


def wait_for(chromium: Chrome, selector: str) -> Any:
    return WebDriverWait(chromium, PATIENCE_S).until(
        lambda page: page.find_element(By.CSS_SELECTOR, selector)
    )


def wait_for_title(chromium: Chrome, title: str) -> str:
    WebDriverWait(chromium, PATIENCE_S).until(lambda page: page.title == title)
    return chromium.find_element(By.TAG_NAME, "body").text


def test_a_person_mistypes_then_logs_in_and_allows(terminal: Terminal, chromium: Chrome) -> None:
    org = terminal.org
    with terminal.login("--json") as process:
        chromium.get(terminal.address(process))
        type_in(chromium, org.username, "wrong")
        alert = wait_for(chromium, "[role=alert]").text
        type_in(chromium, org.username, org.password)
        wait_for(chromium, "#oaapprove").click()
        shown = wait_for_title(chromium, "LHT: Logged in")
        out, err = process.communicate(timeout=PATIENCE_S)

    assert "check your username and password" in alert
    assert f"LHT is logged in as {org.username} at {org.url}. This window can be closed." in shown
    assert process.returncode == 0, err
    told = json.loads(out)
    assert (told["username"], told["flow"]) == (org.username, "web")
    assert f"{org.url}/services/oauth2/authorize?" in err
    (login,) = [c for c in terminal.run("connections", "--test")["connections"] if c["kind"] == "login"]
    assert (login["name"], login["flow"], login["ok"]) == (org.username, "web", True)

    with terminal.login() as process:
        chromium.get(terminal.address(process))
        wait_for_title(chromium, "LHT: Logged in")
        out, err = process.communicate(timeout=PATIENCE_S)

    assert out == f"Logged in as {org.username} at {org.url} (app local).\n"


def test_a_person_denies(terminal: Terminal, chromium: Chrome) -> None:
    with terminal.login() as process:
        chromium.get(terminal.address(process))
        type_in(chromium, terminal.org.username, terminal.org.password)
        wait_for(chromium, "#oadeny").click()
        shown = wait_for_title(chromium, "LHT: The login failed")
        out, err = process.communicate(timeout=PATIENCE_S)

    assert "The access was denied in the browser (end-user denied authorization)." in shown
    assert (process.returncode, out) == (4, "")
    assert "Error: The access was denied in the browser" in err
    assert not (terminal.folder / ".snowflake" / "sfdc.json").exists()


def test_a_person_opens_the_page_of_an_earlier_try_first(terminal: Terminal, chromium: Chrome) -> None:
    with terminal.login() as process:
        earlier = terminal.address(process)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_S)
    interrupted = process.returncode

    with terminal.login() as process:
        address = terminal.address(process)
        chromium.get(earlier)
        type_in(chromium, terminal.org.username, terminal.org.password)
        wait_for(chromium, "#oaapprove").click()
        wait_for_title(chromium, "LHT: This answer belongs to another login")
        chromium.get(address)
        wait_for_title(chromium, "LHT: Logged in")
        process.communicate(timeout=PATIENCE_S)

    assert (interrupted, process.returncode) == (130, 0)


def test_a_callback_that_the_app_does_not_know_is_shown_by_the_org(
    terminal: Terminal, chromium: Chrome
) -> None:
    terminal.org.admin.change_app(redirect_uris=["http://localhost:1/other"])
    with terminal.login() as process:
        chromium.get(terminal.address(process))
        shown = chromium.find_element(By.TAG_NAME, "body").text

    assert "redirect_uri_mismatch" in shown
