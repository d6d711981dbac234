"""The token of a login that the Salesforce CLI (`sf`) holds; the only module that runs a program.

Newer versions of the CLI mask the token in what `org display` prints, and have a command of its own for it.
https://developer.salesforce.com/docs/atlas.en-us.sfdx_dev.meta/sfdx_dev/sfdx_dev_auth_view_secrets.htm
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lht.errors import AuthError, LoginRejectedError
from lht.sfdc.auth.tokens import get_user_info, is_dead, with_user
from lht.sfdc.auth.values import SF_CLI, App, Flow, Login
from lht.sfdc.ids import to_18
from lht.sfdc.messages import check_url
from lht.sfdc.redact import redact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROGRAM = "sf"
_PATIENCE_S = 120.0
_TOKEN = re.compile(r"00D[A-Za-z0-9]{9,15}![\x21-\x7e]+")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_PLAIN = {"NO_COLOR": "1", "FORCE_COLOR": "0", "SF_SKIP_NEW_VERSION_CHECK": "true"}
_NO_DEFAULT = "default"
_LONGEST_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class SalesforceCli:
    """The program on this machine. `variables` is the environment that it runs in."""

    variables: Mapping[str, str] = field(repr=False)
    patience_s: float = _PATIENCE_S

    def login(self, app: App, target: str | None = None) -> Login:
        """Reads what the CLI holds for an org (a user name or alias; else its default org), renewed if need be."""
        shown = self._ask(["org", "display", *_target(target)])
        username, url = str(shown.get("username") or ""), str(shown.get("instanceUrl") or "")
        if not username or not url:
            raise AuthError(
                "The Salesforce CLI tells no user and no address of its org.", hint=_log_in(target)
            )
        token = shown.get("accessToken")
        if not _is_token(token):
            token = self._ask(["org", "auth", "show-access-token", *_target(username)]).get("accessToken")
        if not _is_token(token):
            raise AuthError(
                f"The Salesforce CLI gives no access token of {username}.",
                hint=f"Update it (sf update), or log in anew: {_log_in(target)}",
            )
        return Login(
            username=username,
            instance_url=check_url(url.rstrip("/")),
            access_token=str(token),
            org_id=_org_id(str(shown.get("id") or "")),
            app=app.name or None,
            flow=SF_CLI,
            login_url=check_url(url.rstrip("/")),
        )

    def _ask(self, words: Sequence[str]) -> dict[str, Any]:
        """Runs a command and gives its result. Nothing that it printed is shown but the message of its error."""
        program = shutil.which(PROGRAM, path=self.variables.get("PATH"))
        if program is None:
            raise AuthError(
                "The Salesforce CLI is not installed, or its program 'sf' is not on the PATH.",
                hint="Install it, and log in with it: sf org login web. Or use another flow: lht login --flow web",
            )
        try:
            done = subprocess.run(  # noqa: S603  # fixed words, and a name that is no option
                [program, *words, "--json"],
                env={**self.variables, **_PLAIN},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.patience_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise AuthError(f"'{_said(words)}' did not end within {self.patience_s:g} s.") from None
        except OSError as error:
            raise AuthError(f"{program} cannot be run: {error.strerror}.") from None
        return _read(words, done.returncode, done.stdout or done.stderr)


def adopt(app: App, login: Login) -> Flow:
    """Makes sure that the CLI's token is good, and whose it is."""
    answer = yield get_user_info(login)
    if is_dead(answer):
        raise LoginRejectedError(
            f"The Salesforce CLI's login of {login.username} has expired or was revoked.",
            hint=_log_in(login.username),
        )
    _refuse_another_host(app, login)
    return with_user(replace(app, username=login.username), login, answer)


def _refuse_another_host(app: App, login: Login) -> None:
    """An app that names its org's own host is not to get the token of another org."""
    asked, got = urlsplit(app.login_url).hostname, urlsplit(login.instance_url).hostname
    if not app.is_on_common_host and asked != got:
        raise LoginRejectedError(
            f"The Salesforce CLI's login of {login.username} is for {got}, not for {asked}.",
            hint=f"Name the right user or alias as username in the app's table, or run: sf org login web "
            f"--instance-url {app.login_url}",
        )


def _read(words: Sequence[str], code: int, printed: bytes) -> dict[str, Any]:
    body = _parsed(_COLOUR.sub("", printed.decode("utf-8", "replace")))
    if body is None:
        raise AuthError(
            f"'{_said(words)}' ended with {code} and printed no JSON.", hint="Does it work in the terminal?"
        )
    result = body.get("result")
    if code or body.get("status") or not isinstance(result, dict):
        name, message = str(body.get("name") or ""), redact(str(body.get("message") or ""))[:_LONGEST_MESSAGE]
        told = f"{name}: {message}".strip(": ")
        raise AuthError(
            f"'{_said(words)}' failed: {told or f'it ended with {code}'}", hint=_hint(name, words)
        )
    return result


def _parsed(text: str) -> dict[str, Any] | None:
    """The JSON document in what was printed; warnings may stand around it."""
    start, end = text.find("{"), text.rfind("}")
    try:
        body = json.loads(text[start : end + 1])
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _hint(name: str, words: Sequence[str]) -> str:
    if _NO_DEFAULT in name.lower():
        return (
            "Name the org: username in the app's table of connections.toml (a user name or an alias), LHT_USERNAME, "
            "or sf config set target-org NAME."
        )
    return (
        f"'sf org list' shows what it knows. Log in with it: {_log_in(words[-1] if '-o' in words else None)}"
    )


def _target(target: str | None) -> list[str]:
    if target and target.startswith("-"):
        raise AuthError(f"'{target}' is no user name or alias.")
    return ["-o", target] if target else []


def _said(words: Sequence[str]) -> str:
    return " ".join((PROGRAM, *words))


def _log_in(target: str | None) -> str:
    return f"sf org login web --alias {target}" if target and "@" not in target else "sf org login web"


def _is_token(token: object) -> bool:
    return isinstance(token, str) and _TOKEN.fullmatch(token) is not None


def _org_id(text: str) -> str:
    try:
        return to_18(text)
    except ValueError:
        return ""
