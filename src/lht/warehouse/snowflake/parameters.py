"""From a connection's options, as the Snowflake CLI and the connector spell them, to the connector's parameters.

The connector has two generations, 4 and 5, whose names differ in a few places; each is given only what it knows.
"""

from __future__ import annotations

import binascii
import json
import re
from dataclasses import fields
from importlib import import_module
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lht.errors import ConfigError
from lht.warehouse.snowflake.link import is_classic

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOGIN_TIMEOUT_S = 60
MOST_TRIES, LONGEST_WAIT_S = 20, 16
"""A Snowflake that cannot be reached in the middle of a run is tried again for about five minutes."""
OTHER_NAMES = {
    "accountname": "account",
    "dbname": "database",
    "private_key_path": "private_key_file",
    "private_key_file_pwd": "private_key_passphrase",
    "private_key_password": "private_key_passphrase",
    "rolename": "role",
    "schemaname": "schema",
    "username": "user",
    "warehousename": "warehouse",
}
"""Names of the Snowflake CLI, of SnowSQL and of the connector's generations, and the one that is used here."""
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
SECRETS = frozenset(
    {
        "master_token", "oauth_client_secret", "passcode", "password", "private_key", "private_key_passphrase",
        "private_key_raw", "proxy_password", "session_token", "token",
    }
)  # fmt: skip
_OURS = frozenset(
    {"arrow_number_to_decimal", "autocommit", "numpy", "paramstyle", "session_parameters", "timezone"}
)
_FLAGS = frozenset(
    {
        "client_request_mfa_token", "client_session_keep_alive", "client_store_temporary_credential",
        "disable_ocsp_checks", "disable_saml_url_check", "insecure_mode", "oauth_credentials_in_body",
        "oauth_disable_pkce", "oauth_enable_refresh_tokens", "oauth_enable_single_use_refresh_tokens",
        "ocsp_fail_open", "passcode_in_password", "server_session_keep_alive", "validate_default_parameters",
        "workload_identity_aws_use_outbound_token",
    }
)  # fmt: skip
_NUMBERS = frozenset(
    {
        "client_prefetch_threads", "external_browser_timeout", "login_timeout", "network_timeout", "port",
        "query_timeout", "request_timeout", "retry_timeout", "socket_timeout",
    }
)  # fmt: skip
_ASKING = frozenset({"externalbrowser", "oauth_authorization_code", "username_password_mfa"})
_TAKING_TOKENS = frozenset({"OAUTH", "PROGRAMMATIC_ACCESS_TOKEN"})
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
    authenticator = str(options.get("authenticator") or "").lower()
    return authenticator in _ASKING or bool(
        options.get("passcode") or _flag(options.get("passcode_in_password"))
    )


def connector_parameters(options: Mapping[str, object], name: str) -> dict[str, Any]:
    """What `snowflake.connector.connect` is called with; `options` have lower-case keys."""
    given = {
        OTHER_NAMES.get(key, key): value
        for key, value in options.items()
        if value is not None and value != ""
    }
    _check_address(given, name)
    parameters = _typed(given, name)
    _read_key(parameters, given, name)
    _read_token(parameters, given, name)
    _check_complete(parameters, name)
    parameters |= _own_parameters(given)
    passphrase = parameters.pop("private_key_passphrase", None)
    return _for_classic(parameters, passphrase) if is_classic() else _for_rewritten(parameters, passphrase)


def _typed(given: Mapping[str, object], name: str) -> dict[str, Any]:
    """Flags and numbers as such, where they came as text from a variable."""
    typed: dict[str, Any] = {}
    for key, value in given.items():
        if key in _FLAGS:
            typed[key] = _flag(value)
        elif key in _NUMBERS:
            typed[key] = _number(key, value, name)
        elif key not in _OURS:
            typed[key] = value
    return typed


def _flag(value: object) -> bool:
    return str(value).strip().lower() in {"true", "1", "yes", "on"}


def _number(key: str, value: object, name: str) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise ConfigError(f"{key} of connection '{name}' is no whole number.", hint=f"Mend {key}.") from None


