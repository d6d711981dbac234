"""The login by a key: a signed statement in place of a password. For machines that nobody sits at."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lht.errors import ConfigError, LhtError, LoginRejectedError
from lht.sfdc.auth.refusals import refusal
from lht.sfdc.auth.tokens import confirm, post, read_token
from lht.sfdc.auth.values import JWT, PRODUCTION, SANDBOX, App, Flow
from lht.sfdc.wire import read_error

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from datetime import datetime

    from joserfc.jwk import RSAKey

    from lht.sfdc.messages import Request, Response

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LIFETIME = timedelta(seconds=180)
FEWEST_BITS = 2048
_SKEW = timedelta(seconds=60)


def grant(app: App, pem: bytes, now: Callable[[], datetime]) -> Flow:
    """Asks for a token with a statement signed by the app's key, valid for three minutes by the server's clock.

    Orgs differ in whom the statement has to address: unless the app says so, the likely ones are tried in turn.
    """
    if not app.username:
        raise ConfigError(f"The app '{app.name}' has no username.", hint="The jwt flow logs in as that user.")
    key = read_key(pem, app)
    clock = _Clock(now)
    refused: LhtError | None = None
    for audience in audiences(app):
        answer = yield from _ask(app, key, audience, clock)
        if answer.is_success:
            return (yield from confirm(app, read_token(app, JWT, answer)))
        refused = refused or refusal(app, answer)
        if not _is_about_audience(answer):
            raise refusal(app, answer)
    raise refused or LoginRejectedError(f"The app '{app.name}' has no audience.")


def audiences(app: App) -> tuple[str, ...]:
    """Whom to address, the likeliest first."""
    if app.audience:
        return (app.audience,)
    hosts = (SANDBOX, PRODUCTION) if is_sandbox(app) else (PRODUCTION, SANDBOX)
    return tuple(dict.fromkeys((*hosts, app.login_url)))


def is_sandbox(app: App) -> bool:
    """Whether the app says so, or its host does."""
    host = urlsplit(app.login_url).hostname or ""
    return app.sandbox or app.login_url == SANDBOX or ".sandbox." in host or host.startswith("test.")


def read_key(pem: bytes, app: App) -> RSAKey:
    """Reads the private key; whatever is wrong with it is said without showing it."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  # a driver: where it is needed
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415
    from joserfc.jwk import RSAKey  # noqa: PLC0415

    place = f"The private key of app '{app.name}' ({app.private_key_path})"
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        raise ConfigError(
            f"{place} is encrypted.",
            hint="Decrypt it: openssl pkey -in key.pem -out server.key; chmod 600 server.key",
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(f"{place} is no PEM private key.", hint=_what_it_is(pem)) from None
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError(f"{place} is no RSA key.", hint="Salesforce takes RSA keys only (RS256).")
    if key.key_size < FEWEST_BITS:
        raise ConfigError(f"{place} has only {key.key_size} bits.", hint=f"It needs {FEWEST_BITS} or more.")
    return RSAKey.import_key(key)


def _what_it_is(pem: bytes) -> str:
    if b"BEGIN CERTIFICATE" in pem:
        return "It is a certificate: that goes to Salesforce, the key that it was made from goes here."
    if b"BEGIN PUBLIC KEY" in pem:
        return "It is a public key; the private one is needed."
    return "Its first line is -----BEGIN PRIVATE KEY----- (or RSA PRIVATE KEY)."


class _Clock:
    """The server's time, as far as its answers told how far it is from ours."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._ahead = timedelta()

    def now(self) -> datetime:
        return self._now() + self._ahead

    def learn(self, answer: Response) -> bool:
        """Takes the server's time over; False if ours was about right, or the answer does not tell."""
        ahead = answer.date - self._now() if answer.date else self._ahead
        is_new = abs(ahead - self._ahead) > _SKEW
        if is_new:
            self._ahead = ahead
        return is_new


def _ask(app: App, key: RSAKey, audience: str, clock: _Clock) -> Generator[Request, Response, Response]:
    """Asks with one audience; once more if the clocks prove to differ, as that alone can be the reason."""
    answer = yield _request(app, key, audience, clock.now())
    if not answer.is_success and clock.learn(answer) and not _is_about_audience(answer):
        answer = yield _request(app, key, audience, clock.now())
    return answer


def _request(app: App, key: RSAKey, audience: str, now: datetime) -> Request:
    form = {"grant_type": GRANT, "assertion": assertion(app, key, audience, now)}
    return post(app.login_url, "token", form, repeat=True)


def assertion(app: App, key: RSAKey, audience: str, now: datetime) -> str:
    """The signed statement."""
    from joserfc import jwt  # noqa: PLC0415  # a driver: where it is needed

    claims = {
        "iss": app.client_id,
        "sub": app.username,
        "aud": audience,
        "exp": int((now + LIFETIME).timestamp()),
    }
    return jwt.encode({"alg": "RS256"}, claims, key, algorithms=["RS256"])


def _is_about_audience(answer: Response) -> bool:
    return "audience" in read_error(answer.status, answer.body).message.lower()
