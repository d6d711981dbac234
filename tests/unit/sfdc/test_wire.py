from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from lht.errors import (
    AccessDeniedError,
    ApiError,
    LimitExceededError,
    Recovery,
    RequestRejectedError,
    SessionExpiredError,
    UnavailableError,
)
from lht.model.salesforce import DeletedRecord, Field, JobState, SObject
from lht.sfdc import wire
from lht.sfdc.wire import ErrorContext, translate_error

NOON = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)


def rest(code: str, message: str = "text") -> bytes:
    return json.dumps([{"message": message, "errorCode": code}]).encode()


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01T10:20:30.000+0000",
        "2024-05-01T10:20:30.000Z",
        "2024-05-01T10:20:30+00:00",
        "2024-05-01T10:20:30",
    ],
)
def test_every_spelling_of_a_datetime_is_the_same_moment(text: str) -> None:
    assert datetime(2024, 5, 1, 10, 20, 30, tzinfo=UTC) == wire.parse_datetime(text)


@pytest.mark.parametrize("value", [1710000000000, "1710000000000"])
def test_epoch_milliseconds_are_read_as_number_or_text(value: int | str) -> None:
    assert datetime(2024, 3, 9, 16, 0, tzinfo=UTC) == wire.parse_datetime(value)


def test_an_offset_is_turned_into_utc() -> None:
    assert datetime(2024, 5, 1, 8, 20, 30, tzinfo=UTC) == wire.parse_datetime("2024-05-01T10:20:30.000+0200")


def test_a_datetime_that_is_none_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="Invalid isoformat"):
        wire.parse_datetime("yesterday")


def test_a_describe_with_all_keys_missing_is_read_with_defaults() -> None:
    body = {"name": "X", "fields": [{"name": "F"}]}

    expected = SObject(name="X", label="", fields=(Field(name="F", type="string"),))
    assert expected == wire.read_sobject(body)


def test_a_describe_without_fields_has_none() -> None:
    assert wire.read_sobject({"name": "X", "fields": None}).fields == ()


def test_a_field_keeps_what_describe_tells() -> None:
    field = wire.read_field(
        {
            "name": "Amount__c",
            "type": "Currency",
            "label": "Amount",
            "inlineHelpText": "in euro",
            "precision": 18,
            "scale": 2,
            "nillable": False,
            "calculated": True,
            "externalId": True,
            "idLookup": True,
            "filterable": False,
            "compoundFieldName": "Whole",
            "relationshipName": "Rel",
            "referenceTo": ["User", "Group"],
        }
    )

    expected = Field(
        name="Amount__c",
        type="currency",
        label="Amount",
        help_text="in euro",
        precision=18,
        scale=2,
        nillable=False,
        calculated=True,
        external_id=True,
        id_lookup=True,
        filterable=False,
        compound_field_name="Whole",
        relationship_name="Rel",
        reference_to=("User", "Group"),
    )
    assert expected == field


def test_a_null_number_in_a_describe_is_zero() -> None:
    assert wire.read_field({"name": "F", "length": None}).length == 0


def test_object_summaries_read_deprecated_objects_as_such() -> None:
    body = {
        "sobjects": [
            {"name": "A", "label": "As", "queryable": False},
            {"name": "B", "deprecatedAndHidden": True},
        ]
    }

    first, second = wire.read_object_summaries(body)

    assert (first.name, first.label, first.queryable, first.deprecated) == ("A", "As", False, False)
    assert (second.name, second.queryable, second.deprecated) == ("B", True, True)


def test_a_job_resource_is_read_whole() -> None:
    body = {
        "id": "750XX",
        "operation": "queryAll",
        "object": "Account",
        "createdById": "005XX",
        "createdDate": "2026-01-02T03:04:05.000+0000",
        "state": "JobComplete",
        "apiVersion": 66.0,
        "numberRecordsProcessed": 12,
        "errorMessage": "none",
    }

    job = wire.read_job(body, server_time=NOON)

    assert (
        job.state,
        job.api_version,
        job.records,
        job.server_time,
    ) == (JobState.JOB_COMPLETE, "66.0", 12, NOON)
    assert datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC) == job.created
    assert body == job.resource


