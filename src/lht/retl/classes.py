"""What Salesforce's words about a row, or about a whole job, mean: the class of an error, and whether to try again.

A row's error is `CODE:message:fields --`. The message may hold colons and line ends, so the code ends at the first
colon and the fields are looked for from the right. One pattern serves Python and SQL, so that both read alike.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lht.model.salesforce import JobState

if TYPE_CHECKING:
    from lht.model.salesforce import BulkJob

UNPARSED: Final = "UNPARSED"
"""A row failed, and its error does not begin with a code: the message is the whole text."""
UNPROCESSED: Final = "UNPROCESSED"
"""Salesforce says that it did not work on the row, and not why."""
UNKNOWN: Final = "UNKNOWN"
"""The row was sent, and stands in none of the job's results."""
UNMATCHED: Final = "UNMATCHED"
"""Some of the job's results belong to this row, and cannot be told from those of other rows."""
JOB_FAILED: Final = "JOB_FAILED"
JOB_ABORTED: Final = "JOB_ABORTED"

PATTERN: Final = r"(?s)^[ \t\r\n]*([A-Z][A-Z0-9_]*):(.*?)(?:: *([A-Za-z0-9_., ]*?) *--)?[ \t\r\n]*$"
"""Code, message, fields. Fields have no colon, so the tail can begin at the text's last colon only."""

_LOCK: Final = "UNABLE_TO_LOCK_ROW"
RETRYABLE: Final = (
    _LOCK,
    "QUERY_TIMEOUT",
    "REQUEST_RUNNING_TOO_LONG",
    "SERVER_UNAVAILABLE",
    UNPROCESSED,
    "ExceededQuota",
    "Timeout",
    "TooManyLockFailure",
)
"""What may go well another time without anybody mending anything; the last three are words for jobs.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_concepts_core_data_objects.htm and
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/bulk_api_2_0_errors.htm
"""
_JOB_WORD: Final = re.compile(r"\s*(?:null:)?\s*((?:[A-Z][a-z]+){2,}|[A-Z][a-z]+XML|Timeout|Unknown)\s*:\s*")


def parse_error(text: str | None) -> tuple[str, str, str]:
    """Takes a row's error apart: class, message, fields (a list with commas). What has no code is kept whole."""
    found = re.match(PATTERN, text or "")
    if found is None:
        return UNPARSED, text or "", ""
    code, message, fields = found.groups("")
    return code, message, fields


def parse_job_error(text: str) -> tuple[str, str]:
    """Takes a failed job's `errorMessage` apart: class, message. Its first word may come several times."""
    found, message = "", text
    while word := _JOB_WORD.match(message):
        if found and word[1] != found:
            break
        found, message = word[1], message[word.end() :]
    return found or JOB_FAILED, message or "Salesforce gave no reason."


def why_unprocessed(job: BulkJob | None) -> tuple[str, str]:
    """Class and message of rows that a job left unprocessed."""
    if job is not None and job.state is JobState.FAILED:
        return parse_job_error(job.error_message)
    if job is not None and job.state is JobState.ABORTED:
        return JOB_ABORTED, f"Job {job.id} was aborted before this row's turn."
    return UNPROCESSED, "Salesforce did not work on this row and gave no reason."


def is_retryable(error_class: str, message: str = "") -> bool:
    """Whether such a row may be sent again without a change: a lock may also have been met inside a trigger."""
    return error_class in RETRYABLE or _LOCK in message


# ---- the same in SQL


def parsed_sql(error: str) -> str:
    """A struct of `class`, `message` and `fields` for an expression that gives a row's error."""
    parts = f"regexp_extract({error}, {_quoted(PATTERN)}, ['class', 'message', 'fields'])"
    whole = f"{{'class': {_quoted(UNPARSED)}, 'message': coalesce({error}, ''), 'fields': ''}}"
    return f"CASE WHEN regexp_matches({error}, {_quoted(PATTERN)}) THEN {parts} ELSE {whole} END"


def retryable_sql(error_class: str, message: str) -> str:
    """The condition for what `is_retryable` says."""
    words = ", ".join(_quoted(word) for word in RETRYABLE)
    return f"({error_class} IN ({words}) OR coalesce(contains({message}, {_quoted(_LOCK)}), FALSE))"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
