"""For the tests of people who build on LHT: a local org, a stand-in for Snowflake, pytest fixtures, contract suites.

`simulator` is the one that most want: `with simulator(records=1000) as org: … org.url …`;
`with snowflake_stand_in() as stand_in: … stand_in.database().options …` is the warehouse for it.
"""

from __future__ import annotations

from lht.testing.simulator import Admin, LocalOrg, simulator
from lht.testing.stand_in import StandIn, StandInDatabase, snowflake_stand_in

__all__ = ["Admin", "LocalOrg", "StandIn", "StandInDatabase", "simulator", "snowflake_stand_in"]
