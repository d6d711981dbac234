"""Tree to DuckDB SQL: one SELECT whose output columns are named by their place, with bound values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, TypeAlias

from lht.simulator.soql.bulk import check_bulk, check_bulk_columns
from lht.simulator.soql.conditions import Conditions
from lht.simulator.soql.dates import Present
from lht.simulator.soql.faults import fault, malformed
from lht.simulator.soql.functions import aggregate, expanded, is_aggregate
from lht.simulator.soql.scope import Catalog, Column, Scope, Table, no_object, quoted
from lht.simulator.soql.tree import Call, Operand, Ordering, Path, Query, TypeOf
from lht.simulator.soql.tree import Selected as Item

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lht.simulator.org.schema import FieldSchema, ObjectSchema

__all__ = ["Catalog", "Compiled", "Parent", "Selected", "compile_query"]

MAX_OFFSET = 2_000
_MAX_LIMIT = 2**63 - 1
_Value: TypeAlias = object  # inside Compiled the name `object` is a field
_TEXT_ORDER = frozenset(
    {"string", "textarea", "phone", "url", "email", "picklist", "combobox", "encryptedstring", "anytype"}
)


@dataclass(frozen=True, slots=True)
class Selected:
    """One output column.

    `path` is canonical: ("Account", "Owner", "Name"); a grouped query has one name, the alias or the field or
    "expr0". `type` is describe's word in lower case. Addresses and locations come as structs of their parts.
    """

    path: tuple[str, ...]
    type: str
    field: FieldSchema | None


@dataclass(frozen=True, slots=True)
class Parent:
    """A record whose fields were selected: the row itself (path ()) or a parent (("Account", "Owner")).

    The output column `id_column` holds its Id, null where there is no such parent. Its object is `object`, or where
    the relationship is polymorphic (`object` is None) the value of the output column `type_column`.
    """

    path: tuple[str, ...]
    object: str | None
    id_column: str
    type_column: str | None


@dataclass(frozen=True, slots=True)
class Compiled:
    """A query ready for DuckDB.

    Output columns: "c0", "c1", … as in `columns`; then, in plain REST queries, "p0", "p1", … (and "q1", … for
    polymorphic parents) as in `parent_ids`, the row itself first. Values are raw and typed. `count_only`: one row
    with one column, the number of records.
    """

    object: ObjectSchema
    sql: str
    params: tuple[_Value, ...]
    columns: tuple[Selected, ...]
    count_only: bool = False
    aggregate: bool = False
    parent_ids: tuple[Parent, ...] = ()


def compile_query(
    query: Query,
    catalog: Catalog,
    *,
    now: datetime,
    include_deleted: bool,
    bulk: bool = False,
    timezone: tzinfo = UTC,
    fiscal_start: int = 1,
) -> Compiled:
    """Compiles a query; raises ApiFault 400 with Salesforce's code and text for what the org cannot answer.

    `include_deleted` is queryAll. `now`, the running user's `timezone` and the first month of the org's
    fiscal year give date words their meaning.
    """
    schema = _object(query, catalog)
    if bulk:
        check_bulk(query, schema)
    if (query.offset or 0) > MAX_OFFSET:
        raise fault("NUMBER_OUTSIDE_VALID_RANGE", f"Maximum SOQL offset allowed is {MAX_OFFSET}")
    present = Present(now, timezone, fiscal_start)
    compiler = _Compiler(query, schema, catalog, present, include_deleted=include_deleted)
    if _is_count_only(query):
        return compiler.count()
    return compiler.grouped() if _is_grouped(query) else compiler.plain(bulk=bulk)


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


def _is_grouped(query: Query) -> bool:
    return bool(query.group_by) or any(isinstance(i, Item) and is_aggregate(i.operand) for i in query.select)


class _Compiler:
    """One compilation: its scope collects joins and its conditions collect values, in the order of the text."""

    def __init__(
        self,
        query: Query,
        schema: ObjectSchema,
        catalog: Catalog,
        present: Present,
        *,
        include_deleted: bool,
    ) -> None:
        self._query = query
        self._schema = schema
        self._include_deleted = include_deleted
        self._scope = Scope(schema, query.alias, catalog, query.text)
        self._where = Conditions(self._field, present, query.text)
        self._having = Conditions(self._grouped_column, present, query.text)

    def count(self) -> Compiled:
        """SELECT COUNT(): the number of records, at most LIMIT."""
        query = self._query
        if len(query.select) > 1 or query.group_by:
            raise malformed("COUNT() must be the only item of a query without GROUP BY", query.text, query.at)
        for entry in query.order_by:
            raise self._not_in_group("Ordered field", entry.operand)
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
        output = [f"{c.sql} AS c{n}" for n, c in enumerate(columns)] + [
            s for p in parents for s in self._ids(p)
        ]
        sql = f"SELECT {', '.join(output)} {self._scope.from_sql()}{where}{order}{self._bounds()}"
        return self._compiled(sql, tuple(Selected(c.path, c.type, c.field) for c in columns), parents=parents)

    def grouped(self) -> Compiled:
        """Aggregate rows."""
        query = self._query
        keys = [self._key(operand) for operand in query.group_by]
        if not keys and (query.limit is not None or query.offset is not None):
            message = "Non-grouped query that uses overall aggregate functions cannot also use LIMIT"
            raise malformed(message, query.text, query.at)
        columns = self._named(list(query.select))
        order = self._order([self._sorted_group(e) for e in query.order_by])
        where = self._where_sql()
        group = f" GROUP BY {', '.join(dict.fromkeys(k.sql for k in keys))}" if keys else ""
        having = f" HAVING {self._having.sql(query.having)}" if query.having else ""
        output = ", ".join(f"{c.sql} AS c{n}" for n, c in enumerate(columns))
        sql = f"SELECT {output} {self._scope.from_sql()}{where}{group}{having}{order}{self._bounds()}"
        return self._compiled(sql, tuple(Selected(c.path, c.type, c.field) for c in columns), grouped=True)

    def _compiled(
        self,
        sql: str,
        columns: tuple[Selected, ...],
        *,
        count_only: bool = False,
        grouped: bool = False,
        parents: tuple[Parent, ...] = (),
    ) -> Compiled:
        params = (*self._where.params, *self._having.params)
        return Compiled(self._schema, sql, params, columns, count_only, grouped, parents)

    def _field(self, operand: Operand) -> Column:
        if isinstance(operand, Path):
            return self._scope.resolve(operand)
        if is_aggregate(operand):
            message = f"Aggregate functions are not allowed here: {operand.name}"
            raise malformed(message, self._query.text, operand.at)
        raise self._unknown_function(operand)

    def _selected(self) -> list[Column]:
        columns = [c for item in self._query.select for c in self._item(item)]
        seen: set[tuple[str, ...]] = set()
        for column in columns:
            if column.path in seen:
                raise fault("INVALID_FIELD", f"duplicate field selected: {'.'.join(column.path)}")
            seen.add(column.path)
        return columns

    def _item(self, item: Item | TypeOf | Query) -> Iterable[Column]:
        if not isinstance(item, Item):
            raise self._unsupported(item)
        if item.alias is not None:
            message = "only aggregate expressions use field aliasing"
            raise malformed(message, self._query.text, item.operand.at)
        if isinstance(item.operand, Call) and item.operand.name.upper() == "FIELDS":
            return [
                self._scope.column(self._scope.base, f)
                for f in expanded(item.operand, self._query, self._schema)
            ]
        return [self._field(item.operand)]

    def _unsupported(self, item: TypeOf | Query) -> Exception:
        what, at = ("TYPEOF", item.path.at) if isinstance(item, TypeOf) else ("Child sub-queries", item.at)
        return malformed(f"{what}: not supported by this org", self._query.text, at)

    def _unknown_function(self, call: Call) -> Exception:
        return malformed(f"Invalid or unsupported function: {call.name}", self._query.text, call.at)

    def _parents(self, columns: Iterable[Column]) -> tuple[Parent, ...]:
        paths = dict.fromkeys(c.path[:depth] for c in columns for depth in range(len(c.path)))
        return tuple(_parent(n, self._scope.table(path)) for n, path in enumerate({(): None} | paths))

    def _ids(self, parent: Parent) -> Iterable[str]:
        table = self._scope.table(parent.path)
        yield f"{table.alias}.{quoted('Id')} AS {parent.id_column}"
        if parent.type_column:
            table.used.add("Type")
            yield f"{table.alias}.{quoted('Type')} AS {parent.type_column}"

    def _where_sql(self) -> str:
        base = self._scope.base.alias
        terms = [f"{base}._hidden IS NOT TRUE"]
        if not self._include_deleted and any(f.name == "IsDeleted" for f in self._schema.fields):
            terms.append(f"{base}.{quoted('IsDeleted')} IS NOT TRUE")
        if self._query.where:
            terms.append(self._where.sql(self._query.where))
        return f" WHERE {' AND '.join(terms)}"

    def _bounds(self) -> str:
        limit = f" LIMIT {min(self._query.limit, _MAX_LIMIT)}" if self._query.limit is not None else ""
        return limit + (f" OFFSET {self._query.offset}" if self._query.offset else "")

    def _order(self, entries: list[str]) -> str:
        return f" ORDER BY {', '.join(entries)}" if entries else ""

    def _sorted(self, entry: Ordering) -> str:
        column = self._field(entry.operand)
        if column.field is not None and not (
            column.field.sortable and column.type not in ("address", "location")
        ):
            message = f"field '{column.path[-1]}' can not be sorted in a query call"
            raise malformed(message, self._query.text, entry.operand.at)
        return _ordered(column, entry)

    def _sorted_group(self, entry: Ordering) -> str:
        return _ordered(self._grouped_column(entry.operand, "Ordered field"), entry)

    def _key(self, operand: Operand) -> Column:
        column = self._field(operand)
        if column.field is not None and not column.field.groupable:
            message = f"field '{column.path[-1]}' can not be grouped in a query call"
            raise fault("INVALID_FIELD", message, self._query.text, operand.at)
        return column

    def _grouped_column(self, operand: Operand, role: str = "Field") -> Column:
        """A column that a grouped query may name: an aggregate, or a field it groups by."""
        if isinstance(operand, Call) and is_aggregate(operand):
            return aggregate(operand, self._field, self._query.text)
        column = self._field(operand)
        if column.sql not in {self._field(key).sql for key in self._query.group_by}:
            raise self._not_in_group(role, operand)
        return column

    def _not_in_group(self, role: str, operand: Operand) -> Exception:
        name = ".".join(operand.names) if isinstance(operand, Path) else operand.name
        return malformed(f"{role} must be grouped or aggregated: {name}", self._query.text, operand.at)

    def _named(self, items: list[Item | TypeOf | Query]) -> list[Column]:
        """The columns of a grouped query; functions without an alias are called expr0, expr1 and so on."""
        columns: list[Column] = []
        unnamed = 0
        for item in items:
            if not isinstance(item, Item):
                raise self._unsupported(item)
            column = self._grouped_column(item.operand)
            name = item.alias or (column.path[-1] if isinstance(item.operand, Path) else f"expr{unnamed}")
            unnamed += isinstance(item.operand, Call) and item.alias is None
            if name.lower() in {c.path[0].lower() for c in columns}:
                raise malformed(f"duplicate alias: {name}", self._query.text, item.operand.at)
            columns.append(Column(column.sql, column.type, (name,), column.field))
        return columns


def _parent(number: int, table: Table) -> Parent:
    if table.polymorphic:
        return Parent(table.path, None, f"p{number}", f"q{number}")
    return Parent(table.path, table.schema.name, f"p{number}", None)


def _ordered(column: Column, entry: Ordering) -> str:
    """Nulls come first in both directions; NULLS LAST counts only for the object's own fields."""
    folded = column.type in _TEXT_ORDER and not (column.field is not None and column.field.case_sensitive)
    sql = f"lower({column.sql})" if folded else column.sql
    last = bool(entry.nulls_last) and not column.through_parent
    return f"{sql} {'DESC' if entry.descending else 'ASC'} NULLS {'LAST' if last else 'FIRST'}"
