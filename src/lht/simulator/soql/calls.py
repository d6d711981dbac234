"""Functions of one value: of dates, labels and formats, and the distance between two places."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import TYPE_CHECKING

from lht.simulator.org.schemas.schema import NUMBER_TYPES, WHOLE_TYPES
from lht.simulator.soql.faults import fault, malformed
from lht.simulator.soql.scope import Column, string
from lht.simulator.soql.tree import Call, Number, Operand, Path, Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from lht.simulator.soql.dates import Present
    from lht.simulator.soql.scope import Scope

_CALENDAR = {
    "CALENDAR_MONTH": "month({0})",
    "CALENDAR_QUARTER": "quarter({0})",
    "CALENDAR_YEAR": "year({0})",
    "DAY_IN_MONTH": "day({0})",
    "DAY_IN_WEEK": "dayofweek({0}) + 1",
    "DAY_IN_YEAR": "dayofyear({0})",
    "DAY_ONLY": "CAST({0} AS DATE)",
    "FISCAL_MONTH": "month({0})",
    "FISCAL_QUARTER": "quarter({0})",
    "FISCAL_YEAR": "year({0})",
    "HOUR_IN_DAY": "hour({0})",
    "WEEK_IN_MONTH": "(day({0}) - 1) // 7 + 1",
    "WEEK_IN_YEAR": "(dayofyear({0}) - 1) // 7 + 1",
}
"""Weeks begin with the first day of the month or the year, not with a day of the week."""
_OF_MOMENTS = frozenset({"DAY_ONLY", "HOUR_IN_DAY"})
_SHOWN = frozenset({"TOLABEL", "FORMAT", "CONVERTCURRENCY"})
_LABELLED = frozenset({"picklist", "multipicklist", "combobox"})
_RADIUS = {"mi": 3_958.7613, "km": 6_371.0088}
_NESTING = "nested functional syntax can only be used in the following manner: date_function(convertTimezone(columnName))"


def is_date_call(operand: Operand) -> bool:
    """Whether this is a call of a date function."""
    return isinstance(operand, Call) and operand.name.upper() in _CALENDAR


def is_shown(operand: Operand) -> bool:
    """Whether this only changes how a value is shown, and so keeps its name."""
    return isinstance(operand, Call) and operand.name.upper() in _SHOWN


def is_distance(operand: Operand) -> bool:
    """Whether this measures a distance."""
    return isinstance(operand, Call) and operand.name.upper() == "DISTANCE"


def is_label(operand: Operand) -> bool:
    """Whether this is the label of a value."""
    return isinstance(operand, Call) and operand.name.upper() == "TOLABEL"


def inner(call: Call) -> Operand | None:
    """Gives the one value that a function is about, if it is about one."""
    found = call.arguments[0] if len(call.arguments) == 1 else None
    return found if isinstance(found, Path | Call) else None


@dataclass(frozen=True, slots=True)
class Calls:
    """Turns calls into columns; raises the fault for what a function cannot take."""

    scope: Scope
    present: Present
    text: str

    def of_date(self, call: Call) -> Column:
        """Gives what a date function finds in a date, or in a moment: in GMT, or in the user's zone if so asked."""
        name, value = call.name.upper(), inner(call)
        if isinstance(value, Call):
            column = self._in_zone(value, call)
        elif value is not None:
            column = self.scope.resolve(value)
        else:
            raise self._malformed(call, f"{call.name} takes one field")
        if column.type != "datetime" and (column.type != "date" or name in _OF_MOMENTS):
            raise self._wrong(call, column)
        sql = self._fiscal(column.sql) if name.startswith("FISCAL") else column.sql
        kind = "date" if name == "DAY_ONLY" else "int"
        return Column(f"({_CALENDAR[name].format(sql)})", kind, column.path, None)

    def distance(self, call: Call) -> Column:
        """Gives how far two places lie apart, on a globe; null where one of them is not known."""
        match call.arguments:
            case (Path() as here, (Path() | Call()) as there, Text(unit)) if unit.lower() in _RADIUS:
                pass
            case _:
                raise self._malformed(call, "DISTANCE takes a location field, a location and 'mi' or 'km'")
        sql = _haversine(self._place(here), self._place(there), _RADIUS[unit.lower()])
        return Column(sql, "double", here.names, None)

    def shown(self, call: Call, find: Callable[[Operand], Column]) -> Column:
        """Gives a value as people read it; `find` gives the value."""
        name, value = call.name.upper(), inner(call)
        if value is None:
            raise self._malformed(call, f"{call.name} takes one field")
        if name == "CONVERTCURRENCY":
            message = "convertCurrency can only be used in an organization with multiple currencies"
            raise fault("INVALID_FIELD", message, self.text, call.at)
        column = find(value)
        return self._label(call, column) if name == "TOLABEL" else self._formatted(call, column)

    def _in_zone(self, call: Call, around: Call) -> Column:
        value = inner(call)
        if call.name.upper() != "CONVERTTIMEZONE" or not isinstance(value, Path):
            raise self._malformed(around, f"{_NESTING}: {around.name}")
        column = self.scope.resolve(value)
        if column.type != "datetime":
            raise self._wrong(call, column)
        return Column(self._local(column.sql), column.type, column.path, None)

    def _local(self, sql: str) -> str:
        """A stored moment as the user's clock shows it."""
        zone = self.present.timezone
        if zone == UTC:
            return sql
        if key := getattr(zone, "key", None):
            return f"timezone({string(key)}, timezone('UTC', {sql}))"
        ahead = zone.utcoffset(self.present.now) or timedelta()
        return f"({sql} + INTERVAL ({int(ahead.total_seconds())}) SECOND)"

    def _fiscal(self, sql: str) -> str:
        """A day moved so that fiscal years are calendar years; a fiscal year is called after the one in which it ends."""
        ahead = (13 - self.present.fiscal_start) % 12
        # The first of the month, because moving the 31st could skip a month.
        return f"(date_trunc('month', {sql}) + INTERVAL {ahead} MONTH)" if ahead else sql

    def _place(self, place: Path | Call) -> tuple[str, str]:
        if isinstance(place, Path):
            found = self.scope.location(place)
            if found is None:
                message = f"field '{place.names[-1]}' is not a location"
                raise fault("INVALID_FIELD", message, self.text, place.at)
            return found
        match place:
            case Call(name, (Number(latitude), Number(longitude))) if name.upper() == "GEOLOCATION":
                return str(float(latitude)), str(float(longitude))
        raise self._malformed(place, "GEOLOCATION takes a latitude and a longitude")

    def _label(self, call: Call, column: Column) -> Column:
        field = column.field
        if column.type not in _LABELLED and not (field and column.path[-2:] == ("RecordType", "Name")):
            raise self._wrong(call, column)
        labels = {e.value: e.label for e in field.picklist if e.label} if field else {}
        sql = _labelled(column, {value: label for value, label in labels.items() if label != value})
        return Column(sql, column.type, column.path, field)

    def _formatted(self, call: Call, column: Column) -> Column:
        sql = self._written(column)
        if sql is None:
            raise self._wrong(call, column)
        return Column(sql, "string", column.path, None)

    def _written(self, column: Column) -> str | None:
        """A number, a date or a time in the form of the locale en_US."""
        sql, scale = column.sql, column.field.scale if column.field else 0
        # A sum is a plain number, but one of money is shown as money.
        kind = column.field.type.lower() if column.field and column.type in NUMBER_TYPES else column.type
        if kind in WHOLE_TYPES:
            return f"format('{{:,d}}', CAST({sql} AS BIGINT))"
        if kind in NUMBER_TYPES:
            number = f"format('{{:,.{scale}f}}', round(CAST(abs({sql}) AS DOUBLE), {scale}))"
            sign = f"CASE WHEN {sql} < 0 THEN '-' ELSE '' END"
            before, after = {"currency": ("$", ""), "percent": ("", "%")}.get(kind, ("", ""))
            return f"({sign} || '{before}' || {number} || '{after}')"
        day, hour = "%-m/%-d/%Y", "%-I:%M %p"
        return {
            "date": f"strftime({sql}, '{day}')",
            "datetime": f"strftime({self._local(sql)}, '{day}, {hour}')",
            "time": f"strftime(DATE '2000-01-01' + {sql}, '{hour}')",
        }.get(kind)

    def _wrong(self, call: Call, column: Column) -> Exception:
        message = f"field {column.path[-1]} does not support function {call.name}"
        return self._malformed(call, message)

    def _malformed(self, call: Call, message: str) -> Exception:
        return malformed(message, self.text, call.at)


def nesting(call: Call, text: str) -> Exception:
    """The answer to a function around a function that cannot stand there."""
    return malformed(f"{_NESTING}: {call.name}", text, call.at)


def _labelled(column: Column, labels: dict[str, str]) -> str:
    if not labels:
        return column.sql
    if column.type != "multipicklist":
        return _replaced(column.sql, labels)
    chosen = f"list_transform(string_split({column.sql}, ';'), lambda v: {_replaced('v', labels)})"
    return f"array_to_string({chosen}, ';')"


def _replaced(sql: str, labels: dict[str, str]) -> str:
    whens = " ".join(f"WHEN {string(value)} THEN {string(label)}" for value, label in labels.items())
    return f"CASE {sql} {whens} ELSE {sql} END"


def _haversine(here: tuple[str, str], there: tuple[str, str], radius: float) -> str:
    (a, b), (c, d) = here, there
    across = f"pow(sin(radians({c} - {a}) / 2), 2)"
    along = f"cos(radians({a})) * cos(radians({c})) * pow(sin(radians({d} - {b}) / 2), 2)"
    share = f"({across} + {along})"
    return f"(2 * {radius} * atan2(sqrt({share}), sqrt(abs(1 - {share}))))"
