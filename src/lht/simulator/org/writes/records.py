"""Single records: create, read, update, delete into the recycle bin, undelete, purge."""

from __future__ import annotations

import base64
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault, ManyFound, not_found
from lht.simulator.org import ids
from lht.simulator.org.effects.activities import note_activity
from lht.simulator.org.effects.after_save import after_insert, after_update
from lht.simulator.org.effects.derive import derived
from lht.simulator.org.effects.looked_up import looked_up
from lht.simulator.org.reads.render import address_parts, json_value
from lht.simulator.org.rules.access import check_writable
from lht.simulator.org.rules.contention import parents_locked
from lht.simulator.org.rules.locks import Locks
from lht.simulator.org.user_time import fiscal_year_start
from lht.simulator.org.writes import rows
from lht.simulator.org.writes.bodies import check_required, check_unique, defaults, expect_bodies, read_body
from lht.simulator.org.writes.recycle_bin import UnknownRecord, gone
from lht.simulator.org.writes.undeletes import undelete_all
from lht.simulator.org.writes.values import stored
from lht.simulator.org.writes.working_set import WorkingSet, working
from lht.simulator.org.writes.write_options import AS_USUAL, WriteOptions
from lht.simulator.store.ddl import column_type, quoted
from lht.simulator.versions import VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.rules.rules import RuleBook
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.writes.recycle_bin import RecycleBin
    from lht.simulator.org.writes.values import Stored
    from lht.simulator.org.writes.working_set import Writer
    from lht.simulator.store.database import Connection, Database


AUDIT = frozenset({"CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById"})
"""What a new record may be given where the org lets its users set audit fields."""


