"""Measures how fast the local org writes records, beside the same number of rows inserted by plain DuckDB statements.

    python benchmarks/write.py [--records 100000] [--repeats 3]

Collections of 200 records are made, changed and deleted over HTTP, of objects that bring history, shares and figures
with them; then single records. The floor of each is DuckDB making, changing and deleting as many bare rows in a table
as large, by one statement. Asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
import urllib.parse
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
from serve import Org, local_org

if TYPE_CHECKING:
    from collections.abc import Callable

MANY = 200
ROOT = "/services/data/v66.0"
BODIES: dict[str, dict[str, object]] = {
    "Account": {"Name": "New", "Industry": "Banking", "Phone": "+1 555 0100", "AnnualRevenue": 5},
    "Contact": {"LastName": "New", "Email": "new@example.com", "Title": "Buyer"},
    "Opportunity": {"Name": "New", "StageName": "Prospecting", "CloseDate": "2030-05-05", "Amount": 5},
    "Case": {"Subject": "New", "Origin": "Web", "Status": "New"},
}
CHANGES: dict[str, dict[str, object]] = {
    "Account": {"Industry": "Energy"},
    "Contact": {"Title": "Seller"},
    "Opportunity": {"StageName": "Qualification"},
    "Case": {"Priority": "High"},
}


class Measure(NamedTuple):
    """What was done to how many records, its seconds, and those of the bare rows."""

    what: str
    records: int
    wall_s: float
    floor_s: float


def timed(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def some_ids(org: Org, name: str, count: int) -> list[str]:
    """Gives records from all over the table."""
    soql = urllib.parse.quote(f"SELECT Id FROM {name} ORDER BY Id LIMIT 2000")
    first = org.send("GET", f"{ROOT}/query?q={soql}")["records"]
    return [record["Id"] for record in random.Random(5).sample(first, count)]


def saved(results: list[dict[str, Any]]) -> list[str]:
    failed = [one["errors"] for one in results if not one["success"]]
    if failed:
        raise SystemExit(f"{len(failed)} records were refused: {failed[0]}")
    return [one["id"] for one in results]


class Collections:
    """The calls for many records of one object."""

    def __init__(self, org: Org, name: str) -> None:
        self._org, self._name = org, name
        self._parents = some_ids(org, "Account", MANY)
        self._known = some_ids(org, name, MANY)
        self.made: list[str] = []

    def create(self) -> None:
        kind = {"attributes": {"type": self._name}}
        parents: list[dict[str, object]] = [{"AccountId": account} for account in self._parents]
        if self._name == "Account":
            parents = [{} for _ in parents]
        records = [BODIES[self._name] | parent | kind for parent in parents]
        self.made = saved(self._send("POST", {"records": records}))

    def update(self) -> None:
        kind = {"attributes": {"type": self._name}}
        records = [{"Id": record_id, **CHANGES[self._name], **kind} for record_id in self._known]
        saved(self._send("PATCH", {"records": records}))

    def delete(self) -> None:
        listed = urllib.parse.quote(",".join(self.made))
        saved(self._org.send("DELETE", f"{ROOT}/composite/sobjects?ids={listed}"))

    def _send(self, method: str, body: dict[str, Any]) -> list[dict[str, Any]]:
        return self._org.send(method, f"{ROOT}/composite/sobjects", json.dumps(body))  # type: ignore[return-value]  # a list


def floors(records: int, repeats: int, count: int) -> dict[str, float]:
    """Makes, changes and deletes that many bare rows of 60 columns."""
    with duckdb.connect() as connection:
        columns = ", ".join(f"'some text ' || i AS c{number}" for number in range(59))
        connection.execute(f"CREATE TABLE t AS SELECT i, {columns} FROM range({records}) r(i)")
        chosen = f"i IN (SELECT unnest(range({count})) * greatest({records} // {count}, 1))"
        statements = {
            "create": f"INSERT INTO t SELECT i, {columns} FROM range({records}, {records + count}) r(i)",
            "update": f"UPDATE t SET c1 = 'new', c2 = 'new' WHERE {chosen}",
            "delete": f"DELETE FROM t WHERE {chosen}",
        }
        taken: dict[str, list[float]] = {verb: [] for verb in statements}
        for _ in range(repeats):
            for verb, sql in statements.items():
                taken[verb].append(timed(lambda sql=sql: connection.execute(sql)))
        return {verb: statistics.median(found) for verb, found in taken.items()}


def measures(org: Org, records: int, repeats: int) -> list[Measure]:
    bare, found = floors(records, repeats, MANY), list[Measure]()
    for name in BODIES:
        sets, times = Collections(org, name), {verb: list[float]() for verb in bare}
        for _ in range(repeats):
            for verb, taken in times.items():
                taken.append(timed(getattr(sets, verb)))
        found += [
            Measure(f"{verb} {name}", MANY, statistics.median(taken), bare[verb])
            for verb, taken in times.items()
        ]
    bare = floors(records, repeats, 1)
    return found + [one for name in BODIES for one in singles(org, name, bare)]


def singles(org: Org, name: str, bare: dict[str, float]) -> list[Measure]:
    made: list[str] = []
    root = f"{ROOT}/sobjects/{name}"
    changed = iter(some_ids(org, name, 10))
    acts: dict[str, Callable[[], object]] = {
        "create": lambda: made.append(org.send("POST", root, json.dumps(BODIES[name]))["id"]),
        "update": lambda: org.send("PATCH", f"{root}/{next(changed)}", json.dumps(CHANGES[name])),
        "delete": lambda: org.send("DELETE", f"{root}/{made.pop()}"),
    }
    return [
        Measure(f"{verb} {name}", 1, statistics.median(timed(act) for _ in range(10)), bare[verb])
        for verb, act in acts.items()
    ]


def show(found: list[Measure]) -> None:
    print(f"{'measure':<24}{'records':>8}{'ms':>9}{'floor ms':>10}{'ratio':>8}")
    for one in found:
        ratio = one.wall_s / one.floor_s
        print(
            f"{one.what:<24}{one.records:>8}{one.wall_s * 1e3:>9.1f}{one.floor_s * 1e3:>10.1f}{ratio:>8.1f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with local_org(options.records) as org:
        print(f"{options.records:,} Accounts: {org.peak_mb():.0f} MB")
        show(measures(org, options.records, options.repeats))
        print(f"largest resident set of the org: {org.peak_mb():.0f} MB")


if __name__ == "__main__":
    main()
