"""Creates a table from an object's describe, or tells how an existing one differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.mapping.columns import columns_for
from lht.mapping.table_options import check_options, option_differences
from lht.mapping.widening import Change, compare
from lht.model.operations import CreatedColumn, CreateResult
from lht.model.table import NO_OPTIONS, TableOptions
from lht.sfdc import rest
from lht.state.tables import system_column_definitions, system_columns
from lht.warehouse import live, statements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lht.model.table import Capabilities, Column, ColumnType, TableName
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse


def create(
    org: Org,
    warehouse: Warehouse,
    sobject: str,
    table: str,
    *,
    schema: str | None = None,
    dry_run: bool = False,
    overrides: Mapping[str, ColumnType],
    options: TableOptions = NO_OPTIONS,
    live_view: bool = False,
) -> CreateResult:
    """Creates the table that `sync` would create, and the view of its live rows; an existing table is only compared.

    The view is made for an existing table, too, unless that differs from what it should be.
    """
    described = rest.describe(org, sobject)
    columns, _ = columns_for(described, overrides=overrides, capabilities=warehouse.capabilities)
    name = warehouse.table_name(table, schema)
    wanted = (*columns, *system_column_definitions(warehouse.capabilities))
    check_options(options, wanted, name, warehouse.capabilities)
    has_view = live_view and live.exists(warehouse, name)
    existing = warehouse.columns(name)
    if existing is not None:
        live.refuse_view(warehouse, name)
    found = _differences(warehouse, name, wanted, existing, options) if existing is not None else ()
    if existing is None and not dry_run:
        warehouse.create_schema(name)
        comment = f"{described.label} ({described.name}) from Salesforce"
        warehouse.create_table(name, wanted, comment=comment, options=options)
    if live_view and not found and not dry_run:
        live.create(warehouse, name, system_columns(warehouse.capabilities), replaces=has_view)
    return CreateResult(
        table=str(name),
        created=existing is None and not dry_run,
        columns=tuple(CreatedColumn(column.name, str(column.type), column.field) for column in wanted),
        differences=tuple(found),
        transient=options.transient,
        cluster_by=options.cluster_by or None,
        retention_days=options.retention_days,
        live_view=str(live.view_of(name, warehouse.capabilities)) if live_view else None,
    )


def _differences(
    warehouse: Warehouse,
    name: TableName,
    wanted: Sequence[Column],
    existing: Sequence[Column],
    options: TableOptions,
) -> tuple[str, ...]:
    found = differences(wanted, existing, warehouse.capabilities)
    if options == NO_OPTIONS:
        return found
    (told, *_) = warehouse.query(statements.table_options(name, warehouse.dialect)) or [("NO", None, None)]
    is_transient, cluster_by, days = told
    has = TableOptions(str(is_transient) == "YES", str(cluster_by or ""), int(str(days or 0)))
    return (*found, *option_differences(options, has, statements.quote_table(name)))


def differences(
    wanted: Sequence[Column], existing: Sequence[Column], capabilities: Capabilities
) -> tuple[str, ...]:
    """Tells how an existing table falls short of the wanted one; columns of the user's own are no difference."""
    by_name = {column.name.lower(): column for column in existing}
    found = (_difference(column, by_name.get(column.name.lower()), capabilities) for column in wanted)
    return tuple(sentence for sentence in found if sentence)


def _difference(wanted: Column, existing: Column | None, capabilities: Capabilities) -> str | None:
    if existing is None:
        return f"{wanted.name} is missing: it would be {wanted.type}."
    if compare(existing.type, wanted.type, capabilities) is Change.SAME:
        return None
    return f"{wanted.name} is {existing.type}, but would be {wanted.type}."
