from __future__ import annotations

from datetime import UTC, datetime, timedelta

from lht.simulator.org.clock import Clock

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)


def test_the_clock_tells_real_time_in_whole_seconds() -> None:
    now = Clock().now()

    assert now.microsecond == 0
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)


def test_a_frozen_clock_stands_still_until_it_is_moved() -> None:
    clock = Clock()
    clock.freeze(NOON)
    clock.move(90)

    assert clock.now() == NOON + timedelta(seconds=90)
    assert clock.stamp() == datetime(2024, 5, 1, 12, 1, 30)  # noqa: DTZ001 - rows hold naive stamps


def test_a_clock_that_is_resumed_goes_on_from_where_it_stood() -> None:
    clock = Clock()
    clock.freeze(NOON)
    clock.resume()

    assert not clock.is_frozen
    assert NOON <= clock.now() < NOON + timedelta(seconds=5)


def test_a_clock_can_be_set_back_and_reset() -> None:
    clock = Clock()
    clock.set(NOON)
    assert clock.now() - NOON < timedelta(seconds=5)
    clock.reset()

    assert abs(datetime.now(UTC) - clock.now()) < timedelta(seconds=5)
