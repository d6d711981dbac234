"""Names of LHT's own tables and columns as one warehouse stores them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lht.state import tables
from lht.warehouse.statements import quote, quote_table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lht.model.table import TableName
    from lht.state.tables import StateTable
    from lht.warehouse.port import Warehouse
    from lht.warehouse.statements import Dialect


@dataclass(frozen=True, slots=True)
class Names:
    """How LHT's tables are spelled in SQL; `meta` is where the first of them lies, the others lie beside it."""

    meta: TableName
    dialect: Dialect
    folds_upper: bool

    def stored(self, name: str) -> str:
        """A name of ours as this warehouse stores it."""
        return name.upper() if self.folds_upper else name

    def table(self, table: StateTable) -> TableName:
        return replace(self.meta, name=self.stored(table.name))

    @property
    def catalog(self) -> str:
        """The state's own catalog."""
        return self.meta.catalog

    def sql_table(self, table: StateTable) -> str:
        return quote_table(self.table(table))

    def sql(self, column: str) -> str:
        return quote(self.stored(column))

    def listed(self, columns: Iterable[str]) -> str:
        return ", ".join(map(self.sql, columns))

    def equal(self, columns: Iterable[str]) -> str:
        """A condition with a mark for the value of each column."""
        return " AND ".join(f"{self.sql(column)} = ?" for column in columns) or "TRUE"


def state_names(warehouse: Warehouse, schema: str | None) -> Names:
    """The names in one warehouse. `schema` None: where this warehouse has LHT's tables."""
    capabilities = warehouse.capabilities
    meta = tables.META.name.upper() if capabilities.folds_upper else tables.META.name
    place = warehouse.table_name(meta, schema or capabilities.state_schema)
    return Names(place, warehouse.dialect, capabilities.folds_upper)
