"""Measures reverse ETL beside floors taken in the same run, and prints the ratios; asserts nothing.

    python benchmarks/retl.py [--records 200000] [--repeats 3]

`plan`: a query of that many rows and 12 columns read, checked and encoded (`lht retl_insert --dry_run`), beside
DuckDB's own COPY of the same query to a CSV file. `upload`: that file into a job of the local org, beside `curl -T` of
the very same file into another. `insert`: the whole run of a process, the org's own work included; its floor is
DuckDB's COPY and the same jobs filled by curl, their waiting included.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb
from run import LHT, Cost, median, run, show
from serve import Org, local_org

if TYPE_CHECKING:
    from collections.abc import Callable

COLUMNS = {
    "Name": "'Account, no. ' || i",
    "AccountNumber": "'A-' || i",
    "Phone": "'+1 555 ' || i % 10000",
    "Fax": "CASE WHEN i % 3 = 0 THEN NULL ELSE '+1 555 ' || i % 999 END",
    "Website": "'https://example.com/' || i",
    "Site": "CASE WHEN i % 2 = 0 THEN 'Main \"A\"' ELSE 'Side' END",
    "Description": "'Line one of ' || i || chr(10) || 'line two'",
    "BillingStreet": "i || ' Long Street, 2nd floor'",
    "BillingCity": "'Zürich ' || i % 100",
    "BillingPostalCode": "CAST(8000 + i % 999 AS VARCHAR)",
    "NumberOfEmployees": "i % 5000",
    "AnnualRevenue": "CAST(i AS DECIMAL(18, 2)) / 100",
}
SQL = f"SELECT {', '.join(COLUMNS)} FROM wanted"
INGEST = "/services/data/v66.0/jobs/ingest"
ORDER = {"object": "Account", "operation": "insert", "contentType": "CSV"}
FLOOR = """
import duckdb, sys
database, sql, csv = sys.argv[1:]
with duckdb.connect(database, read_only=True) as connection:
    connection.execute(f"COPY ({sql}) TO '{csv}' (FORMAT csv, HEADER)")
"""
UPLOAD = """
import os, sys
from pathlib import Path
from lht.sfdc import ingest
from lht.sfdc.auth import Login
from lht.sfdc.org import Org
from lht.sfdc.transport import Transport
url, token, job, file = sys.argv[1:]
with Org(Login("bench", url, token), Transport(), api_version="66.0", owns_transport=True) as org:
    ingest.upload(org, job, Path(file))
"""


class Bench(NamedTuple):
    """A folder with a lake of rows to send, and the org to send them to."""

    folder: Path
    org: Org
    records: int

    @property
    def url(self) -> str:
        return f"http://{self.org.host}"

    @property
    def token(self) -> str:
        return self.org.headers["Authorization"].removeprefix("Bearer ")

    @property
    def csv(self) -> Path:
        return self.folder / "rows.csv"

    def insert(self, *more: str) -> Cost:
        lake = f"duckdb:///{self.folder}/lake.duckdb"
        return run(
            [*LHT, "retl_insert", "--sobject", "Account", "--sql", SQL, "--db_connect", lake, *more],
            self.folder,
        )

    def copy(self) -> Cost:
        lake = str(self.folder / "lake.duckdb")
        return run([sys.executable, "-c", FLOOR, lake, SQL, str(self.csv)], self.folder)

    def job(self) -> str:
        return str(self.org.send("POST", INGEST, json.dumps(ORDER))["id"])

    def upload(self) -> Cost:
        return run(
            [sys.executable, "-c", UPLOAD, self.url, self.token, self.job(), str(self.csv)], self.folder
        )

    def curl(self, job: str) -> Cost:
        headers = ["-H", f"Authorization: Bearer {self.token}", "-H", "Content-Type: text/csv"]
        where = f"{self.url}{INGEST}/{job}/batches"
        return run(["curl", "-sf", "-T", str(self.csv), *headers, where], self.folder)

    def by_hand(self) -> Cost:
        """The file written, uploaded and carried out, with nothing checked or recorded; one process at a time."""
        copied, job, started = self.copy(), self.job(), time.perf_counter()
        sent = self.curl(job)
        self.org.send("PATCH", f"{INGEST}/{job}", json.dumps({"state": "UploadComplete"}))
        while (state := self.org.send("GET", f"{INGEST}/{job}")["state"]) not in ("JobComplete", "Failed"):
            time.sleep(0.2)
        if state == "Failed":
            raise SystemExit("the org could not carry out the floor's job")
        wall = copied.wall_s + time.perf_counter() - started
        return Cost(wall, copied.cpu_s + sent.cpu_s, max(copied.peak_mb, sent.peak_mb))


def make_lake(path: Path, records: int) -> None:
    values = ", ".join(f"{value} AS {name}" for name, value in COLUMNS.items())
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"CREATE TABLE wanted AS SELECT {values} FROM range({records}) r(i)")


def measure(bench: Bench, repeats: int) -> list[tuple[str, Cost, Cost]]:
    def middle(act: Callable[[], Cost]) -> Cost:
        return median([act() for _ in range(repeats)])

    size = f"{bench.records:,} x {len(COLUMNS)}"
    found = [(f"plan, {size} / COPY", middle(lambda: bench.insert("--dry_run")), middle(bench.copy))]
    mb = bench.csv.stat().st_size / 1e6
    if mb < 100:
        floor = middle(lambda: bench.curl(bench.job()))
        found.append((f"upload, {mb:.0f} MB / curl -T", middle(bench.upload), floor))
        found.append((f"insert, {size} / COPY, curl, job", bench.insert(), bench.by_hand()))
    else:
        found.append((f"insert, {size} / COPY", bench.insert(), bench.copy()))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lht-bench-") as place, local_org(0) as org:
        bench = Bench(Path(place), org, asked.records)
        make_lake(bench.folder / "lake.duckdb", asked.records)
        os.environ |= {
            "LHT_SALESFORCE_ACCESS_TOKEN": bench.token,
            "LHT_SALESFORCE_INSTANCE_URL": bench.url,
            "LHT_CACHE_DIR": str(bench.folder / "cache"),
        }
        show(measure(bench, asked.repeats))
        print(f"largest resident set of the org: {org.peak_mb():.0f} MB")


if __name__ == "__main__":
    main()
