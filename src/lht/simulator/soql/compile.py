"""Tree to DuckDB SQL: one SELECT whose output columns are named by their place, with bound values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from lht.simulator.soql import calls, children, clauses, semi_joins
from lht.simulator.soql.bulk import check_bulk, check_bulk_columns, no_compound
from lht.simulator.soql.calls import Calls
from lht.simulator.soql.collation import ranks
from lht.simulator.soql.compiled import CHILDREN, KIND, Compiled, Parent, Selected
from lht.simulator.soql.conditions import Conditions
from lht.simulator.soql.dates import Present
from lht.simulator.soql.faults import fault, malformed, too_complicated
from lht.simulator.soql.functions import expanded, is_aggregate
from lht.simulator.soql.grouping import Grouping, is_grouped, unknown
from lht.simulator.soql.scope import Catalog, Column, Scope, Table, no_object, quoted
from lht.simulator.soql.tree import Call, Membership, Operand, Ordering, Path, Query, TypeOf
from lht.simulator.soql.tree import Selected as Item
from lht.simulator.versions import NEWEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema

__all__ = ["Catalog", "Compiled", "Parent", "Selected", "compile_query"]

MAX_FORMULAS = 250
"""How many formula fields one query may compute before it is too complicated."""
MAX_OFFSET = 2_000
TYPEOF_SINCE, FIELDS_SINCE = 46.0, 51.0
_MAX_LIMIT = 2**63 - 1
ACTIVITIES = frozenset({"Task", "Event"})
"""Objects whose archived records only queryAll shows."""


@dataclass(frozen=True, slots=True)
class _Circumstances:
    """What is the same for a query and all that stands inside it."""

    catalog: Catalog
    present: Present
    include_deleted: bool
    user_id: str
    version: float
    bulk: bool


def compile_query(
    query: Query,
    catalog: Catalog,
    *,
    now: datetime,
    include_deleted: bool,
    bulk: bool = False,
    timezone: tzinfo = UTC,
    fiscal_start: int = 1,
    user_id: str = "",
    version: float = NEWEST,
) -> Compiled:
    """Compiles a query; raises ApiFault 400 with Salesforce's code and text for what the org cannot answer.

    `include_deleted` is queryAll. `now`, the running user's `timezone` and the first month of the org's
    fiscal year give date words their meaning; `user_id` is who asks, `version` that of the API.
    """
    schema = _object(query, catalog)
    if bulk:
        check_bulk(query, schema)
    if (query.offset or 0) > MAX_OFFSET:
        raise fault("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
    clauses.check_clauses(query)
    children.check_nesting(query, version)
    present = Present(now, timezone, fiscal_start)
    about = _Circumstances(catalog, present, include_deleted, user_id, version, bulk)
    compiler = _Compiler(query, schema, about)
    if _is_count_only(query):
        return compiler.count()
    return compiler.grouped() if is_grouped(query) else compiler.plain(bulk=bulk)


def _object(query: Query, catalog: Catalog) -> ObjectSchema:
    name = ".".join(query.source.names)
    schema = catalog.object(name)
    if schema is None:
        raise no_object(name, query.text, query.source.at)
    if not schema.queryable:
        raise fault("INVALID_TYPE_FOR_OPERATION", f"entity type {schema.name} does not support query")
    return schema


def _is_count_only(query: Query) -> bool:
    first = query.select[0]
    return isinstance(first, Item) and _is_bare_count(first.operand)


def _is_bare_count(operand: Operand) -> bool:
    return isinstance(operand, Call) and operand.name.upper() == "COUNT" and not operand.arguments


class _Compiler:
    """One compilation: its scope collects joins and its conditions collect values, in the order of the text."""

    def __init__(
        self, query: Query, schema: ObjectSchema, about: _Circumstances, *, is_root: bool = True
    ) -> None:
        semi_joins.check_places(query, is_root=is_root)
        self._query = query
        self._schema = schema
        self._about = about
        self._scope = Scope(schema, query, about.catalog)
        self._calls = Calls(self._scope, about.present, query.text)
        self._grouping = Grouping(query, self._scope, self._calls)
        self._where = Conditions(self._field, about.present, query.text, self._semi_join)
        self._having = Conditions(self._grouping.column, about.present, query.text)

    def count(self) -> Compiled:
        """SELECT COUNT(): the number of records, at most LIMIT."""
        query = self._query
        if len(query.select) > 1 or query.group_by:
            raise malformed("COUNT() must be the only item of a query without GROUP BY", query.text, query.at)
        for entry in query.order_by:
            raise self._grouping.not_grouped("Ordered field", entry.operand)
        where = self._where_sql()
        sql = f"SELECT count(*) AS c0 FROM (SELECT 1 {self._scope.from_sql()}{where}{self._bounds()})"
        return self._compiled(sql, (Selected(("count",), "int", None),), count_only=True)

    def plain(self, *, bulk: bool) -> Compiled:
        """A list of records."""
        columns = self._selected()
        if bulk:
            check_bulk_columns(columns)
        where, order = self._where_sql(), self._order([self._sorted(e) for e in self._query.order_by])
        parents = () if bulk else self._parents(columns)
        output = ", ".join(self._outputs(columns, parents))
        sql = f"SELECT {output} {self._scope.from_sql()}{where}{order}{self._bounds()}"
        return self._compiled(sql, _outward(columns), parents=parents)

    def child(self, key: FieldSchema) -> Compiled:
        """The records that refer to a parent by a field, numbered for each parent; LIMIT counts for each one."""
        columns = self._selected()
        parent = self._scope.column(self._scope.base, key).sql
        where = self._where_sql(f"{parent} IS NOT NULL")
        order = self._order([self._sorted(e) for e in self._query.order_by])
        parents = self._parents(columns)
        number = f"row_number() OVER (PARTITION BY {parent}{order}) AS n"
        output = ", ".join([*self._outputs(columns, parents), f"{parent} AS k", number])
        sql = f"SELECT {output} {self._scope.from_sql()}{where}{self._numbered_bounds()}"
        return self._compiled(sql, _outward(columns), parents=parents)

    def grouped(self) -> Compiled:
        """Aggregate rows."""
        query, grouping = self._query, self._grouping
        if not grouping.keys and (query.limit is not None or query.offset is not None):
            message = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
            raise malformed(message, query.text, query.at)
        columns = grouping.named()
        order = self._order([self._sorted_group(e) for e in query.order_by])
        where = self._where_sql()
        group = grouping.clause if grouping.keys else ""
        having = f" HAVING {self._having.sql(query.having)}" if query.having else ""
        output = ", ".join(f"{c.sql} AS c{n}" for n, c in enumerate(columns))
        sql = f"SELECT {output} {self._scope.from_sql()}{where}{group}{having}{order}{self._bounds()}"
        return self._compiled(sql, _outward(columns), grouped=True)

    def semi_join(self, path: Path) -> tuple[Column, str, tuple[object, ...]]:
        """The ids that a field has: the column, the SELECT and its values."""
        column = self._scope.resolve(path)
        where = self._where_sql(f"{column.sql} IS NOT NULL")
        return column, f"SELECT {column.sql} {self._scope.from_sql()}{where}", tuple(self._where.params)

    def _compiled(
        self,
        sql: str,
        columns: tuple[Selected, ...],
        *,
        count_only: bool = False,
        grouped: bool = False,
        parents: tuple[Parent, ...] = (),
    ) -> Compiled:
        self._check_size()
        params = (*self._where.params, *self._having.params)
        is_plain = not (count_only or grouped)
        seen = clauses.seen(self._query, self._schema) if is_plain else ()
        return Compiled(self._schema, sql, params, columns, count_only, grouped, parents, seen)

    def _check_size(self) -> None:
        if self._scope.formulas > MAX_FORMULAS:
            raise too_complicated()

    def _outputs(self, columns: Iterable[Column], parents: Iterable[Parent]) -> Iterator[str]:
        yield from (f"{c.sql} AS c{n}" for n, c in enumerate(columns))
        for parent in parents:
            yield from self._ids(parent)

    def _field(self, operand: Operand) -> Column:
        """A value to compare or to sort by."""
        if isinstance(operand, Path):
            return self._scope.resolve(operand)
        if calls.is_date_call(operand):
            return self._calls.of_date(operand)
        if calls.is_distance(operand):
            if self._about.bulk:
                raise no_compound()
            return self._calls.distance(operand)
        if calls.is_label(operand):
            return self._calls.shown(operand, self._field)
        if is_aggregate(operand):
            message = f"Aggregate functions are not allowed here: {operand.name}"
            raise malformed(message, self._query.text, operand.at)
        raise unknown(operand, self._query.text)

    def _semi_join(self, condition: Membership, left: Column) -> tuple[str, tuple[object, ...]]:
        inner = condition.values
        assert isinstance(inner, Query)  # noqa: S101 - conditions call this for sub-selects only
        schema = _object(inner, self._about.catalog)
        path = semi_joins.check_inner(inner, schema, self._schema)
        column, sql, params = _Compiler(inner, schema, self._about).semi_join(path)
        semi_joins.check_types((left, self._schema), (column, schema), (inner.text, condition.operand.at))
        return sql, params

    def _selected(self) -> list[Column]:
        columns: list[Column] = []
        for item in self._query.select:
            columns.extend(self._item(item, columns))
        seen: set[tuple[str, ...]] = set()
        for column in columns:
            if column.path in seen and column.children:
                message = f"Cannot follow the same aggregate relationship twice: {column.path[-1]}"
                raise malformed(message)
            if column.path in seen:
                name = ".".join(step.partition(KIND)[0] for step in column.path)
                raise fault("INVALID_FIELD", f"duplicate field selected: {name}")
            seen.add(column.path)
        return columns

    def _item(self, item: Item | TypeOf | Query, before: list[Column]) -> Iterable[Column]:
        if isinstance(item, Query):
            return [self._children(item)]
        if isinstance(item, TypeOf):
            return self._branches(item)
        is_fields = isinstance(item.operand, Call) and item.operand.name.upper() == "FIELDS"
        if item.alias is not None and (is_fields or isinstance(item.operand, Path)):
            message = "only aggregate expressions use field aliasing"
            raise malformed(message, self._query.text, item.operand.at)
        if isinstance(item.operand, Path):
            return [self._scope.resolve(item.operand)]
        if is_fields and self._about.version >= FIELDS_SINCE:
            return [
                self._scope.column(self._scope.base, f)
                for f in expanded(item.operand, self._query, self._schema)
            ]
        return [self._called(item.operand, item.alias, before)]

    def _called(self, call: Call, alias: str | None, before: list[Column]) -> Column:
        """A function of the SELECT list: a shown value keeps its field's name, a distance has none."""
        if calls.is_distance(call):
            column = self._calls.distance(call)
            unnamed = sum(c.path[0].startswith("expr") for c in before)
            return Column(column.sql, column.type, (alias or f"expr{unnamed}",), None)
        if calls.is_shown(call):
            column = self._calls.shown(call, self._showable)
            return Column(column.sql, column.type, (alias,) if alias else column.path, column.field)
        if calls.is_date_call(call):
            raise self._grouping.not_grouped("Field", call)
        raise unknown(call, self._query.text)

    def _showable(self, operand: Operand) -> Column:
        if isinstance(operand, Call) and calls.is_shown(operand):
            return self._calls.shown(operand, self._showable)
        return self._field(operand)

    def _children(self, query: Query) -> Column:
        schema, key = children.relationship(query, self._scope, self._schema, self._about.catalog)
        children.check_child(query, self._query)
        found = _Compiler(query, schema, self._about, is_root=False).child(key)
        name = str(key.child_relationship)
        return Column(f"{self._scope.base.alias}.{quoted('Id')}", CHILDREN, (name,), None, found)

    def _branches(self, item: TypeOf) -> Iterator[Column]:
        """The columns of each kind of parent that TYPEOF names, and of all the others."""
        if self._about.version < TYPEOF_SINCE:
            message = "SOQL TYPEOF expressions are not supported in this organization"
            raise malformed(message, self._query.text, item.path.at)
        if any(isinstance(i, Item) and isinstance(i.operand, Call) for i in self._query.select):
            message = "TYPEOF is not allowed in a query with functions in the SELECT list"
            raise malformed(message, self._query.text, item.path.at)
        self._check_sole(item)
        for kind, paths in item.whens:
            schema = self._about.catalog.object(kind)
            if schema is None:
                raise no_object(kind, self._query.text, item.path.at)
            yield from self._branch(self._scope.branch(item.path, schema), paths)
        if item.otherwise:
            yield from self._branch(self._scope.branch(item.path, None), item.otherwise)

    def _check_sole(self, item: TypeOf) -> None:
        """What a TYPEOF is about may not stand elsewhere in the SELECT list."""
        others = (i for i in self._query.select if i is not item)
        found = [i.path.names if isinstance(i, TypeOf) else _relationships(i) for i in others]
        if _folded(item.path.names) in map(_folded, found):
            message = f"TYPEOF cannot reference a relationship that is also selected: {item.path.names[-1]}"
            raise malformed(message, self._query.text, item.path.at)

    def _branch(self, table: Table, paths: Iterable[Path]) -> Iterator[Column]:
        yield from (self._scope.resolve(path, table) for path in paths)

    def _parents(self, columns: Iterable[Column]) -> tuple[Parent, ...]:
        paths = dict.fromkeys(c.path[:depth] for c in columns for depth in range(len(c.path)))
        return tuple(_parent(n, self._scope.table(path)) for n, path in enumerate({(): None} | paths))

    def _ids(self, parent: Parent) -> Iterable[str]:
        table = self._scope.table(parent.path)
        yield f"{table.alias}.{quoted('Id')} AS {parent.id_column}"
        if parent.type_column:
            table.used.add("Type")
            yield f"{table.alias}.{quoted('Type')} AS {parent.type_column}"

    def _where_sql(self, *further: str) -> str:
        base = self._scope.base.alias
        terms = [f"{base}._hidden IS NOT TRUE", *further]
        terms += clauses.scope_terms(self._query, self._schema, self._about.user_id)
        terms += (f"{base}.{quoted(name)} IS NOT TRUE" for name in self._put_away())
        if self._query.where:
            terms.append(self._where.sql(self._query.where))
        return f" WHERE {' AND '.join(terms)}"

    def _put_away(self) -> Iterator[str]:
        """The flags of records that only queryAll shows."""
        flags = ("IsDeleted", "IsArchived") if self._schema.name in ACTIVITIES else ("IsDeleted",)
        stored = {f.name for f in self._schema.fields}
        if not self._about.include_deleted:
            yield from (name for name in flags if name in stored)

    def _bounds(self) -> str:
        limit = f" LIMIT {min(self._query.limit, _MAX_LIMIT)}" if self._query.limit is not None else ""
        return limit + (f" OFFSET {self._query.offset}" if self._query.offset else "")

    def _numbered_bounds(self) -> str:
        first = self._query.offset or 0
        terms = [f"n > {first}"] if first else []
        terms += (
            [f"n <= {min(first + self._query.limit, _MAX_LIMIT)}"] if self._query.limit is not None else []
        )
        return f" QUALIFY {' AND '.join(terms)}" if terms else ""

    def _order(self, entries: list[str]) -> str:
        return f" ORDER BY {', '.join(entries)}" if entries else ""

    def _sorted(self, entry: Ordering) -> str:
        if calls.is_label(entry.operand):
            raise self._not_sortable("toLabel", entry)
        column = self._field(entry.operand)
        if column.field is not None and not (
            column.field.sortable and column.type not in ("address", "location")
        ):
            raise self._not_sortable(column.path[-1], entry)
        return _ordered(column, entry)

    def _not_sortable(self, name: str, entry: Ordering) -> Exception:
        message = f"field '{name}' can not be sorted in a query call"
        return malformed(message, self._query.text, entry.operand.at)

    def _sorted_group(self, entry: Ordering) -> str:
        return _ordered(self._grouping.column(entry.operand, "Ordered field"), entry)


def _relationships(item: Item | Query) -> tuple[str, ...]:
    return item.operand.names[:-1] if isinstance(item, Item) and isinstance(item.operand, Path) else ()


def _folded(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name.lower() for name in names)


def _outward(columns: Iterable[Column]) -> tuple[Selected, ...]:
    return tuple(Selected(c.path, c.type, c.field, c.children) for c in columns)


def _parent(number: int, table: Table) -> Parent:
    if table.polymorphic:
        return Parent(table.path, None, f"p{number}", f"q{number}")
    return Parent(table.path, table.schema.name, f"p{number}", None)


def _ordered(column: Column, entry: Ordering) -> str:
    """Nulls come first in both directions; NULLS LAST counts only for the object's own fields that are no lookups."""
    last = bool(entry.nulls_last) and not column.through_parent and column.type != "reference"
    way = f"{'DESC' if entry.descending else 'ASC'} NULLS {'LAST' if last else 'FIRST'}"
    return ", ".join(f"{rank} {way}" for rank in ranks(column))
