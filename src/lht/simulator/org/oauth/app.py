"""The registered app: what it may ask for, and which flows its settings allow."""

from __future__ import annotations

import hmac
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lht.simulator.errors import OAuthFault
from lht.simulator.org.oauth.keys import public_key
from lht.simulator.org.schemas.facts import check_kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

FIXED = frozenset({"client_id", "client_secret"})
SCOPES = (
    "address", "api", "custom_permissions", "email", "full", "id", "offline_access", "openid", "phone", "profile",
    "refresh_token", "web",
)  # fmt: skip
"""Every scope that this org knows, in the order in which it names them."""
KEEPING = frozenset({"refresh_token", "offline_access"})
"""The scopes that bring a refresh token; Salesforce takes both words for the same."""
FLOWS = ("client_credentials", "jwt_bearer", "password", "user_agent", "web_server")
SELF_AUTHORIZED, ADMIN_APPROVED = "self_authorized", "admin_approved"


@dataclass(frozen=True, slots=True)
class App:
    """The one app that is registered. All but its key and secret can be changed while the org runs."""

    client_id: str = "3MVG9lhtLocalOrg.AllFlowsAllowed.d41d8cd98f00b204e9800998ecf8427e"
    client_secret: str = "LOCALORG0SECRET0" * 4
    name: str = "LHT Local App"
    redirect_uris: tuple[str, ...] = (
        "http://localhost:1717/OauthRedirect",
        "http://127.0.0.1:1717/OauthRedirect",
    )
    scopes: tuple[str, ...] = SCOPES
    flows: tuple[str, ...] = FLOWS
    certificate: str | None = None
    """A certificate or public key in PEM form, which assertions of the JWT bearer flow must be signed for."""
    secret_required: bool = True
    """Whether the web server flow needs the secret."""
    refresh_secret_required: bool = True
    pkce_required: bool = False
    rotation: bool = False
    """Whether each refresh gives a new refresh token and ends the old one."""
    refresh_token_life_s: float | None = None
    run_as: str | None = "me@example.com"
    """The user of the client credentials flow."""
    permitted_users: str = SELF_AUTHORIZED
    approved_users: tuple[str, ...] = ()
    """Whom the admin let in, where `permitted_users` is admin_approved."""
    blocked: bool = False

    def check_client(self, client_id: str, client_secret: str, *, secret_required: bool = True) -> None:
        """Raises OAuthFault unless these are the app's; a secret that is not needed must still be right if given."""
        if not client_id:
            raise OAuthFault("invalid_request", "missing required parameter: client_id")
        if not _same(client_id, self.client_id):
            raise OAuthFault("invalid_client_id", "client identifier invalid")
        if (secret_required or client_secret) and not _same(client_secret, self.client_secret):
            raise OAuthFault("invalid_client", "invalid client credentials")
        if self.blocked:
            raise OAuthFault("OAUTH_APP_BLOCKED", "this app is blocked by admin")

    def granted_scopes(self, asked: str) -> tuple[str, ...]:
        """Gives what a request with these words gets: without any, all that the app has."""
        words = set(asked.split())
        if words - set(self.scopes):
            raise OAuthFault("invalid_scope", "the requested scope is not allowed")
        return tuple(scope for scope in self.scopes if scope in words or not words)

    def lets_in(self, username: str) -> bool:
        """Tells whether the admin let this user in beforehand, so that nobody is asked for consent."""
        names = {name.lower() for name in self.approved_users}
        return self.permitted_users == ADMIN_APPROVED and username.lower() in names

    def shuts_out(self, username: str) -> bool:
        """Tells whether only users that the admin names may use the app, and this is none of them."""
        return self.permitted_users == ADMIN_APPROVED and not self.lets_in(username)

    def changed(self, facts: Mapping[str, Any]) -> App:
        """Gives the app with other facts; raises ValueError for one that is unknown or makes no sense."""
        check_kinds(App, facts)
        if fixed := sorted(FIXED & set(facts)):
            raise ValueError(f"{fixed[0]} cannot be changed")
        app: App = replace(self, **frozen(facts))
        _check_words("scopes", app.scopes, SCOPES)
        _check_words("flows", app.flows, FLOWS)
        _check_words("permitted_users", (app.permitted_users,), (SELF_AUTHORIZED, ADMIN_APPROVED))
        check_texts(app.approved_users)
        for uri in app.redirect_uris:
            _check_redirect_uri(uri)
        if app.certificate is not None:
            public_key(app.certificate)
        return replace(app, scopes=tuple(scope for scope in SCOPES if scope in app.scopes))

    def facts(self) -> dict[str, Any]:
        """Gives every fact by name, the secret left out."""
        return {name: value for name, value in asdict(self).items() if name != "client_secret"}

    def kept_facts(self) -> dict[str, Any]:
        """Gives what an admin may have changed."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name not in FIXED}


def _same(given: str, known: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), known.encode())


def frozen(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Gives facts as frozen values have them: with tuples for lists."""
    return {name: tuple(value) if isinstance(value, list) else value for name, value in facts.items()}


def check_texts(values: tuple[object, ...]) -> None:
    """Raises ValueError unless all of these are texts."""
    if not all(isinstance(value, str) for value in values):
        raise ValueError("a list of texts is needed")


def _check_words(name: str, words: tuple[object, ...], known: tuple[str, ...]) -> None:
    if unknown := [word for word in words if word not in known]:
        raise ValueError(f"{name} has no {unknown[0]!r}; there are {', '.join(known)}")


def _check_redirect_uri(uri: object) -> None:
    """An absolute address without a fragment, which a browser can be sent to and no script hides in."""
    parts = urlsplit(uri) if isinstance(uri, str) and uri.isascii() and uri.isprintable() else None
    if parts is None or not parts.scheme or " " in str(uri) or parts.fragment:
        raise ValueError(f"redirect_uris must be whole addresses without a fragment, not {uri!r}")
    if parts.scheme in {"javascript", "data", "vbscript"} or (
        parts.scheme in {"http", "https"} and not parts.netloc
    ):
        raise ValueError(f"nobody can be sent to {uri!r}")
