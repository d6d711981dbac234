"""Sessions of a caller's on the stand-in: the real Snowpark Session and the real connector, and nothing of them changed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import snowflake.connector
from snowflake.snowpark import Session

import lht
from lht import errors
from lht.model.table import Column, ColumnKind, ColumnType
from lht.salesforce import sobject_create, sobject_sync
from lht.testing import simulator
from lht.warehouse.snowflake.connect import open_snowflake
from lht.warehouse.snowflake.sessions import from_session
from lht.warehouse.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.testing import LocalOrg
    from lht.testing.stand_in import StandInDatabase
    from lht.warehouse.snowflake.adapter import SnowflakeWarehouse

STYLES = ("pyformat", "format", "qmark", "numeric")
ID = Column("ID", ColumnType(ColumnKind.TEXT, length=18))


@pytest.fixture
def connection(lht_snowflake: StandInDatabase) -> Iterator[Any]:
    with snowflake.connector.connect(**lht_snowflake.options) as opened:
        yield opened


@pytest.fixture
def own(lht_snowflake: StandInDatabase) -> Iterator[SnowflakeWarehouse]:
    with open_snowflake(lht_snowflake.options, name="prod") as opened:
        yield opened


def settings_of(connection: Any) -> dict[str, object]:
    """What a caller could find changed."""
    names = ("arrow_number_to_decimal", "is_pyformat", "database", "schema", "role", "warehouse")
    return {name: getattr(connection, name) for name in names} | {"style": connection._paramstyle}


def numbers(warehouse: SnowflakeWarehouse, table: str = "T") -> list[object]:
    return [row[0] for row in warehouse.query(Statement(f"SELECT N FROM {table} ORDER BY N"))]


# ---- what is a session


def test_a_snowpark_session_is_a_warehouse(connection: Any) -> None:
    session = Session.builder.configs({"connection": connection}).create()
    before = settings_of(connection)

    with lht.connect_warehouse(session) as warehouse:
        warehouse.execute(Statement("CREATE TABLE T (ID VARCHAR(18), N NUMBER(10, 2))"))
        with warehouse.transaction():
            warehouse.execute(Statement("INSERT INTO T VALUES (?, ?)", ("001", Decimal("1.25"))))
        found = warehouse.query(Statement("SELECT ID, N FROM T WHERE ID = ?", ("001",)))

    assert found == [("001", Decimal("1.25"))]
    assert settings_of(connection) == before
    assert session.sql("SELECT COUNT(*) AS N FROM T").collect()[0]["N"] == 1


def test_the_guides_functions_take_a_snowpark_session(connection: Any) -> None:
    session = Session.builder.configs({"connection": connection}).create()
    before = settings_of(connection)
    with simulator(records=20) as org:
        access_info = {"access_token": token_of(org), "instance_url": org.url}

        created = sobject_create.create(session, access_info, "Account", "ACCOUNT")
        first = sobject_sync.new_changed_records(session, access_info, "Account", "ACCOUNT", "Id")
        again = sobject_sync.new_changed_records(session, access_info, "Account", "ACCOUNT", "Id")

    rows = session.sql("SELECT COUNT(*) AS N FROM ACCOUNT").collect()[0]["N"]
    assert created.created
    assert first.objects[0].rows_in_table == rows == 20
    assert (again.objects[0].mode, again.objects[0].rows_read) == ("incremental", 0)
    assert settings_of(connection) == before
    assert session.sql("SELECT CURRENT_SCHEMA() AS S").collect()[0]["S"] == "PUBLIC"


@pytest.mark.parametrize("schema", [None, "DB.PUBLIC"])
def test_a_session_without_a_database_is_told_to_choose_one(
    lht_snowflake: StandInDatabase, schema: str | None
) -> None:
    options = {
        key: value for key, value in lht_snowflake.options.items() if key not in {"database", "schema"}
    }
    with snowflake.connector.connect(**options) as session, simulator(records=1) as org:
        access_info = {"access_token": token_of(org), "instance_url": org.url}

        with pytest.raises(errors.ConfigError, match="names none") as told:
            sobject_sync.new_changed_records(session, access_info, "Account", "ACCOUNT", "Id", schema=schema)

    assert "USE DATABASE" in told.value.hint


def token_of(org: LocalOrg) -> str:
    names = {"client_id": org.client_id, "client_secret": org.client_secret}
    form = urllib.parse.urlencode({"grant_type": "client_credentials", **names}).encode()
    with urllib.request.urlopen(f"{org.url}/services/oauth2/token", form) as answer:
        return str(json.load(answer)["access_token"])


def test_nothing_of_a_callers_session_is_set(connection: Any, lht_snowflake: StandInDatabase) -> None:
    with lht.connect_warehouse(connection) as warehouse:
        warehouse.create_table(warehouse.table_name("T"), [ID], comment="100 %s?")
        warehouse.columns(warehouse.table_name("T"))
        warehouse.now()

    heads = {statement["sql"].split()[0].upper() for statement in lht_snowflake.statements()}
    assert heads.isdisjoint({"USE", "SET", "ALTER"})
    assert {statement["tag"] for statement in lht_snowflake.statements()} == {'{"app": "lht"}'}
    assert not connection.is_closed()


def test_a_callers_settings_do_not_cut_or_shift_what_lht_reads(
    connection: Any, own: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    for warehouse in (own, from_session(connection)):
        warehouse.query(Statement("SELECT 7 AS LHTS"))
    connection.cursor().execute("SELECT 7 AS CALLERS")

    sent = {s["sql"].split()[-1]: s["parameters"] for s in lht_snowflake.statements() if " 7 " in s["sql"]}
    aside = {"ROWS_PER_RESULTSET": "0", "TIMEZONE": "UTC"}
    assert aside.items() <= sent["LHTS"].items()
    assert sent["CALLERS"].keys().isdisjoint(aside)


def test_other_things_are_no_session(lht_snowflake: StandInDatabase) -> None:
    with pytest.raises(errors.CapabilityMissingError, match=r"write through a builtins\.dict") as caught:
        lht.connect_warehouse(lht_snowflake.options)
    with pytest.raises(errors.CapabilityMissingError, match="cannot write through"):
        sobject_create.create(snowflake.connector, {}, "Account", "A")

    assert "a Snowpark Session, a Snowflake connection, a DuckDB connection" in caught.value.hint


def test_a_session_for_local_testing_has_no_warehouse() -> None:
    session = Session.builder.configs({"local_testing": True}).create()

    with pytest.raises(errors.CapabilityMissingError, match="local testing"):
        lht.connect_warehouse(session)

    session.close()


def test_a_session_is_recognised_without_importing_snowpark() -> None:
    code = (
        "import sys, lht\n"
        "from lht.warehouse.snowflake.sessions import is_session\n"
        "assert not is_session(object())\n"
        "assert not [name for name in sys.modules if name.startswith('snowflake.')]\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True)


# ---- what cannot be used


def test_an_open_transaction_is_refused_and_left_alone(connection: Any) -> None:
    connection.cursor().execute("CREATE TABLE T (N INT)")
    connection.cursor().execute("BEGIN")
    connection.cursor().execute("INSERT INTO T VALUES (1)")

    with pytest.raises(errors.WarehouseError, match="open transaction") as caught:
        lht.connect_warehouse(connection)
    connection.cursor().execute("ROLLBACK")

    assert "COMMIT or ROLLBACK" in caught.value.hint
    assert connection.cursor().execute("SELECT COUNT(*) FROM T").fetchone() == (0,)
    assert from_session(connection).row_count(from_session(connection).table_name("T")) == 0


def test_a_session_without_autocommit_is_refused_before_any_ddl(lht_snowflake: StandInDatabase) -> None:
    options = {**lht_snowflake.options, "autocommit": False}
    refused = pytest.raises(errors.WarehouseError, match="AUTOCOMMIT off")
    with snowflake.connector.connect(**options) as connection, refused as caught:
        lht.connect_warehouse(connection)

    assert "ALTER SESSION SET AUTOCOMMIT = TRUE" in caught.value.hint
    assert not [s for s in lht_snowflake.statements() if s["sql"].startswith(("CREATE", "BEGIN"))]


def test_a_closed_session_is_refused(lht_snowflake: StandInDatabase) -> None:
    connection = snowflake.connector.connect(**lht_snowflake.options)
    session = Session.builder.configs({"connection": connection}).create()
    connection.close()

    for closed in (connection, session):
        with pytest.raises(errors.WarehouseUnreachableError, match="closed"):
            lht.connect_warehouse(closed)


def test_a_session_that_the_server_has_ended_is_refused(
    connection: Any, lht_snowflake: StandInDatabase
) -> None:
    lht_snowflake.fault("end_session", "CURRENT_TRANSACTION")

    with pytest.raises(errors.WarehouseUnreachableError, match="no longer exists"):
        lht.connect_warehouse(connection)


# ---- statements through a caller's connection


@pytest.mark.parametrize("style", STYLES)
def test_question_marks_are_bound_whatever_the_parameter_style(
    lht_snowflake: StandInDatabase, style: str
) -> None:
    sql = """SELECT ? AS "A?", '?%s 100 %' AS B, 7 % 4 AS C, ? AS D"""
    with snowflake.connector.connect(**lht_snowflake.options, paramstyle=style) as connection:
        with lht.connect_warehouse(connection) as warehouse:
            found = warehouse.query(Statement(sql, ("it's %s?\\", 5)))
        after = connection._paramstyle

    assert found == [("it's %s?\\", "?%s 100 %", 3, 5)]
    assert after == style


def test_numbers_with_decimals_stay_exact_beside_a_caller_who_has_floats(connection: Any) -> None:
    cursor = from_session(connection)._link.execute("SELECT 1.25::NUMBER(10, 2) AS N")
    callers = connection.cursor().execute("SELECT 1.25::NUMBER(10, 2) AS N")

    # The stand-in sends decimals to all; what the connector makes of Snowflake's own form is decided here.
    assert [decides(cursor), decides(callers)] == [True, False]
    assert cursor.fetchall() == [(Decimal("1.25"),)]


def decides(cursor: Any) -> bool:
    """Whether a cursor's Arrow results have decimals: connector 4 asks when it runs, connector 5 when it reads."""
    (batch,) = cursor.get_result_batches()
    return bool(getattr(batch, "_number_to_decimal", cursor._connection.arrow_number_to_decimal))


