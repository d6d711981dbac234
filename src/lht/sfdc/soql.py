"""Builds SOQL. Pure; never ORDER BY, which would keep Salesforce from splitting big queries."""

from __future__ import annotations

import re
from datetime import UTC
from typing import TYPE_CHECKING
from urllib.parse import quote

from lht.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

_ESCAPES = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_COUNT = "COUNT()"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*")
_QUOTED = re.compile(r"'(?:\\.|[^'\\])*'", re.DOTALL)
_CLAUSE = re.compile(
    r"(?i)\b(order\s+by|group\s+by|having|limit|offset|for\s+(?:view|reference|update)|with)\b"
)


def quote_text(text: str) -> str:
    """A text literal."""
    return "'" + "".join(_ESCAPES.get(letter, letter) for letter in text) + "'"


def format_datetime(moment: datetime) -> str:
    """A datetime literal in UTC; milliseconds, all that SOQL knows, only where there are some."""
    utc = moment.astimezone(UTC)
    fraction = f".{utc.microsecond // 1000:03d}" if utc.microsecond >= 1000 else ""  # noqa: PLR2004
    return f"{utc:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def check_name(name: str) -> str:
    """Gives back a field, path or object name, or refuses what is none."""
    if not _NAME.fullmatch(name):
        raise ConfigError(
            f"'{name}' is no Salesforce name.", hint="Names are letters, digits and underscores."
        )
    return name


def check_condition(condition: str) -> str:
    """Gives a WHERE condition back, trimmed; refuses one that would leak out of its parentheses."""
    text = condition.strip()
    bare = _QUOTED.sub("''", text)
    if bare.replace("''", "").count("'") or not text:
        raise ConfigError(
            "The condition has an open quote or is empty.", hint="Texts stand in single quotes."
        )
    depth = 0
    for letter in bare:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            break
    if depth:
        raise ConfigError("The condition's parentheses do not match.", hint=f"It reads: {text}")
    _refuse_clauses(bare)
    return text


def _refuse_clauses(bare: str) -> None:
    """Only what stands outside every parenthesis counts: a sub-query may have a LIMIT."""
    while "(" in bare:
        shorter = re.sub(r"\([^()]*\)", " ", bare)
        if shorter == bare:  # pragma: no cover  # parentheses match, so each round removes some
            break
        bare = shorter
    if found := _CLAUSE.search(bare):
        raise ConfigError(
            f"A condition cannot hold {found[1].upper()}.", hint="Give only what would follow the word WHERE."
        )


def url_encoded(soql: str) -> str:
    """The query as it stands in a URL; Salesforce refuses URLs of more than 16,384 bytes."""
    return quote(soql, safe="")


def select(fields: Sequence[str], object_name: str, conditions: Iterable[str] = ()) -> str:
    """A query of an object's fields (or COUNT()); each of several conditions gets its own parentheses."""
    if not fields:
        raise ConfigError(f"No field of {object_name} is left to select.")
    names = [field if field == _COUNT else check_name(field) for field in fields]
    return f"SELECT {', '.join(names)} FROM {check_name(object_name)}{where(conditions)}"


def count(object_name: str, conditions: Iterable[str] = ()) -> str:
    """A query of how many records match."""
    return select([_COUNT], object_name, conditions)


def where(conditions: Iterable[str]) -> str:
    """The WHERE clause with a leading blank, or nothing."""
    checked = [check_condition(condition) for condition in conditions]
    if not checked:
        return ""
    return " WHERE " + (checked[0] if len(checked) == 1 else " AND ".join(f"({text})" for text in checked))
