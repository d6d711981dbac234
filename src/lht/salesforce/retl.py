"""Writes the rows of a query into Salesforce.

`query` is a path or the SQL itself; `options` are the fields of `lht.model.retl.RetlOptions`. Each function raises
`PlanRefusedError` before anything is sent if something is wrong with the plan, and `RowsFailedError` (its `result`
tells which) when rows failed, unless `raise_failures=False`. `session` is a Snowpark `Session`, a connection of
Snowflake's connector or of DuckDB, which stays open and must have no open transaction, or what
`lht.connect_warehouse` gives.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.app.access import AccessInfo
    from lht.app.reverse import Query
    from lht.model.retl import RetlPlan, RetlResult
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse

__all__ = ["delete", "insert", "plan", "plan_retry", "plan_undo", "retry", "undo", "update", "upsert"]


def insert(
    session: object, access_info: AccessInfo, sobject: str, query: Query, **options: Any
) -> RetlResult:
    """Creates a record for each row."""
    from lht.app import api  # noqa: PLC0415 - importing this module loads no driver

    with _opened(session, access_info) as (org, warehouse):
        return api.retl_insert(org, warehouse, sobject, query, **options)


def update(
    session: object,
    access_info: AccessInfo,
    sobject: str,
    query: Query,
    match_field: str = "Id",
    **options: Any,
) -> RetlResult:
    """Changes the records that the rows name by Id."""
    from lht.app import api  # noqa: PLC0415

    with _opened(session, access_info) as (org, warehouse):
        return api.retl_update(org, warehouse, sobject, query, match_field, **options)


def upsert(
    session: object, access_info: AccessInfo, sobject: str, query: Query, match_field: str, **options: Any
) -> RetlResult:
    """Changes the records that `match_field` finds, and creates the others."""
    from lht.app import api  # noqa: PLC0415

    with _opened(session, access_info) as (org, warehouse):
        return api.retl_upsert(org, warehouse, sobject, query, match_field, **options)


def delete(
    session: object,
    access_info: AccessInfo,
    sobject: str,
    query: Query,
    match_field: str = "Id",
    **options: Any,
) -> RetlResult:
    """Deletes the records that the rows name by Id; more than `max_deletes` are refused without `yes=True`."""
    from lht.app import api  # noqa: PLC0415

    with _opened(session, access_info) as (org, warehouse):
        return api.retl_delete(org, warehouse, sobject, query, match_field, **options)


def plan(  # noqa: PLR0917 - as the operations have them
    session: object,
    access_info: AccessInfo,
    operation: str,
    sobject: str,
    query: Query,
    match_field: str | None = None,
    **options: Any,
) -> RetlPlan:
    """Tells what `insert`, `update`, `upsert` or `delete` would do, and changes nothing."""
    from lht.app import api  # noqa: PLC0415

    with _opened(session, access_info) as (org, warehouse):
        return api.retl_plan(org, warehouse, operation, sobject, query, match_field, **options)


def retry(session: object, access_info: AccessInfo, run_id: str, **options: Any) -> RetlResult:
    """Sends what failed in a run again, with the values that its query gives now."""
    from lht.app import api  # noqa: PLC0415

    with _opened(session, access_info) as (org, warehouse):
        return api.retl_retry(org, warehouse, run_id, **options)


def plan_retry(session: object, access_info: AccessInfo, run_id: str, **options: Any) -> RetlPlan:
    """Tells what `retry` would do, and changes nothing."""
    from lht.app import api  # noqa: PLC0415

    with _opened(session, access_info) as (org, warehouse):
        return api.retl_plan_retry(org, warehouse, run_id, **options)


def undo(session: object, access_info: AccessInfo, run_id: str, **options: Any) -> RetlResult:
    """Puts back what a run changed; with `recreate=True`, also what can only be made anew, with a new Id."""
    from lht.app import api  # noqa: PLC0415

    with _opened(session, access_info) as (org, warehouse):
        return api.retl_undo(org, warehouse, run_id, **options)


def plan_undo(session: object, access_info: AccessInfo, run_id: str, **options: Any) -> RetlPlan:
    """Tells what `undo` would do, and changes nothing."""
    from lht.app import api  # noqa: PLC0415

    with _opened(session, access_info) as (org, warehouse):
        return api.retl_plan_undo(org, warehouse, run_id, **options)


@contextmanager
def _opened(session: object, access_info: AccessInfo) -> Iterator[tuple[Org, Warehouse]]:
    from lht.app import access  # noqa: PLC0415

    warehouse = access.warehouse_of(session)
    with access.org_of(access_info) as org:
        yield org, warehouse