@dataclass(frozen=True, slots=True)
class RecordKeeper:
    """Keeps Salesforce's rules for single records. Every call is one transaction."""

    db: Database
    catalog: Catalog
    clock: Clock
    user_id: str
    bin: RecycleBin
    rules: RuleBook
    locks: Locks = field(default_factory=Locks)

    def create(self, object_name: str, body: Mapping[str, object], options: WriteOptions = AS_USUAL) -> str:
        """Makes a record and gives its id."""
        with self.db.transaction() as connection:
            return self.create_in(connection, self.catalog.need(object_name), body, options)

    def create_in(
        self,
        writer: Writer,
        schema: ObjectSchema,
        body: Mapping[str, object],
        options: WriteOptions = AS_USUAL,
    ) -> str:
        """Makes a record in the caller's transaction; one that is refused leaves nothing."""
        with working(writer) as work:
            return self._create(work, schema, body, options)

    def _create(
        self, work: WorkingSet, schema: ObjectSchema, body: Mapping[str, object], options: WriteOptions
    ) -> str:
        _check_allowed(schema, "inserted", allowed=schema.createable)
        audit = AUDIT if self.bin.settings.set_audit_fields else frozenset[str]()
        sent = self._read(work, schema, body, new=True, also=audit)
        given = {name: value for name, value in sent.items() if value is not None}
        row = defaults(schema) | given
        check_required(schema, row)
        now = self.clock.stamp()
        row |= self._born(schema, now) | {name: given[name] for name in (*audit, "OwnerId") if name in given}
        fiscal_start = fiscal_year_start(work, self.catalog, schema)
        found = derived(schema.name, row, row, now, fiscal_start=fiscal_start)
        row |= _known(schema, found)
        row |= _known(schema, looked_up(work, self.catalog, schema, row, row))
        self.rules.check(work, schema, (None, row, row), options)
        check_unique(work, schema, row, None)
        self._lock(schema, ({}, row), options)
        record_id = work.insert(schema, row, options.number)
        after_insert(work, self.catalog, schema, row | {"Id": record_id}, self.user_id)
        note_activity(work, self.catalog, schema, row)
        return record_id

    def update(
        self,
        object_name: str,
        record_id: str,
        body: Mapping[str, object],
        options: WriteOptions = AS_USUAL,
    ) -> None:
        """Changes some fields of a record; its stamps move even if no value does."""
        schema = self.catalog.need(object_name)
        with _as_resource(), self.db.transaction() as connection:
            self.update_in(connection, schema, record_id, body, options)

    def update_in(
        self,
        writer: Writer,
        schema: ObjectSchema,
        record_id: str,
        body: Mapping[str, object],
        options: WriteOptions = AS_USUAL,
    ) -> None:
        """Changes a record in the caller's transaction; a change that is refused leaves nothing."""
        with working(writer) as work:
            self._update(work, schema, record_id, body, options)

    def _update(
        self,
        work: WorkingSet,
        schema: ObjectSchema,
        record_id: str,
        body: Mapping[str, object],
        options: WriteOptions,
    ) -> None:
        _check_allowed(schema, "updated", allowed=schema.updateable)
        work.expect(schema, filter(None, [ids.to_long(record_id)]), whole=True)
        own_id = self.changeable(work, schema, record_id, options, whole=True)
        old = work.find(schema, own_id) or {}
        sent = self._read(work, schema, body, new=False)
        now = self.clock.stamp()
        row = old | sent
        fiscal_start = fiscal_year_start(work, self.catalog, schema)
        found = derived(schema.name, row, sent, now, fiscal_start=fiscal_start)
        changed = sent | _known(schema, found) | self._touched(schema, now)
        changed |= _known(schema, looked_up(work, self.catalog, schema, old | changed, sent))
        self.rules.check(work, schema, (own_id, old | changed, sent), options)
        check_unique(work, schema, sent, own_id)
        self._lock(schema, (old, old | changed), options)
        work.update(schema, own_id, changed)
        after_update(work, self.catalog, schema, (old, old | changed), self.user_id)
        note_activity(work, self.catalog, schema, old | changed)

    def upsert(
        self,
        object_name: str,
        key: str,
        value: str,
        body: Mapping[str, object],
        options: WriteOptions = AS_USUAL,
    ) -> tuple[str, bool]:
        """Changes the record that an external id names, or makes it; gives its id and whether it is new."""
        schema = self.catalog.need(object_name)
        with _as_resource(), self.db.transaction() as connection:
            return self.upsert_in(connection, schema, key, value, body, options=options)

    def upsert_in(
        self,
        writer: Writer,
        schema: ObjectSchema,
        key: str,
        value: str,
        body: Mapping[str, object],
        *,
        options: WriteOptions = AS_USUAL,
    ) -> tuple[str, bool]:
        """Changes or makes the record that an external id names, in the caller's transaction.

        The key stands in `value`, not in the body. An empty Id names no record: one is made.
        """
        field = key_field(schema, key)
        if any(name.lower() == field.name.lower() for name in body):
            message = f"The {field.name} field should not be specified in the sobject data."
            raise ApiFault(400, "INVALID_FIELD", message, (field.name,))
        with working(writer) as work:
            if field.name == "Id":
                if not value:
                    return self._create(work, schema, body, options), True
                self._update(work, schema, value, body, options)
                return ids.checked_id(value), False
            found = holders(work, schema, field, value)
            if found:
                work.expect_holders(schema, field, whole=True)
                work.expect_changes(found)
                self._update(work, schema, found[0], body, options)
                return found[0], False
            return self._create(work, schema, {**body, field.name: value}, options), True

    def expect(
        self,
        work: WorkingSet,
        schema: ObjectSchema,
        bodies: Iterable[Mapping[str, object]],
        record_ids: Iterable[str] = (),
    ) -> None:
        """Tells what writing those bodies, and changing those records, will ask for: it is then read at once."""
        own_ids = [own_id for record_id in record_ids if (own_id := ids.to_long(record_id))]
        work.expect(schema, own_ids, whole=True)
        work.expect_changes(own_ids)
        expect_bodies(work, self.catalog, schema, bodies)

    def find_by_key(self, object_name: str, key: str, value: str) -> str:
        """Gives the id of the record that an external id names."""
        schema = self.catalog.need(object_name)
        field = key_field(schema, key)
        if field.name == "Id":
            found = self._found(schema, ids.checked_id(value))
        else:
            with self.db.reading() as cursor:
                found = holders(WorkingSet(cursor), schema, field, value)
        if not found:
            raise not_found()
        return found[0]

    def _found(self, schema: ObjectSchema, record_id: str) -> list[str]:
        with self.db.reading() as cursor:
            return [one for one, deleted in rows.fates(cursor, schema, [record_id]).items() if not deleted]

    def read(
        self, object_name: str, record_id: str, *, fields: Sequence[str] | None = None, version: str = VERSION
    ) -> dict[str, Any]:
        """Gives a record as JSON: the named fields, or all that the user may see."""
        schema = self.catalog.need(object_name)
        own_id = self._own_id(schema, record_id)
        chosen = _with_id(schema, fields) if fields else list(schema.by_name.values())
        with self.db.reading() as cursor:
            _alive(cursor, schema, own_id)
            sql = f'SELECT {", ".join(_expression(schema, f) for f in chosen)} FROM {quoted(schema.name)} WHERE "Id" = ?'
            found = cursor.execute(sql, [own_id]).fetchone()
        if found is None:
            raise not_found()
        return _json(schema, chosen, found, own_id, version)

    def read_blob(self, object_name: str, record_id: str, name: str) -> bytes:
        """Gives the content of a file field."""
        schema = self.catalog.need(object_name)
        found = schema.find(name)
        if found is None or found.type != "base64":
            raise not_found()
        self.read(object_name, record_id, fields=["Id"])
        sql = f'SELECT {quoted(found.name)} FROM {quoted(schema.name)} WHERE "Id" = ?'
        return base64.b64decode(str(self.db.value(sql, [ids.checked_id(record_id)]) or ""))

    def read_many(
        self, schema: ObjectSchema, record_ids: Sequence[str], names: Sequence[str], version: str
    ) -> list[dict[str, Any] | None]:
        """Gives records in the order of their ids; None where there is none that the user may see."""
        fields = _with_id(schema, names)
        chosen = [ids.to_long(record_id) for record_id in record_ids]
        wanted = ", ".join(_expression(schema, field) for field in fields)
        alive = rows.state(schema, deleted=False)
        sql = f'SELECT {wanted}, "Id" FROM {quoted(schema.name)} WHERE "Id" IN {rows.MANY} AND _hidden IS NOT TRUE{alive}'
        with self.db.reading() as cursor:
            found = cursor.execute(sql, [[one for one in chosen if one]]).fetchall()
        known = {str(row[-1]): _json(schema, fields, row[:-1], str(row[-1]), version) for row in found}
        return [known.get(record_id) if record_id else None for record_id in chosen]

    def delete(self, object_name: str, record_id: str) -> None:
        """Puts a record into the recycle bin, and with it what belongs to it."""
        schema = self.catalog.need(object_name)
        with _as_resource(), self.db.transaction() as connection:
            self.delete_in(connection, schema, record_id)

    def delete_in(
        self, writer: Writer, schema: ObjectSchema, record_id: str, options: WriteOptions = AS_USUAL
    ) -> None:
        """Deletes a record, and with it what belongs to it, in the caller's transaction."""
        with working(writer) as work:
            (fault,) = self.delete_all_in(work, schema, [record_id], options)
        if fault is not None:
            raise fault

    def delete_all_in(
        self,
        writer: Writer,
        schema: ObjectSchema,
        record_ids: Sequence[str],
        options: WriteOptions = AS_USUAL,
    ) -> list[ApiFault | None]:
        """Deletes records as one after the other would be, but at once; tells of each why it was refused, or None."""
        own_ids = [ids.to_long(record_id) or record_id for record_id in record_ids]
        with working(writer) as work:
            self.expect_deletions(work, schema, own_ids, options)
            faults = [self._undeletable(work, schema, own_id, options) for own_id in own_ids]
            chosen = [own_id for own_id, fault in zip(own_ids, faults, strict=True) if fault is None]
            outcomes = iter(self.bin.delete(work, schema, chosen))
            return [fault or next(outcomes) for fault in faults]

    def expect_deletions(
        self, work: WorkingSet, schema: ObjectSchema, record_ids: Iterable[str], options: WriteOptions
    ) -> None:
        """Tells what deleting those records will ask for: it is then read at once."""
        own_ids = [ids.to_long(record_id) or record_id for record_id in record_ids]
        work.expect(schema, own_ids, whole=bool(self.locks or options.locker))
        work.expect_changes(own_ids)
        self.bin.expect(work, schema, own_ids)

    def _undeletable(
        self, work: WorkingSet, schema: ObjectSchema, record_id: str, options: WriteOptions
    ) -> ApiFault | None:
        try:
            _check_allowed(schema, "deleted", allowed=schema.deletable)
            own_id = self.changeable(work, schema, record_id, options)
            if self.locks or options.locker:
                self._lock(schema, (work.find(schema, own_id) or {}, {}), options)
        except ApiFault as fault:
            return fault
        return None

    def _lock(self, schema: ObjectSchema, change: tuple[Row, Row], options: WriteOptions) -> None:
        """Refuses a write, given as the record before and after, that needs a row that somebody else holds."""
        if not self.locks and options.locker is None:
            return
        old, new = change
        wanted = [*filter(None, [old.get("Id")]), *parents_locked(schema, old, new)]
        for record_id in map(str, wanted):
            self.locks.check(record_id, options.transaction)
        if options.locker is not None:
            options.locker(map(str, wanted))

    def changeable(
        self,
        work: WorkingSet,
        schema: ObjectSchema,
        record_id: str,
        options: WriteOptions,
        *,
        whole: bool = False,
    ) -> str:
        """Gives the id of a live record that the user may change and nobody else is changing."""
        own_id = _writable_id(schema, record_id)
        if whole:
            work.find(schema, own_id)
        is_deleted = work.fate(schema, own_id)
        if is_deleted is None:
            raise UnknownRecord
        if is_deleted:
            raise gone()
        check_writable(work, own_id)
        self.locks.check(own_id, options.transaction)
        return own_id

    def undelete(self, record_id: str) -> None:
        """Takes a record out of the recycle bin, and with it what was deleted with it."""
        own_id = ids.checked_id(record_id)
        with self.db.transaction() as connection, working(connection) as work:
            (fault,) = self.undelete_all_in(work, [own_id])
        if fault is not None:
            raise fault

    def undelete_all_in(self, work: WorkingSet, record_ids: Sequence[str]) -> list[ApiFault | None]:
        """Undeletes records in the caller's transaction; tells of each why it was refused, or None."""
        return undelete_all(work, self.bin, self.locks, record_ids)

    def empty_bin(self, object_name: str, record_ids: Sequence[str] | None = None) -> int:
        """Empties records of an object, or all, out of the recycle bin; gives their number."""
        with self.db.transaction() as connection:
            return self.bin.empty(connection, self.catalog.need(object_name), record_ids)

    def purge(self, object_name: str, record_ids: Sequence[str] | None = None) -> int:
        """Removes records for good, those given or the whole recycle bin of an object; gives their number."""
        with self.db.transaction() as connection:
            return self.bin.purge(connection, self.catalog.need(object_name), record_ids)

    def _read(
        self,
        work: WorkingSet,
        schema: ObjectSchema,
        body: Mapping[str, object],
        *,
        new: bool,
        also: frozenset[str] = frozenset(),
    ) -> Row:
        rounds = self.bin.settings.round_decimals
        return read_body(work, self.catalog, schema, body, new=new, also=also, rounds=rounds)

    def _own_id(self, schema: ObjectSchema, record_id: str) -> str:
        own_id = ids.checked_id(record_id)
        if own_id[:3] != schema.key_prefix:
            raise not_found()
        return own_id

    def _born(self, schema: ObjectSchema, now: datetime) -> Row:
        row: Row = {
            "IsDeleted": False,
            "CreatedDate": now,
            "CreatedById": self.user_id,
            "OwnerId": self.user_id,
        }
        return _known(schema, row) | self._touched(schema, now)

    def _touched(self, schema: ObjectSchema, now: datetime) -> Row:
        row: Row = {"LastModifiedDate": now, "LastModifiedById": self.user_id, "SystemModstamp": now}
        return _known(schema, row)