# ---- threads


def test_each_thread_has_a_login_of_its_own(own: SnowflakeWarehouse, lht_snowflake: StandInDatabase) -> None:
    own.execute(Statement("CREATE TABLE T (N INT)"))
    with own.transaction(), own.fork() as other:
        own.execute(Statement("INSERT INTO T VALUES (1)"))
        seen_by_other = numbers(other)

    sessions = {statement["session"] for statement in lht_snowflake.statements()}
    assert (seen_by_other, numbers(own)) == ([], [1])
    assert len(sessions) == 2


def test_a_view_of_a_callers_connection_waits_for_the_transaction(connection: Any) -> None:
    warehouse = lht.connect_warehouse(connection)
    warehouse.execute(Statement("CREATE TABLE T (N INT)"))
    order = []

    def beat() -> None:
        with warehouse.fork() as view:
            view.execute(Statement("INSERT INTO T VALUES (2)"))
        order.append("beat")

    thread = threading.Thread(target=beat)
    with warehouse.transaction():
        warehouse.execute(Statement("INSERT INTO T VALUES (1)"))
        thread.start()
        thread.join(0.3)
        order.append("end of transaction")
    thread.join()

    assert order == ["end of transaction", "beat"]
    assert numbers(warehouse) == [1, 2]


def test_views_are_used_by_many_threads_at_once(connection: Any) -> None:
    warehouse = lht.connect_warehouse(connection)
    warehouse.execute(Statement("CREATE TABLE T (N INT)"))

    def write(start: int) -> None:
        with warehouse.fork() as view:
            for n in range(start, start + 5):
                with view.transaction():
                    view.execute(Statement("INSERT INTO T VALUES (?)", (n,)))

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 5, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert numbers(warehouse) == list(range(15))
    assert not connection.is_closed()


