"""For the tests of people who build on LHT: a local org, a stand-in for Snowflake, pytest fixtures, contract suites.

`simulator` is the one that most want: `with simulator(records=1000) as org: … org.url …`;
`with snowflake_stand_in() as stand_in: … stand_in.database().options …` is the warehouse for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.testing.simulator import Admin, LocalOrg, simulator

if TYPE_CHECKING:
    from lht.testing.stand_in import StandIn, StandInDatabase, snowflake_stand_in

__all__ = ["Admin", "LocalOrg", "StandIn", "StandInDatabase", "simulator", "snowflake_stand_in"]


def __getattr__(name: str) -> object:
    """Loads the stand-in when it is first asked for: its module is also a program, which this package may not load."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from lht.testing import stand_in  # noqa: PLC0415

    return getattr(stand_in, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
