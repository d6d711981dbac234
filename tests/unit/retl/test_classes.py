from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lht.retl import classes
from lht.retl.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterator

ERRORS = {
    "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --": (
        "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", "Name",
    ),
    "INVALID_CROSS_REFERENCE_KEY:invalid cross reference id:--": (
        "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", "",
    ),
    "MALFORMED_ID:Account ID: id value of incorrect type: 003xx:Id --": (
        "MALFORMED_ID", "Account ID: id value of incorrect type: 003xx", "Id",
    ),
    'FIELD_CUSTOM_VALIDATION_EXCEPTION:Say:\n"why":\nplease:A__c, B__c --\n': (
        "FIELD_CUSTOM_VALIDATION_EXCEPTION", 'Say:\n"why":\nplease', "A__c, B__c",
    ),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY:T: execution of AfterInsert\n\ncaused by: x -- y: (T):--": (
        "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "T: execution of AfterInsert\n\ncaused by: x -- y: (T)", "",
    ),
    "NEW_CODE_OF_2031:no tail, see a:b": ("NEW_CODE_OF_2031", "no tail, see a:b", ""),
    "X::--": ("X", "", ""),
    "X:": ("X", "", ""),
    "something else: went wrong:--": (classes.UNPARSED, "something else: went wrong:--", ""),
    "": (classes.UNPARSED, "", ""),
}  # fmt: skip


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    with Work(tmp_path_factory.mktemp("work")) as opened:
        yield opened


def in_sql(work: Work, text: str | None) -> tuple[str, str, str]:
    found = work.value(f"SELECT {classes.parsed_sql('error')} FROM (SELECT ?::VARCHAR AS error)", [text])
    return found["class"], found["message"], found["fields"]


@pytest.mark.parametrize("text", ERRORS)
def test_an_error_is_taken_apart_from_both_ends(work: Work, text: str) -> None:
    assert classes.parse_error(text) == in_sql(work, text) == ERRORS[text]


def test_no_error_at_all_is_kept_as_such(work: Work) -> None:
    assert classes.parse_error(None) == in_sql(work, None) == (classes.UNPARSED, "", "")


@given(
    st.lists(
        st.sampled_from(["CODE", "A_1", ":", ":--", " --", "\n", "\r", " ", '"', "é", "--", ",", "x", "."])
    )
)
def test_sql_reads_every_error_as_python_does(work: Work, pieces: list[str]) -> None:
    text = "".join(pieces)

    assert in_sql(work, text) == classes.parse_error(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("InvalidBatch : Field name not found : Foo__c", ("InvalidBatch", "Field name not found : Foo__c")),
        (
            "null:InvalidBatch : InvalidBatch : Field name not found : Name. Batch will not be retried.",
            ("InvalidBatch", "Field name not found : Name. Batch will not be retried."),
        ),
        (
            "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF",
            ("ClientInputError", "LineEnding is invalid on user data. Current LineEnding setting is LF"),
        ),
        ("TooManyLockFailure : Too many lock failure", ("TooManyLockFailure", "Too many lock failure")),
        ("Internal error", (classes.JOB_FAILED, "Internal error")),
        ("", (classes.JOB_FAILED, "Salesforce gave no reason.")),
    ],
)
def test_a_failed_job_says_its_class_first(text: str, expected: tuple[str, str]) -> None:
    assert classes.parse_job_error(text) == expected


@pytest.mark.parametrize(
    ("error_class", "message", "expected"),
    [
        ("UNABLE_TO_LOCK_ROW", "", True),
        ("TooManyLockFailure", "", True),
        (classes.UNPROCESSED, "", True),
        ("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "first error: UNABLE_TO_LOCK_ROW, unable to obtain", True),
        ("REQUIRED_FIELD_MISSING", "", False),
        ("InvalidBatch", "", False),
        (classes.UNKNOWN, "", False),
        (classes.UNMATCHED, "", False),
        (classes.JOB_ABORTED, "", False),
    ],
)
def test_only_what_nobody_must_mend_is_sent_again(
    work: Work, error_class: str, message: str, *, expected: bool
) -> None:
    condition = classes.retryable_sql("class", "message")
    sql = f"SELECT {condition} FROM (SELECT ?::VARCHAR AS class, ?::VARCHAR AS message)"

    assert classes.is_retryable(error_class, message) is expected
    assert work.value(sql, [error_class, message or None]) is expected
