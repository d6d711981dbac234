"""`@{name.field[0].part}`: what an earlier answer said, put into a later request. Pure."""

from __future__ import annotations

import re
import urllib.parse
from typing import TYPE_CHECKING, Any

from lht.simulator.errors import ApiFault

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.simulator.server.subrequests import Answer

NULLS_SINCE = 52
"""From this version on a reference to a field without a value is that: nothing."""
_REFERENCE = re.compile(r"@\{([^{}]*)\}")
_STEP = re.compile(r"\.([^.\[\]]+)|\[(\d{1,9})\]")
_NAME = re.compile(r"[^.\[(]*")
_MISSING = object()


class References:
    """The answers so far, by the name of their request."""

    def __init__(self, answers: Mapping[str, Answer], version: float) -> None:
        self._answers = answers
        self._version = version

    def in_address(self, url: str) -> str:
        """Gives an address with every reference replaced; raises ApiFault 400 for one that leads nowhere."""
        return _REFERENCE.sub(lambda found: urllib.parse.quote(_text(self._value(found[1])), safe=""), url)

    def in_body(self, value: object) -> object:
        """Gives a body with every reference replaced; one that is a whole text keeps its kind of value."""
        if isinstance(value, dict):
            return {name: self.in_body(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self.in_body(part) for part in value]
        if not isinstance(value, str):
            return value
        if whole := _REFERENCE.fullmatch(value):
            return self._value(whole[1])
        return _REFERENCE.sub(lambda found: _text(self._value(found[1])), value)

    def _value(self, reference: str) -> Any:
        name = _NAME.match(reference)
        start = name[0] if name else ""
        answer = self._answers.get(start)
        found = _MISSING if answer is None else _walk(answer.body, reference.removeprefix(start))
        null_is_missing = self._version < NULLS_SINCE
        if found is _MISSING or isinstance(found, (dict, list)) or (found is None and null_is_missing):
            message = f"Invalid reference specified. No value for {reference} found in {start}"
            raise ApiFault(400, "PROCESSING_HALTED", message)
        return found


def _walk(value: Any, steps: str) -> Any:
    place = 0
    while place < len(steps):
        step = _STEP.match(steps, place)
        if step is None:
            return _MISSING
        value = _step(value, step[1], step[2])
        place = step.end()
    return value


def _step(value: Any, name: str | None, number: str | None) -> Any:
    if number is not None:
        return value[int(number)] if isinstance(value, list) and int(number) < len(value) else _MISSING
    return value.get(name, _MISSING) if isinstance(value, dict) else _MISSING


def _text(value: object) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
