"""What an app and a login are, and which flow an app logs in with."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lht.errors import ConfigError
from lht.sfdc.messages import Request, Response

if TYPE_CHECKING:
    from datetime import datetime

WEB = "web"
JWT = "jwt"
CLIENT_CREDENTIALS = "client-credentials"
SF_CLI = "sf-cli"
ENVIRONMENT = "environment"
FLOWS = (WEB, JWT, CLIENT_CREDENTIALS, SF_CLI)
PRODUCTION = "https://login.salesforce.com"
SANDBOX = "https://test.salesforce.com"


@dataclass(frozen=True, slots=True)
class App:
    """A Salesforce app as connections.toml names it.

    `audience` is whom a JWT is addressed to, where it is not the login host. An app without a client id is one of the
    Salesforce CLI's.
    """

    name: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    login_url: str = PRODUCTION
    flow: str | None = None
    username: str | None = None
    private_key_path: str | None = None
    redirect_uri: str | None = None
    api_version: str | None = None
    sandbox: bool = False
    audience: str | None = None

    @property
    def is_on_common_host(self) -> bool:
        """Whether it logs in at a host that all orgs share, not at its org's own."""
        return self.login_url in {PRODUCTION, SANDBOX}


@dataclass(frozen=True, slots=True)
class Login:
    """A session with an org. `org_id` and `username` may be empty where only a token was given."""

    username: str
    instance_url: str
    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    org_id: str = ""
    user_id: str = ""
    app: str | None = None
    flow: str = ENVIRONMENT
    issued_at: datetime | None = None
    login_url: str = ""


Flow = Generator[Request, Response, Login]


def choose_flow(app: App, asked: str | None = None) -> str:
    """The flow for an app: as asked, as configured, or what its keys allow."""
    flow = normal_flow(asked or app.flow or _likely_flow(app))
    if flow not in FLOWS:
        raise ConfigError(f"There is no flow '{flow}'.", hint=f"The flows are {', '.join(FLOWS)}.")
    return flow


def normal_flow(flow: str) -> str:
    """A flow's name as LHT spells it, whatever people wrote."""
    return flow.strip().lower().replace("_", "-")


def _likely_flow(app: App) -> str:
    if app.private_key_path:
        return JWT
    return CLIENT_CREDENTIALS if app.client_secret and not app.is_on_common_host else WEB
