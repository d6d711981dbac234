"""The versions of the API that there are."""

from __future__ import annotations

OLDEST, NEWEST = 40, 66
VERSION = f"v{NEWEST}.0"
"""The newest, as addresses spell it: what is used where a caller names none."""
