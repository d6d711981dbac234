"""Keys: the registered one that assertions are signed for, and the org's own that signs id tokens."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

if TYPE_CHECKING:
    from lht.simulator.org.oauth.keeper import Keeper

KIND = "key"
NAME = "id_token"
BITS = 2_048
_PEM = serialization.Encoding.PEM


def public_key(pem: str) -> RSAKey:
    """Reads a certificate or public key; raises ValueError for anything else than an RSA key in PEM form."""
    data = pem.strip().encode("utf-8", "replace")
    try:
        key = _loaded(data)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ValueError(f"certificate is no certificate or public key in PEM form: {error}") from None
    if not isinstance(key, rsa.RSAPublicKey):
        raise ValueError("certificate must hold an RSA key, as RS256 needs one")  # noqa: TRY004 - a wrong value
    return RSAKey.import_key(key.public_bytes(_PEM, serialization.PublicFormat.SubjectPublicKeyInfo))


def _loaded(data: bytes) -> object:
    if b"CERTIFICATE" in data:
        return x509.load_pem_x509_certificate(data).public_key()
    return serialization.load_pem_public_key(data)


class OrgKey:
    """The org's key for id tokens, made when the first is needed, and kept with the org."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._key: RSAKey | None = None
        self._lock = threading.Lock()

    def sign(self, claims: dict[str, Any]) -> str:
        """Gives claims as a signed token."""
        key = self._made()
        return jwt.encode({"alg": "RS256", "typ": "JWT", "kid": key.kid}, claims, key)

    def published(self) -> dict[str, Any]:
        """Gives the public half as a set of web keys."""
        key = self._made()
        return {"keys": [{**key.as_dict(private=False), "use": "sig", "alg": "RS256", "kid": key.kid}]}

    def _made(self) -> RSAKey:
        with self._lock:
            if self._key is None:
                self._key = RSAKey.import_key(self._kept_pem())
                self._key.ensure_kid()
            return self._key

    def _kept_pem(self) -> str:
        if found := self._keeper.load(KIND).get(NAME):
            return str(found)
        made = rsa.generate_private_key(public_exponent=65_537, key_size=BITS)
        form, no_password = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        pem = made.private_bytes(_PEM, form, no_password).decode()
        self._keeper.save(KIND, NAME, pem)
        return pem
