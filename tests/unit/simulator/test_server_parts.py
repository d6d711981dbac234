"""Small pure parts of the local org's server: locators, page lists, failures, who counts as local."""

from __future__ import annotations

import gzip
import socket
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lht.simulator.errors import ApiFault
from lht.simulator.org.faults import Faults
from lht.simulator.org.jobs.pages import PageBounds, locator_for, page_list, row_of
from lht.simulator.org.oauth import signature
from lht.simulator.server import run
from lht.simulator.server.app import _is_loopback
from lht.simulator.server.call import Call, squeezed
from lht.simulator.store.results import ResultFile

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def result_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("results")


@given(st.integers(0, 10**12))
def test_a_locator_reads_back_as_its_row(row: int) -> None:
    assert row_of(locator_for(row)) == row


@given(st.text())
def test_nothing_else_is_a_locator(text: str) -> None:
    with suppress(ApiFault):
        assert locator_for(row_of(text)) == text


@given(st.integers(0, 2_000), st.integers(1, 300), st.integers(1, 5))
def test_the_page_lists_of_a_result_cover_each_row_once(
    result_files: Path, rows: int, size: int, number: int
) -> None:
    result = ResultFile(result_files / "rows.csv", rows)
    (result_files / "rows.idx").write_bytes(
        bytes(8 * (rows + 1))
    )  # rows without text: only their number bounds
    bounds = PageBounds(size, 1_000, 0)
    starts: list[int] = []
    start: int | None = 0
    while start is not None:
        found = page_list("/job", result, start, bounds, number)
        starts += [row_of(page["resultUrl"].partition("locator=")[2]) for page in found["resultPages"]]
        more = found["nextRecordsUrl"]
        assert found["done"] is (more is None)
        start = None if more is None else row_of(more.partition("locator=")[2])

    assert starts == list(range(0, max(rows, 1), size))


@given(st.lists(st.binary()))
def test_squeezed_chunks_are_one_gzip_file(chunks: list[bytes]) -> None:
    assert gzip.decompress(b"".join(squeezed(chunks))) == b"".join(chunks)


@pytest.mark.parametrize(
    ("offer", "wanted"),
    [
        ("gzip", True),
        ("GZIP, deflate", True),
        ("deflate, gzip;q=0.5", True),
        ("gzip; q=0", False),
        ("deflate", False),
        ("", False),
    ],
)
def test_gzip_is_for_who_offers_it(offer: str, wanted: object) -> None:
    call = Call("GET", {}, {}, {"accept-encoding": offer}, b"", "")

    assert call.wants_gzip is wanted


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.168.0.7", False),
        ("::ffff:192.168.0.7", False),
        ("testclient", False),
        ("", False),
    ],
)
def test_only_this_machine_is_local(host: str, local: object) -> None:
    assert _is_loopback(host) is local


def test_failures_are_met_oldest_first_after_those_let_pass() -> None:
    faults = Faults()
    faults.add({"kind": "status", "path": "/a/*", "times": 2, "skip": 1})
    faults.add({"kind": "job_fails"})
    faults.add({"kind": "delay", "method": "get"})
    met = [faults.for_request("GET", "/a/b") for _ in range(5)]

    assert [fault and fault.kind for fault in met] == ["delay", "status", "status", None, None]
    assert faults.for_request("POST", "/a") is None
    assert [fault["kind"] for fault in faults.waiting()] == ["job_fails"]


def test_a_signature_is_hmac_sha256_in_base64() -> None:
    assert (
        signature("key", "https://h/id/o/u", "1710000000000")
        == "I/jXCTd/n/Qb43tD+rdlJA53V89AgYTGOmKyTQVM9UE="
    )


def test_small_answers_are_sent_at_once() -> None:
    # asyncio switches Nagle's wait off only on sockets that say they are TCP; with it, each answer waits 40 ms.
    with run._bound("127.0.0.1", 0) as bound:
        assert bound.proto == socket.IPPROTO_TCP
