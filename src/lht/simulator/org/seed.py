"""Plausible records."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from lht.simulator.org.catalog import Catalog


def seed_records(connection: DuckDBPyConnection, catalog: Catalog, records: int, seed: int) -> None:
    """Adds that many accounts."""
