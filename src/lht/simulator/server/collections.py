"""`/composite/sobjects`: up to 200 records written, or 2,000 read, by one request."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault
from lht.simulator.org import ids
from lht.simulator.org.writes.collections import Outcome, Saved, Work, save_all, save_sets
from lht.simulator.org.writes.records import key_field
from lht.simulator.org.writes.recycle_bin import UnknownRecord
from lht.simulator.server.call import json_answer, write_options
from lht.simulator.server.json_places import as_parser_says

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.responses import Response

    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.site import Site
    from lht.simulator.org.writes.working_set import WorkingSet
    from lht.simulator.org.writes.write_options import WriteOptions
    from lht.simulator.server.call import Call

MOST_RECORDS = 200
MOST_READ = 2_000
MOST_CHUNKS = 10
DUPLICATE_KEY = ApiFault(400, "DUPLICATE_VALUE", "duplicate external id specified", ())
DUPLICATE_ID = ApiFault(400, "DUPLICATE_VALUE", "duplicate id specified", ())


@dataclass(frozen=True, slots=True)
class Item:
    """One record of a request: the object that its attributes name, and its fields."""

    object_name: str
    fields: dict[str, Any]

    def value(self, name: str) -> Any:
        """Gives a field by name in any letter case, or None."""
        return next((value for key, value in self.fields.items() if key.lower() == name.lower()), None)

    def without(self, name: str) -> dict[str, Any]:
        """Gives the fields but one."""
        return {key: value for key, value in self.fields.items() if key.lower() != name.lower()}


def create(site: Site, call: Call) -> Response:
    """Makes records of one or several objects."""
    items, all_or_none = _body(call)
    options = write_options(call)
    works = [_creation(site, item, options) for item in items]
    return _save(site, call, works, all_or_none=all_or_none, expect=partial(_expect, site, items))


def update(site: Site, call: Call) -> Response:
    """Changes records of one or several objects, each named by its Id."""
    items, all_or_none = _body(call)
    options = write_options(call)
    again = _repeated([ids.to_long(str(item.value("Id"))) for item in items])
    works = [
        _refusal(DUPLICATE_ID) if is_again else _change(site, item, options)
        for item, is_again in zip(items, again, strict=True)
    ]
    return _save(site, call, works, all_or_none=all_or_none, expect=partial(_expect, site, items))


def upsert(site: Site, call: Call) -> Response:
    """Makes or changes records of one object, each named by an external id."""
    schema = site.catalog.need(call.path["object"])
    field = key_field(schema, call.path["field"])
    items, all_or_none = _body(call)
    _check_object(items, schema)
    options = write_options(call)
    again = _repeated([_folded(field, item.value(field.name)) for item in items])
    works = [
        _refusal(DUPLICATE_KEY) if is_again else _upserting(site, schema, field, item, options)
        for item, is_again in zip(items, again, strict=True)
    ]
    return _save(site, call, works, all_or_none=all_or_none, expect=partial(_expect, site, items))


def delete(site: Site, call: Call) -> Response:
    """Deletes the records whose ids the address lists."""
    wanted = _listed(call.query.get("ids", ""))
    if not wanted:
        raise _missing("ids")
    _check_number(wanted, MOST_RECORDS)
    all_or_none = call.query.get("allOrNone", "false").lower() == "true"
    sets = [
        partial(_delete, site, schema, list(run)) for schema, run in groupby(wanted, partial(_owner, site))
    ]
    return _answered(call, save_sets(site.db, sets, all_or_none=all_or_none))


def retrieve(site: Site, call: Call) -> Response:
    """Gives the records whose ids the address lists; null where the user sees none."""
    return _retrieve(site, call, _listed(call.query.get("ids", "")), _listed(call.query.get("fields", "")))


def retrieve_posted(site: Site, call: Call) -> Response:
    """Gives the records whose ids the body lists; the documentation has two names for each list."""
    body = call.json_body()
    wanted = _texts(body, "ids", "recordIds")
    return _retrieve(site, call, wanted, _texts(body, "fields", "fieldNames"))


def _retrieve(site: Site, call: Call, wanted: Sequence[str], names: Sequence[str]) -> Response:
    schema = site.catalog.need(call.path["object"])
    if not wanted or not names:
        raise _missing("fields" if wanted else "ids")
    _check_number(wanted, MOST_READ)
    found = site.org.records.read_many(schema, wanted, names, call.version)
    return json_answer(call, found)


def _save(
    site: Site, call: Call, works: Sequence[Work], *, all_or_none: bool, expect: Callable[[WorkingSet], None]
) -> Response:
    outcomes = save_all(site.db, works, all_or_none=all_or_none, expect=expect)
    seen = [
        as_parser_says(outcome, call.body, ("records", place)) if isinstance(outcome, ApiFault) else outcome
        for place, outcome in enumerate(outcomes)
    ]
    return _answered(call, seen)


def _answered(call: Call, outcomes: Sequence[Outcome]) -> Response:
    return json_answer(call, [_result(outcome) for outcome in outcomes])


def _expect(site: Site, items: Sequence[Item], work: WorkingSet) -> None:
    """Tells what writing the records of each object will ask for."""
    for name, found in groupby(sorted(items, key=_object_name), _object_name):
        schema, these = site.catalog.object(name), list(found)
        if schema is not None:
            named = [record_id for item in these if isinstance(record_id := item.value("Id"), str)]
            site.org.records.expect(work, schema, [item.fields for item in these], named)


def _object_name(item: Item) -> str:
    return item.object_name.lower()


def _result(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Saved):
        found: dict[str, Any] = {"id": outcome.id, "success": True, "errors": []}
        return found if outcome.created is None else found | {"created": outcome.created}
    return {"success": False, "errors": [item_error(outcome)]}


def item_error(fault: ApiFault) -> dict[str, Any]:
    """Writes an error as the result of one record has it."""
    return {"statusCode": fault.code, "message": fault.message, "fields": list(fault.fields or ())}


def _creation(site: Site, item: Item, options: WriteOptions) -> Work:
    def save(work: WorkingSet) -> Saved:
        if any(name.lower() == "id" for name in item.fields):
            message = "cannot specify Id in an insert call"
            raise ApiFault(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, ("Id",))
        schema = _object(site, item)
        return Saved(site.org.records.create_in(work, schema, item.fields, options))

    return save


def _change(site: Site, item: Item, options: WriteOptions) -> Work:
    def save(work: WorkingSet) -> Saved:
        record_id = item.value("Id")
        if not isinstance(record_id, str) or not record_id:
            raise ApiFault(400, "MISSING_ARGUMENT", "Id not specified in an update call", ())
        schema = _object(site, item)
        site.org.records.update_in(work, schema, record_id, item.without("Id"), options)
        return Saved(ids.checked_id(record_id))

    return save


def _upserting(
    site: Site, schema: ObjectSchema, field: FieldSchema, item: Item, options: WriteOptions
) -> Work:
    def save(work: WorkingSet) -> Saved:
        key, body = item.value(field.name), item.without(field.name)
        if key in (None, "") and field.name != "Id":
            raise ApiFault(400, "MISSING_ARGUMENT", f"{field.name} not specified", ())
        if field.name != "Id" and "id" in map(str.lower, body):
            message = "The Id field should not be specified in the sobject data."
            raise ApiFault(400, "INVALID_FIELD", message, ("Id",))
        text = "" if key is None else str(key)
        made = site.org.records.upsert_in(work, schema, field.name, text, body, options=options)
        return Saved(*made)

    return save


def _owner(site: Site, record_id: str) -> ObjectSchema | ApiFault:
    """Gives the object whose record an id is, or why there is none."""
    own_id = ids.to_long(record_id)
    if own_id is None:
        return ApiFault(400, "MALFORMED_ID", f"malformed id {record_id}")
    return site.catalog.by_prefix(own_id) or UnknownRecord()


def _delete(
    site: Site, schema: ObjectSchema | ApiFault, record_ids: list[str], work: WorkingSet
) -> list[Outcome]:
    """Deletes a run of records of one object."""
    if isinstance(schema, ApiFault):
        return [schema for _ in record_ids]
    faults = site.org.records.delete_all_in(work, schema, record_ids)
    return [fault or Saved(ids.checked_id(one)) for one, fault in zip(record_ids, faults, strict=True)]


def _refusal(fault: ApiFault) -> Work:
    def save(_work: WorkingSet) -> Saved:
        raise fault

    return save


def _object(site: Site, item: Item) -> ObjectSchema:
    found = site.catalog.object(item.object_name)
    if found is None:
        raise ApiFault(400, "INVALID_TYPE", f"sObject type '{item.object_name}' is not supported.", ())
    return found


def _body(call: Call) -> tuple[list[Item], bool]:
    body = call.json_body()
    records, all_or_none = body.get("records"), body.get("allOrNone", False)
    if not isinstance(records, list):
        raise _missing("records")
    if not isinstance(all_or_none, bool):
        raise ApiFault(400, "JSON_PARSER_ERROR", "allOrNone must be true or false")
    _check_number(records, MOST_RECORDS)
    items = [_item(record) for record in records]
    if sum(1 for _ in groupby(items, lambda item: item.object_name.lower())) > MOST_CHUNKS:
        message = (
            f"Cannot have more than {MOST_CHUNKS} chunks in a single operation. "
            "Please rearrange the data to reduce chunking."
        )
        raise ApiFault(400, "LIMIT_EXCEEDED", message)
    return items, all_or_none


def _item(record: object) -> Item:
    if not isinstance(record, dict):
        raise ApiFault(400, "JSON_PARSER_ERROR", "every one of the records must be a JSON object")
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    if not isinstance(name, str) or not name:
        raise ApiFault(400, "INVALID_INPUT", "every record needs attributes with a type")
    return Item(name, {key: value for key, value in record.items() if key != "attributes"})


def _check_object(items: Sequence[Item], schema: ObjectSchema) -> None:
    for item in items:
        if item.object_name.lower() != schema.name.lower():
            message = f"records of {schema.name} were announced, but one has the type {item.object_name}"
            raise ApiFault(400, "INVALID_INPUT", message)


def _check_number(found: Sequence[object], most: int) -> None:
    if len(found) > most:
        message = f"record limit reached. cannot submit more than {most} records into this call"
        raise ApiFault(400, "EXCEEDED_ID_LIMIT", message)


def _repeated(keys: Sequence[str | None]) -> list[bool]:
    times = Counter(key for key in keys if key is not None)
    return [key is not None and times[key] > 1 for key in keys]


def _folded(field: FieldSchema, value: object) -> str | None:
    """Gives what two values must share to be the same external id."""
    if value is None or value == "":
        return None
    text = str(value).strip()
    if field.name == "Id":
        return ids.to_long(text)
    return text if field.case_sensitive else text.lower()


def _listed(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _texts(body: dict[str, Any], *names: str) -> list[str]:
    found = next((body[name] for name in names if name in body), None)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _missing(names[0])
    return found


def _missing(name: str) -> ApiFault:
    return ApiFault(400, "INVALID_INPUT", f"{name} is required, and must be a list")
