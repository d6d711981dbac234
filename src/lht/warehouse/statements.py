"""The SQL of names, types, tables and rows: text with bound values, no I/O. A merge's SQL is in `merging`.

The forms are those that DuckDB and Snowflake both understand; what differs is in `Dialect`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.model.table import Column, ColumnKind, ColumnType, TableName

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement; `params` are bound to its question marks, in order."""

    sql: str
    params: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a warehouse spells what SQL leaves open, and which of two forms suits it better.

    `types` may hold `{length}`, `{precision}`, `{scale}`. `row_hash` is a function that hashes many values: rows
    are then compared by two such hashes instead of column by column. Above `merge_limit` changed rows, they are
    deleted and inserted instead of merged.
    """

    name: str
    types: Mapping[ColumnKind, str]
    create_scratch: str
    row_hash: str | None = None
    merge_limit: int | None = None


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


def quote_text(text: str) -> str:
    """Quotes a text where nothing can be bound, as in comments."""
    return "'" + text.replace("'", "''") + "'"


def split_name(name: str) -> tuple[str, ...]:
    """Splits `c.s.T` at its dots; a part in double quotes may hold dots. Empty if it is not a name."""
    part = r'(?:"(?:[^"]|"")+"|[^".]+)'
    if not re.fullmatch(rf"{part}(?:\.{part}){{0,2}}", name):
        return ()
    return tuple(_unquote(found) for found in re.findall(part, name))


def _unquote(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part


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
    table: TableName, columns: Sequence[Column], dialect: Dialect, *, verb: str = "CREATE TABLE"
) -> Statement:
    """Creates a table without comments; every column may be empty."""
    lines = ",\n  ".join(f"{quote(column.name)} {type_sql(column.type, dialect)}" for column in columns)
    return Statement(f"{verb} {quote_table(table)} (\n  {lines}\n)")


def comments(table: TableName, columns: Sequence[Column], comment: str = "") -> list[Statement]:
    """Sets the comments that are not empty."""
    found = [Statement(f"COMMENT ON TABLE {quote_table(table)} IS {quote_text(comment)}")] if comment else []
    return found + [
        Statement(f"COMMENT ON COLUMN {quote_table(table)}.{quote(c.name)} IS {quote_text(c.comment)}")
        for c in columns
        if c.comment
    ]


def add_column(table: TableName, column: Column, dialect: Dialect) -> Statement:
    """Adds a column unless it is there."""
    definition = f"{quote(column.name)} {type_sql(column.type, dialect)}"
    return Statement(f"ALTER TABLE {quote_table(table)} ADD COLUMN IF NOT EXISTS {definition}")


def alter_type(table: TableName, column: str, new_type: ColumnType, dialect: Dialect) -> Statement:
    """Changes a column's type."""
    return Statement(
        f"ALTER TABLE {quote_table(table)} ALTER COLUMN {quote(column)} SET DATA TYPE {type_sql(new_type, dialect)}"
    )


def rename_column(table: TableName, old: str, new: str) -> Statement:
    """Renames a column."""
    return Statement(f"ALTER TABLE {quote_table(table)} RENAME COLUMN {quote(old)} TO {quote(new)}")


def convert_absent(
    table: TableName, staging: TableName, id_column: str, *, old: str, new: Column, dialect: Dialect
) -> Statement:
    """Writes one column's values into another, as its type, in rows whose Id is not staged."""
    own_id = quote(id_column)
    return Statement(
        f"UPDATE {quote_table(table)} SET {quote(new.name)} = TRY_CAST({quote(old)} AS {type_sql(new.type, dialect)})\n"
        f"WHERE {quote(old)} IS NOT NULL AND {own_id} NOT IN\n"
        f"  (SELECT {own_id} FROM {quote_table(staging)} WHERE {own_id} IS NOT NULL)"
    )


def drop_table(table: TableName) -> Statement:
    """Drops a table if it is there."""
    return Statement(f"DROP TABLE IF EXISTS {quote_table(table)}")


def count_rows(table: TableName) -> Statement:
    """Counts a table's rows."""
    return Statement(f"SELECT count(*) AS rows_counted FROM {quote_table(table)}")


def newest(table: TableName, column: str) -> Statement:
    """Gives the newest value of a timestamp column."""
    return Statement(f"SELECT max({quote(column)}) FROM {quote_table(table)}")


def insert_row(table: TableName, values: Mapping[str, object]) -> Statement:
    """Inserts one row."""
    marks = ", ".join("?" for _ in values)
    return Statement(
        f"INSERT INTO {quote_table(table)} ({listed(values)}) VALUES ({marks})", tuple(values.values())
    )


# ---- what is staged


def listed(columns: Iterable[str], prefix: str = "") -> str:
    """Quotes and lists identifiers."""
    return ", ".join(prefix + quote(column) for column in columns)


# ---- changing


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
    return Statement(
        f"{dialect.create_scratch} {quote_table(target)} AS\nSELECT {', '.join(chosen)}\nFROM {first} AS p0{joins}"
    )


# ---- a job's rows into a table of their own


def delete_all(table: TableName) -> Statement:
    """Empties a table."""
    return Statement(f"DELETE FROM {quote_table(table)}")


def insert_from(
    table: TableName, source: TableName, columns: Sequence[str], constants: Mapping[str, object]
) -> Statement:
    """Copies columns of the same names, and sets others to one value in all rows."""
    values = "".join(", ?" for _ in constants)
    return Statement(
        f"INSERT INTO {quote_table(table)} ({listed([*columns, *constants])})\n"
        f"SELECT {listed(columns)}{values}\nFROM {quote_table(source)}",
        tuple(constants.values()),
    )
