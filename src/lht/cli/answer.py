"""What a command answers: one JSON document, and the same as text and tables for people."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import Enum
from typing import Any

from lht.cli.exits import Exit


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under headings.

    `numeric` names the headings whose column is set flush right; `optional` those that a narrow terminal does
    without, the first first.
    """

    headings: tuple[str, ...]
    rows: Sequence[Sequence[object]]
    title: str = ""
    numeric: frozenset[str] = frozenset()
    optional: tuple[str, ...] = ()

    def without(self, heading: str) -> Table:
        """Gives the table without one column."""
        index = self.headings.index(heading)
        rows = [(*row[:index], *row[index + 1 :]) for row in self.rows]
        return dataclasses.replace(
            self, headings=(*self.headings[:index], *self.headings[index + 1 :]), rows=rows
        )


@dataclass(frozen=True, slots=True)
class Item:
    """Sentences of a list, set in beside their mark; a terminal's width decides where their lines end."""

    mark: str
    sentences: Sequence[str]


Block = str | Table | Item

_COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, and those that turn the direction of writing."""

SPELLED = frozenset({"TableName", "ColumnType"})
"""Values that documents have in the spelling that people use."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command found or did. `notes` are for people only and go to stderr."""

    document: Any
    blocks: Sequence[Block] = ()
    notes: Sequence[str] = ()
    exit: Exit = Exit.DONE
    raw: str | None = field(default=None, repr=False)
    """Data to be written to stdout as it is, where the user asked for a format of their own."""


def document(value: Any) -> Any:
    """Turns results into what JSON can say: names as people write them, times in UTC with a `Z`."""
    if isinstance(value, Mapping):
        return {str(key): document(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and type(value).__name__ not in SPELLED:
        return {item.name: document(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, (Sequence, frozenset)) and not isinstance(value, (str, bytes)):
        return [document(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    match value:
        case Enum():
            return value.value
        case datetime():
            return timestamp(value)
        case date() | time():
            return value.isoformat()
        case str() | int() | float() | None:
            return value
    return str(value)


def as_json(value: Any) -> str:
    """Writes one JSON document with a line end."""
    import json  # noqa: PLC0415 - `lht --help` needs none

    return json.dumps(document(value), ensure_ascii=False, indent=2) + "\n"


def timestamp(value: datetime | None) -> str | None:
    """Spells a time as every document does; a time without a zone is UTC already."""
    if value is None:
        return None
    return value.isoformat(timespec="auto").removesuffix("+00:00") + "Z"


def day_and_time(value: datetime | None) -> str:
    """Spells a time for people, in UTC and to the second."""
    return "" if value is None else f"{value:%Y-%m-%d %H:%M:%S}"


def number(value: int | None) -> str:
    """Groups digits for people."""
    return "" if value is None else f"{value:,}"


def harmless(text: str) -> str:
    """Takes out what a terminal would obey: servers, and what people paste, have a say in messages."""
    return _COMMANDS.sub("\ufffd", text)
