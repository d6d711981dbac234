"""WHERE and HAVING as SQL.

SOQL knows no third truth value: a comparison with a missing value is false, its NOT is true, and `!=` holds.
AND and OR give the same rows either way, so only NOT and the negative operators need care.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, assert_never

from lht.simulator.org.schemas.schema import COMPOUND_TYPES, NUMBER_TYPES, WHOLE_TYPES
from lht.simulator.soql.calls import is_distance
from lht.simulator.soql.dates import Period, Present, period
from lht.simulator.soql.faults import fault, malformed
from lht.simulator.soql.ids import eighteen
from lht.simulator.soql.tree import (
    Boolean,
    Comparison,
    Condition,
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
    Operand,
    Query,
    Text,
    Time,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lht.simulator.errors import ApiFault
    from lht.simulator.soql.scope import Column

MAX_STRING = 4_000
_ID_TYPES = frozenset({"id", "reference"})
_EQUALITY = frozenset({"=", "!="})
_INT128 = 2**127
_WORDS = {"datetime": "dateTime", "reference": "ID", "id": "ID"} | dict.fromkeys(NUMBER_TYPES, "double")


@dataclass(slots=True)
class Conditions:
    """Writes conditions; the values go to `params` in the order of their question marks."""

    column: Callable[[Operand], Column]
    present: Present
    text: str
    semi_join: Callable[[Membership, Column], tuple[str, tuple[object, ...]]] | None = None
    params: list[object] = field(default_factory=list)

    def sql(self, condition: Condition) -> str:
        """Writes a condition, fit to stand between AND and AND."""
        match condition:
            case Conjunction(terms):
                return f"({' AND '.join(map(self.sql, terms))})"
            case Disjunction(terms):
                return f"({' OR '.join(map(self.sql, terms))})"
            case Negation(term):
                return _not(self.sql(term))
            case Comparison():
                return self._comparison(condition)
            case Membership():
                return self._membership(condition)
            case _:
                assert_never(condition)

    def _comparison(self, condition: Comparison) -> str:
        column = self._filterable(condition.operand)
        target = _Target(self, column, condition.operand)
        if is_distance(condition.operand) and condition.operator not in ("<", ">"):
            message = "invalid operator on DISTANCE"
            raise fault("INVALID_QUERY_FILTER_OPERATOR", message, self.text, condition.operand.at)
        if condition.operator == "LIKE":
            return target.like(condition.value)
        return target.compared(condition.operator, condition.value)

    def _membership(self, condition: Membership) -> str:
        column = self._filterable(condition.operand)
        if isinstance(condition.values, Query):
            return self._joined(condition, column)
        target = _Target(self, column, condition.operand)
        found = target.included if condition.operator in ("INCLUDES", "EXCLUDES") else target.one_of
        sql = found(condition.values)
        return _not(sql) if condition.operator in ("NOT IN", "EXCLUDES") else sql

    def _joined(self, condition: Membership, column: Column) -> str:
        if self.semi_join is None or condition.operator not in ("IN", "NOT IN"):
            raise malformed("unexpected token: 'SELECT'", self.text, condition.operand.at)
        inner, params = self.semi_join(condition, column)
        self.params.extend(params)
        sql = f"{column.sql} IN ({inner})"
        return _not(sql) if condition.operator == "NOT IN" else sql

    def _filterable(self, operand: Operand) -> Column:
        column = self.column(operand)
        if column.type == "address":
            message = "Address fields can only be filtered using Distance expressions"
            raise fault("INVALID_FIELD", message, self.text, operand.at)
        if column.type in COMPOUND_TYPES or (column.field is not None and not column.field.filterable):
            message = f"field '{column.path[-1]}' can not be filtered in a query call"
            raise fault("INVALID_FIELD", message, self.text, operand.at)
        return column

    def bind(self, value: object) -> str:
        self.params.append(value)
        return "?"

    def period(self, word: DateWord, at: int) -> Period:
        try:
            return period(word, self.present)
        except (OverflowError, ValueError):
            raise malformed(f"Invalid date literal: {word.word}:{word.count}", self.text, at) from None


@dataclass(frozen=True, slots=True)
class _Target:
    """The left side of one comparison."""

    conditions: Conditions
    column: Column
    operand: Operand

    def compared(self, operator: str, value: Literal) -> str:
        if isinstance(value, Null) or self._is_empty(value):
            return self._null_test(operator)
        if operator not in _EQUALITY and self.column.type in ("boolean", "multipicklist"):
            raise self._invalid_operator()
        if isinstance(value, DateWord) and self.column.type in ("date", "datetime"):
            return self._against_period(operator, self.conditions.period(value, self.operand.at))
        right = self._bound(value)
        return (
            f"{self._left} IS DISTINCT FROM {right}"
            if operator == "!="
            else f"{self._left} {operator} {right}"
        )

    def one_of(self, values: tuple[Literal, ...]) -> str:
        special = [v for v in values if isinstance(v, Null | DateWord) or self._is_empty(v)]
        plain = [v for v in values if not (isinstance(v, Null | DateWord) or self._is_empty(v))]
        parts = [f"{self._left} IN ({', '.join(map(self._bound, plain))})"] if plain else []
        parts += [self.compared("=", v) for v in special]
        return f"({' OR '.join(parts)})"

    def like(self, value: Literal) -> str:
        if self.column.type in _ID_TYPES:
            raise self._fault("INVALID_QUERY_FILTER_OPERATOR", "invalid operator on id field")
        if not self._is_text or self.column.type == "multipicklist":
            raise self._invalid_operator()
        if not isinstance(value, Text):
            raise self._wrong_type()
        self._string(value.value)
        pattern = self.conditions.bind(value.pattern)
        return f"{self._left} LIKE {self._folded(pattern)} ESCAPE '\\'"

    def included(self, values: tuple[Literal, ...]) -> str:
        """INCLUDES('A;B', 'C'): A and B together, or C."""
        if self.column.type != "multipicklist":
            raise self._invalid_operator()
        return f"({' OR '.join(map(self._all_of, values))})"

    def _all_of(self, value: Literal) -> str:
        if not isinstance(value, Text):
            raise self._wrong_type()
        self._string(value.value)
        chosen = f"string_split({self._left}, ';')"
        bind = self.conditions.bind
        return f"({' AND '.join(f'list_contains({chosen}, {self._folded(bind(v))})' for v in value.value.split(';'))})"

    def _null_test(self, operator: str) -> str:
        if operator not in _EQUALITY:
            raise self._invalid_operator()
        if self.column.type == "boolean":
            return f"{self._left} IS {'FALSE' if operator == '=' else 'TRUE'}"
        return f"{self.column.sql} IS {'' if operator == '=' else 'NOT '}NULL"

    def _against_period(self, operator: str, span: Period) -> str:
        """A period is met inside it, preceded before its start, followed after its end."""
        start, end = self._bounds(span)
        bind, left = self.conditions.bind, self._left
        one_sided = {"<": ("<", start), "<=": ("<", end), ">": (">=", end), ">=": (">=", start)}
        if operator in one_sided:
            sign, bound = one_sided[operator]
            return f"{left} {sign} {bind(bound)}"
        inside = f"({left} >= {bind(start)} AND {left} < {bind(end)})"
        return inside if operator == "=" else _not(inside)

    def _bounds(self, span: Period) -> tuple[object, object]:
        if self.column.type == "date":
            return span.start, span.end
        present = self.conditions.present
        end = present.midnight(span.end)
        if span.until_now:
            end = present.now.astimezone(UTC).replace(tzinfo=None) + timedelta(microseconds=1)
        return present.midnight(span.start), end

    @property
    def _is_text(self) -> bool:
        return self.column.type not in (*_WORDS, *WHOLE_TYPES, "boolean", "date", "time")

    @property
    def _left(self) -> str:
        if self.column.type == "boolean":
            return f"COALESCE({self.column.sql}, FALSE)"
        return self._folded(self.column.sql)

    def _folded(self, sql: str) -> str:
        """Text compares without letter case, unless its field says otherwise."""
        exact = not self._is_text or (self.column.field is not None and self.column.field.case_sensitive)
        return sql if exact else f"upper({sql})"

    def _is_empty(self, value: Literal) -> bool:
        """No empty text is ever stored, so that '' can only mean null."""
        return isinstance(value, Text) and not value.raw and (self._is_text or self.column.type in _ID_TYPES)

    def _bound(self, value: Literal) -> str:
        placeholder = self.conditions.bind(self._value(value))
        return self._folded(placeholder)

    def _value(self, value: Literal) -> object:  # noqa: PLR0911 - one for each kind of literal
        kind = self.column.type
        match value:
            case Text() if kind in _ID_TYPES:
                return self._id(value.value)
            case Text() if self._is_text:
                return self._string(value.value)
            case Boolean(flag) if kind == "boolean":
                return flag
            case Number(text) if kind in NUMBER_TYPES | WHOLE_TYPES:
                return _number(text)
            case Date(day) if kind == "date":
                return day
            case DateTime(moment) if kind == "datetime":
                return moment.replace(tzinfo=None)
            case Time(moment) if kind == "time":
                return moment
            case _:
                raise self._wrong_type()

    def _id(self, text: str) -> str:
        known = eighteen(text)
        if known is None:
            raise self._fault("INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {text}")
        return known

    def _string(self, text: str) -> str:
        if len(text) > MAX_STRING:
            raise self._malformed(f"string literal longer than {MAX_STRING} characters")
        return text

    def _wrong_type(self) -> ApiFault:
        word = "string" if self._is_text else _WORDS.get(self.column.type, self.column.type)
        quotes = "should be" if word in ("string", "ID") else "should not be"
        name = self.column.path[-1]
        return self._fault(
            "INVALID_FIELD",
            f"value of filter criterion for field '{name}' must be of type {word} and {quotes} enclosed in quotes",
        )

    def _invalid_operator(self) -> ApiFault:
        return self._fault("INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {self.column.type} field")

    def _malformed(self, message: str) -> ApiFault:
        return self._fault("MALFORMED_QUERY", message)

    def _fault(self, code: str, message: str) -> ApiFault:
        return fault(code, message, self.conditions.text, self.operand.at)


def _not(sql: str) -> str:
    return f"(NOT COALESCE({sql}, FALSE))"


def _number(text: str) -> int | float:
    try:
        whole = int(text)
    except ValueError:  # a fraction, or more digits than Python reads
        return float(text)
    return whole if -_INT128 < whole < _INT128 else float(text)
