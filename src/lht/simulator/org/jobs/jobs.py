"""Bulk API 2.0 query jobs: created at once, executed in the background, read page by page.

A query that the Bulk API refuses is refused when the job is created; afterwards a job only moves forward:
UploadComplete, InProgress, then JobComplete, Failed or Aborted.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from lht.simulator.errors import ApiFault, not_found
from lht.simulator.org.ids import to_long
from lht.simulator.org.jobs import job_bodies
from lht.simulator.org.jobs.job_bodies import FINAL, Order
from lht.simulator.org.jobs.pages import PageBounds, ResultPage, locator_for, page_list, page_start
from lht.simulator.org.limits.limits import BULK_QUERY_STORAGE_MB
from lht.simulator.soql.parse import parse
from lht.simulator.store.csv_form import header
from lht.simulator.store.results import QueryFailed, ResultFile, ResultStore, Select, Stopped

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.faults import Fault, Faults
    from lht.simulator.org.jobs.job_ids import JobIds
    from lht.simulator.org.limits.limits import Limits
    from lht.simulator.org.reads.query import QueryRunner
    from lht.simulator.org.settings import Settings
    from lht.simulator.soql.compiled import Compiled
    from lht.simulator.store.database import Database

MEGABYTE = 1 << 20
MOST_RETRIES = 15
SORTED_COLUMNS_BEFORE = 50
"""Up to version 49.0 columns came in the order of the alphabet."""
PARALLEL_SINCE = 58
MOST_DAYS = 100_000
"""Longer ago than that there was no clock to count from."""


class Host(Protocol):
    """What jobs need of the org they run in; each is looked up anew, as a reset may replace it."""

    @property
    def db(self) -> Database: ...
    @property
    def queries(self) -> QueryRunner: ...
    @property
    def clock(self) -> Clock: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def limits(self) -> Limits: ...
    @property
    def faults(self) -> Faults: ...
    @property
    def job_ids(self) -> JobIds: ...
    @property
    def user_id(self) -> str: ...


@dataclass(slots=True)
class Job:
    """One query job; `lock` of the board guards every change."""

    id: str
    order: Order
    compiled: Compiled
    api_version: float
    created_by: str
    created_at: datetime
    modified_at: datetime
    bounds: PageBounds
    fault: Fault | None
    chunkable: bool = False
    state: str = "UploadComplete"
    ended_at: datetime | None = None
    rows: int = 0
    processing_ms: int = 0
    error_message: str | None = None
    result: ResultFile | None = None
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def columns(self) -> list[tuple[str, str]]:
        """The output columns as (name in the compiled SQL, describe's type), in the order of the file."""
        return [(f"c{place}", self.compiled.columns[place].type) for place in self._places()]

    @property
    def retries(self) -> int:
        """How often its query was tried again, which only happens when it is told to."""
        return self.fault.retries if self.fault is not None and self.state != "UploadComplete" else 0

    @property
    def headers(self) -> list[str]:
        return [".".join(self.compiled.columns[place].path) for place in self._places()]

    def _places(self) -> list[int]:
        places = list(range(len(self.compiled.columns)))
        if self.api_version < SORTED_COLUMNS_BEFORE:
            places.sort(key=lambda place: ".".join(self.compiled.columns[place].path).lower())
        return places


class JobBoard:
    """All query jobs of one org. Their results lie in a directory that goes with the board."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._jobs: dict[str, Job] = {}
        self._threads: set[threading.Thread] = set()
        self._uncounted = 0
        self._lock = threading.RLock()
        self._results = ResultStore()

    def create(self, body: Mapping[str, Any], api_version: float) -> dict[str, Any]:
        """Accepts a job and starts it; raises ApiFault for what the Bulk API refuses."""
        order = Order.read(body)
        query = parse(order.query)
        now = self._host.clock.now()
        compiled = self._host.queries.compiled(
            query, include_deleted=order.operation == "queryAll", bulk=True, version=api_version
        )
        with self._lock:
            self._host.limits.take_query_job()
            job = self._new(order, compiled, api_version, now)
            job.chunkable = job_bodies.is_chunkable(query, compiled.object)
            body = job_bodies.created(job)
        self._start(job)
        return body

    def get(self, job_id: str) -> dict[str, Any]:
        """Gives a job's status with its counters."""
        with self._lock:
            return job_bodies.status(self._need(job_id))

    def entries(self) -> list[dict[str, Any]]:
        """Gives every job as the list has it, oldest first."""
        with self._lock:
            self._forget_old()
            return [job_bodies.listed(job) for job in self._jobs.values()]

    def has(self, job_id: str) -> bool:
        """Tells whether there is such a job."""
        with self._lock:
            self._forget_old()
            return to_long(job_id) in self._jobs

    def headers(self, job_id: str) -> bytes:
        """Gives the names of a job's columns, as the first line of a result without rows."""
        with self._lock:
            job = self._need(job_id)
            return header(job.headers, job.order.form)

    def abort(self, job_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Stops a job that still runs."""
        if body.get("state") != "Aborted":
            raise ApiFault(400, "INVALIDJOBSTATE", "A query job can only be set to the state Aborted")
        with self._lock:
            job = self._need(job_id)
            if job.state in FINAL:
                state = "Completed" if job.state == "JobComplete" else job.state
                raise ApiFault(400, "INVALIDJOBSTATE", f"Aborting already {state} Job not allowed")
            self._move(job, "Aborted")
            job.stop.set()
            return job_bodies.reduced(job)

    def delete(self, job_id: str) -> None:
        """Removes a job that has ended, with its results."""
        with self._lock:
            job = self._need(job_id)
            if job.state not in FINAL:
                message = "Error encountered when deleting the job because the job is not terminated"
                raise ApiFault(400, "API_ERROR", message)
            self._remove(job)

    def results(
        self, job_id: str, api_version: float, locator: str | None, max_records: int | None
    ) -> ResultPage:
        """Gives one page; the same locator and size give the same bytes for as long as the job lives."""
        job, result = self._finished(job_id, api_version)
        page = job.bounds.page(result, page_start(locator, result), max_records)
        following = locator_for(page.stop) if page.stop < result.rows else None
        return ResultPage(header(job.headers, job.order.form), result, page, following)

    def result_pages(
        self, job_id: str, api_version: float, locator: str | None, base_path: str
    ) -> dict[str, Any]:
        """Gives the addresses of up to five pages, that may be read in any order and at once."""
        if api_version < PARALLEL_SINCE:
            raise not_found()
        job, result = self._finished(job_id, api_version)
        start, number = page_start(locator, result), self._host.settings.parallel_pages
        return page_list(f"{base_path}/{job.id}", result, start, job.bounds, number)

    def reset(self) -> None:
        """Forgets every job."""
        with self._lock:
            jobs = list(self._jobs.values())
            for job in jobs:
                job.stop.set()
                self._remove(job)
            self._uncounted = 0
        self._wait()

    def close(self) -> None:
        """Stops what runs and removes the results."""
        self.reset()
        self._results.close()

    def _new(self, order: Order, compiled: Compiled, api_version: float, now: datetime) -> Job:
        settings, fault = self._host.settings, self._host.faults.for_job("query")
        bounds = PageBounds(settings.page_size, settings.page_bytes, settings.most_page_rows)
        job_id = self._host.job_ids.following()
        job = Job(job_id, order, compiled, api_version, self._host.user_id, now, now, bounds, fault)
        self._jobs[job_id] = job
        return job

    def _start(self, job: Job) -> None:
        thread = threading.Thread(target=self._execute, args=(job,), name=f"job {job.id}", daemon=True)
        with self._lock:
            self._threads = {other for other in self._threads if other.is_alive()} | {thread}
            thread.start()

    def _execute(self, job: Job) -> None:
        """Runs in a thread of the job's own; whatever happens, the job ends."""
        half_s = self._host.settings.job_delay_s / 2
        began = time.monotonic()
        try:
            if job.stop.wait(half_s) or not self._advance(job, "InProgress"):
                return
            self._work(job)
            if not job.stop.wait(half_s):
                self._advance(job, "JobComplete")
        except (QueryFailed, JobFault) as failure:
            job.error_message = str(failure) or None
        except Stopped:
            return
        finally:
            job.processing_ms = round((time.monotonic() - began) * 1000)
            self._advance(job, "Failed")

    def _work(self, job: Job) -> None:
        if job.fault is not None and job.fault.kind == "job_hangs":
            job.stop.wait()
            raise Stopped
        if job.fault is not None and job.fault.kind == "job_fails":
            raise JobFault(job.fault.error_message or "")
        if job.retries > MOST_RETRIES:
            raise JobFault(f"Query retried more than {MOST_RETRIES} times")
        select = Select(job.compiled.sql, job.compiled.params, job.columns)
        form = job.order.form
        result = self._results.write(job.id, self._host.db, select, form, lambda rows: _count(job, rows))
        self._keep(job, result)

    def _keep(self, job: Job, result: ResultFile) -> None:
        """Hands the file to the job, unless the job was aborted or removed meanwhile."""
        with self._lock:
            if job.stop.is_set():
                result.delete()
                raise Stopped
            job.result, job.rows = result, result.rows
            self._count_stored(result.span(0, result.rows)[1])

    def _advance(self, job: Job, state: str) -> bool:
        with self._lock:
            if job.state in FINAL:
                return False
            self._move(job, state)
            return True

    def _move(self, job: Job, state: str) -> None:
        job.state, job.modified_at = state, self._host.clock.now()
        if state in FINAL:
            job.ended_at = job.modified_at

    def _need(self, job_id: str) -> Job:
        self._forget_old()
        job = self._jobs.get(to_long(job_id) or "")
        if job is None:
            raise not_found()
        return job

    def _finished(self, job_id: str, api_version: float) -> tuple[Job, ResultFile]:
        with self._lock:
            job = self._need(job_id)
        if job.api_version != api_version:
            message = f"Results must be read with the API version of the job, {job.api_version}"
            raise ApiFault(409, "INVALIDVERSION", message)
        if job.state != "JobComplete" or job.result is None:
            message = f"can only download query results of successfully completed bulk job: {job.id}"
            raise ApiFault(400, "JOB_NOT_COMPLETE", message)
        return job, job.result

    def _forget_old(self) -> None:
        """Removes what ended seven days ago, by the org's clock."""
        life = timedelta(days=min(self._host.settings.job_life_days, MOST_DAYS))
        limit = self._host.clock.now() - life
        for job in [job for job in self._jobs.values() if job.ended_at is not None and job.ended_at < limit]:
            self._remove(job)

    def _remove(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        if job.result is not None:
            job.result.delete()

    def _count_stored(self, size: int) -> None:
        """Counts whole megabytes; what is left over waits for the next result."""
        whole, self._uncounted = divmod(self._uncounted + size, MEGABYTE)
        self._host.limits.count(BULK_QUERY_STORAGE_MB, whole)

    def _wait(self) -> None:
        for thread in list(self._threads):
            thread.join()


class JobFault(Exception):  # noqa: N818 - a failure that was ordered
    """A job was told to fail."""


def _count(job: Job, rows: int) -> None:
    if job.stop.is_set():
        raise Stopped
    job.rows = rows
