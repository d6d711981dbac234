"""Values of every warehouse type, and what Salesforce must hold once they were written: LHT has no part in either.

A table is drawn of a seed, column by column: each field gets a column of a type that it takes, or of one that it
does not. What is expected follows from Salesforce's documentation and from docs/reverse-etl.md alone.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping, Sequence

BLANKS = "".join(map(chr, range(33)))
EXACT = Context(prec=900)
REFUSED = "<refused>"
LEFT = "<left alone>"
COLOURS = ("Red", "Green", "Blue", 'Ultra, "violet"', "Größe; mittel")
TRAITS = ("Brittle", "Magnetic", "Fluorescent", "Rare", "Ölig", "Heavy")
MOODS = ("Calm", "Tense")


@dataclass(frozen=True)
class Cell:
    """A value as DuckDB reads it from text (None is NULL), and as Python knows it."""

    literal: str | None
    value: Any = None


@dataclass(frozen=True)
class Target:
    """A field, as its definition says."""

    name: str
    kind: str
    length: int = 0
    room: int = 0
    scale: int = 0
    entries: tuple[str, ...] = ()
    is_restricted: bool = False


TARGETS = (
    Target("Text__c", "text", 255),
    Target("Area__c", "text", 255),
    Target("Long__c", "text", 131_072),
    Target("Phone__c", "text", 40),
    Target("Url__c", "text", 255),
    Target("Origin__c", "text", 255),
    Target("Email__c", "email", 80),
    Target("Colour__c", "picklist", 255, entries=COLOURS, is_restricted=True),
    Target("Mood__c", "picklist", 255, entries=MOODS),
    Target("Traits__c", "several", entries=TRAITS),
    Target("Tags__c", "several", entries=TRAITS, is_restricted=True),
    Target("Checked__c", "boolean"),
    Target("Count__c", "whole", room=9),
    Target("Serials__c", "whole", room=18),
    Target("Ratio__c", "number", room=3, scale=15),
    Target("Mass__c", "number", room=18),
    Target("Amount__c", "number", room=16, scale=2),
    Target("Price__c", "number", room=14, scale=2),
    Target("Share__c", "number", room=3, scale=2),
    Target("Found__c", "date"),
    Target("Seen__c", "datetime"),
    Target("Opens__c", "time"),
    Target("Account__c", "id"),
    Target("Related__r.ExternalId__c", "key"),
)


# --- what is drawn


Draw = "Callable[[random.Random], Cell]"
TEXTS = (
    "", " ", "\t\n", "nan", "NULL", "#N/A", "#n/a", "# N/A", '"', '","', "a\r\nb\rc\nd", "\0", "a\0b", "=1+1", "00123", "'",
    " both ", "\u00a0", "\u2028x", "🙂", "é" * 40, "e\u0301", "x" * 40, "x" * 41, "\x1f a \x0b", "y" * 255, "z" * 256,
    " " + "w" * 255 + "\n", 'a,b\n"c"', "\\", "<b>&amp;</b>", "İ", "\ufeff", "true", "🙂" * 255, "0", ";", "-", "\u3000",
)  # fmt: skip
NUMBERS = (
    "1", " 2.50 ", "-.5", "5.", "+7", "1e3", "1E-7", "-1.25e+2", "007", "1_000", "1,5", "0x10", "--1", "e5", "", "1e", ".", "NaN",
    "1e20", "999999999", "1000000000", "999.995", "999.994999", "-0.0", "0.005", "1.005", "2.675", "12.345", "1e-400", "\u0661",
)  # fmt: skip
DAYS = (
    "2024-02-29", " 1999-12-31\n", "1700-01-01", "4000-12-31", "2026-11-23T06:30:00+01:00", "2026-11-23 23:59:59.999999Z",
    "2026-11-23T23:30:00-05:00", "", "2023-02-29", "1699-12-31", "4001-01-01", "2026-13-01", "today", "2026-1-1", "20260101",
    "2026-11-23T25:00:00Z", "9999-12-31", "0001-01-01",
)  # fmt: skip
CLOCKS = (
    "00:00:00", "23:59:59.999999", " 06:30:00.5Z", "12:00", "24:00:00", "noon", "", "25:00:00", "1:00:00", "06:30:00.123456789",
)  # fmt: skip
FLAGS = ("true", "FALSE", " t ", "no", "Y", "1", "0", "on", "off", "2", "maybe", "")
EMAILS = (
    "Ann@Example.com", " b.c+d@example.org\n", "ÄÖ@example.de", "x@y.zz", "", "plain", "a b@c.de", "@", "a@", "two@at@x.de",
    "u" * 68 + "@example.com", "u" * 69 + "@example.com",
)  # fmt: skip


def texts(chance: random.Random) -> Cell:
    if chance.random() < 0.6:
        return of_text(chance.choice(TEXTS))
    letters = chance.choices("aB1 é\n\r\t\"',;\\#🙂\u00a0ßŁ漢\u0007", k=chance.randrange(1, 50))
    return of_text("".join(letters))


def of_text(text: str) -> Cell:
    return Cell(text, text)


def listed(*choices: str) -> Callable[[random.Random], Cell]:
    return lambda chance: of_text(chance.choice(choices))


def number_texts(chance: random.Random) -> Cell:
    if chance.random() < 0.4:
        return of_text(chance.choice(NUMBERS))
    digits = Decimal(chance.randrange(-(10**10), 10**10)).scaleb(-chance.randrange(10))
    return of_text(chance.choice((format(digits, "f"), f"{digits:e}", f" {digits}")))


def whole(least: int, most: int) -> Callable[[random.Random], Cell]:
    def draw(chance: random.Random) -> Cell:
        bound = 10 ** chance.randrange(1, 40)
        value = chance.choice((least, most, 0, 1, chance.randrange(-bound, bound)))
        value = min(max(value, least), most)
        return Cell(str(value), value)

    return draw


def decimals(digits: int, scale: int) -> Callable[[random.Random], Cell]:
    def draw(chance: random.Random) -> Cell:
        bound = 10 ** chance.randrange(1, digits + 1)
        value = Decimal(
            chance.choice(
                (0, 5, -5, 10 ** min(scale, digits - 1), bound - 1, chance.randrange(-bound, bound))
            )
        )
        value = value.scaleb(-scale, EXACT)
        return Cell(format(value, "f"), value)

    return draw


def floats(chance: random.Random) -> Cell:
    odd = (
        -0.0,
        1e-7,
        1e20,
        5e-324,
        0.1 + 0.2,
        math.inf,
        -math.inf,
        math.nan,
        1.005,
        2.675,
        1e15,
        123456789012345678.0,
        999.995,
    )
    value = chance.choice((chance.choice(odd), chance.uniform(-999, 999), chance.uniform(-1e-9, 1e17)))
    return Cell(repr(value), value)


def short_floats(chance: random.Random) -> Cell:
    """Such as 32 bits hold, digit by digit."""
    value = chance.randrange(-(2**15), 2**15) / 64
    return Cell(repr(value), value)


def booleans(chance: random.Random) -> Cell:
    value = chance.random() < 0.5
    return Cell(str(value).lower(), value)


def days(chance: random.Random) -> Cell:
    odd = (
        date(1, 1, 1),
        date(9999, 12, 31),
        date(1699, 12, 31),
        date(1700, 1, 1),
        date(4000, 12, 31),
        date(4001, 1, 1),
    )
    if chance.random() < 0.03:
        return Cell("infinity", math.inf)
    value = chance.choice(
        (chance.choice(odd), date(1970, 1, 1) + timedelta(chance.randrange(-90_000, 700_000)))
    )
    return Cell(value.isoformat(), value)


def moments(unit_us: int, *, zoned: bool = False, near: bool = False) -> Callable[[random.Random], Cell]:
    def draw(chance: random.Random) -> Cell:
        if chance.random() < 0.03:
            return Cell("-infinity", math.inf)
        most = 7_000_000_000 if near else 64_000_000_000
        seconds = chance.choice((chance.randrange(-7_000_000_000, most), chance.randrange(-100, 100)))
        micros = chance.choice((0, 999_999, 500_000, 1, chance.randrange(10**6))) // unit_us * unit_us
        value = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds, microseconds=micros)
        if not zoned:
            return Cell(value.replace(tzinfo=None).isoformat(" "), value)
        shift = timezone(timedelta(minutes=chance.choice((0, 60, -300, 330, 845))))
        return Cell(value.astimezone(shift).isoformat(" "), value)

    return draw


def clocks(chance: random.Random) -> Cell:
    micros = chance.choice((0, 86_399_999_999, 999, 1_000, chance.randrange(86_400_000_000)))
    value = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).time()
    return Cell(value.isoformat(), value)


def uuids(chance: random.Random) -> Cell:
    digits = f"{chance.getrandbits(128):032x}"
    return of_text("-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])))


def entries(target: Target) -> Callable[[random.Random], Cell]:
    def spelled(chance: random.Random) -> str:
        one = chance.choice(target.entries)
        return chance.choice((one, one, one.lower(), one.upper() if one.isascii() else one, f" {one}\t"))

    def draw(chance: random.Random) -> Cell:
        if chance.random() < 0.15:
            return of_text(chance.choice(("", " ", "Odd", "#N/A", "\0", "Rare;Odd", "blue 2", "Größe")))
        if target.kind == "picklist":
            return of_text(spelled(chance))
        return of_text(
            chance.choice((";", "; ", ";;")).join(spelled(chance) for _ in range(chance.randrange(1, 5)))
        )

    return draw


SOURCES: dict[str, tuple[str, Any]] = {
    "TINYINT": ("whole", whole(-128, 127)),
    "SMALLINT": ("whole", whole(-(2**15), 2**15 - 1)),
    "INTEGER": ("whole", whole(-(2**31), 2**31 - 1)),
    "BIGINT": ("whole", whole(-(2**63), 2**63 - 1)),
    "HUGEINT": ("whole", whole(-(10**38) + 1, 10**38 - 1)),
    "UTINYINT": ("whole", whole(0, 255)),
    "USMALLINT": ("whole", whole(0, 2**16 - 1)),
    "UINTEGER": ("whole", whole(0, 2**32 - 1)),
    "UBIGINT": ("whole", whole(0, 2**64 - 1)),
    "DECIMAL(38,0)": ("decimal", decimals(38, 0)),
    "DECIMAL(18,2)": ("decimal", decimals(18, 2)),
    "DECIMAL(38,17)": ("decimal", decimals(38, 17)),
    "DECIMAL(4,4)": ("decimal", decimals(4, 4)),
    "DOUBLE": ("float", floats),
    "FLOAT": ("float", short_floats),
    "BOOLEAN": ("boolean", booleans),
    "DATE": ("date", days),
    "TIMESTAMP": ("moment", moments(1)),
    "TIMESTAMP_S": ("moment", moments(10**6)),
    "TIMESTAMP_MS": ("moment", moments(10**3)),
    "TIMESTAMP_NS": ("moment", moments(1, near=True)),
    "TIMESTAMPTZ": ("moment", moments(1, zoned=True)),
    "TIME": ("time", clocks),
    "UUID": ("text", uuids),
    "VARCHAR": ("text", texts),
}
NUMERIC = tuple(name for name, (family, _) in SOURCES.items() if family in {"whole", "decimal", "float"})
DATED = ("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMPTZ")
TAKEN: dict[str, Sequence[str]] = {
    "text": tuple(SOURCES), "email": (), "picklist": (), "several": (), "id": (), "key": (),
    "boolean": ("BOOLEAN", "BOOLEAN", "TINYINT", "DECIMAL(38,0)"), "whole": NUMERIC, "number": NUMERIC, "date": DATED,
    "datetime": DATED, "time": ("TIME", "TIME"),
}  # fmt: skip
FITTING = {
    "email": {"text"}, "id": {"text"}, "key": {"text"}, "whole": {"text", "whole", "decimal", "float"},
    "number": {"text", "whole", "decimal", "float"}, "date": {"text", "date", "moment"}, "datetime": {"text", "date", "moment"},
    "time": {"text", "time"},
}  # fmt: skip
"""The families of types that have a meaning in a field; of any other type, no value has."""
WRITTEN: dict[str, Any] = {
    "text": texts, "email": listed(*EMAILS), "boolean": listed(*FLAGS), "whole": number_texts, "number": number_texts,
    "date": listed(*DAYS), "datetime": listed(*DAYS), "time": listed(*CLOCKS),
}  # fmt: skip
"""Texts for fields of each kind, where the warehouse has text."""


@dataclass(frozen=True)
class Table:
    """Rows as drawn: `types` and `cells` by field; `keys` name the records."""

    keys: list[str]
    targets: list[Target]
    types: dict[str, str]
    cells: dict[str, list[Cell]]
    clears: bool
    parents: Mapping[str, str] = field(default_factory=dict)
    """The Ids of parents by what a cell may name them by, in the form in which it is compared."""

    def expected(self, target: Target) -> list[Any]:
        """What each row's field is to hold, or LEFT, or REFUSED."""
        family = SOURCES[self.types[target.name]][0]
        return [expect(target, family, cell, self) for cell in self.cells[target.name]]

    def without_refused(self) -> Table:
        """The same rows, with an allowed value where one would be refused."""
        cells = {}
        for target in self.targets:
            pairs = zip(self.cells[target.name], self.expected(target), strict=True)
            cells[target.name] = [self._spare(target) if told == REFUSED else cell for cell, told in pairs]
        return Table(self.keys, self.targets, self.types, cells, self.clears, self.parents)

    def _spare(self, target: Target) -> Cell:
        """NULL; but a checkbox can never be emptied."""
        if target.kind != "boolean" or not self.clears:
            return Cell(None)
        family = SOURCES[self.types[target.name]][0]
        nothing: dict[str, Any] = {"boolean": False, "text": "0"}
        return Cell("false" if family == "boolean" else "0", nothing.get(family, 0))


