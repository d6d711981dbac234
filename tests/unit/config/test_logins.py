from __future__ import annotations

import json
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from lht.config.logins import KeyringVault, LoginStore
from lht.errors import ConfigError, SecretUnavailableError
from lht.sfdc.auth import Login

if TYPE_CHECKING:
    from pathlib import Path

LOGIN = Login(
    username="me@example.com",
    instance_url="https://acme.my.salesforce.com",
    access_token="access-s3cret",
    refresh_token="refresh-s3cret",
    org_id="00D000000000001EAA",
    user_id="005000000000001AAA",
    app="prod",
    flow="client-credentials",
    issued_at=datetime(2026, 5, 1, 12, tzinfo=UTC),
    login_url="https://acme.my.salesforce.com",
)


class MemoryVault:
    """A vault that lives as long as a test."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}

    def get(self, username: str) -> str | None:
        return self.secrets.get(username)

    def set(self, username: str, secret: str) -> None:
        self.secrets[username] = secret

    def delete(self, username: str) -> None:
        self.secrets.pop(username, None)


@pytest.fixture
def store(tmp_path: Path) -> LoginStore:
    return LoginStore(tmp_path / ".snowflake" / "sfdc.json")


def test_a_login_is_kept_whole_and_private(store: LoginStore) -> None:
    store.save(LOGIN)

    assert store.get("ME@example.com") == LOGIN
    assert store.all() == {"me@example.com": LOGIN}
    assert store.path.stat().st_mode & 0o777 == 0o600
    assert store.warnings() == ()


def test_a_login_with_little_known_is_kept_too(store: LoginStore) -> None:
    login = Login("me", "https://x", "t")

    store.save(login)

    assert store.get("me") == login


def test_the_same_user_in_other_letter_case_replaces(store: LoginStore) -> None:
    store.save(LOGIN)
    store.save(replace(LOGIN, username="Me@Example.com", access_token="new"))

    assert store.names() == ("Me@Example.com",)


def test_a_forgotten_login_is_gone(store: LoginStore) -> None:
    store.save(LOGIN)
    store.save(replace(LOGIN, username="other"))

    assert store.forget("ME@EXAMPLE.COM")
    assert not store.forget("me@example.com")
    assert store.names() == ("other",)
    assert "s3cret" in store.path.read_text()


def test_nobody_is_logged_in_at_first(store: LoginStore) -> None:
    assert store.get("me") is None
    assert store.names() == ()
    assert store.warnings() == ()
    assert not store.forget("me")
    assert not store.path.exists()


def test_threads_saving_at_once_lose_nothing(store: LoginStore) -> None:
    threads = [
        threading.Thread(target=store.save, args=(replace(LOGIN, username=f"user{number}"),))
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(store.names()) == {f"user{number}" for number in range(12)}


def test_a_file_that_others_can_write_is_refused(store: LoginStore) -> None:
    store.save(LOGIN)
    store.path.chmod(0o622)

    with pytest.raises(ConfigError, match="chmod 600"):
        store.get("me@example.com")


def test_a_file_that_others_can_read_is_warned_about(store: LoginStore) -> None:
    store.save(LOGIN)
    store.path.chmod(0o644)

    assert store.get("me@example.com") == LOGIN
    assert "chmod 600" in store.warnings()[0]


@pytest.mark.parametrize(
    "text",
    [
        '{"access_token": s3cret',
        "[]",
        '{"version": 1}',
        '{"version": 9, "logins": {}}',
        '{"version": 1, "logins": {"me@example.com": 5}}',
        '{"version": 1, "logins": {"me@example.com": {"access_token": "s3cret"}}}',
    ],
)
def test_a_damaged_file_says_what_to_do_and_shows_no_token(store: LoginStore, text: str) -> None:
    store.save(LOGIN)
    store.path.write_text(text)

    with pytest.raises(ConfigError, match="lht login") as caught:
        store.all()

    assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"


def test_a_place_that_cannot_be_written_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(ConfigError):
        LoginStore(tmp_path / "file" / "sfdc.json").save(LOGIN)


def test_with_a_vault_the_file_holds_no_token(tmp_path: Path) -> None:
    vault = MemoryVault()
    store = LoginStore(tmp_path / "sfdc.json", vault)

    store.save(LOGIN)

    assert store.get("me@example.com") == LOGIN
    assert "s3cret" not in store.path.read_text()
    assert store.forget("me@example.com")
    assert vault.secrets == {}


def test_no_vault_keeps_a_token_that_nothing_names_any_more(tmp_path: Path) -> None:
    vault = MemoryVault()
    store = LoginStore(tmp_path / "sfdc.json", vault)

    store.save(LOGIN)
    store.save(replace(LOGIN, username="Me@Example.com"))

    assert list(vault.secrets) == ["Me@Example.com"]
    assert store.forget("me@example.COM")
    assert vault.secrets == {}


def test_what_a_killed_process_left_behind_is_swept_up(store: LoginStore) -> None:
    store.save(LOGIN)
    left = store.path.with_name(".sfdc.json.abc")
    left.write_text("s3cret")

    store.forget(LOGIN.username)

    assert not left.exists()


def test_a_token_missing_in_the_vault_says_log_in(tmp_path: Path) -> None:
    store = LoginStore(tmp_path / "sfdc.json", MemoryVault())
    store.save(LOGIN)

    with pytest.raises(SecretUnavailableError, match="lht login"):
        LoginStore(store.path, MemoryVault()).get("me@example.com")


def test_the_file_says_which_version_wrote_it(store: LoginStore) -> None:
    store.save(LOGIN)

    assert json.loads(store.path.read_text())["version"] == 1


def test_a_keyring_that_is_not_installed_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(SecretUnavailableError, match=r"pip install 'lht\[keyring\]'"):
        KeyringVault().get("me")


def test_the_systems_keyring_keeps_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[tuple[str, str], str] = {}
    system = SimpleNamespace(
        get_password=lambda service, name: kept.get((service, name)),
        set_password=lambda service, name, secret: kept.update({(service, name): secret}),
        delete_password=lambda service, name: kept.pop((service, name)),
    )
    monkeypatch.setitem(sys.modules, "keyring", system)
    store = LoginStore(tmp_path / "sfdc.json", KeyringVault())

    store.save(LOGIN)

    assert LoginStore(store.path).get("me@example.com") == LOGIN
    assert store.forget("me@example.com")
    assert not store.forget("me@example.com")
    assert kept == {}

    store.save(LOGIN)
    LoginStore(store.path).save(LOGIN)  # the keyring is no longer asked for

    assert kept == {}


def test_only_one_renews_at_a_time(store: LoginStore) -> None:
    impatient = replace(store, renewal_timeout_s=0.1)

    with store.renewing(), pytest.raises(ConfigError, match=r"renewal\.lock"), impatient.renewing():
        pass
    with impatient.renewing():
        store.save(LOGIN)

    assert store.get(LOGIN.username) == LOGIN


def test_a_renewal_goes_on_where_no_lock_can_be_had(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    passed = []

    with LoginStore(tmp_path / "file" / "sfdc.json").renewing():
        passed.append(True)

    assert passed == [True]
