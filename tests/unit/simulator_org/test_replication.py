from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import ApiFault

if TYPE_CHECKING:
    from lht.simulator.org.org import Org

START, END = "2024-05-01T10:00:00Z", "2024-05-01T10:40:00+00:00"


def test_updated_lists_what_was_made_or_changed_and_still_lives(org: Org) -> None:
    live, gone = (org.records.create("Account", {"Name": name}) for name in "ab")
    org.records.delete("Account", gone)

    answer = org.replication.updated("Account", START, END)

    assert answer == {"ids": [live], "latestDateCovered": "2024-05-01T10:20:00.000+0000"}


def test_deleted_lists_what_went_with_its_time(org: Org) -> None:
    gone = org.records.create("Account", {"Name": "a"})
    org.records.delete("Account", gone)

    assert org.replication.deleted("Account", START, END) == {
        "deletedRecords": [{"id": gone, "deletedDate": "2024-05-01T10:20:30.000+0000"}],
        "earliestDateAvailable": "2024-04-16T10:20:00.000+0000",
        "latestDateCovered": "2024-05-01T10:20:00.000+0000",
    }


def test_undeleted_records_are_updated_and_no_longer_deleted(org: Org) -> None:
    made = org.records.create("Account", {"Name": "a"})
    org.records.delete("Account", made)
    org.records.undelete(made)

    assert org.replication.deleted("Account", START, END)["deletedRecords"] == []
    assert org.replication.updated("Account", START, END)["ids"] == [made]


def test_purged_records_stay_in_the_log_of_deletions(org: Org) -> None:
    made = org.records.create("Account", {"Name": "a"})
    org.records.delete("Account", made)
    org.records.purge("Account")

    assert [r["id"] for r in org.replication.deleted("Account", START, END)["deletedRecords"]] == [made]


def test_seconds_are_cut_to_minutes(org: Org) -> None:
    made = org.records.create("Account", {"Name": "a"})

    assert org.replication.updated("Account", "2024-05-01T10:20:59Z", "2024-05-01T10:25:00Z")["ids"] == [made]
    assert org.replication.updated("Account", "2024-05-01T10:00:00Z", "2024-05-01T10:20:59Z")["ids"] == []


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2024-05-01T10:20:00Z", "2024-05-01T10:21:00Z"),
        ("2024-05-01T10:20:00Z", "2024-05-01T10:21:59Z"),
        ("2024-05-01T10:20:00Z", "2024-05-01T10:00:00Z"),
        ("2024-05-01T10:00:00", "2024-05-01T10:20:00Z"),
        ("yesterday", "2024-05-01T10:20:00Z"),
        ("2024-03-01T10:00:00Z", "2024-05-01T10:20:00Z"),
    ],
)
def test_windows_too_short_too_old_or_unreadable_are_refused(org: Org, start: str, end: str) -> None:
    for ask in (org.replication.updated, org.replication.deleted):
        with pytest.raises(ApiFault) as fault:
            ask("Account", start, end)
        assert (fault.value.status, fault.value.code) == (400, "INVALID_REPLICATION_DATE")


def test_deletions_are_known_for_fifteen_days_and_changes_for_thirty(org: Org) -> None:
    start = "2024-04-10T00:00:00Z"

    assert org.replication.updated("Account", start, END)["ids"] == []
    with pytest.raises(ApiFault, match="INVALID_REPLICATION_DATE"):
        org.replication.deleted("Account", start, END)


def test_the_log_of_deletions_may_begin_later(org: Org) -> None:
    org.replication.settings.earliest_date_available = datetime(2024, 5, 1, 10, 10, tzinfo=UTC)

    with pytest.raises(ApiFault, match="INVALID_REPLICATION_DATE"):
        org.replication.deleted("Account", START, END)
    answer = org.replication.deleted("Account", "2024-05-01T10:10:00Z", END)
    assert answer["earliestDateAvailable"] == "2024-05-01T10:10:00.000+0000"


def test_an_open_transaction_holds_back_what_is_covered(org: Org) -> None:
    org.replication.settings.latest_date_covered = org.clock.now() - timedelta(minutes=10)

    assert (
        org.replication.updated("Account", START, END)["latestDateCovered"] == "2024-05-01T10:10:30.000+0000"
    )


def test_too_many_ids_are_refused(org: Org) -> None:
    org.replication.settings.most_ids = 1
    for name in "ab":
        org.records.create("Account", {"Name": name})

    with pytest.raises(ApiFault, match="EXCEEDED_ID_LIMIT"):
        org.replication.updated("Account", START, END)


def test_shares_cannot_be_replicated(org: Org) -> None:
    with pytest.raises(ApiFault, match="INVALID_TYPE_FOR_OPERATION"):
        org.replication.updated("AccountShare", START, END)


def test_history_is_replicated_by_its_creation(org: Org) -> None:
    org.records.create("Account", {"Name": "a"})

    assert len(org.replication.updated("AccountHistory", START, END)["ids"]) == 1


def test_hidden_records_are_neither_updated_nor_deleted(org: Org) -> None:
    live, gone = (org.records.create("Account", {"Name": name}) for name in "ab")
    org.records.delete("Account", gone)
    org.hide_records("Account", ids=[live, gone])

    assert org.replication.updated("Account", START, END)["ids"] == []
    assert org.replication.deleted("Account", START, END)["deletedRecords"] == []
