"""Creates tables from objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.app.access import AccessInfo
    from lht.model.operations import CreateResult

__all__ = ["create"]


def create(
    session: object,
    access_info: AccessInfo,
    sobject: str,
    table: str,
    *,
    schema: str | None = None,
    dry_run: bool = False,
    transient: bool = False,
    cluster_by: str | None = None,
    retention_days: int | None = None,
    live_view: bool = False,
) -> CreateResult:
    """Creates the table that mirrors an object; one that exists is compared, never changed.

    `transient`, `cluster_by` (such as `"(CREATEDDATE, OWNERID)"`) and `retention_days` are for Snowflake. `live_view`
    makes a view of the rows that are not deleted, named after the table.

    `session` is a Snowpark `Session`, a connection of Snowflake's connector or of DuckDB, which stays open and must
    have no open transaction, or what `lht.connect_warehouse` gives.
    """
    from lht.app import access, tables  # noqa: PLC0415 - importing this module loads no driver
    from lht.model.table import TableOptions  # noqa: PLC0415

    options = TableOptions(transient, cluster_by or "", retention_days)
    warehouse = access.warehouse_of(session)
    with access.org_of(access_info) as org:
        return tables.create(
            org,
            warehouse,
            sobject,
            table,
            schema=schema,
            dry_run=dry_run,
            overrides=access.overrides(),
            options=options,
            live_view=live_view,
        )
