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
import string
import threading
from collections import Counter, OrderedDict
from contextlib import nullcontext
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import fakesnow.arrow
import fakesnow.converter
import fakesnow.copy_into
import fakesnow.cursor
import fakesnow.info_schema
import fakesnow.transforms
import pyarrow as pa
import pyarrow.compute as pc
from fakesnow.transforms import stage
from fakesnow.transforms.merge import operations
from fakesnow.transforms.options import parse_options
from sqlglot import exp, parse_one
from starlette.responses import JSONResponse
from starlette.routing import Route

from lht.testing.stand_in.catalog import what_create_says_is_kept
from lht.testing.stand_in.transactions import transactions_have_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from fakesnow.cursor import FakeSnowflakeCursor

SERVER: Any = import_module("fakesnow.server")
"""The module; the package holds a function of the same name."""
CURSOR: Any = fakesnow.cursor
ALL: Any = fakesnow.transforms
INFO: Any = fakesnow.info_schema
TRANSFORMS: Any = import_module("fakesnow.transforms.transforms")
EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - TIMESTAMP_NTZ has no zone
KEPT_RESULTS = 8
CREATE = re.compile(r"\s*CREATE\s", re.IGNORECASE)
WAREHOUSE = "STAND_IN_WH"
CURRENT_WAREHOUSE = re.compile(r"\bCURRENT_WAREHOUSE\(\)", re.IGNORECASE)
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


def merges_are_one_statement() -> None:
    """MERGE was several statements with a helper table: it failed after BEGIN, and for expressions in SET.

    It also kept half of its work where one part failed, and took a target row that two source rows match.
    DuckDB has a MERGE of its own, which is atomic and refuses such rows as Snowflake does.
    """
    usual_parts = CURSOR.FakeSnowflakeCursor._transform_explode
    usual = CURSOR.FakeSnowflakeCursor._execute

    def _transform_explode(self: FakeSnowflakeCursor, expression: Any) -> Any:
        return [expression] if isinstance(expression, exp.Merge) else usual_parts(self, expression)

    def _execute(self: FakeSnowflakeCursor, transformed: Any, params: Any = None) -> None:
        if not isinstance(transformed, exp.Merge):
            usual(self, transformed, params)
            return
        wanted = [name for name, places in operations(transformed).items() if places]
        transformed.set("returning", exp.Returning(expressions=[exp.column("merge_action")]))
        usual(self, transformed, params)
        done = Counter(str(row[0]) for row in self.fetchall())
        usual(self, _merge_counts(wanted, done))

    CURSOR.FakeSnowflakeCursor._transform_explode = _transform_explode
    CURSOR.FakeSnowflakeCursor._execute = _execute


def _merge_counts(wanted: list[str], done: Counter[str]) -> exp.Expression:
    actions = {"inserted": "INSERT", "updated": "UPDATE", "deleted": "DELETE"}
    told = [f'{done[actions[name]]} AS "number of rows {name}"' for name in wanted]
    counts: Any = parse_one(f"SELECT {', '.join(told)}")
    counts.set("merge_counts", value=True)
    return counts  # type: ignore[no-any-return]


def whole_numbers_have_38_digits() -> None:
    """NUMBER(38,0) was a column of 64 bits."""

    def integer_precision(expression: Any) -> Any:
        is_whole = isinstance(expression, exp.DataType) and expression.this == exp.DataType.Type.DECIMAL
        if is_whole and not expression.expressions:
            return exp.DataType.build("DECIMAL(38, 0)")
        return expression

    ALL.integer_precision = integer_precision


def sums_are_exact() -> None:
    """SUM of whole numbers was a float, for the sake of texts that are added up."""
    ALL.numeric_agg_implicit_cast = lambda expression: expression


def names_may_hold_apostrophes() -> None:
    """An apostrophe in the name of a table or column was a syntax error in what fakesnow tells and notes of it."""
    for module in (CURSOR, TRANSFORMS):
        for name, value in vars(module).items():
            if isinstance(value, string.Template):
                setattr(module, name, _Quoting(value.template))
    comment, lengths = INFO.insert_table_comment_sql, INFO.insert_text_lengths_sql
    INFO.insert_table_comment_sql = lambda *names: comment(*_doubled(names[:-1]), names[-1])
    INFO.insert_text_lengths_sql = lambda *names: lengths(
        *_doubled(names[:-1]), [(*_doubled([column]), size) for column, size in names[-1]]
    )


class _Quoting(string.Template):
    """A template whose values stand in quotes."""

    def substitute(self, mapping: Mapping[str, object] = {}, /, **values: object) -> str:
        return super().substitute(mapping, **dict(zip(values, _doubled(values.values()), strict=True)))


def _doubled(values: Iterable[object]) -> list[object]:
    return [value.replace("'", "''") if isinstance(value, str) else value for value in values]


def threads_may_create_at_once() -> None:
    """CREATE … IF NOT EXISTS by several sessions at once was a conflict for all but one."""
    usual = CURSOR.FakeSnowflakeCursor.execute
    one_at_a_time = threading.RLock()

    def execute(self: FakeSnowflakeCursor, command: str, *args: Any, **kwargs: Any) -> Any:
        with one_at_a_time if CREATE.match(command) else nullcontext():
            return usual(self, command, *args, **kwargs)

    CURSOR.FakeSnowflakeCursor.execute = execute


