"""The contract suite of warehouses on Snowflake: the real connector, and the stand-in at its other end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.testing.suites.warehouse import WarehouseSuite
from lht.warehouse.snowflake.connect import open_snowflake

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.testing import StandInDatabase
    from lht.warehouse.port import Warehouse


@pytest.fixture
def warehouse(lht_snowflake: StandInDatabase, tmp_path: Path) -> Iterator[Warehouse]:
    opened = open_snowflake(lht_snowflake.options, name="stand-in", work_dir=tmp_path)
    yield opened
    opened.close()


class TestSnowflake(WarehouseSuite):
    pass
