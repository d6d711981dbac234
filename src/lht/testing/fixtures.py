"""The pytest plugin: fixtures that start what a test needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.register_assert_rewrite("lht.testing.suites")

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.testing.simulator import LocalOrg
    from lht.testing.stand_in import StandIn, StandInDatabase


@pytest.fixture
def lht_simulator() -> Iterator[LocalOrg]:
    """Gives a local org of the test's own, with no records, that nobody else can reach."""
    from lht.testing.simulator import simulator  # noqa: PLC0415 - every pytest run loads this plugin

    with simulator() as org:
        yield org


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option that names the stand-in's interpreter."""
    parser.addoption(
        "--lht-stand-in-python",
        metavar="PATH",
        help="the Python that runs the stand-in for Snowflake: fakesnow needs the connector 4, whatever the tests use",
    )


@pytest.fixture(scope="session")
def lht_stand_in(request: pytest.FixtureRequest) -> Iterator[StandIn]:
    """Gives a stand-in for Snowflake, one for all tests of a process; `pip install 'lht[testing]'` brings it."""
    from lht.testing.stand_in import snowflake_stand_in  # noqa: PLC0415

    with snowflake_stand_in(python=request.config.getoption("lht_stand_in_python")) as stand_in:
        yield stand_in


@pytest.fixture
def lht_snowflake(lht_stand_in: StandIn) -> Iterator[StandInDatabase]:
    """Gives an empty database of the test's own on the stand-in: `snowflake.connector.connect(**it.options)`.

    It also tells which statements came (`statements()`), makes some go wrong (`fault()`), and writes an entry for a
    `connections.toml` (`write_connection()`). The first test that asks waits some seconds for the stand-in to start.
    """
    database = lht_stand_in.database()
    yield database
    database.clear_faults()
    database.clear_statements()
    database.drop()
