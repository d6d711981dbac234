from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from lht.errors import ConfigError, LoginRejectedError
from lht.sfdc import auth
from lht.sfdc.auth import App, jwt
from lht.sfdc.messages import Headers, Request, Response

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
APP = App("prod", "id1", "s3cret", username="me@example.com", private_key_path="server.key")
OWN = "https://acme.my.salesforce.com"
PRODUCTION, SANDBOX = "https://login.salesforce.com", "https://test.salesforce.com"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: PrivateKeyTypes, password: bytes | None = None) -> bytes:
    cipher = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, cipher)


PEM = pem(KEY)


def part(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims_of(request: Request) -> dict[str, Any]:
    """Checks the signature, without the library that made it, and reads the claims."""
    form = parse_qs((request.body or b"").decode())
    assert form.keys() == {"grant_type", "assertion"}
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    head, body, signature = form["assertion"][0].split(".")
    KEY.public_key().verify(part(signature), f"{head}.{body}".encode(), padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(part(head))["alg"] == "RS256"
    return json.loads(part(body))


class Server:
    """Accepts one audience; refuses what has expired by its own clock."""

    def __init__(self, audience: str, now: datetime = NOW, refusal: str = "audience is invalid") -> None:
        self.audience = audience
        self.now = now
        self.refusal = refusal
        self.claims: list[dict[str, Any]] = []

    def __call__(self, request: Request) -> Response:
        headers = Headers({"Date": format_datetime(self.now, usegmt=True)})
        if request.method == "GET":
            return Response(200, headers, b'{"preferred_username": "me@example.com"}')
        self.claims.append(claims_of(request))
        refusal = self._refusal(self.claims[-1])
        if refusal:
            told = {"error": "invalid_grant", "error_description": refusal}
            return Response(400, headers, json.dumps(told).encode())
        token = {"access_token": "t", "instance_url": OWN}
        return Response(200, headers, json.dumps(token).encode())

    def _refusal(self, claims: dict[str, Any]) -> str:
        if not self.now.timestamp() < claims["exp"] < self.now.timestamp() + 300:
            return "expired authorization code"
        return "" if claims["aud"] == self.audience else self.refusal


def log_in(
    app: App, server: Callable[[Request], Response], key: bytes = PEM, now: datetime = NOW
) -> auth.Login:
    return auth.converse(jwt.grant(app, key, lambda: now), server)


def test_a_signed_statement_logs_in() -> None:
    server = Server(PRODUCTION)

    login = log_in(APP, server)

    assert (login.username, login.access_token, login.flow, login.refresh_token) == (
        "me@example.com",
        "t",
        "jwt",
        None,
    )
    assert server.claims == [
        {"iss": "id1", "sub": "me@example.com", "aud": PRODUCTION, "exp": int(NOW.timestamp()) + 180}
    ]


@pytest.mark.parametrize(
    ("app", "expected"),
    [
        (APP, (PRODUCTION, SANDBOX)),
        (replace(APP, login_url=SANDBOX), (SANDBOX, PRODUCTION)),
        (replace(APP, sandbox=True, login_url=OWN), (SANDBOX, PRODUCTION, OWN)),
        (replace(APP, login_url=OWN), (PRODUCTION, SANDBOX, OWN)),
        (
            replace(APP, login_url="https://acme--dev.sandbox.my.salesforce.com"),
            (SANDBOX, PRODUCTION, "https://acme--dev.sandbox.my.salesforce.com"),
        ),
        (replace(APP, login_url=OWN, audience="https://x"), ("https://x",)),
    ],
)
def test_the_likeliest_audience_comes_first(app: App, expected: tuple[str, ...]) -> None:
    assert expected == jwt.audiences(app)


@pytest.mark.parametrize("words", ["audience is invalid", "Audience validation failed"])
def test_the_other_audiences_are_tried_where_one_is_refused(words: str) -> None:
    server = Server(OWN, refusal=words)

    log_in(replace(APP, login_url=OWN), server)

    assert [claims["aud"] for claims in server.claims] == [PRODUCTION, SANDBOX, OWN]


def test_where_no_audience_is_accepted_the_hint_says_what_to_set() -> None:
    with pytest.raises(LoginRejectedError, match="audience is invalid") as caught:
        log_in(APP, Server("https://elsewhere"))

    assert "Set audience" in caught.value.hint


def test_any_other_refusal_ends_it_at_once() -> None:
    server = Server("https://elsewhere", refusal="user hasn't approved this consumer")

    with pytest.raises(LoginRejectedError, match="approved this consumer") as caught:
        log_in(APP, server)

    assert len(server.claims) == 1
    assert "pre-authorized" in caught.value.hint


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("user is not admin approved to access this app", "permission set"),
        ("invalid assertion", "certificate"),
    ],
)
def test_a_refusal_says_what_to_do_in_setup(words: str, hint: str) -> None:
    with pytest.raises(LoginRejectedError) as caught:
        log_in(APP, Server("https://elsewhere", refusal=words))

    assert hint in caught.value.hint


@pytest.mark.parametrize("hours", [-5, 5])
def test_where_the_clocks_differ_the_servers_counts(hours: int) -> None:
    server = Server(PRODUCTION, now=NOW + timedelta(hours=hours))

    log_in(APP, server)

    assert [claims["exp"] for claims in server.claims] == [
        int(NOW.timestamp()) + 180,
        int(server.now.timestamp()) + 180,
    ]


def test_without_a_user_name_there_is_nobody_to_log_in_as() -> None:
    with pytest.raises(ConfigError, match="no username"):
        log_in(replace(APP, username=None), Server(PRODUCTION))


@pytest.mark.parametrize(
    ("key", "words"),
    [
        (pem(KEY, b"password"), "is encrypted"),
        (pem(ec.generate_private_key(ec.SECP256R1())), "no RSA key"),
        (b"", "no PEM private key"),
        (PEM[:300], "no PEM private key"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "It is a certificate"),
        (
            KEY.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            ),
            "public key",
        ),
        (pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)), "only 1024 bits"),
    ],
)
def test_a_key_that_will_not_do_is_refused_before_anything_is_sent(key: bytes, words: str) -> None:
    server = Server(PRODUCTION)

    with pytest.raises(ConfigError, match=words) as caught:
        log_in(APP, server, key)

    assert server.claims == []
    assert "PRIVATE" not in str(caught.value).replace("BEGIN PRIVATE", "").replace("RSA PRIVATE", "")


def test_keys_of_the_older_form_are_read_too() -> None:
    old = KEY.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )

    assert log_in(APP, Server(PRODUCTION), old).access_token == "t"
