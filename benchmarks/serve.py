"""Measures how fast the local org serves the results of a Bulk job, beside a bare copy of the same bytes.

    python benchmarks/serve.py [--records 1000000] [--repeats 3]

One job reads 40 fields of every Account; its pages are read to their end, plain and compressed, and thrown away. The
floor sends the very same bytes from a file through a socket on this machine to the same reader. Asserts nothing.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FIELDS, CHUNK = 40, 1 << 20
COMPOUND = {"address", "location", "base64"}
FLOOR = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as server:
    print(server.getsockname()[1], flush=True)
    while True:
        connection, _ = server.accept()
        with connection, open(sys.argv[1], "rb") as file:
            while chunk := file.read(1 << 20):
                connection.sendall(chunk)
"""


class Read(NamedTuple):
    """What one reading of all pages took, and how many bytes it was, sent and plain."""

    wall_s: float
    sent: int
    plain: int

    @property
    def rate(self) -> float:
        """Plain MB a second."""
        return self.plain / self.wall_s / 1e6


class Org:
    """A local org in a process of its own, called with nothing but the standard library."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        facts = dict(_line(process) for _ in range(5))
        while _line(process)[0] != "ready":
            pass
        self.process = process
        self.host = urllib.parse.urlsplit(facts["url"]).netloc
        form = {"grant_type": "client_credentials"} | {n: facts[n] for n in ("client_id", "client_secret")}
        body = urllib.parse.urlencode(form)
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        token = self.send("POST", "/services/oauth2/token", body, kind)["access_token"]
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def send(
        self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
    ) -> dict:
        connection = http.client.HTTPConnection(self.host)
        connection.request(method, path, body, headers or self.headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status not in (200, 201, 204):
            raise SystemExit(f"{method} {path}: {text.decode()}")
        return json.loads(text or b"{}")

    def job(self, soql: str) -> tuple[str, float]:
        """Runs a job to its end and gives its address and its seconds."""
        root = "/services/data/v66.0/jobs/query"
        started = time.perf_counter()
        job_id = self.send("POST", root, json.dumps({"operation": "queryAll", "query": soql}))["id"]
        while (status := self.send("GET", f"{root}/{job_id}"))["state"] not in ("JobComplete", "Failed"):
            time.sleep(0.05)
        if status["state"] != "JobComplete":
            raise SystemExit(f"the job failed: {status}")
        return f"{root}/{job_id}/results", time.perf_counter() - started

    def read(self, path: str, *, gzip: bool, keep: Path | None = None) -> Read:
        """Reads every page; the bytes are counted, inflated where they are packed, and kept only if asked for."""
        connection = http.client.HTTPConnection(self.host)
        headers = self.headers | ({"Accept-Encoding": "gzip"} if gzip else {})
        sent, plain, locator, started = 0, 0, "", time.perf_counter()
        with (keep or Path(os.devnull)).open("wb") as file:
            while locator != "null":
                connection.request("GET", path + (f"?locator={locator}" if locator else ""), headers=headers)
                answer = connection.getresponse()
                locator = answer.headers["Sforce-Locator"]
                inflate = zlib.decompressobj(31).decompress if gzip else bytes
                while chunk := answer.read(CHUNK):
                    text = inflate(chunk)
                    sent, plain = sent + len(chunk), plain + len(text)
                    if keep:
                        file.write(text)
        wall = time.perf_counter() - started
        connection.close()
        return Read(wall, sent, plain)

    def peak_mb(self) -> float:
        """The largest resident set so far, in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) * 1024 / 1e6


def _line(process: subprocess.Popen[str]) -> tuple[str, str]:
    line = process.stdout.readline() if process.stdout else ""
    if not line:
        raise SystemExit("the local org did not start")
    name, _, value = line.strip().partition(": ")
    return name, value


@contextmanager
def local_org(records: int) -> Iterator[Org]:
    command = [sys.executable, "-m", "lht", "simulator", "start", "--port", "0", "--records", str(records)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Org(process)
        finally:
            process.terminate()


@contextmanager
def copier(path: Path) -> Iterator[Callable[[], Read]]:
    """Gives a function that copies a file through a bare socket, from another process to this one."""
    command = [sys.executable, "-c", FLOOR, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        port = int(process.stdout.readline()) if process.stdout else 0

        def copy() -> Read:
            got, started = 0, time.perf_counter()
            with socket.create_connection(("127.0.0.1", port)) as connection:
                while chunk := connection.recv(CHUNK):
                    got += len(chunk)
            return Read(time.perf_counter() - started, got, got)

        try:
            yield copy
        finally:
            process.terminate()


def fields(org: Org) -> list[str]:
    told = org.send("GET", "/services/data/v66.0/sobjects/Account/describe")["fields"]
    return [field["name"] for field in told if field["type"] not in COMPOUND][:FIELDS]


def middle(reads: list[Read]) -> Read:
    return sorted(reads, key=lambda read: read.wall_s)[len(reads) // 2]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, local_org(options.records) as org:
        print(
            f"ready with {options.records:,} Accounts after {time.perf_counter() - started:.1f} s, {org.peak_mb():.0f} MB"
        )
        soql = f"SELECT {', '.join(fields(org))} FROM Account"
        jobs = [org.job(soql) for _ in range(options.repeats)]
        path = jobs[-1][0]
        csv = Path(folder) / "rows.csv"
        org.read(path, gzip=False, keep=csv)
        plain, packed, floors = [], [], []
        with copier(csv) as copy:
            for _ in range(options.repeats):
                floors.append(copy())
                plain.append(org.read(path, gzip=False))
                packed.append(org.read(path, gzip=True))
        report(
            statistics.median(seconds for _, seconds in jobs), middle(plain), middle(packed), middle(floors)
        )
        print(f"largest resident set of the org: {org.peak_mb():.0f} MB")


def report(job_s: float, plain: Read, packed: Read, floor: Read) -> None:
    print(f"job: {job_s:.1f} s for {plain.plain / 1e6:.0f} MB")
    print(
        f"plain: {plain.rate:.0f} MB/s; a bare copy {floor.rate:.0f} MB/s; ratio {plain.wall_s / floor.wall_s:.2f}"
    )
    print(
        f"gzip: {packed.rate:.0f} MB/s of text, inflated by the reader; {packed.sent / 1e6:.0f} MB sent; "
        f"ratio {packed.wall_s / floor.wall_s:.2f}"
    )


if __name__ == "__main__":
    main()
