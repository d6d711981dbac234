"""SOQL in plain Python: questions as values, their text, and their answers over lists of records.

It is written from Salesforce's documentation and knows nothing of the org that it judges: not its grammar, its tree,
nor its SQL. Records are as REST gives them, with every field that the object has.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

Record = dict[str, Any]
Path = tuple[str, ...]

TEXTS = frozenset({"string", "textarea", "email", "phone", "url", "picklist", "multipicklist", "combobox"})
IDS = frozenset({"id", "reference"})
NUMBERS = frozenset({"int", "long", "double", "currency", "percent"})
NAME_FIELDS = {"Id": "id", "Name": "string", "Type": "string", "Email": "email", "Phone": "phone"}
"""What may be asked of a parent that can be of several kinds."""


# --- questions ---


@dataclass(frozen=True)
class Word:
    """TODAY, LAST_N_DAYS:3."""

    name: str
    count: int | None = None


@dataclass(frozen=True)
class Pattern:
    """What LIKE is given: "%" and "_" as wildcards are members, everything else is one character for itself."""

    pieces: tuple[str, ...]
    wild: tuple[bool, ...]


@dataclass(frozen=True)
class Compare:
    path: Path
    sign: str
    value: Any


@dataclass(frozen=True)
class Among:
    path: Path
    values: tuple[Any, ...]
    negated: bool = False


@dataclass(frozen=True)
class Includes:
    path: Path
    choices: tuple[tuple[str, ...], ...]
    negated: bool = False


@dataclass(frozen=True)
class Join:
    """The ids that a field of another object has."""

    path: Path
    source: str
    key: str
    where: Any = None
    negated: bool = False


@dataclass(frozen=True)
class DateCall:
    """CALENDAR_YEAR(Seen__c), or in the user's zone CALENDAR_YEAR(convertTimezone(Seen__c))."""

    function: str
    path: Path
    in_zone: bool = False


@dataclass(frozen=True)
class Both:
    terms: tuple[Any, ...]
    word: str = "AND"


@dataclass(frozen=True)
class Not:
    term: Any


@dataclass(frozen=True)
class Sort:
    path: Path
    descending: bool = False
    nulls: str | None = None


@dataclass(frozen=True)
class Aggregate:
    """COUNT(Id), MAX(Name)."""

    function: str
    path: Path


@dataclass(frozen=True)
class Ask:
    """A question: of records, or of groups where `keys` or `aggregates` say so."""

    source: str
    where: Any = None
    order: tuple[Sort, ...] = ()
    limit: int | None = None
    offset: int | None = None
    keys: tuple[Path, ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    having: Any = None


@dataclass
class World:
    """The records, what kinds of fields they have, where their references lead, and when it is for the user."""

    tables: dict[str, list[Record]]
    kinds: dict[str, dict[str, str]]
    links: dict[tuple[str, str], tuple[str, tuple[str, ...]]]
    exact: frozenset[str] = frozenset()
    picklists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    now: datetime = datetime(2024, 1, 1, tzinfo=UTC)
    zone: tzinfo = UTC
    fiscal_start: int = 1


# --- their text ---


def text_of(ask: Ask) -> str:
    parts = [_selected(ask), f"FROM {ask.source}"]
    if ask.where is not None:
        parts.append(f"WHERE {_condition(ask.where)}")
    if ask.keys:
        parts.append(f"GROUP BY {', '.join(map('.'.join, ask.keys))}")
    if ask.having is not None:
        parts.append(f"HAVING {_condition(ask.having)}")
    if ask.order:
        parts.append(f"ORDER BY {', '.join(map(_sort, ask.order))}")
    if ask.limit is not None:
        parts.append(f"LIMIT {ask.limit}")
    if ask.offset is not None:
        parts.append(f"OFFSET {ask.offset}")
    return " ".join(parts)


def _selected(ask: Ask) -> str:
    if not ask.keys and not ask.aggregates:
        return "SELECT Id"
    keys = [f"{'.'.join(path)} k{n}" if len(path) > 1 else path[0] for n, path in enumerate(ask.keys)]
    return "SELECT " + ", ".join([*keys, *(f"{_operand(a)} a{n}" for n, a in enumerate(ask.aggregates))])


def _sort(sort: Sort) -> str:
    way = " DESC" if sort.descending else ""
    return _operand(sort.path) + way + (f" NULLS {sort.nulls}" if sort.nulls else "")


def _operand(operand: Path | Aggregate | DateCall) -> str:
    if isinstance(operand, DateCall):
        name = ".".join(operand.path)
        return f"{operand.function}({f'convertTimezone({name})' if operand.in_zone else name})"
    if isinstance(operand, Aggregate):
        return f"{operand.function}({'.'.join(operand.path)})"
    return ".".join(operand)


def _condition(condition: Any) -> str:
    match condition:
        case Both(terms, word):
            return f" {word} ".join(f"({_condition(t)})" for t in terms)
        case Not(term):
            return f"NOT ({_condition(term)})"
        case Compare(path, sign, value):
            return f"{_operand(path)} {sign} {literal(value)}"
        case Among(path, values, negated):
            return f"{_operand(path)} {'NOT IN' if negated else 'IN'} ({', '.join(map(literal, values))})"
        case Includes(path, choices, negated):
            lists = ", ".join(literal(";".join(choice)) for choice in choices)
            return f"{_operand(path)} {'EXCLUDES' if negated else 'INCLUDES'} ({lists})"
        case Join(path, source, key, where, negated):
            inner = f"SELECT {key} FROM {source}" + ("" if where is None else f" WHERE {_condition(where)}")
            return f"{_operand(path)} {'NOT IN' if negated else 'IN'} ({inner})"
    raise TypeError(condition)


_ESCAPED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "'": "\\'", "\\": "\\\\"}


