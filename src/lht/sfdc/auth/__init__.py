"""Logging in and out. A flow yields requests and is handed the responses; it owns no socket.

`values` holds what a login is, `tokens` the talk with the token endpoint, and `web`, `jwt`, `sf_cli` what is special
about each flow. Two modules touch the machine: `listener` waits for the browser, `sf_cli` runs a program.
"""

from __future__ import annotations

from lht.sfdc.auth.tokens import (
    client_credentials,
    confirm,
    converse,
    is_alive,
    refresh,
    revoke,
)
from lht.sfdc.auth.values import (
    CLIENT_CREDENTIALS,
    ENVIRONMENT,
    FLOWS,
    JWT,
    PRODUCTION,
    SANDBOX,
    SF_CLI,
    WEB,
    App,
    Flow,
    Login,
    choose_flow,
    normal_flow,
)

__all__ = [
    "CLIENT_CREDENTIALS",
    "ENVIRONMENT",
    "FLOWS",
    "JWT",
    "PRODUCTION",
    "SANDBOX",
    "SF_CLI",
    "WEB",
    "App",
    "Flow",
    "Login",
    "choose_flow",
    "client_credentials",
    "confirm",
    "converse",
    "is_alive",
    "normal_flow",
    "refresh",
    "revoke",
]
