"""Logging in and out. A flow yields requests and is handed the responses; it owns no socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urlsplit

from lht.errors import ConfigError, LhtError, LoginRejectedError
from lht.sfdc.ids import to_18
from lht.sfdc.messages import Headers, Request, Response, check_url
from lht.sfdc.wire import ErrorContext, parse_datetime, read_error, translate_error

if TYPE_CHECKING:
    from datetime import datetime

T = TypeVar("T")

CLIENT_CREDENTIALS = "client-credentials"
ENVIRONMENT = "environment"
FLOWS = ("web", "jwt", CLIENT_CREDENTIALS, "sf-cli")
PRODUCTION = "https://login.salesforce.com"
SANDBOX = "https://test.salesforce.com"

_TIMEOUT_S = 60.0
_HINTS = {
    "request not supported on this domain": "Set my_domain (or login_url) of the app to the org's own My Domain.",
    "no client credentials user enabled": "Give the app a run-as user, and enable its client credentials flow.",
    "client identifier invalid": "Check CLIENT_ID, and that login_url or my_domain is this app's org.",
    "invalid client credentials": "Check CLIENT_SECRET.",
    "ip restricted": "The user's profile or the app restricts the addresses to log in from.",
}


@dataclass(frozen=True, slots=True)
class App:
    """A Salesforce app as connections.toml names it."""

    name: str
    client_id: str
    client_secret: str = field(default="", repr=False)
    login_url: str = PRODUCTION
    flow: str | None = None
    username: str | None = None
    private_key_path: str | None = None
    redirect_uri: str | None = None
    api_version: str | None = None


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


def converse(flow: Generator[Request, Response, T], send: Callable[[Request], Response]) -> T:
    """Carries a flow's requests out until it ends; gives what it ends with."""
    request = next(flow)
    while True:
        try:
            request = flow.send(send(request))
        except StopIteration as end:
            result: T = end.value
            return result


def choose_flow(app: App, asked: str | None = None) -> str:
    """The flow for an app: as asked, as configured, or what its keys allow."""
    flow = asked or app.flow
    if flow is None:
        has_secret_and_domain = bool(app.client_secret) and app.login_url not in {PRODUCTION, SANDBOX}
        flow = CLIENT_CREDENTIALS if has_secret_and_domain else "web"
    flow = flow.strip().lower().replace("_", "-")
    if flow not in FLOWS:
        raise ConfigError(f"There is no flow '{flow}'.", hint=f"The flows are {', '.join(FLOWS)}.")
    return flow


def start(app: App, flow: str) -> Flow:
    """Begins a flow; one that this version lacks is refused before anything is sent."""
    if flow != CLIENT_CREDENTIALS:
        raise ConfigError(
            f"The {flow} flow is not available yet (app '{app.name}').",
            hint=(
                "Client credentials work: enable them in the app with a run-as user, set CLIENT_SECRET, my_domain "
                f"and flow = \"{CLIENT_CREDENTIALS}\" in [{app.name}] of connections.toml, then run 'lht login'."
            ),
        )
    if not app.client_secret:
        raise ConfigError(f"The app '{app.name}' has no CLIENT_SECRET.", hint="Client credentials need it.")
    if app.login_url in {PRODUCTION, SANDBOX}:
        raise ConfigError(
            f"Client credentials do not work on {app.login_url} (app '{app.name}').",
            hint=f'Set my_domain = "mycompany.my.salesforce.com" in [{app.name}] of connections.toml.',
        )
    return client_credentials(app)