def _check_address(given: Mapping[str, object], name: str) -> None:
    """Refuses a connection that names no account, and one that would send secrets in clear text to another machine."""
    if not given.get("account") and not given.get("host"):
        raise ConfigError(
            f"Connection '{name}' has no account.",
            hint='Add account = "myorg-myaccount" to it in connections.toml.',
        )
    host = str(given.get("host") or "")
    if str(given.get("protocol") or "https").lower() == "http" and not _is_loopback(host):
        raise ConfigError(
            f"Connection '{name}' would send its secrets to {host or 'Snowflake'} without encryption.",
            hint="Remove protocol: http is for a server on this machine only.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _read_key(parameters: dict[str, Any], given: Mapping[str, object], name: str) -> None:
    """Puts a private key in place, from a file or from PEM text, with its passphrase."""
    text = parameters.pop("private_key_raw", None)
    text = text or (given.get("private_key") if "-----BEGIN" in str(given.get("private_key")) else None)
    path = parameters.get("private_key_file")
    if text:
        parameters["private_key"] = _der(str(text), name)
        parameters.pop("private_key_file", None)
    elif path:
        parameters["private_key_file"] = str(_checked_file(str(path), "private_key_file", name))
    if text or path or given.get("private_key"):
        parameters.setdefault("authenticator", "SNOWFLAKE_JWT")
    else:
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


def _checked_file(path: str, key: str, name: str) -> Path:
    """A file that can be read; the connector's own error would name neither the connection nor the key."""
    file = Path(path).expanduser()
    try:
        with file.open("rb"):
            return file
    except OSError as error:
        raise ConfigError(
            f"{file}, {key} of connection '{name}', cannot be read: {error.strerror or error}.",
            hint=f"Mend {key} in connections.toml, or the file's permissions.",
        ) from error


def _read_token(parameters: dict[str, Any], given: Mapping[str, object], name: str) -> None:
    """Reads a token from its file. Its last line break is no part of it, though the connector would send it."""
    path = given.get("token_file_path")
    if not path:
        return
    parameters.pop("token_file_path", None)
    token = _checked_file(str(path), "token_file_path", name).read_text(encoding="utf-8").strip()
    if not token:
        raise ConfigError(
            f"{path}, token_file_path of connection '{name}', is empty.",
            hint="Write the token into the file.",
        )
    parameters["token"] = token


def _check_complete(parameters: Mapping[str, Any], name: str) -> None:
    """Refuses an authenticator without what it proves: of these the connector says so only in riddles."""
    authenticator = str(parameters.get("authenticator") or "").upper()
    has_key = "private_key" in parameters or "private_key_file" in parameters
    if authenticator == "SNOWFLAKE_JWT" and not has_key:
        raise ConfigError(
            f"Connection '{name}' logs in with a key pair, and names no private key.",
            hint="Set private_key_path.",
        )
    if authenticator in _TAKING_TOKENS and not parameters.get("token"):
        raise ConfigError(
            f"Connection '{name}' logs in with a token, and has none.", hint="Set token or token_file_path."
        )


def _own_parameters(given: Mapping[str, object]) -> dict[str, Any]:
    """LHT's settings: those that correctness needs go over the user's, the others under them."""
    settings = given.get("session_parameters")
    users = {str(key).upper(): value for key, value in settings.items()} if isinstance(settings, dict) else {}
    own: dict[str, Any] = {
        "arrow_number_to_decimal": True,
        "autocommit": True,
        "paramstyle": "qmark",
        "session_parameters": {**_USUAL_SETTINGS, **users, **_NEEDED_SETTINGS},
    }
    usual = {"application": "LHT", "client_session_keep_alive": True}
    if not is_interactive(given):
        usual["login_timeout"] = LOGIN_TIMEOUT_S
    return own | {key: value for key, value in usual.items() if key not in given}


def _for_classic(parameters: dict[str, Any], passphrase: object) -> dict[str, Any]:
    from snowflake.connector.connection import DEFAULT_CONFIGURATION  # noqa: PLC0415

    known = {key: value for key, value in parameters.items() if key in DEFAULT_CONFIGURATION}
    if "network_timeout" not in known:  # which would end long statements too
        known["backoff_policy"] = _patient
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


def _patient() -> Iterator[int]:
    """How long the connector waits before it tries again; after the last try the connection counts as lost.

    Without an end of its own the connector would try for ever, as nothing else bounds a request but not a statement.
    """
    from snowflake.connector.errorcode import ER_CONNECTION_TIMEOUT  # noqa: PLC0415
    from snowflake.connector.errors import OperationalError  # noqa: PLC0415

    for tries in range(MOST_TRIES):
        yield min(LONGEST_WAIT_S, 2**tries)
    raise OperationalError(f"Snowflake did not answer {MOST_TRIES} times.", errno=ER_CONNECTION_TIMEOUT)
