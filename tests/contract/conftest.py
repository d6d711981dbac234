"""Local orgs with a caller that is logged in to each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.testing import LocalOrg, simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def api(lht_simulator: LocalOrg) -> Caller:
    """A caller of an empty org of the test's own."""
    return Caller(lht_simulator).login()


@pytest.fixture(scope="module")
def seeded() -> Iterator[Caller]:
    """A caller of an org with records that no test changes."""
    with simulator(records=60, seed=7, page_size=25) as org:
        yield Caller(org).login()