def test_a_login_that_would_ask_again_is_shared(lht_snowflake: StandInDatabase) -> None:
    with open_snowflake({**lht_snowflake.options, "passcode": "123456"}, name="prod") as warehouse:
        with warehouse.fork() as view:
            view.query(Statement("SELECT 1"))
        still_open = warehouse.query(Statement("SELECT 2 AS N"))

    assert still_open == [(2,)]
    assert len({statement["session"] for statement in lht_snowflake.statements()}) == 1


def test_what_waits_for_a_transaction_is_not_rolled_back_with_it(connection: Any) -> None:
    warehouse = lht.connect_warehouse(connection)
    warehouse.execute(Statement("CREATE TABLE T (N INT)"))
    thread = threading.Thread(target=lambda: warehouse.fork().execute(Statement("INSERT INTO T VALUES (2)")))

    def fail() -> None:
        with warehouse.transaction():
            warehouse.execute(Statement("INSERT INTO T VALUES (1)"))
            thread.start()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    thread.join()

    assert numbers(warehouse) == [2]


# ---- Ctrl-C

INTERRUPTED = """
import json, sys
from lht.warehouse.snowflake.connect import open_snowflake
from lht.warehouse.statements import Statement
try:
    with open_snowflake(json.loads(sys.argv[1]), name="prod") as warehouse:
        with warehouse.transaction():
            warehouse.execute(Statement("INSERT INTO T VALUES (1)"))
            warehouse.execute(Statement("INSERT INTO T VALUES (2)"))
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_ctrl_c_in_a_long_statement_rolls_the_transaction_back(
    own: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    own.execute(Statement("CREATE TABLE T (N INT)"))
    lht_snowflake.fault("delay", r"VALUES \(2\)", seconds=60)
    command = [sys.executable, "-c", INTERRUPTED, json.dumps(lht_snowflake.options)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_for(lht_snowflake, "VALUES (2)")
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=30)

    heads = [statement["sql"] for statement in lht_snowflake.statements()]
    assert (process.returncode, told) == (130, "")
    assert heads[-1] == "ROLLBACK"
    assert numbers(own) == []


def wait_for(database: StandInDatabase, words: str) -> None:
    """Waits until a statement has come in which the words are."""
    deadline = time.monotonic() + 30
    while not any(words in statement["sql"] for statement in database.statements()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


# ---- lost connections


def test_an_own_connection_is_opened_again(own: SnowflakeWarehouse, lht_snowflake: StandInDatabase) -> None:
    lht_snowflake.fault("end_session", "SELECT 41")
    with pytest.raises(errors.WarehouseUnreachableError, match="session has ended"):
        own.query(Statement("SELECT 41 AS N"))

    own.reconnect()

    assert own.query(Statement("SELECT 42 AS N")) == [(42,)]


def test_a_callers_connection_is_used_on_only_where_it_answers_outside_transactions(
    connection: Any, lht_snowflake: StandInDatabase
) -> None:
    warehouse = lht.connect_warehouse(connection)
    warehouse.reconnect()

    connection.cursor().execute("BEGIN")
    for _ in ("in a transaction", "ended by the server"):
        with pytest.raises(errors.WarehouseUnreachableError, match="handed to LHT is lost"):
            warehouse.reconnect()
        lht_snowflake.fault("end_session", "CURRENT_TRANSACTION")


def test_an_answer_to_commit_that_a_callers_connection_lost_can_be_looked_up(
    lht_snowflake: StandInDatabase,
) -> None:
    with snowflake.connector.connect(**lht_snowflake.options, network_timeout=1) as connection:
        warehouse = lht.connect_warehouse(connection)
        warehouse.execute(Statement("CREATE TABLE T (N INT)"))
        lht_snowflake.fault("lose_answer", "^COMMIT")
        with pytest.raises(errors.WarehouseUnreachableError), warehouse.transaction():
            warehouse.execute(Statement("INSERT INTO T VALUES (1)"))

        warehouse.reconnect()

        assert numbers(warehouse) == [1]


def test_a_lost_answer_to_commit_is_told_and_the_rows_can_be_looked_for(
    lht_snowflake: StandInDatabase,
) -> None:
    options = {**lht_snowflake.options, "network_timeout": 1}  # or the connector asks on for minutes
    with open_snowflake(options, name="prod") as warehouse:
        warehouse.execute(Statement("CREATE TABLE T (N INT)"))
        lht_snowflake.fault("lose_answer", "^COMMIT")
        with pytest.raises(errors.WarehouseUnreachableError), warehouse.transaction():
            warehouse.execute(Statement("INSERT INTO T VALUES (1)"))

        warehouse.reconnect()

        assert numbers(warehouse) == [1]


def test_views_of_one_login_are_opened_again_together(lht_snowflake: StandInDatabase) -> None:
    options = {**lht_snowflake.options, "passcode": "123456"}
    with open_snowflake(options, name="prod") as warehouse, warehouse.fork() as view:
        view.query(Statement("SELECT 1 AS N"))
        warehouse.reconnect()
        view.reconnect()

        found = (view.query(Statement("SELECT 2 AS N")), warehouse.query(Statement("SELECT 3 AS N")))

    assert found == ([(2,)], [(3,)])
    assert len({statement["session"] for statement in lht_snowflake.statements()}) == 2
