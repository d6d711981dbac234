"""Sessions of a caller's on the stand-in: the real Snowpark Session and the real connector, and nothing of them changed."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import snowflake.connector
from snowflake.snowpark import Session

import lht
from lht.warehouse.snowflake.connect import open_snowflake
from lht.warehouse.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.testing.stand_in import StandInDatabase
    from lht.warehouse.snowflake.adapter import SnowflakeWarehouse


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
