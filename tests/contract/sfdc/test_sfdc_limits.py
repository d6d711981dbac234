"""The org's daily limits, as a run is measured by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.errors import LimitExceededError
from lht.sfdc import limits, rest
from lht.sfdc.auth import Login
from lht.sfdc.org import Org
from lht.sfdc.transport import Transport
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.testing.simulator import LocalOrg


@pytest.fixture
def org(lht_simulator: LocalOrg) -> Iterator[Org]:
    token = Caller(lht_simulator).token().json()["access_token"]
    login = Login(username=lht_simulator.username, instance_url=lht_simulator.url, access_token=token)
    with Org(login, Transport(), owns_transport=True) as opened:
        yield opened


def test_the_newest_count_of_calls_is_taken(org: Org, lht_simulator: LocalOrg) -> None:
    rest.limits(org)
    before = limits.read_limits(org)
    lht_simulator.admin.use_limits(DailyApiRequests=1_000)
    rest.list_objects(org)

    known = limits.known_calls(org)

    assert known is not None
    assert known.used >= before[limits.CALLS].used + 1_000
    assert limits.read_limits(org)[limits.CALLS].used >= known.used
    assert {limits.BATCHES, limits.QUERY_JOBS, limits.QUERY_STORAGE_MB} <= before.keys()


def test_a_run_that_would_take_more_than_its_share_is_told_all_about_it(org: Org) -> None:
    allowed = limits.read_limits(org)[limits.CALLS].allowed
    known = {limits.BATCHES: limits.Limit(limits.BATCHES, 11_000, 15_000)}

    limits.check(org, known, {limits.BATCHES: 1_000, limits.QUERY_JOBS: 5}, 80)
    with pytest.raises(LimitExceededError) as caught:
        limits.check(org, known, {limits.BATCHES: 1_001}, 80)

    error = caught.value
    assert error.message.startswith(
        "DailyBulkApiBatches: 11,000 of 15,000 Bulk API batches are used in these 24 hours, and this run needs about 1,001 more."
    )
    assert "--api_budget 81" in error.hint
    assert " UTC)" in error.hint
    assert error.context == {"limit": limits.BATCHES, "used": 11_000, "allowed": 15_000, "needed": 1_001}
    with pytest.raises(LimitExceededError, match="DailyApiRequests"):
        limits.check(org, limits.read_limits(org), {limits.CALLS: allowed}, 80)


def test_query_jobs_are_checked_by_limits_asked_for_once_in_ten_minutes(
    org: Org, lht_simulator: LocalOrg
) -> None:
    for view in (org, org.for_object(), org):
        limits.check_query_job(view, 80)
    assert org.calls == 1

    lht_simulator.admin.use_limits(DailyBulkV2QueryJobs=8_000)
    lht_simulator.admin.advance_clock(601)
    rest.list_objects(org)

    with pytest.raises(LimitExceededError, match="DailyBulkV2QueryJobs: "):
        limits.check_query_job(org, 80)


def test_a_user_who_may_not_read_the_limits_is_measured_by_calls_alone(
    org: Org, lht_simulator: LocalOrg
) -> None:
    lht_simulator.admin.fault(
        "status", status=403, code="INSUFFICIENT_ACCESS", method="GET", path="*/limits*"
    )

    assert limits.read_limits(org).keys() <= {limits.CALLS}
    assert lht_simulator.admin.faults() == []
