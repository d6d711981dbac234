"""Signals that end a command: all of them as Ctrl-C does, and a second one at once."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

ENDING = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C, what cron and Airflow send, a terminal that was closed."""


@dataclass(slots=True)
class Interrupts:
    """Raises `KeyboardInterrupt` in the main thread at the first signal, and calls `give_up` at any later one.

    What is on its way is rolled back after the first. Whoever cannot wait for that loses nothing but time, as a run
    may be killed at any moment: but a second exception in the middle of the clean-up would end it in disorder.
    """

    give_up: Callable[[], None]
    seen: bool = False

    def catch(self) -> None:
        """Takes the signals over; those that the parent chose to ignore, as nohup does, stay ignored."""
        for name in ENDING:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        if self.seen:
            self.give_up()
            return
        self.seen = True
        raise KeyboardInterrupt
