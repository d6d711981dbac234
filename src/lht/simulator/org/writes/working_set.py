"""The rows that one transaction works with: read ahead for many records, kept in mind, and written many at a time."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from lht.simulator.org.rules import access
from lht.simulator.org.writes import rows
from lht.simulator.org.writes.held_values import HeldValues

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.org.writes.values import Stored
    from lht.simulator.store.database import Connection

T = TypeVar("T")


class WorkingSet:
    """What a transaction has read and is about to write.

    Reading a row here gives it as the writes so far have left it. Whoever asks the database itself does so by
    `reading` or `writing`, before which everything is written, so that both always see the same. `expect` names what will be
    asked for, and the first question fetches all of it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._tables: dict[str, _Table] = {}
        self._numbers = _Numbers(connection)
        self._later: dict[object, tuple[Callable[[list[Any]], None], dict[Any, None]]] = {}
        self._read_only: dict[str, bool] = {}
        self._kept: dict[object, Any] = {}
        self._unasked: dict[str, None] = {}
        self.is_whole = True
        """Whether it still knows all that was read ahead."""
        self.ties_moved = 0
        """How often a write may have changed who refers to whom."""

    def reading(self) -> Connection:
        """Writes everything, and gives the connection to whoever reads at once what no method here gives."""
        self.flush()
        return self._connection

    def writing(self) -> Connection:
        """Writes everything, and gives the connection to whoever changes rows by statements of their own, at once."""
        self.flush()
        self.is_whole = False
        self.ties_moved += 1
        self._numbers.forget()
        for table in self._tables.values():
            table.forget()
        return self._connection

    def rewriting(self, members: Iterable[tuple[ObjectSchema, Iterable[str]]]) -> Connection:
        """As `writing`, for whoever changes no rows but those, and tells himself of references that he changes."""
        self.flush()
        for schema, record_ids in members:
            self._table(schema).forget_rows(record_ids)
        return self._connection

    def settle(self) -> None:
        """Keeps of what was written no more than what was read before: it may be much, and nobody asks for it soon."""
        for table in self._tables.values():
            table.settle()

    def flush(self) -> None:
        """Writes what is to be written, and then what follows from all of it together."""
        self._write()
        while self._later:
            act, items = self._later.pop(next(iter(self._later)))
            act(list(items))
            self._write()

    def _write(self) -> None:
        self._numbers.write()
        for table in self._tables.values():
            table.write()

    def later(self, key: object, act: Callable[[list[Any]], None], items: Iterable[Any]) -> None:
        """Leaves something to be done once for all items that are named under a key, when all is written."""
        known = self._later.get(key, (act, {}))[1]
        self._later[key] = (act, known | dict.fromkeys(items))

    # Reading ----------------------------------------------------------------------------------------------------

    def expect(self, schema: ObjectSchema, record_ids: Iterable[str], *, whole: bool) -> None:
        """Says that those records will be asked for, whole or only whether they are deleted."""
        self._table(schema).expect(record_ids, whole=whole)

    def expect_changes(self, record_ids: Iterable[str]) -> None:
        """Says that somebody will ask whether those records may be changed."""
        self._unasked |= dict.fromkeys(record_ids)

    def expect_values(self, schema: ObjectSchema, field: FieldSchema, values: Iterable[Stored]) -> None:
        """Says that holders of those values will be asked for."""
        self._table(schema).held(field).expect(values)

    def find(self, schema: ObjectSchema, record_id: str) -> Row | None:
        """Gives the stored fields of a record that the user may see, deleted or not. Not to be altered."""
        return self._table(schema).find(record_id)

    def fate(self, schema: ObjectSchema, record_id: str) -> bool | None:
        """Tells of a record that the user may see whether it is deleted; None if there is none."""
        return self._table(schema).fate(record_id)

    def holders(self, schema: ObjectSchema, field: FieldSchema, value: Stored) -> list[str]:
        """Gives the ids of the live records that hold a value of a field."""
        table = self._table(schema)
        found = table.held(field).holders(value)
        if found is None:
            table.write()
            found = table.held(field).read(value)
        return found

    def expect_holders(self, schema: ObjectSchema, field: FieldSchema, *, whole: bool) -> None:
        """Says that the records which hold values that were asked for will be asked for themselves."""
        table = self._table(schema)
        fresh = table.held(field).fresh()
        if fresh:
            table.expect(fresh, whole=whole)
            self.expect_changes(fresh if whole else ())

    def is_read_only(self, record_id: str) -> bool:
        """Tells whether the user may only read a record."""
        if record_id not in self._read_only:
            asked = [*self._unasked, record_id]
            found = access.read_only_among(self._connection, asked)
            self._read_only |= {one: one in found for one in asked}
            self._unasked = {}
        return self._read_only[record_id]

    def once(self, schema: ObjectSchema | None, key: object, ask: Callable[[Connection], T]) -> T:
        """Gives what a question about an object's rows was answered, and asks again only after one was written."""
        if schema is None:
            return ask(self._connection)
        table = self._table(schema)
        if key not in table.answers:
            table.write()
            table.answers[key] = ask(self._connection)
        found: T = table.answers[key]
        return found

    def keep(self, key: object, ask: Callable[[Connection], T]) -> T:
        """Gives what a question was answered that no row here bears on: it is asked once."""
        if key not in self._kept:
            self._kept[key] = ask(self._connection)
        found: T = self._kept[key]
        return found

    # Writing ----------------------------------------------------------------------------------------------------

    def reserve(self, schema: ObjectSchema) -> int:
        """Counts one record more of an object, and gives its number."""
        return self._numbers.following(schema)

    def insert(self, schema: ObjectSchema, row: Mapping[str, Stored], number: int | None = None) -> str:
        """Adds a row under the next id, or the one that was reserved for it; gives the id."""
        number = self.reserve(schema) if number is None else number
        self.ties_moved += 1
        return self._table(schema).insert(rows.numbered(schema, row, number))

    def update(self, schema: ObjectSchema, record_id: str, row: Row) -> None:
        """Changes some fields of a row."""
        self.ties_moved += any(name == "IsDeleted" or schema.kinds.get(name) == "reference" for name in row)
        self._table(schema).update(record_id, row)

    def erase(self, schema: ObjectSchema, field: str, value: Stored, like: Row) -> None:
        """Removes the rows that hold a value in a field, and are like that; a few values of `like` are usual."""
        self.ties_moved += 1
        self._table(schema).erase(field, value, like)

    def _table(self, schema: ObjectSchema) -> _Table:
        found = self._tables.get(schema.name)
        if found is None or found.schema is not schema:
            if found is not None:
                found.write()
            found = self._tables[schema.name] = _Table(self._connection, schema)
        return found


