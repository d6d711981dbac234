"""From settings to a logged-in org: login, logout, renewal."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from lht.config.connections import normal_login_url
from lht.errors import ConfigError, LoginRejectedError, SalesforceError
from lht.sfdc import auth
from lht.sfdc.org import Org
from lht.sfdc.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lht.config.settings import Settings
    from lht.sfdc.auth import App, Login

_log = logging.getLogger(__name__)


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
    login = login or settings.login(username)
    carrier = transport or Transport(settings.environment.network)
    return Org(
        login,
        carrier,
        api_version=settings.api_version(login),
        renew=_renewal(settings, login, carrier),
        owns_transport=transport is None,
    )


def log_in(
    settings: Settings,
    app_name: str | None = None,
    *,
    flow: str | None = None,
    login_url: str | None = None,
    transport: Transport | None = None,
) -> Login:
    """Logs in with an app and keeps the login."""
    app = settings.app(app_name)
    if login_url:
        app = replace(app, login_url=normal_login_url(login_url, app.name))
    with _carrier(settings, transport) as carrier:
        login = auth.converse(auth.start(app, auth.choose_flow(app, flow)), carrier.send)
    settings.logins.save(login)
    return login


def log_out(settings: Settings, username: str | None = None, *, transport: Transport | None = None) -> Login:
    """Ends a stored login at Salesforce and forgets it here, even where Salesforce cannot be reached."""
    login = settings.login(username)
    if settings.logins.get(login.username) is None:
        raise ConfigError("This login comes from the environment.", hint="Unset LHT_SALESFORCE_ACCESS_TOKEN.")
    with _carrier(settings, transport) as carrier:
        try:
            auth.converse(auth.revoke(login), carrier.send)
        except SalesforceError as error:
            _log.warning("token not revoked", extra={"reason": error.message})
        finally:
            settings.logins.forget(login.username)
    return login


def _renewal(settings: Settings, login: Login, transport: Transport) -> Callable[[Login], Login] | None:
    """How a login is renewed; None for a token that somebody else fetched."""
    if login.flow == auth.ENVIRONMENT or login.app is None:
        return None

    def renew(old: Login) -> Login:
        app = _app_of(settings, old)
        new = auth.converse(auth.start(app, old.flow), transport.send)
        if new.username.lower() != old.username.lower():
            raise LoginRejectedError(
                f"The app '{app.name}' now runs as {new.username}, no longer as {old.username}.",
                hint="Run 'lht login'.",
            )
        _keep(settings, new)
        return new

    return renew


def _app_of(settings: Settings, login: Login) -> App:
    """The app that a login came from, at the host it came from."""
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
def _carrier(settings: Settings, transport: Transport | None) -> Iterator[Transport]:
    carrier = transport or Transport(settings.environment.network)
    try:
        yield carrier
    finally:
        if transport is None:
            carrier.close()
