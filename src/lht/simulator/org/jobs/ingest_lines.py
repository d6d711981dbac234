"""How the rows of an ingest job's result files are written: its own values again, and what became of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from lht.simulator.errors import ApiFault, ManyFound
from lht.simulator.org.jobs.ingest_csv import BadRow, Record
from lht.simulator.store.csv_form import DELIMITERS, LINE_ENDINGS, NUMBERS, CsvForm
from lht.simulator.store.uploads import FAILED, SUCCEEDED, UNPROCESSED

if TYPE_CHECKING:
    from lht.simulator.org.jobs.ingest_header import Column
    from lht.simulator.org.writes.collections import Outcome

Rewrite: TypeAlias = Callable[[str], str]
ADDED = {SUCCEEDED: ("sf__Id", "sf__Created"), FAILED: ("sf__Id", "sf__Error"), UNPROCESSED: ()}
"""The columns that stand before the job's own."""
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
PLAIN_FROM, PLAIN_UNDER = 1e-3, 1e7


def header_line(kind: str, header: str, form: CsvForm) -> bytes:
    """Writes the header of a result file: the job's own names stand as they were sent."""
    names = [f'"{name}"' for name in ADDED[kind]] + ([header] if header else [])
    return (DELIMITERS[form.delimiter].join(names) + LINE_ENDINGS[form.line_ending]).encode(
        "utf-8", "replace"
    )


@dataclass(frozen=True, slots=True)
class LineWriter:
    """Writes rows of one job's result files."""

    form: CsvForm
    rewrites: Sequence[Rewrite | None]

    @classmethod
    def of(cls, columns: Sequence[Column], form: CsvForm) -> LineWriter:
        """Gives the writer for those columns: numbers come back in another spelling than they were sent in."""
        return cls(form, [java_number if column.kind in NUMBERS else None for column in columns])

    @classmethod
    def plain(cls, width: int, form: CsvForm) -> LineWriter:
        """Gives the writer for columns of which nothing is known."""
        return cls(form, [None] * width)

    def outcome(self, record: Record, outcome: Outcome) -> str:
        """Writes the row of a record that was tried."""
        if isinstance(outcome, ApiFault):
            return self._line(["", sf_error(outcome), *self._own(record)])
        return self._line([outcome.id, "true" if outcome.created else "false", *self._own(record)])

    def untried(self, record: Record) -> str:
        """Writes the row of a record that nobody came to."""
        return self._line(["" for _ in self.rewrites] if isinstance(record, BadRow) else record)

    def _own(self, record: Record) -> Sequence[str]:
        if isinstance(record, BadRow):
            return [""] * len(self.rewrites)
        return [
            text if rewrite is None else rewrite(text)
            for text, rewrite in zip(record, self.rewrites, strict=True)
        ]

    def _line(self, cells: Sequence[str]) -> str:
        between = self.form.separator
        body = between.join(cells)
        if body.count('"') > 2 * max(len(cells) - 1, 0):
            body = between.join(cell.replace('"', '""') for cell in cells)
        return f'"{body}{self.form.end}'


def sf_error(fault: ApiFault) -> str:
    """Writes why a record was refused: code, message, fields."""
    said = fault.of_row() if isinstance(fault, ManyFound) else fault
    fields = ",".join(said.fields or ())
    return f"{said.code}:{said.message}:{fields} --" if fields else f"{said.code}:{said.message}:--"


def java_number(text: str) -> str:
    """Gives a number as Java's Double.toString spells it; what is none stays as it is."""
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    if number == 0:
        return "-0.0" if text.startswith("-") else "0.0"
    if PLAIN_FROM <= abs(number) < PLAIN_UNDER:
        return format(Decimal(repr(number)), "f")
    sign, digits, exponent = Decimal(repr(number)).as_tuple()
    if not isinstance(exponent, int):
        return text
    shown = "".join(map(str, digits))
    power = exponent + len(shown) - 1
    return f"{'-' if sign else ''}{shown[0]}.{shown[1:].rstrip('0') or '0'}E{power}"