Writer: TypeAlias = "Connection | WorkingSet"
"""Where a record is written: in a transaction, or among others that share their work."""


@contextmanager
def working(writer: Writer) -> Iterator[WorkingSet]:
    """Lends the working set that is given, or a new one on a connection, which is written at the end."""
    if isinstance(writer, WorkingSet):
        yield writer
        return
    work = WorkingSet(writer)
    yield work
    work.flush()


class _Numbers:
    """How many records of each object there have been."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._written: dict[str, int] | None = None
        self._moved: dict[str, int] = {}

    def following(self, schema: ObjectSchema) -> int:
        if self._written is None:
            self._written = rows.used_numbers(self._connection)
        number = self._moved.get(schema.name, self._written.get(schema.name, 0)) + 1
        self._moved[schema.name] = number
        return number

    def forget(self) -> None:
        """Reads the counts anew before the next is used."""
        self._written = None

    def write(self) -> None:
        """Writes the counts down."""
        moved, known = self._moved, self._written or {}
        if moved:
            self._moved, self._written = {}, known | moved
            counted = {name: used for name, used in moved.items() if name in known}
            rows.note_used(self._connection, counted, {name: moved[name] for name in moved.keys() - counted})


class _Table:
    """The rows of one object."""

    def __init__(self, connection: Connection, schema: ObjectSchema) -> None:
        self._connection = connection
        self.schema = schema
        self._new: dict[str, Row] = {}
        self._changes: dict[str, Row] = {}
        self._erased: dict[tuple[str, tuple[tuple[str, Stored], ...]], list[Stored]] = {}
        self._made: list[str] = []
        self.forget()

    def forget(self) -> None:
        """Knows nothing of what the database holds."""
        self._rows: dict[str, Row | None] = {}
        self._fates: dict[str, bool | None] = {}
        self._expected: dict[bool, dict[str, None]] = {True: {}, False: {}}
        self._held: dict[str, HeldValues] = {}
        self.answers: dict[object, Any] = {}

    def forget_rows(self, record_ids: Iterable[str]) -> None:
        """Knows nothing of what those rows hold, but that they were asked for."""
        for held in self._held.values():
            held.forget()
        self.answers.clear()
        for record_id in record_ids:
            for whole, known in ((True, self._rows), (False, self._fates)):
                if record_id in known:
                    del known[record_id]
                    self._expected[whole][record_id] = None

    def settle(self) -> None:
        made, self._made = self._made, []
        for record_id in made:
            self._rows.pop(record_id, None)

    def expect(self, record_ids: Iterable[str], *, whole: bool) -> None:
        known = self._rows if whole else self._fates
        self._expected[whole] |= {one: None for one in record_ids if one not in known}

    def find(self, record_id: str) -> Row | None:
        if record_id not in self._rows:
            self.write()
            wanted = [*self._expected[True], record_id]
            found = rows.find_all(self._connection, self.schema, wanted)
            self._rows |= {one: found.get(one) for one in wanted}
            self._expected[True] = {}
        return self._rows[record_id]

    def fate(self, record_id: str) -> bool | None:
        if record_id in self._rows:
            row = self._rows[record_id]
            return None if row is None else bool(row.get("IsDeleted"))
        if record_id not in self._fates:
            self.write()
            wanted = [*self._expected[False], record_id]
            found = rows.fates(self._connection, self.schema, wanted)
            self._fates |= {one: found.get(one) for one in wanted}
            self._expected[False] = {}
        return self._fates[record_id]

    def held(self, field: FieldSchema) -> HeldValues:
        if field.name not in self._held:
            self._held[field.name] = HeldValues(self._connection, self.schema, field)
        return self._held[field.name]

    def insert(self, row: Row) -> str:
        record_id = str(row["Id"])
        self._new[record_id] = row
        self._rows[record_id] = row
        self._note(record_id, row, row)
        return record_id

    def update(self, record_id: str, changes: Row) -> None:
        known = self._rows.get(record_id) or {}
        changes = {
            name: value for name, value in changes.items() if name not in known or known[name] != value
        }
        if not changes:
            return
        if record_id in self._new:
            self._new[record_id] = self._new[record_id] | changes
        else:
            self._changes[record_id] = self._changes.get(record_id, {}) | changes
        row = self._rows.get(record_id)
        if row is not None:
            self._rows[record_id] = row | changes
        self._fates.pop(record_id, None)
        self._note(record_id, changes, self._rows.get(record_id))

    def _note(self, record_id: str, changes: Row, row: Row | None) -> None:
        self.answers.clear()
        for name in list(self._held):
            if name in changes or "IsDeleted" in changes:
                if row is None:
                    del self._held[name]
                else:
                    self._held[name].note(record_id, row)

    def erase(self, field: str, value: Stored, like: Row) -> None:
        for record_id, row in list(self._new.items()):
            if all(row.get(name) == held for name, held in ({field: value} | like).items()):
                del self._new[record_id]
        self._erased.setdefault((field, tuple(like.items())), []).append(value)
        self._rows, self._fates, self._held = {}, {}, {}

    def write(self) -> None:
        """Removes the rows that are to go, and writes those that are new or changed."""
        erased, self._erased = self._erased, {}
        for (field, like), values in erased.items():
            rows.erase_like(self._connection, self.schema, (field, values), dict(like))
        new, self._new = self._new, {}
        self._made += new
        if new:
            rows.insert_all(self._connection, self.schema, list(new.values()))
        changes, self._changes = self._changes, {}
        for alike in self._alike(changes):
            rows.update_all(self._connection, self.schema, alike)

    def _alike(self, changes: Mapping[str, Row]) -> list[dict[str, Row]]:
        """Gathers changes that can be written together: known rows keep the fields that only others change."""
        names = dict.fromkeys(name for change in changes.values() for name in change)
        found: dict[tuple[str, ...], dict[str, Row]] = {}
        for record_id, change in changes.items():
            row = self._rows.get(record_id)
            whole = change if row is None else {name: row[name] for name in names}
            found.setdefault(tuple(whole), {})[record_id] = whole
        return list(found.values())
