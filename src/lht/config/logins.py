"""sfdc.json: the logins, by Salesforce username, in a file that only its owner can read."""

from __future__ import annotations

import json
import logging
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from lht.config.files import can_others_read, can_others_write, read_text, write_private
from lht.errors import ConfigError, SecretUnavailableError
from lht.sfdc.auth import Login
from lht.sfdc.wire import parse_datetime

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_log = logging.getLogger(__name__)
FILE = "sfdc.json"
_VERSION = 1
_LOCK_TIMEOUT_S = 20.0
_SERVICE = "lht"
_PLAIN = ("instance_url", "org_id", "user_id", "app", "flow", "login_url")
_TOKENS = ("access_token", "refresh_token")


class Vault(Protocol):
    """Keeps one secret text per user name."""

    def get(self, username: str) -> str | None: ...
    def set(self, username: str, secret: str) -> None: ...
    def delete(self, username: str) -> None: ...


class KeyringVault:
    """The operating system's keyring."""

    def get(self, username: str) -> str | None:
        secret: str | None = _keyring().get_password(_SERVICE, username)
        return secret

    def set(self, username: str, secret: str) -> None:
        _keyring().set_password(_SERVICE, username, secret)

    def delete(self, username: str) -> None:
        keyring = _keyring()
        if keyring.get_password(_SERVICE, username) is not None:
            keyring.delete_password(_SERVICE, username)


def _keyring() -> Any:
    try:
        import keyring  # noqa: PLC0415  # an extra
    except ImportError as error:
        raise SecretUnavailableError(
            "LHT_KEYRING asks for the keyring, which is not installed.", hint="pip install 'lht[keyring]'"
        ) from error
    return keyring


