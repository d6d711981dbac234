"""From a connection's options to the parameters of Snowflake's connector.

The options are checked: `lht.config.snowflake` has given them one name each, their types, and all that a login needs.
The connector has two generations, 4 and 5, whose names differ in a few places; each is given only what it knows.
"""

from __future__ import annotations

import binascii
import json
import logging
import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lht.errors import ConfigError
from lht.warehouse.snowflake.keys import KEYS
from lht.warehouse.snowflake.link import is_classic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_log = logging.getLogger(__name__)

LOGIN_TIMEOUT_S = 60
MOST_TRIES, LONGEST_WAIT_S = 20, 16
"""A Snowflake that cannot be reached in the middle of a run is tried again for about five minutes."""
TOLD_AFTER = 3
"""So many tries, some seconds, nobody needs to hear of."""
_REWRITTEN_NAMES = {
    "client_fetch_threads": ("client_prefetch_threads",),
    "client_request_mfa_token": ("client_store_temporary_credential",),
    "enable_stage_s3_privatelink_for_us_east_1": ("use_s3_regional_url",),
    "external_browser_timeout": ("authentication_timeout",),
    "network_timeout": ("query_timeout", "request_timeout"),
    "oauth_socket_uri": ("oauth_redirect_uri",),
    "socket_timeout": ("connect_timeout", "retry_timeout"),
    "workload_identity_host": ("wif_host",),
}
"""Parameters of connector 4, and what connector 5 calls them; by their old names it takes them with a warning."""
_ASKING = frozenset({"EXTERNALBROWSER", "OAUTH_AUTHORIZATION_CODE", "USERNAME_PASSWORD_MFA"})
_NEEDED_SETTINGS = {
    "AUTOCOMMIT": True,
    "ERROR_ON_NONDETERMINISTIC_MERGE": True,
    "QUOTED_IDENTIFIERS_IGNORE_CASE": False,
    "ROWS_PER_RESULTSET": 0,
    "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
    "TIMEZONE": "UTC",
}
_USUAL_SETTINGS = {"LOCK_TIMEOUT": 600, "QUERY_TAG": json.dumps({"app": "lht"})}


def is_interactive(options: Mapping[str, object]) -> bool:
    """Whether another login would ask a person again: a browser, a push message, or a code that works once."""
    authenticator = str(options.get("authenticator") or "").upper()
    return authenticator in _ASKING or bool(options.get("passcode") or options.get("passcode_in_password"))


def connector_parameters(options: Mapping[str, object], name: str) -> dict[str, Any]:
    """What `snowflake.connector.connect` is called with. `name` is the connection's, for errors."""
    parameters: dict[str, Any] = {key: value for key, value in options.items() if key in KEYS}
    _read_key(parameters, name)
    _read_token(parameters, name)
    parameters |= _own_parameters(options)
    passphrase = parameters.pop("private_key_passphrase", None)
    return _for_classic(parameters, passphrase) if is_classic() else _for_rewritten(parameters, passphrase)


def _read_key(parameters: dict[str, Any], name: str) -> None:
    """Puts a private key in place that is PEM text. A passphrase without a key is for another connection's key."""
    raw, key = parameters.pop("private_key_raw", None), parameters.get("private_key")
    text = raw or (key if "-----BEGIN" in str(key) else None)
    if text:
        parameters["private_key"] = _der(str(text), name)
        parameters.pop("private_key_file", None)
    if not {"private_key", "private_key_file"} & parameters.keys():
        parameters.pop("private_key_passphrase", None)


def _der(pem: str, name: str) -> bytes:
    """The bytes inside PEM's armour, which both generations of the connector take."""
    found = re.search(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----(.+?)-----END", pem, re.DOTALL)
    if not found:
        raise ConfigError(
            f"The private key of connection '{name}' is no PEM text.",
            hint="private_key_raw starts with -----BEGIN PRIVATE KEY-----; for a file use private_key_path.",
        )
    try:
        return binascii.a2b_base64("".join(found[2].split()))
    except ValueError:
        raise ConfigError(
            f"The private key of connection '{name}' is damaged.", hint="Copy private_key_raw again, whole."
        ) from None


def _read_token(parameters: dict[str, Any], name: str) -> None:
    """Reads a token from its file. Its last line break is no part of it, though the connector would send it."""
    path = parameters.pop("token_file_path", None)
    if not path:
        return
    try:
        token = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(
            f"{path}, token_file_path of connection '{name}', cannot be read: {error.strerror}.",
            hint="Mend token_file_path in connections.toml, or the file's permissions.",
        ) from error
    if not token:
        raise ConfigError(
            f"{path}, token_file_path of connection '{name}', is empty.",
            hint="Write the token into the file.",
        )
    parameters["token"] = token


def _own_parameters(options: Mapping[str, object]) -> dict[str, Any]:
    """LHT's settings: those that correctness needs go over the user's, the others under them."""
    settings = options.get("session_parameters")
    users = {str(key).upper(): value for key, value in settings.items()} if isinstance(settings, dict) else {}
    own: dict[str, Any] = {
        "arrow_number_to_decimal": True,
        "autocommit": True,
        "paramstyle": "qmark",
        "session_parameters": {**_USUAL_SETTINGS, **users, **_NEEDED_SETTINGS},
    }
    usual = {"application": "LHT", "client_session_keep_alive": True}
    if not is_interactive(options):
        usual["login_timeout"] = LOGIN_TIMEOUT_S
    return own | {key: value for key, value in usual.items() if key not in options}


def _for_classic(parameters: dict[str, Any], passphrase: object) -> dict[str, Any]:
    from snowflake.connector.connection import DEFAULT_CONFIGURATION  # noqa: PLC0415

    known = {key: value for key, value in parameters.items() if key in DEFAULT_CONFIGURATION}
    if "network_timeout" not in known:  # which would end long statements too
        known["backoff_policy"] = patience
    if passphrase and "private_key_file" in known:
        known["private_key_file_pwd"] = passphrase
    elif passphrase:
        known["private_key_passphrase"] = str(passphrase).encode()
    return known


def _for_rewritten(parameters: dict[str, Any], passphrase: object) -> dict[str, Any]:
    config = import_module("snowflake.connector.connection_config").ConnectionConfig
    names = {field.name for field in fields(config)}
    for old, now in _REWRITTEN_NAMES.items():
        if old in parameters:
            value = parameters.pop(old)
            parameters = dict.fromkeys(now, value) | parameters
    known = {key: value for key, value in parameters.items() if key in names}
    known.setdefault("retry_max_attempts", MOST_TRIES)
    known.setdefault("enable_server_session_keep_alive_auto_detection", False)  # unset, it warns
    if passphrase:
        known["private_key_password"] = str(passphrase)
    return known


def patience() -> Iterator[int]:
    """How long the connector waits before it tries again; after the last try the connection counts as lost.

    Without an end of its own the connector would try for ever, as nothing else bounds a request but not a statement.
    """
    from snowflake.connector.errorcode import ER_CONNECTION_TIMEOUT  # noqa: PLC0415
    from snowflake.connector.errors import OperationalError  # noqa: PLC0415

    for tries in range(MOST_TRIES):
        if tries == TOLD_AFTER:
            _log.warning("Snowflake does not answer; trying again for up to five minutes")
        yield min(LONGEST_WAIT_S, 2**tries)
    raise OperationalError(f"Snowflake did not answer {MOST_TRIES} times.", errno=ER_CONNECTION_TIMEOUT)
