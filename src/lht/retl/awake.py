"""Notices that a run's process was asleep, as on a laptop that was closed: another may have taken its run over."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lht.retl.run import RetlRun

LONGEST: Final = timedelta(seconds=30)
"""A lock is replaced after three times as long a silence, so what goes on within it needs no look at the lock."""


class Awake:
    """To be asked before each call that writes: nothing else stops one that was recorded as under way."""

    def __init__(self, run: RetlRun) -> None:
        self._run = run
        self._last = run.now()

    def check(self) -> None:
        """Raises RunLockedError if this process slept, and another has its run now."""
        now = self._run.now()
        if now - self._last > LONGEST:
            self._run.state.check_held()
        self._last = now
