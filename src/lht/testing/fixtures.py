"""The pytest plugin: fixtures that start what a test needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.testing.simulator import LocalOrg


@pytest.fixture
def lht_simulator() -> Iterator[LocalOrg]:
    """Gives a local org of the test's own, with no records, that nobody else can reach."""
    from lht.testing.simulator import simulator  # noqa: PLC0415 - every pytest run loads this plugin

    with simulator() as org:
        yield org
