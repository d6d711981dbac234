"""The talk with the token endpoint: tokens asked for, renewed, confirmed and revoked."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urlsplit

from lht.errors import ConfigError, LoginRejectedError
from lht.sfdc.auth.refusals import refusal
from lht.sfdc.auth.values import CLIENT_CREDENTIALS, App, Flow, Login
from lht.sfdc.ids import to_18
from lht.sfdc.messages import Headers, Request, Response, check_url
from lht.sfdc.wire import ErrorContext, parse_datetime, read_error, translate_error

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

T = TypeVar("T")

_TIMEOUT_S = 60.0
_SECRETS = ("client_secret", "code", "code_verifier", "refresh_token", "assertion")
_DEAD = frozenset({401, 403})
_GONE = frozenset({"invalid_token", "unsupported_token_type"})


def converse(flow: Generator[Request, Response, T], send: Callable[[Request], Response]) -> T:
    """Carries a flow's requests out until it ends; gives what it ends with."""
    try:
        request = next(flow)
        while True:
            request = flow.send(send(request))
    except StopIteration as end:
        result: T = end.value
        return result


def client_credentials(app: App) -> Flow:
    """Asks for a token in the app's own name, then for the name of the user it runs as."""
    if not app.client_secret:
        raise ConfigError(f"The app '{app.name}' has no CLIENT_SECRET.", hint="Client credentials need it.")
    if app.is_on_common_host:
        raise ConfigError(
            f"Client credentials do not work on {app.login_url} (app '{app.name}').",
            hint=f'Set my_domain = "mycompany.my.salesforce.com" in [{app.name}] of connections.toml.',
        )
    login = yield from ask_token(app, CLIENT_CREDENTIALS, {"grant_type": "client_credentials"}, repeat=True)
    return (yield from confirm(app, login))


def refresh(app: App, login: Login) -> Flow:
    """Renews a login by its refresh token. Where the org rotates these, the new one is in the login that it gives."""
    if not login.refresh_token:
        raise LoginRejectedError(
            f"The login of {login.username} has no refresh token.",
            hint="Give the app the scope refresh_token, then run 'lht login'.",
        )
    form = {"grant_type": "refresh_token", "refresh_token": login.refresh_token}
    new = yield from ask_token(app, login.flow, form, repeat=True)
    return replace(
        new,
        username=login.username,
        refresh_token=new.refresh_token or login.refresh_token,
        org_id=new.org_id or login.org_id,
        user_id=new.user_id or login.user_id,
    )


def ask_token(
    app: App, flow: str, form: Mapping[str, str], *, repeat: bool, is_signed: bool = False
) -> Generator[Request, Response, Login]:
    """Asks for a token and reads it; whose it is stays open. `is_signed`: the form itself proves who is asking."""
    client = {} if is_signed else {"client_id": app.client_id, "client_secret": app.client_secret}
    form = {**form, **{key: value for key, value in client.items() if value}}
    answer = yield post(app.login_url, "token", form, repeat=repeat)
    if not answer.is_success:
        raise refusal(app, answer, [form[key] for key in _SECRETS if key in form])
    return read_token(app, flow, answer)


def confirm(app: App, login: Login) -> Flow:
    """Asks whose a new session is."""
    answer = yield get_user_info(login)
    return with_user(app, login, answer)


def is_alive(login: Login) -> Generator[Request, Response, bool]:
    """Whether a token that somebody else fetched is still good, as far as Salesforce tells."""
    return not is_dead((yield get_user_info(login)))


def is_dead(answer: Response) -> bool:
    """Whether Salesforce calls a token dead that it was asked about."""
    return answer.status in _DEAD and "bad_oauth_token" in answer.text.lower()


def revoke(login: Login) -> Generator[Request, Response, None]:
    """Ends a session at Salesforce, and what could renew it first. A token that is dead already is no error."""
    host = login.login_url or login.instance_url
    for token in (login.refresh_token, login.access_token):
        if token:
            _check_revoked((yield post(host, "revoke", {"token": token}, repeat=True)))


def _check_revoked(answer: Response) -> None:
    if not answer.is_success and read_error(answer.status, answer.body).code not in _GONE:
        raise translate_error(answer.status, answer.body, ErrorContext("Logging out"))


def post(host: str, endpoint: str, form: Mapping[str, str], *, repeat: bool) -> Request:
    """A call of one of the OAuth endpoints."""
    headers = Headers({"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"})
    url = check_url(f"{host.rstrip('/')}/services/oauth2/{endpoint}")
    return Request("POST", url, headers, urlencode(form).encode(), _TIMEOUT_S, repeat=repeat)


def get_user_info(login: Login) -> Request:
    """A call that tells whose a session is."""
    headers = Headers({"Authorization": f"Bearer {login.access_token}", "Accept": "application/json"})
    return Request("GET", f"{login.instance_url}/services/oauth2/userinfo", headers, None, _TIMEOUT_S)


def read_token(app: App, flow: str, answer: Response) -> Login:
    """Reads a token; whose it is stays open."""
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


def _identity(url: str) -> tuple[str, str]:
    """Org and user id from the identity URL …/id/00D…/005…; empty where it tells none."""
    parts = urlsplit(url).path.strip("/").split("/")
    if len(parts) < 3 or parts[-3] != "id":  # noqa: PLR2004
        return "", ""
    try:
        return to_18(parts[-2]), to_18(parts[-1])
    except ValueError:
        return "", ""


def with_user(app: App, login: Login, answer: Response) -> Login:
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
