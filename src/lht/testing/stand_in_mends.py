"""What fakesnow does otherwise than Snowflake's documentation says, and LHT's tests would trip over: put right.

Each function mends one fault, in the stand-in's own process, and says what the fault is. None may make LHT's work
easier than Snowflake does. tests/contract/test_stand_in.py shows each fault with the mend off, and gone with it on:
the day fakesnow mends one itself, that test fails, and the function can go.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import re
import shutil
from collections import OrderedDict
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fakesnow.arrow
import fakesnow.converter
import fakesnow.copy_into
import fakesnow.cursor
import pyarrow as pa
import pyarrow.compute as pc
from fakesnow.transforms import stage
from sqlglot import exp
from starlette.responses import JSONResponse
from starlette.routing import Route

from lht.testing.stand_in_catalog import what_create_says_is_kept

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fakesnow.cursor import FakeSnowflakeCursor

SERVER: Any = import_module("fakesnow.server")
"""The module; the package holds a function of the same name."""
CURSOR: Any = fakesnow.cursor
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - TIMESTAMP_NTZ has no zone
KEPT_RESULTS = 8
REMOVE = re.compile(r"\s*(?:REMOVE|RM)\s+'?(@[^';\s]+)'?\s*;?\s*", re.IGNORECASE)
CURRENT_TRANSACTION = re.compile(r"\bCURRENT_TRANSACTION\(\)", re.IGNORECASE)
DROP_STAGE = re.compile(r"\s*DROP\s+STAGE\s+(IF\s+EXISTS\s+)?([^\s;]+)\s*;?\s*", re.IGNORECASE)


def empty_timestamps_stay_empty() -> None:
    """A NULL timestamp came back as 1970-01-01: the struct that carries it had no validity of its own."""
    filled = fakesnow.arrow.timestamp_to_sf_struct

    def masked(ts: Any) -> Any:
        whole = ts.combine_chunks() if isinstance(ts, pa.ChunkedArray) else ts
        found: Any = filled(whole)
        fields = list(found.type)
        parts = [pc.fill_null(found.field(n), 0) for n in range(len(fields))]
        return pa.StructArray.from_arrays(parts, fields=fields, mask=pc.is_null(whole))

    fakesnow.arrow.timestamp_to_sf_struct = masked


def merges_run_in_transactions() -> None:
    """MERGE failed between BEGIN and COMMIT: its helper table's comment was noted in another database."""
    usual = fakesnow.cursor.FakeSnowflakeCursor._execute  # noqa: SLF001 - there is no other place

    def _execute(self: FakeSnowflakeCursor, transformed: Any, params: Any = None) -> None:
        if _is_merge_helper(transformed):
            self._duck_conn.execute(transformed.sql(dialect="duckdb"), params)
        else:
            usual(self, transformed, params)

    fakesnow.cursor.FakeSnowflakeCursor._execute = _execute  # type: ignore[method-assign]  # noqa: SLF001


def _is_merge_helper(statement: Any) -> bool:
    return (
        isinstance(statement, exp.Create)
        and isinstance(statement.this, exp.Table)
        and statement.this.name.upper() == "MERGE_CANDIDATES"
    )


def copy_options_may_be_false() -> None:
    """FORCE = FALSE and PURGE = FALSE acted as TRUE: only their names were read."""
    usual = fakesnow.copy_into._params  # noqa: SLF001 - there is no other place

    def _params(expr: Any, *args: Any, **kwargs: Any) -> Any:
        kept = [p for p in expr.args.get("params") or [] if not _is_off(p)]
        expr.set("params", kept)
        return usual(expr, *args, **kwargs)

    fakesnow.copy_into._params = _params  # noqa: SLF001


def _is_off(param: Any) -> bool:
    value = param.args.get("expression")
    return (
        param.this.name.upper() in {"FORCE", "PURGE"} and value is not None and value.sql().upper() == "FALSE"
    )


def copies_are_atomic() -> None:
    """A COPY of several files that failed kept those already loaded; Snowflake loads all or none (ABORT_STATEMENT)."""
    usual = CURSOR.copy_into

    def copy_into(duck_conn: Any, *args: Any, **kwargs: Any) -> str:
        duck_conn.begin()
        try:
            told: str = usual(duck_conn, *args, **kwargs)
        except BaseException:
            duck_conn.rollback()
            raise
        duck_conn.commit()
        duck_conn.execute(told)
        return told

    CURSOR.copy_into = copy_into


def files_can_be_removed() -> None:
    """REMOVE and DROP STAGE were syntax errors: here they remove the files, so that a test may look for leftovers."""
    usual = fakesnow.cursor.FakeSnowflakeCursor.execute

    def execute(self: FakeSnowflakeCursor, command: str, *args: Any, **kwargs: Any) -> FakeSnowflakeCursor:
        if found := REMOVE.fullmatch(command):
            return usual(self, _remove(self, found[1]), server=True)
        if found := DROP_STAGE.fullmatch(command):
            return usual(self, _drop_stage(self, found[2], must_exist=not found[1]), server=True)
        return usual(self, command, *args, **kwargs)

    fakesnow.cursor.FakeSnowflakeCursor.execute = execute  # type: ignore[method-assign]


