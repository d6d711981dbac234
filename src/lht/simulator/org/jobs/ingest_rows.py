"""A chunk of records on its way into the org: texts become bodies, parents are found, the records are written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from lht.simulator.errors import ApiFault
from lht.simulator.org import ids
from lht.simulator.org.jobs.ingest_csv import BadRow, Record
from lht.simulator.org.writes.collections import Outcome, Saved
from lht.simulator.org.writes.records import held_value
from lht.simulator.org.writes.write_options import AS_USUAL, WriteOptions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lht.simulator.org.jobs.ingest_header import Column
    from lht.simulator.org.jobs.ingest_order import IngestOrder
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.writes.ahead import Ahead
    from lht.simulator.org.writes.records import RecordKeeper
    from lht.simulator.org.writes.values import Stored
    from lht.simulator.org.writes.working_set import WorkingSet

NULL = "#N/A"
Body: TypeAlias = "dict[str, object]"
VALUES_AHEAD = 500_000
"""Values of the org's rows that are held in memory at a time, about: of wide objects, fewer chunks are read for at once."""


@dataclass(frozen=True, slots=True)
class ChunkWriter:
    """Writes chunks of one job, each in a transaction of its own."""

    keeper: RecordKeeper
    order: IngestOrder
    columns: Sequence[Column]
    ahead: Ahead
    options: WriteOptions = AS_USUAL

    def write(self, waiting: Sequence[Sequence[Record]]) -> list[Outcome]:
        """Writes the last of the chunks that wait and tells what became of each record, in order."""
        schema, records = self.keeper.catalog.need(self.order.object_name), waiting[-1]
        rows_ahead = VALUES_AHEAD // len(schema.kinds)
        most = max(1, rows_ahead // max(len(waiting[0]), len(records), 1))
        with self.ahead.transaction(min(most, len(waiting))) as (work, reach):
            if reach:
                self._expect(work, schema, [record for chunk in waiting[-reach:] for record in chunk])
            return (self._remove if self.order.removes else self._save)(schema, records, work)

    def _expect(self, work: WorkingSet, schema: ObjectSchema, records: Sequence[Record]) -> None:
        if self.order.removes:
            named = [record[0] for record in records if not isinstance(record, BadRow)]
            self.keeper.expect_deletions(work, schema, named, self.options)
        else:
            self._expect_bodies(work, schema, self._bodies(work, records))

    # Records that are to be there -------------------------------------------------------------------------------

    def _save(self, schema: ObjectSchema, records: Sequence[Record], work: WorkingSet) -> list[Outcome]:
        bodies = [self._body(work, record) for record in records]
        verb = self._verb(schema, bodies)
        return [body if isinstance(body, ApiFault) else _tried(verb, work, body) for body in bodies]

    def _verb(
        self, schema: ObjectSchema, bodies: Sequence[Body | ApiFault]
    ) -> Callable[[WorkingSet, Body], Saved]:
        if self.order.operation == "insert":
            return partial(self._insert, schema)
        key = schema.find(self.order.key or "Id")
        assert key is not None  # noqa: S101 - the header was matched to the object
        given = [None if isinstance(body, ApiFault) else _folded(key, body.get(key.name)) for body in bodies]
        times = Counter(one for one in given if one is not None)
        again = {one for one, number in times.items() if number > 1}
        return partial(self._update if self.order.operation == "update" else self._upsert, schema, key, again)

    def _insert(self, schema: ObjectSchema, work: WorkingSet, body: Body) -> Saved:
        if "Id" in body:
            message = "cannot specify Id in an insert call"
            raise ApiFault(400, "INVALID_FIELD_FOR_INSERT_UPDATE", message, ("Id",))
        return Saved(self.keeper.create_in(work, schema, body, self.options), created=True)

    def _update(
        self, schema: ObjectSchema, key: FieldSchema, again: set[str], work: WorkingSet, body: Body
    ) -> Saved:
        record_id = body.pop("Id", None)
        if not isinstance(record_id, str):
            raise ApiFault(400, "MISSING_ARGUMENT", "Id not specified in an update call", ())
        if _folded(key, record_id) in again:
            raise ApiFault(400, "DUPLICATE_VALUE", f"Duplicate id specified: {record_id}", ("Id",))
        self.keeper.update_in(work, schema, record_id, body, self.options)
        return Saved(ids.checked_id(record_id), created=False)

    def _upsert(
        self, schema: ObjectSchema, key: FieldSchema, again: set[str], work: WorkingSet, body: Body
    ) -> Saved:
        value = body.pop(key.name, None)
        if value is None and key.name != "Id":
            raise ApiFault(400, "MISSING_ARGUMENT", f"{key.name} not specified", ())
        if key.name != "Id" and "Id" in body:
            message = "The Id field should not be specified in the sobject data."
            raise ApiFault(400, "INVALID_FIELD", message, ("Id",))
        if _folded(key, value) in again:
            message = f"Duplicate external id specified: {value}"
            raise ApiFault(400, "DUPLICATE_VALUE", message, (key.name,))
        found, created = self.keeper.upsert_in(
            work, schema, key.name, str(value or ""), body, options=self.options
        )
        return Saved(found, created=created)

    def _expect_bodies(self, work: WorkingSet, schema: ObjectSchema, read: Sequence[Body | ApiFault]) -> None:
        bodies = [body for body in read if not isinstance(body, ApiFault)]
        named = [found for body in bodies if isinstance(found := body.get("Id"), str)]
        self.keeper.expect(work, schema, bodies, named + self._held(work, schema, bodies))

    def _held(self, work: WorkingSet, schema: ObjectSchema, bodies: Sequence[Body]) -> list[str]:
        """Gives the ids of all records that an upsert will change, so that they can be read at once."""
        key = schema.find(self.order.key) if self.order.key else None
        if key is None or key.name == "Id":
            return []
        texts = [found for body in bodies if isinstance(found := body.get(key.name), str)]
        values = [value for text in texts if (value := _held(key, text)) is not None]
        work.expect_values(schema, key, values)
        return [found for value in values for found in work.holders(schema, key, value)]

    # Texts into bodies ------------------------------------------------------------------------------------------

    def _bodies(self, work: WorkingSet, records: Sequence[Record]) -> list[Body | ApiFault]:
        for place, column in enumerate(self.columns):
            if column.target is not None and column.key is not None:
                texts = {one[place] for one in records if not isinstance(one, BadRow)}
                _expect_parents(work, column.target, column.key, texts - {"", NULL})
        return [self._body(work, record) for record in records]

    def _body(self, work: WorkingSet, record: Record) -> Body | ApiFault:
        """An empty text says nothing about its field: it stays as it is, or gets its default."""
        if isinstance(record, BadRow):
            return record.fault
        found: Body = {}
        try:
            for column, text in zip(self.columns, record, strict=True):
                if text:
                    found[column.field.name] = self._value(work, column, text)
        except ApiFault as fault:
            return fault
        return found

    def _value(self, work: WorkingSet, column: Column, text: str) -> object:
        if text == NULL:
            return None
        if column.target is None or column.key is None:
            return text
        return _parent(work, column.target, column.key, text)

    # Records that are to go -------------------------------------------------------------------------------------

    def _remove(self, schema: ObjectSchema, records: Sequence[Record], work: WorkingSet) -> list[Outcome]:
        named = [record.fault if isinstance(record, BadRow) else record[0] for record in records]
        times = Counter(ids.to_long(one) for one in named if isinstance(one, str))
        checked = [one if isinstance(one, ApiFault) else _removable(one, times) for one in named]
        chosen = [one for one in checked if isinstance(one, str)]
        faults = self.keeper.delete_all_in(work, schema, chosen, self.options)
        if self.order.operation == "hardDelete":
            gone = [ids.checked_id(one) for one, fault in zip(chosen, faults, strict=True) if fault is None]
            self.keeper.bin.empty(work.reading(), schema, gone)
        following = iter(faults)
        return [one if isinstance(one, ApiFault) else _removed(one, next(following)) for one in checked]


def _removable(record_id: str, times: Counter[str | None]) -> str | ApiFault:
    if record_id in ("", NULL):
        return ApiFault(400, "MISSING_ARGUMENT", "Id not specified in a delete call", ())
    own_id = ids.to_long(record_id)
    if own_id is not None and times[own_id] > 1:
        return ApiFault(400, "DUPLICATE_VALUE", f"Duplicate id specified: {record_id}", ("Id",))
    return record_id


def _removed(record_id: str, fault: ApiFault | None) -> Outcome:
    return fault or Saved(ids.checked_id(record_id), created=False)


def _tried(verb: Callable[[WorkingSet, Body], Saved], work: WorkingSet, body: Body) -> Outcome:
    try:
        return verb(work, body)
    except ApiFault as fault:
        return fault


def _folded(key: FieldSchema, value: object) -> str | None:
    """Gives what two values must share to name the same record."""
    if value is None:
        return None
    text = str(value).strip()
    if key.name == "Id":
        return ids.to_long(text)
    return text if key.case_sensitive else text.lower()


def _expect_parents(work: WorkingSet, target: ObjectSchema, key: FieldSchema, texts: set[str]) -> None:
    """Says which parents will be asked for, so that one query finds those of the whole chunk."""
    if key.name == "Id":
        work.expect(target, [own_id for text in texts if (own_id := ids.to_long(text))], whole=False)
        return
    work.expect_values(target, key, [value for text in texts if (value := _held(key, text)) is not None])


def _held(key: FieldSchema, text: str) -> Stored:
    try:
        return held_value(key, text)
    except ApiFault:
        return None


def _parent(work: WorkingSet, target: ObjectSchema, key: FieldSchema, text: str) -> str:
    """Finds the one live parent that a text names."""
    if key.name == "Id":
        return text
    found = work.holders(target, key, held_value(key, text))
    if not found:
        message = f"Foreign key external ID: {text} not found for field {key.name} in entity {target.name}"
        raise ApiFault(400, "INVALID_FIELD", message, ())
    if len(found) > 1:
        message = f"{key.label}: more than one record found for external id field: [{', '.join(found)}]"
        raise ApiFault(400, "DUPLICATE_EXTERNAL_ID", message, ())
    return found[0]
