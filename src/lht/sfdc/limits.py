"""The org's limits of a day, and whether they allow what a run is about to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from lht.errors import AccessDeniedError, LimitExceededError, RequestRejectedError
from lht.sfdc import rest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.sfdc.org import Org

CALLS = "DailyApiRequests"
BATCHES = "DailyBulkApiBatches"
_OLD_BATCHES = "DailyBulkApiRequests"  # the name before v49.0
QUERY_JOBS = "DailyBulkV2QueryJobs"
QUERY_STORAGE_MB = "DailyBulkV2QueryFileStorageMB"
CALLS_PER_JOB = 12
"""About what creating, filling or reading, and following one job takes."""
_RECENT = timedelta(minutes=10)
_WORDS = {
    CALLS: "API calls",
    BATCHES: "Bulk API batches",
    QUERY_JOBS: "Bulk API 2.0 query jobs",
    QUERY_STORAGE_MB: "MB of Bulk query results",
}


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit: how much of it is used, how much there is."""

    name: str
    used: int
    allowed: int

    def allows(self, need: int, percent: float) -> bool:
        """Whether `need` more stay within a share of the limit."""
        return self.used + need <= self.allowed * percent / 100


def read_limits(org: Org) -> dict[str, Limit]:
    """The limits as `/limits` tells them, with the calls of the newest answer: `/limits` lags by some minutes.

    A user without the permission View Setup and Configuration may not read it; the calls are known nevertheless.
    https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_limits.htm
    """
    return _with_newest_calls(org, _asked(org))


def recent_limits(org: Org) -> dict[str, Limit]:
    """The same, asked for once in ten minutes for all that is done in the org: a run may make very many jobs."""
    return _with_newest_calls(org, org.once("limits", lambda: _asked(org), life=_RECENT))


def _asked(org: Org) -> dict[str, Limit]:
    try:
        body = rest.limits(org)
    except (AccessDeniedError, RequestRejectedError):
        return {}
    found = {name: limit for name in body if (limit := _read(name, body[name]))}
    if BATCHES not in found and _OLD_BATCHES in found:
        old = found[_OLD_BATCHES]
        found[BATCHES] = Limit(BATCHES, old.used, old.allowed)
    return found


def _with_newest_calls(org: Org, asked: Mapping[str, Limit]) -> dict[str, Limit]:
    found = dict(asked)
    told = known_calls(org)
    if told:
        lagging = found.get(CALLS, told)
        found[CALLS] = told if told.used > lagging.used else lagging
    return found


def known_calls(org: Org) -> Limit | None:
    """The calls used, as the last answer told (`Sforce-Limit-Info`); to know it costs no call."""
    return Limit(CALLS, *org.api_usage) if org.api_usage else None


def check(org: Org, limits: Mapping[str, Limit], needs: Mapping[str, int], percent: float) -> None:
    """LimitExceededError for the first limit of which a run would use more than its share; what is not needed is free."""
    for name, need in needs.items():
        limit = limits.get(name)
        if need > 0 and limit and not limit.allows(need, percent):
            raise _exceeded(org, limit, need, percent)


def check_query_job(org: Org, percent: float) -> None:
    """Checks that there is room for one more Bulk query job; what it yields is not known before, but something."""
    needs = {CALLS: CALLS_PER_JOB, QUERY_JOBS: 1, QUERY_STORAGE_MB: 1}
    check(org, recent_limits(org), needs, percent)


def _read(name: str, entry: Any) -> Limit | None:
    if not isinstance(entry, dict):
        return None
    allowed, remaining = entry.get("Max"), entry.get("Remaining")
    if not isinstance(allowed, int) or not isinstance(remaining, int):
        return None
    return Limit(name, allowed - remaining, allowed)


def _exceeded(org: Org, limit: Limit, need: int, percent: float) -> LimitExceededError:
    words = _WORDS.get(limit.name, limit.name)
    reset = f" (by {org.server_time + timedelta(hours=24):%Y-%m-%d %H:%M} UTC)" if org.server_time else ""
    return LimitExceededError(
        f"{limit.name}: {limit.used:,} of {limit.allowed:,} {words} are used in these 24 hours, and this run needs about "
        f"{need:,} more. That is above the {percent:g} % that --api_budget leaves to it.",
        status=0,
        error_code="API_BUDGET",
        hint=_hint(limit, need, reset),
        limit=limit.name,
        used=limit.used,
        allowed=limit.allowed,
        needed=need,
    )


def _hint(limit: Limit, need: int, reset: str) -> str:
    wait = f"Wait: uses come free one by one, 24 hours after each of them, all within a day{reset}"
    share = -(-100 * (limit.used + need) // limit.allowed) if limit.allowed else 100
    raise_it = f", or give --api_budget {share}" if share <= 100 else ""  # noqa: PLR2004 - percent
    return f"{wait}{raise_it}. The same command goes on where this one stopped."
