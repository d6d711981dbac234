"""What SOQL refuses, in the codes and words of the API: one row or more for each rule that has an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEE = "Please reference your WSDL or the describe call for the appropriate names."
NO_COLUMN = (
    "No such column '{}' on entity '{}'. If you are attempting to use a custom field, be sure to append the '__c' "
    f"after the custom field name. {SEE}"
)
NO_PARENT = (
    "Didn't understand relationship '{}' in field path. If you are attempting to use a custom relationship, be sure "
    f"to append the '__r' after the custom relationship name. {SEE}"
)
NO_OBJECT = (
    "sObject type '{}' is not supported. If you are attempting to use a custom object, be sure to append the '__c' "
    f"after the entity name. {SEE}"
)
UNQUOTED = "value of filter criterion for field '{}' must be of type {} and should not be enclosed in quotes"
QUOTED = "value of filter criterion for field '{}' must be of type {} and should be enclosed in quotes"
TOO_MANY = "Query is either selecting too many fields or the filter conditions are too complicated."

REFUSED = [
    # names
    ("SELECT Nope FROM Account", "INVALID_FIELD", "Nope", NO_COLUMN.format("Nope", "Account")),
    ("SELECT Id FROM Account WHERE nope__C = 1", "INVALID_FIELD", "nope__C", NO_COLUMN.format("nope__C", "Account")),
    ("SELECT Id FROM Account ORDER BY Nope", "INVALID_FIELD", "Nope", NO_COLUMN.format("Nope", "Account")),
    ("SELECT Boss.Name FROM Account", "INVALID_FIELD", "Boss", NO_PARENT.format("Boss")),
    ("SELECT Parent.Boss.Name FROM Account", "INVALID_FIELD", "Parent", NO_PARENT.format("Boss")),
    ("SELECT Id FROM Nope", "INVALID_TYPE", "Nope", NO_OBJECT.format("Nope")),
    ("SELECT What.Industry FROM Task", "INVALID_FIELD", "What", NO_COLUMN.format("Industry", "Name")),
    ("SELECT Name, Id, name FROM Account", "INVALID_FIELD", None, "duplicate field selected: Name"),
    ("SELECT Id, FIELDS(ALL) FROM Account LIMIT 1", "INVALID_FIELD", None, "duplicate field selected: Id"),
    ("SELECT Parent.Name, Account.Parent.Name FROM Account", "INVALID_FIELD", None, "duplicate field selected: Parent.Name"),
    # syntax
    ("nonsense", "MALFORMED_QUERY", None, "unexpected token: 'nonsense'"),
    ("SELECT FROM Account", "MALFORMED_QUERY", "FROM", "unexpected token: 'FROM'"),
    ("SELECT Name From FROM Account", "MALFORMED_QUERY", "FROM Account", "unexpected token: 'FROM'"),
    ("SELECT Id FROM Where", "MALFORMED_QUERY", "Where", "unexpected token: 'Where'"),
    ("SELECT Id FROM Account LIMIT 1 OFFSET x", "MALFORMED_QUERY", "x", "unexpected token: 'x'"),
    ("SELECT * FROM Account", "MALFORMED_QUERY", "*", "unexpected token: '*'"),
    ("SELECT Id FROM Account WHERE Name = Acme", "MALFORMED_QUERY", "Acme", "unexpected token: 'Acme'"),
    ('SELECT Id FROM Account WHERE Name = "a"', "MALFORMED_QUERY", '"a"', "unexpected token: '\"'"),
    ("SELECT Id FROM Account WHERE Name = 'a' AND Id != null OR Id = null", "MALFORMED_QUERY", "OR Id", "unexpected token: 'OR'"),
    ("SELECT Id FROM Account WHERE Name = 'a' OR Id != null AND Id = null", "MALFORMED_QUERY", "AND Id", "unexpected token: 'AND'"),
    ("SELECT Id FROM Account WHERE AnnualRevenue < null", "MALFORMED_QUERY", "null", "unexpected token: 'null'"),
    ("SELECT Id FROM Account WHERE Name LIKE null", "MALFORMED_QUERY", "null", "unexpected token: 'null'"),
    (r"SELECT Id FROM Account WHERE Name = 'a\q'", "MALFORMED_QUERY", None,
     r"Invalid string literal 'a\q'. Illegal character sequence '\q' in string literal."),
    (r"SELECT Id FROM Account WHERE Name LIKE '\u12'", "MALFORMED_QUERY", None,
     r"Invalid string literal '\u12'. Illegal character sequence '\u' in string literal."),
    # kinds of values
    ("SELECT Id FROM Account WHERE SystemModstamp > '2024-01-01T00:00:00Z'", "INVALID_FIELD", "SystemModstamp", UNQUOTED.format("SystemModstamp", "dateTime")),
    ("SELECT Id FROM Account WHERE SystemModstamp IN ('2024-01-01')", "INVALID_FIELD", "SystemModstamp", UNQUOTED.format("SystemModstamp", "dateTime")),
    ("SELECT Id FROM Account WHERE SystemModstamp >= 2024-01-01", "INVALID_FIELD", "SystemModstamp", UNQUOTED.format("SystemModstamp", "dateTime")),
    ("SELECT Id FROM Opportunity WHERE CloseDate = '2024-01-01'", "INVALID_FIELD", "CloseDate", UNQUOTED.format("CloseDate", "date")),
    ("SELECT Id FROM Opportunity WHERE CloseDate < 2024-01-01T00:00:00Z", "INVALID_FIELD", "CloseDate", UNQUOTED.format("CloseDate", "date")),
    ("SELECT Id FROM Account WHERE AnnualRevenue = '5'", "INVALID_FIELD", "AnnualRevenue", UNQUOTED.format("AnnualRevenue", "double")),
    ("SELECT Id FROM Account WHERE NumberOfEmployees = '5'", "INVALID_FIELD", "NumberOfEmployees", UNQUOTED.format("NumberOfEmployees", "int")),
    ("SELECT Id FROM Account WHERE AnnualRevenue = true", "INVALID_FIELD", "AnnualRevenue", UNQUOTED.format("AnnualRevenue", "double")),
    ("SELECT Id FROM Opportunity WHERE IsClosed = 'true'", "INVALID_FIELD", "IsClosed", UNQUOTED.format("IsClosed", "boolean")),
    ("SELECT Id FROM Opportunity WHERE IsClosed = 1", "INVALID_FIELD", "IsClosed", UNQUOTED.format("IsClosed", "boolean")),
    ("SELECT Id FROM Account WHERE Industry = 5", "INVALID_FIELD", "Industry", QUOTED.format("Industry", "string")),
    ("SELECT Id FROM Account WHERE Industry IN ('Energy', true)", "INVALID_FIELD", "Industry", QUOTED.format("Industry", "string")),
    ("SELECT Id FROM Account WHERE Name = TODAY", "INVALID_FIELD", "Name", QUOTED.format("Name", "string")),
    ("SELECT Id FROM Account WHERE Name LIKE 5", "INVALID_FIELD", "Name", QUOTED.format("Name", "string")),
    ("SELECT Id FROM Account WHERE Id = 5", "INVALID_FIELD", "Id =", QUOTED.format("Id", "ID")),
    ("SELECT Id FROM Specimen__c WHERE Opens__c = '10:00:00'", "INVALID_FIELD", "Opens__c", UNQUOTED.format("Opens__c", "time")),
    ("SELECT Id FROM Opportunity WHERE CloseDate > 1699-12-31", "MALFORMED_QUERY", "1699", "Invalid date: 1699-12-31"),
    ("SELECT Id FROM Opportunity WHERE CloseDate > 4001-01-01", "MALFORMED_QUERY", "4001", "Invalid date: 4001-01-01"),
    ("SELECT Id FROM Opportunity WHERE CloseDate > 2023-02-29", "MALFORMED_QUERY", "2023", "Invalid date: 2023-02-29"),
    ("SELECT Id FROM Account WHERE CreatedDate > 4001-01-01T00:00:00Z", "MALFORMED_QUERY", "4001", "Invalid datetime: 4001-01-01T00:00:00Z"),
    ("SELECT Id FROM Account WHERE CreatedDate > 1700-01-01T00:00:00+01:00", "MALFORMED_QUERY", "1700", "Invalid datetime: 1700-01-01T00:00:00+01:00"),
    # ids and operators
    ("SELECT Id FROM Account WHERE Id = 'xyz'", "INVALID_QUERY_FILTER_OPERATOR", "Id =", "invalid ID field: xyz"),
    ("SELECT Id FROM Account WHERE OwnerId IN ('0050000000000!1')", "INVALID_QUERY_FILTER_OPERATOR", "OwnerId", "invalid ID field: 0050000000000!1"),
    ("SELECT Id FROM Account WHERE Id = '001000000000001AAB'", "INVALID_QUERY_FILTER_OPERATOR", "Id =", "invalid ID field: 001000000000001AAB"),
    ("SELECT Id FROM Account WHERE Id LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR", "Id LIKE", "invalid operator on id field"),
    ("SELECT Id FROM Account WHERE ParentId LIKE '001%'", "INVALID_QUERY_FILTER_OPERATOR", "ParentId", "invalid operator on id field"),
    ("SELECT Id FROM Account WHERE AnnualRevenue LIKE '5%'", "INVALID_QUERY_FILTER_OPERATOR", "AnnualRevenue", "invalid operator on currency field"),
    ("SELECT Id FROM Account WHERE Name INCLUDES ('a')", "INVALID_QUERY_FILTER_OPERATOR", "Name", "invalid operator on string field"),
    ("SELECT Id FROM Opportunity WHERE IsClosed > false", "INVALID_QUERY_FILTER_OPERATOR", "IsClosed", "invalid operator on boolean field"),
    ("SELECT Id FROM Specimen__c WHERE Traits__c < 'Rare'", "INVALID_QUERY_FILTER_OPERATOR", "Traits__c", "invalid operator on multipicklist field"),
    # what cannot be filtered, sorted, grouped
    ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD", "Description", "field 'Description' can not be filtered in a query call"),
    ("SELECT Id FROM AccountHistory WHERE NewValue = 'x'", "INVALID_FIELD", "NewValue", "field 'NewValue' can not be filtered in a query call"),
    ("SELECT Id FROM AccountHistory WHERE OldValue != null", "INVALID_FIELD", "OldValue", "field 'OldValue' can not be filtered in a query call"),
    ("SELECT Id FROM Account WHERE BillingAddress = null", "INVALID_FIELD", "BillingAddress", "Address fields can only be filtered using Distance expressions"),
    ("SELECT Id FROM Account ORDER BY Description", "MALFORMED_QUERY", "Description", "field 'Description' can not be sorted in a query call"),
    ("SELECT Id FROM Specimen__c ORDER BY Traits__c", "MALFORMED_QUERY", "Traits__c", "field 'Traits__c' can not be sorted in a query call"),
    ("SELECT Id FROM Specimen__c ORDER BY Rich__c", "MALFORMED_QUERY", "Rich__c", "field 'Rich__c' can not be sorted in a query call"),
    ("SELECT Id FROM Specimen__c ORDER BY Secret__c", "MALFORMED_QUERY", "Secret__c", "field 'Secret__c' can not be sorted in a query call"),
    ("SELECT Id FROM Specimen__c ORDER BY Image__c", "MALFORMED_QUERY", "Image__c", "field 'Image__c' can not be sorted in a query call"),
    ("SELECT COUNT(Id) FROM Account GROUP BY CreatedDate", "INVALID_FIELD", "CreatedDate", "field 'CreatedDate' can not be grouped in a query call"),
    ("SELECT COUNT(Id) FROM Account GROUP BY AnnualRevenue", "INVALID_FIELD", "AnnualRevenue", "field 'AnnualRevenue' can not be grouped in a query call"),
    ("SELECT COUNT(Id) FROM Specimen__c GROUP BY Traits__c", "INVALID_FIELD", "Traits__c", "field 'Traits__c' can not be grouped in a query call"),
    # aggregates, LIMIT and OFFSET
    ("SELECT COUNT(), Name FROM Account", "MALFORMED_QUERY", "SELECT", "COUNT() must be the only item of a query without GROUP BY"),
    ("SELECT COUNT() FROM Account ORDER BY Name", "MALFORMED_QUERY", "Name", "Ordered field must be grouped or aggregated: Name"),
    ("SELECT COUNT(Id) FROM Account LIMIT 1", "MALFORMED_QUERY", "SELECT", "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"),
    ("SELECT Name, COUNT(Id) FROM Account", "MALFORMED_QUERY", "Name", "Field must be grouped or aggregated: Name"),
    ("SELECT COUNT(Id) FROM Account GROUP BY Name HAVING Industry = 'x'", "MALFORMED_QUERY", "Industry", "Field must be grouped or aggregated: Industry"),
    ("SELECT Name, COUNT(Name) FROM Account GROUP BY Name", "MALFORMED_QUERY", "Name) FROM", "Grouped field should not be aggregated: Name"),
    ("SELECT SUM(Name) FROM Account", "MALFORMED_QUERY", "SUM", "field Name does not support aggregate operator SUM"),
    ("SELECT MAX(IsDeleted) FROM Account", "MALFORMED_QUERY", "MAX", "field IsDeleted does not support aggregate operator MAX"),
    ("SELECT COUNT(Traits__c) FROM Specimen__c", "MALFORMED_QUERY", "COUNT", "field Traits__c does not support aggregate operator COUNT"),
    ("SELECT COUNT_DISTINCT(Opens__c) FROM Specimen__c", "MALFORMED_QUERY", "COUNT_DISTINCT", "field Opens__c does not support aggregate operator COUNT_DISTINCT"),
    ("SELECT Id FROM Account WHERE COUNT(Id) > 1", "MALFORMED_QUERY", "COUNT", "Aggregate functions are not allowed here: COUNT"),
    ("SELECT Id FROM Account OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE", None, "Maximum SOQL offset allowed is 2000"),
    ("SELECT Id FROM Account LIMIT -1", "MALFORMED_QUERY", "-1", "unexpected token: '-1'"),
    ("SELECT Id FROM Account LIMIT 1 LIMIT 2", "MALFORMED_QUERY", "LIMIT 2", "unexpected token: 'LIMIT'"),
    # all fields at once
    ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY", None, "The SOQL FIELDS function must have a LIMIT of at most 200"),
    ("SELECT FIELDS(CUSTOM) FROM Account LIMIT 201", "MALFORMED_QUERY", None, "The SOQL FIELDS function must have a LIMIT of at most 200"),
    ("SELECT FIELDS(ALL) FROM Account WHERE Name IN ('a')", "MALFORMED_QUERY", None, "The SOQL FIELDS function must have a LIMIT of at most 200"),
    ("SELECT FIELDS(ALL), COUNT(Name) FROM Account GROUP BY Id LIMIT 9", "MALFORMED_QUERY", "FIELDS", "Field must be grouped or aggregated: IsDeleted"),
    ("SELECT FIELDS(CUSTOM) FROM Attachment LIMIT 1", "INVALID_FIELD", "FIELDS", "FIELDS(CUSTOM) finds no field on entity 'Attachment'"),
    # depth
    ("SELECT Parent.Parent.Parent.Parent.Parent.Parent.Name FROM Account", "MALFORMED_QUERY", "Parent.Parent.Parent.Parent.Parent.Parent", "A field path may not hold more than 5 relationships."),
]  # fmt: skip


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org with an object that has more lookups and formulas than one query may use."""
    file: Path = tmp_path_factory.mktemp("schema") / "schema.toml"
    lookup = '[[objects.Wide__c.fields]]\nname = "L{0}__c"\ntype = "reference"\nreference_to = "Account"\nchild_relationship = "W{0}__r"\n'
    formula = '[[objects.Wide__c.fields]]\nname = "F{0}__c"\ntype = "double"\nformula = "1 + 1"\n'
    lines = [
        "[objects.Wide__c]\n",
        *(lookup.format(n) for n in range(56)),
        *(formula.format(n) for n in range(251)),
    ]
    file.write_text("".join(lines), encoding="utf-8")
    with simulator(schema=file) as org:
        yield Caller(org).login()


