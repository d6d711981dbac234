"""A stand-in for Snowflake on this machine: fakesnow's server in a process of its own, spoken to over HTTP.

`with snowflake_stand_in() as stand_in:` for a test; `python -m lht.testing.stand_in` for a person. What it can show and
what only a real account can is in docs/snowflake.md.

`__main__` is the program and `server` its process: fakesnow with its faults mended (`mends`, `catalog`,
`transactions`) and made quicker (`speed`). Only these load fakesnow.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"
TIMEOUT_S = 60
PIP_LINE = "The stand-in for Snowflake needs fakesnow: pip install 'lht[testing]'"
DATABASE = "LHT_DEMO"


class StandInError(Exception):
    """The stand-in could not start, or refused what a test asked of it."""


@dataclass(frozen=True, slots=True)
class StandInDatabase:
    """A database of the stand-in: how to connect to it, and what was asked of it."""

    stand_in: StandIn
    name: str

    @property
    def options(self) -> dict[str, Any]:
        """The connector's keyword arguments; a new dict each time."""
        return self.stand_in.options_for(self.name)

    def statements(self) -> list[dict[str, Any]]:
        """What sessions of this database sent: `sql`, `tag`, `parameters`, `session`, `error` (None: it ran), `seconds`.

        A PUT comes twice: the connector asks a second time for where to send the file.
        """
        found = self.stand_in.call("GET", f"/statements?database={urllib.parse.quote(self.name)}")
        return list(found)

    def clear_statements(self) -> None:
        """Forgets what was sent."""
        self.stand_in.call("DELETE", "/statements")

    def fault(self, kind: str, match: str, **facts: Any) -> None:
        """Makes statements go wrong in which the pattern `match` is found; once, unless `times` says otherwise.

        `refuse` answers with `code`, `message` and `sqlstate`; `lose_answer` runs it and breaks the connection;
        `end_session` answers that the session is gone; `delay` answers after `seconds`. `skip` lets some pass first.
        """
        self.stand_in.call("POST", "/faults", _FACTS.get(kind, {}) | {"kind": kind, "match": match} | facts)

    def clear_faults(self) -> None:
        """Forgets the faults that still wait."""
        self.stand_in.call("DELETE", "/faults")

    def write_connection(self, folder: Path, name: str = "snowflake") -> Path:
        """Adds an entry to `connections.toml` in a folder, which only its owner may read; gives the file."""
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "connections.toml"
        file.touch(mode=0o600)
        lines = [f"{key} = {json.dumps(value)}" for key, value in self.options.items()]
        before = file.read_text(encoding="utf-8")
        file.write_text("\n".join([*before.splitlines(), f"[{name}]", *lines, ""]), encoding="utf-8")
        return file

    def drop(self) -> None:
        """Drops the database; its sessions end."""
        self.stand_in.call("DELETE", f"/databases/{urllib.parse.quote(self.name)}")


_FACTS = {
    "refuse": {"code": "000603", "message": "Processing aborted by a fault on demand.", "sqlstate": "XX000"}
}


@dataclass(frozen=True, slots=True)
class StandIn:
    """A running stand-in."""

    url: str
    host: str
    port: int
    pid: int

    @property
    def options(self) -> dict[str, Any]:
        """The connector's keyword arguments for the database that is there from the start."""
        return self.options_for(DATABASE)

    def options_for(self, database: str) -> dict[str, Any]:
        """The connector's keyword arguments for a database."""
        return {
            "account": "lht_stand_in",
            "user": "lht",
            "password": "stand-in",
            "host": self.host,
            "port": self.port,
            "protocol": "http",
            "database": database,
            "schema": "PUBLIC",
            "warehouse": "STAND_IN_WH",
        }

    def database(self, name: str | None = None) -> StandInDatabase:
        """Makes a database with nothing but a schema PUBLIC; of a name of its own, unless one is given."""
        made = StandInDatabase(self, name or f"T_{uuid.uuid4().hex[:12].upper()}")
        self.call("PUT", f"/databases/{urllib.parse.quote(made.name)}")
        return made

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Calls one of the stand-in's own routes; raises StandInError if it refuses."""
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}/stand-in{path}", data=data, method=method)  # noqa: S310 - our own
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=TIMEOUT_S) as answer:
                text = answer.read()
        except OSError as error:
            raise StandInError(f"{method} {path}: {error}") from error
        return json.loads(text) if text else None


@contextmanager
def snowflake_stand_in(*, python: str | None = None, mended: bool = True) -> Iterator[StandIn]:
    """Starts a stand-in and ends it with the block; it also ends when this process dies.

    `python` is another interpreter that has LHT with fakesnow. `mended=False` leaves fakesnow as it is, for the tests of the mends.
    """
    require_fakesnow()
    command = [python or sys.executable, "-m", "lht.testing.stand_in", "--port", "0", "--until-stdin-ends"]
    command += [] if mended else ["--unmended"]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            told = _announced(process)
            yield StandIn(told["url"], told["host"], int(told["port"]), process.pid)
        finally:
            process.terminate()


def _announced(process: subprocess.Popen[str]) -> dict[str, str]:
    told: dict[str, str] = {}
    for line in process.stdout or ():
        if line == "ready\n":
            return told
        name, _, value = line.rstrip("\n").partition(": ")
        told[name] = value
    raise StandInError("the stand-in ended before it was ready; what it said is above")


def require_fakesnow() -> None:
    """Raises StandInError where the stand-in is not installed."""
    if find_spec("fakesnow") is None or find_spec("duckdb") is None:
        raise StandInError(PIP_LINE)
