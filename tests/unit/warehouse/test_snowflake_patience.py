"""How long a Snowflake that does not answer is waited for, and what people hear of it meanwhile."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from lht.warehouse.snowflake.parameters import MOST_TRIES, patience

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest


def test_a_snowflake_that_stays_silent_is_told_before_minutes_have_passed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    waits: Iterator[int] = patience()

    first = list(islice(waits, 3))
    told_at_once = list(caplog.messages)
    rest = list(islice(waits, MOST_TRIES - 3))

    assert (sum(first), told_at_once) == (7, [])
    assert caplog.messages == ["Snowflake does not answer; trying again for up to five minutes"]
    assert 240 < sum(first) + sum(rest) < 300
