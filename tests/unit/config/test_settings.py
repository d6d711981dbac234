from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.config.logins import LoginStore
from lht.config.settings import Settings, given_login, load_settings
from lht.config.snowflake import snowflake_login
from lht.config.template import write_template
from lht.errors import ConfigError, SessionExpiredError, UnknownConnectionError
from lht.sfdc.auth import Login

if TYPE_CHECKING:
    from pathlib import Path

SNOWFLAKES = {
    "myconnection": "SNOWFLAKE_JWT",
    "snowflake_token": "PROGRAMMATIC_ACCESS_TOKEN",
    "snowflake_browser": "EXTERNALBROWSER",
    "snowflake_password": "SNOWFLAKE",
}
"""The template's connections, with the way that each logs in."""
TOKEN = {
    "LHT_SALESFORCE_ACCESS_TOKEN": "00D000000000001!AQs3cret",
    "LHT_SALESFORCE_INSTANCE_URL": "acme.my.salesforce.com/",
}
APPS = """
[prod]
CLIENT_ID = "x"
api_version = "60.0"
[lake]
type = "duckdb"
path = "lake.duckdb"
schema = "raw"
"""


def settings(tmp_path: Path, *names: str, **variables: str) -> Settings:
    """Settings of a project with logins of the given names."""
    directory = tmp_path / ".snowflake"
    directory.mkdir(exist_ok=True)
    (directory / "connections.toml").write_text(APPS)
    for name in names:
        LoginStore(directory / "sfdc.json").save(
            Login(name, "https://x", "t", app="prod", flow="client-credentials")
        )
    return load_settings(tmp_path, variables)


def test_what_is_configured_is_listed(tmp_path: Path) -> None:
    found = settings(tmp_path)

    assert (found.salesforce_apps, found.warehouses) == (("prod",), ("lake",))
    assert found.directory == tmp_path / ".snowflake"
    assert found.warnings() == ()
    assert [summary.name for summary in found.summaries()] == ["prod", "lake"]
    assert found.project().syncs == ()


def test_the_only_login_needs_no_name(tmp_path: Path) -> None:
    assert settings(tmp_path, "me@example.com").login().username == "me@example.com"


def test_nobody_logged_in_says_log_in(tmp_path: Path) -> None:
    with pytest.raises(SessionExpiredError, match=r"you are not logged in\. Run 'lht login'"):
        settings(tmp_path).login()
    with pytest.raises(SessionExpiredError):
        settings(tmp_path).login("me@example.com")


def test_several_logins_want_a_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--username: a@example.com, b@example.com"):
        settings(tmp_path, "a@example.com", "b@example.com").login()


def test_flag_goes_over_environment(tmp_path: Path) -> None:
    found = settings(tmp_path, "a@example.com", "b@example.com", LHT_USERNAME="b@example.com")

    assert found.login().username == "b@example.com"
    assert found.login("a@example.com").username == "a@example.com"


def test_a_misspelt_user_gets_a_suggestion(tmp_path: Path) -> None:
    with pytest.raises(UnknownConnectionError, match=r"Did you mean 'me@example\.com'\? Or run 'lht login'"):
        settings(tmp_path, "me@example.com").login("me@exampel.com")


def test_the_environments_token_is_a_login_by_itself(tmp_path: Path) -> None:
    found = settings(tmp_path, "stored@example.com", **TOKEN)

    assert found.login() == Login("", "https://acme.my.salesforce.com", TOKEN["LHT_SALESFORCE_ACCESS_TOKEN"])
    assert found.login("stored@example.com").username == "stored@example.com"
    assert found.login("ci@example.com").username == "ci@example.com"
    assert "s3cret" not in f"{found!r} {found.login()!r}"


def test_a_given_token_goes_to_a_safe_place_only() -> None:
    assert given_login("t", "https://acme.my.salesforce.com").instance_url == "https://acme.my.salesforce.com"
    with pytest.raises(ConfigError):
        given_login("t", "http://acme.my.salesforce.com")


