"""The stand-in for Snowflake: how it starts and ends, and that each of its mends is needed, and mends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import snowflake.connector

from lht.testing import snowflake_stand_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lht.testing import StandIn, StandInDatabase

PATIENCE_S = 30
ASKED_AGAIN_S = 1
ROUNDS = 20


@contextmanager
def connected(database: StandInDatabase, timeout_s: int = PATIENCE_S) -> Iterator[Any]:
    with (
        snowflake.connector.connect(
            **database.options, paramstyle="qmark", network_timeout=timeout_s
        ) as connection,
        connection.cursor() as cursor,
    ):
        yield cursor


@pytest.fixture
def cursor(lht_snowflake: StandInDatabase) -> Iterator[Any]:
    with connected(lht_snowflake) as opened:
        yield opened


def rows(cursor: Any, sql: str, *values: object) -> list[tuple[Any, ...]]:
    return list(cursor.execute(sql, values or None).fetchall())


def refused(cursor: Any, sql: str) -> bool:
    try:
        cursor.execute(sql)
    except snowflake.connector.errors.Error:
        return True
    return False


# ---- each mend: what is seen with it, which is not seen without it


def empty_timestamps_stay_empty(cursor: Any) -> bool:
    read = rows(
        cursor,
        "SELECT CAST(NULL AS TIMESTAMP_NTZ) AS T UNION ALL SELECT '2024-01-02 03:04:05'::TIMESTAMP_NTZ",
    )
    return {row[0] for row in read} == {None, datetime.fromisoformat("2024-01-02T03:04:05")}


def merges_are_one_statement(cursor: Any) -> bool:
    merge = (
        "MERGE INTO T USING (SELECT 1 AS A, 'new' AS B UNION ALL SELECT 3, 'x') S ON T.A = S.A"
        " WHEN MATCHED AND S.B = 'x' THEN DELETE WHEN MATCHED THEN UPDATE SET B = coalesce(S.B, ?)"
        " WHEN NOT MATCHED THEN INSERT (A, B) VALUES (S.A, S.B)"
    )
    cursor.execute("CREATE TABLE T (A NUMBER(38,0), B VARCHAR)")
    cursor.execute("INSERT INTO T VALUES (1, 'old'), (3, 'old')")
    cursor.execute("BEGIN")
    try:
        told = rows(cursor, merge, "none")
    except snowflake.connector.errors.Error:
        return False
    cursor.execute("COMMIT")
    twice = "SELECT 1 AS A, 'a' AS B UNION ALL SELECT 1, 'b'"
    ambiguous = f"MERGE INTO T USING ({twice}) S ON T.A = S.A WHEN MATCHED THEN UPDATE SET B = S.B"
    return (
        told == [(0, 1, 1)] and refused(cursor, ambiguous) and rows(cursor, "SELECT * FROM T") == [(1, "new")]
    )


def whole_numbers_have_38_digits(cursor: Any) -> bool:
    cursor.execute("CREATE TABLE T (A NUMBER(38,0))")
    most = "9" * 38
    return not refused(cursor, f"INSERT INTO T VALUES ({most})") and rows(cursor, "SELECT * FROM T") == [
        (int(most),)
    ]


def sums_are_exact(cursor: Any) -> bool:
    ((total,),) = rows(cursor, "SELECT sum(A) AS S FROM (SELECT 9007199254740993 AS A)")
    return total == 9007199254740993 and isinstance(total, int)


def names_may_hold_apostrophes(cursor: Any) -> bool:
    if refused(cursor, """CREATE TABLE "it's" ("it's" VARCHAR)"""):
        return False
    return [row[0] for row in rows(cursor, """DESCRIBE TABLE "it's\"""")] == ["it's"]


def threads_may_create_at_once(cursor: Any) -> bool:
    sessions = [cursor, *(connected_like(cursor).cursor() for _ in range(3))]
    start = threading.Barrier(len(sessions))

    def create(session: Any, turn: int) -> bool:
        start.wait()
        return refused(session, f"CREATE SCHEMA IF NOT EXISTS {cursor.connection.database}.S{turn}")

    try:
        with ThreadPoolExecutor(len(sessions)) as pool:
            return not any(any(pool.map(create, sessions, [n] * len(sessions))) for n in range(ROUNDS))
    finally:
        for session in sessions[1:]:
            session.connection.close()


