"""SOQL as the org answers it, against a second evaluation in plain Python over the same records."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
import soql_evaluator as plain
from hypothesis import example, given, settings
from hypothesis import strategies as st
from soql_evaluator import (
    Aggregate,
    Among,
    Ask,
    Both,
    Compare,
    DateCall,
    Includes,
    Join,
    Not,
    Pattern,
    Sort,
    Word,
    World,
)

from lht.simulator.org.org import Org

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK = settings(deadline=None, max_examples=100)
COLOURS = ("Red", "Green", "Blue", 'Ultra, "violet"', "Größe; mittel")
TRAITS = ("Brittle", "Magnetic", "Fluorescent", "Rare", "Ölig", "Heavy")
MOODS = ("Calm", "Tense")

SPECIMEN = {
    "Id": "id", "Name": "string", "Text__c": "string", "Code__c": "string", "Area__c": "textarea", "Email__c": "email",
    "Colour__c": "picklist", "Mood__c": "picklist", "Traits__c": "multipicklist", "Checked__c": "boolean",
    "Count__c": "int", "Serials__c": "long", "Level__c": "double", "Price__c": "currency", "Share__c": "percent",
    "Found__c": "date", "Seen__c": "datetime", "Opens__c": "time", "Related__c": "reference", "Account__c": "reference",
    "Double_Count__c": "double", "Title__c": "string", "Is_Heavy__c": "boolean", "Due__c": "date", "Reviewed__c": "datetime",
    "Mass__c": "double", "IsDeleted": "boolean",
}  # fmt: skip
ACCOUNT = {"Id": "id", "Name": "string", "Phone": "phone", "ParentId": "reference", "AnnualRevenue": "currency",
           "Industry": "picklist", "IsDeleted": "boolean"}  # fmt: skip
TASK = {"Id": "id", "Subject": "combobox", "WhatId": "reference", "WhoId": "reference", "IsClosed": "boolean"}
CONTACT = {"Id": "id", "Name": "string", "Email": "email", "Phone": "phone", "AccountId": "reference"}
KINDS = {"Specimen__c": SPECIMEN, "Account": ACCOUNT, "Task": TASK, "Contact": CONTACT}
LINKS = {
    ("Specimen__c", "Related__r"): ("Related__c", ("Specimen__c",)),
    ("Specimen__c", "Account__r"): ("Account__c", ("Account",)),
    ("Account", "Parent"): ("ParentId", ("Account",)),
    ("Contact", "Account"): ("AccountId", ("Account",)),
    ("Task", "What"): ("WhatId", ("Account", "Specimen__c")),
    ("Task", "Who"): ("WhoId", ("Contact", "Lead")),
}

WORDS = [
    "a",
    "A",
    "ab",
    "aB",
    "É",
    "é",
    "a_b",
    "a%b",
    "x'y",
    "back\\slash",
    "😀",
    "line\nend",
    "Zz",
    "_z",
    "[k",
    "~",
]
EMAILS = ["a@x.org", "b@x.org", "zoe_x@x.org"]
NUMBERS = [0, 1, -1, 7, 999_999]
HALVES = [0.0, 0.5, -0.25, 7.0, 12.75, 100.5]
DAYS = [
    date(1700, 1, 1),
    date(2023, 12, 31),
    date(2024, 1, 1),
    date(2024, 2, 29),
    date(2024, 3, 1),
    date(4000, 12, 31),
]
STAMPS = [
    datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC),
    datetime(2024, 3, 1, tzinfo=UTC),
    datetime(1700, 1, 1, tzinfo=UTC),
]
TIMES = [time(0), time(9, 30), time(23, 59, 59)]
MOMENTS = [
    datetime(2024, 2, 29, 12, tzinfo=UTC),
    datetime(2023, 12, 31, 23, 59, 59, tzinfo=UTC),
    datetime(2024, 1, 1, tzinfo=UTC),
    datetime(2024, 3, 31, 0, 30, tzinfo=UTC),
    datetime(2024, 3, 31, 23, 30, tzinfo=UTC),
    datetime(2024, 6, 30, 22, tzinfo=UTC),
    datetime(2024, 3, 2, 23, 59, 59, tzinfo=UTC),  # a Saturday
    datetime(2024, 3, 3, tzinfo=UTC),  # a Sunday
    datetime(2023, 3, 1, tzinfo=UTC),
    datetime(2024, 10, 27, 0, 30, tzinfo=UTC),
    datetime(2024, 11, 3, 5, 30, tzinfo=UTC),
]
ZONES = ["GMT", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Pacific/Pago_Pago"]


PICKLISTS = {"Colour__c": COLOURS, "Mood__c": MOODS, "Industry": ("Banking", "Energy", "Other")}


@dataclass(frozen=True)
class IdOf:
    """The id of some record, known only when there are records, in one of its spellings."""

    number: int
    spelling: str

    def text(self, world: World) -> str:
        known = [r["Id"] for table in world.tables.values() for r in table]
        one: str = known[self.number % len(known)]
        return {"15": one[:15], "18": one, "upper": one.upper(), "lower": one.lower()}[self.spelling]


IDS = st.builds(IdOf, st.integers(0, 60), st.sampled_from(["15", "18", "upper", "lower"]))


def told(condition: Any, world: World) -> Any:
    """The condition with ids in it."""
    match condition:
        case Both(terms, word):
            return Both(tuple(told(t, world) for t in terms), word)
        case Not(term):
            return Not(told(term, world))
        case Compare(path, sign, IdOf() as value):
            return Compare(path, sign, value.text(world))
        case Among(path, values, negated):
            known = tuple(v.text(world) if isinstance(v, IdOf) else v for v in values)
            return Among(path, known, negated)
        case Join():
            return replace(condition, where=told(condition.where, world))
    return condition


# --- the records ---


class Bench:
    """An org beside what a plain reader knows of it; no dataclass, so that no report prints every record."""

    def __init__(self, org: Org) -> None:
        self.org = org
        self.world = _world(org)

    def ids(self, ask: Ask) -> list[str]:
        return [r["Id"] for r in self.org.queries.query(plain.text_of(ask))["records"]]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    org = Org.open()
    org.clock.freeze(MOMENTS[0])
    _fill(org, random.Random(5))
    yield Bench(org)
    org.close()


def _world(org: Org) -> World:
    tables = {}
    for name, kinds in KINDS.items():
        page = org.queries.query(f"SELECT {', '.join(kinds)} FROM {name}")
        assert page["done"]
        tables[name] = page["records"]
    return World(tables, KINDS, LINKS, frozenset({"Code__c"}), PICKLISTS, now=MOMENTS[0])


def _fill(org: Org, dice: random.Random) -> None:
    accounts: list[str] = []
    for n, name in enumerate(["Acme", "acme", "Beta", "ÉTÉ", "_x", "Zed"]):
        body = {"Name": name, "ParentId": _maybe(dice, accounts[-1:] or [None]), "Industry": _maybe(dice, ["Energy", "Banking", "Other"]),
                "AnnualRevenue": _maybe(dice, HALVES), "Phone": _maybe(dice, ["1", "22"])}  # fmt: skip
        accounts.append(org.records.create("Account", body))
        org.records.delete("Account", org.records.create("Account", {"Name": f"gone {n}"}))
    specimens = [org.records.create("Specimen__c", _specimen(dice, n, accounts)) for n in range(44)]
    for n, one in enumerate(specimens):
        related = specimens[n - 1] if n % 9 else dice.choice([None, one])
        org.records.update("Specimen__c", one, {"Related__c": related})
    contacts = [
        org.records.create(
            "Contact", {"LastName": name, "Email": _maybe(dice, EMAILS), "AccountId": _maybe(dice, accounts)}
        )
        for name in ("Carl", "dora", "Émile")
    ]
    for n in range(14):
        body = {"Subject": _maybe(dice, ["Call", "call", "Mail"]), "WhatId": _maybe(dice, accounts + specimens[:3]),
                "WhoId": _maybe(dice, contacts), "Status": dice.choice(["Completed", "Deferred"])}  # fmt: skip
        made = org.records.create("Task", body)
        if n == 3:
            org.records.delete("Task", made)


def _maybe(dice: random.Random, values: list[Any]) -> Any:
    return None if dice.random() < 0.25 else dice.choice(values)


def _specimen(dice: random.Random, n: int, accounts: list[str]) -> dict[str, Any]:
    codes = ["k", "K", "kk", "Kk", "_k", "ka"]
    moments = [
        *STAMPS,
        *(m + timedelta(days=d, seconds=s) for m in MOMENTS for d in (-8, -1, 0, 1) for s in (-1, 0, 1)),
    ]
    near = [*DAYS, *(m.date() + timedelta(days=d) for m in MOMENTS for d in (-90, -7, -1, 0, 1, 2, 90))]
    return {
        "Name": dice.choice(WORDS),
        "Text__c": _maybe(dice, WORDS),
        "Code__c": codes[n] if n < len(codes) else None,
        "Area__c": _maybe(dice, WORDS),
        "Email__c": _maybe(dice, EMAILS),
        "Colour__c": _maybe(dice, list(COLOURS)),
        "Mood__c": _maybe(dice, ["Calm", "Tense", "calm", "Odd", "also odd"]),
        "Traits__c": ";".join(dice.sample(TRAITS, dice.randrange(4))) or None,
        "Checked__c": dice.choice([True, False]),
        "Count__c": _maybe(dice, NUMBERS),
        "Serials__c": _maybe(dice, NUMBERS),
        "Level__c": _maybe(dice, HALVES),
        "Price__c": _maybe(dice, HALVES),
        "Share__c": _maybe(dice, HALVES),
        "Mass__c": _maybe(dice, [1, 2000]),
        "Found__c": (day := _maybe(dice, near)) and day.isoformat(),
        "Seen__c": (moment := _maybe(dice, moments)) and moment.isoformat().replace("+00:00", "Z"),
        "Opens__c": (hour := _maybe(dice, TIMES)) and hour.isoformat("milliseconds") + "Z",
        "Account__c": _maybe(dice, accounts),
    }


# --- arbitrary questions ---

DATE_WORDS = st.one_of(
    st.sampled_from([
        "TODAY", "YESTERDAY", "TOMORROW", "LAST_90_DAYS", "NEXT_90_DAYS",
        *(f"{when}_{unit}" for when in ("LAST", "THIS", "NEXT")
          for unit in ("WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR")),
    ]).map(Word),
    st.builds(
        Word,
        st.sampled_from([
            form.format(unit) for unit in ("DAYS", "WEEKS", "MONTHS", "QUARTERS", "YEARS", "FISCAL_QUARTERS", "FISCAL_YEARS")
            for form in ("LAST_N_{}", "NEXT_N_{}", "N_{}_AGO")
        ]),
        st.integers(0, 13),
    ),
)  # fmt: skip


def _values(kind: str, name: str) -> st.SearchStrategy[Any]:
    zones = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-9, minutes=-30))])
    by_kind = {
        "int": st.sampled_from(NUMBERS), "long": st.sampled_from(NUMBERS), "boolean": st.booleans(),
        "double": st.sampled_from([*HALVES, 2, 14]), "currency": st.sampled_from(HALVES), "percent": st.sampled_from(HALVES),
        "date": st.sampled_from(DAYS) | DATE_WORDS, "time": st.sampled_from(TIMES),
        "datetime": st.builds(lambda m, z: m.astimezone(z), st.sampled_from([*STAMPS[:2], *MOMENTS]), zones) | DATE_WORDS,
        "email": st.sampled_from([*EMAILS, "A@X.org"]), "multipicklist": st.sampled_from(["Brittle", "brittle;magnetic", "Rare"]),
        "id": IDS, "reference": IDS,
    }  # fmt: skip
    listed = [*PICKLISTS.get(name, ()), "red", "Odd", "x"]
    texts = {"picklist": listed, "combobox": ["Call", "MAIL"], "phone": ["1", "22"]}
    return by_kind[kind] if kind in by_kind else st.sampled_from([*texts.get(kind, WORDS), ""])


def paths(source: str) -> st.SearchStrategy[tuple[tuple[str, ...], str, str]]:
    """A path with its kind and its field."""
    direct = [((name,), kind, name) for name, kind in KINDS[source].items()]
    found = [*direct, *(((source, *path), kind, name) for path, kind, name in direct)]
    chains = {
        "Specimen__c": [("Related__r",) * n for n in range(1, 6)] + [("Account__r",), ("Account__r", "Parent"), ("Related__r", "Account__r", "Parent", "Parent")],
        "Task": [],
        "Contact": [("Account",), ("Account", "Parent")],
        "Account": [("Parent",) * n for n in range(1, 6)],
    }  # fmt: skip
    for chain in chains[source]:
        end = source
        for step in chain:
            end = LINKS[end, step][1][0]
        found += [((*chain, name), kind, name) for name, kind in KINDS[end].items()]
    if source == "Task":
        found += [
            ((step, name), kind, name) for step in ("What", "Who") for name, kind in plain.NAME_FIELDS.items()
        ]
    return st.sampled_from(found)


@st.composite
def patterns(draw: st.DrawFn) -> Pattern:
    pieces = draw(
        st.lists(
            st.sampled_from([("%", True), ("_", True), *((c, False) for c in "%_\\'aBéz\n😀")]),
            min_size=1,
            max_size=5,
        )
    )
    return Pattern(tuple(p for p, _ in pieces), tuple(w for _, w in pieces))


@st.composite
def leaves(draw: st.DrawFn, source: str) -> Any:
    path, kind, name = draw(paths(source))
    values = _values(kind, name)
    ordered = st.builds(
        Compare, st.just(path), st.sampled_from(["<", "<=", ">", ">="]), values.filter(lambda v: v != "")
    )
    choices = [
        st.builds(Compare, st.just(path), st.sampled_from(["=", "!="]), values | st.none()),
        st.builds(
            Among,
            st.just(path),
            st.lists(values | st.none(), min_size=1, max_size=3).map(tuple),
            st.booleans(),
        ),
    ]
    if kind not in ("boolean", "multipicklist", "id", "reference"):
        choices.append(ordered)
    if kind in plain.TEXTS - {"multipicklist"}:
        choices.append(st.builds(Compare, st.just(path), st.just("LIKE"), patterns()))
    if kind == "multipicklist":
        lists = st.lists(st.sampled_from([*TRAITS, "brittle"]), min_size=1, max_size=2).map(tuple)
        choices.append(
            st.builds(
                Includes, st.just(path), st.lists(lists, min_size=1, max_size=2).map(tuple), st.booleans()
            )
        )
    return draw(st.one_of(choices))


def conditions(source: str) -> st.SearchStrategy[Any]:
    return st.recursive(leaves(source), _joined, max_leaves=4)


def _joined(terms: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    several = st.lists(terms, min_size=2, max_size=3).map(tuple)
    return st.builds(Both, several, st.sampled_from(["AND", "OR"])) | st.builds(Not, terms)


SOURCES = st.sampled_from(["Specimen__c", "Specimen__c", "Account", "Task", "Contact"])


@st.composite
def filtered(draw: st.DrawFn) -> Ask:
    source = draw(SOURCES)
    return Ask(source, draw(conditions(source)))


# --- what must hold ---


@QUICK
@given(ask=filtered())
def test_where_finds_the_records_for_which_the_condition_holds(bench: Bench, ask: Ask) -> None:
    org, world = bench.org, bench.world
    ask = replace(ask, where=told(ask.where, world))

    expected = sorted(r["Id"] for r in plain.answer(ask, world))
    assert expected == sorted(bench.ids(ask)), plain.text_of(ask)
    assert (
        len(expected)
        == org.queries.query(plain.text_of(ask).replace("SELECT Id", "SELECT COUNT()"))["totalSize"]
    )


@settings(QUICK, max_examples=200)
@given(
    word=DATE_WORDS,
    sign=st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    name=st.sampled_from(["Found__c", "Seen__c", "Due__c", "Reviewed__c"]),
    now=st.sampled_from(MOMENTS),
    zone=st.sampled_from(ZONES),
    fiscal_start=st.integers(1, 12),
)
def test_date_words_mean_the_users_days(  # noqa: PLR0917 - hypothesis passes each by name
    bench: Bench, word: Word, sign: str, name: str, now: datetime, zone: str, fiscal_start: int
) -> None:
    org, world = bench.org, bench.world
    ask = Ask("Specimen__c", Compare((name,), sign, word))
    there = replace(world, now=now, zone=UTC if zone == "GMT" else ZoneInfo(zone), fiscal_start=fiscal_start)
    org.clock.freeze(now)
    org.change_user_time({"timezone": zone, "fiscal_year_start_month": fiscal_start})
    try:
        found = bench.ids(ask)
    finally:
        org.change_user_time({"timezone": "GMT", "fiscal_year_start_month": 1})
        org.clock.freeze(MOMENTS[0])

    assert sorted(r["Id"] for r in plain.answer(ask, there)) == sorted(found), (plain.text_of(ask), now, zone)


@st.composite
def ordered(draw: st.DrawFn) -> Ask:
    source = draw(SOURCES)
    sortable = paths(source).filter(lambda p: p[1] != "multipicklist").map(lambda p: p[0])
    sorts = st.builds(Sort, sortable, st.booleans(), st.sampled_from([None, "FIRST", "LAST"]))
    bounds = st.none() | st.integers(0, 50)
    order = tuple(draw(st.lists(sorts, min_size=1, max_size=3)))
    return Ask(source, draw(st.none() | conditions(source)), order, draw(bounds), draw(bounds))


@QUICK
@given(ask=ordered())
@example(ask=Ask("Task", None, (Sort(("What", "Id"), descending=False, nulls=None),), 5))
def test_order_limit_and_offset_give_the_right_stretch(bench: Bench, ask: Ask) -> None:
    world = bench.world
    ask = replace(ask, where=told(ask.where, world))

    matching = plain.answer(ask, world)
    keys = {r["Id"]: tuple(plain.sort_key(s, r, ask.source, world) for s in ask.order) for r in matching}
    begin = ask.offset or 0
    end = None if ask.limit is None else begin + ask.limit
    expected = sorted(keys.values())[begin:end]
    found = bench.ids(ask)
    assert len(set(found)) == len(found)
    assert expected == [keys[one] for one in found], plain.text_of(ask)


GROUPABLE = {
    "Specimen__c": [("Text__c",), ("Colour__c",), ("Mood__c",), ("Checked__c",), ("Count__c",), ("Found__c",), ("Account__c",), ("Area__c",),
                    ("Code__c",), ("Account__r", "Name"), ("Related__r", "Colour__c"), ("Related__r", "Related__r", "Checked__c")],
    "Task": [("WhatId",), ("What", "Type")],
    "Account": [("Name",), ("Industry",), ("Parent", "Name")],
    "Contact": [("Account", "Name"), ("Email",)],
}  # fmt: skip
SUMMED = {"int", "long", "double", "currency", "percent"}
NEVER = {"boolean", "time", "multipicklist"}


@st.composite
def aggregates(draw: st.DrawFn, source: str) -> Aggregate:
    path, kind, _ = draw(paths(source).filter(lambda p: p[1] not in NEVER))
    functions = ["COUNT", "COUNT_DISTINCT", "MIN", "MAX", *(["SUM", "AVG"] if kind in SUMMED else [])]
    return Aggregate(draw(st.sampled_from(functions)), path)


@st.composite
def havings(draw: st.DrawFn, source: str, keys: tuple[tuple[str, ...], ...]) -> Any:
    counted = st.builds(
        Compare,
        st.builds(Aggregate, st.sampled_from(["COUNT", "COUNT_DISTINCT"]), st.just(("Id",))),
        st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
        st.integers(0, 6),
    )
    own = (
        st.builds(Compare, st.sampled_from(keys), st.sampled_from(["=", "!="]), st.none())
        if keys
        else counted
    )
    return draw(st.recursive(counted | own, _joined, max_leaves=3))


@st.composite
def grouped(draw: st.DrawFn) -> Ask:
    source = draw(SOURCES)
    keys = tuple(draw(st.lists(st.sampled_from(GROUPABLE[source]), max_size=2, unique=True)))
    asked = draw(st.lists(aggregates(source), min_size=1, max_size=3))
    asked = [a for a in asked if a.path not in keys and a.path[1:] not in keys] or [
        Aggregate("COUNT", ("Id",))
    ]
    having = draw(st.none() | havings(source, keys)) if keys else None
    where = draw(st.none() | conditions(source))
    return Ask(source, where, keys=keys, aggregates=tuple(asked), having=having)


@QUICK
@given(ask=grouped())
def test_groups_and_aggregates(bench: Bench, ask: Ask) -> None:
    org, world = bench.org, bench.world
    ask = replace(ask, where=told(ask.where, world))

    rows = org.queries.query(plain.text_of(ask))["records"]
    found = [_comparable(row, ask, world) for row in rows]
    assert Counter(plain.groups(ask, world)) == Counter(found), plain.text_of(ask)


def _comparable(row: dict[str, Any], ask: Ask, world: World) -> tuple[Any, ...]:
    kinds = [plain.look(None, ask.source, path, world) for path in ask.keys]
    for aggregate in ask.aggregates:
        known = plain.look(None, ask.source, aggregate.path, world)
        kinds.append(replace(known, kind=plain.total(aggregate, [], ask.source, world)[1]))
    values = [value for name, value in row.items() if name != "attributes"]
    return tuple(
        plain.comparable(plain.read(v, k.kind), k, world) for v, k in zip(values, kinds, strict=True)
    )


# --- date functions ---

MONTHS_AND_DAYS = ["CALENDAR_MONTH", "CALENDAR_QUARTER", "CALENDAR_YEAR", "DAY_IN_MONTH", "DAY_IN_WEEK", "DAY_IN_YEAR",
                   "FISCAL_MONTH", "FISCAL_QUARTER", "FISCAL_YEAR", "WEEK_IN_MONTH", "WEEK_IN_YEAR"]  # fmt: skip
OF_DAYS = st.builds(
    DateCall,
    st.sampled_from(MONTHS_AND_DAYS),
    st.sampled_from([("Found__c",), ("Due__c",), ("Related__r", "Found__c")]),
)
OF_MOMENTS = st.builds(
    DateCall,
    st.sampled_from([*MONTHS_AND_DAYS, "DAY_ONLY", "HOUR_IN_DAY"]),
    st.sampled_from([("Seen__c",), ("Reviewed__c",), ("Specimen__c", "Seen__c")]),
    st.booleans(),
)


@QUICK
@given(
    call=OF_DAYS | OF_MOMENTS,
    sign=st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
    like=st.integers(0, 43),
    zone=st.sampled_from(ZONES),
    fiscal_start=st.integers(1, 12),
)
def test_date_functions_filter_and_group(  # noqa: PLR0917 - hypothesis passes each by name
    bench: Bench, call: DateCall, sign: str, like: int, zone: str, fiscal_start: int
) -> None:
    org, source = bench.org, "Specimen__c"
    world = replace(bench.world, zone=UTC if zone == "GMT" else ZoneInfo(zone), fiscal_start=fiscal_start)
    values = [plain.part(call, r, source, world) for r in world.tables[source]]
    value = values[like] if values[like] is not None or sign in ("=", "!=") else values[0] or 2024
    ask = Ask(source, Compare(call, sign, value))
    name = plain._operand(call)
    org.change_user_time({"timezone": zone, "fiscal_year_start_month": fiscal_start})
    try:
        found = bench.ids(ask)
        rows = org.queries.query(f"SELECT {name} k, COUNT(Id) n FROM {source} GROUP BY {name}")["records"]
    finally:
        org.change_user_time({"timezone": "GMT", "fiscal_year_start_month": 1})

    assert sorted(r["Id"] for r in plain.answer(ask, world)) == sorted(found), (plain.text_of(ask), zone)
    kind = "date" if call.function == "DAY_ONLY" else "int"
    assert Counter(values) == {plain.read(r["k"], kind): r["n"] for r in rows}, (name, zone)


# --- semi-joins and children ---

JOINS = {
    "Account": [(("Id",), "Contact", "AccountId"), (("Id",), "Specimen__c", "Account__c"), (("ParentId",), "Contact", "AccountId")],
    "Contact": [(("AccountId",), "Account", "Id"), (("AccountId",), "Specimen__c", "Account__c")],
    "Specimen__c": [(("Account__c",), "Account", "Id"), (("Account__c",), "Contact", "AccountId")],
    "Task": [(("WhatId",), "Account", "Id"), (("WhoId",), "Contact", "Id"), (("WhatId",), "Specimen__c", "Id")],
}  # fmt: skip
CHILDREN = {
    ("Account", "Contacts"): ("Contact", "AccountId"),
    ("Account", "Specimens__r"): ("Specimen__c", "Account__c"),
    ("Account", "Tasks"): ("Task", "WhatId"),
    ("Specimen__c", "Relatives__r"): ("Specimen__c", "Related__c"),
    ("Contact", "Tasks"): ("Task", "WhoId"),
}


@st.composite
def joined(draw: st.DrawFn) -> Ask:
    source = draw(SOURCES)
    terms = []
    for path, other, key in draw(st.lists(st.sampled_from(JOINS[source]), min_size=1, max_size=2)):
        where = draw(st.none() | conditions(other))
        terms.append(Join(path, other, key, where, draw(st.booleans())))
    rest = draw(st.none() | leaves(source))
    terms += [] if rest is None else [rest]
    return Ask(source, Both(tuple(terms)) if len(terms) > 1 else terms[0])


@QUICK
@given(ask=joined())
def test_semi_joins_and_anti_joins(bench: Bench, ask: Ask) -> None:
    world = bench.world
    ask = replace(ask, where=told(ask.where, world))

    assert sorted(r["Id"] for r in plain.answer(ask, world)) == sorted(bench.ids(ask)), plain.text_of(ask)


@st.composite
def children(draw: st.DrawFn) -> tuple[str, str, Ask]:
    parent, name = draw(st.sampled_from(sorted(CHILDREN)))
    source = CHILDREN[parent, name][0]
    sorts = st.builds(
        Sort,
        paths(source).filter(lambda p: p[1] != "multipicklist" and p[0][0] != source).map(lambda p: p[0]),
        st.booleans(),
    )
    order = (*draw(st.lists(sorts, max_size=2)), Sort(("Id",), draw(st.booleans())))
    where = draw(st.none() | conditions(source))
    return parent, name, Ask(source, where, order, draw(st.none() | st.integers(1, 5)))


@QUICK
@given(asked=children())
def test_each_parent_has_its_children(bench: Bench, asked: tuple[str, str, Ask]) -> None:
    parent, name, ask = asked
    world, key = bench.world, CHILDREN[parent, name][1]
    ask = replace(ask, where=told(ask.where, world))
    inner = plain.text_of(ask).replace(f"FROM {ask.source}", f"FROM {name}", 1)
    expected: dict[str, list[str]] = {r["Id"]: [] for r in world.tables[parent]}
    for child in sorted(
        plain.answer(ask, world),
        key=lambda r: tuple(plain.sort_key(s, r, ask.source, world) for s in ask.order),
    ):
        if child[key] in expected and (ask.limit is None or len(expected[child[key]]) < ask.limit):
            expected[child[key]].append(child["Id"])

    records = bench.org.queries.query(f"SELECT Id, ({inner}) FROM {parent}")["records"]
    found = {r["Id"]: [c["Id"] for c in r[name]["records"]] if r[name] else [] for r in records}
    assert expected == found, inner
    assert all(r[name] is None or r[name]["totalSize"] == len(r[name]["records"]) for r in records)
