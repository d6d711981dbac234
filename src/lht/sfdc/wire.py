"""Salesforce's JSON read into values, and its error answers into our errors. Pure."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from lht.errors import (
    AccessDeniedError,
    ApiError,
    LhtError,
    LimitExceededError,
    RequestRejectedError,
    SessionExpiredError,
    UnavailableError,
)
from lht.model.salesforce import (
    BulkJob,
    DeletedRecord,
    DeletedWindow,
    Field,
    JobState,
    ObjectSummary,
    SObject,
)
from lht.sfdc.redact import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_LOGGED_IN = "you are not logged in."
LOG_IN = "Run 'lht login'."

_LIMIT_CODES = frozenset(
    {"REQUESTLIMITEXCEEDED", "LIMITEXCEEDED", "INVALIDBULKAPILIMIT", "EXCEEDEDQUOTA", "STORAGELIMITEXCEEDED"}
)
_DENIED_CODES = frozenset(
    {"INSUFFICIENTACCESS", "APIDISABLEDFORORG", "APICURRENTLYDISABLED", "FEATURENOTENABLED"}
)
_HINTS = {
    "QUERYTIMEOUT": "Salesforce gave up after two minutes: ask for less, or use the Bulk API.",
    "INVALIDENTITY": "The Bulk API does not serve this object; LHT reads it over REST.",
    "INVALIDQUERYLOCATOR": "The query's pages are gone; run it again.",
    "INVALIDREPLICATIONDATE": "The window is older than what Salesforce remembers of deletions.",
    "INVALIDFIELD": "Check --where and --fields; 'lht describe OBJECT' lists the object's fields.",
    "INVALIDTYPE": "'lht objects' lists what this login may see.",
    "MALFORMEDQUERY": "Check the query, or --where, against SOQL's grammar: texts stand in single quotes.",
    "INVALIDJOBSTATE": "'lht bulk_status --job_id ID' tells where the job stands.",
    "APIDISABLEDFORORG": "The org's edition has no API access.",
    "APICURRENTLYDISABLED": "The user needs the permission 'API Enabled'.",
}
_STATUS_HINTS = {
    409: "The job was made with another API version; read it with the version that made it.",
    414: "The query is too long for a URL: select fewer fields, or use the Bulk API.",
    431: "The query is too long for a URL: select fewer fields, or use the Bulk API.",
}
_FAULT = re.compile(
    r"<faultcode>(?:\w+:)?(\w+)</faultcode>\s*<faultstring(?:\s[^>]*)?>(.*?)</faultstring>", re.DOTALL
)
"""What the SOAP API answers, with status 500, in place of results."""
_FAULT_STATUS = 500
_REFUSED = 400
_UNAUTHORIZED = 401
_FORBIDDEN = 403
_LONGEST_MESSAGE = 2000
_MILLISECOND_DIGITS = 12


@dataclass(frozen=True, slots=True)
class ErrorContext:
    """What is known besides status and body: what was asked, and when to come back."""

    request: str = "The request"
    server_time: datetime | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The first error of an answer, whatever its shape."""

    code: str
    message: str
    fields: tuple[str, ...] = ()


# --- errors ---------------------------------------------------------------------------------------------


def read_error(status: int, body: bytes) -> ErrorBody:
    """Reads an error in any of its shapes: REST's array, OAuth's object, a composite item, plain text."""
    text = body.decode("utf-8", errors="replace").strip()
    try:
        parsed = json.loads(text)
    except ValueError:
        return _read_plain(status, text)
    first = parsed[0] if isinstance(parsed, list) and parsed else parsed
    if not isinstance(first, dict):
        return ErrorBody("", _shown(text))
    code = first.get("errorCode") or first.get("statusCode") or first.get("error") or ""
    message = first.get("message") or first.get("error_description") or ""
    fields = first.get("fields") or ()
    return ErrorBody(str(code), _shown(str(message)), tuple(str(name) for name in fields))


def _read_plain(status: int, text: str) -> ErrorBody:
    if text.lower() == "bad_oauth_token":
        return ErrorBody("Bad_OAuth_Token", text)
    if "<html" in text.lower() or "<!doctype" in text.lower():
        return ErrorBody("", f"HTTP {status} with a web page in place of an API answer")
    if fault := _FAULT.search(text):
        code, message = fault.groups()
        return ErrorBody(code, _shown(html.unescape(message).removeprefix(f"{code}: ")))
    return ErrorBody("", _shown(text) or f"HTTP {status} without a text")


def _shown(text: str) -> str:
    text = redact(text.strip())
    return text if len(text) <= _LONGEST_MESSAGE else text[:_LONGEST_MESSAGE] + "…"


def normal_code(code: str) -> str:
    """An error code without underscores, in capitals: the APIs spell the same code differently."""
    return code.upper().replace("_", "")


def is_dead_session(status: int, body: bytes) -> bool:
    """Whether a new token would help: not every 401 is about the token's age."""
    if status == _UNAUTHORIZED:
        return "not valid for use with the REST API" not in body.decode("utf-8", errors="replace")
    if _is_fault(status, body):
        return read_error(status, body).code == "INVALID_SESSION_ID"
    return status == _FORBIDDEN and read_error(status, body).code == "Bad_OAuth_Token"


