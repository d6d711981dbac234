"""Text to tree. Whatever is not SOQL is refused here, with Salesforce's code and words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, v_args
from lark.exceptions import VisitError

from lht.simulator.soql.faults import malformed, too_complicated
from lht.simulator.soql.tree import (
    ESCAPES,
    Boolean,
    Call,
    Comparison,
    Conjunction,
    Date,
    DateTime,
    DateWord,
    Disjunction,
    Literal,
    Membership,
    Negation,
    Null,
    Number,
    Ordering,
    Path,
    Query,
    Selected,
    Source,
    Text,
    Time,
    TypeOf,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lht.simulator.errors import ApiFault

MAX_LENGTH = 100_000
_YEARS = range(1700, 4001)
_RESERVED = frozenset(
    {
        "AND", "ASC", "DESC", "EXCLUDES", "FIRST", "FROM", "GROUP", "HAVING", "IN", "INCLUDES", "LAST", "LIKE", "LIMIT",
        "NOT", "NULL", "NULLS", "OR", "SELECT", "USING", "WHERE", "WITH",
    }
)  # fmt: skip
"""Words that cannot be aliases."""
_CLAUSES = frozenset({"GROUP", "LIMIT", "USING", "WHERE", "WITH"})
"""Those of them that may well stand behind the object of a query."""
_TOKEN = re.compile(r"\w+|'(?:[^'\\]|\\.)*'|.", re.DOTALL)
_NOTHING_SELECTED = re.compile(r"\s*select\s+(from)\s+\w+\s*$", re.IGNORECASE)
_ALIAS = re.compile(r"\bfrom\s+[\w.]+\s+(\w+)\s*$", re.IGNORECASE)
_BEGUN = re.compile(r"\s*(offset|for|update|all|end|when)?\s*", re.IGNORECASE)
"""Nothing, or a word that begins a clause and has nothing behind it."""
_ESCAPE = re.compile(r"\\u[0-9A-Fa-f]{4}|\\(.)", re.DOTALL)


def parse(text: str) -> Query:
    """Reads one query; raises ApiFault 400 MALFORMED_QUERY if it is not one."""
    if len(text) > MAX_LENGTH:
        raise malformed(f"SOQL statements cannot be longer than {MAX_LENGTH} characters.")
    try:
        tree = _parser().parse(text)
        query: Query = _Builder(text).transform(tree)
    except UnexpectedInput as error:
        raise _syntax_fault(text, error) from None
    except VisitError as error:
        raise _builder_fault(error.orig_exc) from None
    except RecursionError:
        raise too_complicated() from None
    return query


@cache
def _parser() -> Lark:
    """Built once: the grammar never changes, and building it takes longer than any query."""
    grammar = files("lht.simulator.soql").joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", start="query", maybe_placeholders=False, propagate_positions=True)


def _syntax_fault(text: str, error: UnexpectedInput) -> ApiFault:
    if nothing := _NOTHING_SELECTED.match(text):
        return malformed(f"unexpected token: '{nothing[1]}'", text, nothing.start(1))
    if (alias := _ALIAS.search(text[: _token_start(error) or 0])) and alias[
        1
    ].upper() in _RESERVED - _CLAUSES:
        return malformed(f"unexpected token: '{alias[1]}'", text, alias.start(1))
    at = error.pos_in_stream if isinstance(error, UnexpectedCharacters) else _token_start(error)
    if at is None or isinstance(error, UnexpectedEOF) or _BEGUN.fullmatch(text, at):
        return malformed("unexpected token: '<EOF>'", text, len(text.rstrip())) if text.strip() else _empty()
    if text[at] == "'" and _TOKEN.match(text, at).group() == "'":  # type: ignore[union-attr]  # `.` always matches
        return malformed(f"line 1:{len(text)} mismatched character '<EOF>' expecting '''")
    token = _TOKEN.match(text, at).group().strip("'")  # type: ignore[union-attr]  # as above
    message = f"unexpected token: '{token}'"
    # Text that does not even begin as a query is answered without a place.
    return malformed(message, text, at) if text[:at].strip() else malformed(message)


def _builder_fault(error: Exception) -> Exception:
    return too_complicated() if isinstance(error, RecursionError) else error


def _empty() -> ApiFault:
    return malformed("A query string has to be specified")


def _token_start(error: UnexpectedInput) -> int | None:
    token = getattr(error, "token", None)
    return None if token is None or token.type == "$END" else token.start_pos


@v_args(inline=True)
class _Builder(Transformer[Token, Any]):
    """Turns lark's tree into ours, bottom up; lark's untyped values stay inside this class."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    @v_args(meta=True)
    def query(self, meta: Any, children: list[Any]) -> Query:
        select, source, *clauses = children
        if source.names[0].upper() in _RESERVED - {"GROUP"}:
            raise malformed(f"unexpected token: '{source.names[0]}'", self._text, source.at)
        merged: dict[str, Any] = {}
        for clause in clauses:
            merged |= clause
        return Query(select, source, **merged, text=self._text, at=meta.start_pos)

    def select_list(self, *items: Any) -> tuple[Any, ...]:
        return items

    def select_item(self, item: Any) -> Any:
        return item

    def selected(self, operand: Any, alias: Token | None = None) -> Selected:
        if isinstance(operand, Path) and operand.names[0].upper() == "FROM":
            raise malformed(f"unexpected token: '{operand.names[0]}'", self._text, operand.at)
        return Selected(operand, self._alias(alias) if alias else None)

    def child(self, query: Query) -> Query:
        return query

    def typeof(self, path: Path, *branches: Any) -> TypeOf:
        whens = tuple(b for b in branches if isinstance(b[0], str))
        otherwise = next((b for b in branches if isinstance(b[0], Path)), ())
        return TypeOf(path, whens, otherwise)

    def when(self, name: Token, *paths: Path) -> tuple[str, tuple[Path, ...]]:
        return str(name), paths

    def path(self, *names: Token) -> Path:
        return Path(tuple(map(str, names)), names[0].start_pos or 0)

    def call(self, name: Token, *arguments: Any) -> Call:
        return Call(str(name), arguments, name.start_pos or 0)

    def source_alias(self, alias: Token) -> dict[str, Any]:
        return {"alias": self._alias(alias)}

    def sources(self, *entries: Source) -> dict[str, Any]:
        return {"sources": entries}

    def source(self, path: Path, alias: Token | None = None) -> Source:
        return Source(path, self._alias(alias) if alias else None)

    def _alias(self, alias: Token) -> str:
        if alias.upper() in _RESERVED:
            raise self._unexpected(alias)
        return str(alias)

    def _unexpected(self, token: Token) -> ApiFault:
        return malformed(f"unexpected token: '{token}'", self._text, token.start_pos or 0)

    def using(self, scope: Token) -> dict[str, Any]:
        return {"scope": str(scope)}

    def mode(self, mode: Token) -> dict[str, Any]:
        return {"mode": mode.upper()}

    def closing(self, *clauses: str) -> dict[str, Any]:
        return {"closing": clauses}

    def closed(self, *words: Token) -> str:
        return " ".join(words).upper()

    def where(self, condition: Any) -> dict[str, Any]:
        return {"where": condition}

    def group(self, *parts: Any) -> dict[str, Any]:
        having = next((p for p in parts if isinstance(p, dict)), {})
        return {"group_by": tuple(p for p in parts if not isinstance(p, dict))} | having

    def having(self, condition: Any) -> dict[str, Any]:
        return {"having": condition}

    def order(self, *entries: Ordering) -> dict[str, Any]:
        return {"order_by": entries}

    def ordering(self, operand: Any, *words: Token) -> Ordering:
        said = {w.type: w.upper() for w in words}
        nulls_last = said["NULLS"].endswith("LAST") if "NULLS" in said else None
        return Ordering(operand, said.get("DIRECTION") == "DESC", nulls_last)

    def limit(self, count: Token) -> dict[str, Any]:
        return {"limit": self._count(count)}

    def offset(self, count: Token) -> dict[str, Any]:
        return {"offset": self._count(count)}

    def _count(self, token: Token) -> int:
        try:
            return int(token if token.isdecimal() else "")
        except ValueError:  # no whole number, or one with more digits than Python reads
            raise self._unexpected(token) from None

    def conjunction(self, *terms: Any) -> Conjunction:
        return Conjunction(terms)

    def disjunction(self, *terms: Any) -> Disjunction:
        return Disjunction(terms)

    def negation(self, term: Any) -> Negation:
        return Negation(term)

    def comparison(self, operand: Any, operator: Token, value: Literal) -> Comparison:
        if isinstance(value, Null) and operator not in ("=", "!=", "<>"):
            after = self._text[operator.end_pos :]
            at = len(self._text) - len(after.lstrip())
            raise malformed(f"unexpected token: '{self._text[at : at + 4]}'", self._text, at)
        return Comparison(operand, "!=" if operator == "<>" else operator.upper(), value)

    def membership(self, operand: Any, operator: Token, values: Any) -> Membership:
        return Membership(operand, " ".join(operator.upper().split()), values)

    def values(self, *values: Literal) -> tuple[Literal, ...]:
        return values

    def semi_join(self, query: Query) -> Query:
        return query

    def literal(self, token: Token) -> Literal:
        try:
            return _LITERALS[token.type](str(token))
        except (ValueError, OverflowError):
            raise malformed(
                f"Invalid {token.type.lower()}: {token}", self._text, token.start_pos or 0
            ) from None


