"""The one tree of exceptions that LHT raises on purpose.

Each carries a stable `code`, a `recovery` that tells policies what to do, a `hint` that tells people what to
type next, and a `context` of plain values for logs. The tree knows nothing of terminals: `lht.cli` maps
classes to exit codes.
"""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar


class Recovery(StrEnum):
    """What a policy may do about an error."""

    RETRY = "retry"
    SKIP = "skip"
    ABORT = "abort"


class LhtError(Exception):
    """The root of every error that LHT raises on purpose.

    `message` is one or two sentences that name the object, table, field or option. `hint` is the next step.
    """

    code: ClassVar[str] = "LHT"
    default_recovery: ClassVar[Recovery] = Recovery.ABORT

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        recovery: Recovery | None = None,
        **context: str | float | None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.recovery = recovery or self.default_recovery
        self.context = context

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".rstrip()


class ConfigError(LhtError):
    """A file, key, value or name is wrong; found before anything was changed."""

    code = "CONFIG"


class UnknownConnectionError(ConfigError):
    """No connection of that name is configured."""

    code = "CONFIG-CONNECTION"


class UnknownObjectError(ConfigError):
    """The org has no such object, or the login may not see it."""

    code = "CONFIG-OBJECT"


class UnknownFieldError(ConfigError):
    """The object has no such field, or the login may not see it."""

    code = "CONFIG-FIELD"


class SecretUnavailableError(ConfigError):
    """A secret is named but cannot be read."""

    code = "CONFIG-SECRET"


class SalesforceError(LhtError):
    """Salesforce, or the way to it, refused or failed."""

    code = "SF"


class AuthError(SalesforceError):
    """No login is valid."""

    code = "SF-LOGIN"


class LoginRejectedError(AuthError):
    """A login was tried and refused."""

    code = "SF-LOGIN-REJECTED"


class SessionExpiredError(AuthError):
    """The session was renewed once and is still refused, or cannot be renewed."""

    code = "SF-SESSION"


class TransportError(SalesforceError):
    """No whole answer came."""

    code = "SF-TRANSPORT"
    default_recovery = Recovery.RETRY


class TimedOutError(TransportError):
    """The answer did not come in time."""

    code = "SF-TIMEOUT"


class UnreachableError(TransportError):
    """The host could not be reached, or it hung up."""

    code = "SF-UNREACHABLE"


class ApiError(SalesforceError):
    """Salesforce answered with an error body."""

    code = "SF-API"

    def __init__(
        self,
        message: str,
        *,
        status: int,
        error_code: str = "",
        hint: str = "",
        recovery: Recovery | None = None,
        **context: str | float | None,
    ) -> None:
        super().__init__(message, hint=hint, recovery=recovery, **context)
        self.status = status
        self.error_code = error_code


class RequestRejectedError(ApiError):
    """The request itself is wrong: a 4xx that a repetition would not mend."""

    code = "SF-REJECTED"


class AccessDeniedError(ApiError):
    """The login lacks a permission."""

    code = "SF-ACCESS"


class LimitExceededError(ApiError):
    """A limit of the org is used up."""

    code = "SF-LIMIT"


class UnavailableError(ApiError):
    """Salesforce cannot answer now; later it may."""

    code = "SF-UNAVAILABLE"
    default_recovery = Recovery.RETRY


class BulkJobError(SalesforceError):
    """A Bulk API 2.0 job did not end in JobComplete."""

    code = "SF-JOB"


class JobFailedError(BulkJobError):
    """The job ended in the state Failed."""

    code = "SF-JOB-FAILED"


class JobAbortedError(BulkJobError):
    """Somebody aborted the job."""

    code = "SF-JOB-ABORTED"


class JobTimedOutError(BulkJobError):
    """The job reached no final state before its deadline."""

    code = "SF-JOB-TIMEOUT"


class MappingError(LhtError):
    """A type, value or name does not fit; the target was not touched."""

    code = "MAPPING"


class ValueOutOfRangeError(MappingError):
    """A value does not fit its column."""

    code = "MAPPING-VALUE"


class NameCollisionError(MappingError):
    """Two fields would become the same column."""

    code = "MAPPING-NAME"


class WarehouseError(LhtError):
    """The warehouse refused or failed."""

    code = "WH"


class WarehouseUnreachableError(WarehouseError):
    """The warehouse could not be opened."""

    code = "WH-UNREACHABLE"


class StatementError(WarehouseError):
    """The warehouse refused a statement."""

    code = "WH-STATEMENT"


class MissingTableError(StatementError):
    """A statement names a table or schema that is not there, or that the role may not see."""

    code = "WH-MISSING"


class PrivilegeError(WarehouseError):
    """The warehouse role lacks a privilege."""

    code = "WH-PRIVILEGE"


class CapabilityMissingError(WarehouseError):
    """This warehouse cannot do what was asked."""

    code = "WH-CAPABILITY"


class SyncError(LhtError):
    """A sync did not add up; the target's rows are as they were."""

    code = "SYNC"


class SchemaDriftError(SyncError):
    """A field's type and its column's type cannot be reconciled."""

    code = "SYNC-DRIFT"


class WatermarkError(SyncError):
    """The stored position does not belong to this org, table or question."""

    code = "SYNC-WATERMARK"


class IncompleteExtractError(SyncError):
    """Counts of one extract differ, even after a second download."""

    code = "SYNC-INCOMPLETE"


class VisibilityLostError(SyncError):
    """So many rows are missing that lost visibility is likelier than deletion."""

    code = "SYNC-VISIBILITY"


class RetlError(LhtError):
    """A reverse ETL run did not do all that it was asked to do."""

    code = "RETL"


class PlanRefusedError(RetlError):
    """A plan is wrong; nothing was sent. `mistakes` (`lht.model.retl.Mistake`) are all that was found."""

    code = "RETL-PLAN"

    def __init__(self, message: str, *, hint: str = "", mistakes: tuple[object, ...] = ()) -> None:
        super().__init__(message, hint=hint)
        self.mistakes = mistakes


class RowsFailedError(RetlError):
    """Some rows failed; every row's outcome is recorded. `result` is an `lht.model.retl.RetlResult`."""

    code = "RETL-ROWS"

    def __init__(self, message: str, *, hint: str = "", result: object = None) -> None:
        super().__init__(message, hint=hint)
        self.result = result


class StateError(LhtError):
    """LHT's own tables refuse the run."""

    code = "STATE"


class RunLockedError(StateError):
    """Another run holds the table, or another process the file."""

    code = "STATE-LOCKED"
    default_recovery = Recovery.RETRY


class StateVersionError(StateError):
    """LHT's tables were written by a newer LHT."""

    code = "STATE-VERSION"
