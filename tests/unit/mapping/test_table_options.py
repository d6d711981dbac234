from __future__ import annotations

import pytest

from lht.errors import CapabilityMissingError, ConfigError
from lht.mapping.table_options import check_options, option_differences
from lht.model.table import NO_OPTIONS, Column, ColumnKind, ColumnType, TableName, TableOptions
from lht.warehouse.duckdb import CAPABILITIES as DUCKDB
from lht.warehouse.snowflake.dialect import CAPABILITIES as SNOWFLAKE

TABLE = TableName("DB", "PUBLIC", "MY_ACCOUNTS")
COLUMNS = tuple(
    Column(name, ColumnType(ColumnKind.TEXT)) for name in ("ID", "CREATEDDATE", "OWNERID", "odd, (name)")
)


@pytest.mark.parametrize(
    "cluster_by",
    [
        "(CREATEDDATE, OWNERID)",
        " ( CreatedDate ) ",
        '("OWNERID", "odd, (name)")',
        "(DATE_TRUNC('month', CREATEDDATE), SUBSTRING(OWNERID, 1, 3))",
        "(CREATEDDATE::DATE)",
    ],
)
def test_columns_and_expressions_over_them_can_cluster(cluster_by: str) -> None:
    check_options(TableOptions(cluster_by=cluster_by), COLUMNS, TABLE, SNOWFLAKE)


@pytest.mark.parametrize(
    "cluster_by",
    [
        "CREATEDDATE",
        "(CREATEDDATE",
        "()",
        "(CREATEDDATE,)",
        "((CREATEDDATE)",
        "(CREATEDDATE)) (",
        "(CREATEDDATE) (OWNERID)",
        "(CREATEDDATE); DROP TABLE T; (A)",
        "(CREATEDDATE -- all)",
        "(CREATEDDATE /* all */)",
        "('CREATEDDATE)",
    ],
)
def test_what_is_no_list_in_parentheses_is_refused(cluster_by: str) -> None:
    with pytest.raises(ConfigError, match="parentheses") as refused:
        check_options(TableOptions(cluster_by=cluster_by), COLUMNS, TABLE, SNOWFLAKE)

    assert "--cluster_by" in refused.value.hint


@pytest.mark.parametrize("cluster_by", ["(OWNER)", '("OwnerId")', "(CREATEDDATE, UPPER(OWNER))", "('text')"])
def test_a_column_that_the_table_would_not_have_is_told(cluster_by: str) -> None:
    with pytest.raises(ConfigError, match="MY_ACCOUNTS would have no column") as refused:
        check_options(TableOptions(cluster_by=cluster_by), COLUMNS, TABLE, SNOWFLAKE)

    assert refused.value.hint


@pytest.mark.parametrize(("days", "transient"), [(0, False), (90, False), (0, True), (1, True), (None, True)])
def test_days_within_the_limits_are_taken(days: int | None, transient: bool) -> None:  # noqa: FBT001
    check_options(TableOptions(transient, retention_days=days), COLUMNS, TABLE, SNOWFLAKE)


@pytest.mark.parametrize(("days", "transient"), [(-1, False), (91, False), (2, True), (-1, True)])
def test_days_outside_the_limits_are_refused(days: int, transient: bool) -> None:  # noqa: FBT001
    with pytest.raises(ConfigError, match=f"for {days}") as refused:
        check_options(TableOptions(transient, retention_days=days), COLUMNS, TABLE, SNOWFLAKE)

    assert "--retention_days" in refused.value.hint


@pytest.mark.parametrize(
    "options", [TableOptions(transient=True), TableOptions(cluster_by="(ID)"), TableOptions(retention_days=0)]
)
def test_a_warehouse_without_such_options_says_so(options: TableOptions) -> None:
    with pytest.raises(CapabilityMissingError, match="duckdb has no transient"):
        check_options(options, COLUMNS, TABLE, DUCKDB)

    check_options(NO_OPTIONS, COLUMNS, TABLE, DUCKDB)


def test_what_a_table_lacks_is_told_with_what_to_type() -> None:
    wanted = TableOptions(transient=True, cluster_by="(CREATEDDATE)", retention_days=1)

    transience, key, days = option_differences(wanted, TableOptions(retention_days=7), '"DB"."T"')

    assert transience.startswith("It is not transient")
    assert 'CREATE TRANSIENT TABLE … CLONE "DB"."T"' in transience
    assert key == 'It is not clustered: ALTER TABLE "DB"."T" CLUSTER BY (CREATEDDATE);'
    assert days == ('It keeps its past for 7 days: ALTER TABLE "DB"."T" SET DATA_RETENTION_TIME_IN_DAYS = 1;')


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("(CreatedDate, OwnerId)", "LINEAR(CREATEDDATE,OWNERID)"),
        ('("OWNERID")', "LINEAR(OWNERID)"),
        ('("odd, (name)")', 'LINEAR("odd, (name)")'),
        ("(left(ID, 3), 'x')", "(LEFT(ID,3), 'x')"),
    ],
)
def test_keys_that_mean_the_same_are_no_difference(wanted: str, told: str) -> None:
    assert list(option_differences(TableOptions(cluster_by=wanted), TableOptions(cluster_by=told), "T")) == []


def test_other_keys_are_a_difference() -> None:
    wanted, found = TableOptions(cluster_by='("odd")'), TableOptions(cluster_by="LINEAR(ODD)")

    assert len(list(option_differences(wanted, found, "T"))) == 1
