"""Date words (TODAY, LAST_N_DAYS:7) as periods of the running user's days. Weeks begin on Sunday, as in en_US."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.simulator.soql.tree import DateWord

_UNIT = re.compile(r"DAY|WEEK|MONTH|QUARTER|YEAR")
_MONTHS = {"MONTH": 1, "QUARTER": 3, "YEAR": 12}


@dataclass(frozen=True, slots=True)
class Present:
    """When it is for the running user: the moment, the user's time zone, and the month in which fiscal years begin."""

    now: datetime
    timezone: tzinfo = UTC
    fiscal_start: int = 1

    @property
    def today(self) -> date:
        return self.now.astimezone(self.timezone).date()

    def midnight(self, day: date) -> datetime:
        """The user's midnight as stored: UTC without a zone."""
        return datetime.combine(day, time.min, self.timezone).astimezone(UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` up to, not including, `end`; `until_now` cuts the last day at the present moment."""

    start: date
    end: date
    until_now: bool = False


def period(word: DateWord, present: Present) -> Period:
    """Gives the period that a word names; raises OverflowError or ValueError beyond the calendar's end."""
    name, count, today = word.word, word.count or 0, present.today
    single = {"TODAY": 0, "YESTERDAY": -1, "TOMORROW": 1}
    if name in single:
        return _units("DAY", today, (single[name], 1))
    if name.endswith("_90_DAYS"):
        name, count = name.replace("_90_", "_N_"), 90
    elif word.count is None:
        count = 1
    if name == "LAST_N_DAYS":
        return Period(today - timedelta(days=count), today + timedelta(days=1), until_now=True)
    unit = _UNIT.findall(name)[-1]
    begins = present.fiscal_start if "FISCAL" in name else 1
    if name.endswith("_AGO"):
        return _units(unit, today, (-count, 1), begins)
    first = {"LAST": -count, "THIS": 0, "NEXT": 1}[name[:4]]
    return _units(unit, today, (first, 1 if name.startswith("THIS") else count), begins)


def _units(unit: str, today: date, span: tuple[int, int], begins: int = 1) -> Period:
    """Whole units: which one after that of today is the first, and how many; years begin with the month `begins`."""
    first, count = span
    if unit in _MONTHS:
        size = _MONTHS[unit]
        since = today.year * 12 + today.month - begins
        month = since // size * size + begins - 1
        return Period(_month(month + first * size), _month(month + (first + count) * size))
    days = 7 if unit == "WEEK" else 1
    begin = today - timedelta(days=today.isoweekday() % 7 if unit == "WEEK" else 0)
    return Period(begin + timedelta(days=first * days), begin + timedelta(days=(first + count) * days))


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)
