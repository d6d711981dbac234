from __future__ import annotations

import duckdb
import pytest

from lht.simulator.org.ids import id_sql, make_id, suffix, to_long


@pytest.mark.parametrize(
    "recorded",
    ["001D000000IRt5wIAD", "750P0000006HoS1IAK", "001P000001vkheIIAQ", "005P000000AyPpYIAV"],
)
def test_the_suffix_of_recorded_ids_is_recomputed(recorded: str) -> None:
    assert suffix(recorded[:15]) == recorded[15:]


def test_an_id_in_lower_case_gets_its_capitals_back_from_the_suffix() -> None:
    assert to_long("001d000000irt5wiad") == "001D000000IRt5wIAD"


@pytest.mark.parametrize(
    "wrong", ["", "001", "001D000000IRt5", "001D000000IRt5wIA", "001D000000IRt5w!AD", "00100000000000000Z9"]
)
def test_what_is_no_id_is_not_made_one(wrong: str) -> None:
    assert to_long(wrong) is None


def test_a_suffix_that_marks_a_digit_as_a_capital_is_refused() -> None:
    assert to_long("001000000000000BAA") is None


def test_numbered_ids_differ_and_begin_with_the_prefix() -> None:
    made = [make_id("a00", number) for number in range(5_000)]

    assert len(set(made)) == 5_000
    assert {found[:3] for found in made} == {"a00"}


def test_ids_made_in_sql_are_those_made_in_python() -> None:
    numbers = [0, 1, 9, 10, 35, 36, 61, 62, 3_843, 999_999, 62**5 - 1]
    sql = f"SELECT n, {id_sql('00T', 'n')} FROM (SELECT unnest(CAST(? AS BIGINT[])) AS n)"
    with duckdb.connect() as connection:
        found = connection.execute(sql, [numbers]).fetchall()

    assert found == [(number, make_id("00T", number)) for number in numbers]