def draw_table(
    chance: random.Random, keys: list[str], ids: Sequence[str], parent_keys: Mapping[str, str]
) -> Table:
    """A table has some of the fields. `ids` are records that Account__c may name; `parent_keys` those that Related__c may, by their keys."""
    types, cells = {}, {}
    targets = chance.sample(TARGETS, 14)
    parents = {**{one[:15]: one for one in ids}, **{one: one for one in ids}}
    parents |= {key.strip(BLANKS).lower(): own for key, own in parent_keys.items()}
    clears = chance.random() < 0.5
    for target in targets:
        taken = TAKEN[target.kind]
        types[target.name] = chance.choice(taken) if taken and chance.random() < 0.7 else "VARCHAR"
        if target.kind in FITTING and chance.random() < 0.05:
            types[target.name] = chance.choice(list(SOURCES))
        draw = _texts_for(target, list(ids), list(parent_keys))
        if types[target.name] != "VARCHAR":
            draw = SOURCES[types[target.name]][1]
        cells[target.name] = [Cell(None) if chance.random() < 0.12 else draw(chance) for _ in keys]
    return Table(keys, targets, types, cells, clears, parents)


def _texts_for(target: Target, ids: list[str], keys: list[str]) -> Any:
    if target.kind in {"picklist", "several"}:
        return entries(target)
    if target.kind == "id":
        return listed(*ids, *(one[:15] for one in ids), f" {ids[0]} ", "", "001", ids[0][:14] + "-", "x" * 18)
    if target.kind == "key":
        return listed(*keys, *(key.upper() for key in keys), *(f" {key}\n" for key in keys), "", "nobody")
    return WRITTEN[target.kind]


