"""A JSON value that its field cannot be read from is an error of the parser, with the place where it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lht.testing.caller import Caller

ACCOUNTS = "/services/data/v66.0/sobjects/Account"
ALSO = "or request may be missing a required field at"


def posted(api: Caller, body: str) -> tuple[int, str, str]:
    kind = {"Content-Type": "application/json"}
    answer = api.raw("POST", ACCOUNTS, body.encode(), api.headers | kind)
    assert list(answer.json()[0]) == ["message", "errorCode"]
    return answer.error


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"AnnualRevenue":"abc"}', f"currency from VALUE_STRING value abc {ALSO} [line:1, column:18]"),
        ('{"AnnualRevenue":""}', f"currency from VALUE_STRING value  {ALSO} [line:1, column:18]"),
        (
            '{"Name":"é",\n  "NumberOfEmployees" :\t1.5}',
            f"int from VALUE_NUMBER_FLOAT value 1.5 {ALSO} [line:2, column:25]",
        ),
        ('{"numberofemployees":true}', f"int from VALUE_TRUE value true {ALSO} [line:1, column:22]"),
        (
            '{"Site":"abc","BillingLatitude":"abc"}',
            f"double from VALUE_STRING value abc {ALSO} [line:1, column:33]",
        ),
        ('{"Name":{"a":"b"}}', f"string from START_OBJECT value {{ {ALSO} [line:1, column:9]"),
        ('{"Name":["a"]}', "string from START_ARRAY value [line:1, column:9]"),
        ('{"Type":["a"]}', "picklist from START_ARRAY value [line:1, column:9]"),
    ],
)
def test_a_value_of_another_type_is_refused_where_it_stands(api: Caller, body: str, said: str) -> None:
    assert posted(api, body) == (400, "JSON_PARSER_ERROR", f"Cannot deserialize instance of {said}")


@pytest.mark.parametrize("value", ["2017-10-17 00:00:00", "2024-07-30 20:54:16 UTC", "17/10/2017", ""])
def test_a_moment_in_another_spelling_is_refused(api: Caller, value: str) -> None:
    refused = api.call("POST", "/sobjects/Event", {"ActivityDateTime": value, "DurationInMinutes": 1})

    message = (
        f"Cannot deserialize instance of datetime from VALUE_STRING value {value} {ALSO} [line:1, column:22]"
    )
    assert refused.error == (400, "JSON_PARSER_ERROR", message)


def test_a_date_takes_no_moment_with_many_decimals(api: Caller) -> None:
    value = "2020-04-30T13:19:18.000000+02:00"
    refused = api.call("POST", "/sobjects/Opportunity", {"StageName": "Qualification", "CloseDate": value})

    message = (
        f"Cannot deserialize instance of date from VALUE_STRING value {value} {ALSO} [line:1, column:45]"
    )
    assert refused.error == (400, "JSON_PARSER_ERROR", message)


@pytest.mark.parametrize(
    ("value", "written"),
    [("1699-12-31", "Thu Dec 31 00:00:00 GMT 1699"), ("4001-01-01", "Mon Jan 01 00:00:00 GMT 4001")],
)
def test_a_date_that_no_org_can_keep_is_refused_by_name(api: Caller, value: str, written: str) -> None:
    body = {"Name": "a", "StageName": "Qualification", "CloseDate": value}

    refused = api.call("POST", "/sobjects/Opportunity", body)

    assert refused.error == (400, "FIELD_INTEGRITY_EXCEPTION", f"Close Date: invalid date: {written}")
    assert refused.json()[0]["fields"] == ["CloseDate"]


def test_each_record_of_a_collection_is_refused_for_its_own_value(api: Caller) -> None:
    kind = {"type": "Account"}
    records = [
        {"attributes": kind, "Name": "good"},
        {"attributes": kind, "AnnualRevenue": "x"},
        {"attributes": kind, "AnnualRevenue": "x"},
    ]

    good, *bad = api.call("POST", "/composite/sobjects", {"records": records}).json()

    columns = (120, 179)
    assert good["success"]
    assert [one["errors"] for one in bad] == [
        [
            {
                "statusCode": "JSON_PARSER_ERROR",
                "message": "Cannot deserialize instance of currency from VALUE_STRING value x "
                f"{ALSO} [line:1, column:{column}]",
                "fields": [],
            }
        ]
        for column in columns
    ]


def test_a_request_within_a_request_is_refused_alone(api: Caller) -> None:
    url = "/services/data/v66.0/sobjects/Account"
    inner = {"method": "POST", "url": url, "referenceId": "a", "body": {"Name": {}}}

    answer = api.call("POST", "/composite", {"compositeRequest": [inner]}).json()["compositeResponse"][0]

    assert answer["httpStatusCode"] == 400
    assert answer["body"][0]["errorCode"] == "JSON_PARSER_ERROR"
    assert answer["body"][0]["message"].startswith(
        "Cannot deserialize instance of string from START_OBJECT value { or "
    )


def test_a_list_is_no_record(api: Caller) -> None:
    message = (
        "Json Deserialization failed on token 'null' and has left off in the middle of parsing a row. "
        "Will go to end of row to begin parsing the next row"
    )

    assert posted(api, '[{"Name":"a"}]') == (400, "INVALID_FIELD", message)
