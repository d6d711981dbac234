"""The clauses around WHERE and behind LIMIT."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.soql.faults import fault, malformed
from lht.simulator.soql.scope import quoted, string

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.soql.tree import Query

_MODES = frozenset({"SECURITY_ENFORCED", "USER_MODE", "SYSTEM_MODE"})
_SEEN = {"FOR VIEW": ("LastViewedDate", "LastReferencedDate"), "FOR REFERENCE": ("LastReferencedDate",)}


def check_clauses(query: Query) -> None:
    """Refuses what an org without Knowledge, or REST, does not know; raises ApiFault 400."""
    if query.mode is not None and query.mode not in _MODES:
        raise malformed(f"unexpected token: '{query.mode}'")
    if "ALL ROWS" in query.closing:
        raise malformed("ALL ROWS not allowed in this context")
    for clause in query.closing:
        if query.closing.count(clause) > 1:
            raise malformed(f"unexpected token: '{clause.split()[0]}'")
        if clause.startswith("UPDATE"):
            raise malformed(f"{clause} is only allowed for Knowledge articles")
    if "FOR UPDATE" in query.closing and query.order_by:
        raise malformed("ORDER BY not allowed with FOR UPDATE")


def seen(query: Query, schema: ObjectSchema) -> tuple[str, ...]:
    """Gives the stamps that FOR VIEW and FOR REFERENCE move, those that the object has."""
    names = dict.fromkeys(name for clause in query.closing for name in _SEEN.get(clause, ()))
    return tuple(name for name in names if schema.find(name))


def scope_terms(query: Query, schema: ObjectSchema, user_id: str) -> Iterator[str]:
    """Writes what USING SCOPE asks for, as conditions on the table t0: one of the scopes that describe lists.

    Nobody has a team here or delegates a task, and no scoping rule is active.
    """
    asked = (query.scope or "everything").lower()
    listed = {scope.lower() for scope in schema.scopes}
    match asked:
        case "everything":
            return
        case "mine" if schema.find("OwnerId"):
            yield f"t0.{quoted('OwnerId')} = {string(user_id)}"
        case "scopingrule" if asked in listed:
            return
        case _ if asked in listed:
            yield "FALSE"
        case _:
            message = f"The filter scope '{query.scope}' is not supported for entity '{schema.name}'"
            raise fault("INVALID_QUERY_SCOPE", message)
