"""Browsers that are logged in: by a cookie, for as long as a session lives after its last use."""

from __future__ import annotations

import hmac
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.settings import Settings


@dataclass(slots=True)
class Browser:
    """One logged-in browser."""

    cookie: str
    proof: str
    """What its forms carry, so that no other page can press their buttons."""
    username: str
    last_used: datetime


class Browsers:
    """The logged-in browsers by cookie."""

    def __init__(self, clock: Clock, settings: Settings) -> None:
        self._clock, self._settings = clock, settings
        self._browsers: dict[str, Browser] = {}
        self._lock = threading.Lock()

    def open(self, username: str) -> Browser:
        """Logs a browser in."""
        browser = Browser(secrets.token_urlsafe(32), secrets.token_urlsafe(24), username, self._clock.now())
        with self._lock:
            self._browsers[browser.cookie] = browser
        return browser

    def use(self, cookie: str | None) -> Browser | None:
        """Gives the browser of a cookie, if its time is not over."""
        with self._lock:
            found = self._browsers.get(cookie or "")
            now = self._clock.now()
            if found is None or (now - found.last_used).total_seconds() > self._settings.token_lifetime_s:
                return None
            found.last_used = now
            return found

    def end_all(self) -> None:
        """Logs every browser out."""
        with self._lock:
            self._browsers.clear()


def is_own(browser: Browser, proof: str | None) -> bool:
    """Tells whether a form was ours."""
    return hmac.compare_digest(browser.proof.encode(), (proof or "").encode("utf-8", "replace"))
