"""What a person watches while a run works: one line for each object, on stderr."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from rich.progress import TaskID

    from lht.cli.screen import Event, Watch

LASTING = frozenset({"warning", "failed"})
"""Events that stay on the screen when the bars have gone."""


@contextmanager
def live_progress() -> Iterator[Watch]:
    """Yields the function that moves the bars; they disappear at the end."""
    console = Console(stderr=True, markup=False, highlight=False, emoji=False)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[told]}", markup=False),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield _Bars(progress)


class _Bars:
    """Moves one bar for each object; called from any thread, as rich's progress may be."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    @contextmanager
    def hidden(self) -> Iterator[None]:
        """Takes the bars away while the block has the screen."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def __call__(self, event: Event) -> None:
        if event.kind in LASTING:
            lead = "Error: " if event.kind == "failed" else "Warning: "
            self._progress.console.print(f"{lead}{event.object}: {event.message}")
            return
        task = self._tasks.get(event.object)
        if task is None:
            task = self._tasks[event.object] = self._progress.add_task(event.object, total=None, told="")
        self._progress.update(task, completed=event.done, total=event.total, told=_told(event))


def _told(event: Event) -> str:
    rows = f"{event.done:,} rows" if event.done else ""
    return "  ".join(part for part in (event.message or event.kind, rows) if part)
