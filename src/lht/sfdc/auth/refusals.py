"""What a refused login means, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.errors import LhtError, LoginRejectedError
from lht.sfdc.wire import ErrorContext, read_error, translate_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lht.sfdc.auth.values import App
    from lht.sfdc.messages import Response

_MASK = "***"
_SHORTEST_SECRET = 4
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_PRE_AUTHORISE = (
    "In the org's Setup, open the app's policies: set Permitted Users to 'Admin approved users are "
    "pre-authorized', and assign the app to a permission set (or profile) of the user."
)
_HINTS = {
    "request not supported on this domain": "Set my_domain (or login_url) of the app to the org's own My Domain.",
    "no client credentials user enabled": "Give the app a run-as user, and enable its client credentials flow.",
    "client identifier invalid": "Check CLIENT_ID, and that login_url or my_domain is this app's org.",
    "invalid client credentials": "Check CLIENT_SECRET.",
    "invalid_client": "Check CLIENT_SECRET.",
    "ip restricted": "The user's profile or the app restricts the addresses to log in from, or the hours.",
    "user hasn't approved this consumer": f"{_PRE_AUTHORISE} Or let the user log in once with: lht login --flow web",
    "not admin approved": _PRE_AUTHORISE,
    "invalid_app_access": _PRE_AUTHORISE,
    "audience": "Set audience in the app's table to https://login.salesforce.com, https://test.salesforce.com or the "
    "org's My Domain, whichever the org accepts; and check sandbox.",
    "invalid assertion": "Is the certificate of private_key_path the one uploaded to the app (Use digital signatures), "
    "is username right, and this machine's clock?",
    "expired authorization code": "The login took too long, or its answer was used twice. Run 'lht login' again.",
    "invalid authorization code": "The answer belongs to another login, or was used already. Run 'lht login' again.",
    "code verifier": "The answer belongs to another login. Run 'lht login' again.",
    "redirect_uri": "redirect_uri must be, to the letter, a callback URL of the app.",
    "expired access/refresh token": "The login expired or was revoked. Run 'lht login'.",
    "grant type not supported": "Enable this flow in the app's settings.",
    "unsupported_grant_type": "Enable this flow in the app's settings.",
    "invalid_scope": "Give the app the scopes api, id and refresh_token.",
    "inactive": "The user or the org is not active.",
    "oauth_app_blocked": "An administrator blocked the app: Setup > Connected Apps OAuth Usage.",
    "oauth_app_access_denied": "The user may not use the app: ask an administrator to install or approve it.",
    "access_denied": "Run 'lht login' again and allow the access.",
    "rate_limit_exceeded": "Too many logins in a short time: wait a while.",
}


def refusal(app: App, answer: Response, secrets: Iterable[str] = ()) -> LhtError:
    """A refused login, or the failure of a server that could not decide. What was sent in secret is not shown."""
    if answer.status >= _SERVER_ERROR or answer.status == _TOO_MANY_REQUESTS:
        return translate_error(answer.status, answer.body, ErrorContext(f"The login of app '{app.name}'"))
    error = read_error(answer.status, answer.body)
    return rejected(app, error.code, error.message, secrets)


def rejected(app: App, code: str, message: str, secrets: Iterable[str] = ()) -> LoginRejectedError:
    """The error of a login that Salesforce refused with this code and text."""
    told = f"{code}: {message}" if code and message else code or message
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            told = told.replace(secret, _MASK)
    text = told.lower().replace("access-denied", "access_denied")
    hint = next((hint for words, hint in _HINTS.items() if words in text), "")
    return LoginRejectedError(
        f"The login of app '{app.name}' at {app.login_url} was refused: {told}",
        hint=hint or "Check the app's keys in connections.toml.",
    )
