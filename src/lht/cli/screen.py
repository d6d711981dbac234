"""The one place that prints: data to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TextIO

from lht.cli.answer import Answer, Block, Table, as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from rich.console import Console

    from lht.model.sync import SyncEvent

WIDE = 10_000
"""Columns of a stream that no person watches: nothing is wrapped or cut there."""

GAP = 2
"""Spaces between columns."""

MANY_COLUMNS = 6
"""Tables with more columns, if too wide for the terminal, are printed value by value."""


@dataclass(frozen=True, slots=True)
class Screen:
    """How this run talks; every command has the same four options for it."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    log_format: str = "text"

    def logging(self) -> AbstractContextManager[None]:
        """Sends LHT's log to stderr while the block runs: warnings, with `-v` everything, with `-q` errors only."""
        from lht.cli.logs import logging_to  # noqa: PLC0415 - `lht --help` logs nothing

        return logging_to(self)

    def show(self, answer: Answer) -> None:
        """Writes a command's answer; nothing else writes to stdout."""
        if answer.raw is not None:
            sys.stdout.write(answer.raw)
        elif self.as_json:
            write_json(answer.document)
        else:
            print_blocks(answer.blocks, sys.stdout)
        for note in answer.notes:
            self.note(note)
        sys.stdout.flush()

    def note(self, text: str) -> None:
        """Tells people something that is not data."""
        if text and not self.quiet and not self.as_json:
            sys.stderr.write(text + "\n")

    @contextmanager
    def progress(self) -> Iterator[Callable[[SyncEvent], None]]:
        """Shows a run's events while it works: live on a terminal, as log lines elsewhere."""
        if self._is_watched:
            with self.bars() as on_event:
                yield on_event
        else:
            from lht.cli.logs import log_event  # noqa: PLC0415

            yield log_event

    @contextmanager
    def bars(self) -> Iterator[Callable[[SyncEvent], None]]:
        """Shows bars on a terminal, and nothing elsewhere."""
        if not self._is_watched:
            yield lambda _event: None
            return
        from lht.cli.progress import live_progress  # noqa: PLC0415 - brings rich

        with live_progress() as on_event:
            yield on_event

    @property
    def _is_watched(self) -> bool:
        plain = self.quiet or self.as_json or self.log_format == "json"
        return not plain and sys.stderr.isatty()


def write_json(value: Any) -> None:
    """Writes one JSON document and a line end."""
    sys.stdout.write(as_json(value))


def print_blocks(blocks: Sequence[Block], stream: TextIO) -> None:
    """Prints texts as they are and tables with borders; rich is loaded only if there is a table."""
    console: Console | None = None
    for block in blocks:
        if isinstance(block, Table):
            console = console or make_console(stream)
            stream.flush()
            _print_table(console, block)
        else:
            stream.write(block + "\n")


def make_console(stream: TextIO) -> Console:
    """Makes a console that never interprets data as markup, and wraps only on a terminal."""
    from rich.console import Console  # noqa: PLC0415 - only who prints a table pays for it

    width = None if stream.isatty() else WIDE
    return Console(file=stream, width=width, markup=False, highlight=False, emoji=False, soft_wrap=False)


def _print_table(console: Console, table: Table) -> None:
    from rich.cells import cell_len  # noqa: PLC0415

    def width(candidate: Table) -> int:
        columns = zip(candidate.headings, *candidate.rows, strict=True)
        widths: list[int] = [max(cell_len(_text(cell)) for cell in column) for column in columns]
        return sum(widths) + GAP * (len(widths) - 1)

    for heading in table.optional:
        if width(table) > console.width:
            table = table.without(heading)
    if console.is_terminal and len(table.headings) > MANY_COLUMNS and width(table) > console.width:
        _print_expanded(console, table)
    else:
        _print_grid(console, table)


def _print_expanded(console: Console, table: Table) -> None:
    """One line for each value, as the rows are wider than the terminal."""
    widest = max(len(heading) for heading in table.headings)
    for number, row in enumerate(table.rows, start=1):
        console.print(f"--- {number}")
        for heading, cell in zip(table.headings, row, strict=True):
            console.print(f"{heading:<{widest}}  {_text(cell)}")


def _print_grid(console: Console, table: Table) -> None:
    from rich import box  # noqa: PLC0415
    from rich.table import Table as RichTable  # noqa: PLC0415

    grid = RichTable(
        title=table.title or None,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, GAP - 1, 0, 0),
    )
    for heading in table.headings:
        flush = "right" if heading in table.numeric else "left"
        grid.add_column(heading, justify=flush, overflow="fold")  # type: ignore[arg-type]  # one of rich's words
    for row in table.rows:
        grid.add_row(*map(_text, row))
    if console.is_terminal:
        console.print(grid)
        return
    with console.capture() as captured:
        console.print(grid)
    console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def _text(cell: object) -> str:
    return "" if cell is None else str(cell)


def silence_stdout() -> None:
    """Keeps Python from complaining at exit that the reader of a pipe has left."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
