"""Rows as the JSON records of REST calls. Pure.

A text that is None leaves its field alone; `#N/A` empties it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from lht.model.retl import Operation, positions_sent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.retl import SentColumn
    from lht.model.salesforce import Field

NULL_MARK: Final = "#N/A"
_NUMBER: Final = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_NUMBERS: Final = frozenset({"int", "long", "double", "currency", "percent"})


def record_json(
    object_name: str,
    operation: Operation,
    columns: Sequence[SentColumn],
    sent: Sequence[str | None],
    record_id: str | None,
) -> str:
    """One row as JSON text. It is put together by hand, so that numbers stand in it digit by digit."""
    members = [f'"attributes":{{"type":{json.dumps(object_name)}}}']
    if record_id:
        members.append(f'"Id":{json.dumps(record_id)}')
    for position in positions_sent(operation, columns):
        column, text = columns[position], sent[position]
        if text is not None and column.header.lower() != "id":
            members.append(_member(column, text))
    return f"{{{','.join(members)}}}"


def _member(column: SentColumn, text: str) -> str:
    if column.parent is None:
        return f"{json.dumps(column.header)}:{_value(column.field, text)}"
    if text == NULL_MARK:
        return f"{json.dumps(column.target)}:null"
    type_name, _, path = column.header.rpartition(":")
    relationship, _, name = path.partition(".")
    named = f'"attributes":{{"type":{json.dumps(type_name)}}},' if type_name else ""
    return f"{json.dumps(relationship)}:{{{named}{json.dumps(name)}:{_value(column.field, text)}}}"


def _value(field: Field, text: str) -> str:
    if text == NULL_MARK:
        return "null"
    if field.type in _NUMBERS and _NUMBER.fullmatch(text):
        return text
    if field.type == "boolean" and text.lower() in {"true", "false"}:
        return text.lower()
    return json.dumps(text)
