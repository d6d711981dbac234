"""Seeded specimens: a value, an odd value and no value of every field type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.ids import id_sql
from lht.simulator.org.objects.specimen import COLOURS, TRAITS
from lht.simulator.org.seeds import words
from lht.simulator.org.seeds.sizes import DELETED_PERCENT, OWNED, numbered, with_stamps
from lht.simulator.org.seeds.sql import at, columns, digits, lot, phone, pick, roll, some

if TYPE_CHECKING:
    from lht.simulator.org.seeds.sizes import SeedSizes

LONG = "repeat('0123456789', 10000)"
LONG_MIXED = "repeat('Zeile, \"eins\"' || chr(13) || chr(10) || '文字🎈xy', 5000)"
"""Exactly 100,000 characters each."""

_RATIOS = {1: "1e-15", 2: "-0.000000000000001", 3: "0.1", 4: "999.999999999999", 5: "0.0", 6: "-123.456"}
_MASSES = {
    1: "16147805824397.0",
    2: "9007199254740993.0",
    3: "-1.0",
    4: "999999999999999900.0",
    5: "10000000.0",
}
_LEVELS = {1: "-99999999.99", 2: "99999999.99", 3: "0.01", 4: "100.0"}
_COUNTS = {1: "999999999", 2: "-999999999", 3: "0"}
_SERIALS = {1: "999999999999999999", 2: "-999999999999999999", 3: "9007199254740993"}
_DATES = {1: "DATE '1700-01-01'", 2: "DATE '4000-12-31'", 3: "DATE '1582-10-15'", 4: "DATE '2000-02-29'"}
_STAMPS = {
    1: "TIMESTAMP '1700-01-01 00:00:00'",
    2: "TIMESTAMP '4000-12-31 23:59:59'",
    3: "TIMESTAMP '1969-12-31 23:59:59'",
    4: "TIMESTAMP '2024-03-31 01:30:00'",
}
_TIMES = {1: "TIME '00:00:00'", 2: "TIME '23:59:59.999'", 3: "TIME '10:20:30.5'"}


def _traits() -> str:
    """Some of the traits in the picklist's order, joined as a multi-select picklist joins them."""
    parts = ", ".join(some(35, f"trait {trait}", pick("trait", (trait,))) for trait in TRAITS)
    return f"nullif(concat_ws(';', {parts}), '')"


_SPECIMEN = {
    "Id": id_sql("a00", "n"),
    "Name": f"{pick('head', words.COMPANY_HEADS)} || ' ' || n",
    "ExternalId__c": some(90, "key", "'SPC-' || lpad(CAST(n AS VARCHAR), 8, '0')"),
    "Text__c": some(80, "text", pick("text2", words.NOTES)),
    "Code__c": "CASE WHEN n % 2 = 0 THEN 'Code-' ELSE 'CODE-' END || ((n + 1) // 2)",
    "Required__c": pick("required", ("unset", "set", "ø")),
    "Serial__c": "'S-' || lpad(CAST(n AS VARCHAR), 7, '0')",
    "Area__c": some(60, "area", pick("area2", words.NOTES)),
    "Long__c": at(
        {1: LONG, 2: LONG_MIXED, 30: LONG, 49: LONG_MIXED},
        some(50, "long", f"repeat({pick('long2', words.NOTES)}, 5)"),
    ),
    "Rich__c": some(50, "rich", f"'<p>' || {pick('rich2', words.NOTES)} || '</p><b>&amp;</b>'"),
    "Phone__c": some(60, "phone", phone("phone")),
    "Email__c": some(60, "mail", "'specimen' || n || '@example.org'"),
    "Url__c": some(60, "url", "'https://example.org/s?id=' || n || '&x=%20'"),
    "Colour__c": some(80, "colour", pick("colour2", COLOURS)),
    "Mood__c": some(60, "mood", pick("mood2", ("Calm", "Tense", "Not listed"))),
    "Origin__c": some(60, "origin", pick("origin2", ("Field", "Trade", "Somewhere else"))),
    "Traits__c": _traits(),
    "Checked__c": lot(50, "checked"),
    "Active__c": lot(80, "active"),
    "Count__c": at(_COUNTS, some(80, "count", roll("count2", 1_000_000))),
    "Serials__c": at(_SERIALS, some(70, "serials", roll("serials2", 10**17))),
    "Ratio__c": at(_RATIOS, some(80, "ratio", f"{roll('ratio2', 10**15)} / 1e15")),
    "Mass__c": at(_MASSES, some(80, "mass", f"CAST({roll('mass2', 100_000)} AS DOUBLE)")),
    "Level__c": at(_LEVELS, some(80, "level", f"round({roll('level2', 1_000_000)} / 100.0 - 5000, 2)")),
    "Price__c": some(80, "price", f"round({roll('price2', 10_000_000)} / 100.0, 2)"),
    "Share__c": some(80, "share", f"round({roll('share2', 10_000)} / 100.0, 2)"),
    "Found__c": at(
        _DATES, some(80, "found", f"DATE '1950-01-01' + CAST({roll('found2', 27_000)} AS INTEGER)")
    ),
    "Seen__c": at(
        _STAMPS,
        some(80, "seen", f"TIMESTAMP '1990-01-01 00:00:00' + to_seconds({roll('seen2', 1_000_000_000)})"),
    ),
    "Opens__c": at(_TIMES, some(70, "opens", f"TIME '00:00:00' + to_seconds({roll('opens2', 86_400)})")),
    "Location__Latitude__s": some(60, "place", f"round({roll('y', 180_000_000)} / 1000000.0 - 90, 6)"),
    "Location__Longitude__s": some(60, "place", f"round({roll('x', 360_000_000)} / 1000000.0 - 180, 6)"),
    "Secret__c": some(50, "secret", f"'s3cret-' || {digits('secret2', 6)}"),
    "Anything__c": some(50, "any", pick("any2", ("42", "true", "2024-05-01", "text", "1.5"))),
    "Extra__c": some(50, "extra", '\'{"n": \' || n || \', "tags": ["a", "b"]}\''),
    "Shape__c": some(30, "shape", '\'{"kind": "box"}\''),
    "Category__c": some(30, "cat", pick("cat2", ("Minerals", "Plants"))),
    "Image__c": some(10, "image", "to_base64(encode('image ' || n))"),
    "Flag__c": some(30, "flag", pick("flag2", ("A", "B"))),
    "Account__c": "account",
    "Master__c": "contact",
    "Related__c": f"CASE WHEN n > 5 AND {lot(20, 'related')} THEN {id_sql('a00', '(n - 5)')} END",
}


def specimens(sizes: SeedSizes, seed: int) -> str:
    """Specimens; the first rows hold the extremes."""
    account = some(70, "account", id_sql("001", f"(1 + {roll('account2', sizes.accounts)})"))
    contact = some(30, "contact", id_sql("003", f"(1 + {roll('contact2', sizes.contacts)})"))
    deleted = f"n > 5 AND {lot(DELETED_PERCENT, 'deleted')}"
    rows = with_stamps(numbered(seed, "specimen"), sizes.specimens, sizes, deleted=deleted)
    return f"SELECT {columns(_SPECIMEN | OWNED)} FROM (SELECT *, {account} AS account, {contact} AS contact FROM {rows})"
