"""For the tests of people who build on LHT: a local org, pytest fixtures, contract suites.

`simulator` is the one that most want: `with simulator(records=1000) as org: … org.url …`.
"""

from __future__ import annotations

from lht.testing.simulator import Admin, LocalOrg, simulator

__all__ = ["Admin", "LocalOrg", "simulator"]