def connected_like(cursor: Any) -> Any:
    known = cursor.connection
    return snowflake.connector.connect(
        account=known.account, user=known.user, password="x", host=known.host, port=known.port, protocol="http",
        database=known.database, schema="PUBLIC", network_timeout=known.network_timeout,
    )  # fmt: skip


def staged(cursor: Any, folder: Path, *parts: list[object]) -> None:
    cursor.execute("CREATE TABLE T (A NUMBER(38,0))")
    cursor.execute("CREATE STAGE S")
    for number, part in enumerate(parts):
        file = folder / f"part{number}.parquet"
        pq.write_table(pa.table({"A": part}), file)
        cursor.execute(f"PUT 'file://{file}' @S/run/ AUTO_COMPRESS=FALSE")


COPY = (
    "COPY INTO T FROM @S/run/ FILE_FORMAT = (TYPE = PARQUET USE_LOGICAL_TYPE = TRUE)"
    " MATCH_BY_COLUMN_NAME = CASE_INSENSITIVE ON_ERROR = ABORT_STATEMENT"
)


def copy_options_may_be_false(cursor: Any) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        staged(cursor, Path(folder), [1])
    for _ in range(2):
        cursor.execute(f"{COPY} FORCE = FALSE PURGE = FALSE")
    return rows(cursor, "SELECT * FROM T") == [(1,)] and len(rows(cursor, "LIST @S")) == 1


def copies_are_atomic(cursor: Any) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        staged(cursor, Path(folder), [1], ["no number"])
    return refused(cursor, COPY) and rows(cursor, "SELECT * FROM T") == []


def copies_have_a_default_null(cursor: Any) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        staged(cursor, Path(folder), ["\\N", "N"])
    cursor.execute("CREATE TABLE TEXTS (A VARCHAR)")
    cursor.execute(COPY.replace("INTO T", "INTO TEXTS"))
    by_default = rows(cursor, "SELECT * FROM TEXTS ORDER BY A")
    cursor.execute("CREATE OR REPLACE TABLE TEXTS (A VARCHAR)")
    cursor.execute(
        COPY.replace("INTO T", "INTO TEXTS").replace("TYPE = PARQUET", "TYPE = PARQUET NULL_IF = ()")
        + " FORCE = TRUE"
    )
    return by_default == [("N",), (None,)] and rows(cursor, "SELECT * FROM TEXTS ORDER BY A") == [
        ("N",),
        ("\\N",),
    ]


def files_can_be_removed(cursor: Any) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        staged(cursor, Path(folder), [1])
    if refused(cursor, "REMOVE @S/other/") or rows(cursor, "LIST @S") == []:
        return False
    cursor.execute("REMOVE @S/run/")
    left = rows(cursor, "LIST @S")
    cursor.execute("DROP STAGE S")
    return left == [] and refused(cursor, "LIST @S") and refused(cursor, "DROP STAGE S")


def bound_values_are_exact(cursor: Any) -> bool:
    when = datetime.fromisoformat("2024-01-02T03:04:05.678901")
    try:
        read = rows(cursor, "SELECT CAST(? AS NUMBER(10,2)) AS A, ? AS B", Decimal("1.25"), when)
    except snowflake.connector.errors.Error:
        return False
    return read == [(Decimal("1.25"), when)]


def results_are_forgotten(cursor: Any) -> bool:
    first = cursor.execute("SELECT 1 AS A").sfqid
    for _ in range(20):
        cursor.execute("SELECT 2 AS A")
    return refused(cursor, f"SELECT * FROM TABLE(RESULT_SCAN('{first}'))")


def places_are_not_made_by_logging_in(cursor: Any) -> bool:
    known = cursor.connection
    options = {
        "account": known.account,
        "user": known.user,
        "password": "x",
        "host": known.host,
        "port": known.port,
    }
    with (
        snowflake.connector.connect(**options, protocol="http", database="NO_SUCH", schema="PUBLIC") as other,
        other.cursor() as there,
    ):
        return refused(there, "CREATE TABLE T (A VARCHAR)")


