"""Result files: written batch by batch with the count told on the way, cut by size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.simulator.store.csv_form import CsvForm
from lht.simulator.store.database import Database
from lht.simulator.store.results import ResultStore, Select, Stopped

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS = 5_000
NUMBERS = Select(f"SELECT range AS n FROM range({ROWS})", (), (("n", "int"),))


@pytest.fixture
def db() -> Iterator[Database]:
    found = Database()
    yield found
    found.close()


@pytest.fixture
def store() -> Iterator[ResultStore]:
    found = ResultStore()
    yield found
    found.close()


def test_the_count_grows_while_a_result_is_written(db: Database, store: ResultStore) -> None:
    told: list[int] = []

    result = store.write("a", db, NUMBERS, CsvForm(), told.append)

    assert (told[-1], result.rows) == (ROWS, ROWS)
    assert len(told) > 1
    assert told == sorted(set(told))


def test_who_is_told_the_count_may_stop_the_writing(db: Database, store: ResultStore) -> None:
    def stop(_rows: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        store.write("a", db, NUMBERS, CsvForm(), stop)

    assert store.write("a", db, NUMBERS, CsvForm(), lambda _rows: None).rows == ROWS


@pytest.mark.parametrize("most", [1, 4, 5, 39, 40, 41, 1_000, 10**9])
@pytest.mark.parametrize("start", [0, 1, 9, 4_990, 4_999])
def test_as_many_rows_are_reached_as_fit(db: Database, store: ResultStore, start: int, most: int) -> None:
    result = store.write("a", db, NUMBERS, CsvForm(), lambda _rows: None)
    reader = result.read(start, ROWS)
    lengths = [len(line) for line in b"".join(reader).splitlines(keepends=True)]
    reader.close()
    fitting = next((n for n in range(1, len(lengths)) if sum(lengths[: n + 1]) > most), len(lengths))

    assert result.reach(start, ROWS, most) == start + fitting
    assert result.reach(start, start, most) == start
