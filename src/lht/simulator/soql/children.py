"""Child sub-queries: which relationship they follow, how deep, and what they cannot ask."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.soql.faults import malformed
from lht.simulator.soql.functions import is_aggregate
from lht.simulator.soql.scope import no_child
from lht.simulator.soql.tree import Query, Selected

if TYPE_CHECKING:
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema
    from lht.simulator.soql.scope import Catalog, Scope

MOST = 20
DEEPEST = 4
"""How far below the root records may be, since five levels of records can be asked for."""
DEEP_SINCE = 58.0
"""The API version before which records had children but no grandchildren."""
_NO_RELATIONSHIPS = frozenset({"MasterRecordId"})
"""References that describe does not list: the trace of a merge."""


def check_nesting(query: Query, version: float) -> None:
    """Refuses sub-queries that are too many or too deep; raises ApiFault 400."""
    deepest = DEEPEST if version >= DEEP_SINCE else 1
    found = 0
    level = [query]
    for depth in range(1, deepest + 2):
        level = [item for parent in level for item in parent.select if isinstance(item, Query)]
        if level and depth > deepest:
            levels = "1 level" if deepest == 1 else f"{deepest} levels"
            message = (
                f"SOQL statements cannot query aggregate relationships more than {levels} "
                "away from the root entity object."
            )
            raise malformed(message, query.text, level[0].at)
        found += len(level)
    if found > MOST:
        raise malformed(
            f"SOQL statements cannot query more than {MOST} aggregate relationships.", query.text, query.at
        )


def relationship(
    child: Query, scope: Scope, parent: ObjectSchema, catalog: Catalog
) -> tuple[ObjectSchema, FieldSchema]:
    """Gives the object and the reference that the FROM of a child sub-query names."""
    *owner, name = child.source.names
    if not owner or (len(owner) == 1 and scope.is_own(owner[0])):
        for schema, field in catalog.children(parent):
            is_usable = schema.queryable and not field.hidden and field.name not in _NO_RELATIONSHIPS
            if is_usable and (field.child_relationship or "").lower() == name.lower():
                return schema, field
    raise no_child(name, child.text, child.source.at)


def check_child(child: Query, parent: Query) -> None:
    """Refuses what only the outermost query may ask; raises ApiFault 400."""
    if child.group_by or any(isinstance(i, Selected) and is_aggregate(i.operand) for i in child.select):
        raise malformed("only root queries support aggregate expressions", child.text, child.at)
    if child.offset is not None and parent.limit != 1:
        message = "OFFSET is allowed in a sub-query only where the parent query has LIMIT 1"
        raise malformed(message, child.text, child.at)
    word = child.closing[0].split()[0] if child.closing else "USING" if child.scope else ""
    if word:
        raise malformed(f"unexpected token: '{word}'")