def test_a_job_in_an_unknown_state_counts_as_running() -> None:
    job = wire.read_job({"id": "750XX", "state": "Hibernating"})

    assert (job.state, job.created, job.api_version) == (JobState.IN_PROGRESS, None, "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(66.0, "66.0"), ("v66.0", "66.0"), ("66", "66.0"), ("x", ""), (None, ""), ("66.5", "")],
)
def test_versions_are_read_from_numbers_and_texts(value: object, expected: str) -> None:
    assert expected == wire.read_version(value)


def test_a_list_of_versions_ignores_what_is_none() -> None:
    assert wire.read_versions([{"version": "60.0"}, "?", {"version": None}, {"version": "66.0"}]) == (
        "60.0",
        "66.0",
    )
    assert wire.read_versions({"not": "a list"}) == ()


def test_a_deleted_answer_is_read() -> None:
    window = wire.read_deleted(
        {
            "deletedRecords": [{"id": "001", "deletedDate": "2026-05-01T12:00:00.000+0000"}],
            "earliestDateAvailable": "2026-04-01T00:00:00.000+0000",
            "latestDateCovered": "2026-05-01T12:00:00.000+0000",
        }
    )

    assert (DeletedRecord("001", NOON),) == window.records
    assert window.covered_until == NOON


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("api-usage=18/5000; per-app-api-usage=1/250(appName=x)", (18, 5000)),
        ("api-bursts=1/2", None),
        ("", None),
    ],
)
def test_api_usage_is_read_from_its_header(header: str, expected: tuple[int, int] | None) -> None:
    assert expected == wire.read_api_usage(header)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, rest("MALFORMED_QUERY"), RequestRejectedError),
        (404, rest("NOT_FOUND"), RequestRejectedError),
        (300, b'["/services/data/x"]', RequestRejectedError),
        (302, b"", RequestRejectedError),
        (403, rest("INSUFFICIENT_ACCESS_OR_READONLY"), AccessDeniedError),
        (400, rest("FEATURENOTENABLED"), AccessDeniedError),
        (403, rest("REQUEST_LIMIT_EXCEEDED"), LimitExceededError),
        (400, rest("LIMIT_EXCEEDED"), LimitExceededError),
        (400, rest("INVALID_BULK_API_LIMIT"), LimitExceededError),
        (400, rest("EXCEEDED_ID_LIMIT"), RequestRejectedError),
        (429, b"", UnavailableError),
        (420, b"", UnavailableError),
        (406, b"", UnavailableError),
        (500, rest("UNKNOWN_EXCEPTION"), UnavailableError),
        (503, b"<html><body>down</body></html>", UnavailableError),
    ],
)
def test_each_answer_becomes_its_kind_of_error(status: int, body: bytes, kind: type[ApiError]) -> None:
    error = translate_error(status, body, ErrorContext("GET limits/"))

    assert type(error) is kind
    assert isinstance(error, ApiError)
    assert status == error.status
    assert "GET limits/" in error.message


@pytest.mark.parametrize(
    ("status", "body"),
    [(401, rest("INVALID_SESSION_ID")), (403, b"Bad_OAuth_Token"), (403, rest("INVALID_SESSION_ID"))],
)
def test_a_dead_session_says_how_to_log_in(status: int, body: bytes) -> None:
    error = translate_error(status, body, ErrorContext())

    assert isinstance(error, SessionExpiredError)
    assert str(error) == "you are not logged in. Run 'lht login'."


def test_a_session_without_the_api_scope_is_no_dead_session() -> None:
    body = rest("INVALID_SESSION_ID", "This session is not valid for use with the REST API")

    error = translate_error(401, body, ErrorContext())

    assert not wire.is_dead_session(401, body)
    assert isinstance(error, AccessDeniedError)
    assert "scope 'api'" in error.hint


def test_unavailable_may_be_retried_and_rejected_may_not() -> None:
    assert Recovery.RETRY is translate_error(503, b"", ErrorContext()).recovery
    assert Recovery.ABORT is translate_error(400, b"", ErrorContext()).recovery


