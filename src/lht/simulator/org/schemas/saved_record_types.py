"""The record types that saved describes tell of: their records are in the org, in place of those it usually has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lht.simulator.org.ids import to_long
from lht.simulator.org.setup import add_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.store.database import Connection

OBJECT = "RecordType"


def saved_types(schema: ObjectSchema) -> list[Mapping[str, Any]]:
    """Gives the record types that a describe told of, the default one first; Master is no record."""
    told = schema.saved.get("recordTypeInfos") or ()
    found = [
        one
        for one in told
        if isinstance(one, dict) and not one.get("master") and to_long(str(one.get("recordTypeId")))
    ]
    return sorted(found, key=lambda one: not one.get("defaultRecordTypeMapping"))


def add_record_types(
    connection: Connection, catalog: Catalog, objects: Iterable[ObjectSchema], now: datetime
) -> None:
    """Gives objects that were made from describes the record types that those told of, and no others."""
    types = catalog.object(OBJECT)
    for schema in objects if types else ():
        if types is not None and schema.saved:
            connection.execute(f'DELETE FROM "{OBJECT}" WHERE "SobjectType" = ?', [schema.name])
            add_rows(connection, types, [_row(schema, one) for one in saved_types(schema)], now)


def _row(schema: ObjectSchema, one: Mapping[str, Any]) -> dict[str, object]:
    name = one.get("name") or one.get("developerName")
    return {
        "Id": to_long(str(one["recordTypeId"])),
        "Name": name,
        "DeveloperName": one.get("developerName") or name,
        "SobjectType": schema.name,
        "IsActive": one.get("active") is not False,
    }
