"""The grant types of the token endpoint: each says whom a request logs in, and what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import urlsplit

from lht.simulator.errors import OAuthFault
from lht.simulator.org.oauth.app import KEEPING
from lht.simulator.org.oauth.assertion import username_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lht.simulator.org.oauth.grants import Grant
    from lht.simulator.org.oauth.oauth import OAuth
    from lht.simulator.org.oauth.people import Person


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A form that was posted, with the pair of its Authorization header and the address it came to."""

    form: Mapping[str, str]
    basic: tuple[str, str] | None
    base_url: str

    @property
    def client(self) -> tuple[str, str]:
        return self.basic or (self.form.get("client_id", ""), self.form.get("client_secret", ""))

    def need(self, name: str) -> str:
        """Gives a part of the form that must be there."""
        if value := self.form.get(name):
            return value
        raise OAuthFault("invalid_request", f"missing required parameter: {name}")


@dataclass(frozen=True, slots=True)
class Given:
    """Whom a request logs in. `refresh_token` is the one to hand out, if any."""

    username: str
    scopes: tuple[str, ...]
    grant: Grant | None = None
    refresh_token: str | None = None
    nonce: str | None = None
    has_id_token: bool = False


def authorization_code(oauth: OAuth, request: TokenRequest) -> Given:
    """Redeems what the authorize page gave."""
    oauth.app.check_client(*request.client, secret_required=oauth.app.secret_required)
    _need_flow(oauth, "web_server")
    form = request.form
    code = request.need("code")
    allowed = oauth.codes.redeem(code, form.get("redirect_uri", ""), form.get("code_verifier"))
    person = _admitted(oauth, oauth.people.named(allowed.username))
    if KEEPING.isdisjoint(allowed.scopes):
        return Given(person.username, allowed.scopes, nonce=allowed.nonce, has_id_token=True)
    grant = oauth.open_grant(person.username, allowed.scopes, allowed.base_url)
    return Given(person.username, allowed.scopes, grant, grant.token, allowed.nonce, has_id_token=True)


def refresh_token(oauth: OAuth, request: TokenRequest) -> Given:
    """Gives a new session for a refresh token, and another refresh token only where they rotate."""
    oauth.app.check_client(*request.client, secret_required=oauth.app.refresh_secret_required)
    token = request.need("refresh_token")
    grant = oauth.grants.find(token)
    if grant is None or not _may_refresh(oauth, grant, request.base_url):
        oauth.end_family(token)
        raise _expired()
    person = oauth.people.named(grant.username)
    if person is None:
        raise _expired()
    if not person.is_active:
        raise OAuthFault("invalid_grant", "inactive user")
    _admitted(oauth, person)
    if not oauth.app.rotation:
        return Given(person.username, grant.scopes, grant, has_id_token=True)
    oauth.grants.rotate(grant)
    return Given(person.username, grant.scopes, grant, grant.token, has_id_token=True)


def client_credentials(oauth: OAuth, request: TokenRequest) -> Given:
    """Logs the app's own user in."""
    if oauth.org_login.is_login_host(request.base_url):
        raise OAuthFault("invalid_grant", "request not supported on this domain")
    app = oauth.app
    app.check_client(*request.client)
    person = oauth.people.named(app.run_as or "")
    if "client_credentials" not in app.flows or person is None or not person.is_active:
        raise OAuthFault("invalid_grant", "no client credentials user enabled")
    return Given(person.username, _without_keeping(app.scopes))


def jwt_bearer(oauth: OAuth, request: TokenRequest) -> Given:
    """Logs in whom a signed assertion names, if that user or the admin allowed it before."""
    _need_flow(oauth, "jwt_bearer")
    app = oauth.app
    if app.blocked:
        raise OAuthFault("OAUTH_APP_BLOCKED", "this app is blocked by admin")
    named = username_of(
        request.form.get("assertion", ""),
        app,
        oauth.clock.now(),
        lambda address: oauth.org_login.is_audience(address, request.base_url, oauth.home),
    )
    person = oauth.people.named(named)
    if person is not None:
        _admitted(oauth, person)
        if app.lets_in(person.username):
            return Given(person.username, _without_keeping(app.scopes))
        if oauth.grants.has_kept_approval(person.username):
            allowed = oauth.grants.approved(person.username)
            return Given(person.username, _without_keeping(tuple(s for s in app.scopes if s in allowed)))
    raise OAuthFault("invalid_grant", "user hasn't approved this consumer")


def password(oauth: OAuth, request: TokenRequest) -> Given:
    """Logs in by name and password, where the org still allows that."""
    oauth.app.check_client(*request.client)
    form = request.form
    person = oauth.people.knows(form.get("username", ""), form.get("password", ""), with_token=True)
    if not oauth.org_login.password_flow or "password" not in oauth.app.flows or person is None:
        raise OAuthFault("invalid_grant", "authentication failure")
    if not person.is_active:
        raise OAuthFault("invalid_grant", "inactive user")
    _admitted(oauth, person)
    return Given(person.username, _without_keeping(oauth.app.scopes))


Flow: TypeAlias = "Callable[[OAuth, TokenRequest], Given]"
FLOWS: dict[str, Flow] = {
    "authorization_code": authorization_code,
    "refresh_token": refresh_token,
    "client_credentials": client_credentials,
    "urn:ietf:params:oauth:grant-type:jwt-bearer": jwt_bearer,
    "password": password,
}


def unsupported() -> OAuthFault:
    """Makes the answer to a grant type that is not there, or is switched off."""
    return OAuthFault("unsupported_grant_type", "grant type not supported")


def _need_flow(oauth: OAuth, flow: str) -> None:
    if flow not in oauth.app.flows:
        raise unsupported()


def _admitted(oauth: OAuth, person: Person | None) -> Person:
    if person is None or not person.is_active:
        raise OAuthFault("inactive_user", "user is inactive")
    if oauth.app.shuts_out(person.username):
        raise OAuthFault("invalid_app_access", "user is not admin approved to access this app")
    return person


def _may_refresh(oauth: OAuth, grant: Grant, base_url: str) -> bool:
    """A login host takes only what it gave itself; the org's own address takes everything."""
    life_s = oauth.app.refresh_token_life_s
    if life_s is not None and (oauth.clock.now() - grant.created).total_seconds() > life_s:
        return False
    is_same = urlsplit(base_url).netloc.lower() == urlsplit(grant.base_url).netloc.lower()
    return is_same or not oauth.org_login.is_login_host(base_url)


def _expired() -> OAuthFault:
    return OAuthFault("invalid_grant", "expired access/refresh token")


def _without_keeping(scopes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(scope for scope in scopes if scope not in KEEPING)
