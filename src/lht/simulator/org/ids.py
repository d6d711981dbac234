"""Record ids: fifteen characters that tell letter case apart, and three more that spare one from having to."""

from __future__ import annotations

import re
from functools import lru_cache

from lht.simulator.errors import not_found

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SUFFIXES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
POD = "gK0"
"""Where the org is hosted, and a reserved zero: the characters between an id's prefix and its number."""

SHORT, LONG, GROUP = 15, 18, 5
COUNTED = 9
KNOWN = 1 << 14
"""Answers that are kept in mind: the same ids are asked for several times while records are written."""
_CAPITALS = {ord(char): str(int("A" <= char <= "Z")) for char in DIGITS}
_VALUES = {digit: value for value, digit in enumerate(DIGITS)}
_SHAPE = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?")


def suffix(short: str) -> str:
    """Gives the three characters that tell which of the fifteen are capitals, five at a time."""
    return "".join([_mark(short[start : start + GROUP]) for start in range(0, SHORT, GROUP)])


def _mark(group: str) -> str:
    """Gives the character that tells the capitals among five."""
    return SUFFIXES[int(group[::-1].translate(_CAPITALS), 2)]


def make_id(prefix: str, number: int) -> str:
    """Gives the id of an object's n-th record."""
    high, low = divmod(number, len(DIGITS) ** GROUP)
    head, marks = _head(prefix, high)
    tail = _digits(low, GROUP)
    return head + tail + marks + _mark(tail)


@lru_cache
def _head(prefix: str, high: int) -> tuple[str, str]:
    """Gives what ids that differ in their last five characters alone begin with, and what tells its capitals."""
    head = prefix + POD + _digits(high, COUNTED - GROUP)
    return head, suffix(head + DIGITS[0] * GROUP)[:-1]


def _digits(number: int, count: int) -> str:
    found = ""
    for _ in range(count):
        number, digit = divmod(number, len(DIGITS))
        found = DIGITS[digit] + found
    return found


def number_of(prefix: str, record_id: str) -> int | None:
    """Gives the number that an id of 18 characters was made from; None for one that `make_id` does not make."""
    if record_id[: len(prefix) + len(POD)] != prefix + POD:
        return None
    number = 0
    for char in record_id[len(prefix) + len(POD) : SHORT]:
        number = number * len(DIGITS) + _VALUES[char]
    return number


@lru_cache(KNOWN)
def to_long(given: str) -> str | None:
    """Gives the 18 characters of an id written with 15 or 18 in whatever case; None if it cannot be an id."""
    if not _SHAPE.fullmatch(given):
        return None
    if len(given) == SHORT:
        return given + suffix(given)
    short = _restored(given[:SHORT], given[SHORT:].upper())
    return None if short is None else short + suffix(short)


def _restored(short: str, marks: str) -> str | None:
    """Puts the letters back into the case that the suffix tells; None if it marks what is no letter."""
    bits = [SUFFIXES.find(mark) for mark in marks]
    if min(bits) < 0:
        return None
    capital = [bool(bits[place // GROUP] >> place % GROUP & 1) for place in range(SHORT)]
    if any(is_capital and not char.isalpha() for char, is_capital in zip(short, capital, strict=True)):
        return None
    return "".join(c.upper() if up else c.lower() for c, up in zip(short, capital, strict=True))


def checked_id(given: str) -> str:
    """Gives the 18 characters, or refuses what is no id as the record resources do."""
    found = to_long(given)
    if found is None:
        raise not_found()
    return found


def id_sql(prefix: str, number: str) -> str:
    """Writes `make_id` as SQL over a column of whole numbers below 62 to the fifth: whole columns of ids at once."""
    head = prefix + POD + "0" * (COUNTED - GROUP)
    base = len(DIGITS)
    places = [f"({number}) // {base**power} % {base}" for power in range(GROUP - 1, -1, -1)]
    chars = [f"substr('{DIGITS}', CAST({place} + 1 AS BIGINT), 1)" for place in places]
    bits = [
        f"CASE WHEN {place} BETWEEN 10 AND 35 THEN {1 << bit} ELSE 0 END" for bit, place in enumerate(places)
    ]
    known = suffix(head + "0" * GROUP)[:2]
    return f"'{head}' || {' || '.join(chars)} || '{known}' || substr('{SUFFIXES}', {' + '.join(bits)} + 1, 1)"
