"""The org's time: real unless moved or frozen, and in whole seconds, as every stamp of an org is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

EARLIEST, LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(3999, 12, 31, tzinfo=UTC)
"""Between these the org's windows and lifetimes can be reckoned, and every stamp is one that an org can hold."""


class Clock:
    """Tells the org's time in UTC. Moving it back is allowed: tests do, Salesforce never does.

    Whoever keeps the org sets `on_change`, to write down how far the clock is off and where it stands.
    """

    def __init__(self, offset: timedelta = timedelta(), frozen: datetime | None = None) -> None:
        self._offset = offset
        self._frozen = frozen
        self.on_change: Callable[[timedelta, datetime | None], None] = lambda _offset, _frozen: None

    def now(self) -> datetime:
        """Gives the time, aware, cut to the second."""
        moment = self._frozen or datetime.now(UTC) + self._offset
        return moment.replace(microsecond=0)

    def stamp(self) -> datetime:
        """Gives the time as rows store it: naive, in UTC."""
        return self.now().replace(tzinfo=None)

    def set(self, moment: datetime) -> None:
        """Makes it that time now; the clock goes on from there, or stays there if it is frozen."""
        moment = _checked(moment)
        if self._frozen is not None:
            self._frozen = moment
        self._offset = moment - datetime.now(UTC)
        self._changed()

    def move(self, seconds: float) -> None:
        """Moves the clock forward, or back if negative."""
        try:
            step = timedelta(seconds=seconds)
            _checked(self.now() + step)
        except OverflowError:
            raise ValueError(_BOUNDS) from None
        self._offset += step
        if self._frozen is not None:
            self._frozen += step
        self._changed()

    def freeze(self, moment: datetime | None = None) -> None:
        """Stops the clock, at that time or where it stands."""
        self._frozen = _checked(moment or self.now())
        self._changed()

    def resume(self) -> None:
        """Lets a frozen clock go on from where it stands."""
        if self._frozen is not None:
            moment, self._frozen = self._frozen, None
            self.set(moment)

    def reset(self) -> None:
        """Tells real time again."""
        self._offset, self._frozen = timedelta(), None
        self._changed()

    def _changed(self) -> None:
        self.on_change(self._offset, self._frozen)

    @property
    def is_frozen(self) -> bool:
        return self._frozen is not None


_BOUNDS = f"the clock tells times from {EARLIEST:%Y-%m-%d} to {LATEST:%Y-%m-%d}"


def _checked(moment: datetime) -> datetime:
    """Gives the moment in UTC; raises ValueError for one too far away to reckon with."""
    if not EARLIEST <= moment <= LATEST:
        raise ValueError(_BOUNDS)
    return moment.astimezone(UTC)
