"""The SQL of names, types, tables and rows: text with bound values, no I/O. A merge's SQL is in `merging`.

The forms are those that DuckDB and Snowflake both understand; what differs is in `Dialect`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from lht.model.table import NO_OPTIONS, Column, ColumnKind, ColumnType, TableName, TableOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


BOUND_MOMENT = "CAST(? AS DATETIME)"
"""The mark of a timestamp where no column gives it a type: it has no zone, whatever the session makes of timestamps."""


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement; `params` are bound to its question marks, in order."""

    sql: str
    params: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a warehouse spells what SQL leaves open, and which of two forms suits it better.

    `types` may hold `{length}`, `{precision}`, `{scale}`. `clock` gives the warehouse's time as a UTC timestamp without
    a zone, whatever the session's zone. `scratch_options` belong to scratch tables. `row_hash` is a function that
    hashes many values: rows are then compared by two such hashes instead of column by column. Above `merge_limit`
    changed rows, they are deleted and inserted instead of merged: only where DDL is transactional. `variant_text`
    makes a variant comparable, `collated_text` a text that has a collation. `texts` show what a plain cast would show by
    the session's settings. `tries_text_only`: TRY_CAST takes texts only. `has_inline_comments`: comments stand
    where a thing is created, else COMMENT ON sets them. `has_text_escapes`: a backslash in a text escapes what
    follows it. `view_tail` stands behind the name of a view that is replaced. `view_comment` and `table_options` ask
    the catalog about one view or table, named by three parameters; `{catalog}` is its quoted database.
    """

    name: str
    types: Mapping[ColumnKind, str]
    create_scratch: str
    clock: str
    scratch_options: str = ""
    row_hash: str | None = None
    merge_limit: int | None = None
    variant_text: str = "{}"
    collated_text: str = "{}"
    texts: Mapping[ColumnKind, str] = field(default_factory=dict)
    tries_text_only: bool = False
    has_inline_comments: bool = False
    has_text_escapes: bool = False
    view_tail: str = ""
    view_comment: str = ""
    table_options: str = ""


@dataclass(frozen=True, slots=True)
class SystemColumns:
    """Names of the columns that LHT adds to a table, as this warehouse stores them."""

    run_id: str
    synced_at: str
    deleted_at: str


# ---- names, types, tables


def quote(identifier: str) -> str:
    """Quotes one identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def quote_table(table: TableName) -> str:
    """Quotes a table's full name."""
    return ".".join(quote(part) for part in (table.catalog, table.schema, table.name) if part)


def listed(columns: Iterable[str], prefix: str = "") -> str:
    """Quotes and lists identifiers."""
    return ", ".join(prefix + quote(column) for column in columns)


def quote_text(text: str, dialect: Dialect | None = None) -> str:
    """Quotes a text where nothing can be bound, as in comments; the dialect matters for backslashes only."""
    if dialect and dialect.has_text_escapes:
        text = text.replace("\\", "\\\\")
    return "'" + text.replace("'", "''") + "'"


def split_name(name: str, *, folds_upper: bool = False) -> tuple[str, ...]:
    """Splits `c.s.T` at its dots; a part in double quotes may hold dots. Empty if it is not a name.

    `folds_upper`: parts without quotes are given in upper case.
    """
    part = r'(?:"(?:[^"]|"")+"|[^".]+)'
    if not re.fullmatch(rf"{part}(?:\.{part}){{0,2}}", name):
        return ()
    return tuple(_as_stored(found, folds_upper=folds_upper) for found in re.findall(part, name))


def _as_stored(part: str, *, folds_upper: bool) -> str:
    if part.startswith('"'):
        return part[1:-1].replace('""', '"')
    return part.upper() if folds_upper else part


def type_sql(column_type: ColumnType, dialect: Dialect) -> str:
    """Spells a type for CREATE TABLE and CAST."""
    spelling = dialect.types[column_type.kind]
    if column_type.kind is ColumnKind.TEXT and not column_type.length:
        return spelling.partition("(")[0]
    return spelling.format(
        length=column_type.length, precision=column_type.precision, scale=column_type.scale
    )


def create_schema(table: TableName) -> Statement:
    """Creates the schema of a table if it is missing."""
    schema = ".".join(quote(part) for part in (table.catalog, table.schema) if part)
    return Statement(f"CREATE SCHEMA IF NOT EXISTS {schema}")


