"""Any tree survives being printed and parsed."""

from __future__ import annotations

from datetime import UTC, datetime, time

from hypothesis import given, settings
from hypothesis import strategies as st

from lht.simulator.soql.parse import parse
from lht.simulator.soql.printer import to_soql
from lht.simulator.soql.tree import (
    Boolean,
    Call,
    Comparison,
    Conjunction,
    Date,
    DateTime,
    DateWord,
    Disjunction,
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

NAMES = st.sampled_from(
    ["Id", "Name", "My_Field__c", "x", "SystemModstamp", "Account", "OrderNumber", "Inner__r"]
)
COUNTS = st.none() | st.integers(0, 5000)
PATHS = st.builds(Path, st.lists(NAMES, min_size=1, max_size=6).map(tuple))
_OLDEST, _NEWEST = datetime(1700, 1, 1), datetime(4000, 12, 31)  # noqa: DTZ001 - hypothesis adds the zone
LITERALS = st.one_of(
    st.builds(Text.of, st.text(st.characters(exclude_categories=["Cs"]))),
    st.integers().map(lambda n: Number(str(n))),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda n: Number(repr(n))),
    st.builds(Boolean, st.booleans()),
    st.dates(_OLDEST.date(), _NEWEST.date()).map(Date),
    st.datetimes(_OLDEST, _NEWEST, timezones=st.just(UTC)).map(DateTime),
    st.times().map(Time) | st.just(Time(time(0))),
    st.sampled_from(["TODAY", "LAST_MONTH", "THIS_FISCAL_YEAR", "NEXT_90_DAYS"]).map(DateWord),
    st.builds(
        DateWord, st.sampled_from(["LAST_N_DAYS", "N_YEARS_AGO", "NEXT_N_FISCAL_QUARTERS"]), st.integers(0)
    ),
)
VALUES = LITERALS | st.just(Null())
CALLS = st.recursive(
    st.builds(Call, NAMES, st.lists(PATHS, max_size=2).map(tuple)),
    lambda inner: st.builds(Call, NAMES, st.lists(inner | LITERALS, max_size=3).map(tuple)),
    max_leaves=3,
)
OPERANDS = PATHS | CALLS
CLOSING = st.sampled_from(
    ["FOR VIEW", "FOR REFERENCE", "FOR UPDATE", "UPDATE TRACKING", "UPDATE VIEWSTAT", "ALL ROWS"]
)


def _several(terms: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(terms, min_size=2, max_size=3).map(tuple)


def _conditions(queries: st.SearchStrategy) -> st.SearchStrategy:
    sets = st.lists(VALUES, min_size=1, max_size=3).map(tuple) | queries
    leaves = st.one_of(
        st.builds(Comparison, OPERANDS, st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "LIKE"]), LITERALS),
        st.builds(Comparison, OPERANDS, st.sampled_from(["=", "!="]), st.just(Null())),
        st.builds(Membership, OPERANDS, st.sampled_from(["IN", "NOT IN", "INCLUDES", "EXCLUDES"]), sets),
    )
    return st.recursive(
        leaves,
        lambda terms: st.one_of(
            st.builds(Conjunction, _several(terms)),
            st.builds(Disjunction, _several(terms)),
            st.builds(Negation, terms),
        ),
        max_leaves=5,
    )


def _queries(inner: st.SearchStrategy) -> st.SearchStrategy:
    conditions = _conditions(inner)
    branches = st.lists(
        st.tuples(NAMES, st.lists(PATHS, min_size=1, max_size=2).map(tuple)), min_size=1, max_size=2
    )
    items = st.one_of(
        st.builds(Selected, OPERANDS, st.none() | NAMES),
        st.builds(TypeOf, PATHS, branches.map(tuple), st.lists(PATHS, max_size=2).map(tuple)),
        inner,
    )
    grouped = st.builds(
        lambda keys, having: {"group_by": keys, "having": having},
        st.lists(OPERANDS, min_size=1, max_size=2).map(tuple),
        st.none() | conditions,
    )
    orderings = st.builds(Ordering, OPERANDS, st.booleans(), st.sampled_from([None, True, False]))
    return st.builds(
        lambda group, **rest: Query(**rest, **group),
        st.just({}) | grouped,
        select=st.lists(items, min_size=1, max_size=3).map(tuple),
        source=PATHS,
        alias=st.none() | NAMES,
        sources=st.lists(st.builds(Source, PATHS, st.none() | NAMES), max_size=2).map(tuple),
        scope=st.sampled_from([None, "everything", "mine", "scopingRule"]),
        mode=st.sampled_from([None, "SECURITY_ENFORCED", "USER_MODE"]),
        closing=st.lists(CLOSING, max_size=2).map(tuple),
        where=st.none() | conditions,
        order_by=st.lists(orderings, max_size=2).map(tuple),
        limit=COUNTS,
        offset=COUNTS,
    )


QUERIES = _queries(st.builds(Query, st.builds(Selected, PATHS).map(lambda s: (s,)), PATHS))


@settings(deadline=None)  # the first example also builds the parser
@given(QUERIES)
def test_a_printed_tree_parses_to_itself(query: Query) -> None:
    assert query == parse(to_soql(query))


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_as_a_literal(value: str) -> None:
    assert value == Text.of(value).value
