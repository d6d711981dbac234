"""What Snowflake can do, and how it spells SQL. No driver is needed to know."""

from __future__ import annotations

import re

from lht.model.table import Capabilities, ColumnKind, ColumnType
from lht.warehouse.statements import Dialect

CAPABILITIES = Capabilities(
    name="snowflake",
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
    clock="SYSDATE()",
    scratch_options="DATA_RETENTION_TIME_IN_DAYS = 0",
    variant_text="TO_JSON({})",
    # By 'en-ci', say, which a whole account may have as its default, a and A are equal; their bytes are not:
    # https://docs.snowflake.com/en/sql-reference/collation
    collated_text="MD5_BINARY({})",
    # A cast goes by DATE_OUTPUT_FORMAT and its like, and by default leaves a time's fraction out:
    # https://docs.snowflake.com/en/sql-reference/parameters#time-output-format
    texts={
        ColumnKind.DATE: "TO_VARCHAR({}, 'YYYY-MM-DD')",
        ColumnKind.TIMESTAMP: "TO_VARCHAR({}, 'YYYY-MM-DD HH24:MI:SS.FF3')",
        ColumnKind.TIME: "TO_VARCHAR({}, 'HH24:MI:SS.FF3')",
    },
    # https://docs.snowflake.com/en/sql-reference/functions/try_cast
    tries_text_only=True,
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

WHOLE_DIGITS = 38
LONGEST_TEXT = 16_777_216
"""VARCHAR without a length: https://docs.snowflake.com/en/sql-reference/data-types-text"""
_KINDS = {
    "BOOLEAN": ColumnKind.BOOLEAN,
    "DATE": ColumnKind.DATE,
    "FLOAT": ColumnKind.FLOAT,
    "TIME": ColumnKind.TIME,
    "TIMESTAMP_NTZ": ColumnKind.TIMESTAMP,
    "TIMESTAMP_LTZ": ColumnKind.TIMESTAMP,
    "TIMESTAMP_TZ": ColumnKind.TIMESTAMP,
    "VARIANT": ColumnKind.VARIANT,
    "OBJECT": ColumnKind.VARIANT,
    "ARRAY": ColumnKind.VARIANT,
    "MAP": ColumnKind.VARIANT,
}


def parse_type(spelling: str) -> ColumnType:
    """Reads a type as DESCRIBE TABLE spells it; types that LHT never creates are text."""
    found = re.match(r"(\w+)(?:\((\d+)(?:,\s*(\d+))?\))?", spelling.strip().upper())
    name, first, second = found.groups() if found else ("", None, None)
    if name == "NUMBER":
        precision, scale = int(first or 38), int(second or 0)
        if scale or precision < WHOLE_DIGITS:
            return ColumnType(ColumnKind.DECIMAL, precision=precision, scale=scale)
        return ColumnType(ColumnKind.INTEGER)
    if name == "VARCHAR":
        length = int(first or LONGEST_TEXT)
        return ColumnType(
            ColumnKind.TEXT,
            length=length if length < LONGEST_TEXT else None,
            is_collated=" COLLATE " in spelling.upper(),
        )
    return ColumnType(_KINDS.get(name, ColumnKind.TEXT))