@pytest.mark.parametrize(("soql", "code", "place", "message"), REFUSED)
def test_a_wrong_query_is_refused_in_the_words_of_the_api(
    seeded: Caller, soql: str, code: str, place: str | None, message: str
) -> None:
    answer = seeded.get("/query", q=soql)

    assert answer.error[:2] == (400, code)
    assert answer.error[2] == message if place is None else answer.error[2].endswith(f"\n{message}")
    if place is not None:
        _, snippet, caret, where, _ = answer.error[2].split("\n")
        column = soql.index(place, 1 if place != "SELECT" else 0)
        assert where == f"ERROR at Row:1:Column:{column + 1}"
        assert soql[column:].startswith(snippet[len(caret) - 1 :].rstrip())
        assert caret.strip() == "^"


def test_rows_and_columns_count_from_one(seeded: Caller) -> None:
    message = seeded.get("/query", q="SELECT Id\n  , Nope\nFROM Account").error[2]

    assert message == f"\n  , Nope\n    ^\nERROR at Row:2:Column:5\n{NO_COLUMN.format('Nope', 'Account')}"


@pytest.mark.parametrize(
    "clause", ["Name = '{}'", "Name LIKE '{}'", "Name IN ('a', '{}')", "Industry != '{}'"]
)
def test_a_string_in_where_has_at_most_4000_characters(seeded: Caller, clause: str) -> None:
    fits, long = (
        seeded.get("/query", q=f"SELECT Id FROM Account WHERE {clause.format('x' * n)}")
        for n in (4_000, 4_001)
    )

    assert fits.status == 200
    assert long.error[:2] == (400, "MALFORMED_QUERY")
    assert long.error[2].endswith("string literal longer than 4000 characters")


