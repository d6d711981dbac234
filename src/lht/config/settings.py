"""All that a command needs to know before it opens anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lht.config.connections import Connections, ConnectionSummary, WarehouseConnection, load_connections
from lht.config.environment import Environment, read_environment
from lht.config.files import find_directory
from lht.config.logins import FILE as LOGINS_FILE
from lht.config.logins import KeyringVault, LoginStore
from lht.config.project import Project, load_project
from lht.config.suggest import did_you_mean
from lht.errors import ConfigError, SessionExpiredError, UnknownConnectionError
from lht.sfdc.auth import ENVIRONMENT, SF_CLI, App, Login, normal_flow
from lht.sfdc.messages import check_url
from lht.sfdc.wire import LOG_IN, NOT_LOGGED_IN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Files and environment as one value. Names are looked up as flag > environment > file."""

    cwd: Path
    directory: Path
    environment: Environment
    connections: Connections
    logins: LoginStore

    @property
    def salesforce_apps(self) -> tuple[str, ...]:
        return self.connections.app_names

    def apps_for(self, flow: str | None) -> tuple[str, ...]:
        """The apps to choose from. For the Salesforce CLI's logins those that say so: it needs none of the others."""
        is_sf_cli = flow is not None and normal_flow(flow) == SF_CLI
        return self.connections.apps_of(SF_CLI) if is_sf_cli else self.salesforce_apps

    @property
    def warehouses(self) -> tuple[str, ...]:
        return self.connections.warehouse_names

    def warnings(self) -> tuple[str, ...]:
        """Sentences that people should read, about unknown keys and files that are too open."""
        return (*self.connections.warnings, *self.logins.warnings())

    def summaries(self) -> tuple[ConnectionSummary, ...]:
        return self.connections.summaries()

    def app(self, name: str | None = None) -> App:
        """A Salesforce app; the environment's API version goes over the file's."""
        app = self.connections.app(name)
        return replace(app, api_version=self.environment.api_version or app.api_version)

    def warehouse(self, name: str | None = None, *, schema: str | None = None) -> WarehouseConnection:
        """A warehouse by name, URL or default, with the schema that flag, environment or file name."""
        found = self.connections.warehouse(name)
        return replace(found, schema=schema or self.environment.schema or found.schema)

    def warehouse_kind(self, name: str | None = None) -> str:
        """Duckdb or snowflake, for who needs to know no more."""
        return self.connections.warehouse_kind(name)

    def project(self) -> Project:
        return load_project(self.cwd)

    def login(self, username: str | None = None) -> Login:
        """The login to use: the named user's, else the environment's token, else the only one there is."""
        asked = username or self.environment.username
        stored = self.logins.get(asked) if asked else None
        if stored:
            return stored
        if self.environment.access_token and self.environment.instance_url:
            return self._given_login(asked)
        return self._unknown_login(asked) if asked else self._only_login()

    def api_version(self, login: Login) -> str | None:
        """The API version that is fixed for a login's app, if any."""
        if self.environment.api_version:
            return self.environment.api_version
        if login.app in self.salesforce_apps:
            return self.app(login.app).api_version
        return None

    def _given_login(self, asked: str | None) -> Login:
        token, url = self.environment.access_token or "", self.environment.instance_url or ""
        return given_login(token, url, username=asked or "")

    def _unknown_login(self, asked: str) -> Login:
        names = self.logins.names()
        if not names:
            raise SessionExpiredError(NOT_LOGGED_IN, hint=LOG_IN)
        raise UnknownConnectionError(
            f"{asked} is not logged in.", hint=f"{did_you_mean(asked, names)} Or run 'lht login'."
        )

    def _only_login(self) -> Login:
        names = self.logins.names()
        login = self.logins.get(names[0]) if len(names) == 1 else None
        if login:
            return login
        if not names:
            raise SessionExpiredError(NOT_LOGGED_IN, hint=LOG_IN)
        raise ConfigError(
            "There are several logins: which user?", hint=f"Name one with --username: {', '.join(names)}."
        )


def given_login(access_token: str, instance_url: str, *, username: str = "") -> Login:
    """A login made of a token that somebody else fetched; it cannot be renewed."""
    url = instance_url if "://" in instance_url else f"https://{instance_url}"
    return Login(username, check_url(url.rstrip("/")), access_token, flow=ENVIRONMENT)


def load_settings(cwd: Path, environ: Mapping[str, str]) -> Settings:
    """Reads everything but lht.toml, which only `sync` needs."""
    cwd = cwd.absolute()
    environment = read_environment(environ)
    directory = find_directory(cwd, environ)
    vault = KeyringVault() if environment.has_keyring else None
    return Settings(
        cwd=cwd,
        directory=directory,
        environment=environment,
        connections=load_connections(directory, environment, cwd),
        logins=LoginStore(directory / LOGINS_FILE, vault),
    )
