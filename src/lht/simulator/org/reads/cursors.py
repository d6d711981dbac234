"""Open queries: their rows are kept as they were at the query's moment, those of child sub-queries too."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from lht.simulator.org import ids
from lht.simulator.org.reads.render import Json, Renderer
from lht.simulator.org.writes.rows import MANY
from lht.simulator.store.database import CURSORS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from lht.simulator.org.reads.render import RowValues
    from lht.simulator.soql.compiled import Compiled
    from lht.simulator.store.database import Connection, Database

CURSOR_LIFE = timedelta(days=2)
MOST_CURSORS = 50
"""How many open queries are kept; the one longest open gives way."""
_PER_PARENT = 3
"""Columns behind those of a child's record: the Id of its parent, its place, and how many the parent has."""


@dataclass(frozen=True, slots=True)
class _Level:
    """The rows of a query, or of a child sub-query, with the levels below it."""

    table: str
    name: str
    id_at: int
    renderer: Renderer
    below: tuple[_Level, ...]

    def tables(self) -> Iterator[str]:
        yield self.table
        for level in self.below:
            yield from level.tables()


@dataclass(frozen=True, slots=True)
class OpenQuery:
    """A query whose rows are kept. `sets` are the cursors given out for sets of children: level and parent.

    `names` finds the cursor again by the level's table and the parent.
    """

    name: str
    root: _Level
    total: int
    batch_size: int
    opened: datetime
    sets: dict[str, tuple[_Level, str]] = field(default_factory=dict)
    names: dict[tuple[str, str], str] = field(default_factory=dict)


class Cursors:
    """Every open query of one org."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._open: OrderedDict[str, OpenQuery] = OrderedDict()
        self._lock = threading.Lock()
        self._given = 0

    def open(self, compiled: Compiled, batch_size: int, now: datetime) -> OpenQuery:
        """Keeps the rows of a query; all levels are of one moment."""
        name = self._new_name()
        with self._db.reading() as connection:
            connection.execute("BEGIN")
            root = _kept(connection, compiled, name)
            total = connection.execute(f"SELECT count(*) FROM {root.table}").fetchone()
            connection.execute("COMMIT")
        opened = OpenQuery(name, root, int(total[0]) if total else 0, batch_size, now)
        with self._lock:
            self._open[name] = opened
            while len(self._open) > MOST_CURSORS:
                self._drop(next(iter(self._open)))
        return opened

    def page(self, opened: OpenQuery, offset: int, version: str) -> Json:
        """Gives a page of a query."""
        end = offset + opened.batch_size
        sql = f"SELECT * FROM {opened.root.table} WHERE rowid >= ? AND rowid < ? ORDER BY rowid"
        records = self._records(opened, opened.root, self._db.rows(sql, (offset, end)), version)
        more = _address(opened.name, end, version) if end < opened.total else None
        return _page(opened.total, records, more)

    def more(self, name: str, offset: int, version: str) -> Json | None:
        """Gives the page that a cursor and an offset name, or None if there is none."""
        with self._lock:
            found = self._open.get(name) or next((o for o in self._open.values() if name in o.sets), None)
        if found is None:
            return None
        if found.name == name:
            return self.page(found, offset, version) if offset < found.total else None
        return self._set_page(found, name, offset, version)

    def close_unless_needed(self, opened: OpenQuery) -> None:
        """Forgets a query of which everything has been shown."""
        if opened.total <= opened.batch_size and not opened.sets:
            with self._lock:
                self._drop(opened.name)

    def expire(self, now: datetime) -> None:
        """Forgets what has been open for too long."""
        with self._lock:
            for name in [n for n, opened in self._open.items() if opened.opened < now - CURSOR_LIFE]:
                self._drop(name)

    def close_all(self) -> None:
        """Forgets every open query."""
        with self._lock:
            while self._open:
                self._drop(next(iter(self._open)))

    def _records(
        self, opened: OpenQuery, level: _Level, rows: Sequence[RowValues], version: str
    ) -> list[Json]:
        parents = [str(row[level.id_at]) for row in rows] if level.below else []
        children = {child.name: self._sets(opened, child, parents, version) for child in level.below}
        return [level.renderer.record(row, version, children) for row in rows]

    def _sets(self, opened: OpenQuery, level: _Level, parents: list[str], version: str) -> dict[str, Json]:
        """Gives the first page of each parent's children, read at once."""
        sql = f"SELECT * FROM {level.table} WHERE k IN {MANY} AND n <= ? ORDER BY k, n"
        rows = self._db.rows(sql, (parents, opened.batch_size))
        found: dict[str, Json] = {}
        for row, record in zip(rows, self._records(opened, level, rows, version), strict=True):
            parent, _, total = row[-_PER_PARENT:]
            if str(parent) not in found:
                more = self._set_address(opened, level, str(parent), int(str(total)), version)
                found[str(parent)] = _page(int(str(total)), [], more)
            found[str(parent)]["records"].append(record)
        return found

    def _set_address(
        self, opened: OpenQuery, level: _Level, parent: str, total: int, version: str
    ) -> str | None:
        if total <= opened.batch_size:
            return None
        name = opened.names.get((level.table, parent)) or self._new_name()
        with self._lock:
            opened.sets[name], opened.names[level.table, parent] = (level, parent), name
        return _address(name, opened.batch_size, version)

    def _set_page(self, opened: OpenQuery, name: str, offset: int, version: str) -> Json | None:
        level, parent = opened.sets[name]
        end = offset + opened.batch_size
        sql = f"SELECT * FROM {level.table} WHERE k = ? AND n > ? AND n <= ? ORDER BY n"
        rows = self._db.rows(sql, (parent, offset, end))
        if not rows:
            return None
        total = int(str(rows[0][-1]))
        more = _address(name, end, version) if end < total else None
        return _page(total, self._records(opened, level, rows, version), more)

    def _new_name(self) -> str:
        with self._lock:
            self._given += 1
            return ids.make_id("01g", self._given)

    def _drop(self, name: str) -> None:
        opened = self._open.pop(name, None)
        if opened is None:
            return
        with self._db.apart(), self._db.reading() as cursor:
            for table in opened.root.tables():
                cursor.execute(f"DROP TABLE IF EXISTS {table}")


