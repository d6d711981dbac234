"""Sessions: who is logged in, until when, and what the token endpoint answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault, OAuthFault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.settings import Settings

SCOPE = "api id refresh_token"
GRANT = "client_credentials"
ORG_ID_IN_TOKEN = 15
NAME = "Mia Admin"
"""The one user's, as on the User record."""


@dataclass(frozen=True, slots=True)
class App:
    """The one app that is registered, and the one user: the app acts as that user."""

    client_id: str = "3MVG9lhtLocalOrg.AllFlowsAllowed.d41d8cd98f00b204e9800998ecf8427e"
    client_secret: str = "LOCALORG0SECRET0" * 4
    username: str = "me@example.com"
    password: str = "local-Org-1"  # noqa: S105 - an org on this machine, with made-up records


@dataclass(slots=True)
class Session:
    """One access token's life."""

    token: str
    username: str
    issued_at: datetime
    last_used: datetime


@dataclass(slots=True)
class OAuth:
    """The token endpoint's rules. Tokens live in memory only: a restarted org asks everybody to log in again."""

    clock: Clock
    settings: Settings
    org_id: str
    user_id: str
    app: App = field(default_factory=App)
    _sessions: dict[str, Session] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def token(self, form: Mapping[str, str], basic: tuple[str, str] | None, base_url: str) -> dict[str, Any]:
        """Answers a token request; `basic` is the pair of an Authorization header, if there was one."""
        grant = form.get("grant_type", "")
        if not grant:
            raise OAuthFault("invalid_request", "missing required parameter: grant_type")
        if grant != GRANT:
            raise OAuthFault("unsupported_grant_type", "grant type not supported")
        self._check_client(*(basic or (form.get("client_id", ""), form.get("client_secret", ""))))
        return self._response(self._opened(), base_url)

    def session(self, token: str) -> Session:
        """Gives the live session of a token and counts as its use; raises ApiFault 401 for any other token."""
        with self._lock:
            found = self._live(token)
            if found is None:
                raise ApiFault(401, "INVALID_SESSION_ID", "Session expired or invalid")
            found.last_used = self.clock.now()
            return found

    def revoke(self, token: str) -> None:
        """Ends a session; a token that is none is refused."""
        with self._lock:
            if self._live(token) is None:
                raise OAuthFault("invalid_token", "invalid token")
            del self._sessions[token]

    def expire(self, token: str | None = None) -> None:
        """Ends one session, or all, as an administrator would."""
        with self._lock:
            if token is None:
                self._sessions.clear()
            self._sessions.pop(token or "", None)

    def identity(self, token: str, base_url: str) -> dict[str, Any]:
        """Answers userinfo and the identity address; a dead token gets 403 and one word."""
        try:
            session = self.session(token)
        except ApiFault:
            raise ApiFault(403, "FORBIDDEN", "Bad_OAuth_Token") from None
        return _identity(session.username, self._identity_url(base_url), self.user_id, self.org_id, base_url)

    def _check_client(self, client_id: str, client_secret: str) -> None:
        if not client_id:
            raise OAuthFault("invalid_request", "missing required parameter: client_id")
        if not hmac.compare_digest(client_id.encode(), self.app.client_id.encode()):
            raise OAuthFault("invalid_client_id", "client identifier invalid")
        if not hmac.compare_digest(client_secret.encode(), self.app.client_secret.encode()):
            raise OAuthFault("invalid_client", "invalid client credentials")

    def _opened(self) -> Session:
        now = self.clock.now()
        token = f"{self.org_id[:ORG_ID_IN_TOKEN]}!AQ{secrets.token_urlsafe(64).replace('-', '.')}"
        session = Session(token, self.app.username, now, now)
        with self._lock:
            self._sessions[token] = session
        return session

    def _live(self, token: str) -> Session | None:
        found = self._sessions.get(token)
        if found is None:
            return None
        idle_s = (self.clock.now() - found.last_used).total_seconds()
        return found if idle_s <= self.settings.token_lifetime_s else None

    def _response(self, session: Session, base_url: str) -> dict[str, Any]:
        identity = self._identity_url(base_url)
        issued_at = str(int(session.issued_at.timestamp()) * 1000)
        return {
            "access_token": session.token,
            "signature": signature(self.app.client_secret, identity, issued_at),
            "scope": SCOPE,
            "instance_url": base_url,
            "id": identity,
            "token_type": "Bearer",
            "issued_at": issued_at,
            "api_instance_url": base_url,
        }

    def _identity_url(self, base_url: str) -> str:
        return f"{base_url}/id/{self.org_id}/{self.user_id}"


def signature(client_secret: str, identity: str, issued_at: str) -> str:
    """Signs a token response, so that a client can tell who made it."""
    digest = hmac.new(client_secret.encode(), f"{identity}{issued_at}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def _identity(username: str, identity: str, user_id: str, org_id: str, base_url: str) -> dict[str, Any]:
    services = f"{base_url}/services/data/v{{version}}/"
    urls = {"rest": services, "sobjects": f"{services}sobjects/", "query": f"{services}query/"}
    return {
        "id": identity,
        "sub": identity,
        "user_id": user_id,
        "organization_id": org_id,
        "username": username,
        "preferred_username": username,
        "nickname": username.partition("@")[0],
        "name": NAME,
        "display_name": NAME,
        "email": username,
        "email_verified": True,
        "zoneinfo": "GMT",
        "timezone": "GMT",
        "locale": "en_US",
        "language": "en_US",
        "user_type": "STANDARD",
        "active": True,
        "is_salesforce_integration_user": False,
        "urls": urls,
    }
