"""How many records one page of a REST query holds: what was asked for, or fewer where records are large."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.simulator.soql.compiled import Compiled, Selected

LEAST, MOST = 200, 2_000
MANY_COLUMNS = 100
"""Records of up to so many values fill a page of the full size; wider ones share the same number of values."""
_LONGEST_SHORT_TEXT = 255
_LONG_TEXTS = 2


def page_size(compiled: Compiled, asked: int) -> int:
    """Gives the size of the pages of a query whose caller asked for a size, which is only a hint."""
    if sum(map(_is_long, compiled.columns)) >= _LONG_TEXTS:
        return min(asked, LEAST)
    fitting = MOST * MANY_COLUMNS // max(len(compiled.columns), 1)
    return min(asked, max(fitting, LEAST))


def _is_long(column: Selected) -> bool:
    field = column.field
    return (
        field is not None and field.custom and field.type == "textarea" and field.length > _LONGEST_SHORT_TEXT
    )