# --- what is expected


def expect(target: Target, family: str, cell: Cell, table: Table) -> Any:
    """What Salesforce is to hold after this cell was written."""
    if cell.literal is None or (family == "text" and not cell.literal.strip(BLANKS[1:])):
        if not table.clears:
            return LEFT
        return REFUSED if target.kind == "boolean" else None
    if (
        family == "text"
        and cell.value == "#N/A"
        and table.clears
        and target.kind in {"text", "picklist", "several", "email"}
    ):
        return None
    if family not in FITTING.get(target.kind, {family}):
        return REFUSED
    if target.kind in {"id", "key"}:
        return _parent(target, cell.value, table)
    return _EXPECTED[target.kind](target, family, cell.value)


def _parent(target: Target, text: str, table: Table) -> Any:
    named = text.strip(BLANKS)
    return table.parents.get(named if target.kind == "id" else named.lower(), REFUSED)


def _held_text(target: Target, text: str) -> str | None:
    """Blanks around a text are cut off, and line ends were made one character."""
    kept = text.replace("\r\n", "\n").replace("\r", "\n").strip(BLANKS)
    is_refused = "\0" in text or text == "#N/A" or (target.length and len(kept) > target.length)
    return REFUSED if is_refused else kept or None


def _text(target: Target, family: str, value: Any) -> Any:
    if family == "text":
        return _held_text(target, value)
    if isinstance(value, float) and not math.isfinite(value):
        return REFUSED
    if family == "moment":
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    if family == "time":
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    shown = format(Decimal(repr(value)), "f") if family == "float" else str(value)
    return REFUSED if len(shown) > target.length + 2 else value


