"""Salesforce's record ids: 15 characters that mind letter case, or 18 that do not."""

from __future__ import annotations

import re

_SHORT = re.compile(r"[A-Za-z0-9]{15}")
_LONG = re.compile(r"[A-Za-z0-9]{18}")
_CHECK_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def to_18(record_id: str) -> str:
    """Gives the 18-character form; an 18-character id comes back as it is. Anything else: ValueError.

    Each check letter tells which of five characters are capitals, the first one being the lowest bit.
    """
    if _LONG.fullmatch(record_id):
        return record_id
    if not _SHORT.fullmatch(record_id):
        raise ValueError("a Salesforce id has 15 or 18 letters and digits")
    return record_id + "".join(_check_letter(record_id[start : start + 5]) for start in (0, 5, 10))


def _check_letter(five: str) -> str:
    return _CHECK_LETTERS[sum(1 << place for place, letter in enumerate(five) if "A" <= letter <= "Z")]
