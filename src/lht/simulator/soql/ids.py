"""The two spellings of a record id, as SOQL literals meet them."""

from __future__ import annotations

import re

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID = re.compile(r"[0-9A-Za-z]{15}([A-Za-z0-5]{3})?", re.ASCII)


def eighteen(text: str) -> str | None:
    """Gives the 18-character form, or None if the text is no id.

    An 18-character id counts in any letter case: its suffix says which of its letters are capitals.
    """
    if not _ID.fullmatch(text):
        return None
    if len(text) == 15:  # noqa: PLR2004 - the case-sensitive form
        return text + _suffix(text)
    suffix = text[15:].upper()
    capitals = "".join(f"{_ALPHABET.index(c):05b}"[::-1] for c in suffix)
    body = "".join(c.upper() if bit == "1" else c.lower() for c, bit in zip(text, capitals, strict=False))
    return body + suffix if _suffix(body) == suffix else None


def _suffix(body: str) -> str:
    groups = (body[0:5], body[5:10], body[10:15])
    return "".join(_ALPHABET[sum(1 << i for i, c in enumerate(g) if "A" <= c <= "Z")] for g in groups)
