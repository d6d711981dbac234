"""Reads and writes what reverse ETL remembers: intents, parts, the outbox, results, images, what was pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.warehouse.port import Warehouse


class RetlState:
    """LHT's tables for runs that write to Salesforce, through one connection."""

    def __init__(self, warehouse: Warehouse, *, schema: str | None = None) -> None:
        self._warehouse = warehouse
        self._schema = schema
