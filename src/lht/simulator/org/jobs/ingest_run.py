"""An ingest job at work: batches of 10,000 records, written in chunks of 200, each a transaction of its own.

Real chunks run at the same time and their rows come back in any order. Here one runs after the other, in an order that
is shuffled by the job's id, so that the same job comes out the same way each time.
"""

from __future__ import annotations

import random
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Protocol

from lht.simulator.errors import ApiFault
from lht.simulator.org.jobs.ingest_csv import JobFailed, Record, Upload, loose
from lht.simulator.org.jobs.ingest_header import columns
from lht.simulator.org.jobs.ingest_lines import LineWriter
from lht.simulator.org.jobs.ingest_rows import ChunkWriter
from lht.simulator.org.rules.contention import Flight
from lht.simulator.org.writes.ahead import Ahead
from lht.simulator.org.writes.write_options import AS_USUAL, WriteOptions
from lht.simulator.store.database import ShapeChanged
from lht.simulator.store.results import Stopped
from lht.simulator.store.uploads import FAILED, SUCCEEDED, UNPROCESSED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from lht.simulator.org.jobs.ingest_job import IngestJob
    from lht.simulator.org.limits.limits import Limits
    from lht.simulator.org.settings import Settings
    from lht.simulator.org.writes.collections import Outcome
    from lht.simulator.org.writes.records import RecordKeeper

BATCH_RECORDS = 10_000
CHUNK_RECORDS = 200
ATTEMPTS = 5
CELLS_AT_ONCE = 500_000
"""Values that are held in memory at a time: files of many columns are gone through in smaller portions."""
QUOTA = "ExceededQuota : ApiBatchItems Limit exceeded."


class QuotaSpent(JobFailed):
    """No batches are left for today: of the records of those that were to follow, nothing is written down."""


class Host(Protocol):
    """What a job at work needs of the org."""

    @property
    def records(self) -> RecordKeeper: ...
    @property
    def settings(self) -> Settings: ...
    @property
    def limits(self) -> Limits: ...