def first_rows(db: Database, compiled: Compiled, limit: int) -> tuple[list[str], list[RowValues]]:
    """Gives the names of the output columns and the first rows."""
    with db.reading() as cursor:
        cursor.execute(f"SELECT * FROM ({compiled.sql}) LIMIT {limit:d}", list(compiled.params))
        return [column[0] for column in cursor.description or ()], cursor.fetchall()


def _kept(connection: Connection, compiled: Compiled, name: str, above: str = "") -> _Level:
    """Makes the table of one level, then those below it: children of the records in the table `above`."""
    table = f'{CURSORS}.main."{name}"'
    sql = compiled.sql
    if above:
        sql = (
            "SELECT * EXCLUDE (n), row_number() OVER (PARTITION BY k ORDER BY n) AS n, "
            f"count(*) OVER (PARTITION BY k) AS m FROM ({sql}) WHERE k IN (SELECT p0 FROM {above})"
        )
    connection.execute(f"CREATE TABLE {table} AS {sql}", list(compiled.params))
    columns = connection.execute(f"SELECT * FROM {table} LIMIT 0").description or ()
    names = [column[0] for column in columns]
    below = tuple(
        _kept(connection, column.children, f"{name}.{number}", table)
        for number, column in enumerate(compiled.columns)
        if column.children
    )
    relationships = [column.path[-1] for column in compiled.columns if column.children]
    id_at = names.index("p0") if "p0" in names else 0
    named = tuple(
        _named(level, relationship) for level, relationship in zip(below, relationships, strict=True)
    )
    return _Level(table, "", id_at, Renderer.of(compiled, names), named)


def _named(level: _Level, name: str) -> _Level:
    return _Level(level.table, name, level.id_at, level.renderer, level.below)


def _address(name: str, offset: int, version: str) -> str:
    return f"/services/data/{version}/query/{name}-{offset}"


def _page(total: int, records: list[Json], more: str | None) -> Json:
    page: Json = {"totalSize": total, "done": more is None}
    return page | ({"nextRecordsUrl": more} if more else {}) | {"records": records}
