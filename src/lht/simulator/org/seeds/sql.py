"""Small pieces of SQL that turn a row's number into a choice: the same number and seed, the same choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.store.ddl import literal, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PERCENT = 100


def roll(salt: str, sides: int) -> str:
    """Writes a whole number from 0 up to `sides`, exclusive, that depends on the row (its column `h`) and the salt."""
    return f"CAST(hash(h, {literal(salt)}) % {sides:d} AS BIGINT)"


def pick(salt: str, words: Iterable[str]) -> str:
    """Writes a choice among words."""
    chosen = list(words)
    listed = ", ".join(_text(word) for word in chosen)
    return f"[{listed}][1 + {roll(salt, len(chosen))}]"


def some(percent: int, salt: str, value: str) -> str:
    """Writes a value that only so many rows of a hundred have; the others have null."""
    return f"CASE WHEN {roll(salt, PERCENT)} < {percent:d} THEN {value} END"


def lot(percent: int, salt: str) -> str:
    """Writes a flag that is true for so many rows of a hundred."""
    return f"{roll(salt, PERCENT)} < {percent:d}"


def digits(salt: str, count: int) -> str:
    """Writes a text of digits."""
    return f"lpad(CAST({roll(salt, 10**count)} AS VARCHAR), {count:d}, '0')"


def phone(salt: str) -> str:
    """Writes a telephone number."""
    return f"'+' || (1 + {roll(salt + 'c', 98)}) || ' (' || {digits(salt + 'a', 3)} || ') 555-' || {digits(salt, 4)}"


def columns(values: Mapping[str, str]) -> str:
    """Writes a select list that names its columns."""
    return ",\n  ".join(f"{value} AS {quoted(name)}" for name, value in values.items())


def at(chosen: Mapping[int, str], otherwise: str) -> str:
    """Writes the values of a few rows, by their number in the column `n`, and of all others."""
    cases = " ".join(f"WHEN {number} THEN {value}" for number, value in chosen.items())
    return f"CASE n {cases} ELSE {otherwise} END"


def _text(word: str) -> str:
    """Writes a text as SQL, none for the empty one; control characters are written as codes, to keep logs readable."""
    if not word:
        return "NULL"
    parts = [literal(word)]
    for code in (9, 10, 13):
        parts = [piece for part in parts for piece in _split(part, code)]
    return parts[0] if len(parts) == 1 else f"({' || '.join(parts)})"


def _split(part: str, code: int) -> list[str]:
    if not part.startswith("'"):
        return [part]
    pieces = part[1:-1].split(chr(code))
    return [found for piece in pieces for found in (f"'{piece}'", f"chr({code})")][:-1]