def what_create_says_is_kept(cursor: Any) -> bool:
    create = (
        """CREATE TRANSIENT TABLE T (A VARCHAR COMMENT 'it''s', B VARCHAR) CLUSTER BY (A, "B")"""
        " DATA_RETENTION_TIME_IN_DAYS = 0 COMMENT = 'that''s all'"
    )
    if refused(cursor, create):
        return False
    cursor.execute("ALTER TABLE T ADD COLUMN IF NOT EXISTS C NUMBER(38,0) COMMENT 'added'")
    cursor.execute("CREATE VIEW V COMMENT = 'view' AS SELECT A FROM T")
    options = "IS_TRANSIENT, CLUSTERING_KEY, RETENTION_TIME, COMMENT"
    return (
        rows(cursor, f"SELECT {options} FROM INFORMATION_SCHEMA.TABLES WHERE TABLE_NAME = 'T'")
        == [("YES", 'LINEAR(A, "B")', 0, "that's all")]
        and rows(cursor, "SELECT COMMENT FROM INFORMATION_SCHEMA.VIEWS WHERE TABLE_NAME = 'V'") == [("view",)]
        and [row[9] for row in rows(cursor, "DESCRIBE TABLE T")] == ["it's", None, "added"]
    )


def open_transactions_are_told(cursor: Any) -> bool:
    asking = "SELECT CURRENT_TRANSACTION() AS T"
    if refused(cursor, asking):
        return False
    outside = rows(cursor, asking)
    cursor.execute("BEGIN")
    first, second = rows(cursor, asking), rows(cursor, asking)
    return outside == [(None,)] and first == second and first[0][0] is not None


def transactions_have_names(cursor: Any) -> bool:
    if refused(cursor, "BEGIN TRANSACTION NAME lht_test"):
        return False
    with connected_like(cursor) as other, other.cursor() as elsewhere:
        ((number,),) = [row[:1] for row in rows(elsewhere, "SHOW TRANSACTIONS") if "lht_test" in row]
        rows(elsewhere, f"SELECT SYSTEM$ABORT_TRANSACTION({number}) AS TOLD")
        left = [row for row in rows(elsewhere, "SHOW TRANSACTIONS") if "lht_test" in row]
    return left == [] and rows(cursor, "SELECT CURRENT_TRANSACTION() AS T") == [(None,)]


def logins_have_whole_answers(cursor: Any) -> bool:
    known = cursor.connection
    body = json.dumps({"data": {"LOGIN_NAME": "lht", "SESSION_PARAMETERS": {}}}).encode()
    address = f"http://{known.host}:{known.port}/session/v1/login-request"
    with urllib.request.urlopen(urllib.request.Request(address, body)) as answer:
        told = json.load(answer)["data"]
    return {"masterToken", "sessionId"} <= set(told)


def a_session_tells_its_warehouse(cursor: Any) -> bool:
    return not refused(cursor, "SELECT CURRENT_WAREHOUSE()")


def uploads_have_whole_answers(cursor: Any) -> bool:
    cursor.execute("CREATE STAGE S")
    known = cursor.connection
    body = json.dumps({"sqlText": "PUT 'file:///x.csv' @S AUTO_COMPRESS=FALSE OVERWRITE=TRUE"}).encode()
    headers = {"Authorization": f'Snowflake Token="{known.rest.token}"'}
    address = f"http://{known.host}:{known.port}/queries/v1/query-request"
    with urllib.request.urlopen(urllib.request.Request(address, body, headers)) as answer:
        told = json.load(answer)["data"]
    return bool(told["overwrite"]) and "region" in told["stageInfo"]


SEEN: list[Callable[[Any], bool]] = [
    empty_timestamps_stay_empty,
    merges_are_one_statement,
    whole_numbers_have_38_digits,
    sums_are_exact,
    names_may_hold_apostrophes,
    threads_may_create_at_once,
    copy_options_may_be_false,
    copies_are_atomic,
    copies_have_a_default_null,
    files_can_be_removed,
    bound_values_are_exact,
    results_are_forgotten,
    places_are_not_made_by_logging_in,
    what_create_says_is_kept,
    open_transactions_are_told,
    transactions_have_names,
    logins_have_whole_answers,
    uploads_have_whole_answers,
    a_session_tells_its_warehouse,
]


@pytest.mark.parametrize("seen", SEEN, ids=lambda seen: seen.__name__)
def test_a_mend_mends(seen: Callable[[Any], bool], cursor: Any) -> None:
    assert seen(cursor)


@pytest.fixture(scope="module")
def unmended() -> Iterator[StandIn]:
    with snowflake_stand_in(mended=False) as stand_in:
        yield stand_in


@pytest.mark.parametrize("seen", SEEN, ids=lambda seen: seen.__name__)
def test_a_mend_is_still_needed(seen: Callable[[Any], bool], unmended: StandIn) -> None:
    with connected(unmended.database(), ASKED_AGAIN_S) as cursor:
        assert not seen(cursor)


