from __future__ import annotations

from datetime import date, datetime, time

import pytest

from lht.simulator.errors import ApiFault
from lht.simulator.org.objects.account import ACCOUNT
from lht.simulator.org.objects.specimen import SPECIMEN
from lht.simulator.org.writes.values import stored


def keep(name: str, value: object) -> object:
    field = SPECIMEN.find(name) or ACCOUNT.find(name)
    assert field is not None
    return stored(field, value)


@pytest.mark.parametrize(
    ("name", "sent", "kept"),
    [
        ("Text__c", "  padded\t\r\n", "padded"),
        ("Text__c", "   ", None),
        ("Text__c", "", None),
        ("Text__c", 12, "12"),
        ("Text__c", True, "true"),
        ("Text__c", "bad \ud800 half", "bad ? half"),
        ("Long__c", "a\r\nb\nc", "a\r\nb\nc"),
        ("Email__c", " Chloe.Myers@Example.COM ", "chloe.myers@example.com"),
        ("Colour__c", "red", "Red"),
        ("Mood__c", "Unlisted", "Unlisted"),
        ("Traits__c", "Rare; brittle;Rare;", "Brittle;Rare"),
        ("Checked__c", "TRUE", True),
        ("Count__c", "10000", 10_000),
        ("Count__c", 3.0, 3),
        ("Serials__c", 9_007_199_254_740_993, 9_007_199_254_740_993),
        ("Price__c", 1.005, 1.01),
        ("Price__c", "-1.005", -1.01),
        ("Price__c", "1e3", 1_000.0),
        ("Price__c", -0.001, 0.0),
        ("Mass__c", "16147805824397", 16_147_805_824_397.0),
        ("Ratio__c", 1e-15, 1e-15),
        ("Found__c", "1700-01-01", date(1700, 1, 1)),
        ("Found__c", "2024-05-01Z", date(2024, 5, 1)),
        ("Seen__c", "2024-05-01T10:20:30.999Z", datetime(2024, 5, 1, 10, 20, 30)),  # noqa: DTZ001 - as rows hold it
        ("Seen__c", "2024-05-01T10:20:30+0200", datetime(2024, 5, 1, 8, 20, 30)),  # noqa: DTZ001
        ("Seen__c", "2024-05-01T10:20:30-02:30", datetime(2024, 5, 1, 12, 50, 30)),  # noqa: DTZ001
        ("Opens__c", "10:20:30.5Z", time(10, 20, 30, 500_000)),
        ("Account__c", "001D000000IRt5w", "001D000000IRt5wIAD"),
        ("Anything__c", " kept as sent ", " kept as sent "),
        ("Image__c", "aGVsbG8=", "aGVsbG8="),
    ],
)
def test_what_is_sent_is_kept_as_salesforce_keeps_it(name: str, sent: object, kept: object) -> None:
    found = keep(name, sent)

    assert found == kept
    assert type(found) is type(kept)


@pytest.mark.parametrize(
    ("name", "sent", "code"),
    [
        ("Text__c", "x" * 256, "STRING_TOO_LONG"),
        ("Text__c", ["a"], "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Email__c", "nope", "INVALID_EMAIL_ADDRESS"),
        ("Colour__c", "Mauve", "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
        ("Checked__c", "maybe", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Count__c", 1.5, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Count__c", 10**9, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Price__c", "abc", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Price__c", "NaN", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Price__c", "Infinity", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Price__c", 10**14, "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Price__c", "1e999999", "NUMBER_OUTSIDE_VALID_RANGE"),
        ("Price__c", True, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Found__c", "1699-12-31", "FIELD_INTEGRITY_EXCEPTION"),
        ("Found__c", "4001-01-01", "FIELD_INTEGRITY_EXCEPTION"),
        ("Found__c", "", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Found__c", "2023-02-28T13:19:18.000000+02:00", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Price__c", " ", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Checked__c", None, "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Checked__c", "", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Found__c", "2023-02-29", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Seen__c", "2024-05-01 10:20:30", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Seen__c", "9999-12-31T23:59:59-12:00", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Opens__c", "25:00:00Z", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
        ("Account__c", "nonsense", "MALFORMED_ID"),
        ("Image__c", "not base64!", "INVALID_TYPE_ON_FIELD_IN_RECORD"),
    ],
)
def test_what_a_field_cannot_hold_is_refused_by_name(name: str, sent: object, code: str) -> None:
    with pytest.raises(ApiFault) as refused:
        keep(name, sent)

    assert (refused.value.status, refused.value.code, refused.value.fields) == (400, code, (name,))
