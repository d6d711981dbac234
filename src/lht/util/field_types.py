"""Type mappings of one's own: which column type a field gets when a table is created or synced."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.mapping import registry

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["clear_custom_mappings", "register_custom_mappings"]


def register_custom_mappings(mapping: Mapping[str, str]) -> None:
    """Registers column types by field, for this process: `{"Field__c": "string(255)", "Object.Field__c": "float"}`.

    Types are string(n), varchar(n), number(p,s), float, boolean, date, timestamp, time or variant, in any letter
    case. Anything else is a ConfigError, and then none of the mapping is registered. Calls add up.
    """
    registry.register(mapping)


def clear_custom_mappings() -> None:
    """Forgets every mapping registered before."""
    registry.clear()
