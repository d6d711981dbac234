"""The JWT bearer flow of the local org, with assertions signed by a key of the test's own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from joserfc import jwt
from joserfc.jwk import RSAKey

from lht.testing.caller import Caller
from lht.testing.simulator import AdminError

if TYPE_CHECKING:
    from lht.testing import LocalOrg
    from lht.testing.browser import Browser
    from lht.testing.caller import Reply

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
PEM, PUBLIC = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
OTHER = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
PUBLIC_KEY = KEY.public_key().public_bytes(PEM, PUBLIC).decode()


def certificate() -> str:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, now, now + timedelta(days=1))
    return builder.sign(KEY, hashes.SHA256()).public_bytes(PEM).decode()


def signed(org: LocalOrg, key: Any = KEY, alg: str = "RS256", **claims: Any) -> str:
    usual = {
        "iss": org.client_id,
        "sub": org.username,
        "aud": "https://login.salesforce.com",
        "exp": int(time.time()) + 180,
    }
    form = serialization.PrivateFormat.PKCS8
    signer = RSAKey.import_key(key.private_bytes(PEM, form, serialization.NoEncryption()))
    kept = {name: value for name, value in (usual | claims).items() if value is not None}
    return jwt.encode({"alg": alg}, kept, signer, algorithms=[alg])


def ask(caller: Caller, assertion: str | None) -> Reply:
    return caller.token(grant_type=GRANT, assertion=assertion, client_id=None, client_secret=None)


def refused(reply: Reply, error: str, description: str) -> bool:
    return (reply.status, reply.json()) == (400, {"error": error, "error_description": description})


@pytest.fixture
def app(desk: Caller) -> Caller:
    """An app with a key, whose admin let the user in."""
    approved = {"permitted_users": "admin_approved", "approved_users": [desk.org.username]}
    desk.org.admin.change_app(certificate=PUBLIC_KEY, **approved)
    return desk


def test_an_assertion_gives_a_session_and_no_refresh_token_as_often_as_it_is_sent(app: Caller) -> None:
    assertion = signed(app.org)
    first, again = ask(app, assertion), ask(app, assertion)
    tokens = first.json()

    assert (first.status, again.status, "refresh_token" in tokens) == (200, 200, False)
    assert app.get("/limits", headers={"Authorization": f"Bearer {tokens['access_token']}"}).status == 200
    assert tokens["access_token"] != again.json()["access_token"]


def test_a_certificate_does_as_well_as_a_key(app: Caller) -> None:
    app.org.admin.change_app(certificate=certificate())

    assert ask(app, signed(app.org)).status == 200


@pytest.mark.parametrize(
    "audience",
    [
        "https://login.salesforce.com",
        "https://test.salesforce.com",
        "https://login.salesforce.com/",
        ["https://login.salesforce.com"],
        "{own}",
        "{own}/",
    ],
)
def test_audiences_that_are_meant_for_this_org(app: Caller, audience: Any) -> None:
    meant = audience.replace("{own}", app.org.url) if isinstance(audience, str) else audience

    assert ask(app, signed(app.org, aud=meant)).status == 200


def test_a_login_host_of_this_org_is_an_audience(app: Caller) -> None:
    port = app.org.url.rpartition(":")[2]

    assert ask(app, signed(app.org, aud=f"http://login.localhost:{port}")).status == 200


def test_the_expiry_may_be_a_text_of_digits(app: Caller) -> None:
    """As simple-salesforce sends it."""
    assert ask(app, signed(app.org, exp=f"{time.time() + 180:.0f}")).status == 200
    assert refused(ask(app, signed(app.org, exp="1000000000")), "invalid_grant", "expired authorization code")


@pytest.mark.parametrize("expiry", ["in a month", "in milliseconds", "beyond all dates"])
def test_how_far_ahead_the_expiry_lies_is_not_enforced(app: Caller, expiry: str) -> None:
    now = int(time.time())
    moments = {
        "in a month": now + 30 * 86_400,
        "in milliseconds": (now + 300) * 1_000,
        "beyond all dates": 10**400,
    }

    assert ask(app, signed(app.org, exp=moments[expiry])).status == 200


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"aud": "https://elsewhere.example.com"}, ("invalid_grant", "audience is invalid")),
        ({"aud": None}, ("invalid_grant", "audience is invalid")),
        ({"iss": "nobody"}, ("invalid_client_id", "client identifier invalid")),
        ({"iss": None}, ("invalid_client_id", "client identifier invalid")),
        ({"exp": 1_000_000_000}, ("invalid_grant", "expired authorization code")),
        ({"exp": None}, ("invalid_grant", "invalid assertion")),
        ({"exp": "soon"}, ("invalid_grant", "invalid assertion")),
        ({"exp": float("nan")}, ("invalid_grant", "invalid assertion")),
        ({"exp": float("inf")}, ("invalid_grant", "invalid assertion")),
        ({"sub": None}, ("invalid_grant", "invalid assertion")),
        ({"sub": "nobody@example.com"}, ("invalid_grant", "user hasn't approved this consumer")),
        ({"alg": "RS512"}, ("invalid_grant", "invalid assertion")),
        ({"key": OTHER}, ("invalid_grant", "invalid assertion")),
    ],
)
def test_assertions_that_prove_nothing(app: Caller, claims: dict[str, Any], error: tuple[str, str]) -> None:
    assert refused(ask(app, signed(app.org, **claims)), *error)


@pytest.mark.parametrize("text", ["nonsense", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "…", "e30.e30.e30"])
def test_texts_that_are_no_assertion(app: Caller, text: str) -> None:
    assert refused(ask(app, text), "invalid_grant", "invalid assertion")


def test_an_assertion_signed_with_the_public_key_as_a_secret_is_refused(app: Caller) -> None:
    _, claims, _ = signed(app.org).split(".")
    header = packed(b'{"alg":"HS256"}')
    text = f"{header}.{claims}"
    digest = hmac.new(PUBLIC_KEY.encode(), text.encode(), hashlib.sha256).digest()

    assert refused(ask(app, f"{text}.{packed(digest)}"), "invalid_grant", "invalid assertion")


def packed(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_a_missing_assertion_and_an_app_without_a_key(app: Caller) -> None:
    assert refused(ask(app, None), "invalid_request", "missing required parameter: assertion")
    app.org.admin.change_app(certificate=None)
    assert refused(ask(app, signed(app.org)), "invalid_grant", "invalid assertion")


def test_the_flow_can_be_switched_off_and_the_app_blocked(app: Caller) -> None:
    app.org.admin.change_app(flows=["web_server"])
    off = ask(app, signed(app.org))
    app.org.admin.change_app(flows=["jwt_bearer"], blocked=True)

    assert refused(off, "unsupported_grant_type", "grant type not supported")
    assert refused(ask(app, signed(app.org)), "OAUTH_APP_BLOCKED", "this app is blocked by admin")


def test_a_user_whom_the_admin_did_not_name_is_refused(app: Caller) -> None:
    app.org.admin.change_app(approved_users=["other@example.com"])

    message = "user is not admin approved to access this app"
    assert refused(ask(app, signed(app.org)), "invalid_app_access", message)


def test_a_user_must_have_let_the_app_come_back_once(desk: Caller, browser: Browser) -> None:
    desk.org.admin.change_app(certificate=PUBLIC_KEY)
    before = ask(desk, signed(desk.org))
    browser.code(scope="api")
    without_keeping = ask(desk, signed(desk.org))
    browser.code(scope="api offline_access")
    after = ask(desk, signed(desk.org))

    unapproved = ("invalid_grant", "user hasn't approved this consumer")
    assert (refused(before, *unapproved), refused(without_keeping, *unapproved)) == (True, True)
    assert (after.status, after.json()["scope"]) == (200, "api")


def test_what_was_allowed_is_forgotten_with_the_last_refresh_token(desk: Caller, browser: Browser) -> None:
    desk.org.admin.change_app(certificate=PUBLIC_KEY)
    form = {"grant_type": "authorization_code", "redirect_uri": "http://localhost:1717/OauthRedirect"}
    tokens = desk.token(code=browser.code(), **form).json()
    allowed = ask(desk, signed(desk.org)).status
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    desk.raw("POST", "/services/oauth2/revoke", f"token={tokens['refresh_token']}".encode(), kind)

    assert allowed == 200
    assert refused(ask(desk, signed(desk.org)), "invalid_grant", "user hasn't approved this consumer")


def test_an_inactive_user_is_refused(app: Caller) -> None:
    app.org.admin.change_user(active=False)

    assert refused(ask(app, signed(app.org)), "inactive_user", "user is inactive")


def test_the_expiry_is_read_by_the_orgs_clock(lht_simulator: LocalOrg) -> None:
    approved = {"permitted_users": "admin_approved", "approved_users": [lht_simulator.username]}
    lht_simulator.admin.change_app(certificate=PUBLIC_KEY, **approved)
    assertion, caller = signed(lht_simulator), Caller(lht_simulator)
    in_time = ask(caller, assertion).status
    lht_simulator.admin.advance_clock(181)

    assert in_time == 200
    assert refused(ask(caller, assertion), "invalid_grant", "expired authorization code")


def test_only_an_rsa_key_in_pem_form_can_be_registered(desk: Caller) -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(PEM, PUBLIC).decode()
    for text in ("nonsense", PUBLIC_KEY[:-60], "-----BEGIN CERTIFICATE-----", elliptic):
        with pytest.raises(AdminError, match="INVALID_INPUT"):
            desk.org.admin.change_app(certificate=text)

    assert desk.org.admin.app()["certificate"] is None