def _is_fault(status: int, body: bytes) -> bool:
    return status == _FAULT_STATUS and b"<faultcode>" in body


def translate_error(status: int, body: bytes, context: ErrorContext) -> LhtError:
    """The error that an answer stands for; its hint says what to do next."""
    error = read_error(status, body)
    code = normal_code(error.code)
    if is_dead_session(status, body) or (code == "INVALIDSESSIONID" and status != _UNAUTHORIZED):
        return SessionExpiredError(NOT_LOGGED_IN, hint=LOG_IN, reason=error.message)
    # A fault has status 500 whatever is wrong; only a code that says so is a failure of the server.
    kind = _kind(_REFUSED if _is_fault(status, body) and code != "SERVER" else status, code)
    message = f"{context.request} was refused: {_label(error)}"
    if kind is UnavailableError:
        message = (
            f"{context.request} failed, as Salesforce cannot answer now (HTTP {status}): {_label(error)}"
        )
    if 300 <= status < 400:  # noqa: PLR2004
        message = f"{context.request} was answered with a redirect (HTTP {status})."
    return kind(message, status=status, error_code=error.code, hint=_hint(kind, status, error, context))


def _kind(status: int, code: str) -> type[ApiError]:
    if code in _LIMIT_CODES:
        return LimitExceededError
    if status in {406, 420, 429} or status >= 500 or code == "SERVERUNAVAILABLE":  # noqa: PLR2004
        return UnavailableError
    if status in {_UNAUTHORIZED, _FORBIDDEN} or any(code.startswith(known) for known in _DENIED_CODES):
        return AccessDeniedError
    return RequestRejectedError


def _label(error: ErrorBody) -> str:
    return f"{error.code}: {error.message}" if error.code else error.message


def _hint(kind: type[ApiError], status: int, error: ErrorBody, context: ErrorContext) -> str:
    if kind is LimitExceededError:
        return _limit_hint(error, context)
    if kind is UnavailableError:
        return (
            f"Wait, then run it again: {_until(context)}." if context.retry_after_s else "Run it again later."
        )
    if "not valid for use with the REST API" in error.message:
        return "Give the app the OAuth scope 'api', then run 'lht login'."
    if 300 <= status < 400:  # noqa: PLR2004
        return "Check the instance URL; it is the org's own My Domain."
    known = _HINTS.get(normal_code(error.code)) or _STATUS_HINTS.get(status)
    return known or ("The user or app lacks a permission." if kind is AccessDeniedError else "")


def _limit_hint(error: ErrorBody, context: ErrorContext) -> str:
    if context.retry_after_s:
        return f"Use smaller batches (--batch_size), or wait: {_until(context)}."
    if "concurrent" in error.message.lower():
        return "Too many long requests run at once: use smaller batches (--batch_size), or wait a minute."
    if normal_code(error.code) == "STORAGELIMITEXCEEDED":
        return "The org's storage is full: delete records or buy storage."
    by = f" (by {_utc_minute(context.server_time + timedelta(hours=24))})" if context.server_time else ""
    if "batch" in error.message.lower():
        return (
            "A job takes one of the day's Bulk batches for every 10,000 rows or fewer: send fewer, larger jobs, or "
            f"wait: the limit counts the last 24 hours, all of them come free within a day{by}."
        )
    return (
        "Use smaller batches (--batch_size), or wait: the limit counts the last 24 hours, so calls come free one "
        f"by one, all of them within a day{by}."
    )


def _until(context: ErrorContext) -> str:
    wait_s = context.retry_after_s or 0.0
    if context.server_time is None:
        return f"for {wait_s:.0f} s"
    return f"until {_utc_minute(context.server_time + timedelta(seconds=wait_s + 59))}"