def _email(target: Target, family: str, value: Any) -> Any:
    text = _held_text(target, value)
    if text is None or text == REFUSED:
        return text
    return text.lower() if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", text) else REFUSED


def _picklist(target: Target, family: str, value: Any) -> Any:
    text = _held_text(target, value)
    if text is None or text == REFUSED:
        return text
    spelled = {entry.lower(): entry for entry in target.entries}
    return spelled.get(text.lower(), REFUSED if target.is_restricted else text)


def _several(target: Target, family: str, value: Any) -> Any:
    text = _held_text(target, value)
    if text is None or text == REFUSED:
        return text
    spelled = {entry.lower(): entry for entry in target.entries}
    chosen = [part.strip(BLANKS) for part in text.split(";")]
    known = {spelled.get(part.lower(), part) for part in chosen if part}
    if target.is_restricted and not known <= set(target.entries):
        return REFUSED
    return tuple(sorted(known)) or None


def _boolean(target: Target, family: str, value: Any) -> Any:
    if family == "text":
        word = value.strip(BLANKS).lower()
        if word in {"true", "t", "yes", "y", "1", "on"}:
            return True
        return False if word in {"false", "f", "no", "n", "0", "off"} else REFUSED
    return bool(value) if value in {0, 1} else REFUSED


def _decimal(family: str, value: Any) -> Decimal | None:
    if family == "text":
        text = value.strip(BLANKS)
        shape = r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?"
        return Decimal(text) if re.fullmatch(shape, text) else None
    if family == "float":
        return Decimal(repr(value)) if math.isfinite(value) else None
    return Decimal(value)


