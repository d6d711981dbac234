"""The one place that prints: data to stdout, everything else to stderr."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from lht.cli.answer import Answer, Block, Item, Table, as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from rich.console import Console

    from lht.model.retl import RetlEvent
    from lht.model.sync import SyncEvent

    Event = SyncEvent | RetlEvent

WIDE = 10_000
"""Columns of a stream that no person watches: nothing is wrapped or cut there."""

GAP = 2
"""Spaces between columns."""

MANY_COLUMNS = 6
"""Tables with more columns, if too wide for the terminal, are printed value by value."""


class Watch(Protocol):
    """Takes a run's events; `hidden` keeps the screen clear while the block asks somebody something."""

    def __call__(self, event: Event) -> None: ...

    def hidden(self) -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class Unwatched:
    """Takes events where nothing moves on a screen."""

    tell: Callable[[Event], None]

    def __call__(self, event: Event) -> None:
        self.tell(event)

    def hidden(self) -> AbstractContextManager[None]:
        return nullcontext()


@dataclass(frozen=True, slots=True)
class Screen:
    """How this run talks; every command has the same four options for it."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False
    log_format: str = "text"
    words: tuple[str, ...] = ()
    """The command with its options, as somebody would type it again."""

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
    def progress(self) -> Iterator[Watch]:
        """Shows a run's events while it works: live on a terminal, as log lines elsewhere."""
        if self._is_watched:
            with self.bars() as on_event:
                yield on_event
        else:
            from lht.cli.logs import log_event  # noqa: PLC0415

            yield Unwatched(log_event)

    @contextmanager
    def bars(self) -> Iterator[Watch]:
        """Shows bars on a terminal, and nothing elsewhere."""
        if not self._is_watched:
            yield Unwatched(lambda _event: None)
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
    """Prints texts as they are and tables with borders; rich is loaded only if there is more than text."""
    console: Console | None = None
    for block in blocks:
        if isinstance(block, str):
            stream.write(block + "\n")
            continue
        console = console or make_console(stream)
        stream.flush()
        if isinstance(block, Table):
            _print_table(console, block)
        else:
            _print_item(console, block)


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
    is_long = len(table.headings) > MANY_COLUMNS
    if console.is_terminal and is_long and width(table) > console.width:
        _print_expanded(console, table)
    else:
        _print_grid(console, table)


def _print_expanded(console: Console, table: Table) -> None:
    """One line for each value, as the rows are wider than the terminal."""
    from rich.table import Table as RichTable  # noqa: PLC0415

    for number, row in enumerate(table.rows, start=1):
        console.print(f"--- {number}")
        values = RichTable.grid(padding=(0, GAP, 0, 0))
        values.add_column(min_width=max(len(heading) for heading in table.headings))
        values.add_column(overflow="fold")
        for heading, cell in zip(table.headings, row, strict=True):
            values.add_row(heading, _text(cell))
        with console.capture() as captured:
            console.print(values)
        console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def _print_item(console: Console, item: Item) -> None:
    """Sets every sentence in by the mark, and the rest of a long one as far."""
    from textwrap import wrap  # noqa: PLC0415

    gap = " " * (len(item.mark) + GAP)
    lead = item.mark.ljust(len(gap))
    for sentence in item.sentences:
        for line in wrap(sentence, console.width, initial_indent=lead, subsequent_indent=gap):
            console.file.write(f"{line}\n")
            lead = gap


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
