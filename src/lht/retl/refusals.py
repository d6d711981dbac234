"""What Salesforce's refusals of a whole job mean for a run, in words that tell what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.errors import LhtError, Recovery, RequestRejectedError
from lht.sfdc.wire import normal_code

if TYPE_CHECKING:
    from lht.errors import ApiError, TransportError
    from lht.model.retl import Part

_TOO_LARGE = 413
_BAD_REQUEST = 400
_SIZE_WORDS = ("too large", "exceed", "maximum")


def is_too_large(error: LhtError) -> bool:
    """Whether an upload was refused for its size; which status that has is documented nowhere."""
    if not isinstance(error, RequestRejectedError):
        return False
    text = error.message.lower()
    return error.status == _TOO_LARGE or (
        error.status == _BAD_REQUEST and any(word in text for word in _SIZE_WORDS)
    )


def is_passing(error: LhtError) -> bool:
    """Whether another job may do better: the way failed, or somebody has used or ended this one."""
    if error.recovery is Recovery.RETRY:
        return True
    if not isinstance(error, RequestRejectedError):
        return False
    return "multiple contents" in error.message.lower() or normal_code(error.error_code) == "INVALIDJOBSTATE"


def explained(error: ApiError | TransportError, part: Part) -> LhtError:
    """The error of a job that could not be made or filled, with the way out where it is known."""
    if not is_too_large(error):
        return error
    fewer = max(1, part.rows // 2)
    return RequestRejectedError(
        f"Salesforce refused part {part.number} of run {part.run_id} as too large: {part.rows:,} rows, "
        f"{part.bytes / 1e6:.1f} MB. None of its rows was written. ({error.message})",
        status=getattr(error, "status", _TOO_LARGE),
        hint=f"Run it again with --new_run --batch_size {fewer}.",
    )
