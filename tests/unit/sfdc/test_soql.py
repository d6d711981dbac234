from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lht.errors import ConfigError
from lht.sfdc import soql


def test_a_query_of_fields_and_paths() -> None:
    assert soql.select(["Id", "Owner.Name"], "Account") == "SELECT Id, Owner.Name FROM Account"


def test_one_condition_stands_as_it_is_and_several_in_parentheses() -> None:
    assert soql.select(["Id"], "A", [" x = 1 "]) == "SELECT Id FROM A WHERE x = 1"
    assert (
        soql.select(["Id"], "A", ["x = 1", "y = 2 OR z = 3"])
        == "SELECT Id FROM A WHERE (x = 1) AND (y = 2 OR z = 3)"
    )


def test_a_count_can_be_spelled_either_way() -> None:
    assert (
        "SELECT COUNT() FROM A WHERE x = 1"
        == soql.count("A", ["x = 1"])
        == soql.select(["COUNT()"], "A", ["x = 1"])
    )


def test_a_query_without_fields_is_refused() -> None:
    with pytest.raises(ConfigError, match="No field of A"):
        soql.select([], "A")


@pytest.mark.parametrize("name", ["Id FROM User", "1a", "", "a..b", "a-b"])
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        soql.select([name], "A")


def test_quotes_and_controls_in_a_text_are_escaped() -> None:
    assert soql.quote_text("it's \\ a\nb") == "'it\\'s \\\\ a\\nb'"


@given(st.text())
def test_a_quoted_text_is_one_balanced_condition(text: str) -> None:
    condition = f"Name = {soql.quote_text(text)}"

    assert condition == soql.check_condition(condition)


def test_datetimes_are_written_in_utc_with_milliseconds_only_if_there_are_some() -> None:
    east = timezone(timedelta(hours=2))

    assert soql.format_datetime(datetime(2024, 5, 1, 12, 20, 30, tzinfo=east)) == "2024-05-01T10:20:30Z"
    assert (
        soql.format_datetime(datetime(2024, 5, 1, 10, 20, 30, 250_999, tzinfo=UTC))
        == "2024-05-01T10:20:30.250Z"
    )
    assert soql.format_datetime(datetime(2024, 5, 1, 10, 20, 30, 999, tzinfo=UTC)) == "2024-05-01T10:20:30Z"


@pytest.mark.parametrize(
    "condition",
    [
        "",
        "  ",
        "x = 1) OR (y = 2",
        "(x = 1",
        "x = 'open",
        "x = 1 ORDER BY Id",
        "x = 1 limit 5",
        "x = 1 GROUP  BY y",
    ],
)
def test_a_condition_that_would_leak_out_is_refused(condition: str) -> None:
    with pytest.raises(ConfigError):
        soql.select(["Id"], "A", [condition])


@pytest.mark.parametrize(
    "condition",
    [
        "Name = ') ORDER BY ('",
        "Id IN (SELECT AccountId FROM Contact LIMIT 5)",
        "Limit__c = 1",
        "(a = 1) OR ((b = 2))",
    ],
)
def test_a_condition_that_only_looks_dangerous_is_taken(condition: str) -> None:
    assert f"SELECT Id FROM A WHERE {condition}" == soql.select(["Id"], "A", [condition])


def test_a_query_in_a_url_has_no_bare_blank_or_plus() -> None:
    assert soql.url_encoded("SELECT Id+é") == "SELECT%20Id%2B%C3%A9"
