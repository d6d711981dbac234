"""Record types of an object: which one a record gets, which it may get, and how an org is given further ones."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault
from lht.simulator.org.first_rows import USER_ID
from lht.simulator.org.rules.record_types import MASTER_ID, RecordType, record_types
from lht.simulator.org.schemas.catalog import with_field
from lht.simulator.org.schemas.facts import check_kinds
from lht.simulator.org.schemas.fields import record_type
from lht.simulator.org.writes import rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.org.writes.working_set import WorkingSet
    from lht.simulator.store.database import Connection

FIELD = "RecordTypeId"
_DEVELOPER_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9]){0,79}")


@dataclass(frozen=True, slots=True)
class NewRecordType:
    """A record type as a schema file or an admin writes it."""

    name: str
    developer_name: str
    active: bool = True


def new_record_type(body: Mapping[str, Any]) -> NewRecordType:
    """Reads one; raises ValueError for what is none. Without a developer name the name gives it."""
    name = body.get("name")
    usual = re.sub(r"[^A-Za-z0-9]+", "_", name).strip("_") if isinstance(name, str) else ""
    whole = {"developer_name": usual, **body}
    check_kinds(NewRecordType, whole)
    if not isinstance(name, str) or not name.strip():
        raise ValueError("name is missing")
    if not _DEVELOPER_NAME.fullmatch(whole["developer_name"]):
        raise ValueError(f"developer_name cannot be {whole['developer_name']!r}")
    return NewRecordType(**whole)


def with_record_types(schema: ObjectSchema) -> ObjectSchema:
    """Gives the object with the field that tells record types apart."""
    has = any(field.name == FIELD for field in schema.fields)
    return schema if has else with_field(schema, record_type())


def put_record_types(
    connection: Connection,
    catalog: Catalog,
    object_name: str,
    wanted: Iterable[NewRecordType],
    now: datetime,
) -> list[str]:
    """Adds record types, or changes those that are there under the same developer name; gives their ids."""
    known = {kind.developer_name.lower(): kind.id for kind in record_types(connection, catalog, object_name)}
    schema, found = catalog.need("RecordType"), []
    for kind in wanted:
        row: Row = {"Name": kind.name, "IsActive": kind.active}
        row |= {"LastModifiedDate": now, "LastModifiedById": USER_ID, "SystemModstamp": now}
        record_id = known.get(kind.developer_name.lower())
        if record_id == MASTER_ID:
            raise ValueError("the record type Master is there already, and stays as it is")
        if record_id is None:
            row |= {"DeveloperName": kind.developer_name, "SobjectType": object_name}
            record_id = rows.insert(connection, schema, row | {"CreatedDate": now, "CreatedById": USER_ID})
        else:
            rows.update_all(connection, schema, {record_id: row})
        found.append(record_id)
    return found


def _types(work: WorkingSet, catalog: Catalog, schema: ObjectSchema) -> tuple[RecordType, ...]:
    return work.once(
        catalog.object("RecordType"), schema.name, lambda at: record_types(at, catalog, schema.name)
    )


def usual_record_type(work: WorkingSet, catalog: Catalog, schema: ObjectSchema) -> Row:
    """Gives the record type of a new record that names none."""
    if schema.find(FIELD) is None:
        return {}
    default = next((kind for kind in _types(work, catalog, schema) if kind.default), None)
    return {} if default is None or default.is_master else {FIELD: default.id}


def check_record_type(work: WorkingSet, catalog: Catalog, schema: ObjectSchema, sent: Row) -> None:
    """Refuses a record type of another object, or one that is not active."""
    wanted = sent.get(FIELD)
    if wanted is None:
        return
    usable = {kind.id for kind in _types(work, catalog, schema) if kind.active}
    if wanted not in usable:
        message = f"Record Type ID: this ID value isn't valid for the user: {wanted}"
        raise ApiFault(400, "INVALID_CROSS_REFERENCE_KEY", message, (FIELD,))
