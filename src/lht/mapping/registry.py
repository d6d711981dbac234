"""The type mappings that `lht.util.field_types.register_custom_mappings` keeps.

This is the one registry of the process. A run reads it once, into its frozen plan: what is registered while a
run goes on counts from the next run.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from lht.mapping.types import parse_overrides

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.model.table import ColumnType

_lock = Lock()
_registered: dict[str, ColumnType] = {}


def register(mapping: Mapping[str, str]) -> None:
    """Adds mappings to those registered before; a key registered again gets the new type.

    All are checked first: one wrong entry is a ConfigError and registers none.
    """
    parsed = parse_overrides(mapping)
    with _lock:
        _registered.update(parsed)


def registered_mappings() -> dict[str, ColumnType]:
    """Gives a copy of what is registered, keys in lower case."""
    with _lock:
        return dict(_registered)


def clear() -> None:
    """Forgets all that was registered."""
    with _lock:
        _registered.clear()