def test_the_api_version_is_the_environments_or_the_apps(tmp_path: Path) -> None:
    found = settings(tmp_path, "me@example.com")

    assert found.api_version(found.login()) == "60.0"
    assert found.api_version(Login("x", "https://x", "t")) is None
    assert settings(tmp_path, LHT_SALESFORCE_API_VERSION="58.0").api_version(found.login()) == "58.0"
    assert settings(tmp_path, LHT_SALESFORCE_API_VERSION="58.0").app().api_version == "58.0"


def test_a_schema_is_the_flags_the_environments_or_the_files(tmp_path: Path) -> None:
    assert settings(tmp_path).warehouse().schema == "raw"
    assert settings(tmp_path, LHT_SCHEMA="env").warehouse().schema == "env"
    assert settings(tmp_path, LHT_SCHEMA="env").warehouse("lake", schema="flag").schema == "flag"


def test_a_keyring_that_is_asked_for_is_used_lazily(tmp_path: Path) -> None:
    assert settings(tmp_path, LHT_KEYRING="1").logins.vault is not None


def test_the_template_is_valid_private_and_ignored_by_git(tmp_path: Path) -> None:
    path = write_template(tmp_path)

    assert path == tmp_path / ".snowflake" / "connections.toml"
    assert path.stat().st_mode & 0o777 == 0o600
    assert (path.parent / ".gitignore").read_text() == "*\n"
    assert load_settings(tmp_path, {}).salesforce_apps == ()
    with pytest.raises(ConfigError, match="exists already"):
        write_template(tmp_path)


def test_the_template_without_its_comment_signs_is_a_working_file(tmp_path: Path) -> None:
    path = write_template(tmp_path)
    lines = [
        line.removeprefix("# ") for line in path.read_text().splitlines() if "=" in line or "# [" in line
    ]
    path.write_text("\n".join(line for line in lines if line.startswith("[") or " = " in line))

    secrets = ("SALESFORCE_CLIENT_SECRET", "SALESFORCE_SANDBOX_CLIENT_SECRET", "SNOWFLAKE_KEY_PASSPHRASE")
    (tmp_path / "rsa_key.p8").write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    (tmp_path / "rsa_key.p8").chmod(0o600)
    found = load_settings(
        tmp_path, dict.fromkeys((*secrets, "SNOWFLAKE_TOKEN", "SNOWFLAKE_PASSWORD"), "hush")
    )

    assert found.salesforce_apps == (
        "salesforce_web",
        "salesforce_prod",
        "salesforce_sandbox",
        "salesforce_cli",
        "local_org",
    )
    assert found.warehouses == ("lake", *SNOWFLAKES)
    assert found.app("salesforce_prod").login_url == "https://mycompany.my.salesforce.com"
    assert found.warnings() == ()
    logins = {name: snowflake_login(found.warehouse(name)) for name in SNOWFLAKES}
    assert {name: login.options["authenticator"] for name, login in logins.items()} == SNOWFLAKES
    assert [login.notes for login in logins.values()] == [()] * len(logins)


def test_a_template_is_not_written_where_it_would_hide_snowflakes_connections(tmp_path: Path) -> None:
    config = tmp_path / ".snowflake" / "config.toml"
    config.parent.mkdir()
    config.write_text('[connections.snow]\naccount = "a"')

    with pytest.raises(ConfigError, match=r"config\.toml holds connections"):
        write_template(tmp_path)
    config.write_text('[cli.logs]\nlevel = "info"')
    assert write_template(tmp_path).exists()


def test_a_linked_file_of_logins_is_written_through(tmp_path: Path) -> None:
    real, link = tmp_path / "vault" / "logins.json", tmp_path / "sfdc.json"
    real.parent.mkdir()
    link.symlink_to(real)
    store = LoginStore(link)

    for name in ("a@example.com", "b@example.com"):
        store.save(Login(name, "https://x", "t", app="prod", flow="client-credentials"))
    store.forget("a@example.com")

    assert link.is_symlink()
    assert store.names() == LoginStore(real).names() == ("b@example.com",)
    assert real.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in real.parent.iterdir()] == ["logins.json"]