def test_a_statement_has_at_most_100000_characters(seeded: Caller) -> None:
    soql = "SELECT Id FROM Account WHERE Name != 'x'"
    fits = seeded.job(soql + " " * (100_000 - len(soql)))
    long = seeded.job(soql + " " * (100_001 - len(soql)))

    assert fits.status == 200
    message = "SOQL statements cannot be longer than 100000 characters."
    assert long.error == (400, "MALFORMED_QUERY", message)


def test_a_query_follows_at_most_55_relationships(wide: Caller) -> None:
    fits, many = (
        wide.get("/query", q=f"SELECT {', '.join(f'L{n}__r.Name' for n in range(count))} FROM Wide__c")
        for count in (55, 56)
    )

    assert fits.status == 200
    message = "SOQL statements cannot query more than 55 relationships."
    assert many.error == (400, "MALFORMED_QUERY", message)


def test_a_query_computes_at_most_250_formulas(wide: Caller) -> None:
    fits, many = (
        wide.get("/query", q=f"SELECT {', '.join(f'F{n}__c' for n in range(count))} FROM Wide__c")
        for count in (250, 251)
    )
    filtered = wide.get(
        "/query", q=f"SELECT {', '.join(f'F{n}__c' for n in range(250))} FROM Wide__c WHERE F250__c > 0"
    )

    assert fits.status == 200
    assert many.error == filtered.error == (400, "QUERY_TOO_COMPLICATED", TOO_MANY)