def literal(value: Any) -> str:  # noqa: PLR0911 - one for each kind
    match value:
        case None:
            return "null"
        case bool():
            return str(value).upper()
        case int() | float():
            return repr(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case time():
            return value.isoformat("milliseconds") + "Z"
        case Word(name, count):
            return name if count is None else f"{name}:{count}"
        case Pattern(pieces, wild):
            signs = {"%": "\\%", "_": "\\_"} | _ESCAPED
            return "'" + "".join(p if w else signs.get(p, p) for p, w in zip(pieces, wild, strict=True)) + "'"
        case _:
            return "'" + "".join(_ESCAPED.get(c, c) for c in str(value)) + "'"


# --- their answers ---


@dataclass(frozen=True)
class Known:
    """One value with what decides how it compares."""

    value: Any
    kind: str
    name: str


def answer(ask: Ask, world: World) -> list[Record]:
    """The records that the question's condition finds, in no order and before LIMIT."""
    return [
        r for r in world.tables[ask.source] if ask.where is None or holds(ask.where, r, ask.source, world)
    ]


def look(record: Record | None, source: str, path: Path, world: World) -> Known:
    """Follows a path: what lies beyond a missing parent is null."""
    *steps, name = path
    if steps and steps[0] == source:
        steps = steps[1:]
    shared = False
    for step in steps:
        key, targets = world.links[source, step]
        wanted = record[key] if record else None
        shared = len(targets) > 1
        found = [(t, r) for t in targets for r in world.tables.get(t, []) if r["Id"] == wanted]
        source, record = found[0] if wanted and found else (targets[0], None)
    if shared:
        value = source if name == "Type" else (record or {}).get(name)
        return Known(value if record else None, NAME_FIELDS[name], name)
    kind = world.kinds[source][name]
    value = read(record[name], kind) if record else None
    return Known(bool(value) if kind == "boolean" else value, kind, name)


def read(value: Any, kind: str) -> Any:
    """A value of REST as Python's own kind."""
    if value is None:
        return None
    match kind:
        case "date":
            return date.fromisoformat(value)
        case "datetime":
            return datetime.fromisoformat(value.replace("+0000", "+00:00"))
        case "time":
            return time.fromisoformat(value.removesuffix("Z"))
    return value


def holds(condition: Any, record: Record, source: str, world: World) -> bool:  # noqa: PLR0911 - a case for each
    match condition:
        case Both(terms, word):
            return (all if word == "AND" else any)(holds(t, record, source, world) for t in terms)
        case Not(term):
            return not holds(term, record, source, world)
        case Compare(DateCall() as call, sign, value):
            return compare(Known(part(call, record, source, world), "int", ""), sign, value, world)
        case Compare(path, sign, value):
            return compare(look(record, source, path, world), sign, value, world)
        case Join(path, other, key, where, negated):
            found = {r[key] for r in answer(Ask(other, where), world)} - {None}
            return (look(record, source, path, world).value in found) != negated
        case Among(path, values, negated):
            known = look(record, source, path, world)
            return any(compare(known, "=", v, world) for v in values) != negated
        case Includes(path, choices, negated):
            chosen = set(fold(look(record, source, path, world).value or "").split(";"))
            return any({fold(c) for c in choice} <= chosen for choice in choices) != negated
    raise TypeError(condition)


def compare(known: Known, sign: str, value: Any, world: World) -> bool:  # noqa: PLR0911 - a rule for each
    """SOQL knows true and false only: nothing is true of null but that it is null and that it differs."""
    if sign == "!=":
        return not compare(known, "=", value, world)
    if value is None or value == "":
        return known.value is None or known.value is False
    if known.value is None:
        return False
    if isinstance(value, Word):
        return _in_period(known, sign, value, world)
    have, wanted = (comparable(v, known, world) for v in (known.value, value))
    if sign == "LIKE":
        return re.fullmatch(_regex(value, known, world), have, re.DOTALL) is not None
    if known.kind in IDS and sign == "=":
        return _same_id(known.value, value)
    return {
        "=": have == wanted,
        "<": have < wanted,
        "<=": have <= wanted,
        ">": have > wanted,
        ">=": have >= wanted,
    }[sign]


def fold(text: str) -> str:
    """Capitals, one for one: what English locales compare and sort by."""
    return "".join(c.upper() if len(c.upper()) == 1 else c for c in text)


def comparable(value: Any, known: Known, world: World) -> Any:
    if isinstance(value, str) and known.kind in TEXTS and known.name not in world.exact:
        return fold(value)
    return value


def _same_id(have: str, wanted: str) -> bool:
    """Fifteen characters tell capitals apart; with three more they need not."""
    return have[:15] == wanted if len(wanted) == 15 else have.lower() == wanted.lower()


def _regex(pattern: Pattern, known: Known, world: World) -> str:
    pieces = zip(pattern.pieces, pattern.wild, strict=True)
    wild = {"%": ".*", "_": "."}
    return "".join(wild[p] if w else re.escape(comparable(p, known, world)) for p, w in pieces)


def _in_period(known: Known, sign: str, word: Word, world: World) -> bool:
    first, last = days(word, world)
    moment = known.value
    day = moment.astimezone(world.zone).date() if known.kind == "datetime" else moment
    before = day < first
    after = day > last
    if known.kind == "datetime" and word.name in ("LAST_N_DAYS", "LAST_90_DAYS"):
        after = moment > world.now  # it ends at this very second
    return {
        "=": not before and not after,
        "<": before,
        "<=": not after,
        ">": after,
        ">=": not before,
    }[sign]


# --- the days of date words ---


def days(word: Word, world: World) -> tuple[date, date]:
    """The first and the last day of a period; the last is before the first where there is none."""
    today = world.now.astimezone(world.zone).date()
    name, count = word.name, word.count
    if name.endswith("_90_DAYS"):
        name, count = name.replace("90", "N"), 90
    single = {"YESTERDAY": -1, "TODAY": 0, "TOMORROW": 1}
    if name in single:
        day = today + timedelta(days=single[name])
        return day, day
    if name == "LAST_N_DAYS":
        return today - timedelta(days=count or 0), today
    unit = next(
        u for u in ("FISCAL_QUARTER", "FISCAL_YEAR", "QUARTER", "YEAR", "MONTH", "WEEK", "DAY") if u in name
    )
    n = 1 if count is None else count
    if name.startswith("THIS"):
        first = last = 0
    elif name.startswith("LAST"):
        first, last = -n, -1
    elif name.startswith("NEXT"):
        first, last = 1, n
    else:
        first = last = -n
    begin, _ = _unit(unit, today, first, world)
    _, end = _unit(unit, today, last, world)
    return begin, end


def _unit(unit: str, today: date, ahead: int, world: World) -> tuple[date, date]:
    """The unit that is so many after today's."""
    if unit == "DAY":
        day = today + timedelta(days=ahead)
        return day, day
    if unit == "WEEK":
        sunday = today
        while sunday.strftime("%a") != "Sun":
            sunday -= timedelta(days=1)
        sunday += timedelta(days=7 * ahead)
        return sunday, sunday + timedelta(days=6)
    length = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}[unit.removeprefix("FISCAL_")]
    starts = world.fiscal_start if unit.startswith("FISCAL") else 1
    year, month = today.year, today.month
    while (month - starts) % length:
        year, month = _step(year, month, -1)
    for _ in range(abs(ahead) * length):
        year, month = _step(year, month, 1 if ahead > 0 else -1)
    begin = date(year, month, 1)
    for _ in range(length - 1):
        year, month = _step(year, month, 1)
    return begin, date(year, month, monthrange(year, month)[1])


