"""Private key files, read only where nobody else could have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lht.config.files import can_others_read, can_others_write
from lht.errors import ConfigError

if TYPE_CHECKING:
    from typing import Any

    from lht.sfdc.auth import App

_LONGEST = 1 << 16


def read_private_key(app: App) -> bytes:
    """The file of an app's key; one that other users can read or change is refused."""
    if not app.private_key_path:
        raise ConfigError(
            f"The app '{app.name}' has no private_key_path.",
            hint=f"The jwt flow signs with a key: set private_key_path in [{app.name}] of connections.toml.",
        )
    path = Path(app.private_key_path)
    try:
        is_open = can_others_read(path) or can_others_write(path)
        pem = path.read_bytes()[: _LONGEST + 1]
    except OSError as error:
        raise ConfigError(
            f"The private key {path} of app '{app.name}' cannot be read: {error.strerror}.",
            hint="Check private_key_path; it starts from the project's folder.",
        ) from None
    if is_open:
        raise ConfigError(
            f"The private key {path} of app '{app.name}' can be read or changed by other users.",
            hint=f"chmod 600 {path}; and if somebody may have read it, make a new one.",
        )
    if len(pem) > _LONGEST:
        raise ConfigError(f"{path} is too large for a private key.")
    return pem


def check_snowflake_key(values: dict[str, Any], where: str) -> list[str]:
    """Looks at the key file of a Snowflake connection before the connector does; gives what people should be told.

    A passphrase for a key that has none is taken away, as the connector would refuse the two together.
    """
    path = Path(str(values.get("private_key_file") or ""))
    if not values.get("private_key_file"):
        return []
    try:
        head = path.read_bytes()[:_LONGEST]
    except OSError as error:
        raise ConfigError(
            f"The private key {path} of {where} cannot be read: {error.strerror}.",
            hint="Check private_key_file; it starts from the project's folder.",
        ) from None
    if b"-----BEGIN" not in head or b"PRIVATE KEY-----" not in head:
        raise ConfigError(
            f"{path}, the private_key_file of {where}, is no private key in PEM form.",
            hint="Make a new one: openssl genrsa 2048 | openssl pkcs8 -topk8 -inform PEM -out rsa_key.p8",
        )
    if b"ENCRYPTED" not in head:
        values.pop("private_key_passphrase", None)
    elif not values.get("private_key_passphrase"):
        raise ConfigError(
            f"The private key {path} of {where} is encrypted, and there is no passphrase.",
            hint='Add private_key_passphrase = "${NAME_OF_A_VARIABLE}", or set PRIVATE_KEY_PASSPHRASE.',
        )
    if can_others_read(path) or can_others_write(path):
        return [f"The private key {path} can be read or changed by other users: chmod 600 {path}"]
    return []
