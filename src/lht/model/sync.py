"""Values of the sync direction: what is asked, planned, remembered and reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lht.errors import LhtError
    from lht.model.table import Column, ColumnType, TableName


class SyncMode(StrEnum):
    """How much is read."""

    FULL = "full"
    INCREMENTAL = "incremental"


class DeletePolicy(StrEnum):
    """What happens to rows whose record was deleted."""

    MARK = "mark"
    REMOVE = "remove"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What a user may ask of one sync; the defaults are those of the command line.

    Durations are in seconds. `api_budget` is the percentage of the daily API calls above which no job is begun. `types` are overrides by `Field__c` or `Object.Field__c`, in any letter case.
    """

    full: bool = False
    where: str | None = None
    fields: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    deletes: DeletePolicy = DeletePolicy.MARK
    lastmodifieddate: datetime | None = None
    batch_size: int | None = None
    parallel_pages: int = 4
    refresh_formulas: bool = False
    allow_deletes: int | None = None
    adopt: bool = False
    rebind: bool = False
    cursor: str | None = None
    overlap_s: int = 900
    lock_timeout_s: float = 10.0
    job_timeout_s: float = 86_400.0
    api_budget: float = 80.0
    types: Mapping[str, ColumnType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watermark:
    """Where a table stands. Times are aware, UTC.

    `watermark` is the newest stamp known to be committed (shown to users); `read_until` is the org's time up
    to which everything had been read (used for the next window); `deleted_until` the same for getDeleted;
    `fingerprint` stands for the question: filter, key, cursor and type overrides.
    """

    org_id: str
    object: str
    table: TableName
    key: str
    cursor: str | None
    fingerprint: str
    watermark: datetime | None
    read_until: datetime | None
    deleted_until: datetime | None
    covered_from: datetime | None
    rows_in_table: int
    run_id: str
    formulas_read_at: datetime | None = None
    fully_read_at: datetime | None = None
    where: str | None = None
    fields: tuple[str, ...] = ()
    """The fields that the last run read, so that a field that is gone, or back, is noticed."""


@dataclass(frozen=True, slots=True)
class ColumnChange:
    """A column to be changed from one type to another."""

    column: str
    field: str
    old: ColumnType
    new: ColumnType


@dataclass(frozen=True, slots=True)
class Drift:
    """How an object's shape differs from its table's."""

    added: tuple[Column, ...] = ()
    widened: tuple[ColumnChange, ...] = ()
    exchanged: tuple[ColumnChange, ...] = ()
    """Wider, but not by ALTER: a new column is filled and exchanged by two RENAMEs."""
    incompatible: tuple[ColumnChange, ...] = ()
    vanished: tuple[str, ...] = ()
    """Fields whose columns stay, with their old values."""
    reappeared: tuple[Column, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """All that one run will do to one table; `--dry_run` prints it, the run executes that very value."""

    object: str
    table: TableName
    key: str
    key_column: str
    mode: SyncMode
    reason: str
    """Why this mode: a sentence for people."""
    soql: str
    where: str | None
    cursor: str | None
    lower_bound: datetime | None
    columns: tuple[Column, ...]
    """What is read, in SELECT order: Id, the cursor and IsDeleted are among them where the object has them."""
    drift: Drift
    backfill: tuple[Column, ...]
    """Columns that owe their old rows a value: added now, or left owing by a run that died."""
    creates_table: bool
    deletes: DeletePolicy
    has_is_deleted: bool
    reads_deleted: bool
    """Whether getDeleted is asked."""
    refresh_formulas: bool
    fingerprint: str
    trusts_stamps: bool = True
    """Whether a row of the table with a newer stamp is kept as it is; not where it may be another org's."""
    excluded: Mapping[str, str] = field(default_factory=dict)
    """Fields that are not read, each with the reason."""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An error as it is remembered and told; its exit code is looked up by `code` where it is shown."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class ObjectResult:
    """What one run did to one table; every count was counted, none inferred.

    rows_read = inserted + updated + unchanged + deleted + duplicate + ignored.
    """

    object: str
    table: str
    mode: str = ""
    rows_read: int = 0
    rows_inserted: int = 0
    rows_updated: int = 0
    rows_unchanged: int = 0
    rows_deleted: int = 0
    rows_deleted_unseen: int = 0
    rows_duplicate: int = 0
    rows_ignored: int = 0
    rows_in_table: int = 0
    rows_rounded: Mapping[str, int] = field(default_factory=dict)
    watermark: datetime | None = None
    covered_from: datetime | None = None
    job_id: str | None = None
    api_calls: int = 0
    columns_added: tuple[str, ...] = ()
    columns_vanished: tuple[str, ...] = ()
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    error: ErrorReport | None = None


@dataclass(frozen=True, slots=True)
class SyncResult:
    """One run over one or more objects."""

    run_id: str
    objects: tuple[ObjectResult, ...]
    failures: tuple[LhtError, ...] = field(default=(), repr=False)
    """What stopped objects, in the objects' order; their results carry the same as `error`."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """One object that a run shall sync. `table` None: named as the object."""

    object: str
    table: str | None = None
    schema: str | None = None
    key: str = "Id"
    options: SyncOptions = field(default_factory=SyncOptions)


@dataclass(frozen=True, slots=True)
class SyncEvent:
    """What a run tells while it works; `done` and `total` count rows, `total` None while it is unknown."""

    kind: str
    """planned, waiting, reading, loading, committed, failed or warning."""
    object: str
    message: str = ""
    done: int = 0
    total: int | None = None
