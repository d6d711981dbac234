"""Takes secrets out of text that people or logs will see."""

from __future__ import annotations

import re

_MASK = "***"
_SESSION_ID = re.compile(r"\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9._\-]+")
_BEARER = re.compile(r"(?i)\b(bearer|oauth|basic)\s+[A-Za-z0-9!._~+/=\-]{8,}")
_NAMED = re.compile(
    r"(?i)(client_secret|access_token|refresh_token|assertion|code_verifier|password|sessionid|sid)"
    r"(\"?\s*[=:]\s*\"?)([^\s\"&,}<]+)"
)
_CODE = re.compile(r"(?i)([?&](?:code|state)=)[^\s\"&]+")
_USER_INFO = re.compile(r"(?i)(\b[a-z][a-z0-9+.\-]*://)[^\s/@]+@")


def redact(text: str) -> str:
    """Masks what looks like a token, a secret or a password; everything else stays word for word."""
    text = _SESSION_ID.sub(_MASK, text)
    text = _BEARER.sub(rf"\1 {_MASK}", text)
    text = _NAMED.sub(rf"\1\2{_MASK}", text)
    text = _CODE.sub(rf"\1{_MASK}", text)
    return _USER_INFO.sub(rf"\1{_MASK}@", text)
