"""`create` on Snowflake: its options, what a table lacks of them, the view of live rows, and grants that are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lakes import DuckDBLake

from lht.errors import ConfigError, MissingTableError, PrivilegeError
from lht.model.table import ColumnKind
from lht.salesforce import sobject_create
from lht.warehouse.snowflake.connect import open_snowflake
from lht.warehouse.statements import Statement, quote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from world import World

    from lht.model.operations import CreateResult
    from lht.testing import StandInDatabase
    from lht.warehouse.snowflake.adapter import SnowflakeWarehouse

REFUSED = "SQL access control error:\nInsufficient privileges to operate on {}"
UNSEEN = "SQL compilation error:\n{} does not exist or not authorized."


@pytest.fixture
def scenario_lake() -> DuckDBLake:
    """The tests here open the warehouses that they are about."""
    return DuckDBLake()


@pytest.fixture
def lake(lht_snowflake: StandInDatabase) -> Iterator[SnowflakeWarehouse]:
    with open_snowflake(lht_snowflake.options, name="lake") as opened:
        yield opened


def create(world: World, lake: SnowflakeWarehouse, **options: Any) -> CreateResult:
    return sobject_create.create(lake, world.org, "Account", "MY_ACCOUNTS", schema="CRM", **options)


def told(lake: SnowflakeWarehouse, view: str, columns: str) -> list[tuple[object, ...]]:
    named = "TABLE_SCHEMA = 'CRM' ORDER BY TABLE_NAME"
    return lake.query(Statement(f"SELECT {columns} FROM INFORMATION_SCHEMA.{view} WHERE {named}"))


def ddl(database: StandInDatabase) -> list[str]:
    return [s["sql"] for s in database.statements() if s["sql"].startswith(("CREATE", "ALTER", "COMMENT"))]


def test_a_table_is_created_with_its_options_and_comments_in_one_statement(
    world: World, lake: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    made = create(world, lake, transient=True, cluster_by="(CreatedDate, OwnerId)", retention_days=0)

    schema, table = ddl(lht_snowflake)
    assert made.created
    assert (made.transient, made.cluster_by, made.retention_days) == (True, "(CreatedDate, OwnerId)", 0)
    assert schema == f'CREATE SCHEMA IF NOT EXISTS {quote(lht_snowflake.name)}."CRM"'
    assert table.endswith(
        "CLUSTER BY (CreatedDate, OwnerId)\nDATA_RETENTION_TIME_IN_DAYS = 0\nCOMMENT = 'Account (Account) from Salesforce'"
    )
    assert told(lake, "TABLES", "TABLE_NAME, IS_TRANSIENT, RETENTION_TIME, COMMENT") == [
        ("MY_ACCOUNTS", "YES", 0, "Account (Account) from Salesforce")
    ]
    columns = {column.name: column for column in lake.columns(lake.table_name("CRM.MY_ACCOUNTS")) or ()}
    assert (columns["ID"].type.kind, columns["ID"].type.length) == (ColumnKind.TEXT, 18)
    assert columns["ID"].comment == "Account ID"
    assert columns["_LHT_RUN_ID"].comment == "LHT run that last changed this row"


def test_options_that_a_table_has_are_no_difference_and_others_are_told_but_not_made(
    world: World, lake: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    asked: dict[str, Any] = {"cluster_by": "(CREATEDDATE)", "retention_days": 1}
    create(world, lake, **asked)
    same = create(world, lake, **asked)
    lht_snowflake.clear_statements()

    other = create(world, lake, transient=True, cluster_by="(OWNERID)", retention_days=0, live_view=True)

    name = f'{quote(lht_snowflake.name)}."CRM"."MY_ACCOUNTS"'
    assert (same.created, same.differences) == (False, ())
    assert [sentence.partition(": ")[2] for sentence in other.differences] == [
        f"CREATE TRANSIENT TABLE … CLONE {name}, then ALTER TABLE {name} SWAP WITH the clone.",
        f"ALTER TABLE {name} CLUSTER BY (OWNERID);",
        f"ALTER TABLE {name} SET DATA_RETENTION_TIME_IN_DAYS = 0;",
    ]
    assert ddl(lht_snowflake) == []


def test_wrong_options_are_refused_before_anything_is_made(
    world: World, lake: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    for wrong in ({"cluster_by": "CREATEDDATE"}, {"cluster_by": "(NOSUCH)"}, {"retention_days": 91}):
        with pytest.raises(ConfigError):
            create(world, lake, **wrong)

    assert ddl(lht_snowflake) == []


def test_a_live_view_is_made_once_and_then_replaced_with_its_grants(
    world: World, lake: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    made, again = create(world, lake, live_view=True), create(world, lake, live_view=True)

    first, second = ddl(lht_snowflake)[2:]
    view = f'{quote(lht_snowflake.name)}."CRM"."MY_ACCOUNTS_LIVE"'
    assert made.live_view == again.live_view == f"{lht_snowflake.name}.CRM.MY_ACCOUNTS_LIVE"
    assert first.startswith(f"CREATE VIEW {view}\nCOMMENT = 'Rows of MY_ACCOUNTS that are not deleted")
    assert second.startswith(f"CREATE OR REPLACE VIEW {view}\nCOPY GRANTS\nCOMMENT = 'Rows of MY_ACCOUNTS")
    assert first.endswith('WHERE NOT coalesce("ISDELETED", FALSE) AND "_LHT_DELETED_AT" IS NULL')
    assert lake.query(Statement(f"SELECT * FROM {view}")) == []


def test_a_view_of_that_name_that_others_made_is_refused_before_anything_is_made(
    world: World, lake: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    lake.execute(Statement("CREATE SCHEMA CRM"))
    lake.execute(Statement("CREATE VIEW CRM.MY_ACCOUNTS_LIVE COMMENT = 'ours' AS SELECT 1 AS ONE"))
    lht_snowflake.clear_statements()

    with pytest.raises(ConfigError, match="MY_ACCOUNTS_LIVE exists, and LHT did not make it"):
        create(world, lake, live_view=True)

    assert ddl(lht_snowflake) == []


@pytest.mark.parametrize(
    "refusal",
    [
        ("CREATE SCHEMA", "database '{0}'", 'CREATE SCHEMA ON DATABASE "{0}"'),
        ("CREATE TABLE", "schema 'CRM'", 'CREATE TABLE ON SCHEMA "{0}"."CRM"'),
        ("CREATE VIEW", "schema 'CRM'", 'CREATE VIEW ON SCHEMA "{0}"."CRM"'),
    ],
)
def test_the_grant_that_is_missing_is_told_as_a_statement(
    world: World, lake: SnowflakeWarehouse, lht_snowflake: StandInDatabase, refusal: tuple[str, str, str]
) -> None:
    statement, kept_from, grant = (text.format(lht_snowflake.name) for text in refusal)
    message = REFUSED.format(kept_from)
    lht_snowflake.fault("refuse", f"^{statement}", code="003001", message=message, sqlstate="42501")

    with pytest.raises(PrivilegeError) as refused:
        create(world, lake, live_view=True)

    assert f"GRANT {grant} TO ROLE " in refused.value.hint


def test_a_database_that_the_role_may_not_see_is_told_with_its_grant(
    world: World, lake: SnowflakeWarehouse, lht_snowflake: StandInDatabase
) -> None:
    database = lht_snowflake.name
    message = UNSEEN.format(f"Database '{database}'")
    lht_snowflake.fault("refuse", "^SHOW SCHEMAS", code="002043", message=message, sqlstate="02000")

    with pytest.raises(MissingTableError) as refused:
        create(world, lake)

    assert f'GRANT USAGE ON DATABASE "{database}" TO ROLE ' in refused.value.hint
