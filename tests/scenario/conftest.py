from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
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


@pytest.fixture
def world(local_org: LocalOrg, tmp_path: Path) -> Iterator[World]:
    local_org.admin.reset()
    local_org.admin.clear_requests()
    opened = open_world(local_org, tmp_path / "spool")
    yield opened
    opened.org.close()
    opened.connection.close()


@pytest.fixture(scope="module")
def large_org() -> Iterator[LocalOrg]:
    with simulator(records=ROWS, seed=3, token_lifetime_s=1e9) as org:
        yield org


@pytest.fixture
def bulk_world(large_org: LocalOrg, tmp_path: Path) -> Iterator[World]:
    """An org so large that a Bulk job is used."""
    large_org.admin.reset()
    large_org.admin.clear_requests()
    opened = open_world(large_org, tmp_path / "spool")
    yield opened
    opened.org.close()
    opened.connection.close()
