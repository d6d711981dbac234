"""The warehouse side: tables, columns, types, and what a warehouse can do."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class ColumnKind(StrEnum):
    """The kinds of column that LHT creates; each warehouse spells them its own way."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    FLOAT = "float"
    BOOLEAN = "boolean"
    DATE = "date"
    TIMESTAMP = "timestamp"
    TIME = "time"
    VARIANT = "variant"


@dataclass(frozen=True, slots=True)
class ColumnType:
    """A column's type.

    `length` is in characters, for text only (None: unbounded); `precision` and `scale` are for decimals only.
    INTEGER is a whole number of up to 38 digits; TIMESTAMP has no zone and holds UTC. `is_collated`: the warehouse
    compares such texts by the rules of a language, by which different ones may be equal.
    """

    kind: ColumnKind
    length: int | None = None
    precision: int | None = None
    scale: int | None = None
    is_collated: bool = field(default=False, compare=False)

    def __str__(self) -> str:
        """The spelling of `[types]` in lht.toml, which `mapping.types.parse_type` reads back."""
        match self.kind:
            case ColumnKind.TEXT:
                return f"varchar({self.length})" if self.length else "varchar"
            case ColumnKind.INTEGER:
                return "number(38,0)"
            case ColumnKind.DECIMAL:
                return f"number({self.precision},{self.scale})"
            case _:
                return self.kind.value


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `field` is the Salesforce field (or dotted path) it holds, None for a system or foreign column."""

    name: str
    type: ColumnType
    field: str | None = None
    comment: str = ""
    calculated: bool = False


@dataclass(frozen=True, slots=True)
class TableName:
    """A table's full name; `str()` is for people, `warehouse.statements.quote_table` is for SQL."""

    catalog: str
    schema: str
    name: str

    def __str__(self) -> str:
        return ".".join(part for part in (self.catalog, self.schema, self.name) if part)


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What may be asked of a new table beyond its columns, where the warehouse has it.

    `cluster_by` is a list of expressions in the warehouse's SQL, in parentheses; `retention_days` is how long old
    versions of the table can be read, None for what the schema says.
    """

    transient: bool = False
    cluster_by: str = ""
    retention_days: int | None = None


NO_OPTIONS = TableOptions()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a warehouse can do; engines ask this value, never which warehouse it is."""

    name: str
    state_schema: str
    folds_upper: bool
    has_text_length: bool
    """Whether VARCHAR(n) limits, and tells, a length."""
    has_column_comments: bool
    has_variant: bool
    widens_text: bool
    widens_precision: bool
    has_transactional_ddl: bool
    has_table_options: bool
    is_single_process: bool
    """Whether one process at a time may open the database."""