@dataclass(frozen=True, slots=True)
class LoginStore:
    """Reads and writes the logins. With a vault, tokens live there, and only the rest in the file."""

    path: Path
    vault: Vault | None = None
    renewal_timeout_s: float = 180.0

    def all(self) -> dict[str, Login]:
        """Every login by user name, in the order of their first saving."""
        return {name: self._login(name, entry) for name, entry in self._entries().items()}

    def names(self) -> tuple[str, ...]:
        """The user names that are logged in; no vault is opened."""
        return tuple(self._entries())

    def get(self, username: str) -> Login | None:
        """A user's login; user names ignore letter case."""
        for name, entry in self._entries().items():
            if name.lower() == username.lower():
                return self._login(name, entry)
        return None

    def save(self, login: Login) -> None:
        """Keeps a login in place of the user's last one."""
        entry = {key: getattr(login, key) for key in _PLAIN}
        entry["issued_at"] = login.issued_at.isoformat() if login.issued_at else None
        tokens = {key: getattr(login, key) for key in _TOKENS}
        old = self._names_in_vault(login.username)
        if self.vault:
            self.vault.set(login.username, json.dumps(tokens))
            tokens = {"tokens": "keyring"}
            old = [name for name in old if name != login.username]
        self._change(login.username, {**entry, **tokens})
        self._drop_secrets(old)

    @contextmanager
    def renewing(self) -> Iterator[None]:
        """Keeps other processes from renewing a login while the block runs, so that they find what it fetched.

        A lock of its own, as Salesforce may take its time and nobody else should wait for that. Where the folder
        cannot be written, the block runs all the same.
        """
        import filelock  # noqa: PLC0415  # only where something is written

        path = self.path.with_name(f"{self.path.name}.renewal.lock")
        lock = filelock.FileLock(path, timeout=self.renewal_timeout_s, mode=0o600)
        try:
            lock.acquire()
        except filelock.Timeout as error:
            raise ConfigError(f"Another process holds {path}.", hint="Wait for it, or end it.") from error
        except OSError as error:
            _log.warning("renewal not locked", extra={"reason": error.strerror})
        try:
            yield
        finally:
            lock.release()

    def forget(self, username: str) -> bool:
        """Drops a login; False if there was none."""
        old = self._names_in_vault(username)
        found = self._change(username, None)
        self._drop_secrets(old)
        return found

    def warnings(self) -> tuple[str, ...]:
        """What people should know about the file's safety."""
        if self.path.exists() and can_others_read(self.path):
            return (f"{self.path} holds tokens, and other users can read it: chmod 600 {self.path}",)
        return ()

    # --- inside -----------------------------------------------------------------------------------------

    def _names_in_vault(self, username: str) -> list[str]:
        """The spellings of a user name under which a vault holds tokens, whether or not it is asked for now."""
        return [
            name
            for name, entry in self._entries().items()
            if name.lower() == username.lower() and isinstance(entry, dict) and "tokens" in entry
        ]

    def _drop_secrets(self, names: list[str]) -> None:
        for name in names:
            with suppress(SecretUnavailableError):  # where no keyring is, nothing in it can be found
                (self.vault or KeyringVault()).delete(name)

    def _change(self, username: str, entry: dict[str, Any] | None) -> bool:
        """Replaces or drops one entry while no other process does the same."""
        import filelock  # noqa: PLC0415  # only where something is written

        lock = self.path.with_name(f"{self.path.name}.lock")
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with filelock.FileLock(lock, timeout=_LOCK_TIMEOUT_S, mode=0o600):
                entries = self._entries()
                kept = {name: old for name, old in entries.items() if name.lower() != username.lower()}
                found = len(kept) != len(entries)
                if entry is not None:
                    kept[username] = entry
                real = self.path.resolve()
                for left in real.parent.glob(f".{real.name}.*"):
                    left.unlink(missing_ok=True)  # by a process that was killed while it wrote
                if found or entry is not None:
                    write_private(
                        self.path, json.dumps({"version": _VERSION, "logins": kept}, indent=2) + "\n"
                    )
        except filelock.Timeout as error:
            raise ConfigError(f"Another process holds {lock}.", hint="Wait for it, or end it.") from error
        except OSError as error:
            raise ConfigError(f"{self.path} cannot be written: {error.strerror}.") from error
        return found

    def _entries(self) -> dict[str, Any]:
        text = read_text(self.path)
        if text is None:
            return {}
        if can_others_write(self.path):
            raise ConfigError(
                f"{self.path} can be changed by other users, so its tokens cannot be trusted.",
                hint=f"chmod 600 {self.path}, then run 'lht login' again.",
            )
        return self._parsed(text)

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            body = json.loads(text)
        except ValueError as error:
            # Only the position: the decoder's own words could quote a token.
            line = getattr(error, "lineno", "?")
            raise self._broken(f"is not valid JSON (line {line})") from None
        if not isinstance(body, dict) or not isinstance(body.get("logins"), dict):
            raise self._broken("holds no logins")
        if body.get("version") != _VERSION:
            raise self._broken("was written by another version of LHT")
        return dict(body["logins"])

    def _broken(self, what: str) -> ConfigError:
        return ConfigError(f"{self.path} {what}.", hint="Remove the file, then run 'lht login'.")

    def _login(self, name: str, entry: Mapping[str, Any]) -> Login:
        if not isinstance(entry, dict) or not entry.get("instance_url"):
            raise self._broken(f"has a damaged entry for {name}")
        tokens = self._tokens(name, entry)
        issued_at = entry.get("issued_at")
        return Login(
            username=name,
            instance_url=str(entry["instance_url"]),
            access_token=str(tokens.get("access_token") or ""),
            refresh_token=tokens.get("refresh_token"),
            org_id=str(entry.get("org_id") or ""),
            user_id=str(entry.get("user_id") or ""),
            app=entry.get("app"),
            flow=str(entry.get("flow") or ""),
            issued_at=parse_datetime(issued_at) if issued_at else None,
            login_url=str(entry.get("login_url") or ""),
        )

    def _tokens(self, name: str, entry: Mapping[str, Any]) -> Mapping[str, Any]:
        if entry.get("tokens") != "keyring":
            return entry
        secret = (self.vault or KeyringVault()).get(name)
        if secret is None:
            raise SecretUnavailableError(f"The keyring holds no token of {name}.", hint="Run 'lht login'.")
        tokens: dict[str, Any] = json.loads(secret)
        return tokens
