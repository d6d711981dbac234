"""Date words (TODAY, LAST_N_DAYS:7) as periods. Weeks begin on Sunday; the fiscal year is the calendar year."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.simulator.soql.tree import DateWord

_UNIT = re.compile(r"DAY|WEEK|MONTH|QUARTER|YEAR")
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` up to, not including, `end`; `until_now` cuts the last day at the present moment."""

    start: date
    end: date
    until_now: bool = False


def period(word: DateWord, today: date) -> Period:
    """Gives the period that a word names; raises OverflowError or ValueError beyond the calendar's end."""
    name, count = word.word, word.count or 1
    single = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}
    if name in single:
        return _units("DAY", today, single[name], 1)
    if name.endswith("_90_DAYS"):
        name, count = name.replace("_90_", "_N_"), 90
    unit = _UNIT.findall(name)[-1] if name != "LAST_N_DAYS" else "DAY"
    if name == "LAST_N_DAYS":
        return Period(today - timedelta(days=count), today + timedelta(days=1), until_now=True)
    if name.endswith("_AGO"):
        return _units(unit, today, -count, 1)
    first = {"LAST": -count, "THIS": 0, "NEXT": 1}[name[:4]]
    return _units(unit, today, first, 1 if name.startswith("THIS") else count)


def _units(unit: str, today: date, first: int, count: int) -> Period:
    """`count` whole units, the first of them `first` units after the one that holds today."""
    if unit in _MONTHS:
        size = _MONTHS[unit]
        month = (today.year * 12 + today.month - 1) // size * size
        return Period(_month(month + first * size), _month(month + (first + count) * size))
    days = 7 if unit == "WEEK" else 1
    begin = today - timedelta(days=today.isoweekday() % 7 if unit == "WEEK" else 0)
    return Period(begin + timedelta(days=first * days), begin + timedelta(days=(first + count) * days))


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)
