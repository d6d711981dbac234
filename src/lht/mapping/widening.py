"""What an existing column must become to hold a field as it is now."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from lht.model.table import ColumnKind

if TYPE_CHECKING:
    from lht.model.table import Capabilities, ColumnType

SALESFORCE_DIGITS: Final = 18
"""Salesforce declares no number with more digits."""


class Change(StrEnum):
    """What has to be done to the column.

    `same`: nothing, it holds every value; `alter`: ALTER TABLE is enough; `exchange`: a new column is filled and
    takes the old one's name; `incompatible`: values would change or be lost.
    """

    SAME = "same"
    ALTER = "alter"
    EXCHANGE = "exchange"
    INCOMPATIBLE = "incompatible"


_WIDER_KINDS: Final = frozenset(
    {
        (ColumnKind.DATE, ColumnKind.TIMESTAMP),
        (ColumnKind.INTEGER, ColumnKind.FLOAT),
        (ColumnKind.DECIMAL, ColumnKind.FLOAT),
        (ColumnKind.TEXT, ColumnKind.VARIANT),
    }
)
_NUMBER_KINDS: Final = frozenset({ColumnKind.INTEGER, ColumnKind.DECIMAL})


def compare(old: ColumnType, new: ColumnType, capabilities: Capabilities) -> Change:
    """Tells how a column of type `old` comes to hold values of type `new`; a column is never made narrower."""
    if {old.kind, new.kind} <= _NUMBER_KINDS:
        return _compare_numbers(old, new, capabilities)
    if old.kind is new.kind:
        return _compare_lengths(old, new, capabilities) if old.kind is ColumnKind.TEXT else Change.SAME
    if old.kind is ColumnKind.FLOAT and new.kind in _NUMBER_KINDS:
        return Change.SAME  # Salesforce keeps every number as a double, so a double holds it unchanged
    if new.kind is ColumnKind.TEXT or (old.kind, new.kind) in _WIDER_KINDS:
        return Change.EXCHANGE
    return Change.INCOMPATIBLE


def _compare_lengths(old: ColumnType, new: ColumnType, capabilities: Capabilities) -> Change:
    holds_all = old.length is None or (new.length is not None and new.length <= old.length)
    if holds_all or not capabilities.has_text_length:
        return Change.SAME
    return Change.ALTER if capabilities.widens_text else Change.EXCHANGE


def _compare_numbers(old: ColumnType, new: ColumnType, capabilities: Capabilities) -> Change:
    old_precision, old_scale = _digits(old)
    new_precision, new_scale = _digits(new)
    if new_scale > old_scale:
        return Change.EXCHANGE
    if new_scale == old_scale:
        if new_precision <= old_precision:
            return Change.SAME
        return Change.ALTER if capabilities.widens_precision else Change.EXCHANGE
    needed = min(new_precision - new_scale, SALESFORCE_DIGITS)
    return Change.SAME if old_precision - old_scale >= needed else Change.INCOMPATIBLE


def _digits(number: ColumnType) -> tuple[int, int]:
    """Gives precision and scale; an INTEGER has 38 digits."""
    return number.precision or 38, number.scale or 0
