"""What the state tables remember of runs, jobs and schema changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from lht.model.retl import RetlResult
    from lht.model.sync import ObjectResult
    from lht.model.table import TableName


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a lock: a random token, and where its process can be looked for."""

    token: str
    host: str
    boot_id: str
    pid: int


@dataclass(frozen=True, slots=True)
class Holder:
    """A lock on a table, which is also the record that a run is under way.

    `org_id` and `object` are empty where the work is no sync, and so no run to be told of.
    """

    owner: Owner
    run_id: str
    org_id: str
    object: str
    table: TableName
    command: str
    lht_version: str
    acquired_at: datetime
    heartbeat_at: datetime


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One object's part in one run. `status`: done, failed or interrupted; a run under way is `running`."""

    run_id: str
    org_id: str
    object: str
    table: TableName
    command: str
    status: str
    started_at: datetime
    ended_at: datetime | None
    lht_version: str
    result: ObjectResult | RetlResult | None
    is_resumable: bool = False
    """Whether the same command, run again, goes on where this run stopped."""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A Bulk job that a run created for a table. `purpose`: rows, backfill, ids or formulas.

    `columns` is the plan's column list as JSON, `pages` the ordered page list once it is fixed (JSON, or None),
    `status`: open, done or dropped.
    """

    job_id: str
    run_id: str
    org_id: str
    object: str
    table: TableName
    purpose: str
    soql: str
    columns: str
    api_version: str
    fingerprint: str
    created_at: datetime
    status: str
    pages: str | None = None


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """A change LHT made to a table's shape. `backfilled_at` None: old rows are still owed their values."""

    change_id: str
    run_id: str
    org_id: str
    table: TableName
    kind: str
    column: str
    field: str
    old_type: str | None
    new_type: str
    changed_at: datetime
    backfilled_at: datetime | None
