"""Tries connections: whether a login or a warehouse answers, and what to type where it does not."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lht.app import access
from lht.errors import LhtError
from lht.model.operations import ConnectionTest
from lht.sfdc import rest

if TYPE_CHECKING:
    from lht.config.connections import WarehouseConnection
    from lht.config.settings import Settings
    from lht.model.operations import ConnectionInfo

LOGIN_TIMEOUT_S = 20
"""How long a person waits for a Snowflake that cannot be reached, unless the connection says otherwise."""


def tested(settings: Settings, info: ConnectionInfo) -> ConnectionInfo:
    """Tries what a connection is for; an app is tried by logging in, which is not done behind a user's back."""
    if info.kind == "app":
        return info
    began = time.monotonic()
    try:
        finding, fix = (
            _try_login(settings, info.name) if info.kind == "login" else _try_warehouse(settings, info.name)
        )
        test = ConnectionTest(ok=True, finding=finding, fix=fix, seconds=_since(began))
    except LhtError as error:
        test = ConnectionTest(
            ok=False, finding=error.message, fix=error.hint, seconds=_since(began), code=error.code
        )
    return replace(info, test=test, ok=test.ok, finding=test.finding)


def _since(began: float) -> float:
    return round(time.monotonic() - began, 2)


def _try_login(settings: Settings, username: str) -> tuple[str, str]:
    with access.open_org(settings, username) as org:
        token = org.login.access_token
        remaining = rest.limits(org).get("DailyApiRequests", {}).get("Remaining")
        state = "renewed" if org.login.access_token != token else "good"
        return f"{state}; API {org.api_version}, {remaining} API requests left today", ""


def _try_warehouse(settings: Settings, name: str) -> tuple[str, str]:
    found = settings.warehouse(name)
    return _try_snowflake(settings, found) if found.type == "snowflake" else _try_duckdb(settings, found)


def _try_duckdb(settings: Settings, found: WarehouseConnection) -> tuple[str, str]:
    """Opens the file. One that is not there yet is not made for a test."""
    path = Path(str(found.path))
    if access.missing_file(settings, found.name) and path.parent.is_dir():
        return f"{path.name} is not there yet; the first run makes it", ""
    with access.open_target(settings, found.name) as target:
        target.warehouse.now()
        return target.warehouse.description, ""


def _try_snowflake(settings: Settings, found: WarehouseConnection) -> tuple[str, str]:
    hasty = replace(found, options={"login_timeout": LOGIN_TIMEOUT_S, **found.options})
    target = access.connect_snowflake(settings, hasty)
    from lht.warehouse.snowflake.checks import Session, check_login  # noqa: PLC0415 - no driver without need

    keys = ("role", "warehouse", "database", "schema")
    options = {**found.options, "schema": found.schema}
    wanted = Session(**{key: str(options.get(key) or "") for key in keys})
    try:
        return check_login(target.warehouse, wanted)
    finally:
        target.warehouse.close()
