"""What holds for all tests: those that need a real Snowflake account run only where one is named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

ACCOUNT = "LHT_TEST_SNOWFLAKE_CONNECTION"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get(ACCOUNT):
        return
    away = [item for item in items if item.get_closest_marker("snowflake")]
    if away:
        config.hook.pytest_deselected(items=away)
        items[:] = [item for item in items if item not in away]
