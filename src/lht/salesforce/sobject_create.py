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
) -> CreateResult:
    """Creates the table that mirrors an object; one that exists is compared, never changed.

    `session` is a DuckDB connection, which stays open and must have no open transaction, or an LHT warehouse.
    """
    from lht.app import access, tables  # noqa: PLC0415 - importing this module loads no driver

    warehouse = access.warehouse_of(session)
    with access.org_of(access_info) as org:
        return tables.create(org, warehouse, sobject, table, schema=schema, overrides=access.overrides())