def test_conditions_nested_too_deep_are_too_complicated(seeded: Caller) -> None:
    soql = f"SELECT Id FROM Account WHERE {'NOT(' * 1_500}Name = 'a'{')' * 1_500}"

    assert seeded.get("/query", q=soql).error == (400, "QUERY_TOO_COMPLICATED", TOO_MANY)


def test_a_query_has_at_most_20_sub_queries_and_2_semi_joins(seeded: Caller) -> None:
    many = ", ".join(f"(SELECT Id FROM {'Contacts' if n else 'Opportunities'})" for n in range(21))
    join = "Id IN (SELECT AccountId FROM Contact)"

    assert seeded.get("/query", q=f"SELECT Id, {many} FROM Account").error[:2] == (400, "MALFORMED_QUERY")
    assert seeded.get("/query", q=f"SELECT Id FROM Account WHERE {join} AND {join}").status == 200
    refused = seeded.get("/query", q=f"SELECT Id FROM Account WHERE {join} AND {join} AND {join}").error
    assert refused[:2] == (400, "EXCEEDED_MAX_SEMIJOIN_SUBSELECTS")


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT FIELDS(ALL) FROM Account LIMIT 200",
        "SELECT FIELDS(STANDARD) FROM Account",
        "SELECT Id, FIELDS(CUSTOM) FROM Attachment LIMIT 1",
        "SELECT FIELDS(ALL) FROM Account WHERE Id IN ('001000000000001', '001000000000002')",
        "SELECT FIELDS(ALL) FROM Account WHERE Id = '001000000000001' OR Id = '001000000000002'",
        "SELECT FIELDS(CUSTOM) FROM Account WHERE Name != 'x' AND Id = '001000000000001'",
        r"SELECT Id FROM Account WHERE Name = '\N\R\T\B\F\n\r\t\b\f\"\'\\\u00e9'",
        r"SELECT Id FROM Account WHERE Name LIKE '50\%\_%'",
        "SELECT Id FROM Account WHERE Name = 'x' ORDER BY Name DESC NULLS LAST, Id LIMIT 0 OFFSET 2000",
    ],
)
def test_what_is_allowed_is_answered(seeded: Caller, soql: str) -> None:
    assert seeded.get("/query", q=soql).status == 200