def test_every_mend_is_tested() -> None:
    from lht.testing.stand_in.mends import MENDS

    assert set(MENDS) == {seen.__name__ for seen in SEEN}


# ---- what it tells and what goes wrong on demand


def test_statements_are_told_with_their_tags(lht_snowflake: StandInDatabase, cursor: Any) -> None:
    lht_snowflake.clear_statements()
    cursor.execute("SELECT 1 AS A", _statement_params={"QUERY_TAG": "mine"})
    refused(cursor, "SELECT * FROM NOWHERE")

    first, second = lht_snowflake.statements()
    assert (first["sql"], first["tag"], first["error"]) == ("SELECT 1 AS A", "mine", None)
    assert "NOWHERE" in second["error"]


def test_a_database_is_its_tests_own(
    lht_stand_in: StandIn, lht_snowflake: StandInDatabase, cursor: Any
) -> None:
    cursor.execute("CREATE TABLE T (A VARCHAR)")
    other = lht_stand_in.database()
    with connected(other) as elsewhere:
        assert refused(elsewhere, "SELECT * FROM T")
    lht_snowflake.clear_statements()

    assert other.statements() == lht_snowflake.statements() == []


def test_a_refusal_on_demand_comes_once(lht_snowflake: StandInDatabase, cursor: Any) -> None:
    lht_snowflake.fault("refuse", "SELECT 1", code="000625", message="too many waiters", sqlstate="57014")

    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="too many waiters") as caught:
        cursor.execute("SELECT 1 AS A")

    assert caught.value.errno == 625
    assert rows(cursor, "SELECT 1 AS A") == [(1,)]


def test_a_statement_whose_answer_is_lost_has_run(lht_snowflake: StandInDatabase, cursor: Any) -> None:
    cursor.execute("CREATE TABLE T (A VARCHAR)")
    lht_snowflake.fault("lose_answer", "INSERT")
    with (
        snowflake.connector.connect(**lht_snowflake.options, network_timeout=ASKED_AGAIN_S) as other,
        pytest.raises(snowflake.connector.errors.OperationalError),
    ):
        other.cursor().execute("INSERT INTO T VALUES ('once')")

    assert rows(cursor, "SELECT * FROM T") == [("once",)]


def test_a_session_ends_on_demand(lht_snowflake: StandInDatabase, cursor: Any) -> None:
    lht_snowflake.fault("end_session", "SELECT 1")

    with pytest.raises(snowflake.connector.errors.Error, match="Session no longer exists"):
        cursor.execute("SELECT 1 AS A")


def test_what_it_cannot_run_is_refused_at_once_with_the_reason(cursor: Any) -> None:
    cursor.execute("BEGIN")

    with pytest.raises(snowflake.connector.errors.ProgrammingError, match=r"cannot run this: .*transaction"):
        cursor.execute("BEGIN")


# ---- the process


def started(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lht.testing.stand_in", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def announced(process: subprocess.Popen[str]) -> dict[str, str]:
    assert process.stdout
    lines = iter(process.stdout.readline, "ready\n")
    return dict(line.rstrip("\n").split(": ", 1) for line in lines)


def test_it_prints_how_to_connect_writes_an_entry_and_stops_without_a_trace(tmp_path: Path) -> None:
    beside = {**os.environ, "TMPDIR": str(tmp_path)}
    with started("--database", "MINE", "--write-config", str(tmp_path / "config"), env=beside) as process:
        told = announced(process)
        process.terminate()
        _, complaint = process.communicate(timeout=PATIENCE_S)

    entry = tomllib.loads((tmp_path / "config" / "connections.toml").read_text())["snowflake"]
    assert (process.returncode, complaint) == (0, "")
    assert {key: str(value) for key, value in entry.items()} == {k: v for k, v in told.items() if k != "url"}
    assert told["host"] == "127.0.0.1"
    assert [path.name for path in tmp_path.iterdir()] == ["config"]


def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    script = (
        "import os, sys; from lht.testing import snowflake_stand_in\n"
        "with snowflake_stand_in() as stand_in:\n"
        "    print(stand_in.pid, flush=True); os._exit(1)"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    deadline = time.monotonic() + PATIENCE_S
    while Path(f"/proc/{int(ended.stdout)}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{int(ended.stdout)}").exists()
