from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from lht.simulator.errors import ApiFault
from lht.simulator.soql.parse import parse
from lht.simulator.soql.printer import to_soql
from lht.simulator.soql.tree import (
    Boolean,
    Comparison,
    Conjunction,
    Date,
    DateTime,
    DateWord,
    Disjunction,
    Literal,
    Negation,
    Null,
    Number,
    Path,
    Text,
    Time,
)


def _literal(text: str) -> Literal:
    condition = parse(f"SELECT Id FROM X WHERE F = {text}").where
    assert isinstance(condition, Comparison)
    return condition.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'a'", Text("a")),
        ("-1.5e3", Number("-1.5e3")),
        ("TRUE", Boolean(value=True)),
        ("Null", Null()),
        ("2024-05-01", Date(date(2024, 5, 1))),
        ("2024-05-01T00:00:00z", DateTime(datetime(2024, 5, 1, tzinfo=UTC))),
        ("2024-05-01T00:00:00.1234567+02:30", DateTime(datetime(2024, 4, 30, 21, 30, 0, 123456, tzinfo=UTC))),
        ("4000-12-31T00:00:00-0100", DateTime(datetime(4000, 12, 31, 1, tzinfo=UTC))),
        ("10:20:30.500Z", Time(time(10, 20, 30, 500000))),
        ("today", DateWord("TODAY")),
        ("last_n_days : 30", DateWord("LAST_N_DAYS", 30)),
    ],
)
def test_literals(text: str, expected: Literal) -> None:
    assert expected == _literal(text)


@pytest.mark.parametrize(
    ("raw", "value", "pattern"),
    [
        (r"a\'b\"c", "a'b\"c", "a'b\"c"),
        (r"\n\r\t\b\f", "\n\r\t\b\f", "\n\r\t\b\f"),
        (r"50\% \_x", "50% _x", r"50\% \_x"),
        ("50% _x", "50% _x", "50% _x"),
        (r"\\", "\\", r"\\"),
        (r"\u0025\u005c", "%\\", r"\%\\"),
        (r"\uD83D\uDE00", "😀", "😀"),
    ],
)
def test_escapes_mean_one_thing_to_equality_and_another_to_like(raw: str, value: str, pattern: str) -> None:
    text = _literal(f"'{raw}'")

    assert isinstance(text, Text)
    assert (value, pattern) == (text.value, text.pattern)


def test_parentheses_allow_not_beside_and() -> None:
    one, two = (Comparison(Path((n,)), "=", Number("1")) for n in "ab")

    assert Conjunction((Negation(one), two)) == parse("SELECT Id FROM X WHERE (NOT a = 1) AND b = 1").where
    assert Negation(Conjunction((one, two))) == parse("SELECT Id FROM X WHERE NOT (a = 1 AND b = 1)").where


def test_parentheses_allow_and_beside_or() -> None:
    one, two, three = (Comparison(Path((n,)), "=", Number("1")) for n in "abc")

    assert (
        Disjunction((Conjunction((one, two)), three))
        == parse("SELECT Id FROM X WHERE (a = 1 AND b = 1) OR ((c = 1))").where
    )


def test_keywords_are_names_where_a_name_is_expected() -> None:
    query = parse("SELECT OrderNumber, Order.Name FROM Group WHERE Order.Limit__c = 1 ORDER BY Order.Name")

    assert query.source.names == ("Group",)
    assert query.order_by[0].operand.names == ("Order", "Name")


@pytest.mark.parametrize("alias", ["a", "AS a"])
def test_the_object_may_have_an_alias(alias: str) -> None:
    assert parse(f"SELECT Id FROM Account {alias} WHERE a.Id != null").alias == "a"


