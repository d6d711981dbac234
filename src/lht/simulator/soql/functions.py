"""Aggregates and FIELDS()."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.schemas.schema import COMPOUND_TYPES, NUMBER_TYPES, WHOLE_TYPES
from lht.simulator.soql.calls import nesting
from lht.simulator.soql.collation import folded, ranks
from lht.simulator.soql.faults import fault, malformed
from lht.simulator.soql.scope import Column
from lht.simulator.soql.tree import (
    Call,
    Comparison,
    Condition,
    Conjunction,
    Disjunction,
    Membership,
    Operand,
    Path,
    Query,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema

MAX_FIELDS_LIMIT = 200
_LONGEST_SHORT_TEXT = 255
_AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})
_NEVER = (
    frozenset({"boolean", "time", "base64", "byte", "anytype", "encryptedstring", "multipicklist"})
    | COMPOUND_TYPES
)


def is_aggregate(operand: Operand) -> bool:
    """Whether this is a call of an aggregate function."""
    return isinstance(operand, Call) and operand.name.upper() in _AGGREGATES


def aggregate(call: Call, field: Callable[[Path], Column], text: str) -> Column:
    """Gives an aggregate as a column; raises the fault for a field that it cannot take."""
    name = call.name.upper()
    if call.arguments and isinstance(call.arguments[0], Call):
        raise nesting(call, text)
    if len(call.arguments) != 1 or not isinstance(call.arguments[0], Path):
        raise malformed(f"{call.name} takes one field", text, call.at)
    column = field(call.arguments[0])
    if not _takes(name, column):
        message = f"field {column.path[-1]} does not support aggregate operator {name}"
        raise malformed(message, text, call.at)
    return Column(
        _sql(name, column), _type(name, column), column.path, None if name.startswith("C") else column.field
    )


def _takes(name: str, column: Column) -> bool:
    if name in ("SUM", "AVG"):
        return column.type in NUMBER_TYPES | WHOLE_TYPES
    is_long = (
        column.field is not None and column.type == "textarea" and column.field.length > _LONGEST_SHORT_TEXT
    )
    return column.type not in _NEVER and not is_long


def _type(name: str, column: Column) -> str:
    if name.startswith("COUNT"):
        return "int"
    return "double" if name == "AVG" or (name == "SUM" and column.type in NUMBER_TYPES) else column.type


def _sql(name: str, column: Column) -> str:
    match name:
        case "COUNT":
            return f"count({column.sql})"
        case "COUNT_DISTINCT":
            return f"count(DISTINCT {folded(column)})"
        case "MIN" | "MAX" if ranks(column) != [column.sql]:
            # The first or last value in the order that the column sorts by.
            return f"arg_{name.lower()}({column.sql}, ({', '.join(ranks(column))}))"
        case "SUM" if column.type in WHOLE_TYPES:
            return f"CAST(sum({column.sql}) AS BIGINT)"
        case _:
            return f"{name.lower()}({column.sql})"


def expanded(call: Call, query: Query, schema: ObjectSchema) -> list[FieldSchema]:
    """Gives the fields that FIELDS(ALL), FIELDS(CUSTOM) or FIELDS(STANDARD) stands for."""
    [group] = [a.names[0].upper() for a in call.arguments if isinstance(a, Path)] or [""]
    if group not in ("ALL", "CUSTOM", "STANDARD"):
        raise malformed("unexpected token: 'FIELDS'", query.text, call.at)
    if group != "STANDARD" and not _is_bounded(query):
        raise malformed(f"The SOQL FIELDS function must have a LIMIT of at most {MAX_FIELDS_LIMIT}")
    fields = [f for f in schema.by_name.values() if group == "ALL" or f.custom == (group == "CUSTOM")]
    if not fields and len(query.select) == 1:
        raise fault(
            "INVALID_FIELD", f"FIELDS({group}) finds no field on entity '{schema.name}'", query.text, call.at
        )
    return fields


def _is_bounded(query: Query) -> bool:
    """Whether a query names few enough records for all fields, whatever they are."""
    return (query.limit is not None and query.limit <= MAX_FIELDS_LIMIT) or _names_records(query.where)


def _names_records(condition: Condition | None) -> bool:
    match condition:
        case Membership(operand, "IN", tuple() as values) if _is_id(operand):
            return len(values) <= MAX_FIELDS_LIMIT
        case Comparison(operand, "="):
            return _is_id(operand)
        case Conjunction(terms):
            return any(map(_names_records, terms))
        case Disjunction(terms):
            return len(terms) <= MAX_FIELDS_LIMIT and all(map(_names_records, terms))
        case _:
            return False


def _is_id(operand: Operand) -> bool:
    return isinstance(operand, Path) and [name.lower() for name in operand.names] == ["id"]
