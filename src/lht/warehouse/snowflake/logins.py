"""Why a login to Snowflake failed, in one sentence, with the key of connections.toml to mend.

Snowflake's login numbers are in its documentation of authentication errors; both generations of the connector wrap
the server's sentence in their own, so the sentence is what is read where the number is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lht.errors import LhtError, WarehouseUnreachableError
from lht.warehouse.snowflake.parameters import SECRETS

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
        "Check user and password, and that account is the right one.",
        (390100,),
    ),
)
MASK = "***"


def login_error(error: Exception, name: str, parameters: Mapping[str, Any]) -> LhtError:
    """Turns what the connector raised while it logged in into one clear error."""
    text = _masked(str(getattr(error, "msg", None) or error), parameters)
    number = getattr(error, "errno", None)
    for cause in CAUSES:
        if number in cause.numbers or re.search(cause.words, text, re.IGNORECASE):
            return cause.error(f"Cannot log in with connection '{name}': {cause.said}.", hint=cause.hint)
    return WarehouseUnreachableError(
        f"Cannot log in with connection '{name}': {_first_line(text)}",
        hint="Check the connection in connections.toml; 'lht connections --test' tries it.",
    )


def _masked(text: str, parameters: Mapping[str, Any]) -> str:
    """The text without the values of secrets, however the server came to repeat them."""
    for key in SECRETS & parameters.keys():
        value = parameters[key]
        secret = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
        text = text.replace(secret, MASK) if secret else text
    return text


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
