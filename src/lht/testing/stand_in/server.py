"""The stand-in's own process: fakesnow's server with its faults mended, a log of statements, faults on demand."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
import re
import socket
import threading
import time
import warnings
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import uvicorn
from fakesnow import info_schema
from fakesnow.fakes import FakeSnowflakeConnection
from fakesnow.instance import GLOBAL_DATABASE_NAME
from fakesnow.transforms import show
from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lht.testing.stand_in.mends import SERVER, mend
from lht.testing.stand_in.speed import walk_once

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

QUERIES = "/queries/v1/query-request"
START_S = 60
NOTES = "notes.duckdb"
KEPT_STATEMENTS = 100_000
GONE = ("390111", "Session no longer exists. New login required to access the service.", "08001")


class Causes(logging.Handler):
    """Keeps what fakesnow only logs: why it could not run a statement."""

    latest = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Takes the exception out of a log record."""
        cause = record.exc_info[1] if record.exc_info else None
        if cause is not None:
            self.latest = f"{type(cause).__name__}: {cause}"


@dataclass(slots=True)
class Site:
    """What the stand-in's own routes know: the statements that came, and the faults that wait."""

    statements: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=KEPT_STATEMENTS))
    faults: list[dict[str, Any]] = field(default_factory=list)
    causes: Causes = field(default_factory=Causes)
    lost: set[str] = field(default_factory=set)

    async def query(self, request: Request) -> Response:
        """Runs a statement as fakesnow does, notes it, and brings on the fault that waits for it."""
        asked = await _body(request)
        request_id = request.query_params.get("requestId", "")
        if (
            request_id in self.lost
        ):  # the connector asks again for the answer: the statement does not run twice
            return _Broken()
        entry = _entry(request, asked)
        self.statements.append(entry)
        fault = self._fault_for(entry["sql"])
        if fault and fault["kind"] == "refuse":
            return _noted(entry, _refusal(fault["code"], fault["message"], fault["sqlstate"]))
        token = SERVER.to_token(request)
        if fault and fault["kind"] == "end_session":
            SERVER.sessions.pop(token, None)
        if token not in SERVER.sessions:
            return _noted(entry, _refusal(*GONE))
        began = time.perf_counter()
        answer: Response = await SERVER.query_request(request)
        entry["seconds"] = round(time.perf_counter() - began, 6)
        if fault and fault["kind"] == "lose_answer":
            self.lost.add(request_id)
            return _Broken()
        if fault and fault["kind"] == "delay":
            await asyncio.sleep(fault["seconds"])
        return _noted(entry, self._not_broken(answer))

    def _not_broken(self, answer: Response) -> Response:
        """What fakesnow cannot do is a refusal: for a broken server (500) the connector asks on until its time is up."""
        if answer.status_code < 500:  # noqa: PLR2004 - HTTP's server errors
            return answer
        return _refusal(
            "001003", f"The stand-in for Snowflake cannot run this: {self.causes.latest}", "0A000"
        )

    def _fault_for(self, sql: str) -> dict[str, Any] | None:
        for fault in self.faults:
            if re.search(fault["match"], sql, re.IGNORECASE | re.DOTALL):
                fault["skip"] -= 1
                if fault["skip"] < 0:
                    fault["times"] -= 1
                    if fault["times"] <= 0:
                        self.faults.remove(fault)
                    return fault
        return None

    async def list_statements(self, request: Request) -> Response:
        """Gives what came, oldest first; of one database only if it is named."""
        wanted = request.query_params.get("database")
        return JSONResponse([s for s in self.statements if not wanted or s["database"] == wanted.upper()])

    async def clear_statements(self, _: Request) -> Response:
        """Forgets what came."""
        self.statements.clear()
        return Response(status_code=204)

    async def add_fault(self, request: Request) -> Response:
        """Takes a fault: `kind`, `match` (a pattern found in the statement), and how often."""
        self.faults.append({"skip": 0, "times": 1} | await request.json())
        return Response(status_code=204)

    async def clear_faults(self, _: Request) -> Response:
        """Forgets the faults that wait."""
        self.faults.clear()
        return Response(status_code=204)

    async def create_database(self, request: Request) -> Response:
        """Creates a database with a schema PUBLIC, as Snowflake does."""
        name = request.path_params["name"]
        fs = SERVER.shared_fs
        session = FakeSnowflakeConnection(
            fs.duck_conn.cursor(), fs.results_cache, name, "PUBLIC", db_path=fs.db_path
        )
        session.close()
        return Response(status_code=204)

    async def drop_database(self, request: Request) -> Response:
        """Drops a database and ends the sessions that use it, so that its memory is free again."""
        name = request.path_params["name"].upper()
        for token, session in list(SERVER.sessions.items()):
            if session.database == name:
                del SERVER.sessions[token]
                session.close()
        SERVER.shared_fs.duck_conn.execute(f'DETACH DATABASE IF EXISTS "{name}"')
        return Response(status_code=204)

    def routes(self) -> list[Route]:
        """The stand-in's routes, and fakesnow's but for the one that is wrapped."""
        usual = [route for route in SERVER.routes if route.path != QUERIES]
        return [
            Route(QUERIES, self.query, methods=["POST"]),
            Route("/stand-in/statements", self.list_statements, methods=["GET"]),
            Route("/stand-in/statements", self.clear_statements, methods=["DELETE"]),
            Route("/stand-in/faults", self.add_fault, methods=["POST"]),
            Route("/stand-in/faults", self.clear_faults, methods=["DELETE"]),
            Route("/stand-in/databases/{name}", self.create_database, methods=["PUT"]),
            Route("/stand-in/databases/{name}", self.drop_database, methods=["DELETE"]),
            *usual,
        ]


