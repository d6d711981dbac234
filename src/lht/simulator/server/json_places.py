"""Values of a JSON body that their fields cannot be read from: refused with the place where they stand. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from lht.simulator.errors import ApiFault, WrongType

if TYPE_CHECKING:
    from collections.abc import Iterator

Path: TypeAlias = tuple[str | int, ...]
_SPACE = " \t\n\r"
_WORDS = {"t": "VALUE_TRUE", "f": "VALUE_FALSE", "n": "VALUE_NULL"}
_DECODER = json.JSONDecoder()


class Spot(NamedTuple):
    """One value of a body: the names and numbers that lead to it, where it begins, and its end if that is known."""

    path: Path
    at: int
    end: int


def as_parser_says(fault: ApiFault, body: bytes, within: Path = ()) -> ApiFault:
    """Gives the refusal of a JSON body for a value of the wrong type; any other refusal stays as it is.

    A real org reads values while it parses, so that these are errors of the parser. `within` leads to the record.
    """
    if not isinstance(fault, WrongType):
        return fault
    text = body.decode("utf-8-sig", "replace")
    for spot in _spots(text, 0, ()):
        named = len(spot.path) > len(within) and spot.path[: len(within)] == within
        if named and str(spot.path[-1]).lower() == fault.name.lower() and _holds(text, spot, fault.value):
            message = f"Cannot deserialize instance of {fault.field_type} from {_token(text, spot)}"
            return ApiFault(400, "JSON_PARSER_ERROR", message)
    return fault


def _holds(text: str, spot: Spot, value: object) -> bool:
    found, _ = _DECODER.raw_decode(text, spot.at)
    return type(found) is type(value) and found == value


def _token(text: str, spot: Spot) -> str:
    """Writes the kind and text of a token and its place, by the spelling that was recorded for each kind."""
    line = text.count("\n", 0, spot.at) + 1
    place = f"[line:{line}, column:{spot.at - text.rfind(chr(10), 0, spot.at)}]"
    first, also = text[spot.at], "or request may be missing a required field at"
    if first == "[":
        return f"START_ARRAY value {place}"
    if first == "{":
        return f"START_OBJECT value {{ {also} {place}"
    if first == '"':
        return f"VALUE_STRING value {_DECODER.raw_decode(text, spot.at)[0]} {also} {place}"
    raw = text[spot.at : spot.end]
    kind = _WORDS.get(first) or ("VALUE_NUMBER_INT" if raw.lstrip("-").isdigit() else "VALUE_NUMBER_FLOAT")
    return f"{kind} value {raw} {also} {place}"


def _spots(text: str, at: int, path: Path) -> Iterator[Spot]:
    """Gives every value of a JSON text that is known to be good, in order; the last is the whole."""
    at = _skip(text, at)
    if text[at] not in "{[":
        yield Spot(path, at, _DECODER.raw_decode(text, at)[1])
        return
    end, place = _skip(text, at + 1), 0
    while text[end] not in "}]":
        key: str | int = place
        if text[at] == "{":
            key, end = _DECODER.raw_decode(text, end)
            end = _skip(text, end) + 1
        for spot in _spots(text, end, (*path, key)):
            yield spot
            end = spot.end
        end, place = _skip(text, end), place + 1
        if text[end] == ",":
            end = _skip(text, end + 1)
    yield Spot(path, at, end + 1)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACE:
        at += 1
    return at
