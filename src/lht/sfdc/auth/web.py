"""The login in a browser: authorization code with PKCE. Pure; the browser and the waiting are elsewhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from lht.errors import ConfigError, LoginRejectedError
from lht.sfdc.auth.refusals import rejected
from lht.sfdc.auth.tokens import ask_token, confirm
from lht.sfdc.auth.values import WEB, App, Flow
from lht.sfdc.messages import check_url, is_loopback
from lht.sfdc.redact import redact

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_REDIRECT = "http://localhost:1717/OauthRedirect"
_VERIFIER_BYTES = 64
_STATE_BYTES = 24
_CODE = re.compile(r"[\x21-\x25\x27-\x7e]+")
_ERROR = re.compile(r"[A-Za-z0-9_.\-]{1,100}")
_SPACE = re.compile(r"\s+")
AGAIN = "Run 'lht login' again, and answer in the page that it opens."


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to log in through a browser; an answer to another try is refused."""

    app: App
    redirect_uri: str
    state: str = field(repr=False)
    verifier: str = field(repr=False)

    @property
    def address(self) -> str:
        """Where the person logs in; it tells the verifier's hash only."""
        asked = {
            "response_type": "code",
            "client_id": self.app.client_id,
            "redirect_uri": self.redirect_uri,
            "state": self.state,
            "code_challenge": challenge(self.verifier),
            "code_challenge_method": "S256",
        }
        if self.app.username:
            asked["login_hint"] = self.app.username
        return (
            check_url(f"{self.app.login_url.rstrip('/')}/services/oauth2/authorize") + f"?{urlencode(asked)}"
        )

    def owns(self, query: str) -> bool:
        """Whether an answer belongs to this try. A refusal may come without a state, a code may not."""
        given = parse_qs(query)
        if "state" not in given:
            return "error" in given and "code" not in given
        return len(given["state"]) == 1 and hmac.compare_digest(
            given["state"][0].encode(), self.state.encode()
        )

    def read_code(self, query: str) -> str:
        """Reads the code out of an answer that is this try's; a denial is raised."""
        if not self.owns(query):
            raise LoginRejectedError(
                "The answer belongs to another login: its state is not ours.", hint=AGAIN
            )
        given = parse_qs(query)
        if "error" in given:
            # What comes without our state may be any web page's: its words are not repeated.
            told = given.get("error_description", [""])[0] if "state" in given else ""
            raise self._refused(given["error"][0], told)
        codes = given.get("code", [])
        if len(codes) != 1:
            raise LoginRejectedError("The answer holds no code.", hint=AGAIN)
        return codes[0]

    def read_pasted(self, text: str) -> str:
        """Reads the code out of what a person pasted: the address that the browser ended at, or the code alone."""
        text = text.encode("utf-8", "replace").decode().strip().strip("\"'")
        if not text:
            raise LoginRejectedError("No answer was pasted.", hint=AGAIN)
        if "?" in text or "://" in text:
            return self.read_code(text.partition("?")[2].partition("#")[0])
        if text.startswith(("code=", "state=", "error=")):
            return self.read_code(text)
        if not _CODE.fullmatch(text):
            raise LoginRejectedError("What was pasted is neither an address nor a code.", hint=AGAIN)
        return unquote(text)  # as it stands in the address bar

    def exchange(self, code: str) -> Flow:
        """Turns the code into a login. It goes out once: a code works only once."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": self.verifier,
        }
        login = yield from ask_token(self.app, WEB, form, repeat=False)
        return (yield from confirm(self.app, login))

    def _refused(self, code: str, description: str) -> LoginRejectedError:
        code, description = redact(_SPACE.sub(" ", code)), redact(_SPACE.sub(" ", description))
        if not _ERROR.fullmatch(code):
            code = "an error"
        if code.replace("-", "_").lower() == "access_denied":
            told = f" ({description})" if description else ""
            return LoginRejectedError(
                f"The access was denied in the browser{told}.", hint="Run 'lht login' again and allow it."
            )
        return rejected(self.app, code, description)


def begin(app: App, random: Callable[[int], str] = secrets.token_urlsafe) -> Attempt:
    """Begins a try. `random` gives text made of that many random bytes."""
    redirect_uri = app.redirect_uri or DEFAULT_REDIRECT
    _refuse_open_wire(redirect_uri)
    return Attempt(app, redirect_uri, random(_STATE_BYTES), random(_VERIFIER_BYTES))


def _refuse_open_wire(redirect_uri: str) -> None:
    """The browser goes there with the code, even where nobody listens and the person copies it."""
    try:
        parts = urlsplit(redirect_uri)
        is_open = parts.scheme == "http" and not is_loopback(parts.hostname or "")
    except ValueError:
        is_open = True
    if is_open:
        raise ConfigError(
            f"At the redirect_uri {redirect_uri} LHT cannot listen, and the code would go there unencrypted.",
            hint=f"Set redirect_uri to {DEFAULT_REDIRECT}, or another port of localhost, and add it to the app's "
            "callback URLs; an https:// address works with: lht login --no-browser",
        )


def challenge(verifier: str) -> str:
    """What the authorize page is told of the verifier (RFC 7636, S256)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
