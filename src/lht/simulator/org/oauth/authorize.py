"""The authorize page's rules: what a browser brings, which of it may go on, and where it is sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urlsplit

from lht.simulator.errors import OAuthFault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lht.simulator.org.oauth.app import App

FLOW_OF = {"code": "web_server", "token": "user_agent"}
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose client and address are known: whatever happens next, its browser can be sent back."""

    redirect_uri: str
    response_type: str = ""
    state: str | None = None
    scopes: tuple[str, ...] = ()
    challenge: str | None = None
    nonce: str | None = None
    prompts: frozenset[str] = frozenset()
    is_immediate: bool = False
    login_hint: str = ""

    def location(self, answer: Mapping[str, str]) -> str:
        """Gives the address to send the browser to; the user-agent flow's answers go where servers do not see them."""
        return self._location(answer, lambda value: quote(value, safe=""))

    def refusal(self, error: str, description: str) -> str:
        """Gives the address that tells an error, with spaces as plus signs as Salesforce has them."""
        return self._location({"error": error, "error_description": description}, quote_plus)

    def _location(self, answer: Mapping[str, str], written: Callable[[str], str]) -> str:
        words = dict(answer) if self.state is None else {**answer, "state": self.state}
        told = "&".join(f"{name}={written(value)}" for name, value in words.items())
        if self.response_type == "token":
            return f"{self.redirect_uri}#{told}"
        return f"{self.redirect_uri}{'&' if urlsplit(self.redirect_uri).query else '?'}{told}"


class SentBack(Exception):  # noqa: N818 - it is where the browser goes
    """The browser goes to this address, with an error."""

    def __init__(self, location: str) -> None:
        super().__init__(location)
        self.location = location


class ErrorPage(Exception):  # noqa: N818 - it is what the browser shows
    """The browser is shown an error; the app hears nothing."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description = error, description


def addressed(app: App, query: Mapping[str, str]) -> Asked:
    """Reads who asks and where the answer goes; raises OAuthFault where nobody may be sent anywhere."""
    client_id, redirect_uri = query.get("client_id", ""), query.get("redirect_uri", "")
    if not client_id:
        raise OAuthFault("invalid_request", "missing required parameter: client_id")
    if client_id != app.client_id:
        raise OAuthFault("invalid_client_id", "client identifier invalid")
    if not redirect_uri:
        raise OAuthFault("redirect_uri_missing", "redirect_uri not provided")
    if redirect_uri not in app.redirect_uris:
        raise OAuthFault("redirect_uri_mismatch", "redirect_uri must match configuration")
    return Asked(redirect_uri, query.get("response_type", ""), query.get("state"))


def asked(app: App, query: Mapping[str, str]) -> Asked:
    """Reads the whole request; raises SentBack, or ErrorPage for scopes that the app does not have."""
    to = addressed(app, query)
    if app.blocked:
        raise SentBack(to.refusal("OAUTH_APP_BLOCKED", "this app is blocked by admin"))
    if not to.response_type:
        raise SentBack(to.refusal("invalid_request", "missing required parameter: response_type"))
    if FLOW_OF.get(to.response_type) not in app.flows:
        raise SentBack(to.refusal("unsupported_response_type", "response type not supported"))
    challenge = query.get("code_challenge") or None
    if problem := _challenge_problem(app, to, challenge, query.get("code_challenge_method", "S256")):
        raise SentBack(to.refusal("invalid_request", problem))
    return Asked(
        to.redirect_uri,
        to.response_type,
        to.state,
        _scopes(app, query.get("scope", "")),
        challenge,
        query.get("nonce"),
        frozenset(query.get("prompt", "").split()),
        query.get("immediate", "").lower() == "true",
        query.get("login_hint", ""),
    )


def _challenge_problem(app: App, to: Asked, challenge: str | None, method: str) -> str | None:
    if challenge is None:
        is_wanted = app.pkce_required and to.response_type == "code"
        return "missing required code challenge" if is_wanted else None
    if method != "S256" or not _CHALLENGE.fullmatch(challenge):
        return "invalid code challenge"
    return None


def _scopes(app: App, words: str) -> tuple[str, ...]:
    try:
        return app.granted_scopes(words)
    except OAuthFault as fault:
        raise ErrorPage(fault.error, fault.description) from None
