"""Follows a query job to its end and brings its result pages to disk, several at a time.

Which pages there are is settled once per job (`list_pages`): the parallel list and the chain of locators cut a
result differently, so a download that mixed them would lose or repeat rows.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import TYPE_CHECKING, Final, Self

from lht.errors import (
    IncompleteExtractError,
    JobAbortedError,
    JobFailedError,
    JobTimedOutError,
    Recovery,
    RequestRejectedError,
    TransportError,
    UnreachableError,
)
from lht.model.salesforce import JobState
from lht.records.spool import Page
from lht.sfdc import bulk

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from lht.model.salesforce import BulkJob
    from lht.records.spool import Spool
    from lht.sfdc.org import Org
    from lht.sfdc.transport import StreamedResponse

__all__ = ["Download", "Page", "download", "follow_job", "list_pages"]

_SHORTEST_POLL_S: Final = 0.2
_LONGEST_POLL_S: Final = 10.0
_ATTEMPTS: Final = 5
_NOT_FOUND: Final = 404


def follow_job(
    org: Org,
    job_id: str,
    *,
    timeout_s: float,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
    on_state: Callable[[BulkJob], None] | None = None,
) -> BulkJob:
    """Waits until the job is complete and gives it as it then is; every other end is an error.

    Asks often at first, then after every tenth of the time gone by. `on_state` sees each answer.
    """
    started = monotonic()
    while True:
        job = bulk.job_status(org, job_id)
        if on_state:
            on_state(job)
        if job.state.is_final:
            return _checked(job)
        elapsed = monotonic() - started
        if elapsed >= timeout_s:
            raise JobTimedOutError(
                f"Bulk job {job_id} on {job.object} is still {job.state} after {elapsed:.0f} seconds.",
                hint="Run the same command again: it takes up this job where it stands.",
                job_id=job_id,
            )
        sleep(min(max(elapsed / 10, _SHORTEST_POLL_S), _LONGEST_POLL_S, timeout_s - elapsed))


def _checked(job: BulkJob) -> BulkJob:
    if job.state is JobState.FAILED:
        reason = job.error_message or "Salesforce gave no reason; it often is a query that takes too long"
        raise JobFailedError(
            f"Bulk job {job.id} on {job.object} failed: {reason}.",
            hint=f"See 'lht bulk_status --job_id {job.id}'; a narrower --where or fewer --fields may help.",
            job_id=job.id,
        )
    if job.state is JobState.ABORTED:
        raise JobAbortedError(
            f"Bulk job {job.id} on {job.object} was aborted.",
            hint="Run the same command again.",
            job_id=job.id,
        )
    return job


def list_pages(org: Org, job: BulkJob, *, batch_size: int | None) -> list[str] | None:
    """Gives the locators of pages that can be read in parallel, or None: then they are a chain.

    With a batch size they are a chain, as only that way of reading takes one. Store the answer before the first
    download.
    """
    if batch_size or not bulk.has_result_pages(org, job.api_version):
        return None
    try:
        return list(bulk.result_pages(org, job)) or None
    except RequestRejectedError as error:
        if error.status == _NOT_FOUND:
            return None
        raise


def download(
    org: Org,
    job: BulkJob,
    spool: Spool,
    *,
    locators: Sequence[str] | None = None,
    batch_size: int | None = None,
    parallel: int = 4,
    on_page: Callable[[Page], None] | None = None,
    first_pause_s: float = 0.5,
) -> Download:
    """Downloads the pages that the spool lacks and gives all of them, each as soon as it is on disk.

    `locators` is what `list_pages` gave. Pages of a list come in any order, a chain's in order. A page cut short
    is fetched again after `first_pause_s`, then after twice as long, and so on.
    """
    fetcher = _Fetcher(org, job, spool, batch_size=batch_size, first_pause_s=first_pause_s)
    return Download(fetcher, locators=locators, parallel=max(1, parallel), on_page=on_page)


class Download:
    """An iterator over pages; a few are fetched ahead. Closing it, or an error in it, stops the other fetches."""

    def __init__(
        self,
        fetcher: _Fetcher,
        *,
        locators: Sequence[str] | None,
        parallel: int,
        on_page: Callable[[Page], None] | None,
    ) -> None:
        self._fetcher = fetcher
        self._on_page = on_page
        self._pages = self._chained() if locators is None else self._listed(locators, parallel)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Page:
        page = next(self._pages)
        if self._on_page:
            self._on_page(page)
        return page

    def again(self, page: Page) -> Page:
        """Fetches a page once more, in place of the one on disk."""
        return self._fetcher.fetch(page.number, page.locator)

    def close(self) -> None:
        self._pages.close()
        self._fetcher.stop.set()

    def _listed(self, locators: Sequence[str], parallel: int) -> Generator[Page, None, None]:
        numbered = list(enumerate(locators))
        missing = [entry for entry in numbered if self._fetcher.present(*entry) is None]
        self._fetcher.check_space(len(missing), len(numbered))
        yield from (page for entry in numbered if (page := self._fetcher.present(*entry)))
        with _stopping_pool(self._fetcher, parallel) as pool:
            waiting: set[Future[Page]] = set()
            while missing or waiting:
                while missing and len(waiting) < 2 * parallel:
                    waiting.add(pool.submit(self._fetcher.fetch, *missing.pop(0)))
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()

    def _chained(self) -> Generator[Page, None, None]:
        """Fetches one page ahead: a page's answer tells where the next one is."""
        self._fetcher.check_space(1, 1)
        with _stopping_pool(self._fetcher, 1) as pool:
            seen: set[str | None] = set()
            number, locator = 0, None
            ahead = pool.submit(self._fetcher.present_or_fetch, number, locator)
            while True:
                page = ahead.result()
                seen.add(locator)
                number, locator = number + 1, page.following
                if locator is None:
                    yield page
                    return
                if locator in seen:
                    raise IncompleteExtractError(f"The result pages go in a circle at page {number}.")
                ahead = pool.submit(self._fetcher.present_or_fetch, number, locator)
                yield page


