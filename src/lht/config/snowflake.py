"""A Snowflake connection's keys: what its connector knows, what a login needs, and how they are spelled.

All is checked before anything goes over the network, so that a missing key is told with the line to add.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lht.config.keys import check_snowflake_key
from lht.config.suggest import did_you_mean, nearest
from lht.errors import ConfigError
from lht.sfdc.messages import is_loopback
from lht.warehouse.snowflake.keys import AUTHENTICATORS, BOOLEANS, KEYS, NUMBERS, OF_LHT, RENAMED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.config.connections import WarehouseConnection

_KEY_PAIR = "SNOWFLAKE_JWT"
_PAT = "PROGRAMMATIC_ACCESS_TOKEN"
# As `connection.py` of the connector has them: who needs no user, and who needs no password.
_WITHOUT_USER = frozenset(
    {"OAUTH", "OAUTH_AUTHORIZATION_CODE", "OAUTH_CLIENT_CREDENTIALS", "WORKLOAD_IDENTITY", _PAT}
)
_WITHOUT_PASSWORD = _WITHOUT_USER | {"EXTERNALBROWSER", _KEY_PAIR}
_WITH_TOKEN = frozenset({"OAUTH", _PAT})
_TOKENS = ("token", "token_file_path")
_PRIVATE_KEYS = ("private_key", "private_key_file", "private_key_raw")
_ADDRESS = re.compile(r"(?:[a-z]+://)?([^/:?#]+)(?::\d+)?(/[^?#]*)?.*", re.IGNORECASE)
_HOST = re.compile(r"(.+)\.snowflakecomputing\.([a-z]+)", re.IGNORECASE)
_WORDS_AFTER_A_DOT = frozenset({"privatelink", "global"})


@dataclass(frozen=True, slots=True)
class SnowflakeLogin:
    """What the connector is given, and what people should be told about it."""

    options: Mapping[str, Any] = field(repr=False)
    notes: tuple[str, ...] = ()


def unknown_keys(table: Mapping[str, object]) -> dict[str, str]:
    """The keys of a table that are not handed on, each with the reason or the nearest name."""
    found = {}
    for key in table:
        if key in OF_LHT:
            found[key] = "LHT sets it itself."
        elif key not in KEYS and key not in RENAMED:
            found[key] = nearest(key, sorted(KEYS))
    return found


def snowflake_login(connection: WarehouseConnection) -> SnowflakeLogin:
    """Turns a connection's values into a login's, or says which line is missing."""
    values = _renamed(connection.options)
    dropped = unknown_keys(values)
    values = {key: _typed(connection, key, value) for key, value in values.items() if key not in dropped}
    if connection.schema:
        values["schema"] = connection.schema
    where = connection.origin.where
    notes = [f"{where}: '{key}' is not used. {why}".rstrip() for key, why in dropped.items()]
    _check_account(connection, values)
    _check_protocol(connection, values)
    values["authenticator"] = _authenticator(connection, values)
    _check_credentials(connection, values)
    for key in ("database", "schema", "warehouse"):
        _require(connection, values, key)
    notes += check_snowflake_key(values, where)
    return SnowflakeLogin(values, tuple(notes))


def _renamed(options: Mapping[str, object]) -> dict[str, Any]:
    """One name for each key, and no key that is empty."""
    values: dict[str, Any] = {}
    for key, value in options.items():
        if key != "type" and value not in (None, ""):
            values.setdefault(RENAMED.get(key, key), value)
    return values


def _typed(connection: WarehouseConnection, key: str, value: object) -> object:
    """A value of the type that the connector wants: variables can only be text, and "false" is not False there."""
    if not isinstance(value, str) or key not in BOOLEANS | NUMBERS:
        return value
    text = value.strip().lower()
    if key in BOOLEANS and text in {"true", "false", "1", "0", "yes", "no", "on", "off"}:
        return text in {"true", "1", "yes", "on"}
    if key in NUMBERS and re.fullmatch(r"\d+", text):
        return int(text)
    kind = "true or false" if key in BOOLEANS else "a whole number"
    raise ConfigError(f"{connection.origin.at(key)}: {key} of '{connection.name}' has to be {kind}.")


def _require(connection: WarehouseConnection, values: Mapping[str, object], key: str) -> None:
    if not values.get(key):
        raise _missing(connection, key, f'{key} = "…"')


def _missing(connection: WarehouseConnection, what: str, line: str) -> ConfigError:
    """`what` is a key, or words for one. Where a key nearly spells it, that is what the user meant."""
    origin = connection.origin
    meant = next((key for key in unknown_keys(connection.options) if nearest(key, [what])), None)
    return ConfigError(
        f"The Snowflake connection '{connection.name}' in {origin.place} has no {what}.",
        hint=f"{origin.at(meant)} has the key '{meant}': is it {what}?"
        if meant
        else f"Add below [{origin.header}]: {line}",
    )


# ---- account and host


def _check_account(connection: WarehouseConnection, values: dict[str, Any]) -> None:
    """Makes an account identifier of what stands there, which may be an address copied from a browser."""
    _require(connection, values, "account")
    account, host = account_and_host(str(values["account"]).strip())
    if not account:
        raise ConfigError(
            f"{connection.origin.at('account')}: the account of '{connection.name}' is no account identifier.",
            hint='Write account = "ORGANIZATION-ACCOUNT": in Snowsight under the account menu, View account details.',
        )
    if "region" not in values and "host" not in values:
        _refuse_sql_spelling(connection, account)
    values["account"] = account
    if host:
        values.setdefault("host", host)


def account_and_host(text: str) -> tuple[str, str | None]:
    """Gives the identifier, empty where there is none, and the host if the identifier does not imply it.

    Takes `myorg-acct`, `acct.eu-central-1`, their addresses below snowflakecomputing.com, and Snowsight's address.
    """
    match = _ADDRESS.fullmatch(text)
    if not match or "@" in text:
        return "", None
    name, path = match[1], (match[2] or "").strip("/").split("/")
    if name.lower() == "app.snowflake.com":
        # https://app.snowflake.com/<organization>/<account>; older ones name a region, which has a hyphen
        is_new = len(path) > 1 and path[0].isalnum()
        return (f"{path[0]}-{path[1]}" if is_new else ""), None
    if host := _HOST.fullmatch(name):
        name = host[1]
        return name, (f"{name}.snowflakecomputing.{host[2]}" if host[2].lower() != "com" else None)
    has_address = "/" in text or ":" in text
    return (name if re.fullmatch(r"[A-Za-z0-9_.-]+", name) and not has_address else ""), None


def _refuse_sql_spelling(connection: WarehouseConnection, account: str) -> None:
    """`ORG.ACCOUNT` is how SQL spells it; the connector would take the account for a region."""
    first, _, rest = account.partition(".")
    if rest and "-" not in rest and rest.split(".")[0].lower() not in _WORDS_AFTER_A_DOT:
        raise ConfigError(
            f"{connection.origin.at('account')}: what follows the dot in the account '{account}' is no region.",
            hint=f'For an organization and its account write a hyphen: account = "{first}-{rest}"',
        )


def _check_protocol(connection: WarehouseConnection, values: Mapping[str, Any]) -> None:
    if str(values.get("protocol", "https")).lower() == "https":
        return
    if not is_loopback(str(values.get("host", ""))):
        raise ConfigError(
            f"{connection.origin.at('protocol')}: '{connection.name}' would send its secrets unencrypted.",
            hint='Use protocol = "https"; http is for this machine only.',
        )


# ---- how to log in


def _authenticator(connection: WarehouseConnection, values: Mapping[str, Any]) -> str:
    """How to log in: what is said, but a private key is always a key pair, as for the connector."""
    if any(values.get(key) for key in _PRIVATE_KEYS):
        return _KEY_PAIR
    said = str(values.get("authenticator", "SNOWFLAKE"))
    if said.upper() in AUTHENTICATORS:
        return said.upper()
    if said.lower().startswith("https://"):
        return said  # Okta's own address
    raise ConfigError(
        f"{connection.origin.at('authenticator')}: '{connection.name}' has the unknown authenticator '{said}'.",
        hint=did_you_mean(said, AUTHENTICATORS),
    )


def _check_credentials(connection: WarehouseConnection, values: Mapping[str, Any]) -> None:
    how = values["authenticator"]
    if values.get("session_token") and values.get("master_token"):
        return
    if how not in _WITHOUT_USER:
        _require(connection, values, "user")
    has_token = any(values.get(key) for key in _TOKENS)
    if how in _WITH_TOKEN and not has_token:
        raise _missing(connection, "token", 'token_file_path = "…", or token = "${NAME_OF_A_VARIABLE}"')
    if how == _KEY_PAIR and not any(values.get(key) for key in _PRIVATE_KEYS):
        raise _missing(connection, "private key", 'private_key_file = "rsa_key.p8"')
    if how in _WITHOUT_PASSWORD or values.get("password"):
        return
    if has_token:
        raise _missing(connection, "authenticator for its token", f'authenticator = "{_PAT}" (or "oauth")')
    raise _missing(
        connection, "password", 'password = "${NAME_OF_A_VARIABLE}"; or private_key_file, or an authenticator'
    )
