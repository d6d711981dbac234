"""What the stand-in's catalog did not keep of CREATE and ALTER: comments of columns and views, options of tables."""

from __future__ import annotations

import json
import re
from string import Template
from typing import TYPE_CHECKING, Any

import fakesnow.cursor
import fakesnow.info_schema
import fakesnow.transforms.transforms
import sqlglot
from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fakesnow.cursor import FakeSnowflakeCursor

INFO: Any = fakesnow.info_schema
DESCRIBED: Any = fakesnow.transforms.transforms
_MAKING = re.compile(r"\s*(CREATE|ALTER)\b.*?\b(TABLE|VIEW)\b", re.IGNORECASE | re.DOTALL)
_OPTIONS = {
    "'NO' AS \"IS_TRANSIENT\"": "coalesce(json_extract_string(tables.comment, '$$.transient'), 'NO') AS \"IS_TRANSIENT\"",
    'NULL::VARCHAR AS "CLUSTERING_KEY"': "json_extract_string(tables.comment, '$$.cluster') AS \"CLUSTERING_KEY\"",
    '1 AS "RETENTION_TIME"': "coalesce(json_extract(tables.comment, '$$.days')::INTEGER, 1) AS \"RETENTION_TIME\"",
}


def what_create_says_is_kept() -> None:
    """The catalog knew no comment of a column or a view, and told every table's options as if none had been given.

    A table's comment with an apostrophe was a syntax error.
    """
    usual = fakesnow.cursor.FakeSnowflakeCursor.execute

    def execute(self: FakeSnowflakeCursor, command: str, *args: Any, **kwargs: Any) -> FakeSnowflakeCursor:
        done = usual(self, command, *args, **kwargs)
        if _MAKING.match(command):
            with self._duck_conn.cursor() as other:
                for statement in _notes(command, self._conn.database, self._conn.schema):
                    other.execute(statement)
        return done

    fakesnow.cursor.FakeSnowflakeCursor.execute = execute  # type: ignore[method-assign]
    noted = INFO.insert_table_comment_sql
    INFO.insert_table_comment_sql = lambda *names: noted(*names[:-1], (names[-1] or "").replace("'", "''"))
    tables = INFO.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW.template
    for told, kept in _OPTIONS.items():
        tables = tables.replace(told, kept)
    INFO.SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW = Template(tables)
    views = INFO.SQL_CREATE_INFORMATION_SCHEMA_VIEWS_VIEW.template
    INFO.SQL_CREATE_INFORMATION_SCHEMA_VIEWS_VIEW = Template(
        views.replace("null::VARCHAR as COMMENT", "comment as COMMENT")
    )
    described = DESCRIBED.SQL_DESCRIBE_TABLE.template
    DESCRIBED.SQL_DESCRIBE_TABLE = Template(
        described.replace('NULL::VARCHAR AS "comment"', 'comment AS "comment"')
    )


def _notes(command: str, database: str | None, schema: str | None) -> Iterator[str]:
    """DuckDB's statements that note what the command said; a table's options are the JSON of its comment there."""
    tree = sqlglot.parse_one(command, dialect="snowflake")
    table = tree.find(exp.Table)
    if table is None:
        return
    parts = [table.args.get("catalog") or database, table.args.get("db") or schema, table.this]
    name = ".".join(exp.to_identifier(_stored(part), quoted=True).sql("duckdb") for part in parts if part)
    for column in tree.find_all(exp.ColumnDef):
        if comment := column.find(exp.CommentColumnConstraint):
            of = exp.to_identifier(_stored(column.this), quoted=True).sql("duckdb")
            yield f"COMMENT ON COLUMN {name}.{of} IS {_text(comment.this.this)}"
    if not isinstance(tree, exp.Create):
        return
    if tree.kind == "VIEW":
        if whole := tree.find(exp.SchemaCommentProperty):
            yield f"COMMENT ON VIEW {name} IS {_text(whole.this.this)}"
    else:
        yield f"COMMENT ON TABLE {name} IS {_text(json.dumps(_options(tree)))}"


def _options(tree: exp.Create) -> dict[str, object]:
    """A table's options as the catalog tells them."""
    found: dict[str, object] = {"transient": "YES" if tree.find(exp.TransientProperty) else "NO"}
    if key := tree.find(exp.ClusterProperty):
        found["cluster"] = f"LINEAR({', '.join(item.sql('snowflake') for item in key.expressions)})"
    for given in tree.find_all(exp.Property):
        if given.name.upper() == "DATA_RETENTION_TIME_IN_DAYS":
            found["days"] = int(given.args["value"].name)
    return found


def _stored(part: str | exp.Identifier) -> str:
    if isinstance(part, exp.Identifier):
        return part.name if part.quoted else part.name.upper()
    return part


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