def _remove(cursor: FakeSnowflakeCursor, place: str) -> str:
    name, _, path = place[1:].partition("/")
    parts = stage.parts_from_var(name, cursor._conn.database, cursor._conn.schema)  # noqa: SLF001
    if not _stage_row(cursor, parts):
        raise stage.not_found_error(".".join(parts))
    root = Path(stage.internal_dir(".".join(parts)))
    gone = [f for f in root.rglob("*") if f.is_file() and str(f.relative_to(root)).startswith(path)]
    for file in gone:
        file.unlink()
    rows = [f"SELECT '{parts[2].lower()}/{f.relative_to(root)}' AS name, 'removed' AS result" for f in gone]
    return " UNION ALL ".join(rows) or "SELECT '' AS name, '' AS result WHERE FALSE"


def _drop_stage(cursor: FakeSnowflakeCursor, name: str, *, must_exist: bool) -> str:
    parts = stage.parts_from_var(name, cursor._conn.database, cursor._conn.schema)  # noqa: SLF001
    if must_exist and not _stage_row(cursor, parts):
        raise stage.not_found_error(".".join(parts))
    cursor._duck_conn.execute(  # noqa: SLF001
        "DELETE FROM _fs_global._fs_information_schema._fs_stages"
        " WHERE database_name = ? AND schema_name = ? AND name = ?",
        list(parts),
    )
    shutil.rmtree(stage.internal_dir(".".join(parts)), ignore_errors=True)
    return f"SELECT '{parts[2]} successfully dropped.' AS \"status\""


def _stage_row(cursor: FakeSnowflakeCursor, parts: tuple[str, str, str]) -> Any:
    return cursor._duck_conn.execute(  # noqa: SLF001
        "SELECT 1 FROM _fs_global._fs_information_schema._fs_stages"
        " WHERE database_name = ? AND schema_name = ? AND name = ?",
        list(parts),
    ).fetchone()


def bound_values_are_exact() -> None:
    """Bound timestamps went through floats and got a zone, and a bound decimal was an error."""
    usual = SERVER.from_binding

    def from_binding(binding: dict[str, Any]) -> Any:
        value = binding["value"]
        if value is None:
            return None
        if binding["type"] == "TIMESTAMP_NTZ":
            return EPOCH + dt.timedelta(microseconds=int(value) // 1000)
        if binding["type"] == "TIME":
            return (EPOCH + dt.timedelta(microseconds=int(value) // 1000)).time()
        if binding["type"] == "FIXED" and not value.lstrip("+-").isdigit():
            return decimal.Decimal(value)
        return usual(binding)

    SERVER.from_binding = from_binding


def results_are_forgotten() -> None:
    """Every result was kept for RESULT_SCAN until the process ended: here the newest few."""
    SERVER.shared_fs.results_cache = _Newest()


class _Newest(OrderedDict[str, tuple[Any, ...]]):
    def __setitem__(self, key: str, value: tuple[Any, ...]) -> None:
        super().__setitem__(key, value)
        while len(self) > KEPT_RESULTS:
            self.popitem(last=False)


def places_are_not_made_by_logging_in() -> None:
    """A login created the database and schema that it named; Snowflake's leaves them unset where they are missing."""
    SERVER.shared_fs.create_database_on_connect = False
    SERVER.shared_fs.create_schema_on_connect = False


def open_transactions_are_told() -> None:
    """CURRENT_TRANSACTION() was unknown: Snowflake's gives the open transaction's number, or NULL."""
    usual = fakesnow.cursor.FakeSnowflakeCursor.execute

    def execute(self: FakeSnowflakeCursor, command: str, *args: Any, **kwargs: Any) -> FakeSnowflakeCursor:
        if CURRENT_TRANSACTION.search(command):
            command = CURRENT_TRANSACTION.sub(_current_transaction(self), command)
        return usual(self, command, *args, **kwargs)

    fakesnow.cursor.FakeSnowflakeCursor.execute = execute  # type: ignore[method-assign]


def _current_transaction(cursor: FakeSnowflakeCursor) -> str:
    """Outside transactions every statement of DuckDB's has a transaction of its own."""
    first, second = (
        cursor._duck_conn.execute("SELECT txid_current()").fetchall()  # noqa: SLF001
        for _ in range(2)
    )
    return f"'{first[0][0]}'" if first == second else "CAST(NULL AS VARCHAR)"


def logins_have_whole_answers() -> None:
    """A login's answer lacked the master token and the session's number, without which connector 5 refuses it."""
    usual = SERVER.login_request

    async def login_request(request: Any) -> Any:
        answer = await usual(request)
        told = json.loads(answer.body)
        if told.get("success"):
            token = told["data"]["token"]
            told["data"] |= {"masterToken": token, "sessionId": abs(hash(token)), "validityInSeconds": 3600}
            told["data"] |= {"masterValidityInSeconds": 14400}
        return JSONResponse(told, status_code=answer.status_code)

    SERVER.login_request = login_request
    SERVER.routes[:] = [
        Route(route.path, login_request, methods=["POST"]) if "login-request" in route.path else route
        for route in SERVER.routes
    ]


MENDS: Mapping[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        empty_timestamps_stay_empty,
        merges_run_in_transactions,
        copy_options_may_be_false,
        copies_are_atomic,
        files_can_be_removed,
        bound_values_are_exact,
        results_are_forgotten,
        places_are_not_made_by_logging_in,
        open_transactions_are_told,
        logins_have_whole_answers,
        what_create_says_is_kept,
    )
}


def mend() -> None:
    """Mends everything."""
    for function in MENDS.values():
        function()
