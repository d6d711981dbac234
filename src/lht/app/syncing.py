"""Syncs from what a user asked: names, options, or the project file."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lht.errors import ConfigError
from lht.model.sync import SyncOptions, SyncRequest
from lht.sfdc import rest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from lht.model.salesforce import ObjectSummary
    from lht.model.sync import SyncEvent, SyncPlan, SyncResult
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse

PARALLEL = 3


def new_run_id(now: datetime | None = None) -> str:
    """Names a run so that names sort by time and never meet."""
    return f"{now or datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


def read_moment(value: datetime | str) -> datetime:
    """Reads a time as people write it; UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        raise ConfigError(
            f"{value!r} is no time.", hint="Write it like '2024-01-01 00:00:00' (UTC)."
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def requests_for(
    sobjects: Sequence[str],
    *,
    table: str | None = None,
    table_prefix: str = "",
    schema: str | None = None,
    key: str = "Id",
    options: SyncOptions | None = None,
) -> tuple[SyncRequest, ...]:
    """Asks for the same treatment of several objects; `table` names the table of a single one."""
    if table is not None and not table.strip():
        raise ConfigError("The name of the table is empty.", hint="Leave it out to name it as the object.")
    if table and len(sobjects) != 1:
        raise ConfigError(
            "One table cannot hold several objects.", hint="Use --table_prefix instead of --table."
        )
    return tuple(
        SyncRequest(
            name,
            table or (f"{table_prefix}{name}" if table_prefix else None),
            schema,
            key,
            options or SyncOptions(),
        )
        for name in sobjects
    )


def syncable_objects(org: Org) -> tuple[tuple[str, ...], dict[str, str]]:
    """Gives all objects that can be kept in step, and the others, each with the reason it is skipped."""
    skipped = {
        summary.name: reason for summary in rest.list_objects(org) if (reason := _why_skipped(summary))
    }
    names = tuple(summary.name for summary in rest.list_objects(org) if summary.name not in skipped)
    return names, skipped


def _why_skipped(summary: ObjectSummary) -> str:
    if not summary.queryable:
        return "cannot be queried"
    if not summary.replicateable:
        return "is not replicateable"
    return "is deprecated and hidden" if summary.deprecated else ""


def sync_objects(
    org: Org,
    warehouse: Warehouse,
    requests: Sequence[SyncRequest],
    *,
    spool_dir: Path,
    parallel: int = PARALLEL,
    on_event: Callable[[SyncEvent], None] = lambda _event: None,
) -> SyncResult:
    """Brings tables in step with their objects; what stopped an object is in the result's `failures`."""
    from lht.sync.engine import run_sync  # noqa: PLC0415 - the engine brings pyarrow

    return run_sync(
        org,
        warehouse,
        requests,
        run_id=new_run_id(),
        spool_dir=spool_dir,
        parallel=parallel,
        on_event=on_event,
    )


def plan_objects(
    org: Org, warehouse: Warehouse, requests: Sequence[SyncRequest], *, spool_dir: Path
) -> tuple[SyncPlan, ...]:
    """Plans the same runs and changes nothing."""
    from lht.sync.engine import plan_only  # noqa: PLC0415

    return tuple(plan_only(org, warehouse, request, spool_dir=spool_dir) for request in requests)
