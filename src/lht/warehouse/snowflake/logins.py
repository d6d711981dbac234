"""Why a login to Snowflake failed, in one sentence, with the key of connections.toml to mend.

Snowflake's login numbers are in its documentation of authentication errors; both generations of the connector wrap
the server's sentence in their own, so the sentence is what is read where the number is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lht.errors import ConfigError, LhtError, WarehouseUnreachableError
from lht.warehouse.adapting import first_line
from lht.warehouse.snowflake.keys import SECRETS

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Cause:
    """One kind of failed login. `numbers` are Snowflake's, `words` a pattern over the message."""

    words: str
    said: str
    hint: str
    numbers: tuple[int, ...] = ()
    error: type[LhtError] = WarehouseUnreachableError


CAUSES = (
    Cause(
        r"incorrect username or password",
        "Snowflake does not know this user with this password",
        "Check account, user and password; a password that must come from elsewhere can be ${NAME} of a variable.",
        (390100,),
    ),
    Cause(
        r"programmatic access token",
        "Snowflake refused the programmatic access token: it is wrong, expired, disabled, or for another user or role",
        "Make a new one (ALTER USER … ADD PROGRAMMATIC ACCESS TOKEN) and put it into token or token_file_path.",
        (394400, 394401),
    ),
    Cause(
        r"JWT token|public key",
        "Snowflake refused the key pair",
        "Check account and user, that the user has the public key (DESC USER …), and this machine's clock.",
        (390144, *range(394300, 394307)),
    ),
    Cause(
        r"oauth.*(expired|invalid)|id token|token.*(expired|invalid)",
        "the token has expired, or is none of this account's",
        "Fetch a new one into token or token_file_path, and check authenticator.",
        (390110, 390195, 390303, 390318),
    ),
    Cause(
        r"not allowed to access snowflake|network policy",
        "a network policy of the account does not allow this address",
        "Ask an administrator to allow it, or connect from where it is allowed.",
        (390422, 390432),
    ),
    Cause(
        r"multi-factor|\bMFA\b|passcode|duo |TOTP",
        "Snowflake asks for a second factor that was not given, or that was wrong",
        'Set authenticator = "username_password_mfa", with passcode where you use codes; '
        "for unattended runs use a key pair or a programmatic access token.",
        (390120, 390123, 390127, 390128, 390129, 394507),
    ),
    Cause(
        r"temporarily locked|user.*(locked|disabled)|password has expired|password.*must be changed",
        "Snowflake has locked or disabled this user, or wants a new password",
        "Log in with a browser, or ask an administrator to unlock the user.",
        (390101, 390102, 390106),
    ),
    Cause(
        r"role .*(not exist|not authorized|not granted)|role.*specified in the connect string",
        "the role is unknown, or not granted to this user",
        "Check role, or ask an administrator: GRANT ROLE … TO USER …;",
        (390186, 390189, 390201),
    ),
    Cause(
        r"\b40[34] (not found|forbidden)|HTTP 40[34]|verify the account name|invalid account",
        "there is no such account at that address",
        "Check account: it is ORGANIZATION-ACCOUNT, as SELECT CURRENT_ORGANIZATION_NAME() || '-' || "
        "CURRENT_ACCOUNT_NAME() gives it; and host, if it is set.",
        (290403, 290404, 390104),
    ),
    Cause(
        r"certificate|SSL|TLS",
        "no safe connection to that address can be made",
        "Check account and host, this machine's clock, and the certificates of a proxy between.",
        (),
    ),
    Cause(
        r"password was not given|missing passphrase|private key is encrypted|no password|password required",
        "the private key is encrypted, and no passphrase is given",
        "Set private_key_passphrase in the connection, or PRIVATE_KEY_PASSPHRASE in the environment.",
        error=ConfigError,
    ),
    Cause(
        r"password was given but",
        "a passphrase is given, but the private key is not encrypted",
        "Remove private_key_passphrase.",
        error=ConfigError,
    ),
    Cause(
        r"authentication failed\. unspecified|authentication failed\. unexpectederror",  # connector 5 says no more
        "the private key cannot be read with this passphrase",
        "Check private_key_passphrase, and that the file is a private key in PKCS#8 PEM form.",
        error=ConfigError,
    ),
    Cause(
        r"bad decrypt|incorrect password|invalid password|could not decrypt|decryption failed|wrong passphrase",
        "the passphrase does not open the private key",
        "Check private_key_passphrase.",
        error=ConfigError,
    ),
    Cause(
        r"private key|deserialize key|valid PEM|load PEM|no start line|invalid key",
        "the private key cannot be read",
        "private_key_path names a file in PKCS#8 PEM form: openssl pkcs8 -topk8 -in old.pem -out rsa_key.p8",
        (251008,),
        error=ConfigError,
    ),
    Cause(
        r"unknown authenticator|invalid authenticator|authenticator.*(unsupported|not supported|invalid)",
        "the connector knows no such authenticator",
        "Check authenticator: snowflake, snowflake_jwt, programmatic_access_token, oauth, externalbrowser, …",
        error=ConfigError,
    ),
    Cause(
        r"user is empty|user.*(required|missing)",
        "no user is given",
        "Set user.",
        (251005,),
        error=ConfigError,
    ),
    Cause(
        r"password is empty|password.*(required|missing)",
        "neither a password nor another way to log in is given",
        "Set password, private_key_path, token or authenticator.",
        (251006,),
        error=ConfigError,
    ),
    Cause(
        r"token.*(required|missing|empty|provided)",
        "no token is given",
        "Set token or token_file_path.",
        error=ConfigError,
    ),
    Cause(
        r"could not connect|connection refused|name or service|resolve|timed? ?out|unreachable|max retries"
        r"|did not answer|error sending request|connection reset|network error",
        "Snowflake cannot be reached",
        "Check account, host and proxy in the connection, and the network.",
        (250003, 251011, 251012),
    ),
)
MASK = "***"
_PREFIX = re.compile(r"^(\d{6}( \(\w+\))?: )?(None: )?(Failed to connect to DB: \S+\. |Failed to login: )?")


def login_error(error: Exception, name: str, parameters: Mapping[str, Any]) -> LhtError:
    """Turns what the connector raised while it logged in into one clear error."""
    text = _PREFIX.sub("", _masked(str(getattr(error, "msg", None) or error), parameters))
    number = getattr(error, "errno", None)
    for cause in CAUSES:
        if number in cause.numbers or re.search(cause.words, text, re.IGNORECASE):
            return cause.error(f"Cannot log in with connection '{name}': {cause.said}.", hint=cause.hint)
    return WarehouseUnreachableError(
        f"Cannot log in with connection '{name}': {first_line(text)}",
        hint="Check the connection in connections.toml; 'lht connections --test' tries it.",
    )


def _masked(text: str, parameters: Mapping[str, Any]) -> str:
    """The text without the values of secrets, however the server came to repeat them."""
    for key in SECRETS & parameters.keys():
        value = parameters[key]
        secret = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        text = text.replace(secret, MASK) if secret else text
    return text
