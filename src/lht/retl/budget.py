"""What a run costs, and whether the org's daily limits leave room for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.model.retl import Operation
from lht.retl.images import image_cost
from lht.sfdc import collections, limits

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.retl import Part
    from lht.retl.run import RetlRun

FEW_ROWS = 2_000
"""Below so many rows Salesforce itself advises calls:
https://developer.salesforce.com/docs/atlas.en-us.api_asynch.meta/api_asynch/how_requests_are_processed.htm"""
ROWS_PER_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class Cost:
    """What parts take of the org's limits, about: reading what they overwrite is counted, too."""

    jobs: int
    calls: int
    batches: int
    query_jobs: int


def cost_of(run: RetlRun, parts: Sequence[Part]) -> Cost:
    """Counts what sending all parts of a run takes."""
    rows = sum(part.rows for part in parts)
    images = [image_cost(run, part) for part in parts]
    small = [part for part in parts if goes_by_calls(part, rows)]
    jobs = [part for part in parts if part not in small]
    calls = sum(-(-part.rows // collections.MOST_WRITTEN) for part in small)
    return Cost(
        jobs=len(jobs),
        calls=calls + limits.CALLS_PER_JOB * len(jobs) + sum(calls for calls, _ in images),
        batches=sum(map(batches_of, jobs)),
        query_jobs=sum(jobs for _, jobs in images),
    )


def batches_of(part: Part) -> int:
    """How many batches Salesforce counts for a part's job."""
    return -(-part.rows // ROWS_PER_BATCH)


def goes_by_calls(part: Part, rows_of_run: int) -> bool:
    """Whether a part is sent by calls instead of a job: few rows, and a lost answer may be asked for again."""
    if part.operation is Operation.UNDELETE:
        return True
    return part.operation is not Operation.INSERT and not part.job_id and rows_of_run < FEW_ROWS


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
