"""Lists, pages and states of Bulk API 2.0 query jobs: how they are cut, and what stays the same while a job lives."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

SOQL = "SELECT Id, Name, Description FROM Account"


@pytest.fixture(scope="module")
def many() -> Iterator[Caller]:
    with simulator(records=300, seed=5) as org:
        yield Caller(org).login()


@pytest.fixture
def free(many: Caller) -> Iterator[Caller]:
    """An org with records, whose settings are put back after the test."""
    before = many.org.admin.settings()
    yield many
    many.org.admin.change_settings(**before)


def chain(api: Caller, job_id: str, **query: int) -> list[list[list[str]]]:
    pages, locator = [], None
    while locator != "null":
        answer = api.results(job_id, **query, **({"locator": locator} if locator else {}))
        locator = answer.headers["sforce-locator"]
        assert int(answer.headers["sforce-numberofrecords"]) == len(answer.rows) - 1
        pages.append(answer.rows)
    return pages


def test_the_server_cuts_pages_by_size_where_no_number_is_asked_for(free: Caller) -> None:
    free.org.admin.change_settings(page_bytes=20_000)
    job_id = free.finished_job(SOQL, "queryAll")["id"]
    pages = chain(free, job_id)
    whole = chain(free, job_id, maxRecords=100_000)
    sizes = [len(free.results(job_id).body)]

    assert len(whole) == 1
    assert len({len(page) for page in pages[:-1]}) > 1
    assert [row for page in pages for row in page[1:]] == whole[0][1:]
    assert max(sizes) <= 20_000 + len(",".join(whole[0][0])) + 10


def test_one_row_fits_on_every_page(free: Caller) -> None:
    free.org.admin.change_settings(page_bytes=1)
    job_id = free.finished_job("SELECT Id FROM User")["id"]
    pages = chain(free, job_id)

    assert {len(page) for page in pages} == {2}
    assert len(pages) == free.get("/query", q="SELECT COUNT() FROM User").json()["totalSize"]


def test_a_page_may_hold_fewer_rows_than_asked_for(free: Caller) -> None:
    free.org.admin.change_settings(most_page_rows=40)
    job_id = free.finished_job(SOQL, "queryAll")["id"]
    pages = chain(free, job_id, maxRecords=100)

    assert {len(page) - 1 for page in pages[:-1]} == {40}
    assert sum(len(page) - 1 for page in pages) == 300


def test_pages_stay_as_they_are_while_the_job_lives(free: Caller) -> None:
    free.org.admin.change_settings(page_size=70, page_bytes=15_000, most_page_rows=60)
    job_id = free.finished_job(SOQL, "queryAll")["id"]
    listed = free.get(f"/jobs/query/{job_id}/resultPages").json()
    first = [free.results(job_id).headers["sforce-locator"], free.results(job_id).body]
    free.org.admin.change_settings(page_size=7, page_bytes=1_000, most_page_rows=0, parallel_pages=5)
    again = [free.results(job_id).headers["sforce-locator"], free.results(job_id).body]

    assert again == first
    assert free.get(f"/jobs/query/{job_id}/resultPages").json() == listed


def test_parallel_pages_are_the_pages_that_follow_each_other(free: Caller) -> None:
    free.org.admin.change_settings(page_bytes=15_000, parallel_pages=3)
    job_id = free.finished_job(SOQL, "queryAll")["id"]
    lists = [free.get(f"/jobs/query/{job_id}/resultPages").json()]
    while not lists[-1]["done"]:
        lists.append(free.get(lists[-1]["nextRecordsUrl"]).json())
    pages = [free.get(page["resultUrl"]).rows for found in lists for page in found["resultPages"]]

    assert pages == chain(free, job_id)
    assert {len(found["resultPages"]) for found in lists[:-1]} == {3}
    assert lists[-1]["nextRecordsUrl"] is None


def test_the_list_of_jobs_is_cut_and_keeps_its_filters(api: Caller) -> None:
    api.org.admin.change_settings(jobs_per_list=2)
    ids = [api.job("SELECT Id FROM User").json()["id"] for _ in range(5)]
    lists = [api.get("/jobs/query", jobType="V2Query", concurrencyMode="parallel").json()]
    while not lists[-1]["done"]:
        lists.append(api.get(lists[-1]["nextRecordsUrl"]).json())

    assert [[job["id"] for job in found["records"]] for found in lists] == [ids[:2], ids[2:4], ids[4:]]
    assert all("jobType=V2Query&concurrencyMode=parallel&" in found["nextRecordsUrl"] for found in lists[:-1])
    assert lists[-1]["nextRecordsUrl"] is None


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, True), ({"jobType": "V2Query"}, True), ({"jobType": "V2Ingest"}, False), ({"jobType": "Classic"}, False),
        ({"concurrencyMode": "Parallel"}, True), ({"concurrencyMode": "Serial"}, False),
        ({"isPkChunkingEnabled": "false"}, True), ({"isPkChunkingEnabled": "true"}, False), ({"other": "x"}, True),
    ],
)  # fmt: skip
def test_filters_of_the_list(many: Caller, query: dict[str, str], *, found: bool) -> None:
    many.finished_job("SELECT Id FROM User")

    assert bool(many.get("/jobs/query", **query).json()["records"]) is found


@pytest.mark.parametrize(
    ("version", "soql", "said"),
    [
        ("v57.0", "SELECT Id FROM Account", None),
        ("v58.0", "SELECT Id FROM Account", True),
        ("v66.0", "SELECT Id FROM Specimen__c", True),
        ("v66.0", "SELECT Id FROM AccountHistory WHERE Field = 'Name'", True),
        ("v66.0", "SELECT Id FROM Account ORDER BY Name", False),
        ("v66.0", "SELECT Id FROM Account LIMIT 5", False),
        ("v66.0", "SELECT Id FROM Organization", False),
    ],
)
def test_a_status_says_whether_the_query_can_be_read_in_chunks(
    many: Caller, version: str, soql: str, *, said: bool | None
) -> None:
    status = Caller(many.org, version, many.headers).finished_job(soql)

    assert status.get("isPkChunkingSupported") is said


def test_a_query_that_was_tried_again_says_so_until_it_was_too_often(api: Caller) -> None:
    api.org.admin.fault("job_retries", retries=3)
    api.org.admin.fault("job_retries", retries=16)
    again, failed = (api.finished_job("SELECT Id FROM User") for _ in range(2))

    assert (again["state"], again["retries"], again["numberRecordsProcessed"]) == ("JobComplete", 3, 1)
    assert (failed["state"], failed["retries"]) == ("Failed", 16)
    assert "more than 15 times" in failed["errorMessage"]


def test_results_vanish_seven_days_after_the_end(api: Caller) -> None:
    api.org.admin.freeze_clock()
    job_id = api.login().finished_job("SELECT Id FROM User")["id"]
    api.org.admin.advance_clock(7 * 86_400 + 1)
    api.login()

    assert [api.get(f"/jobs/query/{job_id}{rest}").status for rest in ("", "/results", "/resultPages")] == [
        404
    ] * 3
    assert api.get("/jobs/query").json()["records"] == []


def test_a_locator_behind_the_end_was_never_given(many: Caller) -> None:
    from lht.simulator.org.jobs.pages import locator_for

    job = many.finished_job("SELECT Id FROM User")
    end = locator_for(job["numberRecordsProcessed"])

    assert many.results(job["id"], locator=end).error[:2] == (400, "INVALIDQUERYLOCATOR")