def _whole(target: Target, family: str, value: Any) -> Any:
    number = _decimal(family, value)
    if number is None or number != number.to_integral_value() or abs(number) >= 10**target.room:
        return REFUSED
    return number


def _number(target: Target, family: str, value: Any) -> Any:
    """Rounded to the scale, halves away from zero; Salesforce keeps it as a double."""
    number = _decimal(family, value)
    if number is None or abs(number) >= 10**target.room:
        return REFUSED
    rounded = number.quantize(Decimal(1).scaleb(-target.scale), ROUND_HALF_UP, EXACT)
    return REFUSED if abs(rounded) >= 10**target.room else number


def _moment(text: str) -> datetime | None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?", text):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _date(target: Target, family: str, value: Any) -> Any:
    if family == "text":
        text = value.strip(BLANKS)
        moment = _moment(text)
        day = moment and date.fromisoformat(text[:10])
    elif value == math.inf:
        return REFUSED
    else:
        day = value.date() if family == "moment" else value
    return day if day and 1700 <= day.year <= 4000 else REFUSED


def _datetime(target: Target, family: str, value: Any) -> Any:
    if family == "text":
        moment = _moment(value.strip(BLANKS))
    elif value == math.inf:
        return REFUSED
    else:
        moment = value if family == "moment" else datetime(value.year, value.month, value.day, tzinfo=UTC)
    return moment.replace(microsecond=0) if moment and 1700 <= moment.year <= 4000 else REFUSED


def _time(target: Target, family: str, value: Any) -> Any:
    if family == "text":
        found = re.fullmatch(r"(\d\d:\d\d)(:\d\d)?(\.\d+)?Z?", value.strip(BLANKS))
        if not found or int(value.strip(BLANKS)[:2]) > 23:
            return REFUSED
        value = time.fromisoformat(f"{found[1]}{found[2] or ':00'}{(found[3] or '')[:7]}")
    return value.replace(microsecond=value.microsecond // 1000 * 1000)


_EXPECTED: dict[str, Callable[[Target, str, Any], Any]] = {
    "text": _text, "email": _email, "picklist": _picklist, "several": _several, "boolean": _boolean, "whole": _whole,
    "number": _number, "date": _date, "datetime": _datetime, "time": _time,
}  # fmt: skip


# --- what is found


def is_held(  # noqa: PLR0911 - a line for each kind
    target: Target, family: str, expected: Any, found: Any, *, rounds: bool
) -> bool:
    """Whether what plain REST gives is what is expected."""
    if expected is None or found is None:
        return expected is found
    if target.kind == "text" and family != "text":
        return isinstance(found, str) and _READ[family](found) == expected
    match target.kind:
        case "whole":
            return isinstance(found, int) and found == expected
        case "number":
            unit = Decimal(1).scaleb(-target.scale)
            kept = expected.quantize(unit, ROUND_HALF_UP, EXACT) if rounds else expected
            return float(found) == float(kept)
        case "several":
            return tuple(sorted(found.split(";"))) == expected
        case "date":
            return date.fromisoformat(found) == expected
        case "datetime":
            return datetime.strptime(found, "%Y-%m-%dT%H:%M:%S.000%z") == expected
        case "time":
            return time.fromisoformat(found.removesuffix("Z")) == expected
        case "picklist":  # an entry that the list lacks may have been written in other letters before
            return found == expected or (expected not in target.entries and found.lower() == expected.lower())
    return type(found) is type(expected) and found == expected


_READ: dict[str, Callable[[str], Any]] = {
    "whole": int, "decimal": Decimal, "float": float, "boolean": {"true": True, "false": False}.get,
    "date": date.fromisoformat, "moment": datetime.fromisoformat, "time": lambda text: time.fromisoformat(text.removesuffix("Z")),
}  # fmt: skip
