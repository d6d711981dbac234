from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from world import World, open_world

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
