"""Semi-joins and anti-joins: where they may stand, and what they may compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from lht.simulator.soql.faults import fault, malformed
from lht.simulator.soql.tree import Conjunction, Disjunction, Membership, Negation, Path, Query, Selected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.soql.scope import Column
    from lht.simulator.soql.tree import Condition

_Side: TypeAlias = "tuple[Column, ObjectSchema]"
MOST = 2
_ID_TYPES = frozenset({"id", "reference"})
_NEVER_INSIDE = frozenset({"activityhistory", "attachment", "event", "note", "openactivity", "task"})
_WHERE_ONLY = "Semi join sub-selects are only allowed at the top level WHERE expressions and not in nested WHERE expressions."


def check_places(query: Query, *, is_root: bool) -> None:
    """Refuses semi-joins anywhere but in the outermost WHERE, alone or between ANDs; raises ApiFault 400."""
    for join in _joins(query.having):
        raise malformed(_WHERE_ONLY, query.text, join.operand.at)
    found = list(_joins(query.where))
    if not is_root and found:
        raise malformed(_WHERE_ONLY, query.text, found[0].operand.at)
    if len(found) > MOST:
        message = f"Maximum {MOST} semi join sub-selects are allowed."
        raise fault("EXCEEDED_MAX_SEMIJOIN_SUBSELECTS", message, query.text, found[MOST].operand.at)
    if query.where and found:
        _check_top(query.where, query.text)


def check_inner(inner: Query, schema: ObjectSchema, outer: ObjectSchema) -> Path:
    """Gives the field that a sub-select selects; refuses what it cannot hold; raises ApiFault 400."""
    for word, clause in _refused(inner):
        if clause:
            raise malformed(f"missing value at '{word}'", inner.text, inner.at)
    if next(_joins(inner.where), None):
        raise malformed("Nesting of semi join sub-selects is not supported", inner.text, inner.at)
    if schema.name.lower() in _NEVER_INSIDE:
        message = f"Entity '{schema.name}' is not supported for semi join inner selects"
        raise malformed(message, inner.text, inner.source.at)
    if schema.name == outer.name:
        message = "The inner and outer selects should not be on the same object type"
        raise malformed(message, inner.text, inner.source.at)
    match inner.select:
        case (Selected(Path() as path, None),):
            return path
    raise malformed("semi join sub-selects can only query one id field", inner.text, inner.at)


def check_types(left: _Side, right: _Side, place: tuple[str, int]) -> None:
    """Refuses to compare other fields than ids, and ids of different objects; raises ApiFault 400."""
    (outer, _), (inner, _) = left, right
    message = ""
    if outer.through_parent:
        message = (
            f"The left operand '{'.'.join(outer.path)}' cannot have more than one level of relationships"
        )
    elif inner.through_parent:
        name = ".".join(inner.path)
        message = f"The inner select field '{name}' cannot have more than one level of relationships"
    elif outer.type not in _ID_TYPES:
        message = (
            "The left operand field in the where expression for outer query should be an id field, cannot use: "
            f"'{outer.path[-1]}'"
        )
    elif inner.type not in _ID_TYPES:
        message = f"semi join sub-selects can only query id fields, cannot use: '{inner.path[-1]}'"
    elif not _targets(*left) & _targets(*right):
        message = (
            f"The selected field '{inner.path[-1]}' in the subquery and the left operand field in the where "
            f"expression in the outer query '{outer.path[-1]}' should point to the same object type"
        )
    if message:
        raise malformed(message, *place)


def _targets(column: Column, schema: ObjectSchema) -> set[str]:
    return {schema.name} if column.field is None or column.type == "id" else set(column.field.reference_to)


def _refused(inner: Query) -> Iterator[tuple[str, bool]]:
    yield "GROUP", bool(inner.group_by)
    yield "ORDER", bool(inner.order_by)
    yield "LIMIT", inner.limit is not None
    yield "OFFSET", inner.offset is not None
    yield "FOR", bool(inner.closing)


def _check_top(where: Condition, text: str) -> None:
    if isinstance(where, Disjunction) and any(_is_join(term) for term in where.terms):
        raise malformed(
            "Semi join sub-selects are not allowed with the 'OR' operator", text, _first_at(where)
        )
    for term in where.terms if isinstance(where, Conjunction | Disjunction) else (where,):
        if isinstance(term, Negation) and _is_join(term.term):
            raise malformed(
                "Semi join sub-selects are not allowed with the 'NOT' operator", text, _first_at(term)
            )
        if not _is_join(term) and next(_joins(term), None):
            raise malformed(_WHERE_ONLY, text, _first_at(term))


def _is_join(condition: Condition) -> bool:
    return isinstance(condition, Membership) and isinstance(condition.values, Query)


def _first_at(condition: Condition) -> int:
    return next(_joins(condition)).operand.at


def _joins(condition: Condition | None) -> Iterator[Membership]:
    """Gives the semi-joins of a condition, but not those inside their sub-selects."""
    match condition:
        case Membership(_, _, Query()):
            yield condition
        case Conjunction(terms) | Disjunction(terms):
            for term in terms:
                yield from _joins(term)
        case Negation(term):
            yield from _joins(term)
        case _:
            return
