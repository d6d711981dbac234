"""Bulk API 2.0 ingest jobs: created, given one upload, closed, and then carried out in the background.

Open, UploadComplete, InProgress, then JobComplete, Failed or Aborted: a job only moves forward.
"""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Protocol

from lht.simulator.errors import ApiFault, not_found
from lht.simulator.org.ids import to_long
from lht.simulator.org.jobs import ingest_bodies
from lht.simulator.org.jobs.ingest_csv import JobFailed
from lht.simulator.org.jobs.ingest_job import IngestJob
from lht.simulator.org.jobs.ingest_lines import header_line
from lht.simulator.org.jobs.ingest_order import IngestOrder
from lht.simulator.org.jobs.ingest_run import Run
from lht.simulator.org.jobs.job_bodies import FINAL
from lht.simulator.org.jobs.jobs import MOST_DAYS
from lht.simulator.org.jobs.pages import PageReader
from lht.simulator.store.results import Stopped
from lht.simulator.store.uploads import KINDS, UploadStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.faults import Faults
    from lht.simulator.org.jobs.job_ids import JobIds
    from lht.simulator.org.limits.limits import Limits
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.settings import Settings
    from lht.simulator.org.writes.records import RecordKeeper

OPEN_LIFE = timedelta(hours=24)
DELETABLE = FINAL | {"UploadComplete"}
SAID = {"JobComplete": "Completed", "UploadComplete": "closed", "InProgress": "closed"}


class Host(Protocol):
    """What ingest jobs need of the org they run in."""

    @property
    def records(self) -> RecordKeeper: ...
    @property
    def catalog(self) -> Catalog: ...
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


