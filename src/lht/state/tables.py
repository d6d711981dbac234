"""Names and columns of LHT's own tables, and of the columns it adds to users' tables: spelled here, once."""

from __future__ import annotations

from dataclasses import dataclass

from lht.model.table import Capabilities, Column, ColumnKind, ColumnType
from lht.warehouse.statements import SystemColumns

STATE_VERSION = 1
"""What `meta` says of the tables below; an LHT that knows less refuses them."""

RUN_ID = "_lht_run_id"
SYNCED_AT = "_lht_synced_at"
DELETED_AT = "_lht_deleted_at"

TEXT = ColumnType(ColumnKind.TEXT)
INTEGER = ColumnType(ColumnKind.INTEGER)
TIMESTAMP = ColumnType(ColumnKind.TIMESTAMP)


@dataclass(frozen=True, slots=True)
class StateTable:
    """One of LHT's own tables."""

    name: str
    columns: tuple[Column, ...]


def system_columns(capabilities: Capabilities) -> SystemColumns:
    """The system columns' names as this warehouse stores them."""
    names = (RUN_ID, SYNCED_AT, DELETED_AT)
    return SystemColumns(*(name.upper() if capabilities.folds_upper else name for name in names))


def system_column_definitions(capabilities: Capabilities) -> tuple[Column, ...]:
    """The system columns, to be created with a table."""
    names = system_columns(capabilities)
    return (
        Column(names.run_id, TEXT, comment="LHT run that last changed this row"),
        Column(names.synced_at, TIMESTAMP, comment="When LHT last changed this row (UTC)"),
        Column(
            names.deleted_at,
            TIMESTAMP,
            comment="When the record was deleted in Salesforce (UTC); empty if live",
        ),
    )
