"""Salesforce's SOQL error answers, with the block that points at the place."""

from __future__ import annotations

from lht.simulator.errors import ApiFault

_BEFORE, _AFTER = 32, 40


def fault(code: str, message: str, text: str = "", at: int = -1) -> ApiFault:
    """Gives an error answer; with a place, the message begins with snippet, caret, row and column."""
    return ApiFault(400, code, (_block(text, at) if text and at >= 0 else "") + message)


def malformed(message: str, text: str = "", at: int = -1) -> ApiFault:
    """The answer to a query that is not SOQL, or not allowed as it stands."""
    return fault("MALFORMED_QUERY", message, text, at)


def too_complicated() -> ApiFault:
    """The answer to conditions nested deeper than anybody means them."""
    message = "Query is either selecting too many fields or the filter conditions are too complicated."
    return ApiFault(400, "QUERY_TOO_COMPLICATED", message)


def _block(text: str, at: int) -> str:
    row = text.count("\n", 0, at) + 1
    begin = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at) if "\n" in text[at:] else len(text)
    first = begin if at - begin <= _BEFORE else _word_start(text, at - _BEFORE, at)
    last = end if end - at <= _AFTER else _word_end(text, at + _AFTER, end)
    return f"\n{text[first:last]}\n{' ' * (at - first)}^\nERROR at Row:{row}:Column:{at - begin + 1}\n"


def _word_start(text: str, position: int, limit: int) -> int:
    """Long queries are shown from the first whole word near the place."""
    while position < limit and (text[position - 1] not in " ,(" or text[position] == " "):
        position += 1
    return position


def _word_end(text: str, position: int, limit: int) -> int:
    while position < limit and text[position] not in " ,)":
        position += 1
    return position