def _writable_id(schema: ObjectSchema, record_id: str) -> str:
    """Gives the id of a record to be changed; one that cannot be this object's is a mistake, not a miss."""
    own_id = ids.to_long(record_id)
    if own_id is None or own_id[:3] != schema.key_prefix:
        label = schema.by_name["id"].label
        raise ApiFault(400, "MALFORMED_ID", f"{label}: id value of incorrect type: {record_id}", ("Id",))
    return own_id


def _known(schema: ObjectSchema, row: Row) -> Row:
    """Leaves only the fields that the object has."""
    names = rows.stored_names(schema)
    return {name: value for name, value in row.items() if name in names}


@contextmanager
def _as_resource() -> Iterator[None]:
    """Answers as the resource of one record does, whose address then leads nowhere."""
    try:
        yield
    except UnknownRecord:
        raise not_found() from None


def _alive(connection: Connection, schema: ObjectSchema, record_id: str) -> Row:
    row = rows.find(connection, schema, record_id)
    if row is None:
        raise not_found()
    if row.get("IsDeleted"):
        raise gone()
    return row


def _check_allowed(schema: ObjectSchema, verb: str, *, allowed: bool) -> None:
    if not allowed:
        message = f"entity type cannot be {verb}: {schema.label}"
        raise ApiFault(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, ())


