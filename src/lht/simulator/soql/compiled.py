"""What a query becomes: SQL with its values, and what each output column means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema

_Value: TypeAlias = object  # inside Compiled the name `object` is a field
CHILDREN = "children"
"""Type of the column that stands for a child sub-query."""
KIND = ":"
"""Stands between a relationship and the kind of parent that a TYPEOF branch is about: `Who:Contact`, `Who:`."""


@dataclass(frozen=True, slots=True)
class Selected:
    """One output column.

    `path` is canonical: ("Account", "Owner", "Name"); a grouped query has one name, the alias or the field or
    "expr0". In a TYPEOF branch a relationship is followed by its kind, ("Who:Contact", "Phone"), and by nothing in
    the ELSE branch, ("Who:", "Name"). `type` is describe's word in lower case, or "children": the column then holds
    the Id of the record whose children `children` selects. Addresses and locations come as structs of their parts.
    """

    path: tuple[str, ...]
    type: str
    field: FieldSchema | None
    children: Compiled | None = None


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
    polymorphic parents) as in `parent_ids`, the row itself first; then, in child sub-queries, "k", the Id of the
    parent, and "n", the row's place among those of its parent. Values are raw and typed. `count_only`: one row with
    one column, the number of records. `seen` are the stamps that the query moves on the records it finds.
    """

    object: ObjectSchema
    sql: str
    params: tuple[_Value, ...]
    columns: tuple[Selected, ...]
    count_only: bool = False
    aggregate: bool = False
    parent_ids: tuple[Parent, ...] = ()
    seen: tuple[str, ...] = ()

    @property
    def has_children(self) -> bool:
        return any(column.children for column in self.columns)
