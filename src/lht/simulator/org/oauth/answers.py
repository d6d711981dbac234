"""What the OAuth endpoints say when they agree: token answers, identities, what introspection tells."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from lht.simulator.org.oauth.sessions import Session

if TYPE_CHECKING:
    from datetime import datetime

    from lht.simulator.org.oauth.grants import Grant
    from lht.simulator.org.oauth.people import Person

ID_TOKEN_LIFE_S = 120


def token_answer(session: Session, identity: str, instance_url: str, client_secret: str) -> dict[str, Any]:
    """Gives what every flow answers; a refresh token and an id token are added by who gives one."""
    issued_at = str(int(session.issued_at.timestamp()) * 1000)
    return {
        "access_token": session.token,
        "signature": signature(client_secret, identity, issued_at),
        "scope": " ".join(session.scopes),
        "instance_url": instance_url,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
        "api_instance_url": instance_url,
    }


def signature(client_secret: str, identity: str, issued_at: str) -> str:
    """Signs a token response, so that a client can tell who made it."""
    digest = hmac.new(client_secret.encode(), f"{identity}{issued_at}".encode(), hashlib.sha256).digest()
    return base64.b64encode(digest).decode()


def id_claims(session: Session, identity: str, client_id: str, nonce: str | None) -> dict[str, Any]:
    """Gives what an id token says."""
    issued_at = int(session.issued_at.timestamp())
    half = hashlib.sha256(session.token.encode()).digest()[:16]
    claims = {
        "iss": session.base_url,
        "sub": identity,
        "aud": client_id,
        "iat": issued_at,
        "exp": issued_at + ID_TOKEN_LIFE_S,
        "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
    }
    return {**claims, "nonce": nonce} if nonce else claims


def introspection(found: Session | Grant, client_id: str, identity: str, made: datetime) -> dict[str, Any]:
    """Gives what is told of a live token; when it ends is added by who knows that."""
    issued_at = int(made.timestamp())
    return {
        "active": True,
        "scope": " ".join(found.scopes),
        "client_id": client_id,
        "username": found.username,
        "sub": identity,
        "token_type": "access_token" if isinstance(found, Session) else "refresh_token",
        "iat": issued_at,
        "nbf": issued_at,
    }


def identity_answer(person: Person, identity: str, org_id: str, home: str) -> dict[str, Any]:
    """Gives what userinfo and the identity address tell of a user."""
    services = f"{home}/services/data/v{{version}}/"
    urls = {
        "enterprise": f"{home}/services/Soap/c/{{version}}/{org_id}",
        "partner": f"{home}/services/Soap/u/{{version}}/{org_id}",
        "rest": services,
        "sobjects": f"{services}sobjects/",
        "query": f"{services}query/",
        "recent": f"{services}recent/",
        "profile": f"{home}/{person.id}",
    }
    return {
        "id": identity,
        "sub": identity,
        "user_id": person.id,
        "organization_id": org_id,
        "username": person.username,
        "preferred_username": person.username,
        "nickname": person.username.partition("@")[0],
        "name": person.name,
        "display_name": person.name,
        "email": person.email,
        "email_verified": True,
        "zoneinfo": person.time_zone,
        "timezone": person.time_zone,
        "locale": person.locale,
        "language": person.language,
        "user_type": "STANDARD",
        "active": person.is_active,
        "is_salesforce_integration_user": False,
        "urls": urls,
    }
