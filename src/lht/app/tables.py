"""Creates a table from an object's describe, or tells how an existing one differs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.mapping.columns import columns_for
from lht.mapping.widening import Change, compare
from lht.model.operations import CreatedColumn, CreateResult
from lht.sfdc import rest
from lht.state.tables import system_column_definitions

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
) -> CreateResult:
    """Creates the table that `sync` would create; one that exists is compared, never changed."""
    described = rest.describe(org, sobject)
    columns, _ = columns_for(described, overrides=overrides, capabilities=warehouse.capabilities)
    name = warehouse.table_name(table, schema)
    wanted = (*columns, *system_column_definitions(warehouse.capabilities))
    existing = warehouse.columns(name)
    if existing is not None:
        return _result(
            name, wanted, created=False, differences=differences(wanted, existing, warehouse.capabilities)
        )
    if not dry_run:
        warehouse.create_schema(name)
        warehouse.create_table(name, wanted, comment=f"{described.label} ({described.name}) from Salesforce")
    return _result(name, wanted, created=not dry_run)


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


def _result(
    name: TableName, columns: Sequence[Column], *, created: bool, differences: tuple[str, ...] = ()
) -> CreateResult:
    listed = tuple(CreatedColumn(column.name, str(column.type), column.field) for column in columns)
    return CreateResult(str(name), created, listed, differences)
