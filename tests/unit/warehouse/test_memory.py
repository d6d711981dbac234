"""How much memory DuckDB is allowed, for what is staged and rewritten."""

from __future__ import annotations

import pytest

from lht.warehouse.memory import MEMORY_LIMIT_MB, MOST_RAISES, NARROW_COLUMNS, Memory


@pytest.fixture
def told() -> list[int]:
    return []


def test_narrow_tables_of_short_rows_need_no_more(told: list[int]) -> None:
    memory = Memory(MEMORY_LIMIT_MB)
    memory.reserve("a", NARROW_COLUMNS, told.append)
    memory.observe(1_000.0, told.append)

    assert told == []


def test_wide_tables_at_once_raise_the_limit_and_it_never_falls(told: list[int]) -> None:
    memory = Memory(MEMORY_LIMIT_MB)
    memory.reserve("a", 100, told.append)
    memory.reserve("b", 100, told.append)
    memory.release("a")
    memory.reserve("c", 100, told.append)

    assert told == [250, 450]


def test_long_rows_raise_the_limit(told: list[int]) -> None:
    Memory(MEMORY_LIMIT_MB).observe(100_000.0, told.append)

    assert told == [527]


def test_each_rewrite_raises_the_limit_until_that_makes_no_sense(told: list[int]) -> None:
    memory = Memory(MEMORY_LIMIT_MB)
    for _ in range(MOST_RAISES):
        assert not memory.is_exhausted
        memory.make_room(told.append)

    assert memory.is_exhausted
    assert told[:2] == [190, 250]


def test_a_database_without_a_limit_gets_none(told: list[int]) -> None:
    Memory(None).make_room(told.append)

    assert told == []
