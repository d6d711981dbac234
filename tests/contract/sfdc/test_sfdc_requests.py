"""REST and Bulk calls where a real org answers in ways that the local one does not."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lht.errors import RequestRejectedError, UnavailableError, UnknownObjectError
from lht.sfdc import bulk, rest
from lht.sfdc.auth import Login
from lht.sfdc.org import Org

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lht.sfdc.transport import Transport

START = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def org(script: Any, transport: Transport) -> Iterator[Org]:
    with Org(Login("me", script.url, "00D000000000001!AQ"), transport, api_version="66.0") as found:
        yield found


def by_path(**answers: Any) -> Callable[[Any], None]:
    """Answers by the last word of the path: a body, or a status with its error code."""

    def act(exchange: Any) -> None:
        word = exchange.path.partition("?")[0].rstrip("/").rsplit("/", 1)[1]
        answer = answers.get(word, (404, "NOT_FOUND"))
        if isinstance(answer, tuple):
            exchange.reply(answer[0], json.dumps([{"errorCode": answer[1], "message": "text"}]).encode())
        else:
            exchange.reply(200, json.dumps(answer).encode())

    return act


def stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"


def windowed(longest: timedelta, covered: datetime | None = None) -> Callable[[Any], None]:
    """getDeleted with one record per window, and too many of them in a window that is too long."""

    def act(exchange: Any) -> None:
        from urllib.parse import parse_qs, urlsplit

        asked = parse_qs(urlsplit(exchange.path).query)
        start, end = (datetime.fromisoformat(asked[key][0]) for key in ("start", "end"))
        if end - start > longest:
            exchange.reply(400, b'[{"errorCode":"EXCEEDED_ID_LIMIT","message":"too many"}]')
            return
        body = {
            "deletedRecords": [{"id": f"001{start:%H%M}", "deletedDate": stamp(start)}],
            "earliestDateAvailable": stamp(START - timedelta(days=10)),
            "latestDateCovered": stamp(min(end, covered) if covered else end),
        }
        exchange.reply(200, json.dumps(body).encode())

    return act


def test_a_window_with_too_many_ids_is_halved_until_it_fits(script: Any, org: Org) -> None:
    script.act = windowed(timedelta(hours=6))

    window = rest.deleted(org, "Account", START, START + timedelta(hours=20))

    assert [record.id for record in window.records] == ["0010000", "0010500", "0011000", "0011500"]
    assert window.covered_until == START + timedelta(hours=20)


def test_what_the_first_half_does_not_cover_ends_the_whole(script: Any, org: Org) -> None:
    covered = START + timedelta(hours=3)
    script.act = windowed(timedelta(hours=12), covered)

    assert rest.deleted(org, "Account", START, START + timedelta(hours=20)).covered_until == covered


def test_a_window_that_never_fits_is_not_halved_for_ever(script: Any, org: Org) -> None:
    script.act = windowed(timedelta(0))

    with pytest.raises(RequestRejectedError, match="EXCEEDED_ID_LIMIT"):
        rest.deleted(org, "Account", START, START + timedelta(hours=1))


def test_pages_follow_the_address_that_salesforce_gives(script: Any, org: Org) -> None:
    script.act = script.in_turn(
        script.status(200, b'{"records":[1],"nextRecordsUrl":"/services/data/v66.0/query/01g-2000"}'),
        script.status(200, b'{"records":[2],"done":true}'),
    )

    pages = list(rest.query_pages(org, "SELECT Id FROM A", include_deleted=True))

    assert [page["records"] for page in pages] == [[1], [2]]
    assert [path.partition("?")[0].rsplit("/", 1)[1] for _, path in script.seen] == ["queryAll", "01g-2000"]


def test_a_count_is_read_in_both_forms(script: Any, org: Org) -> None:
    aggregate = {"totalSize": 1, "records": [{"attributes": {"type": "AggregateResult"}, "expr0": 42}]}
    script.act = by_path(query={"totalSize": 7, "records": []}, queryAll=aggregate)

    assert rest.count(org, "SELECT COUNT() FROM A", include_deleted=False) == 7
    assert rest.count(org, "SELECT COUNT(Id) FROM A") == 42


def test_the_length_of_a_query_url_is_known_before_it_is_sent(script: Any, org: Org) -> None:
    script.act = script.status(200, b'{"records":[]}')

    length = rest.query_url_bytes(org, "SELECT Id FROM A", include_deleted=True)
    list(rest.query_pages(org, "SELECT Id FROM A", include_deleted=True))

    assert length == len(script.url + script.seen[0][1])


def test_an_object_unlike_any_other_names_the_list(script: Any, org: Org) -> None:
    script.act = by_path(sobjects={"sobjects": [{"name": "Account"}]})

    with pytest.raises(UnknownObjectError, match="lht objects"):
        rest.describe(org, "Zebra")


def test_a_custom_object_is_found_without_its_ending(script: Any, org: Org) -> None:
    script.act = by_path(sobjects={"sobjects": [{"name": "Invoice__c"}, {"name": "InvoiceLine"}]})

    with pytest.raises(UnknownObjectError, match="Did you mean Invoice__c"):
        rest.describe(org, "invoice")


def test_a_describe_that_fails_is_told(script: Any, org: Org) -> None:
    script.act = by_path(describe=(500, "UNKNOWN_EXCEPTION"))

    with pytest.raises(UnavailableError, match="describe of Account"):
        rest.describe(org, "Account")


def test_jobs_of_the_older_api_are_left_out_and_pages_followed(script: Any, org: Org) -> None:
    query = {
        "done": False,
        "nextRecordsUrl": "services/data/v66.0/jobs/more?queryLocator=x",
        "records": [{"id": "1", "jobType": "Classic"}, {"id": "2", "jobType": "V2Query"}],
    }
    script.act = by_path(
        query=query,
        more={"done": True, "records": [{"id": "3", "jobType": "V2Ingest", "nextRecordsUrl": None}]},
        ingest={"done": True, "records": [{"id": "3", "jobType": "V2Ingest"}, {"id": "4"}]},
    )

    assert [job.id for job in bulk.list_jobs(org)] == ["2", "3", "4"]


def test_a_list_that_points_at_itself_ends(script: Any, org: Org) -> None:
    script.act = by_path(query={"nextRecordsUrl": "jobs/query", "records": [{"id": "1"}]})

    assert {job.id for job in bulk.list_jobs(org)} == {"1"}


def test_an_ingest_job_is_found_too(script: Any, org: Org) -> None:
    def act(exchange: Any) -> None:
        if "/ingest/" in exchange.path:
            exchange.reply(
                200, b'{"id":"750","state":"JobComplete","operation":"insert","numberRecordsFailed":3}'
            )
        else:
            exchange.reply(404, b'[{"errorCode":"NOT_FOUND","message":"x"}]')

    script.act = act

    job = bulk.job_status(org, "750")

    assert (job.operation, job.records_failed) == ("insert", 3)


def test_a_job_that_cannot_be_aborted_is_told(script: Any, org: Org) -> None:
    script.act = script.status(
        400, b'[{"errorCode":"INVALIDJOBSTATE","message":"Aborting already Completed Job not allowed"}]'
    )

    with pytest.raises(RequestRejectedError, match="already Completed"):
        bulk.abort_job(org, "750")


@pytest.mark.parametrize("following", ["nextRecordsUrl", "nextRecordUrl"])
def test_result_pages_are_read_in_every_spelling(script: Any, org: Org, following: str) -> None:
    script.act = script.in_turn(
        script.status(200, b'{"id":"750","state":"JobComplete","apiVersion":60.0}'),
        script.status(
            200,
            json.dumps(
                {
                    "resultPages": [{"resultUrl": "services/data/v60.0/jobs/query/750/results?locator=A%3D"}],
                    following: "/services/data/v60.0/jobs/query/750/resultPages?locator=B",
                    "done": False,
                }
            ).encode(),
        ),
        script.status(
            200,
            b'{"resultPages":[{"resultUrl":"/services/data/v60.0/jobs/query/750/results?locator=C&maxRecords=5"}],"done":true}',
        ),
        script.status(200, b'"Id"'),
    )
    job = bulk.job_status(org, "750")

    places = list(bulk.result_pages(org, job))
    for place in places:
        with bulk.open_result(org, job.id, place, api_version=job.api_version) as page:
            assert b"".join(page.chunks()) == b'"Id"'

    whole = "/services/data/v60.0/jobs/query/750/results?locator=C&maxRecords=5"
    assert places == ["A=", whole]
    assert [path for _, path in script.seen[-2:]] == [
        "/services/data/v60.0/jobs/query/750/results?locator=A%3D",
        whole,
    ]
    assert "/services/data/v60.0/" in script.seen[1][1]


def test_the_locator_chain_asks_for_as_many_records_as_wanted(script: Any, org: Org) -> None:
    script.act = script.status(200, b'"Id"')

    for locator, wanted in ((None, None), (None, 50), ("X", 50)):
        with bulk.open_result(org, "750", locator, wanted) as page:
            list(page.chunks())

    asked = [path.partition("/results")[2] for _, path in script.seen]
    assert asked == ["", "?maxRecords=50", "?locator=X&maxRecords=50"]
