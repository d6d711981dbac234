"""The contract of `lht.warehouse.port.Warehouse`, whole."""

from __future__ import annotations

from lht.testing.suites.merges import MergesSuite
from lht.testing.suites.shapes import ShapesSuite
from lht.testing.suites.transactions import TransactionsSuite
from lht.testing.suites.values import ValuesSuite


class WarehouseSuite(ShapesSuite, ValuesSuite, TransactionsSuite, MergesSuite):
    """Every test of the port; the module that takes it gives a fixture `warehouse`, empty and of the test's own."""
