"""Words that messages share. Pure."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """Tells a number of things: `1 row`, `1,500 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
