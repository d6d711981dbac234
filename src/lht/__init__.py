"""LHT keeps a Salesforce org and a data warehouse in step, both ways.

The names below load what they need when they are first used: importing `lht` loads no driver.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.app.api import (
        connect_org,
        connect_warehouse,
        retl_delete,
        retl_insert,
        retl_plan,
        retl_plan_retry,
        retl_plan_undo,
        retl_retry,
        retl_undo,
        retl_update,
        retl_upsert,
        sync_objects,
    )
    from lht.errors import LhtError

__version__ = "4.0.0"

__all__ = [
    "LhtError",
    "__version__",
    "connect_org",
    "connect_warehouse",
    "retl_delete",
    "retl_insert",
    "retl_plan",
    "retl_plan_retry",
    "retl_plan_undo",
    "retl_retry",
    "retl_undo",
    "retl_update",
    "retl_upsert",
    "sync_objects",
]

_HOMES = {name: "lht.app.api" for name in __all__ if name != "__version__"} | {"LhtError": "lht.errors"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'lht' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
