"""A SOQL query as values: what the text says, before anybody asks whether such objects and fields exist.

`at` is where in the text a piece begins (-1: nowhere). It serves error texts only and takes no part in comparison.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from datetime import date, datetime, time

ESCAPES = {
    "N": "\n",
    "R": "\r",
    "T": "\t",
    "B": "\b",
    "F": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": "\b",
    "f": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "_": "_",
    "%": "%",
}
_PIECE = re.compile(r"\\u([0-9A-Fa-f]{4})|\\(.)|(.)", re.DOTALL)
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]")


@dataclass(frozen=True, slots=True)
class Path:
    """A field, or relationships and a field: `Account.Owner.Name`."""

    names: tuple[str, ...]
    at: int = field(default=-1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """A function: COUNT(Id), CALENDAR_YEAR(CreatedDate), FIELDS(ALL)."""

    name: str
    arguments: tuple[Operand | Literal, ...]
    at: int = field(default=-1, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A string as written between its quotes, because LIKE must tell an escaped percent sign from a wildcard."""

    raw: str

    @classmethod
    def of(cls, value: str) -> Text:
        """Writes any value as a literal."""
        named = {v: k for k, v in ESCAPES.items() if k not in '"_%'}
        return cls("".join(f"\\{named[c]}" if c in named else c for c in value))

    @property
    def value(self) -> str:
        """What the literal means where it is compared as a whole."""
        return _joined("".join(_decoded(m) for m in _PIECE.finditer(self.raw)))

    @property
    def pattern(self) -> str:
        """What it means to LIKE, with a backslash before each character that stands for itself."""
        return _joined("".join(_pattern_piece(m) for m in _PIECE.finditer(self.raw)))


@dataclass(frozen=True, slots=True)
class Number:
    """A number as written."""

    text: str


@dataclass(frozen=True, slots=True)
class Boolean:
    """TRUE or FALSE."""

    value: bool


@dataclass(frozen=True, slots=True)
class Null:
    """NULL."""


@dataclass(frozen=True, slots=True)
class Date:
    """A date literal."""

    value: date


@dataclass(frozen=True, slots=True)
class DateTime:
    """A datetime literal, in UTC."""

    value: datetime


@dataclass(frozen=True, slots=True)
class Time:
    """A time literal."""

    value: time


@dataclass(frozen=True, slots=True)
class DateWord:
    """TODAY, LAST_N_DAYS:7 and the like: upper-cased word and its number."""

    word: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field against one literal. Operators: = != < <= > >= LIKE."""

    operand: Operand
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Membership:
    """One field against a set. Operators: IN, NOT IN, INCLUDES, EXCLUDES."""

    operand: Operand
    operator: str
    values: tuple[Literal, ...] | Query


@dataclass(frozen=True, slots=True)
class Conjunction:
    """Two or more terms joined by AND."""

    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Disjunction:
    """Two or more terms joined by OR."""

    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """NOT."""

    term: Condition


@dataclass(frozen=True, slots=True)
class Selected:
    """A field or function of the SELECT list, with its alias."""

    operand: Operand
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class TypeOf:
    """TYPEOF What WHEN Account THEN Phone ELSE Name END."""

    path: Path
    whens: tuple[tuple[str, tuple[Path, ...]], ...]
    otherwise: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Ordering:
    """One entry of ORDER BY; `nulls_last` is None where the query does not say."""

    operand: Operand
    descending: bool = False
    nulls_last: bool | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A further entry of FROM, a relationship: `c.Account a`."""

    path: Path
    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A SELECT; as a select item a child query, as a set of values a semi-join. `text` is its source, for error texts.

    `scope` is the word after USING SCOPE, `mode` the one after WITH. `closing` are the clauses behind OFFSET as
    written, in capitals: FOR VIEW, FOR REFERENCE, UPDATE TRACKING, UPDATE VIEWSTAT, FOR UPDATE, ALL ROWS.
    """

    select: tuple[Selected | TypeOf | Query, ...]
    source: Path
    alias: str | None = None
    sources: tuple[Source, ...] = ()
    scope: str | None = None
    where: Condition | None = None
    mode: str | None = None
    group_by: tuple[Operand, ...] = ()
    having: Condition | None = None
    order_by: tuple[Ordering, ...] = ()
    limit: int | None = None
    offset: int | None = None
    closing: tuple[str, ...] = ()
    text: str = field(default="", compare=False, repr=False)
    at: int = field(default=-1, compare=False, repr=False)


Operand: TypeAlias = Path | Call
Literal: TypeAlias = Text | Number | Boolean | Null | Date | DateTime | Time | DateWord
Condition: TypeAlias = Comparison | Membership | Conjunction | Disjunction | Negation


def _decoded(match: re.Match[str]) -> str:
    code, escaped, plain = match.groups()
    if code:
        return chr(int(code, 16))
    return ESCAPES[escaped] if escaped else str(plain)


def _pattern_piece(match: re.Match[str]) -> str:
    character = _decoded(match)
    wild = match.group(3) is not None and character in "%_"
    return f"\\{character}" if character in "%_\\" and not wild else character


def _joined(text: str) -> str:
    """Joins the two escaped halves of a character beyond the basic plane."""
    return _SURROGATES.sub(lambda m: m.group().encode("utf-16", "surrogatepass").decode("utf-16"), text)
