from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from lht.simulator.soql.dates import Present, period
from lht.simulator.soql.ids import eighteen
from lht.simulator.soql.tree import DateWord

PRESENT = Present(datetime(2024, 5, 15, 12, tzinfo=UTC))  # a Wednesday


@pytest.mark.parametrize(
    ("word", "start", "end"),
    [
        ("TODAY", "2024-05-15", "2024-05-15"),
        ("YESTERDAY", "2024-05-14", "2024-05-14"),
        ("TOMORROW", "2024-05-16", "2024-05-16"),
        ("LAST_WEEK", "2024-05-05", "2024-05-11"),
        ("THIS_WEEK", "2024-05-12", "2024-05-18"),
        ("NEXT_WEEK", "2024-05-19", "2024-05-25"),
        ("LAST_MONTH", "2024-04-01", "2024-04-30"),
        ("THIS_MONTH", "2024-05-01", "2024-05-31"),
        ("NEXT_MONTH", "2024-06-01", "2024-06-30"),
        ("LAST_90_DAYS", "2024-02-15", "2024-05-15"),
        ("NEXT_90_DAYS", "2024-05-16", "2024-08-13"),
        ("LAST_N_DAYS:3", "2024-05-12", "2024-05-15"),
        ("NEXT_N_DAYS:3", "2024-05-16", "2024-05-18"),
        ("N_DAYS_AGO:3", "2024-05-12", "2024-05-12"),
        ("LAST_N_WEEKS:2", "2024-04-28", "2024-05-11"),
        ("NEXT_N_WEEKS:2", "2024-05-19", "2024-06-01"),
        ("N_WEEKS_AGO:2", "2024-04-28", "2024-05-04"),
        ("LAST_N_MONTHS:6", "2023-11-01", "2024-04-30"),
        ("N_MONTHS_AGO:5", "2023-12-01", "2023-12-31"),
        ("THIS_QUARTER", "2024-04-01", "2024-06-30"),
        ("LAST_QUARTER", "2024-01-01", "2024-03-31"),
        ("NEXT_N_QUARTERS:3", "2024-07-01", "2025-03-31"),
        ("LAST_N_FISCAL_QUARTERS:2", "2023-10-01", "2024-03-31"),
        ("THIS_YEAR", "2024-01-01", "2024-12-31"),
        ("THIS_FISCAL_YEAR", "2024-01-01", "2024-12-31"),
        ("LAST_N_YEARS:2", "2022-01-01", "2023-12-31"),
        ("N_FISCAL_YEARS_AGO:2", "2022-01-01", "2022-12-31"),
    ],
)
def test_date_words(word: str, start: str, end: str) -> None:
    name, _, count = word.partition(":")

    found = period(DateWord(name, int(count) if count else None), PRESENT)

    assert (start, end) == (found.start.isoformat(), (found.end - timedelta(days=1)).isoformat())


@pytest.mark.parametrize(
    "known", ["001D000000IRt5wIAD", "750P0000006HoS1IAK", "001P000001vkheIIAQ", "005P000000AyPpYIAV"]
)
def test_the_suffix_of_recorded_ids(known: str) -> None:
    assert known == eighteen(known[:15])
    assert known == eighteen(known)
    assert known == eighteen(known.upper())
    assert known == eighteen(known.lower())


@pytest.mark.parametrize("text", ["", "xyz", "001D000000IRt5", "001D000000IRt5wIA", "001D000000IRt5wIA6", "001D000000IRt5w-AD", "001D000000IRt5w5AD"])  # fmt: skip
def test_what_is_no_id(text: str) -> None:
    assert eighteen(text) is None
