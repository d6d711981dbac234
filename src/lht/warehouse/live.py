"""The view beside a table that shows only records that live: made, kept in step with the table, on any warehouse.

A view's columns are fixed when it is created, so it is made anew when its table's columns change. Whose view it
is stands in its comment: another's is never replaced.
"""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from lht.errors import ConfigError
from lht.mapping.names import column_name
from lht.warehouse import statements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.table import Capabilities, Column, TableName
    from lht.warehouse.port import Warehouse
    from lht.warehouse.statements import SystemColumns

SUFFIX = "_live"
OURS = "Made by LHT"
LEFT_OUT = ("__lht_new", "__lht_old")
"""What ends, or has a number after it, the names of columns that are being exchanged, or were."""


def view_of(table: TableName, capabilities: Capabilities) -> TableName:
    """Names the view of a table."""
    return replace(table, name=table.name + (SUFFIX.upper() if capabilities.folds_upper else SUFFIX))


def exists(warehouse: Warehouse, table: TableName) -> bool:
    """Whether LHT's view of a table is there; ConfigError if something of that name is there that is not LHT's."""
    view = view_of(table, warehouse.capabilities)
    if _is_ours(warehouse, view):
        return True
    if warehouse.columns(view) is None:
        return False
    raise ConfigError(
        f"{view} exists, and LHT did not make it; it was left as it is.",
        hint=f"Rename or drop {view}, or leave the live view out.",
        table=str(view),
    )


def refuse_view(warehouse: Warehouse, table: TableName) -> None:
    """Raises ConfigError where a table's name is a view's: rows would be read for it, and could not be merged."""
    if warehouse.query(statements.view_comment(table, warehouse.dialect)):
        raise ConfigError(
            f"{table} is a view, and rows go into tables only.",
            hint="Choose another --table, or drop the view.",
            table=str(table),
        )


def refresh(warehouse: Warehouse, table: TableName, system: SystemColumns) -> None:
    """Makes the view anew if the table has one that is LHT's."""
    if _is_ours(warehouse, view_of(table, warehouse.capabilities)):
        create(warehouse, table, system, replaces=True)


def create(warehouse: Warehouse, table: TableName, system: SystemColumns, *, replaces: bool) -> None:
    """Makes the view over the columns that the table has now; runs outside transactions.

    `replaces`: LHT's view `exists`, and its grants go over to the new one.
    """
    view = view_of(table, warehouse.capabilities)
    query = query_of(table, warehouse.columns(table) or (), warehouse.capabilities, system)
    comment = (
        f"Rows of {table.name} that are not deleted in Salesforce. {OURS}, which makes it anew when the "
        "table's columns change."
    )
    making = statements.create_view(view, query, comment, warehouse.dialect, replaces=replaces)
    together = (
        warehouse.transaction() if warehouse.capabilities.has_transactional_ddl else contextlib.nullcontext()
    )
    with together:
        for statement in making:
            warehouse.execute(statement)


def _is_ours(warehouse: Warehouse, view: TableName) -> bool:
    found = warehouse.query(statements.view_comment(view, warehouse.dialect))
    return any(OURS in str(comment) for (comment,) in found)


def query_of(
    table: TableName, columns: Sequence[Column], capabilities: Capabilities, system: SystemColumns
) -> str:
    """Selects a table's live rows; what an exchange set aside is left out."""
    names = [column.name for column in columns if not _is_exchanged(column.name)]
    is_deleted = column_name("IsDeleted", capabilities)
    marks = [f"NOT coalesce({statements.quote(n)}, FALSE)" for n in names if n.lower() == is_deleted.lower()]
    marks.append(f"{statements.quote(system.deleted_at)} IS NULL")
    return f"SELECT {statements.listed(names)}\nFROM {statements.quote_table(table)}\nWHERE {' AND '.join(marks)}"


def _is_exchanged(name: str) -> bool:
    return name.rstrip("0123456789").lower().endswith(LEFT_OUT)
