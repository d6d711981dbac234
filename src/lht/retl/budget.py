"""Whether the org's daily limits leave room for a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.sfdc import limits

if TYPE_CHECKING:
    from lht.retl.run import RetlRun


def check_budget(
    run: RetlRun, *, calls: int, batches: int, query_jobs: int = 0, query_storage_mb: int = 0
) -> None:
    """LimitExceededError where the run would take more than `--api_budget` percent of a limit, others' use included.

    Asks the org once, which costs a call. The error names the limit, what is used of it, what is needed, and when it
    comes free; a run that it stops can be gone on with.
    """
    needs = {
        limits.CALLS: calls,
        limits.BATCHES: batches,
        limits.QUERY_JOBS: query_jobs,
        limits.QUERY_STORAGE_MB: query_storage_mb,
    }
    known = limits.read_limits(run.org)
    limits.check(run.org, known, needs, run.request.options.api_budget)
