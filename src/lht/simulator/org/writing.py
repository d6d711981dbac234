"""What a caller of the record rules may say about one write."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How one record is to be written; the request's headers say so."""

    allow_save: bool = False
    """Whether a duplicate rule that only warns lets the record pass (`Sforce-Duplicate-Rule-Header`)."""


AS_USUAL = WriteOptions()
