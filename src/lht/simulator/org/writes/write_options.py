"""What a caller of the record rules may say about one write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How one record is to be written."""

    allow_save: bool = False
    """Whether a duplicate rule that only warns lets the record pass (`Sforce-Duplicate-Rule-Header`)."""
    number: int | None = None
    """The place in the row of ids that was reserved for a new record."""
    transaction: str | None = None
    """The open transaction that writes, which may change what it holds."""
    locker: Callable[[Iterable[str]], None] | None = None
    """Takes the rows that a write locks, the record's own and its parents'; it raises ApiFault where it cannot."""


AS_USUAL = WriteOptions()
