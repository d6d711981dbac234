"""Jobs followed and pages downloaded over real HTTP, from a server that says exactly what a test tells it."""

from __future__ import annotations

import gzip
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from lht.errors import (
    ConfigError,
    IncompleteExtractError,
    JobAbortedError,
    JobFailedError,
    JobTimedOutError,
    RequestRejectedError,
    UnreachableError,
)
from lht.mapping.types import parse_type
from lht.model.salesforce import BulkJob, JobState
from lht.model.table import Column
from lht.records import extract
from lht.records.extract import Download, follow_job, list_pages
from lht.records.parse import stream_pages
from lht.records.spool import Spool
from lht.sfdc.auth import Login
from lht.sfdc.org import Org
from lht.sfdc.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

JOB_PATH = "/services/data/v66.0/jobs/query/750A"


@dataclass
class Answer:
    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None
    """A Content-Length other than the body's, or -1 for none at all."""


Script = "Callable[[str, dict[str, str]], Answer]"


class Server:
    """Answers each GET with what `script(path, query)` says; keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.script: Callable[[str, dict[str, str]], Answer] = lambda _path, _query: Answer(
            status=404, body=b"[]"
        )

    def pages(self) -> list[str | None]:
        return [query.get("locator") for path, query in self.asked if path.endswith("/results")]


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:  # the base class calls it so
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            server.asked.append((parts.path, query))
            answer = server.script(parts.path, query)
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if answer.announced != -1:
                self.send_header("Content-Length", str(answer.announced or len(answer.body)))
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(answer.body)
            self.close_connection = True

        def log_message(self, *args: object) -> None:
            """Keeps quiet."""

    return Handler


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(told))
    http.daemon_threads = True
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    told.url = f"http://127.0.0.1:{http.server_port}"  # type: ignore[attr-defined]
    yield told
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture
def org(server: Any) -> Iterator[Org]:
    transport = Transport(sleep=lambda _seconds: None)
    yield Org(Login("me@example.com", server.url, "00D!token"), transport, api_version="66.0")
    transport.close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool" / "750A")


def job(records: int = 0, state: JobState = JobState.JOB_COMPLETE, api_version: str = "66.0") -> BulkJob:
    return BulkJob("750A", state, "Account", "queryAll", None, api_version, records)


def download(org: Org, told: BulkJob, spool: Spool, **options: Any) -> Download:
    return extract.download(org, told, spool, first_pause_s=0.001, **options)


def page_body(*ids: str) -> bytes:
    return gzip.compress("".join(f'"{value}"\n' for value in ("Id", *ids)).encode())


def page(*ids: str, following: str = "null", **options: Any) -> Answer:
    headers = {
        "Sforce-Locator": following,
        "Sforce-NumberOfRecords": str(len(ids)),
        "Content-Type": "text/csv",
    }
    return Answer(page_body(*ids), headers={**headers, "Content-Encoding": "gzip"}, **options)


def ids_of(pages: Any) -> list[str]:
    stream = stream_pages(pages, [Column("Id", parse_type("varchar(18)"), "Id")], object_name="Account")
    ids: list[str] = stream.reader.read_all()["Id"].to_pylist()
    return ids


@contextmanager
def answers(server: Server, by_locator: dict[str | None, Answer | list[Answer]]) -> Iterator[Server]:
    """Answers each locator; a list is used up from the front, its last entry stays."""

    def script(_path: str, query: dict[str, str]) -> Answer:
        told = by_locator[query.get("locator")]
        if isinstance(told, list):
            return told.pop(0) if len(told) > 1 else told[0]
        return told

    server.script = script
    yield server


# -- following a job


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def job_answer(state: str, **more: Any) -> Answer:
    body = {
        "id": "750A",
        "state": state,
        "object": "Account",
        "operation": "queryAll",
        "apiVersion": 66.0,
        **more,
    }
    return Answer(json.dumps(body).encode(), headers={"Content-Type": "application/json"})


def states(server: Server, *told: Answer) -> None:
    left = list(told)
    server.script = lambda _path, _query: left.pop(0) if len(left) > 1 else left[0]


def follow(org: Org, clock: Clock, timeout_s: float = 60, **options: Any) -> BulkJob:
    return follow_job(
        org, "750A", timeout_s=timeout_s, sleep=clock.sleep, monotonic=lambda: clock.now, **options
    )


def test_a_job_is_followed_to_its_end(server: Server, org: Org) -> None:
    states(server, job_answer("UploadComplete"), job_answer("InProgress", numberRecordsProcessed=0),
           job_answer("JobComplete", numberRecordsProcessed=7))  # fmt: skip
    seen: list[str] = []

    done = follow(org, Clock(), on_state=lambda told: seen.append(told.state))

    assert (done.state, done.records) == (JobState.JOB_COMPLETE, 7)
    assert seen == ["UploadComplete", "InProgress", "JobComplete"]


def test_polls_grow_from_a_fifth_of_a_second_to_ten(server: Server, org: Org) -> None:
    states(server, *[job_answer("InProgress")] * 70, job_answer("JobComplete"))
    clock = Clock()

    follow(org, clock, timeout_s=10_000)

    assert clock.slept[0] == 0.2
    assert clock.slept == sorted(clock.slept)
    assert clock.slept[-1] == 10.0


def test_a_failed_job_tells_salesforces_reason(server: Server, org: Org) -> None:
    states(server, job_answer("Failed", errorMessage="retried more than 15 times"))

    with pytest.raises(JobFailedError, match="750A on Account failed: retried more than 15 times"):
        follow(org, Clock())


def test_a_failed_job_without_a_reason_is_told(server: Server, org: Org) -> None:
    states(server, job_answer("Failed"))

    with pytest.raises(JobFailedError, match="gave no reason"):
        follow(org, Clock())


def test_an_aborted_job_ends_the_wait(server: Server, org: Org) -> None:
    states(server, job_answer("InProgress"), job_answer("Aborted"))

    with pytest.raises(JobAbortedError):
        follow(org, Clock())


def test_a_job_that_hangs_ends_at_the_deadline(server: Server, org: Org) -> None:
    states(server, job_answer("InProgress"))
    clock = Clock()

    with pytest.raises(JobTimedOutError, match="still InProgress after 30 seconds"):
        follow(org, clock, timeout_s=30)

    assert clock.now == pytest.approx(30)


# -- which pages there are


def test_pages_are_listed_where_the_version_lists_them(server: Server, org: Org) -> None:
    body = {
        "resultPages": [{"resultUrl": f"{JOB_PATH}/results?locator={name}"} for name in "ab"],
        "done": True,
    }
    server.script = lambda _path, _query: Answer(json.dumps(body).encode())

    assert list_pages(org, job(2), batch_size=None) == ["a", "b"]


def test_a_batch_size_or_an_old_version_means_a_chain(server: Server, org: Org) -> None:
    assert list_pages(org, job(2), batch_size=5000) is None
    assert list_pages(org, job(2, api_version="57.0"), batch_size=None) is None
    assert server.asked == []


@pytest.mark.parametrize(
    "answer",
    [Answer(b'{"resultPages": [], "done": true}'), Answer(b'[{"errorCode": "NOT_FOUND"}]', status=404)],
)
def test_where_no_pages_are_listed_they_are_a_chain(server: Server, org: Org, answer: Answer) -> None:
    server.script = lambda _path, _query: answer

    assert list_pages(org, job(2), batch_size=None) is None


def test_other_refusals_of_the_list_are_errors(server: Server, org: Org) -> None:
    server.script = lambda _path, _query: Answer(
        b'[{"errorCode": "INVALIDJOBSTATE", "message": "no"}]', status=400
    )

    with pytest.raises(RequestRejectedError):
        list_pages(org, job(2), batch_size=None)


# -- downloading


def test_a_chain_ends_at_the_locator_null(server: Server, org: Org, spool: Spool) -> None:
    chain = {None: page("a", "b", following="X"), "X": page("c", following="Y"), "Y": page("d")}

    with answers(server, chain):
        pages = list(download(org, job(4), spool, batch_size=2))

    assert [p.number for p in pages] == [0, 1, 2]
    assert ids_of(pages) == ["a", "b", "c", "d"]
    assert [query.get("maxRecords") for _path, query in server.asked] == ["2", "2", "2"]


def test_a_result_without_rows_is_one_page(server: Server, org: Org, spool: Spool) -> None:
    with answers(server, {None: page()}):
        pages = list(download(org, job(0), spool))

    assert [p.rows for p in pages] == [0]
    assert ids_of(pages) == []


def test_a_chain_that_goes_in_a_circle_is_noticed(server: Server, org: Org, spool: Spool) -> None:
    chain = {None: page("a", following="X"), "X": page("b", following="Y"), "Y": page("c", following="X")}

    with answers(server, chain), pytest.raises(IncompleteExtractError, match="circle"):
        list(download(org, job(3), spool))


def test_listed_pages_are_downloaded_by_several_threads(server: Server, org: Org, spool: Spool) -> None:
    together = threading.Barrier(4, timeout=20)
    names = [f"p{i}" for i in range(12)]

    def script(_path: str, query: dict[str, str]) -> Answer:
        if query["locator"] in names[:4]:
            together.wait()
        return page(query["locator"])

    server.script = script
    seen: list[int] = []

    pages = list(
        download(org, job(12), spool, locators=names, parallel=4, on_page=lambda p: seen.append(p.number))
    )

    assert sorted(ids_of(pages)) == sorted(names)
    assert sorted(seen) == list(range(12))


def test_a_page_cut_short_is_fetched_again(server: Server, org: Org, spool: Spool) -> None:
    short = page("a", "b", announced=5000)

    with answers(server, {None: [short, short, page("a", "b")]}):
        pages = list(download(org, job(2), spool))

    assert ids_of(pages) == ["a", "b"]
    assert len(server.asked) == 3


def test_a_page_that_stays_cut_short_is_an_error_and_leaves_no_page(
    server: Server, org: Org, spool: Spool
) -> None:
    with answers(server, {None: page("a", announced=5000)}), pytest.raises(UnreachableError):
        list(download(org, job(1), spool))

    assert len(server.asked) == 5
    assert Spool(spool.directory).pages() == {}


def test_a_truncated_gzip_without_a_length_is_fetched_again_when_it_is_read(
    server: Server, org: Org, spool: Spool
) -> None:
    ids = [f"{i:06d}" for i in range(100_000)]
    whole = page(*ids)
    cut = Answer(whole.body[: len(whole.body) // 2], headers=whole.headers, announced=-1)

    with answers(server, {None: [cut, page(*ids)]}):
        assert ids_of(download(org, job(len(ids)), spool)) == ids

    assert Spool(spool.directory).pages()[0].bytes == len(whole.body)


def test_a_page_with_too_few_rows_is_fetched_again(server: Server, org: Org, spool: Spool) -> None:
    lacking = page("a", "b", "c")
    lacking.body = page_body("a", "b")

    with answers(server, {None: [lacking, page("a", "b", "c")]}):
        assert ids_of(download(org, job(3), spool)) == ["a", "b", "c"]


def test_a_page_that_keeps_too_few_rows_is_an_error(server: Server, org: Org, spool: Spool) -> None:
    lacking = page("a", "b", "c")
    lacking.body = page_body("a", "b")

    with answers(server, {None: lacking}), pytest.raises(IncompleteExtractError, match="has 2 rows"):
        ids_of(download(org, job(3), spool))


def test_the_first_error_stops_the_other_threads(server: Server, org: Org, spool: Spool) -> None:
    refusal = Answer(b'[{"errorCode": "NOT_FOUND", "message": "gone"}]', status=404)
    server.script = lambda _path, query: refusal if query["locator"] == "p1" else page(query["locator"])
    names = [f"p{i}" for i in range(200)]

    with pytest.raises(RequestRejectedError):
        list(download(org, job(200), spool, locators=names, parallel=2))

    assert len(server.asked) < 50


def test_a_download_that_is_closed_stops(server: Server, org: Org, spool: Spool) -> None:
    server.script = lambda _path, query: page(query["locator"])
    pages = download(org, job(200), spool, locators=[f"p{i}" for i in range(200)], parallel=2)

    next(pages)
    pages.close()

    assert len(server.asked) < 50
    assert list(pages) == []


def test_ctrl_c_while_pages_are_taken_stops_the_download(server: Server, org: Org, spool: Spool) -> None:
    server.script = lambda _path, query: page(query["locator"])

    def interrupt(_page: object) -> None:
        raise KeyboardInterrupt

    pages = download(org, job(50), spool, locators=[f"p{i}" for i in range(50)], on_page=interrupt)
    stream = stream_pages(pages, [Column("Id", parse_type("varchar(18)"), "Id")])

    with pytest.raises(KeyboardInterrupt):
        stream.reader.read_all()

    assert isinstance(stream.error, KeyboardInterrupt)
    assert len(server.asked) < 50


def test_a_rerun_downloads_only_what_is_missing(server: Server, org: Org, spool: Spool) -> None:
    names = [f"p{i}" for i in range(6)]
    server.script = lambda _path, query: page(query["locator"])
    list(download(org, job(6), spool, locators=names))
    (spool.directory / "2.csv.gz").write_bytes(b"damaged on disk")
    (spool.directory / "4.csv.gz").unlink()
    server.asked.clear()

    pages = list(download(org, job(6), Spool(spool.directory), locators=names))

    assert sorted(ids_of(pages)) == names
    assert sorted(map(str, server.pages())) == ["p2", "p4"]


def test_a_chain_is_taken_up_where_it_was_left(server: Server, org: Org, spool: Spool) -> None:
    chain: dict[str | None, Any] = {
        None: page("a", following="X"),
        "X": page("b", following="Y"),
        "Y": page("c"),
    }
    with answers(server, chain):
        first = download(org, job(3), spool)
        next(first)
        first.close()
        server.asked.clear()

        assert ids_of(download(org, job(3), Spool(spool.directory))) == ["a", "b", "c"]

    assert None not in server.pages()


def test_pages_of_a_list_are_not_taken_for_those_of_a_chain(server: Server, org: Org, spool: Spool) -> None:
    server.script = lambda _path, query: page(query.get("locator", "first"))
    list(download(org, job(1), spool, locators=["p0"]))

    assert ids_of(download(org, job(1), Spool(spool.directory))) == ["first"]


def test_a_disk_that_is_far_too_small_is_refused_before_the_first_byte(
    server: Server, org: Org, spool: Spool
) -> None:
    with pytest.raises(ConfigError, match="no room for downloaded pages"):
        list(download(org, job(10**15), spool))

    assert server.asked == []


def test_a_page_without_a_count_is_accepted(server: Server, org: Org, spool: Spool) -> None:
    answer = page("a", "b")
    del answer.headers["Sforce-NumberOfRecords"]
    del answer.headers["Sforce-Locator"]

    with answers(server, {None: answer}):
        pages = list(download(org, job(2), spool))

    assert [p.rows for p in pages] == [None]
    assert ids_of(pages) == ["a", "b"]
