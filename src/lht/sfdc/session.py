"""A login as threads share it: renewed once, looked up once, counted."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from lht.errors import AuthError, SessionExpiredError
from lht.sfdc import wire
from lht.sfdc.ids import to_18
from lht.sfdc.messages import server_date

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from lht.sfdc.auth import Login


class Session:
    """Holds the login in use. `renew` fetches the next one when Salesforce calls a token dead."""

    def __init__(self, login: Login, renew: Callable[[Login], Login] | None) -> None:
        self._login = login
        self._renew = renew
        self._refusal = ""
        self._lock = threading.Lock()

    @property
    def login(self) -> Login:
        return self._login

    def renewed(self, used: Login, reason: str) -> Login:
        """The login to go on with: one thread fetches it, and those that waited take what it got.

        A renewal that Salesforce refused is not tried again; one that did not reach Salesforce may be.
        """
        with self._lock:
            if self._login.access_token != used.access_token:
                return self._login
            if self._renew is None or self._refusal:
                raise not_logged_in(self._refusal or reason, is_given=self._renew is None)
            try:
                login = self._renew(used)
            except AuthError as error:
                self._refusal = error.message
                raise not_logged_in(error.message) from error
            self._refuse_another_org(used, login)
            self._login = login
            return login

    def _refuse_another_org(self, used: Login, login: Login) -> None:
        """An app's keys may have been changed mid-run: rows of two orgs must never meet in one table."""
        if used.org_id and login.org_id and to_18(used.org_id) != to_18(login.org_id):
            self._refusal = f"the session of {used.username} was renewed, but for another org"
            raise not_logged_in(self._refusal)


def not_logged_in(reason: str, *, is_given: bool = False) -> SessionExpiredError:
    """The error of a session that is over; `is_given`: its token was fetched by somebody else."""
    hint = wire.LOG_IN
    if is_given:
        hint = "The access token that was given is no longer good: give a new one, or run 'lht login'."
    hint = f"{hint} ({reason})" if reason else hint
    return SessionExpiredError(wire.NOT_LOGGED_IN, hint=hint, reason=reason)


class Tally:
    """What was seen of an org's answers; also told to `parent`, so that parts add up to the whole."""

    def __init__(self, parent: Tally | None = None) -> None:
        self._parent = parent
        self._lock = threading.Lock()
        self.calls = 0
        self.server_time: datetime | None = None
        self.api_usage: tuple[int, int] | None = None

    def count(self) -> None:
        """Counts one API call."""
        with self._lock:
            self.calls += 1
        if self._parent:
            self._parent.count()

    def note(self, headers: Mapping[str, str]) -> None:
        """Remembers the server's clock and the daily calls used, where an answer tells them."""
        date = server_date(headers)
        usage = wire.read_api_usage(headers.get("Sforce-Limit-Info", ""))
        with self._lock:
            self.server_time = date or self.server_time
            self.api_usage = usage or self.api_usage
        if self._parent:
            self._parent.note(headers)
