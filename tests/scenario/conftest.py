from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lakes import DuckDBLake, Lake, SnowflakeLake
from world import ROWS, World, open_world

from lht.testing import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.testing.simulator import LocalOrg


@pytest.fixture(scope="module")
def local_org() -> Iterator[LocalOrg]:
    with simulator(records=0, seed=7, token_lifetime_s=1e9) as org:
        yield org


@pytest.fixture(params=["duckdb", "snowflake"])
def scenario_lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """An empty warehouse; the world closes it."""
    if request.param == "duckdb":
        return DuckDBLake()
    return SnowflakeLake(request.getfixturevalue("lht_snowflake"), tmp_path / "parts")


@pytest.fixture
def world(local_org: LocalOrg, tmp_path: Path, scenario_lake: Lake) -> Iterator[World]:
    local_org.admin.reset()
    local_org.admin.clear_requests()
    opened = open_world(local_org, tmp_path / "spool", scenario_lake)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def large_org() -> Iterator[LocalOrg]:
    with simulator(records=ROWS, seed=3, token_lifetime_s=1e9) as org:
        yield org


@pytest.fixture
def bulk_world(large_org: LocalOrg, tmp_path: Path, scenario_lake: Lake) -> Iterator[World]:
    """An org so large that a Bulk job is used."""
    large_org.admin.reset()
    large_org.admin.clear_requests()
    opened = open_world(large_org, tmp_path / "spool", scenario_lake)
    yield opened
    opened.close()
