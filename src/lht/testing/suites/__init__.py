"""Contract suites: tests that any adapter of a port must pass, to be collected from the adapter's own test module.

An adapter's test module gives a fixture `warehouse`, empty and of the test's own, and takes the suite:

    from lht.testing.suites.warehouse import WarehouseSuite

    class TestMine(WarehouseSuite):
        pass
"""