@pytest.mark.parametrize("word", ["offset", "Update", "ALL", "for", "end", "when", "end2", "forward"])
def test_words_that_begin_a_clause_may_be_aliases_too(word: str) -> None:
    object_alias = parse(
        f"SELECT {word}.Id FROM Account {word} WHERE {word}.Name = 'a' LIMIT 1 OFFSET 2 FOR VIEW UPDATE TRACKING"
    )
    grouped = parse(f"SELECT Name, COUNT(Id) {word} FROM Account GROUP BY Name")

    assert (object_alias.alias, object_alias.offset) == (word, 2)
    assert object_alias.closing == ("FOR VIEW", "UPDATE TRACKING")
    assert grouped.select[1].alias == word
    for rest in ("", " OFFSET 2", " FOR UPDATE", " ORDER BY Id"):
        assert parse(f"SELECT Id FROM Account {word}{rest}").alias == word


def test_a_clause_is_still_one_behind_an_object_without_an_alias() -> None:
    query = parse("SELECT Id FROM Account FOR UPDATE")

    assert (query.alias, query.closing) == (None, ("FOR UPDATE",))
    assert parse("SELECT Id FROM Account offset 3").offset == 3
    assert parse("SELECT Id FROM Account all rows").closing == ("ALL ROWS",)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT COUNT() FROM Account",
        "SELECT TYPEOF What WHEN Account THEN Phone, Name WHEN Lead THEN Id ELSE Name END FROM Event",
        "SELECT Id, (SELECT Id FROM Contacts ORDER BY Name LIMIT 1) FROM Account a WHERE Id NOT IN (SELECT X FROM Y)",
        "SELECT CALENDAR_YEAR(CloseDate) y, SUM(Amount) FROM Opportunity GROUP BY CALENDAR_YEAR(CloseDate) HAVING SUM(Amount) > 1 OFFSET 4",
        "SELECT FORMAT(convertCurrency(Amount)), DISTANCE(Loc__c, GEOLOCATION(1.5, -2), 'mi') FROM X ORDER BY A DESC NULLS LAST, B NULLS FIRST",
        "SELECT Id FROM X WHERE A INCLUDES ('a;b', 'c') OR B = TRUE OR C = NULL OR D = LAST_N_DAYS:3 OR E = 10:00:00Z",
    ],
)
def test_a_tree_prints_as_the_text_it_came_from(text: str) -> None:
    assert text == to_soql(parse(text))


@pytest.mark.parametrize(("text", "message"), [("", "A query string has to be specified"), ("SELECT Id " * 10_001, "SOQL statements cannot be longer than 100000 characters.")])  # fmt: skip
def test_no_query_and_too_long_a_query(text: str, message: str) -> None:
    with pytest.raises(ApiFault) as caught:
        parse(text)

    assert message == caught.value.message


@pytest.mark.parametrize("nesting", ["NOT (", "(a = 1 OR "])
def test_conditions_without_end_are_too_complicated(nesting: str) -> None:
    text = f"SELECT Id FROM X WHERE {nesting * 2000}a = 1{')' * 2000}"

    with pytest.raises(ApiFault) as caught:
        parse(text)

    assert caught.value.code == "QUERY_TOO_COMPLICATED"


def test_the_place_counts_rows() -> None:
    with pytest.raises(ApiFault) as caught:
        parse("SELECT Id\nFROM Account\nWHERE Name ~ 'x'\nLIMIT 1")

    assert (
        caught.value.message
        == "\nWHERE Name ~ 'x'\n           ^\nERROR at Row:3:Column:12\nunexpected token: '~'"
    )


def test_a_long_line_is_shown_near_the_place() -> None:
    fields = ", ".join(f"Field_{n}__c" for n in range(30))

    with pytest.raises(ApiFault) as caught:
        parse(f"SELECT {fields} ! FROM X WHERE Name = 'a' AND Something__c = 'b' AND Else__c = 3")

    snippet = caught.value.message.splitlines()[1]
    assert snippet == "Field_28__c, Field_29__c ! FROM X WHERE Name = 'a' AND Something__c"
