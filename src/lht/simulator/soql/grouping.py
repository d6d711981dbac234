"""Queries with GROUP BY or aggregates: what they group by, and what each of their columns may be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from lht.simulator.soql.calls import inner, is_date_call, is_shown
from lht.simulator.soql.collation import folded, is_folded
from lht.simulator.soql.faults import fault, malformed
from lht.simulator.soql.functions import aggregate, expanded, is_aggregate
from lht.simulator.soql.scope import Column
from lht.simulator.soql.tree import Call, Operand, Path, Query, Selected

if TYPE_CHECKING:
    from lht.simulator.soql.calls import Calls
    from lht.simulator.soql.scope import Scope

MOST_SUBTOTALS = 3
_SUBTOTALS = frozenset({"ROLLUP", "CUBE"})


def is_grouped(query: Query) -> bool:
    """Whether the answer is aggregate rows."""
    return bool(query.group_by) or any(
        isinstance(i, Selected)
        and (is_aggregate(i.operand) or _is_grouping(i.operand) or is_shown_aggregate(i.operand))
        for i in query.select
    )


def is_shown_aggregate(operand: Operand) -> bool:
    """Whether this shows an aggregate: FORMAT(MAX(Amount))."""
    value = inner(operand) if isinstance(operand, Call) and is_shown(operand) else None
    return value is not None and (is_aggregate(value) or is_shown_aggregate(value))


@dataclass(frozen=True)
class Grouping:
    """The columns that a grouped query may name."""

    query: Query
    scope: Scope
    calls: Calls

    @cached_property
    def keys(self) -> dict[str, Column]:
        """What the query groups by, by its SQL."""
        return {column.sql: column for column in map(self._key, self._operands)}

    @property
    def clause(self) -> str:
        """Writes GROUP BY."""
        listed = ", ".join(map(folded, self.keys.values()))
        return f" GROUP BY {self._subtotals} ({listed})" if self._subtotals else f" GROUP BY {listed}"

    def column(self, operand: Operand, role: str = "Field") -> Column:
        """Gives an aggregate, a key, or a function of one; raises the fault for anything else."""
        if isinstance(operand, Path):
            return self._grouped(self.scope.resolve(operand), operand, role)
        if is_aggregate(operand):
            return aggregate(operand, self.scope.resolve, self.query.text)
        if is_shown(operand):
            return self.calls.shown(operand, self.column)
        if is_date_call(operand):
            return self._date(operand, role)
        if _is_grouping(operand):
            return self._subtotal(operand)
        raise unknown(operand, self.query.text)

    def named(self) -> list[Column]:
        """The selected columns; functions without an alias are called expr0, expr1 and so on."""
        columns: list[Column] = []
        unnamed = 0
        for item in self.query.select:
            if not isinstance(item, Selected):
                raise self._no_records(item.at if isinstance(item, Query) else item.path.at, item)
            self._check_selected(item.operand)
            column = self.column(item.operand)
            keeps_name = isinstance(item.operand, Path) or (
                is_shown(item.operand) and not is_shown_aggregate(item.operand)
            )
            name = item.alias or (column.path[-1] if keeps_name else f"expr{unnamed}")
            unnamed += not keeps_name and item.alias is None
            if name.lower() in {c.path[0].lower() for c in columns}:
                raise malformed(f"duplicate alias: {name}", self.query.text, item.operand.at)
            columns.append(replace(column, path=(name,)))
        return columns

    def _check_selected(self, operand: Operand) -> None:
        """Refuses to count what the query groups by, and to group by some fields where all are asked for."""
        if not isinstance(operand, Call):
            return
        if operand.name.upper() == "FIELDS":
            fields = expanded(operand, self.query, self.scope.base.schema)
            for name in (f.name for f in fields if not self._is_key(Path((f.name,)))):
                raise self.not_grouped("Field", Path((name,), operand.at))
        value = operand.arguments[0] if operand.arguments else None
        if is_aggregate(operand) and isinstance(value, Path) and self._is_key(value):
            message = f"Grouped field should not be aggregated: {'.'.join(value.names)}"
            raise malformed(message, self.query.text, value.at)

    def _is_key(self, path: Path) -> bool:
        return self.scope.resolve(path).sql in self.keys

    def not_grouped(self, role: str, operand: Operand) -> Exception:
        """The answer to a field that differs within a group."""
        value = operand
        while isinstance(value, Call) and (found := inner(value)):
            value = found
        name = ".".join(value.names) if isinstance(value, Path) else value.name
        return malformed(f"{role} must be grouped or aggregated: {name}", self.query.text, operand.at)

    @property
    def _subtotals(self) -> str:
        match self.query.group_by:
            case (Call(name, _),) if name.upper() in _SUBTOTALS:
                return name.upper()
        return ""

    @property
    def _operands(self) -> tuple[Operand, ...]:
        found = self.query.group_by
        if self._subtotals and isinstance(found[0], Call):
            operands = tuple(a for a in found[0].arguments if isinstance(a, Path | Call))
            if not 0 < len(operands) <= MOST_SUBTOTALS or len(operands) < len(found[0].arguments):
                message = f"GROUP BY {self._subtotals} takes one to {MOST_SUBTOTALS} fields"
                raise malformed(message, self.query.text, found[0].at)
            return operands
        return found

    def _key(self, operand: Operand) -> Column:
        if isinstance(operand, Call):
            if is_date_call(operand):
                return self.calls.of_date(operand)
            if operand.name.upper() in _SUBTOTALS:
                raise malformed("unexpected token: ','", self.query.text, operand.at)
            raise unknown(operand, self.query.text)
        column = self.scope.resolve(operand)
        if column.field is not None and not column.field.groupable:
            message = f"field '{column.path[-1]}' can not be grouped in a query call"
            raise fault("INVALID_FIELD", message, self.query.text, operand.at)
        return column

    def _grouped(self, column: Column, operand: Operand, role: str) -> Column:
        if column.sql not in self.keys:
            raise self.not_grouped(role, operand)
        return self._spelt(column)

    def _spelt(self, column: Column) -> Column:
        """A key whose letter case makes no difference is shown in one of the spellings that its group has."""
        if not is_folded(column):
            return column
        spelt = f"min({column.sql})"
        whole = f"CASE WHEN grouping({folded(column)}) = 0 THEN {spelt} END"
        return replace(column, sql=whole if self._subtotals else spelt)

    def _date(self, call: Call, role: str) -> Column:
        """A date function that is a key; or one of a key that is a date, not a moment."""
        column, value = self.calls.of_date(call), inner(call)
        if column.sql not in self.keys and isinstance(value, Path):
            days = self.scope.resolve(value)
            if days.type == "date" and days.sql in self.keys:
                return column
        return self._grouped(column, call, role)

    def _subtotal(self, call: Call) -> Column:
        """GROUPING(field): 1 in the rows that are a subtotal over the field, 0 in all others."""
        value = inner(call)
        if value is None or not self._subtotals:
            message = "GROUPING is only allowed for a field of GROUP BY ROLLUP or GROUP BY CUBE"
            raise malformed(message, self.query.text, call.at)
        self.column(value)  # refuses what is no key
        column = self._key(value)
        return Column(f"grouping({folded(column)})", "int", column.path, None)

    def _no_records(self, at: int, item: object) -> Exception:
        if isinstance(item, Query):
            message = "Grouped query cannot use child relationships in the SELECT list"
        else:
            message = "TYPEOF is not allowed in a query with GROUP BY or aggregate functions"
        return malformed(message, self.query.text, at)


def unknown(call: Call, text: str) -> Exception:
    """The answer to a function that does not exist, or not in this place."""
    return malformed(f"Invalid or unsupported function: {call.name}", text, call.at)


def _is_grouping(operand: Operand) -> bool:
    return isinstance(operand, Call) and operand.name.upper() == "GROUPING"
