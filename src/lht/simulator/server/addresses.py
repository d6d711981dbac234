"""Addresses as they were sent: a slash within a value is told from one between two values."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

HELD_SLASH = "\udc2f"
"""Stands for `%2F` while routes are sought; no text that was decoded can hold it."""


def routed(address: str) -> str:
    """Gives the path that routes are sought by, decoded, without a slash at its end.

    External ids may hold slashes, which callers write as `%2F`. A second slash before it all comes from an instance
    address that ends in one, as Salesforce's own tools send it.
    """
    path = "/".join(unquote(part).replace("/", HELD_SLASH) for part in address.split("/")).rstrip("/")
    return re.sub("^/+", "/", path) or "/"


def plain(path: str) -> str:
    """Gives a routed path as people read it."""
    return path.replace(HELD_SLASH, "/")


def values(found: Mapping[str, Any]) -> dict[str, Any]:
    """Gives the values of a routed path as they were meant."""
    return {name: plain(value) for name, value in found.items()}
