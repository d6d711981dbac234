"""Queries over REST: compiled, run, paged through cursors that later changes do not move."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org import ids
from lht.simulator.org.render import Json, Renderer
from lht.simulator.org.rows import MANY
from lht.simulator.org.user_time import user_time
from lht.simulator.soql.compile import Compiled, compile_query
from lht.simulator.soql.parse import parse
from lht.simulator.store.database import CURSORS, ShapeChanged
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from lht.simulator.org.catalog import Catalog
    from lht.simulator.org.clock import Clock
    from lht.simulator.store.database import Database

CURSOR_LIFE = timedelta(days=2)
MOST_CURSORS = 50
"""How many open queries are kept; the one longest open gives way."""
_OFFSET = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class _OpenQuery:
    name: str
    table: str
    total: int
    batch_size: int
    opened: datetime
    renderer: Renderer


class QueryRunner:
    """Runs SOQL and keeps the rows of what did not fit on one page."""

    def __init__(self, db: Database, catalog: Catalog, clock: Clock, user_id: str) -> None:
        self._db = db
        self._catalog = catalog
        self._clock = clock
        self._user_id = user_id
        self._open: OrderedDict[str, _OpenQuery] = OrderedDict()
        self._lock = threading.Lock()
        self._opened = 0

    def compile(self, soql: str, *, include_deleted: bool, bulk: bool = False) -> Compiled:
        """Compiles a query against the org as it is now."""
        times = user_time(self._db, self._catalog, self._user_id)
        return compile_query(
            parse(soql),
            self._catalog,
            now=self._clock.now(),
            include_deleted=include_deleted,
            bulk=bulk,
            timezone=times.timezone,
            fiscal_start=times.fiscal_start,
        )

    def query(self, soql: str, *, include_deleted: bool, batch_size: int, version: str) -> Json:
        """Gives the first page of an answer."""
        compiled = self.compile(soql, include_deleted=include_deleted)
        if compiled.count_only:
            return {"totalSize": self._db.count(compiled.sql, compiled.params), "done": True, "records": []}
        names, found = self._first_rows(compiled, batch_size + 1)
        renderer = Renderer.of(compiled, names)
        if len(found) <= batch_size:
            records = [renderer.record(row, version) for row in found]
            return {"totalSize": len(found), "done": True, "records": records}
        with (
            self._db.apart()
        ):  # DuckDB writes to one database in a transaction, and cursors have one of their own
            return self._page(self._materialise(compiled, batch_size, renderer), 0, version)

    def query_more(self, cursor: str, version: str) -> Json:
        """Gives a further page; `cursor` is the last part of nextRecordsUrl, its id and the offset."""
        name, _, offset = cursor.partition("-")
        self._expire()
        known = ids.to_long(name) or name
        found = self._open.get(known)
        if found is None or not _OFFSET.fullmatch(offset) or int(offset) >= found.total:
            raise _bad_locator()
        try:
            return self._page(found, int(offset), version)
        except ShapeChanged:  # it gave way to a newer query at this very moment
            raise _bad_locator() from None

    def hide(
        self, object_name: str, record_ids: Sequence[str] | None, where: str | None, *, hidden: bool
    ) -> int:
        """Makes records invisible to the user, or visible; gives their number. No stamp moves."""
        schema = self._catalog.need(object_name)
        chosen, params = "true", list[object]()
        if record_ids is not None:
            chosen, params = (
                f'"Id" IN {MANY}',
                [[ids.checked_id(record_id) for record_id in record_ids]],
            )
        elif where:
            compiled = self.compile(f"SELECT Id FROM {schema.name} WHERE {where}", include_deleted=True)
            chosen, params = f'"Id" IN (SELECT c0 FROM ({compiled.sql}))', list(compiled.params)
        sql = f"UPDATE {quoted(schema.name)} SET _hidden = {hidden} WHERE {chosen}"
        with self._db.transaction() as connection:
            changed = connection.execute(sql, params).fetchone()
        return int(changed[0]) if changed else 0

    def close_all(self) -> None:
        """Forgets every open query."""
        with self._lock:
            while self._open:
                self._drop(next(iter(self._open)))

    def _first_rows(self, compiled: Compiled, limit: int) -> tuple[list[str], list[tuple[object, ...]]]:
        with self._db.reading() as cursor:
            cursor.execute(f"SELECT * FROM ({compiled.sql}) LIMIT {limit:d}", list(compiled.params))
            return [column[0] for column in cursor.description or ()], cursor.fetchall()

    def _materialise(self, compiled: Compiled, batch_size: int, renderer: Renderer) -> _OpenQuery:
        with self._lock:
            self._opened += 1
            name = ids.make_id("01g", self._opened)
        table = f'{CURSORS}.main."{name}"'
        with self._db.reading() as cursor:
            cursor.execute(f"CREATE TABLE {table} AS {compiled.sql}", list(compiled.params))
        total = self._db.count(f"SELECT count(*) FROM {table}")
        opened = _OpenQuery(name, table, total, batch_size, self._clock.now(), renderer)
        with self._lock:
            self._open[name] = opened
            while len(self._open) > MOST_CURSORS:
                self._drop(next(iter(self._open)))
        return opened

    def _page(self, opened: _OpenQuery, offset: int, version: str) -> Json:
        end = offset + opened.batch_size
        sql = f"SELECT * FROM {opened.table} WHERE rowid >= ? AND rowid < ? ORDER BY rowid"
        records = [opened.renderer.record(row, version) for row in self._db.rows(sql, (offset, end))]
        page: Json = {"totalSize": opened.total, "done": end >= opened.total}
        if end < opened.total:
            page["nextRecordsUrl"] = f"/services/data/{version}/query/{opened.name}-{end}"
        return page | {"records": records}

    def _expire(self) -> None:
        oldest = self._clock.now() - CURSOR_LIFE
        with self._lock:
            for name in [name for name, opened in self._open.items() if opened.opened < oldest]:
                self._drop(name)

    def _drop(self, name: str) -> None:
        opened = self._open.pop(name)
        with self._db.reading() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {opened.table}")


def _bad_locator() -> ApiFault:
    return ApiFault(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
