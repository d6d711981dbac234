"""Sessions: who is logged in, and until when. They live in memory only."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.settings import Settings

ORG_ID_IN_TOKEN = 15
API_SCOPES = frozenset({"api", "full"})


@dataclass(slots=True)
class Session:
    """One access token's life."""

    token: str
    username: str
    issued_at: datetime
    last_used: datetime
    scopes: tuple[str, ...] = ()
    base_url: str = ""
    """The address where it was opened: its identity is told under that."""
    grant_id: str | None = None
    """The grant of the refresh token that it came with or from."""

    @property
    def may_use_api(self) -> bool:
        return not API_SCOPES.isdisjoint(self.scopes)


class Sessions:
    """The live sessions by access token."""

    def __init__(self, clock: Clock, settings: Settings, org_id: str) -> None:
        self._clock, self._settings = clock, settings
        self._prefix = f"{org_id[:ORG_ID_IN_TOKEN]}!AQ"
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def open(self, username: str, scopes: tuple[str, ...], base_url: str, grant_id: str | None) -> Session:
        """Opens a session."""
        now = self._clock.now()
        token = self._prefix + secrets.token_urlsafe(64).replace("-", ".")
        session = Session(token, username, now, now, scopes, base_url, grant_id)
        with self._lock:
            self._sessions[token] = session
        return session

    def peek(self, token: str) -> Session | None:
        """Gives a live session without using it."""
        with self._lock:
            return self._live(token)

    def use(self, token: str) -> Session | None:
        """Gives a live session and counts as its use."""
        with self._lock:
            if found := self._live(token):
                found.last_used = self._clock.now()
            return found

    def end(self, token: str) -> None:
        """Ends one session."""
        with self._lock:
            self._sessions.pop(token, None)

    def end_where(self, is_meant: Callable[[Session], bool]) -> None:
        """Ends every session that is meant."""
        with self._lock:
            self._sessions = {token: one for token, one in self._sessions.items() if not is_meant(one)}

    def expires_at(self, session: Session) -> int:
        """Gives when a session ends if it is not used again, in seconds since 1970."""
        return int(session.last_used.timestamp() + self._settings.token_lifetime_s)

    def _live(self, token: str) -> Session | None:
        found = self._sessions.get(token)
        if found is None:
            return None
        idle_s = (self._clock.now() - found.last_used).total_seconds()
        return found if idle_s <= self._settings.token_lifetime_s else None
