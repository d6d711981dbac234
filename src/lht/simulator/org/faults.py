"""Failures on demand: each waits for the requests, or the jobs, that it is meant for."""

from __future__ import annotations

import fnmatch
import threading
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from lht.simulator.org.schemas.facts import check_kinds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

REQUEST_KINDS = frozenset({"status", "drop", "truncate_gzip", "expire_session", "delay"})
JOB_KINDS = frozenset({"job_fails", "job_hangs", "job_retries"})
STATUSES = range(400, 600)


@dataclass(slots=True)
class Fault:
    """One failure, for the next `times` requests whose method and path match (or the next query jobs).

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

    def for_job(self) -> Fault | None:
        """Takes the failure that this job shall meet, if any."""
        return self._take(lambda fault: fault.kind in JOB_KINDS)

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
    if not str(facts.get("retry_after") or "").isprintable() or not str(facts.get("retry_after")).isascii():
        raise ValueError("retry_after must be a number of seconds or a date as HTTP writes it")
