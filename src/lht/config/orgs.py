"""From settings to a logged-in org: login, logout, renewal."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lht.config.connections import normal_login_url
from lht.config.flows import PATIENCE_S, Flows, in_place_of
from lht.errors import AuthError, ConfigError, LoginRejectedError, SalesforceError
from lht.sfdc import auth
from lht.sfdc.auth import App
from lht.sfdc.org import Org
from lht.sfdc.transport import RetryPolicy, Transport
from lht.sfdc.wire import LOG_IN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lht.config.flows import Person
    from lht.config.settings import Settings
    from lht.sfdc.auth import Login

_log = logging.getLogger(__name__)
_HASTE = RetryPolicy(attempts=2, connect_attempts=2)
"""For what may as well not succeed."""


def open_org(
    settings: Settings,
    username: str | None = None,
    *,
    login: Login | None = None,
    transport: Transport | None = None,
) -> Org:
    """Opens the org of a user, or of a login that the caller has; nothing is sent yet. The caller closes it.

    A transport that is passed in stays open when the org is closed.
    """
    renew_kept = login is None
    login = login or settings.login(username)
    carrier = transport or Transport(settings.environment.network)
    return Org(
        login,
        carrier,
        api_version=settings.api_version(login),
        renew=_renewal(settings, login, carrier, is_kept=renew_kept),
        owns_transport=transport is None,
    )


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """A login that was ended. `kept`: why its tokens may still be good; empty if Salesforce ended them."""

    login: Login
    kept: str = ""


def log_in(
    settings: Settings,
    app_name: str | None = None,
    *,
    flow: str | None = None,
    login_url: str | None = None,
    person: Person | None = None,
    patience_s: float = PATIENCE_S,
    transport: Transport | None = None,
) -> Login:
    """Logs in with an app and keeps the login. The web flow needs a person, and waits for `patience_s` at most."""
    app = _app_for(settings, app_name, flow)
    settings.logins.names()  # what is wrong with the file is told before anybody types a password
    if login_url:
        app = replace(app, login_url=normal_login_url(login_url, app.name))
    with _carrier(settings, transport) as carrier:
        flows = Flows(carrier.send, settings.environment, person, patience_s)
        login = flows.log_in(app, auth.choose_flow(app, flow))
    settings.logins.save(login)
    return login


def _app_for(settings: Settings, app_name: str | None, flow: str | None) -> App:
    """The app to log in with. What the Salesforce CLI is logged in to needs none of ours."""
    if app_name is None and flow and auth.normal_flow(flow) == auth.SF_CLI:
        meant = settings.apps_for(flow)
        if not meant:
            return App(name="", client_id="")
        app_name = meant[0] if len(meant) == 1 else None
    return settings.app(app_name)


def log_out(
    settings: Settings, username: str | None = None, *, transport: Transport | None = None
) -> LoggedOut:
    """Ends a stored login at Salesforce and forgets it here, even where Salesforce cannot be reached."""
    login = settings.login(username)
    if settings.logins.get(login.username) is None:
        raise ConfigError("This login comes from the environment.", hint="Unset LHT_SALESFORCE_ACCESS_TOKEN.")
    with settings.logins.renewing():  # else a run could keep what it fetches at this moment
        login = settings.logins.get(login.username) or login
        try:
            kept = _end(settings, login, transport)
        finally:
            settings.logins.forget(login.username)
    return LoggedOut(login, kept)


def _end(settings: Settings, login: Login, transport: Transport | None) -> str:
    """Ends the session; gives the reason if it could not. The Salesforce CLI's own login stays the CLI's."""
    if login.flow == auth.SF_CLI:
        return "the Salesforce CLI stays logged in; 'sf org logout' ends that"
    with _carrier(settings, transport, _HASTE) as carrier:
        try:
            auth.converse(auth.revoke(login), carrier.send)
        except SalesforceError as error:
            _log.warning("token not revoked", extra={"reason": error.message})
            return error.message
    return ""


def _renewal(
    settings: Settings, login: Login, transport: Transport, *, is_kept: bool
) -> Callable[[Login], Login] | None:
    """How a login is renewed; None for a token that somebody else fetched.

    `is_kept`: it came from the store, so that one which is no longer there was logged out.
    """
    if login.flow == auth.ENVIRONMENT or (login.app is None and login.flow != auth.SF_CLI):
        return None

    def renew(old: Login) -> Login:
        """Takes what another process fetched meanwhile, if it is good; else fetches, and keeps it at once."""
        with settings.logins.renewing():
            stored = _stored(settings, old, must_be=is_kept)
            if stored and stored.access_token != old.access_token:
                if auth.converse(auth.is_alive(stored), transport.send):
                    return stored
                old = stored
            flows = Flows(transport.send, settings.environment)
            try:
                new = in_place_of(old, flows.renew(_app_of(settings, old), old))
            except AuthError:
                if newer := _newer(settings, old):
                    return newer
                raise
            if newer := _newer(settings, old):
                return newer
            _keep(settings, new)
            return new

    return renew


def _stored(settings: Settings, login: Login, *, must_be: bool = False) -> Login | None:
    """What is kept for a login's user now."""
    try:
        found = settings.logins.get(login.username)
    except ConfigError as error:
        _log.warning("login not read", extra={"reason": error.message})
        return None
    if found is None and must_be:
        raise LoginRejectedError(f"{login.username} was logged out while this ran.", hint=LOG_IN)
    return found


def _newer(settings: Settings, login: Login) -> Login | None:
    """What 'lht login' kept for the user at this very moment: it counts, whatever a renewal brought."""
    stored = _stored(settings, login)
    return stored if stored and stored.access_token != login.access_token else None


def _app_of(settings: Settings, login: Login) -> App:
    """The app that a login came from, at the host it came from: no other would know the refresh token."""
    if login.app is None:
        return App(name="", client_id="")
    try:
        app = settings.app(login.app)
    except ConfigError as error:
        raise LoginRejectedError(
            f"The login of {login.username} cannot be renewed: {error.message}", hint=error.hint
        ) from error
    return replace(app, login_url=login.login_url or app.login_url)


def _keep(settings: Settings, login: Login) -> None:
    """Saves a renewed login; a run that can go on does not die because a file cannot be written."""
    try:
        settings.logins.save(login)
    except ConfigError as error:
        _log.warning("renewed login not kept", extra={"reason": error.message})


@contextmanager
def _carrier(
    settings: Settings, transport: Transport | None, retry: RetryPolicy | None = None
) -> Iterator[Transport]:
    carrier = transport or Transport(settings.environment.network, retry=retry)
    try:
        yield carrier
    finally:
        if transport is None:
            carrier.close()
