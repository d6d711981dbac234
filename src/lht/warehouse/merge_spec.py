"""What a merge is of: its tables and columns, what is known of the staged rows, what it does to them. Values only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from lht.model.sync import DeletePolicy
    from lht.model.table import TableName
    from lht.warehouse.statements import SystemColumns

# Scratch tables are named after the staging table.
CHANGES, KEPT = "_changes", "_kept"


@dataclass(frozen=True, slots=True)
class Marks:
    """The columns of a staging table that tell which record a row is of, whether it is deleted, and how old."""

    key: str
    id: str | None = None
    deleted: str | None = None
    stamp: str | None = None


@dataclass(frozen=True, slots=True)
class StagedFacts:
    """What is staged: rows, those with a key, distinct keys, deleted rows with a key, live ones without."""

    staged: int
    keyed: int
    distinct: int
    gone: int
    empty: int
    empty_example: str | None
    """The Id of a live row without a key."""
    newest: datetime | None
    """The newest stamp, aware."""


@dataclass(frozen=True, slots=True)
class MergeSpec:
    """One merge of a staging table into its target.

    `columns` are the staging table's columns that go into the target under the same names; the key, stamp,
    deleted and id columns are among them where they are given. `facts`, `has_duplicates`, `target_is_empty` and
    `compared` are set by `warehouse.merge`: they choose cheaper statements with equal outcomes.
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
    facts: StagedFacts | None = None
    has_duplicates: bool = True
    target_is_empty: bool = False
    compared: tuple[str, ...] = ()
    """Expressions that tell whether a row differs, the same on both sides; empty: all columns."""
    trusts_stamps: bool = True
    """Whether a staged row that is older than the target's is ignored."""
    fills: bool = False
    """Whether only rows that exist get the staged columns, and marks are left alone."""

    @property
    def marks(self) -> Marks:
        """The columns that the facts are asked of."""
        return Marks(self.key_column, self.id_column, self.deleted_column, self.stamp_column)

    @property
    def changes(self) -> TableName:
        """The scratch table of keys and actions."""
        return replace(self.staging, name=self.staging.name + CHANGES)

    @property
    def kept(self) -> TableName:
        """The scratch table of values that only the target has."""
        return replace(self.staging, name=self.staging.name + KEPT)

    @property
    def written(self) -> tuple[str, ...]:
        """Columns that a change writes."""
        system = (self.system.run_id, self.system.synced_at)
        return (*self.columns, *system) if self.fills else (*self.columns, *system, self.system.deleted_at)


@dataclass(frozen=True, slots=True)
class MergeCounts:
    """What a merge does to the staged rows; `read` is the sum of all others."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    duplicate: int = 0
    ignored: int = 0

    @property
    def changed(self) -> int:
        """Rows of the target that differ afterwards."""
        return self.inserted + self.updated + self.deleted


@dataclass(frozen=True, slots=True)
class KeyProblems:
    """What makes a key unfit: live rows without one, and live records of different Ids that share one."""

    empty: int
    empty_example: str | None
    """The Id of a row without a key."""
    repeated: int
    """Keys that several live records share."""
    repeated_example: str | None
    """One of them."""

    def __bool__(self) -> bool:
        return bool(self.empty or self.repeated)


@dataclass(frozen=True, slots=True)
class Deletions:
    """A staging table of deleted Ids, with the time of each deletion."""

    staging: TableName
    id_column: str
    deleted_at_column: str
    live_rows: TableName | None = None
    """A staging table of rows that the same run read: what is live there is not deleted."""
