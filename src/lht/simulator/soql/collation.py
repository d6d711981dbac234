"""How values compare and sort: text by its capitals, as in English locales, a picklist by its entries' order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.schemas.schema import NUMBER_TYPES, WHOLE_TYPES

if TYPE_CHECKING:
    from lht.simulator.soql.scope import Column

_EXACT = frozenset({"id", "reference", "boolean", "date", "datetime", "time"}) | NUMBER_TYPES | WHOLE_TYPES


def is_folded(column: Column) -> bool:
    """Whether letter case makes no difference to a column's values."""
    exact = column.field is not None and column.field.case_sensitive
    return column.type not in _EXACT and not exact


def folded(column: Column) -> str:
    """Writes a column as it compares."""
    return f"upper({column.sql})" if is_folded(column) else column.sql


def ranks(column: Column) -> list[str]:
    """Writes what a column sorts by, first things first; null wherever the column is, unless it is a checkbox.

    Values that a picklist does not list come after those that it does.
    """
    if column.type == "boolean":
        return [f"coalesce({column.sql}, FALSE)"]
    listed = _listed(column)
    if not listed:
        return [folded(column)]
    place = f"coalesce(list_position([{listed}], upper({column.sql})), {len(column.field.picklist) + 1})"  # type: ignore[union-attr]  # _listed looked
    return [f"CASE WHEN {column.sql} IS NOT NULL THEN {place} END", folded(column)]


def _listed(column: Column) -> str:
    if column.field is None or column.type != "picklist":
        return ""
    return ", ".join(f"upper({_constant(entry.value)})" for entry in column.field.picklist)


def _constant(text: str) -> str:
    escaped = text.replace("'", "''")
    return f"'{escaped}'"