def create_table(
    table: TableName,
    columns: Sequence[Column],
    dialect: Dialect,
    *,
    comment: str = "",
    options: TableOptions = NO_OPTIONS,
) -> Statement:
    """Creates a table; every column may be empty. Its comments stand in it, or are set by `comments`.

    The options are for warehouses that have them.
    """
    verb = "CREATE TRANSIENT TABLE" if options.transient else "CREATE TABLE"
    lines = ",\n  ".join(_definition(column, dialect) for column in columns)
    inline = comment if dialect.has_inline_comments else ""
    return Statement(f"{verb} {quote_table(table)} (\n  {lines}\n){_properties(inline, options, dialect)}")


def _definition(column: Column, dialect: Dialect) -> str:
    plain = f"{quote(column.name)} {type_sql(column.type, dialect)}"
    has_comment = dialect.has_inline_comments and column.comment
    return f"{plain} COMMENT {quote_text(column.comment, dialect)}" if has_comment else plain


def _properties(comment: str, options: TableOptions, dialect: Dialect) -> str:
    """What stands behind the columns, in the order that Snowflake documents."""
    days = options.retention_days
    found = (
        f"\nCLUSTER BY {options.cluster_by}" if options.cluster_by else "",
        f"\nDATA_RETENTION_TIME_IN_DAYS = {days:d}" if days is not None else "",
        f"\nCOMMENT = {quote_text(comment, dialect)}" if comment else "",
    )
    return "".join(found)


def create_scratch(table: TableName, columns: Sequence[Column], dialect: Dialect) -> Statement:
    """Creates an empty scratch table, in place of one of that name."""
    lines = ",\n  ".join(f"{quote(column.name)} {type_sql(column.type, dialect)}" for column in columns)
    tail = f"\n{dialect.scratch_options}" if dialect.scratch_options else ""
    return Statement(f"{dialect.create_scratch} {quote_table(table)} (\n  {lines}\n){tail}")


def scratch_from(table: TableName, select: str, dialect: Dialect) -> Statement:
    """Creates a scratch table of a query's rows, in place of one of that name."""
    options = f" {dialect.scratch_options}" if dialect.scratch_options else ""
    return Statement(f"{dialect.create_scratch} {quote_table(table)}{options} AS\n{select}")


def comments(
    table: TableName, columns: Sequence[Column], dialect: Dialect, comment: str = ""
) -> list[Statement]:
    """Sets the comments that are not empty, unless they stand where the things are created."""
    if dialect.has_inline_comments:
        return []
    texts = [(f"TABLE {quote_table(table)}", comment)]
    texts += [(f"COLUMN {quote_table(table)}.{quote(c.name)}", c.comment) for c in columns]
    return [Statement(f"COMMENT ON {what} IS {quote_text(text, dialect)}") for what, text in texts if text]


def add_column(table: TableName, column: Column, dialect: Dialect) -> Statement:
    """Adds a column unless it is there; its comment stands in it, or is set by `comments`."""
    return Statement(
        f"ALTER TABLE {quote_table(table)} ADD COLUMN IF NOT EXISTS {_definition(column, dialect)}"
    )


def create_view(
    view: TableName, query: str, comment: str, dialect: Dialect, *, replaces: bool
) -> list[Statement]:
    """Creates a view with a comment. `replaces`: takes the place, and the grants, of one that is there."""
    verb, tail = ("CREATE OR REPLACE VIEW", dialect.view_tail) if replaces else ("CREATE VIEW", "")
    inline = f"\nCOMMENT = {quote_text(comment, dialect)}" if dialect.has_inline_comments else ""
    creating = Statement(f"{verb} {quote_table(view)}{tail}{inline} AS\n{query}")
    if dialect.has_inline_comments:
        return [creating]
    return [
        creating,
        Statement(f"COMMENT ON VIEW {quote_table(view)} IS {quote_text(comment, dialect)}"),
    ]


def view_comment(view: TableName, dialect: Dialect) -> Statement:
    """Asks for a view's comment; no row if there is no such view."""
    return _asking(dialect.view_comment, view)


def table_options(table: TableName, dialect: Dialect) -> Statement:
    """Asks for a table's transience (YES or NO), clustering key and retention time."""
    return _asking(dialect.table_options, table)


def _asking(sql: str, table: TableName) -> Statement:
    return Statement(sql.format(catalog=quote(table.catalog)), (table.catalog, table.schema, table.name))