def holders(work: WorkingSet, schema: ObjectSchema, field: FieldSchema, value: str) -> list[str]:
    """Gives the one record of an external id, or none; several are refused."""
    found = work.holders(schema, field, held_value(field, value))
    if len(found) > 1:
        raise ManyFound(schema.name, tuple(found), field.label)
    return found


def held_value(field: FieldSchema, value: str) -> Stored:
    """Gives the value that rows hold for what an address, or a text of a body, names as external id."""
    return value if column_type(field.type) == "VARCHAR" else stored(field, value)


def key_field(schema: ObjectSchema, key: str) -> FieldSchema:
    """Gives the field that an upsert may find records by."""
    field = schema.find(key)
    if field is None or not (field.external_id or field.id_lookup):
        message = f"Provided external ID field does not exist or is not accessible: {key}"
        raise ApiFault(404, "NOT_FOUND", message)
    return field


def _field(schema: ObjectSchema, name: str) -> FieldSchema:
    found = schema.find(name)
    if found is None:
        message = f"No such column '{name}' on sobject of type {schema.name}"
        raise ApiFault(400, "INVALID_FIELD", message)
    return found


def _expression(schema: ObjectSchema, field: FieldSchema) -> str:
    if field.formula is not None:
        return f"({field.formula})"
    return quoted(field.name) if field.has_column else address_parts(schema, field)


def _with_id(schema: ObjectSchema, names: Sequence[str]) -> list[FieldSchema]:
    """Gives the named fields, each once; the Id comes unasked, last."""
    return list(dict.fromkeys(_field(schema, name) for name in [*names, "Id"]))


def _json(
    schema: ObjectSchema, fields: Sequence[FieldSchema], row: Sequence[Any], record_id: str, version: str
) -> dict[str, Any]:
    """Writes a record as the resources of single records do."""
    url = f"/services/data/{version}/sobjects/{schema.name}/{record_id}"
    values = {f.name: json_value(f.type, v, f"{url}/{f.name}") for f, v in zip(fields, row, strict=True)}
    return {"attributes": {"type": schema.name, "url": url}, **values}