def test_more_than_200_ids_do_not_bound_all_fields(seeded: Caller) -> None:
    ids = ", ".join(f"'{n:015}'" for n in range(201))

    answer = seeded.get("/query", q=f"SELECT FIELDS(ALL) FROM Account WHERE Id IN ({ids})")
    assert answer.error == (
        400,
        "MALFORMED_QUERY",
        "The SOQL FIELDS function must have a LIMIT of at most 200",
    )


def test_sorting_is_by_capitals_by_picklist_and_keeps_the_nulls_of_lookups_first(api: Caller) -> None:
    for name, mood, about in (
        ("b", "Tense", True),
        ("[", "Calm", False),
        ("A", None, True),
        ("_", "Own", True),
    ):
        account = api.create("Account", Name=name) if about else None
        api.create("Specimen__c", Name=name, Mood__c=mood, Account__c=account)

    def sorted_by(order: str) -> list[str]:
        return [
            r["Name"]
            for r in api.get("/query", q=f"SELECT Name FROM Specimen__c ORDER BY {order}").json()["records"]
        ]

    assert sorted_by("Name") == ["A", "b", "[", "_"]
    assert sorted_by("Mood__c, Name") == ["A", "[", "b", "_"]
    assert sorted_by("Mood__c DESC NULLS LAST") == ["_", "b", "[", "A"]
    assert sorted_by("Account__c NULLS LAST")[0] == "["
    assert sorted_by("Account__r.Name NULLS LAST") == ["[", "A", "b", "_"]


def test_several_choices_are_kept_in_the_picklists_order(api: Caller) -> None:
    api.create("Specimen__c", Name="s", Traits__c="Rare; brittle;Rare")

    record = api.get("/query", q="SELECT Traits__c FROM Specimen__c WHERE Traits__c = 'brittle;RARE'").json()[
        "records"
    ][0]
    assert record["Traits__c"] == "Brittle;Rare"
