"""Chunks of an ingest job that share parents meet at them; sorted by parent they do not."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.testing.caller import Caller

CHUNK = 200


def load(api: Caller, rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Makes contacts of names and accounts by one job; gives its failed rows, as error, name and account."""
    job = api.load("Contact", "insert", "\n".join(["LastName,AccountId", *map(",".join, rows)]) + "\n")
    return [row[1:] for row in api.get(f"/jobs/ingest/{job['id']}/failedResults").rows[1:]]


def test_mixed_children_meet_and_sorted_ones_do_not(api: Caller) -> None:
    accounts = [api.create("Account", Name=f"a{n}") for n in range(5)]
    mixed = [(f"c{n}", accounts[n % 5]) for n in range(5 * CHUNK)]
    in_order = sorted(mixed, key=lambda row: row[1])
    api.org.admin.change_settings(lock_rate=0.6, lock_seed=3)
    failed = load(api, mixed)
    retried = load(api, sorted((row[1:] for row in failed[:CHUNK]), key=lambda row: row[1]))

    assert 0 < len(failed) < len(mixed)
    assert {error for error, _, _ in failed} <= {
        f"UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record or 1 records: {account}:--"
        for account in accounts
    }
    assert retried == []
    assert load(api, in_order) == []
    api.org.admin.change_settings(parallel_chunks=1)
    assert load(api, mixed) == []