def _utc_minute(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


# --- times ----------------------------------------------------------------------------------------------


def parse_datetime(value: str | float) -> datetime:
    """Reads any of Salesforce's spellings (`Z`, `+0000`, `+00:00`, epoch milliseconds) as aware UTC.

    Text without a zone is UTC. What cannot be read is a ValueError.
    """
    if isinstance(value, int | float):
        return datetime.fromtimestamp(value / 1000, tz=UTC)
    if value.isascii() and value.isdigit() and len(value) >= _MILLISECOND_DIGITS:
        return datetime.fromtimestamp(int(value) / 1000, tz=UTC)
    parsed = datetime.fromisoformat(value)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


# --- describe -------------------------------------------------------------------------------------------


def _text(body: Mapping[str, Any], key: str) -> str:
    value = body.get(key)
    return "" if value is None else str(value)


def _optional(body: Mapping[str, Any], key: str) -> str | None:
    return None if body.get(key) is None else str(body[key])


def _number(body: Mapping[str, Any], key: str) -> int:
    value = body.get(key)
    return int(value) if isinstance(value, int | float) else 0


def _flag(body: Mapping[str, Any], key: str, *, default: bool) -> bool:
    """A boolean; servers that leave a key out mean its documented default."""
    value = body.get(key)
    return value if isinstance(value, bool) else default


def read_field(body: Mapping[str, Any]) -> Field:
    """One field of a describe; only `name` must be there."""
    return Field(
        name=str(body["name"]),
        type=(_text(body, "type") or "string").lower(),
        label=_text(body, "label"),
        help_text=_text(body, "inlineHelpText"),
        length=_number(body, "length"),
        precision=_number(body, "precision"),
        scale=_number(body, "scale"),
        digits=_number(body, "digits"),
        nillable=_flag(body, "nillable", default=True),
        calculated=_flag(body, "calculated", default=False),
        unique=_flag(body, "unique", default=False),
        external_id=_flag(body, "externalId", default=False),
        id_lookup=_flag(body, "idLookup", default=False),
        case_sensitive=_flag(body, "caseSensitive", default=False),
        createable=_flag(body, "createable", default=False),
        updateable=_flag(body, "updateable", default=False),
        defaulted_on_create=_flag(body, "defaultedOnCreate", default=False),
        filterable=_flag(body, "filterable", default=True),
        compound_field_name=_optional(body, "compoundFieldName"),
        relationship_name=_optional(body, "relationshipName"),
        reference_to=tuple(str(name) for name in body.get("referenceTo") or ()),
        restricted_picklist=_flag(body, "restrictedPicklist", default=False),
        picklist_values=tuple(
            str(entry["value"])
            for entry in body.get("picklistValues") or ()
            if entry.get("value") is not None and _flag(entry, "active", default=True)
        ),
    )


def read_sobject(body: Mapping[str, Any]) -> SObject:
    """A describe answer."""
    return SObject(
        name=str(body["name"]),
        label=_text(body, "label"),
        fields=tuple(read_field(field) for field in body.get("fields") or ()),
        key_prefix=_optional(body, "keyPrefix"),
        custom=_flag(body, "custom", default=False),
        queryable=_flag(body, "queryable", default=True),
        replicateable=_flag(body, "replicateable", default=True),
        createable=_flag(body, "createable", default=True),
        updateable=_flag(body, "updateable", default=True),
        deletable=_flag(body, "deletable", default=True),
    )


def read_object_summaries(body: Mapping[str, Any]) -> tuple[ObjectSummary, ...]:
    """A describeGlobal answer."""
    return tuple(
        ObjectSummary(
            name=str(entry["name"]),
            label=_text(entry, "label"),
            queryable=_flag(entry, "queryable", default=True),
            replicateable=_flag(entry, "replicateable", default=True),
            deprecated=_flag(entry, "deprecatedAndHidden", default=False),
            custom=_flag(entry, "custom", default=False),
        )
        for entry in body.get("sobjects") or ()
    )


# --- jobs -----------------------------------------------------------------------------------------------

_STATES = {state.value.lower(): state for state in JobState}


def read_job(body: Mapping[str, Any], *, server_time: datetime | None = None) -> BulkJob:
    """A job resource, query or ingest. A state that LHT does not know counts as running."""
    created = _optional(body, "createdDate")
    return BulkJob(
        id=str(body["id"]),
        state=_STATES.get(_text(body, "state").lower(), JobState.IN_PROGRESS),
        object=_text(body, "object"),
        operation=_text(body, "operation"),
        created=parse_datetime(created) if created else None,
        api_version=read_version(body.get("apiVersion")),
        records=_number(body, "numberRecordsProcessed"),
        records_failed=_number(body, "numberRecordsFailed"),
        error_message=_shown(_text(body, "errorMessage")),
        created_by=_text(body, "createdById"),
        resource=dict(body),
        server_time=server_time,
    )


def read_version(value: object) -> str:
    """An API version as `66.0`, from a number or text; empty if it is neither."""
    match = re.fullmatch(r"[vV]?(\d{1,3})(\.0)?", str(value))
    return f"{match[1]}.0" if match else ""


def read_versions(body: object) -> tuple[str, ...]:
    """The versions an org offers."""
    entries = body if isinstance(body, list) else []
    versions = (read_version(entry.get("version")) for entry in entries if isinstance(entry, dict))
    return tuple(version for version in versions if version)


# --- replication ----------------------------------------------------------------------------------------


def read_deleted(body: Mapping[str, Any]) -> DeletedWindow:
    """A getDeleted answer."""
    return DeletedWindow(
        records=tuple(
            DeletedRecord(str(entry["id"]), parse_datetime(entry["deletedDate"]))
            for entry in body.get("deletedRecords") or ()
        ),
        earliest_available=parse_datetime(body["earliestDateAvailable"]),
        covered_until=parse_datetime(body["latestDateCovered"]),
    )


def read_api_usage(header: str) -> tuple[int, int] | None:
    """Calls used and allowed, from `Sforce-Limit-Info`."""
    match = re.search(r"\bapi-usage=(\d+)/(\d+)", header)
    return (int(match[1]), int(match[2])) if match else None
