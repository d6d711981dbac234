"""Configuration and logins: what a user does before anything else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lht.app import access
from lht.config import orgs
from lht.config.template import write_template
from lht.errors import LhtError
from lht.model.operations import ConnectionInfo, InitResult, LoginResult, LogoutResult
from lht.sfdc import rest

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


def list_connections(settings: Settings, *, test: bool = False) -> tuple[ConnectionInfo, ...]:
    """Gives the apps, warehouses and logins that are configured; `test` opens warehouses and tries logins."""
    listed = [
        ConnectionInfo(
            entry.name, "app" if entry.kind == "salesforce" else entry.kind, entry.description, entry.flow
        )
        for entry in settings.summaries()
    ]
    listed += [
        ConnectionInfo(name, "login", login.instance_url, login.flow)
        for name, login in settings.logins.all().items()
    ]
    return tuple(_tested(settings, info) if test else info for info in listed)


def _tested(settings: Settings, info: ConnectionInfo) -> ConnectionInfo:
    """Tries what a connection is for; an app is tried by logging in, which is not done behind a user's back."""
    if info.kind == "app":
        return info
    try:
        finding = (
            _try_login(settings, info.name) if info.kind == "login" else _try_warehouse(settings, info.name)
        )
    except LhtError as error:
        return replace(info, ok=False, finding=str(error))
    return replace(info, ok=True, finding=finding)


def _try_login(settings: Settings, username: str) -> str:
    with access.open_org(settings, username) as org:
        token = org.login.access_token
        remaining = rest.limits(org).get("DailyApiRequests", {}).get("Remaining")
        state = "renewed" if org.login.access_token != token else "good"
        return f"{state}; API {org.api_version}, {remaining} API requests left today"


def _try_warehouse(settings: Settings, name: str) -> str:
    with access.open_target(settings, name) as target:
        target.warehouse.now()
        return target.warehouse.description
