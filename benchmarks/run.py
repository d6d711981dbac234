"""Measures LHT against floors taken in the same run, and prints the ratios; asserts nothing.

    python benchmarks/run.py [--records 1000000] [--repeats 3]

`help`: `lht --help` beside a bare interpreter. `sync`: a first full sync of Account, 40 fields, from the local org
into a DuckDB file, beside DuckDB's own `read_csv` of the very same rows with explicit types into a file.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import duckdb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIELDS = 40
LHT = [sys.executable, "-m", "lht"]
FLOOR = """
import duckdb, json, sys
types, csv, database = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
connection = duckdb.connect(database, config={"preserve_insertion_order": False})
connection.execute("SET TimeZone = 'UTC'")
connection.execute(
    "CREATE TABLE t AS SELECT * FROM read_csv(?, header=true, columns=?, max_line_size=4000000, parallel=false)",
    [csv, types],
)
"""


class Cost(NamedTuple):
    """One process: wall and CPU seconds, and its largest resident set in MB (10^6 bytes)."""

    wall_s: float
    cpu_s: float
    peak_mb: float


def run(command: list[str], folder: Path) -> Cost:
    """Runs a command to its end and asks the system what it cost; fails if the command does."""
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read() if process.stdout else b""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}:\n{output.decode()}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def median(costs: list[Cost]) -> Cost:
    return Cost(*(statistics.median(column) for column in zip(*costs, strict=True)))


@contextmanager
def local_org(folder: Path, records: int) -> Iterator[None]:
    """Starts a local org with that many Accounts, logs in to it, and stops it at the end."""
    command = [
        *LHT,
        "simulator",
        "start",
        "--port",
        "0",
        "--records",
        str(records),
        "--write_config",
        str(folder),
    ]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True) as org:
        try:
            while org.stdout and (line := org.stdout.readline()) and line.strip() != "ready":
                pass
            run([*LHT, "login"], folder)
            yield
        finally:
            org.terminate()


def fields(folder: Path) -> list[str]:
    """Names the first fields of Account that have a column."""
    told = subprocess.run(
        [*LHT, "describe", "Account", "--json"], cwd=folder, capture_output=True, check=True
    )
    return [field["name"] for field in json.loads(told.stdout)["fields"] if field["column"]][:FIELDS]


def bench_help(folder: Path) -> list[tuple[str, Cost, Cost]]:
    ours = median([run([*LHT, "--help"], folder) for _ in range(11)])
    floor = median([run([sys.executable, "-c", "pass"], folder) for _ in range(11)])
    return [("lht --help / bare interpreter", ours, floor)]


def bench_sync(folder: Path, records: int, repeats: int) -> list[tuple[str, Cost, Cost]]:
    with local_org(folder, records):
        chosen = [part for name in fields(folder) for part in ("--fields", name)]
        database = folder / "lake.duckdb"
        target = ["--sobject", "Account", "--table", "T", "--db_connect", f"duckdb:///{database}"]

        def sync() -> Cost:
            database.unlink(missing_ok=True)
            return run([*LHT, "sync", *target, *chosen], folder)

        ours = [sync() for _ in range(repeats)]
        csv = folder / "rows.csv"
        run(
            [
                *LHT,
                "query",
                "--bapi20",
                "--sobject",
                "Account",
                *chosen,
                "--include_deleted",
                "--output",
                str(csv),
            ],
            folder,
        )
    types = column_types(database, csv)
    floor = [read_csv(folder, types, csv) for _ in range(repeats)]
    return [(f"full sync, {records:,} x {FIELDS} / read_csv into a file", median(ours), median(floor))]


def column_types(database: Path, csv: Path) -> dict[str, str]:
    """Gives the types of the synced columns in the order of the file's header."""
    with duckdb.connect(str(database), read_only=True) as connection:
        types = {row[0]: row[1] for row in connection.execute("DESCRIBE T").fetchall()}
    with csv.open(encoding="utf-8") as file:
        header = [name.strip('"') for name in file.readline().strip().split(",")]
    return {name: types[name] for name in header}


def read_csv(folder: Path, types: dict[str, str], csv: Path) -> Cost:
    database = folder / "floor.duckdb"
    database.unlink(missing_ok=True)
    return run([sys.executable, "-c", FLOOR, json.dumps(types), str(csv), str(database)], folder)


def show(rows: list[tuple[str, Cost, Cost]]) -> None:
    print(f"{'measure':<52}{'wall s':>9}{'floor':>9}{'ratio':>8}{'cpu s':>8}{'peak MB':>9}{'floor':>8}")
    for name, ours, floor in rows:
        print(
            f"{name:<52}{ours.wall_s:>9.3f}{floor.wall_s:>9.3f}{ours.wall_s / floor.wall_s:>8.2f}"
            f"{ours.cpu_s:>8.2f}{ours.peak_mb:>9.0f}{floor.peak_mb:>8.0f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=200_000)
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    benches: list[Callable[[Path], list[tuple[str, Cost, Cost]]]] = [
        bench_help,
        lambda folder: bench_sync(folder, asked.records, asked.repeats),
    ]
    with tempfile.TemporaryDirectory(prefix="lht-bench-") as place:
        show([row for bench in benches for row in bench(Path(place))])


if __name__ == "__main__":
    main()
