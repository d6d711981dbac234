"""What the org writes beside an account: its history, and the share that its owner has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org import rows

if TYPE_CHECKING:
    from datetime import datetime

    from lht.simulator.org.catalog import Catalog
    from lht.simulator.org.derive import Row
    from lht.simulator.org.schema import ObjectSchema
    from lht.simulator.org.values import Stored
    from lht.simulator.store.database import Connection

TRACKED = {
    "Name": "Text",
    "Type": "DynamicEnum",
    "Industry": "DynamicEnum",
    "Rating": "DynamicEnum",
    "OwnerId": "EntityId",
    "Phone": "Text",
    "Website": "Text",
    "AnnualRevenue": "Double",
    "NumberOfEmployees": "Double",
}


def follow_create(
    connection: Connection,
    catalog: Catalog,
    schema: ObjectSchema,
    row: Row,
    user_id: str,
    *,
    again: bool = False,
) -> None:
    """Writes what a new account brings with it; `again` when it comes out of the recycle bin, history and all."""
    if schema.name != "Account":
        return
    now: datetime = row["SystemModstamp"]  # type: ignore[assignment]  # every account has this stamp
    _share(connection, catalog, row, user_id, now)
    if not again:
        _history(connection, catalog, _entry(row, "created", "Text", user_id, now))


def follow_update(
    connection: Connection,
    catalog: Catalog,
    schema: ObjectSchema,
    change: tuple[Row, Row],
    user_id: str,
) -> None:
    """Writes a line of history for each tracked field whose value moved."""
    if schema.name != "Account":
        return
    old, new = change
    now: datetime = new["SystemModstamp"]  # type: ignore[assignment]  # as above
    for name, kind in TRACKED.items():
        if old.get(name) != new.get(name):
            entry = _entry(new, name.removesuffix("Id"), kind, user_id, now)
            values: Row = {"OldValue": _text(old.get(name)), "NewValue": _text(new.get(name))}
            _history(connection, catalog, entry | values)


def _entry(row: Row, field: str, kind: str, user_id: str, now: datetime) -> Row:
    born: Row = {"CreatedDate": now, "CreatedById": user_id, "IsDeleted": False}
    return {"AccountId": row["Id"], "Field": field, "DataType": kind, **born}


def _history(connection: Connection, catalog: Catalog, entry: Row) -> None:
    rows.insert(connection, catalog.need("AccountHistory"), entry)


def _share(connection: Connection, catalog: Catalog, row: Row, user_id: str, now: datetime) -> None:
    share: Row = {
        "AccountId": row["Id"],
        "UserOrGroupId": row["OwnerId"],
        "AccountAccessLevel": "All",
        "OpportunityAccessLevel": "All",
        "CaseAccessLevel": "All",
        "ContactAccessLevel": "All",
        "RowCause": "Owner",
        "LastModifiedDate": now,
        "LastModifiedById": user_id,
        "IsDeleted": False,
    }
    rows.insert(connection, catalog.need("AccountShare"), share)


def _text(value: Stored) -> str | None:
    return None if value is None else str(value)
