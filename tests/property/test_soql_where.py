"""WHERE as DuckDB answers it, against a plain reading of Salesforce's rules in Python."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lht.simulator.org.schema import FieldSchema, ObjectSchema
from lht.simulator.soql.compile import compile_query
from lht.simulator.soql.parse import parse
from lht.simulator.soql.printer import to_soql
from lht.simulator.soql.tree import (
    Boolean,
    Comparison,
    Condition,
    Conjunction,
    Date,
    DateTime,
    Disjunction,
    Literal,
    Membership,
    Negation,
    Null,
    Number,
    Path,
    Query,
    Selected,
    Text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = {"T__c": "string", "K__c": "string", "N__c": "double", "I__c": "int", "B__c": "boolean", "D__c": "date",
          "S__c": "datetime", "M__c": "multipicklist"}  # fmt: skip
_SQL = {"double": "DOUBLE", "int": "BIGINT", "boolean": "BOOLEAN", "date": "DATE", "datetime": "TIMESTAMP"}
PARENT = FieldSchema("P__c", "reference", reference_to=("Thing__c",), relationship_name="P__r")
THING = ObjectSchema(
    "Thing__c", "Thing", "Things", "a00",
    (FieldSchema("Id", "id"), PARENT, *(FieldSchema(n, t, case_sensitive=n == "K__c") for n, t in FIELDS.items())),
)  # fmt: skip
WORDS = ["a", "A", "ab", "aB", "É", "é", "a_b", "a%b", "x'y", "back\\slash", "😀", "ß", "line\nend"]
NUMBERS = [0, 1, -1, 7, 10**12]
DAYS = [date(1700, 1, 1), date(2024, 2, 29), date(2024, 3, 1), date(4000, 12, 31)]
STAMPS = [datetime(2024, 2, 29, 23, 59, 59), datetime(2024, 3, 1), datetime(1700, 1, 1)]  # noqa: DTZ001 - as stored
CHOICES = ["Red", "red", "Blue", "Red;Blue", "Green;Blue;Red"]
_DOMAIN = {"string": WORDS, "double": [0.5, *map(float, NUMBERS)], "int": NUMBERS, "boolean": [True, False],
           "date": DAYS, "datetime": STAMPS, "multipicklist": CHOICES}  # fmt: skip
COMPARE = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}


class Things:
    def object(self, name: str) -> ObjectSchema | None:
        return THING if name.lower() == "thing__c" else None


@dataclass(frozen=True)
class Row:
    """A row and its parent, if it has one."""

    values: dict[str, object]
    parent: dict[str, object] | None


# --- the rules, plainly ---


def holds(condition: Condition, row: Row) -> bool:  # noqa: C901, PLR0911 - one line for each rule
    match condition:
        case Conjunction(terms):
            return all(holds(t, row) for t in terms)
        case Disjunction(terms):
            return any(holds(t, row) for t in terms)
        case Negation(term):
            return not holds(term, row)
        case Comparison(operand, "!=", value):
            return not _equals(operand, value, row)
        case Comparison(operand, "=", value):
            return _equals(operand, value, row)
        case Comparison(operand, "LIKE", Text() as text):
            have = _value(operand, row)
            return (
                have is not None
                and re.fullmatch(_regex(text), str(_fold(operand, have)), re.DOTALL) is not None
            )
        case Comparison(operand, sign, value):
            have = _value(operand, row)
            return have is not None and COMPARE[sign](_fold(operand, have), _fold(operand, _plain(value)))
        case Membership(operand, "IN", values):
            return any(_equals(operand, v, row) for v in values)
        case Membership(operand, "NOT IN", values):
            return not any(_equals(operand, v, row) for v in values)
        case Membership(operand, sign, values):
            chosen = set(str(_value(operand, row) or "").lower().split(";"))
            found = any(set(v.value.lower().split(";")) <= chosen for v in values)
            return found == (sign == "INCLUDES")


def _value(operand: Path, row: Row) -> object:
    source = row.values if len(operand.names) == 1 else (row.parent or {})
    value = source.get(operand.names[-1])
    return bool(value) if FIELDS[operand.names[-1]] == "boolean" else value


def _equals(operand: Path, literal: Literal, row: Row) -> bool:
    have = _value(operand, row)
    if isinstance(literal, Null):
        return have is None or have is False
    return have is not None and _fold(operand, have) == _fold(operand, _plain(literal))


def _fold(operand: Path, value: object) -> object:
    return value.lower() if isinstance(value, str) and operand.names[-1] != "K__c" else value


def _plain(literal: Literal) -> object:
    match literal:
        case Number(text):
            return float(text)
        case DateTime(moment):
            return moment.replace(tzinfo=None)
        case _:
            return literal.value


def _regex(text: Text) -> str:
    pieces = re.findall(r"\\.|[^\\]", text.raw, re.DOTALL)
    wild = {"%": ".*", "_": "."}
    decoded = {"\\n": "\n", "\\'": "'", "\\\\": "\\", "\\%": "%", "\\_": "_"}
    return "".join(wild.get(p) or re.escape(decoded.get(p, p).lower()) for p in pieces)


# --- arbitrary rows and conditions ---

VALUES = st.fixed_dictionaries({n: st.none() | st.sampled_from(_DOMAIN[t]) for n, t in FIELDS.items()})


def _literal(kind: str, value: object) -> Literal:
    match kind:
        case "string" | "multipicklist":
            return Text.of(str(value))
        case "boolean":
            return Boolean(bool(value))
        case "date":
            return Date(value)
        case "datetime":
            return DateTime(value.replace(tzinfo=UTC))
        case _:
            return Number(repr(value))


@st.composite
def comparisons(draw: st.DrawFn) -> Condition:
    name = draw(st.sampled_from(sorted(FIELDS)))
    kind, path = FIELDS[name], Path(draw(st.sampled_from([(name,), ("P__r", name), ("Thing__c", name)])))
    path = Path(path.names[1:]) if path.names[0] == "Thing__c" else path
    literals = st.sampled_from(_DOMAIN[kind]).map(lambda v: _literal(kind, v))
    sets = st.lists(literals | st.just(Null()), min_size=1, max_size=3).map(tuple)
    ordered = [] if kind in ("boolean", "multipicklist") else ["<", "<=", ">", ">="]
    choices = [
        st.builds(Comparison, st.just(path), st.sampled_from(["=", "!=", *ordered]), literals),
        st.builds(Comparison, st.just(path), st.sampled_from(["=", "!="]), st.just(Null())),
        st.builds(Membership, st.just(path), st.sampled_from(["IN", "NOT IN"]), sets),
    ]
    if name == "T__c":
        raw = st.lists(
            st.sampled_from(["%", "_", "a", "B", "\\%", "\\_", "\\\\", "\\'", "é", "s", "\\n"]), min_size=1
        )
        choices.append(
            st.builds(Comparison, st.just(path), st.just("LIKE"), raw.map(lambda r: Text("".join(r))))
        )
    if kind == "multipicklist":
        choices.append(
            st.builds(Membership, st.just(path), st.sampled_from(["INCLUDES", "EXCLUDES"]),
                      st.lists(literals, min_size=1, max_size=2).map(tuple))
        )  # fmt: skip
    return draw(st.one_of(choices))


def _joined(terms: st.SearchStrategy) -> st.SearchStrategy:
    several = st.lists(terms, min_size=2, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Conjunction, several), st.builds(Disjunction, several), st.builds(Negation, terms)
    )


CONDITIONS = st.recursive(comparisons(), _joined, max_leaves=4)


@pytest.fixture(scope="module")
def store() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        columns = ", ".join(f'"{n}" {_SQL.get(t, "VARCHAR")}' for n, t in FIELDS.items())
        connection.execute(
            f'CREATE TABLE "Thing__c" ("Id" VARCHAR, "P__c" VARCHAR, {columns}, _hidden BOOLEAN)'
        )
        yield connection


def _load(store: duckdb.DuckDBPyConnection, things: list[dict[str, object]], parents: list[int]) -> list[Row]:
    """Each thing's parent is a thing of the list, or none where the number is past its end."""
    rows = [Row(t, things[p] if p < len(things) else None) for t, p in zip(things, parents, strict=False)]
    ids = [f"a00{n:012}AAA" for n in range(20)]
    store.execute('DELETE FROM "Thing__c"')
    for n, (thing, parent) in enumerate(zip(things, parents, strict=False)):
        values = [ids[n], ids[parent], *(thing[name] for name in FIELDS), False]
        store.execute(f'INSERT INTO "Thing__c" VALUES ({", ".join("?" * len(values))})', values)
    return rows


@given(
    things=st.lists(VALUES, min_size=1, max_size=6),
    parents=st.lists(st.integers(0, 9), min_size=6, max_size=6),
    conditions=st.lists(CONDITIONS, min_size=1, max_size=5),
)
def test_where_finds_the_rows_for_which_the_condition_holds(
    store: duckdb.DuckDBPyConnection,
    things: list[dict[str, object]],
    parents: list[int],
    conditions: list[Condition],
) -> None:
    rows = _load(store, things, parents)

    for condition in conditions:
        text = to_soql(Query((Selected(Path(("Id",))),), Path(("Thing__c",)), where=condition))
        query = compile_query(parse(text), Things(), now=datetime.now(UTC), include_deleted=False)
        found = {int(row[0][3:15]) for row in store.execute(query.sql, list(query.params)).fetchall()}

        assert {n for n, row in enumerate(rows) if holds(condition, row)} == found, text