class _stopping_pool:  # noqa: N801  # used as a function
    """A pool of threads whose end, for whatever reason, stops the fetches that are under way."""

    def __init__(self, fetcher: _Fetcher, threads: int) -> None:
        self._fetcher = fetcher
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="lht-page")

    def __enter__(self) -> ThreadPoolExecutor:
        return self._pool

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if error is not None:
            self._fetcher.stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)


class _Fetcher:
    """Fetches single pages into the spool; safe to use from several threads."""

    def __init__(
        self, org: Org, job: BulkJob, spool: Spool, *, batch_size: int | None, first_pause_s: float
    ) -> None:
        self.stop = Event()
        self._org = org
        self._job = job
        self._spool = spool
        self._batch_size = batch_size
        self._first_pause_s = first_pause_s

    def present(self, number: int, locator: str | None) -> Page | None:
        """Gives the page if the spool has it whole, from that very place."""
        page = self._spool.pages().get(number)
        return page if page is not None and page.locator == locator else None

    def present_or_fetch(self, number: int, locator: str | None) -> Page:
        return self.present(number, locator) or self.fetch(number, locator)

    def check_space(self, missing: int, pages: int) -> None:
        if missing:
            self._spool.check_free_space(self._job.records * missing // pages)

    def fetch(self, number: int, locator: str | None) -> Page:
        """Fetches a page; one that is cut short is fetched again, a few times."""
        for attempt in range(_ATTEMPTS - 1):
            try:
                return self._fetch_once(number, locator)
            except TransportError as error:
                pause_s = self._first_pause_s * 2**attempt
                if error.recovery is not Recovery.RETRY or self.stop.wait(pause_s):
                    raise
        return self._fetch_once(number, locator)

    def _fetch_once(self, number: int, locator: str | None) -> Page:
        answer = bulk.open_result(
            self._org, self._job.id, locator, self._batch_size, api_version=self._job.api_version
        )
        with answer:
            following = answer.headers.get("Sforce-Locator", "null")
            rows = answer.headers.get("Sforce-NumberOfRecords", "")
            return self._spool.write(
                number,
                self._chunks(answer),
                locator=locator,
                rows=int(rows) if rows.isdecimal() else None,
                following=None if following in {"null", ""} else following,
            )

    def _chunks(self, answer: StreamedResponse) -> Iterator[bytes]:
        """Checks the announced length too: what stands in between may have hung up politely."""
        size = 0
        for chunk in answer.chunks():
            if self.stop.is_set():
                raise UnreachableError("The download was stopped.", recovery=Recovery.ABORT)
            size += len(chunk)
            yield chunk
        announced = answer.headers.get("Content-Length", "")
        if announced.isdecimal() and int(announced) != size:
            raise UnreachableError(f"A result page came with {size} of {announced} bytes.")