@dataclass(slots=True)
class Run:
    """Carries out one job. `tell` is told after each chunk how many of its records were tried and how many failed."""

    host: Host
    job: IngestJob
    tell: Callable[[int, int], None]
    _begun: int = field(default=0, init=False)
    """Chunks that were begun."""
    _flight: Flight = field(default_factory=partial(Flight, "", 0.0), init=False)

    def carry_out(self) -> None:
        """Does the whole work; raises JobFailed, or Stopped where somebody aborted it."""
        if not self.job.is_uploaded:
            return
        order, schema = self.job.order, self.host.records.catalog.need(self.job.order.object_name)
        try:
            upload = Upload.open(self.job.files.upload, order.form)
            self.job.header = upload.header
            found = columns(self.host.records.catalog, schema, order, upload.names)
            upload.count()
        except JobFailed:
            self.leave_all()
            raise
        with closing(Ahead(self.host.records.db)) as ahead:
            writer = ChunkWriter(self.host.records, order, found, ahead)
            self._work(upload, writer, LineWriter.of(found, order.form))

    def _work(self, upload: Upload, writer: ChunkWriter, lines: LineWriter) -> None:
        """Works through the records; whatever ends that too soon, the rest is written down as not processed."""
        portions = _portions(upload)
        waiting: list[list[Record]] = []
        order = random.Random(self.job.id)  # noqa: S311 - it shuffles, it keeps no secret
        records = 0
        try:
            for portion in portions:
                waiting = _chunks(portion)
                self._take_batches(records, len(portion))
                records += len(portion)
                order.shuffle(waiting)
                while waiting:
                    self._check()
                    chunk = waiting[-1]
                    self._note(chunk, self._written(writer, waiting), lines, order)
                    waiting.pop()
        except QuotaSpent:
            raise
        except (JobFailed, Stopped):
            self._leave(waiting, lines)
            for portion in portions:
                self._leave([portion], lines)
            raise

    def _written(self, writer: ChunkWriter, waiting: Sequence[Sequence[Record]]) -> list[Outcome]:
        """Writes the last of the chunks, again if an admin changed the object meanwhile: nothing of such an attempt is left."""
        locking = replace(writer, options=self._locking())
        for _ in range(ATTEMPTS):
            with suppress(ShapeChanged):
                return locking.write(waiting)
        raise JobFailed(f"{self.job.order.object_name} was changed again and again")

    def _locking(self) -> WriteOptions:
        """Begins the next chunk: those that are under way together may want the same rows."""
        settings = self.host.settings
        if self._begun % settings.parallel_chunks == 0:
            name = f"{self.job.id}/{self._begun}"
            self._flight = Flight(name, settings.lock_rate, settings.lock_seed)
        self._begun += 1
        return WriteOptions(locker=self._flight.chunk()) if self._flight.rate else AS_USUAL

    def _take_batches(self, before: int, number: int) -> None:
        """Counts a batch for every 10,000 records that are begun."""
        batches = -(-(before + number) // BATCH_RECORDS) - -(-before // BATCH_RECORDS)
        if not self.host.limits.take_batches(batches, number, self.host.settings.bulk_rows_per_day):
            raise QuotaSpent(QUOTA)

    def _check(self) -> None:
        fault, job = self.job.fault, self.job
        if fault is not None and job.processed >= fault.after_rows:
            if fault.kind == "job_hangs":
                job.stop.wait()
            if fault.kind == "job_fails":
                raise JobFailed(fault.error_message or "")
        if (
            job.stop.wait(self.host.settings.chunk_delay_s)
            if self.host.settings.chunk_delay_s
            else job.stop.is_set()
        ):
            raise Stopped

    def _note(
        self, chunk: Sequence[Record], outcomes: Sequence[Outcome], lines: LineWriter, order: random.Random
    ) -> None:
        pairs = _mixed(list(zip(chunk, outcomes, strict=True)), order)
        failed = [lines.outcome(record, one) for record, one in pairs if isinstance(one, ApiFault)]
        good = [lines.outcome(record, one) for record, one in pairs if not isinstance(one, ApiFault)]
        self.job.files.add(SUCCEEDED, good)
        self.job.files.add(FAILED, failed)
        self.tell(len(chunk), len(failed))

    def _leave(self, chunks: Sequence[Sequence[Record]], lines: LineWriter) -> None:
        for chunk in chunks:
            self.job.files.add(UNPROCESSED, [lines.untried(record) for record in chunk])

    def leave_all(self) -> None:
        """Writes down all records as not processed, also those of a file that is no CSV."""
        if not self.job.is_uploaded:
            return
        try:
            upload = Upload.open(self.job.files.upload, self.job.form)
            self.job.header = upload.header
            self._leave_plain(upload.records(), len(upload.names))
        except JobFailed:
            self.job.files.clear_results()
            self.job.header, names, records = loose(self.job.files.upload, self.job.form)
            self._leave_plain(records, names)

    def _leave_plain(self, records: Iterable[Record], width: int) -> None:
        lines = LineWriter.plain(width, self.job.form)
        rest = iter(records)
        while chunk := list(islice(rest, CHUNK_RECORDS)):
            self._leave([chunk], lines)


def _portions(upload: Upload) -> Iterator[list[Record]]:
    """Gives the records in portions of at most a batch, each of whole chunks."""
    chunks = max(1, CELLS_AT_ONCE // (len(upload.names) * CHUNK_RECORDS))
    size = min(BATCH_RECORDS, chunks * CHUNK_RECORDS)
    portion: list[Record] = []
    for record in upload.records():
        portion.append(record)
        if len(portion) == size:
            yield portion
            portion = []
    if portion:
        yield portion


def _chunks(records: list[Record]) -> list[list[Record]]:
    return [records[start : start + CHUNK_RECORDS] for start in range(0, len(records), CHUNK_RECORDS)]


def _mixed(pairs: list[tuple[Record, Outcome]], order: random.Random) -> list[tuple[Record, Outcome]]:
    """Gives the pairs in an order that is never the one they came in."""
    mixed = pairs.copy()
    order.shuffle(mixed)
    return mixed if mixed != pairs or len(pairs) == 1 else pairs[1:] + pairs[:1]
