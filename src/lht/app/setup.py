"""Configuration and logins: what a user does before anything else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lht.app import checking
from lht.config import orgs
from lht.config.suggest import did_you_mean
from lht.config.template import write_template
from lht.errors import UnknownConnectionError
from lht.model.operations import ConnectionInfo, InitResult, LoginResult, LogoutResult

if TYPE_CHECKING:
    from lht.config.flows import Person
    from lht.config.settings import Settings


def init(directory: Path | None = None) -> InitResult:
    """Writes a commented connections.toml; one that exists is an error, and is left alone."""
    return InitResult(str(write_template(directory or Path.cwd())), created=True)


def login(
    settings: Settings,
    app: str | None = None,
    *,
    flow: str | None = None,
    login_url: str | None = None,
    person: Person | None = None,
) -> LoginResult:
    """Logs in with an app of connections.toml and keeps the login; `person` is who answers in a browser."""
    login = orgs.log_in(settings, app, flow=flow, login_url=login_url, person=person)
    return LoginResult(login.username, login.instance_url, login.org_id, login.app, login.flow)


def logout(settings: Settings, username: str | None = None) -> LogoutResult:
    """Ends a login at Salesforce and forgets it here."""
    ended = orgs.log_out(settings, username)
    login = ended.login
    return LogoutResult(
        login.username,
        login.instance_url,
        login.org_id,
        login.app,
        login.flow,
        revoked=not ended.kept,
        reason=ended.kept,
    )


def list_connections(
    settings: Settings, *, test: bool = False, name: str | None = None
) -> tuple[ConnectionInfo, ...]:
    """Gives the apps, warehouses and logins that are configured, or the one that is named.

    `test` opens warehouses and tries logins; one that fails stops no other.
    """
    listed = [
        ConnectionInfo(
            entry.name, "app" if entry.kind == "salesforce" else entry.kind, entry.description, entry.flow
        )
        for entry in settings.summaries()
    ]
    listed += [
        ConnectionInfo(username, "login", login.instance_url, login.flow)
        for username, login in settings.logins.all().items()
    ]
    if name is not None:
        listed = _named(settings, listed, name)
    return tuple(checking.tested(settings, info) if test else info for info in listed)


def _named(settings: Settings, listed: list[ConnectionInfo], name: str) -> list[ConnectionInfo]:
    """The connections of a name, in whatever letter case. One that is written in variables only is a warehouse."""
    found = [info for info in listed if info.name.lower() == name.lower()]
    if found:
        return found
    try:
        kind = settings.warehouse_kind(name)
    except UnknownConnectionError as error:
        raise UnknownConnectionError(
            f"There is no connection '{name}'.", hint=did_you_mean(name, [info.name for info in listed])
        ) from error
    return [ConnectionInfo(name, kind, settings.warehouse(name).description)]
