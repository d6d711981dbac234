"""Rows as JSON records, and keys as SOQL literals."""

from __future__ import annotations

import pytest

from lht.model.retl import Operation, SentColumn
from lht.model.salesforce import Field
from lht.retl.json_rows import record_json
from lht.retl.literals import literal


def column(header: str, kind: str, target: str | None = None, parent: str | None = None) -> SentColumn:
    return SentColumn(header, header, Field(header.rpartition(".")[2], kind), target or header, parent)


COLUMNS = (
    column("Id", "id"),
    column("Price__c", "currency"),
    column("Checked__c", "boolean"),
    column("Text__c", "string"),
    column("Account.Key__c", "string", "AccountId", "Account"),
    column("Lead:Who.Email", "email", "WhoId", "Lead"),
)


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (
            [None, "1234567890123456.70", "true", 'a"b\n', "K", "l@example.com"],
            (
                '"Price__c":1234567890123456.70,"Checked__c":true,"Text__c":"a\\"b\\n","Account":{"Key__c":"K"},'
                '"Who":{"attributes":{"type":"Lead"},"Email":"l@example.com"}'
            ),
        ),
        (
            ["#N/A", "#N/A", "false", "123", "#N/A", "#N/A"],
            '"Price__c":null,"Checked__c":false,"Text__c":"123","AccountId":null,"WhoId":null',
        ),
        ([None, "+1.5", None, None, None, None], '"Price__c":"+1.5"'),
    ],
)
def test_values_have_the_json_type_of_their_field_and_every_digit(
    sent: list[str | None], expected: str
) -> None:
    text = record_json("Task", Operation.UPDATE, COLUMNS, sent, "00T1")

    assert text == f'{{"attributes":{{"type":"Task"}},"Id":"00T1",{expected}}}'


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("string", " O'Neil \\ ", "'O\\'Neil \\\\'"),
        ("string", "  ", None),
        ("string", "x" * 4_001, None),
        ("double", "1.50", "1.50"),
        ("double", "1.5 OR Id != null", None),
        ("date", "2024-02-29", "2024-02-29"),
        ("date", "29.2.2024", None),
        ("datetime", "2024-02-29T10:20:30.000+0000", "2024-02-29T10:20:30.000+0000"),
        ("reference", "001D000000IRt5w", "'001D000000IRt5wIAD'"),
        ("id", "001D000000IRt5w' OR '1", None),
    ],
)
def test_a_key_is_a_literal_of_its_fields_type_or_none(kind: str, text: str, expected: str | None) -> None:
    assert literal(Field("F", kind), text) == expected