def client_credentials(app: App) -> Flow:
    """Asks for a token in the app's own name, then for the name of the user it runs as."""
    form = {
        "grant_type": "client_credentials",
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    answer = yield _post(app.login_url, "token", form, repeat=True)
    login = _read_token(app, CLIENT_CREDENTIALS, answer)
    answer = yield _get_user_info(login)
    return _with_user(app, login, answer)


def revoke(login: Login) -> Generator[Request, Response, None]:
    """Ends a session at Salesforce. A token that is dead already is no error."""
    token = login.refresh_token or login.access_token
    answer = yield _post(login.login_url or login.instance_url, "revoke", {"token": token}, repeat=True)
    if not answer.is_success and read_error(answer.status, answer.body).code not in {
        "invalid_token",
        "unsupported_token_type",
    }:
        raise translate_error(answer.status, answer.body, ErrorContext("Logging out"))


def _post(host: str, endpoint: str, form: dict[str, str], *, repeat: bool) -> Request:
    headers = Headers({"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"})
    url = check_url(f"{host.rstrip('/')}/services/oauth2/{endpoint}")
    return Request("POST", url, headers, urlencode(form).encode(), _TIMEOUT_S, repeat=repeat)


def _get_user_info(login: Login) -> Request:
    headers = Headers({"Authorization": f"Bearer {login.access_token}", "Accept": "application/json"})
    return Request("GET", f"{login.instance_url}/services/oauth2/userinfo", headers, None, _TIMEOUT_S)


def _read_token(app: App, flow: str, answer: Response) -> Login:
    if not answer.is_success:
        raise _rejection(app, answer)
    body = answer.json()
    if not isinstance(body, dict) or not body.get("access_token") or not body.get("instance_url"):
        raise LoginRejectedError(
            f"The login of app '{app.name}' brought no token.", hint="Is login_url a Salesforce address?"
        )
    org_id, user_id = _identity(str(body.get("id") or ""))
    issued_at = body.get("issued_at")
    return Login(
        username="",
        instance_url=check_url(str(body["instance_url"]).rstrip("/")),
        access_token=str(body["access_token"]),
        refresh_token=str(body["refresh_token"]) if body.get("refresh_token") else None,
        org_id=org_id,
        user_id=user_id,
        app=app.name,
        flow=flow,
        issued_at=parse_datetime(issued_at) if issued_at else answer.date,
        login_url=app.login_url,
    )


def _rejection(app: App, answer: Response) -> LhtError:
    """A refused login, or the failure of a server that could not decide."""
    error = read_error(answer.status, answer.body)
    if answer.status >= 500 or answer.status == 429:  # noqa: PLR2004
        return translate_error(answer.status, answer.body, ErrorContext(f"The login of app '{app.name}'"))
    hint = next((hint for text, hint in _HINTS.items() if text in error.message.lower()), "")
    return LoginRejectedError(
        f"The login of app '{app.name}' at {app.login_url} was refused: {error.code}: {error.message}",
        hint=hint or "Check the app's keys in connections.toml.",
    )


def _identity(url: str) -> tuple[str, str]:
    """Org and user id from the identity URL …/id/00D…/005…; empty where it tells none."""
    parts = urlsplit(url).path.strip("/").split("/")
    if len(parts) < 3 or parts[-3] != "id":  # noqa: PLR2004
        return "", ""
    try:
        return to_18(parts[-2]), to_18(parts[-1])
    except ValueError:
        return "", ""


def _with_user(app: App, login: Login, answer: Response) -> Login:
    """Adds who the session belongs to; logins are kept by user name, so one must be known."""
    user = _json_object(answer)
    username = str(user.get("preferred_username") or app.username or "")
    if not username:
        error = read_error(answer.status, answer.body)
        raise LoginRejectedError(
            f"The login of app '{app.name}' worked, but Salesforce does not tell its user: {error.message}",
            hint=f"Give the app the scope 'openid' or 'id', or set username in [{app.name}] of connections.toml.",
        )
    return replace(
        login,
        username=username,
        org_id=_org_id(user) or login.org_id,
        user_id=str(user.get("user_id") or login.user_id),
    )


def _json_object(answer: Response) -> dict[str, Any]:
    if not answer.is_success:
        return {}
    try:
        body = json.loads(answer.body)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _org_id(user: dict[str, Any]) -> str:
    try:
        return to_18(str(user.get("organization_id") or ""))
    except ValueError:
        return ""
