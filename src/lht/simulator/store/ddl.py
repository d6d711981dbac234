"""Statements that make and change the tables of an org: one per object, one column per stored field."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMN_TYPES = {
    "boolean": "BOOLEAN",
    "int": "BIGINT",
    "long": "BIGINT",
    "double": "DOUBLE",
    "currency": "DOUBLE",
    "percent": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "time": "TIME",
}


def quoted(name: str) -> str:
    """Writes a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Writes a text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


def column_type(field_type: str) -> str:
    """Gives the column type of a describe type; whatever is not a number, a flag or a time is text."""
    return COLUMN_TYPES.get(field_type.lower(), "VARCHAR")


def create_table(name: str, kinds: Mapping[str, str]) -> str:
    """Makes an object's table from the describe types of its fields; a flag is false until something is written."""
    columns = {field: column_type(kind) for field, kind in kinds.items()}
    lines = [
        f"{quoted(field)} {kind}{' DEFAULT false' if kind == 'BOOLEAN' else ''}"
        for field, kind in columns.items()
    ]
    lines += ["_hidden BOOLEAN DEFAULT false", "_seq BIGINT"]
    return f"CREATE TABLE {quoted(name)} (\n  " + ",\n  ".join(lines) + "\n)"


def drop_table(name: str) -> str:
    """Drops an object's table, if it is there."""
    return f"DROP TABLE IF EXISTS {quoted(name)}"


def add_column(table: str, field: str, kind: str) -> str:
    """Adds a field's column, empty."""
    return f"ALTER TABLE {quoted(table)} ADD COLUMN {quoted(field)} {column_type(kind)}"


def drop_column(table: str, field: str) -> str:
    """Drops a field's column with its values."""
    return f"ALTER TABLE {quoted(table)} DROP COLUMN {quoted(field)}"


def alter_type(table: str, field: str, kind: str, using: str) -> str:
    """Changes a column's type; `using` is the expression that converts the stored values."""
    name = quoted(field)
    return f"ALTER TABLE {quoted(table)} ALTER COLUMN {name} SET DATA TYPE {column_type(kind)} USING {using}"
