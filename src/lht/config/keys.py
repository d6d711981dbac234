"""Private key files, read only where nobody else could have."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lht.config.files import can_others_read, can_others_write
from lht.errors import ConfigError

if TYPE_CHECKING:
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
