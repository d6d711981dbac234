"""The nearest known names, for errors about unknown ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(name: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """A hint: the nearest names, or else all of them, or else `otherwise`."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    if hint := nearest(name, by_lower.values()):
        return hint
    verb = "is" if len(by_lower) == 1 else "are"
    return f"There {verb} {', '.join(sorted(by_lower.values()))}." if by_lower else otherwise


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint with the nearest names, empty where none is near: for lists that are too long to show."""
    import difflib  # noqa: PLC0415  # only errors need it

    by_lower = {candidate.lower(): candidate for candidate in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.6)
    return f"Did you mean {' or '.join(repr(by_lower[match]) for match in close)}?" if close else ""