def copy_options_may_be_false() -> None:
    """FORCE = FALSE and PURGE = FALSE acted as TRUE: only their names were read."""
    usual = fakesnow.copy_into._params

    def _params(expr: Any, *args: Any, **kwargs: Any) -> Any:
        kept = [p for p in expr.args.get("params") or [] if not _is_off(p)]
        expr.set("params", kept)
        return usual(expr, *args, **kwargs)

    fakesnow.copy_into._params = _params


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


def copies_have_a_default_null() -> None:
    """COPY of Parquet never read NULL_IF: unless it says otherwise, a text of a backslash and an N becomes NULL."""
    usual = fakesnow.copy_into._inserts

    def _inserts(expr: Any, params: Any, *args: Any, **kwargs: Any) -> Any:
        found = usual(expr, params, *args, **kwargs)
        if isinstance(params.file_format, fakesnow.copy_into.ReadParquet):
            for insert in found:
                _empty(insert.expression.expressions, _null_texts(expr))
        return found

    fakesnow.copy_into._inserts = _inserts


def _null_texts(copy: Any) -> list[str]:
    formats = [p for p in copy.args.get("params") or [] if p.this.name.upper() == "FILE_FORMAT"]
    options = parse_options(formats[0].expressions) if formats else {}
    return [str(text) for text in options.get("NULL_IF", ["\\N"])]


def _empty(chosen: list[Any], texts: list[str]) -> None:
    """Puts NULL in the place of the values that are one of the texts."""
    for alias in chosen:
        if texts and isinstance(alias, exp.Alias) and isinstance(alias.this, exp.Column):
            is_null = exp.cast(alias.this.copy(), "VARCHAR").isin(*map(exp.Literal.string, texts))
            alias.set("this", exp.case().when(is_null, exp.null()).else_(alias.this.copy()))


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
    parts = stage.parts_from_var(name, cursor._conn.database, cursor._conn.schema)
    if not _stage_row(cursor, parts):
        raise stage.not_found_error(".".join(parts))
    root = Path(stage.internal_dir(".".join(parts)))
    gone = [f for f in root.rglob("*") if f.is_file() and str(f.relative_to(root)).startswith(path)]
    for file in gone:
        file.unlink()
    rows = [f"SELECT '{parts[2].lower()}/{f.relative_to(root)}' AS name, 'removed' AS result" for f in gone]
    return " UNION ALL ".join(rows) or "SELECT '' AS name, '' AS result WHERE FALSE"


def _drop_stage(cursor: FakeSnowflakeCursor, name: str, *, must_exist: bool) -> str:
    parts = stage.parts_from_var(name, cursor._conn.database, cursor._conn.schema)
    if must_exist and not _stage_row(cursor, parts):
        raise stage.not_found_error(".".join(parts))
    cursor._duck_conn.execute(
        "DELETE FROM _fs_global._fs_information_schema._fs_stages"
        " WHERE database_name = ? AND schema_name = ? AND name = ?",
        list(parts),
    )
    shutil.rmtree(stage.internal_dir(".".join(parts)), ignore_errors=True)
    return f"SELECT '{parts[2]} successfully dropped.' AS \"status\""


def _stage_row(cursor: FakeSnowflakeCursor, parts: tuple[str, str, str]) -> Any:
    return cursor._duck_conn.execute(
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
    first, second = (cursor._duck_conn.execute("SELECT txid_current()").fetchall() for _ in range(2))
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


def a_session_tells_its_warehouse() -> None:
    """CURRENT_WAREHOUSE() was no function: there is one warehouse, as Snowflake's answer is empty for any other."""
    usual = fakesnow.cursor.FakeSnowflakeCursor.execute

    def execute(self: FakeSnowflakeCursor, command: str, *args: Any, **kwargs: Any) -> FakeSnowflakeCursor:
        return usual(self, CURRENT_WAREHOUSE.sub(f"'{WAREHOUSE}'", command), *args, **kwargs)

    fakesnow.cursor.FakeSnowflakeCursor.execute = execute  # type: ignore[method-assign]


def uploads_have_whole_answers() -> None:
    """The answer to PUT lacked what connector 5 wants to know of the place, and said that nothing is overwritten."""
    usual = SERVER.gcs_stage_info

    def gcs_stage_info(request: Any, expr: Any, put_stage_data: dict[str, Any]) -> dict[str, Any]:
        put_stage_data["overwrite"] = True
        told = usual(request, expr, put_stage_data)
        return {"region": "us-central1", "path": "", "isClientSideEncrypted": False, **told}

    SERVER.gcs_stage_info = gcs_stage_info


MENDS: Mapping[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        empty_timestamps_stay_empty,
        merges_are_one_statement,
        whole_numbers_have_38_digits,
        sums_are_exact,
        threads_may_create_at_once,
        copy_options_may_be_false,
        copies_are_atomic,
        copies_have_a_default_null,
        files_can_be_removed,
        bound_values_are_exact,
        results_are_forgotten,
        places_are_not_made_by_logging_in,
        a_session_tells_its_warehouse,
        open_transactions_are_told,
        transactions_have_names,
        logins_have_whole_answers,
        uploads_have_whole_answers,
        what_create_says_is_kept,
        names_may_hold_apostrophes,
    )
}


def mend() -> None:
    """Mends everything."""
    for function in MENDS.values():
        function()
