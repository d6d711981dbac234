"""The JWT bearer flow's assertion: signed by the app, about a user, for this org, not yet expired."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from joserfc import jwt
from joserfc.errors import JoseError

from lht.simulator.errors import OAuthFault
from lht.simulator.org.oauth.keys import public_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from lht.simulator.org.oauth.app import App

ALGORITHM = "RS256"


def username_of(assertion: str, app: App, now: datetime, is_audience: Callable[[object], bool]) -> str:
    """Gives whom an assertion speaks of; raises OAuthFault for one that proves nothing.

    How far ahead its expiry lies is not looked at: real orgs take one far in the future.
    """
    claims = _claims(assertion, app)
    if claims.get("iss") != app.client_id:
        raise OAuthFault("invalid_client_id", "client identifier invalid")
    audience = claims.get("aud")
    if not any(is_audience(one) for one in (audience if isinstance(audience, list) else [audience])):
        raise OAuthFault("invalid_grant", "audience is invalid")
    if _seconds(claims.get("exp")) <= now.timestamp():
        raise OAuthFault("invalid_grant", "expired authorization code")
    subject = claims.get("sub") or claims.get("prn")
    if not isinstance(subject, str):
        raise _invalid()
    return subject


def _seconds(expiry: object) -> float:
    """Reads a number, or a text of digits: stock clients, and Salesforce's own samples, write one."""
    if isinstance(expiry, str) and expiry.isascii() and expiry.isdigit():
        return float(expiry)
    if isinstance(expiry, bool) or not isinstance(expiry, int | float):
        raise _invalid()
    if isinstance(expiry, float) and not isfinite(expiry):
        raise _invalid()
    return expiry


def _claims(assertion: str, app: App) -> dict[str, Any]:
    if not assertion:
        raise OAuthFault("invalid_request", "missing required parameter: assertion")
    if app.certificate is None:
        raise _invalid()
    try:
        return jwt.decode(assertion, public_key(app.certificate), algorithms=[ALGORITHM]).claims
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise _invalid() from None


def _invalid() -> OAuthFault:
    return OAuthFault("invalid_grant", "invalid assertion")
