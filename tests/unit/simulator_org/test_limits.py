from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import ApiFault
from lht.simulator.org.limits.limits import API_REQUESTS, BULK_QUERY_JOBS

if TYPE_CHECKING:
    from lht.simulator.org.org import Org


def test_every_request_is_counted(org: Org) -> None:
    for _ in range(3):
        org.limits.take_request()

    assert org.limits.as_json()[API_REQUESTS] == {"Max": 15_000, "Remaining": 14_997}
    assert org.limits.usage_header() == "api-usage=3/15000"


def test_uses_are_forgotten_after_a_day(org: Org) -> None:
    org.limits.take_request()
    org.clock.move(25 * 3600)

    assert org.limits.used(API_REQUESTS) == 0


def test_no_request_is_taken_beyond_the_allowance(org: Org) -> None:
    org.limits.allowed[API_REQUESTS] = 1
    org.limits.take_request()

    with pytest.raises(ApiFault) as fault:
        org.limits.take_request()
    assert (fault.value.status, fault.value.code) == (403, "REQUEST_LIMIT_EXCEEDED")
    assert fault.value.message == "TotalRequests Limit exceeded."


def test_query_jobs_have_an_allowance_of_their_own(org: Org) -> None:
    org.limits.allowed[BULK_QUERY_JOBS] = 0

    with pytest.raises(
        ApiFault, match=r"LIMIT_EXCEEDED: Max bulk v2 query jobs \(0\) per 24 hrs has been reached"
    ):
        org.limits.take_query_job()


def test_what_clients_look_for_is_among_the_limits(org: Org) -> None:
    wanted = {
        "DailyApiRequests",
        "DailyBulkApiBatches",
        "DailyBulkV2QueryJobs",
        "DailyBulkV2QueryFileStorageMB",
    }

    assert wanted <= set(org.limits.as_json())
