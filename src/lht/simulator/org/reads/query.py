"""Queries over REST: compiled, run, paged through cursors that later changes do not move."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lht.simulator.errors import ApiFault
from lht.simulator.org import ids
from lht.simulator.org.reads.cursors import Cursors, first_rows
from lht.simulator.org.reads.page_size import MOST, page_size
from lht.simulator.org.reads.render import Json, Renderer
from lht.simulator.org.rules import access
from lht.simulator.org.user_time import user_time
from lht.simulator.org.writes.rows import MANY
from lht.simulator.soql.compile import Compiled, compile_query
from lht.simulator.soql.parse import parse
from lht.simulator.store.database import ShapeChanged
from lht.simulator.store.ddl import quoted
from lht.simulator.versions import NEWEST, VERSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.soql.tree import Query
    from lht.simulator.store.database import Database

_NO_MORE_GROUPS = (
    "Aggregate query does not support queryMore(), use LIMIT to restrict the results to a single batch"
)
_OFFSET = re.compile(r"[0-9]{1,18}")


class QueryRunner:
    """Runs SOQL and keeps the rows of what did not fit on one page."""

    def __init__(self, db: Database, catalog: Catalog, clock: Clock, user_id: str) -> None:
        self._db = db
        self._catalog = catalog
        self._clock = clock
        self._user_id = user_id
        self._cursors = Cursors(db)

    def compile(self, soql: str, *, include_deleted: bool, version: str = VERSION) -> Compiled:
        """Compiles the text of a query over REST."""
        number = float(version.removeprefix("v"))
        return self.compiled(parse(soql), include_deleted=include_deleted, version=number)

    def compiled(
        self, query: Query, *, include_deleted: bool, bulk: bool = False, version: float = NEWEST
    ) -> Compiled:
        """Compiles a query against the org as it is now, for its user."""
        times = user_time(self._db, self._catalog, self._user_id)
        return compile_query(
            query,
            self._catalog,
            now=self._clock.now(),
            include_deleted=include_deleted,
            bulk=bulk,
            timezone=times.timezone,
            fiscal_start=times.fiscal_start,
            user_id=self._user_id,
            version=version,
        )

    def query(
        self, soql: str, *, include_deleted: bool = False, batch_size: int = MOST, version: str = VERSION
    ) -> Json:
        """Gives the first page of a query; with `include_deleted`, of queryAll."""
        compiled = self.compile(soql, include_deleted=include_deleted, version=version)
        if compiled.count_only:
            return {"totalSize": self._db.count(compiled.sql, compiled.params), "done": True, "records": []}
        page = self._first_page(compiled, page_size(compiled, batch_size), version)
        if compiled.seen:
            self._mark_seen(compiled, [record["attributes"]["url"][-18:] for record in page["records"]])
        return page

    def query_more(self, cursor: str, *, version: str = VERSION) -> Json:
        """Gives a further page; `cursor` is the last part of nextRecordsUrl, its id and the offset."""
        name, _, offset = cursor.partition("-")
        try:
            with self._db.apart():
                self._cursors.expire(self._clock.now())
                known = ids.to_long(name) or name
                found = self._cursors.more(known, int(offset), version) if _OFFSET.fullmatch(offset) else None
        except ShapeChanged:  # it gave way to a newer query at this very moment
            found = None
        if found is None:
            raise _bad_locator()
        return found

    def hide(
        self, object_name: str, record_ids: Sequence[str] | None, where: str | None, *, hidden: bool
    ) -> int:
        """Makes records invisible to the user, or visible; gives their number. No stamp moves."""
        schema = self._catalog.need(object_name)
        chosen, params = self._chosen(schema, record_ids, where)
        sql = f"UPDATE {quoted(schema.name)} SET _hidden = {hidden} WHERE {chosen}"
        with self._db.transaction() as connection:
            changed = connection.execute(sql, params).fetchone()
        return int(changed[0]) if changed else 0

    def set_read_only(
        self, object_name: str, record_ids: Sequence[str] | None, where: str | None, *, read_only: bool
    ) -> int:
        """Takes the user's right to change records, or gives it back; gives their number."""
        schema = self._catalog.need(object_name)
        chosen, params = self._chosen(schema, record_ids, where)
        with self._db.transaction() as connection:
            sql = f'SELECT "Id" FROM {quoted(schema.name)} WHERE {chosen}'
            found = [str(row[0]) for row in connection.execute(sql, params).fetchall()]
            access.set_read_only(connection, found, read_only=read_only)
        return len(found)

    def _chosen(
        self, schema: ObjectSchema, record_ids: Sequence[str] | None, where: str | None
    ) -> tuple[str, list[object]]:
        """Writes which records an admin means, as SQL with its values: by id, by condition, or all."""
        if record_ids is not None:
            return f'"Id" IN {MANY}', [[ids.checked_id(record_id) for record_id in record_ids]]
        if not where:
            return "true", []
        compiled = self.compile(f"SELECT Id FROM {schema.name} WHERE {where}", include_deleted=True)
        return f'"Id" IN (SELECT c0 FROM ({compiled.sql}))', list(compiled.params)

    def close_all(self) -> None:
        """Forgets every open query."""
        self._cursors.close_all()

    def _first_page(self, compiled: Compiled, batch_size: int, version: str) -> Json:
        """Gives the first page, and keeps the rows only where they do not all fit, or have others below them."""
        if not compiled.has_children:
            names, found = first_rows(self._db, compiled, batch_size + 1)
            if len(found) <= batch_size:
                renderer = Renderer.of(compiled, names)
                records = [renderer.record(row, version, {}) for row in found]
                return {"totalSize": len(found), "done": True, "records": records}
        if compiled.aggregate:
            raise ApiFault(400, "EXCEEDED_ID_LIMIT", _NO_MORE_GROUPS)
        with (
            self._db.apart()
        ):  # DuckDB writes to one database in a transaction, and cursors have one of their own
            opened = self._cursors.open(compiled, batch_size, self._clock.now())
            page = self._cursors.page(opened, 0, version)
            self._cursors.close_unless_needed(opened)
            return page

    def _mark_seen(self, compiled: Compiled, record_ids: list[str]) -> None:
        """Notes when records were last viewed or referred to; no other stamp moves."""
        now = self._clock.stamp()
        changes = ", ".join(f"{quoted(name)} = ?" for name in compiled.seen)
        sql = f'UPDATE {quoted(compiled.object.name)} SET {changes} WHERE "Id" IN {MANY}'
        self._db.execute(sql, [*(now for _ in compiled.seen), record_ids])


def _bad_locator() -> ApiFault:
    return ApiFault(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
