"""Every SQL statement that LHT sends to a warehouse: text with bound values, no I/O.

The forms are those that DuckDB and Snowflake both understand: a subquery as the source of MERGE, bare column
names where columns are assigned. What differs is in `Dialect`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.model.sync import DeletePolicy

if TYPE_CHECKING:
    from datetime import datetime

    from lht.model.table import ColumnKind, TableName


@dataclass(frozen=True, slots=True)
class Statement:
    """One SQL statement; `params` are bound to its question marks, in order."""

    sql: str
    params: tuple[object, ...] = ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a warehouse spells what SQL leaves open: `types` may hold `{length}`, `{precision}`, `{scale}`."""

    name: str
    types: dict[ColumnKind, str]


@dataclass(frozen=True, slots=True)
class SystemColumns:
    """Names of the columns that LHT adds to a table, as this warehouse stores them."""

    run_id: str
    synced_at: str
    deleted_at: str


@dataclass(frozen=True, slots=True)
class MergeSpec:
    """One merge of a staging table into its target.

    `columns` are the staging table's columns that go into the target under the same names; the key, stamp,
    deleted and id columns are among them where they are given. `has_duplicates` and `target_is_empty` are
    facts that `warehouse.merge.prepare` looks up: they choose cheaper statements with equal outcomes.
    """

    target: TableName
    staging: TableName
    key_column: str
    columns: tuple[str, ...]
    stamp_column: str | None
    deleted_column: str | None
    id_column: str | None
    policy: DeletePolicy
    run_id: str
    synced_at: datetime
    system: SystemColumns
    has_duplicates: bool = True
    target_is_empty: bool = False


@dataclass(frozen=True, slots=True)
class MergeCounts:
    """What a merge does to the staged rows; `read` is the sum of all others."""

    read: int
    inserted: int
    updated: int
    unchanged: int
    deleted: int
    duplicate: int
    ignored: int

    @property
    def changed(self) -> int:
        """Rows that MERGE itself must report as changed."""
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True, slots=True)
class KeyProblems:
    """What makes a key unfit: live rows without one, and live records of different Ids that share one."""

    empty: int
    empty_example: str | None
    """The Id of a row without a key."""
    repeated: int
    repeated_example: str | None
    """A key that several records share."""

    def __bool__(self) -> bool:
        return bool(self.empty or self.repeated)


@dataclass(frozen=True, slots=True)
class Deletions:
    """A staging table of deleted Ids, with the time of each deletion."""

    staging: TableName
    id_column: str
    deleted_at_column: str
    live_rows: TableName | None = None
    """A staging table of rows read by the same run: what is live there is not deleted."""


def quote(identifier: str) -> str:
    """Quotes one identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def quote_table(table: TableName) -> str:
    """Quotes a table's full name."""
    return ".".join(quote(part) for part in (table.catalog, table.schema, table.name) if part)
