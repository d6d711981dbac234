"""Writes a tree as SOQL: one spelling for each tree, which parses back to the same tree."""

from __future__ import annotations

from datetime import UTC, datetime

from lht.simulator.soql.tree import (
    Boolean,
    Call,
    Comparison,
    Condition,
    Conjunction,
    Date,
    DateTime,
    DateWord,
    Disjunction,
    Literal,
    Membership,
    Negation,
    Null,
    Number,
    Operand,
    Ordering,
    Path,
    Query,
    Selected,
    Source,
    Text,
    TypeOf,
)


def to_soql(query: Query) -> str:
    """Writes the query on one line."""
    sources = [Source(query.source, query.alias), *query.sources]
    parts = [f"SELECT {', '.join(map(_item, query.select))}", f"FROM {', '.join(map(_source, sources))}"]
    parts += [f"USING SCOPE {query.scope}"] if query.scope else []
    parts += [f"WHERE {_condition(query.where)}"] if query.where else []
    parts += [f"WITH {query.mode}"] if query.mode else []
    parts += [f"GROUP BY {', '.join(map(_operand, query.group_by))}"] if query.group_by else []
    parts += [f"HAVING {_condition(query.having)}"] if query.having else []
    parts += [f"ORDER BY {', '.join(map(_ordering, query.order_by))}"] if query.order_by else []
    parts += [f"LIMIT {query.limit}"] if query.limit is not None else []
    parts += [f"OFFSET {query.offset}"] if query.offset is not None else []
    return " ".join([*parts, *query.closing])


def _source(source: Source) -> str:
    return f"{_operand(source.path)} {source.alias}" if source.alias else _operand(source.path)


def _item(item: Selected | TypeOf | Query) -> str:
    if isinstance(item, Query):
        return f"({to_soql(item)})"
    if isinstance(item, TypeOf):
        return _type_of(item)
    return f"{_operand(item.operand)} {item.alias}" if item.alias else _operand(item.operand)


def _type_of(item: TypeOf) -> str:
    whens = [f"WHEN {name} THEN {', '.join(map(_operand, paths))}" for name, paths in item.whens]
    otherwise = [f"ELSE {', '.join(map(_operand, item.otherwise))}"] if item.otherwise else []
    return " ".join(["TYPEOF", _operand(item.path), *whens, *otherwise, "END"])


def _operand(operand: Operand) -> str:
    if isinstance(operand, Path):
        return ".".join(operand.names)
    arguments = (_operand(a) if isinstance(a, Path | Call) else literal(a) for a in operand.arguments)
    return f"{operand.name}({', '.join(arguments)})"


def _ordering(entry: Ordering) -> str:
    nulls = {None: "", True: " NULLS LAST", False: " NULLS FIRST"}[entry.nulls_last]
    return f"{_operand(entry.operand)}{' DESC' if entry.descending else ''}{nulls}"


def _condition(condition: Condition) -> str:
    match condition:
        case Conjunction(terms):
            return " AND ".join(map(_term, terms))
        case Disjunction(terms):
            return " OR ".join(map(_term, terms))
        case Negation(term):
            return f"NOT ({_condition(term)})"
        case Comparison(operand, operator, value):
            return f"{_operand(operand)} {operator} {literal(value)}"
        case Membership(operand, operator, values):
            return f"{_operand(operand)} {operator} ({_set(values)})"


def _term(condition: Condition) -> str:
    text = _condition(condition)
    return f"({text})" if isinstance(condition, Conjunction | Disjunction | Negation) else text


def _set(values: tuple[Literal, ...] | Query) -> str:
    return to_soql(values) if isinstance(values, Query) else ", ".join(map(literal, values))


def literal(value: Literal) -> str:  # noqa: PLR0911 - one for each kind of literal
    """Writes one literal."""
    match value:
        case Text(raw):
            return f"'{raw}'"
        case Number(text):
            return text
        case Boolean(flag):
            return "TRUE" if flag else "FALSE"
        case Null():
            return "NULL"
        case Date(day):
            return day.isoformat()
        case DateTime(moment):
            return _datetime(moment)
        case DateWord(word, count):
            return word if count is None else f"{word}:{count}"
        case _:
            return f"{value.value.isoformat()}Z"


def _datetime(moment: datetime) -> str:
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"