class IngestBoard:
    """All ingest jobs of one org. Their files lie in a directory that goes with the board."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._jobs: dict[str, IngestJob] = {}
        self._threads: set[threading.Thread] = set()
        self._lock = threading.RLock()
        self._store = UploadStore()

    # Requests ---------------------------------------------------------------------------------------------------

    def create(self, body: Mapping[str, Any], api_version: float) -> dict[str, Any]:
        """Accepts a job, which then waits for its data; raises ApiFault 400 for what the Bulk API refuses."""
        with self._lock:
            return ingest_bodies.created(self._new(body, api_version))

    def create_whole(self, body: Mapping[str, Any], api_version: float, content: bytes) -> dict[str, Any]:
        """Accepts a job with all of its data, and starts it."""
        with self._lock:
            job = self._new(body, api_version)
            job.files.upload.write_bytes(content)
            job.is_uploaded = True
            self._close(job)
            return ingest_bodies.created(job)

    def get(self, job_id: str) -> dict[str, Any]:
        """Gives a job's status with its counters."""
        with self._lock:
            return ingest_bodies.status(self._need(job_id))

    def spool(self) -> Path:
        """Names a file for an upload on its way in."""
        return self._store.spool()

    def upload(self, job_id: str, spooled: Path) -> None:
        """Takes the data of a job, of which there is one portion; the file is the board's from then on."""
        with self._lock:
            job = self._need(job_id)
            if job.state != "Open":
                raise _wrong_state(f"Uploading to already {_said(job)} Job not allowed")
            if job.is_uploaded:
                message = (
                    f"Found multiple contents for job: <{job.id}>, please 'Close' / 'Abort' / 'Delete' the current Job "
                    "then create a new Job and make sure you only do 'PUT' once on a given Job."
                )
                raise ApiFault(400, "INVALIDJOB", f"InvalidJob : {message}")
            spooled.replace(job.files.upload)
            job.is_uploaded = True

    def change(self, job_id: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Closes a job, which starts it, or aborts it."""
        with self._lock:
            job, wanted = self._need(job_id), body.get("state")
            if wanted == "UploadComplete":
                if job.state != "Open":
                    raise _wrong_state(f"Closing already {_said(job)} Job not allowed")
                self._close(job)
            elif wanted == "Aborted":
                self._abort(job)
            else:
                raise _wrong_state("A job can only be set to the states UploadComplete and Aborted")
            return ingest_bodies.reduced(job)

    def delete(self, job_id: str) -> None:
        """Removes a job that is not open and not at work, with its files."""
        with self._lock:
            job = self._need(job_id)
            if job.state not in DELETABLE:
                raise _wrong_state(f"Deleting a Job in the state {job.state} is not allowed")
            job.stop.set()
            self._remove(job)

    def results(self, job_id: str, kind: str) -> PageReader:
        """Opens one of the three result files of a job that has ended."""
        with self._lock:
            job = self._need(job_id)
        if kind not in KINDS:
            raise not_found()
        if job.state not in FINAL:
            raise _wrong_state(f"Results are given once the Job has ended; its state is {job.state}")
        job.settled.wait()
        with self._lock:
            return PageReader(header_line(kind, job.header, job.form), job.files.read(kind))

    def entries(self) -> list[dict[str, Any]]:
        """Gives every job as the list has it, oldest first."""
        with self._lock:
            self._tidy()
            return [ingest_bodies.listed(job) for job in self._jobs.values()]

    def reset(self) -> None:
        """Forgets every job."""
        with self._lock:
            for job in list(self._jobs.values()):
                job.stop.set()
                self._remove(job)
        for thread in list(self._threads):
            thread.join()

    def close(self) -> None:
        """Stops what runs and removes all files."""
        self.reset()
        self._store.close()

    # States -----------------------------------------------------------------------------------------------------

    def _new(self, body: Mapping[str, Any], api_version: float) -> IngestJob:
        host = self._host
        order = IngestOrder.read(body, host.catalog, host.settings, api_version)
        job_id, now = host.job_ids.following(), host.clock.now()
        job = IngestJob(job_id, order, api_version, host.user_id, now, now, self._store.files(job_id))
        self._jobs[job_id] = job
        return job

    def _close(self, job: IngestJob) -> None:
        self._move(job, "UploadComplete")
        job.fault = self._host.faults.for_job("ingest")
        thread = threading.Thread(target=self._execute, args=(job,), name=f"job {job.id}", daemon=True)
        self._threads = {other for other in self._threads if other.is_alive()} | {thread}
        thread.start()

    def _abort(self, job: IngestJob) -> None:
        if job.state in FINAL:
            raise _wrong_state(f"Aborting already {_said(job)} Job not allowed")
        has_begun = job.state == "InProgress"
        self._move(job, "Aborted")
        job.stop.set()
        if not has_begun:
            self._run(job).leave_all()
            job.settled.set()

    def _execute(self, job: IngestJob) -> None:
        """Runs in a thread of the job's own; whatever happens, the job ends."""
        half_s = self._host.settings.job_delay_s / 2
        began, began_work = time.monotonic(), 0.0
        try:
            if job.stop.wait(half_s) or not self._advance(job, "InProgress"):
                return
            began_work = time.monotonic()
            self._run(job).carry_out()
            job.active_ms = round((time.monotonic() - began_work) * 1000)
            if not job.stop.wait(half_s):
                self._advance(job, "JobComplete")
        except JobFailed as failure:
            job.error_message = str(failure) or None
        except Stopped:
            return
        finally:
            job.processing_ms = round((time.monotonic() - began) * 1000)
            self._advance(job, "Failed")
            if began_work:
                job.settled.set()

    def _run(self, job: IngestJob) -> Run:
        return Run(self._host, job, lambda tried, failed: self._count(job, tried, failed))

    def _count(self, job: IngestJob, tried: int, failed: int) -> None:
        with self._lock:
            job.processed += tried
            job.failed += failed

    def _advance(self, job: IngestJob, state: str) -> bool:
        with self._lock:
            if job.state in FINAL:
                return False
            self._move(job, state)
            return True

    def _move(self, job: IngestJob, state: str) -> None:
        job.state, job.modified_at = state, self._host.clock.now()
        if state in FINAL:
            job.ended_at = job.modified_at

    def _need(self, job_id: str) -> IngestJob:
        self._tidy()
        job = self._jobs.get(to_long(job_id) or "")
        if job is None:
            raise not_found()
        return job

    def _tidy(self) -> None:
        """Aborts what was open for a day, and removes what ended seven days ago, by the org's clock."""
        now = self._host.clock.now()
        life = timedelta(days=min(self._host.settings.job_life_days, MOST_DAYS))
        for job in list(self._jobs.values()):
            if job.state == "Open" and now - job.created_at > OPEN_LIFE:
                self._abort(job)
            if job.ended_at is not None and job.ended_at < now - life:
                self._remove(job)

    def _remove(self, job: IngestJob) -> None:
        self._jobs.pop(job.id, None)
        job.files.delete()


def _said(job: IngestJob) -> str:
    return SAID.get(job.state, job.state)


def _wrong_state(message: str) -> ApiFault:
    return ApiFault(400, "INVALIDJOBSTATE", message)
