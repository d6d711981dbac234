"""What Snowflake can do, and how it spells SQL. No driver is needed to know."""

from __future__ import annotations

from lht.model.table import Capabilities, ColumnKind
from lht.warehouse.statements import Dialect

CAPABILITIES = Capabilities(
    name="snowflake",
    default_schema="PUBLIC",
    state_schema="LHT",
    folds_upper=True,
    has_text_length=True,
    has_column_comments=True,
    has_variant=True,
    widens_text=True,
    widens_precision=True,
    has_transactional_ddl=False,
    has_table_options=True,
    is_single_process=False,
)

DIALECT = Dialect(
    name="snowflake",
    types={
        ColumnKind.TEXT: "VARCHAR({length})",
        ColumnKind.INTEGER: "NUMBER(38,0)",
        ColumnKind.DECIMAL: "NUMBER({precision},{scale})",
        ColumnKind.FLOAT: "FLOAT",
        ColumnKind.BOOLEAN: "BOOLEAN",
        ColumnKind.DATE: "DATE",
        ColumnKind.TIMESTAMP: "TIMESTAMP_NTZ",
        ColumnKind.TIME: "TIME",
        ColumnKind.VARIANT: "VARIANT",
    },
    create_scratch="CREATE OR REPLACE TRANSIENT TABLE",
    scratch_options="DATA_RETENTION_TIME_IN_DAYS = 0",
    has_inline_comments=True,
    # https://docs.snowflake.com/en/sql-reference/data-types-text#escape-sequences-in-single-quoted-string-constants
    has_text_escapes=True,
    # CREATE OR ALTER VIEW cannot change what a view selects, so a view is replaced, with its grants:
    # https://docs.snowflake.com/en/sql-reference/sql/create-view
    view_tail="\nCOPY GRANTS",
    view_comment=(
        "SELECT COMMENT FROM {catalog}.INFORMATION_SCHEMA.VIEWS\n"
        "WHERE TABLE_CATALOG = ? AND TABLE_SCHEMA = ? AND TABLE_NAME = ?"
    ),
    table_options=(
        "SELECT IS_TRANSIENT, CLUSTERING_KEY, RETENTION_TIME FROM {catalog}.INFORMATION_SCHEMA.TABLES\n"
        "WHERE TABLE_CATALOG = ? AND TABLE_SCHEMA = ? AND TABLE_NAME = ?"
    ),
)
