"""The Salesforce CLI's logins, taken from a small program that stands in for it on the PATH."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lht.config import orgs
from lht.config.settings import Settings, load_settings
from lht.errors import AuthError, LoginRejectedError, SessionExpiredError
from lht.sfdc import rest
from lht.sfdc.auth import App
from lht.sfdc.auth.sf_cli import SalesforceCli
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from pathlib import Path

    from lht.testing import LocalOrg

STAND_IN = """\
#!{python}
import json, os, sys, time
from pathlib import Path
folder = Path(__file__).parent
words = sys.argv[1:]
with (folder / "asked").open("a") as file:
    file.write(" ".join(words) + chr(10))
assert os.environ["NO_COLOR"] == "1" and not sys.stdin.read()
script = json.loads((folder / "script.json").read_text())
time.sleep(script.get("sleep", 0))
name = "show-access-token" if "show-access-token" in words else "display"
answer = script[name]
print("Warning: @salesforce/cli update available", file=sys.stderr)
sys.stdout.write(answer if isinstance(answer, str) else json.dumps(answer))
sys.exit(answer.get("status", 0) if isinstance(answer, dict) else 1)
"""
MASKED = "[REDACTED] Use 'sf org auth show-access-token' to view"


@dataclass
class Stand:
    """The folder of the program, and what it answers."""

    folder: Path
    org: LocalOrg

    @property
    def variables(self) -> dict[str, str]:
        return {"PATH": f"{self.folder}{os.pathsep}{os.defpath}"}

    @property
    def asked(self) -> list[str]:
        return (self.folder / "asked").read_text().splitlines()

    def answers(self, display: object, token: object = None, **others: Any) -> None:
        script = {"display": display, "show-access-token": token, **others}
        (self.folder / "script.json").write_text(json.dumps(script))

    def shown(self, token: str, **facts: str) -> dict[str, Any]:
        known = {
            "id": "00D000000000001EAA",
            "username": self.org.username,
            "instanceUrl": self.org.url,
            "accessToken": token,
            "connectedStatus": "Connected",
        }
        return {"status": 0, "result": {**known, **facts}, "warnings": []}

    def token(self) -> str:
        """A token that the org really gave."""
        return str(Caller(self.org).token().json()["access_token"])

    def settings(self, text: str = "", **variables: str) -> Settings:
        directory = self.folder / "project" / ".snowflake"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "connections.toml").write_text(text)
        return load_settings(directory.parent, {**self.variables, **variables})


@pytest.fixture
def sf(lht_simulator: LocalOrg, tmp_path: Path) -> Stand:
    program = tmp_path / "sf"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    return Stand(tmp_path, lht_simulator)


def test_the_default_orgs_token_is_taken(sf: Stand) -> None:
    sf.answers(sf.shown(sf.token()))
    settings = sf.settings()

    login = orgs.log_in(settings, flow="sf-cli")

    assert (login.username, login.flow, login.app) == (sf.org.username, "sf-cli", None)
    assert settings.login() == login
    assert sf.asked == ["org display --json"]
    with orgs.open_org(settings) as org:
        assert rest.limits(org)["DailyApiRequests"]


def test_a_masked_token_is_asked_for_with_the_command_that_shows_it(sf: Stand) -> None:
    token = sf.token()
    sf.answers(sf.shown(MASKED), {"status": 0, "result": {"accessToken": token}, "warnings": ["secret!"]})

    login = orgs.log_in(sf.settings(), flow="sf-cli")

    assert login.access_token == token
    assert sf.asked == [
        "org display --json",
        f"org auth show-access-token -o {sf.org.username} --json",
    ]


@pytest.mark.parametrize("by_variable", [True, False])
def test_the_org_may_be_named(sf: Stand, by_variable: bool) -> None:  # noqa: FBT001
    sf.answers(sf.shown(sf.token()))
    table = '[dev]\ntype = "salesforce"\nflow = "sf-cli"\nusername = "scratch"\n'
    settings = sf.settings(LHT_USERNAME="scratch") if by_variable else sf.settings(table)

    login = orgs.log_in(settings, flow="sf-cli")

    assert login.app == (None if by_variable else "dev")
    assert sf.asked == ["org display -o scratch --json"]


def test_other_apps_are_not_asked_about(sf: Stand) -> None:
    sf.answers(sf.shown(sf.token()))
    settings = sf.settings('[prod]\nCLIENT_ID = "x"\nmy_domain = "acme"\n[b]\nCLIENT_ID = "y"\n')

    assert orgs.log_in(settings, flow="SF_CLI").app is None


def test_an_expired_token_is_renewed_by_asking_again(sf: Stand) -> None:
    sf.answers(sf.shown(sf.token()))
    settings = sf.settings()
    orgs.log_in(settings, flow="sf-cli")
    sf.org.admin.expire_sessions()
    sf.answers(sf.shown(sf.token()))

    with orgs.open_org(settings) as org:
        assert rest.limits(org)["DailyApiRequests"]

    assert sf.asked[1:] == [f"org display -o {sf.org.username} --json"]


def test_a_login_that_the_cli_lost_ends_the_session(sf: Stand) -> None:
    token = sf.token()
    sf.answers(sf.shown(token))
    settings = sf.settings()
    orgs.log_in(settings, flow="sf-cli")
    sf.org.admin.expire_sessions()

    with (
        orgs.open_org(settings) as org,
        pytest.raises(SessionExpiredError, match=r"Salesforce CLI's login of \S+ has expired"),
    ):
        rest.limits(org)


def test_a_dead_token_is_noticed_at_the_login(sf: Stand) -> None:
    sf.answers(sf.shown("00D000000000001!AQdead", connectedStatus="RefreshTokenAuthError"))

    with pytest.raises(LoginRejectedError, match="expired or was revoked") as caught:
        orgs.log_in(sf.settings(), flow="sf-cli")

    assert "AQdead" not in str(caught.value)


def test_another_orgs_token_is_not_taken_for_an_app_that_names_its_host(sf: Stand) -> None:
    sf.answers(sf.shown(sf.token()))
    settings = sf.settings('[prod]\nCLIENT_ID = "x"\nmy_domain = "acme"\nflow = "sf-cli"\n')

    with pytest.raises(LoginRejectedError, match=r"is for 127\.0\.0\.1, not for acme\.my\.salesforce\.com"):
        orgs.log_in(settings)


def test_the_clis_login_stays_the_clis(sf: Stand) -> None:
    token = sf.token()
    sf.answers(sf.shown(token))
    settings = sf.settings()
    orgs.log_in(settings, flow="sf-cli")

    ended = orgs.log_out(settings)

    assert "stays logged in" in ended.kept
    assert settings.logins.names() == ()
    assert Caller(sf.org, headers={"Authorization": f"Bearer {token}"}).get("/limits").status == 200


@pytest.mark.parametrize(
    ("answer", "words", "hint"),
    [
        (
            {
                "status": 1,
                "name": "NamedOrgNotFoundError",
                "message": "No authorization information found for x.",
            },
            "NamedOrgNotFoundError: No authorization information",
            "sf org login web",
        ),
        (
            {"status": 1, "name": "NoDefaultEnvError", "message": "No default environment found."},
            "NoDefaultEnvError",
            "LHT_USERNAME",
        ),
        ({"status": 2}, "ended with 2", "sf org list"),
        ("Oops: no JSON", "printed no JSON", "terminal"),
        (
            {"status": 0, "result": {"accessToken": "00D000000000001!AQx"}},
            "no user and no address",
            "sf org login web",
        ),
        ({"status": 0, "result": []}, "failed", "sf org list"),
    ],
)
def test_what_the_cli_says_is_told(sf: Stand, answer: object, words: str, hint: str) -> None:
    sf.answers(answer)

    with pytest.raises(AuthError, match=words) as caught:
        SalesforceCli(sf.variables).login(App("", ""))

    assert hint in caught.value.hint


def test_a_token_that_cannot_be_had_is_told_without_what_was_printed(sf: Stand) -> None:
    sf.answers(sf.shown(MASKED), {"status": 0, "result": {"accessToken": "s3cret?"}})

    with pytest.raises(AuthError, match="gives no access token") as caught:
        SalesforceCli(sf.variables).login(App("", ""))

    assert "s3cret" not in str(caught.value)
    assert "sf update" in caught.value.hint


def test_without_the_program_the_other_flows_are_named(tmp_path: Path) -> None:
    with pytest.raises(AuthError, match="not on the PATH") as caught:
        SalesforceCli({"PATH": str(tmp_path)}).login(App("", ""))

    assert "--flow web" in caught.value.hint


def test_a_program_that_cannot_run_is_told(sf: Stand) -> None:
    (sf.folder / "sf").write_bytes(b"\x7fELFnothing")

    with pytest.raises(AuthError, match="cannot be run"):
        SalesforceCli(sf.variables).login(App("", ""))


def test_a_program_that_hangs_is_given_up(sf: Stand) -> None:
    sf.answers(sf.shown("x"), sleep=30)

    with pytest.raises(AuthError, match="did not end within"):
        SalesforceCli(sf.variables, patience_s=0.5).login(App("", ""))


def test_a_name_that_is_an_option_is_refused(sf: Stand) -> None:
    with pytest.raises(AuthError, match="no user name"):
        SalesforceCli(sf.variables).login(App("", ""), "--help")
