"""One small org for a test, closed after it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lht.simulator.org.org import Org

if TYPE_CHECKING:
    from collections.abc import Iterator

BESIDE = Path(__file__).parents[4] / "shared" / "describes"
RECORDINGS = Path(os.environ.get("LHT_RECORDED_DESCRIBES") or BESIDE)
"""Where the recordings are: not in this repository, but perhaps beside it."""

# The recordings are not part of the project: where they are not at hand there is nothing to compare with.
collect_ignore = [] if RECORDINGS.is_dir() else ["test_recorded_describes.py"]


@pytest.fixture
def org() -> Iterator[Org]:
    """An org without seeded records, whose clock stands still."""
    org = Org.open()
    org.clock.freeze(datetime(2024, 5, 1, 10, 20, 30, tzinfo=UTC))
    yield org
    org.close()


@pytest.fixture(scope="session")
def seeded() -> Iterator[Org]:
    """An org with seeded records, for tests that only read."""
    org = Org.open(records=400, seed=7)
    yield org
    org.close()