def _step(year: int, month: int, way: int) -> tuple[int, int]:
    month += way
    if month < 1:
        return year - 1, 12
    return (year + 1, 1) if month > 12 else (year, month)


def part(call: DateCall, record: Record, source: str, world: World) -> Any:
    """What a date function finds: of a moment in GMT, unless it is to be converted."""
    value = look(record, source, call.path, world).value
    if value is None:
        return None
    if isinstance(value, datetime):
        value = value.astimezone(world.zone if call.in_zone else UTC)
    fiscal_month = (value.month - world.fiscal_start) % 12 + 1
    year_day = value.timetuple().tm_yday
    return {
        "CALENDAR_MONTH": value.month,
        "CALENDAR_QUARTER": (value.month + 2) // 3,
        "CALENDAR_YEAR": value.year,
        "DAY_IN_MONTH": value.day,
        "DAY_IN_WEEK": ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].index(value.strftime("%a")) + 1,
        "DAY_IN_YEAR": year_day,
        "DAY_ONLY": value.date() if isinstance(value, datetime) else value,
        "FISCAL_MONTH": fiscal_month,
        "FISCAL_QUARTER": (fiscal_month + 2) // 3,
        "FISCAL_YEAR": value.year + (world.fiscal_start > 1 and value.month >= world.fiscal_start),
        "HOUR_IN_DAY": value.hour if isinstance(value, datetime) else 0,
        "WEEK_IN_MONTH": (value.day + 6) // 7,
        "WEEK_IN_YEAR": (year_day + 6) // 7,
    }[call.function]