# `else` is a Python word, so the rule's method is given by assignment.
setattr(_Builder, "else", v_args(inline=True)(lambda _self, *paths: paths))


def _string(token: str) -> Text:
    raw = token[1:-1]
    for match in _ESCAPE.finditer(raw):
        if match.group(1) is not None and match.group(1) not in ESCAPES:
            sequence = match.group()
            raise malformed(
                f"Invalid string literal '{raw}'. Illegal character sequence '{sequence}' in string literal."
            )
    text = Text(raw)
    if any("\ud800" <= c <= "\udfff" for c in text.value):
        raise malformed(f"Invalid string literal '{raw}'. Half of a character in string literal.")
    return text


def _date(token: str) -> Date:
    return Date(_in_range(date.fromisoformat(token)))


def _datetime(token: str) -> DateTime:
    moment = datetime.fromisoformat(_six_digits(token.upper()))
    return DateTime(_in_range(moment.astimezone(UTC)))


def _time(token: str) -> Time:
    return Time(time.fromisoformat(_six_digits(token.upper().removesuffix("Z"))))


def _six_digits(text: str) -> str:
    """Fractions beyond microseconds are cut, as Python would refuse them."""
    return re.sub(r"(\.\d{6})\d+", r"\1", text)


def _in_range(moment: Any) -> Any:
    if moment.year not in _YEARS:
        raise ValueError(moment)
    return moment


def _date_word(token: str) -> DateWord:
    word, _, count = token.upper().partition(":")
    return DateWord(word.strip(), int(count) if count else None)


_LITERALS: dict[str, Callable[[str], Literal]] = {
    "STRING": _string,
    "NUMBER": Number,
    "DATETIME": _datetime,
    "DATE": _date,
    "TIME": _time,
    "TRUE": lambda _: Boolean(value=True),
    "FALSE": lambda _: Boolean(value=False),
    "NULL": lambda _: Null(),
    "DATE_WORD": _date_word,
}
