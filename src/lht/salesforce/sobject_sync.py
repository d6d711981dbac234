"""Keeps tables in step with objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

    from lht.app.access import AccessInfo
    from lht.model.sync import SyncResult

__all__ = ["new_changed_records"]


def new_changed_records(  # noqa: PLR0917 - the guide promises these positions
    session: object,
    access_info: AccessInfo,
    sobject: str,
    local_table: str,
    match_field: str,
    lastmodifieddate: datetime | str | None = None,
    *,
    schema: str | None = None,
    **options: Any,
) -> SyncResult:
    """Merges an object's new, changed and deleted records into a table, matched by `match_field`.

    `lastmodifieddate` (UTC unless it says otherwise) reads what changed since then; without it, what changed since
    the last call. `options` are those of `lht.sync_objects`. `session` is a Snowpark `Session`, a connection of
    Snowflake's connector or of DuckDB, which stays open and must have no open transaction, or what
    `lht.connect_warehouse` gives.
    """
    from lht.app import access, api, syncing  # noqa: PLC0415 - importing this module loads no driver

    warehouse = access.warehouse_of(session)
    if lastmodifieddate is not None:
        options["lastmodifieddate"] = syncing.read_moment(lastmodifieddate)
    with access.org_of(access_info) as org:
        return api.sync_objects(
            org, warehouse, sobject, table=local_table, schema=schema, sync_field=match_field, **options
        )