# --- order ---


def sort_key(sort: Sort, record: Record, source: str, world: World) -> tuple[Any, ...]:
    """What a record's place depends on, so that smaller comes first whatever the direction."""
    known = look(record, source, sort.path, world)
    through = len(sort.path) > 1 and sort.path[0] != source
    last = sort.nulls == "LAST" and not through and known.kind != "reference"
    if known.value is None:
        return (1 if last else -1, ())
    return (0, Placed(_rank(known, world), descending=sort.descending))


def _rank(known: Known, world: World) -> Any:
    listed = [fold(v) for v in world.picklists.get(known.name, ())]
    value = comparable(known.value, known, world)
    if known.kind != "picklist":
        return value
    return (listed.index(value) if value in listed else len(listed), value)


@dataclass(frozen=True)
class Placed:
    """A value that sorts backwards where it is told to."""

    value: Any
    descending: bool

    def __lt__(self, other: Placed) -> bool:
        return other.value < self.value if self.descending else self.value < other.value


# --- groups ---


def groups(ask: Ask, world: World) -> list[tuple[Any, ...]]:
    """The rows of a grouped question: comparable keys, then aggregates; without keys there is always one row."""
    found: dict[tuple[Any, ...], list[Record]] = defaultdict(list)
    if not ask.keys:
        found[()] = []
    for record in answer(ask, world):
        found[tuple(group_key(record, ask.source, path, world) for path in ask.keys)].append(record)
    rows = [
        (*key, *(total(a, members, ask.source, world)[0] for a in ask.aggregates))
        for key, members in found.items()
        if ask.having is None or _having(ask.having, members, ask.source, world)
    ]
    return sorted(rows, key=repr)


def group_key(record: Record, source: str, path: Path, world: World) -> Any:
    """A checkbox of a parent that is not there is false in conditions, but a group of its own."""
    known = look(record, source, path, world)
    if known.kind == "boolean" and look(record, source, (*path[:-1], "Id"), world).value is None:
        return None
    return comparable(known.value, known, world)


def total(aggregate: Aggregate, members: list[Record], source: str, world: World) -> tuple[Any, str]:
    """An aggregate's value, in comparable form, and its kind."""
    known = [look(r, source, aggregate.path, world) for r in members]
    kind = look(None, source, aggregate.path, world).kind
    there = [comparable(k.value, k, world) for k in known if k.value is not None]
    match aggregate.function:
        case "COUNT":
            return len(there), "int"
        case "COUNT_DISTINCT":
            return len(set(there)), "int"
        case "SUM":
            return (sum(there) if there else None), kind
        case "AVG":
            return (sum(there) / len(there) if there else None), "double"
    best = min if aggregate.function == "MIN" else max
    ranked = [k for k in known if k.value is not None]
    if not ranked:
        return None, kind
    chosen = best(ranked, key=lambda k: _rank(k, world))
    return comparable(chosen.value, chosen, world), kind


def _having(condition: Any, members: list[Record], source: str, world: World) -> bool:
    match condition:
        case Both(terms, word):
            return (all if word == "AND" else any)(_having(t, members, source, world) for t in terms)
        case Not(term):
            return not _having(term, members, source, world)
        case Compare(Aggregate() as aggregate, sign, value):
            have, kind = total(aggregate, members, source, world)
            return compare(Known(have, kind, aggregate.path[-1]), sign, value, world)
        case Compare(path, sign, value):
            return compare(look(members[0], source, path, world), sign, value, world)
    raise TypeError(condition)
