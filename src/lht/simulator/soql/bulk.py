"""What the Bulk API refuses although REST would answer it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.schemas.schema import COMPOUND_TYPES
from lht.simulator.soql.faults import fault
from lht.simulator.soql.functions import is_aggregate
from lht.simulator.soql.tree import Call, Query, Selected, TypeOf

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lht.simulator.errors import ApiFault
    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.soql.scope import Column

_IN_CSV = "not supported in Bulk V2 Query with CSV content type"


def check_bulk(query: Query, schema: ObjectSchema) -> None:
    """Refuses objects and clauses; raises ApiFault 400."""
    if not schema.bulk:
        raise fault("INVALIDENTITY", f"Entity '{schema.name}' is not supported by the Bulk API.")
    for refused, what in _clauses(query):
        if refused:
            raise fault("API_ERROR", f"{what} {_IN_CSV}")


def check_bulk_columns(columns: Iterable[Column]) -> None:
    """Refuses values that have no place in CSV; raises ApiFault 400."""
    for column in columns:
        if column.type in COMPOUND_TYPES:
            raise no_compound()
        if column.type == "base64":
            raise fault("API_ERROR", f"Blob field {_IN_CSV}")


def no_compound() -> ApiFault:
    """The answer to an address or a location, wherever it stands."""
    return fault("API_ERROR", "Selecting compound data not supported in Bulk Query")


def _clauses(query: Query) -> Iterable[tuple[bool, str]]:
    calls = [i.operand.name for i in query.select if _is_call(i)]  # type: ignore[union-attr]  # _is_call looked
    yield any(isinstance(i, Query) for i in query.select), "Aggregate Relationships"
    yield any(isinstance(i, TypeOf) for i in query.select), "TYPEOF"
    yield "FIELDS" in map(str.upper, calls), "FIELDS()"
    yield bool(query.group_by), "GROUP BY"
    yield any(is_aggregate(i.operand) for i in query.select if isinstance(i, Selected)), "Aggregate functions"
    yield bool(calls), f"{calls[0] if calls else ''}()"
    yield query.offset is not None, "OFFSET"


def _is_call(item: object) -> bool:
    return isinstance(getattr(item, "operand", None), Call)
