"""What holds for all tests: those that need a real Snowflake account run only where one is named."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    import pytest

# Snowpark and fakesnow have no version yet for the connector's newest generation, which run_checks.sh tests as well.
# The stand-in then runs on another Python; what needs one of the two, or names of the older connector, is left out.
collect_ignore = (
    [
        "contract/test_snowflake_sessions.py",
        "contract/test_stand_in.py",
        "contract/test_stand_in_speed.py",
        "contract/test_warehouse_snowflake.py",
        "unit/warehouse/test_snowflake_failures.py",
        "unit/warehouse/test_snowflake_patience.py",
    ]
    if int(version("snowflake-connector-python").partition(".")[0]) > 4
    else []
)
# How long an example takes tells how busy the machine is, and nothing of what is tested.
settings.register_profile("lht", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("lht")

ACCOUNT = "LHT_TEST_SNOWFLAKE_CONNECTION"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get(ACCOUNT):
        return
    away = [item for item in items if item.get_closest_marker("snowflake")]
    if away:
        config.hook.pytest_deselected(items=away)
        items[:] = [item for item in items if item not in away]
