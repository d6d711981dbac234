"""Who may log in: the user that the org's requests run as, with a password that no record shows."""

from __future__ import annotations

import hmac
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from lht.simulator.org.schemas.facts import check_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.oauth.keeper import Keeper
    from lht.simulator.store.database import Database

KIND = "login"
COLUMNS = ("Id", "Username", "Name", "Email", "Alias", "TimeZoneSidKey", "LocaleSidKey", "LanguageLocaleKey")
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS)
_ROW = f'SELECT "IsActive", {_NAMES} FROM "User" WHERE "Id" = ?'


@dataclass(frozen=True, slots=True)
class Login:
    """How the user proves who they are."""

    username: str = "me@example.com"
    password: str = "local-Org-1"  # noqa: S105 - an org on this machine, with made-up records
    security_token: str = ""
    """What the username-password flow wants right behind the password."""


@dataclass(frozen=True, slots=True)
class Person:
    """A user as the record says."""

    is_active: bool
    id: str
    username: str
    name: str
    email: str
    alias: str
    time_zone: str
    locale: str
    language: str


class People:
    """The one user that can log in: whatever comes by a session is done, and stamped, as that user."""

    def __init__(self, db: Database, clock: Clock, keeper: Keeper, user_id: str) -> None:
        self._db, self._clock, self._keeper = db, clock, keeper
        self._user_id = user_id
        self.login = replace(Login(), **keeper.load(KIND))

    def person(self) -> Person:
        """Gives the user as the record stands now."""
        is_active, *texts = self._db.rows(_ROW, [self._user_id])[0]
        return Person(bool(is_active), *(str(text or "") for text in texts))

    def named(self, username: str) -> Person | None:
        """Finds the user by name, in any letter case."""
        person = self.person()
        return person if person.username.lower() == username.strip().lower() else None

    def knows(self, username: str, password: str, *, with_token: bool = False) -> Person | None:
        """Gives the user whose name and password these are, if active."""
        person, login = self.named(username), self.login
        wanted = login.password + (login.security_token if with_token else "")
        matches = hmac.compare_digest(password.encode("utf-8", "replace"), wanted.encode())
        return person if person and matches else None

    def facts(self) -> dict[str, Any]:
        """Gives what an admin may change."""
        person = self.person()
        secrets = {name: value for name, value in asdict(self.login).items() if name != "username"}
        return {"id": person.id, "username": person.username, "active": person.is_active, **secrets}

    def change(self, facts: Mapping[str, Any]) -> None:
        """Changes password, security token and whether the user is active; raises ValueError for anything else."""
        rest = dict(facts)
        active = rest.pop("active", None)
        if active is not None and not isinstance(active, bool):
            raise ValueError("active must be true or false")
        check_kinds(Login, rest)
        if "username" in rest:
            raise ValueError("the username is changed on the User record")
        if rest.get("password") == "":
            raise ValueError("password must not be empty")
        for name, value in rest.items():
            self._keeper.save(KIND, name, value)
        self.login = replace(self.login, **rest)
        if active is not None:
            self._set_active(active=active)

    def restore(self) -> None:
        """Puts password and security token back to how a new org has them."""
        for name in asdict(self.login):
            self._keeper.drop(KIND, name)
        self.login = Login()

    def _set_active(self, *, active: bool) -> None:
        stamps = '"LastModifiedDate" = ?, "SystemModstamp" = ?'
        now = self._clock.stamp()
        sql = f'UPDATE "User" SET "IsActive" = ?, {stamps} WHERE "Id" = ? AND "IsActive" IS DISTINCT FROM ?'
        self._db.execute(sql, [active, now, now, self._user_id, active])