def alter_type(table: TableName, column: str, new_type: ColumnType, dialect: Dialect) -> Statement:
    """Changes a column's type."""
    return Statement(
        f"ALTER TABLE {quote_table(table)} ALTER COLUMN {quote(column)} SET DATA TYPE {type_sql(new_type, dialect)}"
    )


def rename_column(table: TableName, old: str, new: str) -> Statement:
    """Renames a column."""
    return Statement(f"ALTER TABLE {quote_table(table)} RENAME COLUMN {quote(old)} TO {quote(new)}")


def convert_absent(
    table: TableName, staging: TableName, id_column: str, *, old: Column, new: Column, dialect: Dialect
) -> Statement:
    """Writes one column's values into another, as its type, in rows whose Id is not staged."""
    own_id = quote(id_column)
    return Statement(
        f"UPDATE {quote_table(table)} SET {quote(new.name)} = {_converted(old, new.type, dialect)}\n"
        f"WHERE {quote(old.name)} IS NOT NULL AND {own_id} NOT IN\n"
        f"  (SELECT {own_id} FROM {quote_table(staging)} WHERE {own_id} IS NOT NULL)"
    )


def _converted(column: Column, wanted: ColumnType, dialect: Dialect) -> str:
    """A column's value as another type, NULL if it does not fit."""
    name, spelling = quote(column.name), type_sql(wanted, dialect)
    if not dialect.tries_text_only:
        return f"TRY_CAST({name} AS {spelling})"
    if wanted.kind is ColumnKind.VARIANT:  # a cast would make one JSON text of it
        return f"TRY_PARSE_JSON({name})"
    if wanted.kind in {ColumnKind.FLOAT, ColumnKind.TIMESTAMP}:  # of numbers and dates, which always fit
        return f"CAST({name} AS {spelling})"
    text = dialect.texts.get(column.type.kind, "CAST({} AS VARCHAR)").format(name)
    return f"TRY_CAST({text} AS {spelling})"


def drop_table(table: TableName) -> Statement:
    """Drops a table if it is there."""
    return Statement(f"DROP TABLE IF EXISTS {quote_table(table)}")


# ---- rows


def count_rows(table: TableName) -> Statement:
    """Counts a table's rows."""
    return Statement(f"SELECT count(*) AS rows_counted FROM {quote_table(table)}")


def count_equal(table: TableName, column: str, value: object) -> Statement:
    """Counts a table's rows that have one value in a column."""
    return Statement(
        f"SELECT count(*) AS rows_counted FROM {quote_table(table)} WHERE {quote(column)} = ?", (value,)
    )


def newest(table: TableName, column: str) -> Statement:
    """Gives the newest value of a timestamp column."""
    return Statement(f"SELECT max({quote(column)}) FROM {quote_table(table)}")


def join_staged(
    target: TableName, parts: Sequence[tuple[TableName, Sequence[str]]], id_column: str, dialect: Dialect
) -> Statement:
    """Joins staging tables that hold different columns of the same rows; rows that one of them lacks drop out."""
    first, *others = [quote_table(table) for table, _ in parts]
    chosen = [f"p{n}.{quote(column)}" for n, (_, columns) in enumerate(parts) for column in columns]
    joins = "".join(
        f"\nJOIN {other} AS p{n} ON p{n}.{quote(id_column)} = p0.{quote(id_column)}"
        for n, other in enumerate(others, start=1)
    )
    return scratch_from(target, f"SELECT {', '.join(chosen)}\nFROM {first} AS p0{joins}", dialect)


def delete_all(table: TableName) -> Statement:
    """Empties a table."""
    return Statement(f"DELETE FROM {quote_table(table)}")


def delete_equal(table: TableName, column: str, value: object) -> Statement:
    """Deletes the rows that have one value in a column."""
    return Statement(f"DELETE FROM {quote_table(table)} WHERE {quote(column)} = ?", (value,))


def insert_from(
    table: TableName, source: TableName, columns: Sequence[str], constants: Mapping[str, object]
) -> Statement:
    """Copies columns of the same names, and sets others to one value in all rows."""
    values = "".join(f", {_mark(value)}" for value in constants.values())
    return Statement(
        f"INSERT INTO {quote_table(table)} ({listed([*columns, *constants])})\n"
        f"SELECT {listed(columns)}{values}\nFROM {quote_table(source)}",
        tuple(constants.values()),
    )


def _mark(value: object) -> str:
    return BOUND_MOMENT if isinstance(value, datetime) else "?"