def test_the_daily_limit_says_smaller_batches_and_until_when() -> None:
    error = translate_error(
        403, rest("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), ErrorContext("x", NOON)
    )

    assert "smaller batches" in error.hint
    assert "2026-05-02 12:00 UTC" in error.hint


def test_the_daily_limit_without_a_clock_still_says_a_day() -> None:
    assert "within a day." in translate_error(403, rest("REQUEST_LIMIT_EXCEEDED"), ErrorContext()).hint


def test_bulk_batches_that_are_used_up_ask_for_larger_jobs_not_for_smaller_ones() -> None:
    error = translate_error(
        400, rest("EXCEEDED_QUOTA", "ApiBatchItems Limit exceeded."), ErrorContext("x", NOON)
    )

    assert "larger jobs" in error.hint
    assert "2026-05-02 12:00 UTC" in error.hint


def test_a_limit_with_retry_after_names_the_minute() -> None:
    error = translate_error(403, rest("REQUEST_LIMIT_EXCEEDED"), ErrorContext("x", NOON, 90.0))

    assert "until 2026-05-01 12:02 UTC" in error.hint


def test_too_many_at_once_and_full_storage_have_hints_of_their_own() -> None:
    concurrent = translate_error(
        403, rest("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."), ErrorContext()
    )
    storage = translate_error(400, rest("STORAGE_LIMIT_EXCEEDED"), ErrorContext())

    assert "at once" in concurrent.hint
    assert "storage is full" in storage.hint


def test_unavailable_with_retry_after_but_no_clock_names_the_seconds() -> None:
    assert "for 7 s" in translate_error(503, b"", ErrorContext("x", None, 7.0)).hint


@pytest.mark.parametrize(
    ("status", "words"), [(409, "version that made it"), (414, "too long"), (302, "instance URL")]
)
def test_some_statuses_have_hints(status: int, words: str) -> None:
    assert words in translate_error(status, b"[]", ErrorContext()).hint


def test_some_codes_have_hints_in_either_spelling() -> None:
    assert translate_error(400, rest("INVALID_ENTITY"), ErrorContext()).hint
    assert translate_error(400, rest("INVALIDENTITY"), ErrorContext()).hint
    assert "permission" in translate_error(403, rest("CANNOT"), ErrorContext()).hint


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'[{"message":"m","errorCode":"C","fields":["F"]}]', "C", "m"),
        (b'{"error":"invalid_grant","error_description":"d"}', "invalid_grant", "d"),
        (b'{"statusCode":"C","message":"m","fields":[]}', "C", "m"),
        (b"[]", "", "[]"),
        (b'["a"]', "", '["a"]'),
        (b"plain", "", "plain"),
        (b"", "", "HTTP 400 without a text"),
        (b"<!DOCTYPE html><p>", "", "HTTP 400 with a web page in place of an API answer"),
    ],
)
def test_errors_are_read_in_every_shape(body: bytes, code: str, message: str) -> None:
    error = wire.read_error(400, body)

    assert (code, message) == (error.code, error.message)


def test_a_very_long_message_is_cut() -> None:
    assert len(wire.read_error(400, b"x" * 5000).message) == 2001


def test_a_token_in_an_error_text_is_masked() -> None:
    body = rest("X", "bad session 00D000000000001!AQ.secret_token in access_token=abcdef")

    shown = str(translate_error(400, body, ErrorContext()))

    assert "AQ.secret_token" not in shown
    assert "abcdef" not in shown


def test_a_picklist_is_read_with_the_entries_that_are_active() -> None:
    entries = [
        {"value": "Hot", "active": True},
        {"value": "Old", "active": False},
        {"value": "Cold"},
        {"label": "x"},
    ]

    field = wire.read_field({"name": "F", "restrictedPicklist": True, "picklistValues": entries})

    assert (field.restricted_picklist, field.picklist_values) == (True, ("Hot", "Cold"))
    assert wire.read_field({"name": "F"}).picklist_values == ()