class _Broken(Response):
    """No answer: the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's
        """Closes uvicorn's connection to the client, which ASGI has no word for."""
        cycle: Any = receive
        cycle.__self__.transport.abort()


async def _body(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    found: dict[str, Any] = json.loads(body)
    return found


def _entry(request: Request, asked: dict[str, Any]) -> dict[str, Any]:
    token = request.headers.get("Authorization", "")[17:-1]
    session = SERVER.sessions.get(token)
    parameters = asked.get("parameters") or {}
    return {
        "sql": asked["sqlText"],
        "tag": parameters.get("QUERY_TAG"),
        "parameters": parameters,
        "database": session.database if session else None,
        "session": token[:8],
        "error": None,
        "seconds": 0.0,
    }


def _noted(entry: dict[str, Any], answer: Response) -> Response:
    told = json.loads(bytes(answer.body)) if len(answer.body) < 1 << 16 else {}
    if told.get("success") is False:
        entry["error"] = f"{told.get('code')}: {told.get('message')}"
    return answer


def _refusal(code: str, message: str, sqlstate: str) -> Response:
    data = {"errorCode": code, "sqlState": sqlstate}
    return JSONResponse({"data": data, "code": code, "message": message, "success": False})


@contextmanager
def serving(host: str, port: int, *, mended: bool = True, path: Path | None = None) -> Iterator[int]:
    """Serves from a thread while the block runs; gives the port. `path` is a folder that keeps the databases."""
    walk_once()
    if mended:
        mend()
    if path:
        _keep_in(path)
    site = Site()
    _keep_quiet(site.causes)
    # The protocol is named, or asyncio leaves Nagle's algorithm on and each answer takes 40 ms more.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as bound:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
        app = Starlette(routes=site.routes())
        server = uvicorn.Server(
            uvicorn.Config(
                app,
                lifespan="off",
                log_config=None,
                access_log=False,
                timeout_keep_alive=120,
                timeout_graceful_shutdown=2,
            )
        )
        thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
        thread.start()
        _await_start(server, thread)
        try:
            yield bound.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
            SERVER.shared_fs.duck_conn.close()


def _keep_in(path: Path) -> None:
    """Has the databases in files, those of an earlier process too, with what fakesnow notes of their columns."""
    fs = SERVER.shared_fs
    fs.db_path = path
    path.mkdir(parents=True, exist_ok=True)
    fs.duck_conn.execute(f"DETACH {GLOBAL_DATABASE_NAME}")
    fs.duck_conn.execute(f"ATTACH '{_in_sql(path / NOTES)}' AS {GLOBAL_DATABASE_NAME}")
    fs.duck_conn.execute(info_schema.fs_global_creation_sql())
    fs.duck_conn.execute(show.fs_global_creation_sql())
    for file in sorted(path.glob("*.db")):
        FakeSnowflakeConnection(fs.duck_conn.cursor(), fs.results_cache, file.stem, db_path=path).close()


def _in_sql(path: Path) -> str:
    return str(path).replace("'", "''")


def _keep_quiet(causes: Causes) -> None:
    """Keeps what fakesnow and its parser tell about their own doing off the terminal of a test."""
    warnings.simplefilter("ignore")
    for name in ("sqlglot", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    log = logging.getLogger("fakesnow.server")
    log.handlers, log.propagate = [causes], False


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    deadline = time.monotonic() + START_S
    while not server.started:
        if not thread.is_alive() or time.monotonic() > deadline:
            raise RuntimeError("the stand-in did not start")
        time.sleep(0.005)
