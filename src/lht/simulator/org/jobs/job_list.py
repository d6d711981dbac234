"""The lists of jobs: which of them the filters let through, a page at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from lht.simulator.errors import ApiFault
from lht.simulator.org.jobs.pages import locator_for, row_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FILTERS = {
    "jobType": ("V2Query", "V2Ingest", "Classic", "BigObjectIngest"),
    "concurrencyMode": ("Parallel", "Serial"),
    "isPkChunkingEnabled": ("false", "true"),
}
"""Filters with what they may say. All jobs here run in parallel, and none is chunked by the request's wish."""
USUAL = {"concurrencyMode": "parallel", "isPkChunkingEnabled": "false"}


def job_list(
    jobs: Sequence[dict[str, Any]], filters: Mapping[str, str], base_path: str, size: int
) -> dict[str, Any]:
    """Gives a page of the jobs that the filters let through; raises ApiFault 400 for a filter that has no sense."""
    wanted = _checked(filters)
    found = [job for job in jobs if all(_says(job, name) == value for name, value in wanted.items())]
    start = row_of(filters["queryLocator"]) if filters.get("queryLocator") else 0
    stop = start + size
    asked = {name: filters[name] for name in wanted} | {"queryLocator": locator_for(stop)}
    more = f"{base_path}?{urlencode(asked)}" if stop < len(found) else None
    return {"done": more is None, "records": found[start:stop], "nextRecordsUrl": more}


def _checked(filters: Mapping[str, str]) -> dict[str, str]:
    wanted = {name: filters[name].lower() for name in FILTERS if name in filters}
    for name, value in wanted.items():
        if value not in (known.lower() for known in FILTERS[name]):
            message = f"{name} must be one of {', '.join(FILTERS[name])}, not {filters[name]!r}"
            raise ApiFault(400, "INVALIDJOB", message)
    return wanted


def _says(job: Mapping[str, Any], name: str) -> str:
    return str(job["jobType"]).lower() if name == "jobType" else USUAL[name]
