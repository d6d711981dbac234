"""Authorization codes: short-lived, good once, and bound to what was asked for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.simulator.errors import OAuthFault

if TYPE_CHECKING:
    from datetime import datetime

    from lht.simulator.org.clock import Clock

LIFE_S = 15 * 60
PREFIX = "aPrx"
CODE_BYTES = 61
"""One more than a multiple of three: the code ends with two equals signs, which clients forget to decode."""
LEAST_VERIFIER = 43
"""No most: Salesforce's own tools send 128 random bytes, which are 171 characters, for all that RFC 7636 says."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a user allowed on the authorize page, and the promise that the client must keep to get it."""

    username: str
    scopes: tuple[str, ...]
    redirect_uri: str
    challenge: str | None
    nonce: str | None
    base_url: str


@dataclass(slots=True)
class _Code:
    allowed: Allowed
    made: datetime
    is_used: bool = False


class Codes:
    """The codes of the last while. Not safe by itself: its owner holds a lock around each call."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._codes: dict[str, _Code] = {}

    def make(self, allowed: Allowed) -> str:
        """Makes a code."""
        code = PREFIX + base64.urlsafe_b64encode(secrets.token_bytes(CODE_BYTES)).decode().replace("-", ".")
        self._codes[code] = _Code(allowed, self._clock.now())
        return code

    def knows(self, code: str) -> bool:
        """Tells whether this is a code, used or not."""
        return code in self._codes

    def redeem(self, code: str, redirect_uri: str, verifier: str | None) -> Allowed:
        """Gives what a code stands for, once; a refused attempt leaves it as it was."""
        found = self._codes.get(code)
        if found is None:
            raise OAuthFault("invalid_grant", "invalid authorization code")
        age_s = (self._clock.now() - found.made).total_seconds()
        if found.is_used or age_s > LIFE_S:
            raise OAuthFault("invalid_grant", "expired authorization code")
        if not redirect_uri:
            raise OAuthFault("invalid_request", "missing required parameter: redirect_uri")
        if redirect_uri != found.allowed.redirect_uri:
            raise OAuthFault("redirect_uri_mismatch", "redirect_uri must match configuration")
        _check_verifier(found.allowed.challenge, verifier)
        found.is_used = True
        return found.allowed


def _check_verifier(challenge: str | None, verifier: str | None) -> None:
    """A verifier that nobody asked for is refused too: somebody may have taken the challenge away on its way here."""
    if challenge is None and not verifier:
        return
    if challenge is None or not verifier:
        raise OAuthFault("invalid_grant", "invalid code verifier")
    digest = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
    wanted = base64.urlsafe_b64encode(digest).rstrip(b"=")
    if len(verifier) < LEAST_VERIFIER or not hmac.compare_digest(wanted, challenge.encode()):
        raise OAuthFault("invalid_request", "invalid code verifier")
