"""Failures on demand: each waits for the requests, or the jobs, that it is meant for."""

from __future__ import annotations

import fnmatch
import re
import threading
from dataclasses import dataclass, fields
from datetime import UTC
from email.utils import format_datetime, parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from lht.simulator.org.schemas.facts import check_kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REQUEST_KINDS = frozenset({"status", "drop", "truncate_gzip", "expire_session", "delay"})
JOB_KINDS = frozenset({"job_fails", "job_hangs", "job_retries"})
COMMON, FACTS_OF_REQUESTS = ("kind", "times", "skip"), {"method", "path"}
FACTS = {
    "status": ("status", "retry_after", "code", "message"), "drop": ("after_bytes", "before"),
    "truncate_gzip": ("cut_bytes",), "expire_session": (), "delay": ("delay_s",),
    "job_fails": ("jobs", "error_message", "retries", "after_rows"), "job_retries": ("jobs", "retries"),
    "job_hangs": ("jobs", "after_rows"),
}  # fmt: skip
"""What can be said of each kind alone."""
_METHOD = re.compile(r"[A-Za-z]+|\*")
STATUSES = range(400, 600)


@dataclass(slots=True)
class Fault:
    """One failure, for the next `times` requests whose method and path match (or the next Bulk jobs).

    `path` is a shell pattern over the path without its query string. `skip` lets that many matching requests
    pass first.
    """

    kind: str
    id: int = 0
    times: int = 1
    skip: int = 0
    method: str = "*"
    path: str = "*"
    status: int = 503
    code: str | None = None
    message: str | None = None
    retry_after: str | int | None = None
    after_bytes: int | None = None
    """drop: how much of the body still goes out; None hangs up before any answer."""
    before: bool = False
    """drop: hang up without carrying out the request."""
    cut_bytes: int = 16
    """truncate_gzip: how much is missing at the end of the body."""
    delay_s: float = 0.0
    error_message: str | None = None
    """job_fails: the job's errorMessage; None leaves that key out."""
    jobs: str = "*"
    """job_…: which jobs are meant, query or ingest; * for whichever comes first."""
    after_rows: int = 0
    """job_fails, job_hangs: how many records an ingest job tries before."""
    retries: int = 0
    """job_retries, job_fails: how often the job says that its query was tried again; more than 15 make it fail."""

    def matches(self, method: str, path: str) -> bool:
        return self.method.upper() in ("*", method.upper()) and fnmatch.fnmatchcase(path, self.path)

    def values(self) -> dict[str, Any]:
        """Gives every fact by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


class Faults:
    """The failures that still wait, oldest first."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._last = 0
        self._lock = threading.Lock()

    def add(self, facts: Mapping[str, Any]) -> Fault:
        """Adds a failure; raises ValueError if its kind or a fact is unknown."""
        _check(facts)
        with self._lock:
            self._last += 1
            fault = Fault(**{**facts, "id": self._last})
            self._waiting.append(fault)
        return fault

    def for_request(self, method: str, path: str) -> Fault | None:
        """Takes the failure that this request shall meet, if any."""
        return self._take(lambda fault: fault.kind in REQUEST_KINDS and fault.matches(method, path))

    def for_job(self, kind: str) -> Fault | None:
        """Takes the failure that this job, a query or an ingest one, shall meet, if any."""
        return self._take(lambda fault: fault.kind in JOB_KINDS and fault.jobs in ("*", kind))

    def waiting(self) -> list[dict[str, Any]]:
        """Gives what still waits, oldest first."""
        with self._lock:
            return [fault.values() for fault in self._waiting]

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._waiting.clear()

    def _take(self, wanted: Callable[[Fault], bool]) -> Fault | None:
        with self._lock:
            for fault in filter(wanted, list(self._waiting)):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.times -= 1
                if fault.times <= 0:
                    self._waiting.remove(fault)
                return fault
        return None


def _check(facts: Mapping[str, Any]) -> None:
    if "id" in facts:
        raise ValueError("the org numbers failures itself")
    check_kinds(Fault, facts)
    if facts.get("kind") not in REQUEST_KINDS | JOB_KINDS:
        raise ValueError(f"kind must be one of {', '.join(sorted(REQUEST_KINDS | JOB_KINDS))}")
    if facts.get("times", 1) < 1:
        raise ValueError("times must be at least 1")
    if facts.get("status", 503) not in STATUSES:
        raise ValueError(f"status must be from {STATUSES.start} to {STATUSES.stop - 1}")
    if facts.get("jobs", "*") not in ("*", "query", "ingest"):
        raise ValueError("jobs must be query, ingest or *")
    _check_belongs(facts)
    if not _METHOD.fullmatch(facts.get("method", "*")) or not facts.get("path", "*"):
        raise ValueError("method must be the name of one or *, and path a pattern that is not empty")
    if not _is_retry_after(facts.get("retry_after")):
        raise ValueError("retry_after must be a number of seconds or a date as HTTP writes it")


def _check_belongs(facts: Mapping[str, Any]) -> None:
    """A fact of another kind of failure would do nothing, so it was meant otherwise."""
    kind = facts["kind"]
    allowed = {*COMMON, *FACTS[kind]} | (FACTS_OF_REQUESTS if kind in REQUEST_KINDS else set())
    if unknown := sorted(set(facts) - allowed):
        raise ValueError(f"{unknown[0]} means nothing for {kind}; allowed: {', '.join(sorted(allowed))}")


def _is_retry_after(value: str | int | None) -> bool:
    if value is None or isinstance(value, int):
        return True
    return value.isascii() and (value.isdigit() or _is_http_date(value))


def _is_http_date(text: str) -> bool:
    try:
        return format_datetime(parsedate_to_datetime(text).replace(tzinfo=UTC), usegmt=True) == text
    except ValueError:
        return False
