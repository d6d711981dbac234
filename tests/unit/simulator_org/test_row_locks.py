"""Chunks at the same time meet at the parents that they share, and nowhere else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import ApiFault
from lht.simulator.org.org import Org
from lht.simulator.org.rules.contention import Flight
from lht.simulator.org.writes.write_options import WriteOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    made = Org.open()
    yield made
    made.close()


@pytest.fixture(scope="module")
def accounts(org: Org) -> list[str]:
    return [org.records.create("Account", {"Name": f"a{n}"}) for n in range(8)]


def flown(
    org: Org, chunks: Sequence[Sequence[str]], rate: float = 1.0, name: str = "job/1"
) -> list[list[bool]]:
    """Gives of each contact, made for an account in a chunk, whether it was refused for a lock."""
    flight = Flight(name, rate)
    return [[_refused(org, one, options) for one in chunk] for chunk in chunks for options in _begun(flight)]


def _begun(flight: Flight) -> Iterator[WriteOptions]:
    yield WriteOptions(locker=flight.chunk())


def _refused(org: Org, account: str, options: WriteOptions) -> bool:
    try:
        org.records.create("Contact", {"LastName": "c", "AccountId": account}, options)
    except ApiFault as fault:
        said = str(fault)
    else:
        return False
    assert (
        said
        == f"UNABLE_TO_LOCK_ROW: unable to obtain exclusive access to this record or 1 records: {account}"
    )
    return True


def test_children_of_one_parent_meet_only_across_chunks(org: Org, accounts: list[str]) -> None:
    a, b, c, *_ = accounts

    assert flown(org, [[a, a, b], [b, c, b], [a, c]]) == [
        [False] * 3, [True, False, True], [True, True],
    ]  # fmt: skip
    assert flown(org, [[a, a, a], [b, b], [c]]) == [[False] * 3, [False] * 2, [False]]
    assert flown(org, [[a, b], [b, a]], rate=0.0) == [[False] * 2] * 2


def test_the_draw_is_the_same_each_time_and_another_for_another_job(org: Org, accounts: list[str]) -> None:
    chunks = [accounts] * 6
    first, again, other = (flown(org, chunks, 0.5, name) for name in ("job/1", "job/1", "job/2"))

    assert first == again != other
    refused = sum(map(sum, first))
    assert 0 < refused < 5 * len(accounts)


def test_a_record_is_locked_itself_and_a_plain_lookup_only_when_it_moves(
    org: Org, accounts: list[str]
) -> None:
    a, b, *_ = accounts
    campaign = org.records.create("Campaign", {"Name": "c"})
    deals = [org.records.create("Opportunity", {
        "Name": "o", "StageName": "Prospecting", "CloseDate": "2026-01-01", "AccountId": one, "CampaignId": campaign,
    }) for one in (a, b)]  # fmt: skip
    flight = Flight("plain", 1.0)
    first, second, third = (WriteOptions(locker=flight.chunk()) for _ in range(3))
    org.records.update("Opportunity", deals[0], {"NextStep": "call"}, first)
    org.records.update("Opportunity", deals[1], {"NextStep": "call"}, second)
    org.records.update("Account", accounts[5], {"Phone": "1"}, second)

    with pytest.raises(ApiFault, match="UNABLE_TO_LOCK_ROW"):
        org.records.update("Account", accounts[5], {"Phone": "2"}, third)
    with pytest.raises(ApiFault, match="UNABLE_TO_LOCK_ROW"), org.db.transaction() as connection:
        org.records.delete_in(
            connection, org.catalog.need("Opportunity"), deals[0], third
        )  # its master is taken
