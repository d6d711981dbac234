"""What may be asked of a new table, checked before anything is done, and compared with what a table has. Pure.

The limits are Snowflake's: 0 to 90 days of Time Travel, 0 or 1 for a transient table
(https://docs.snowflake.com/en/user-guide/data-time-travel).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lht.errors import CapabilityMissingError, ConfigError
from lht.mapping.names import nearest
from lht.model.table import NO_OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lht.model.table import Capabilities, Column, TableName, TableOptions

LONGEST_RETENTION: Final = 90
LONGEST_TRANSIENT: Final = 1
EXAMPLE: Final = "Write it as Snowflake does: --cluster_by '(CREATEDDATE, OWNERID)'."

_QUOTED: Final = re.compile(r"'(?:[^'\\]|''|\\.)*'|\"(?:[^\"]|\"\")+\"", re.DOTALL)
_IDENTIFIER: Final = re.compile(r'[A-Za-z_][\w$]*|"(?:[^"]|"")+"', re.ASCII)
_FORBIDDEN: Final = re.compile(r";|--|//|/\*|['\"]")


def check_options(
    options: TableOptions, columns: Sequence[Column], table: TableName, capabilities: Capabilities
) -> None:
    """Raises if the warehouse has no such options, or one of them is wrong."""
    check_capability(options, capabilities)
    _check_retention(options)
    if options.cluster_by:
        for item in _items(options.cluster_by):
            _check_item(item, columns, table)


def check_capability(options: TableOptions, capabilities: Capabilities) -> None:
    """Raises if the warehouse has no such options."""
    if options != NO_OPTIONS and not capabilities.has_table_options:
        raise CapabilityMissingError(
            f"{capabilities.name} has no transient or clustered tables and no retention time.",
            hint="Leave out --transient, --cluster_by and --retention_days, or use a Snowflake connection.",
        )


def _check_retention(options: TableOptions) -> None:
    days, longest = options.retention_days, LONGEST_RETENTION
    if days is None or 0 <= days <= (longest if not options.transient else LONGEST_TRANSIENT):
        return
    if options.transient and days > 0:
        raise ConfigError(
            f"A transient table keeps its past for 0 or 1 days, not for {days}.",
            hint="Use --retention_days 1 or 0, or leave --transient out.",
        )
    raise ConfigError(
        f"A table cannot keep its past for {days} days.",
        hint=f"--retention_days is 0 to {longest} (0 or 1 in Snowflake's Standard Edition).",
    )


def _items(cluster_by: str) -> list[str]:
    """Splits `(a, f(b, c))` at its outer commas."""
    blank = _QUOTED.sub(lambda found: "x" * len(found[0]), cluster_by)  # what is quoted is no punctuation
    text, shown = cluster_by.strip(), blank.strip()
    if not (shown.startswith("(") and shown.endswith(")")) or _FORBIDDEN.search(shown):
        raise ConfigError(f"{cluster_by!r} is not a list of columns in parentheses.", hint=EXAMPLE)
    items, depth, start = [], 0, 1
    for place, character in enumerate(shown):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and place < len(shown) - 1:
            break
        if (depth == 1 and character == ",") or (depth == 0 and place == len(shown) - 1):
            items.append(text[start:place].strip())
            start = place + 1
    if depth or start != len(shown) or not all(items):
        raise ConfigError(f"The parentheses or commas of {cluster_by!r} do not add up.", hint=EXAMPLE)
    return items


def _check_item(item: str, columns: Sequence[Column], table: TableName) -> None:
    """A name must be a column; of an expression Snowflake judges the rest, but some column must stand in it."""
    known = {column.name for column in columns}
    named = [_stored(name) for name in _IDENTIFIER.findall(item)]
    if known.intersection(named):
        return
    raise ConfigError(
        f"{table} would have no column {item} to cluster by.",
        hint=nearest(named[0] if named else item, known) or "'lht create --dry_run' lists the columns.",
        table=str(table),
    )


def _stored(identifier: str) -> str:
    """An identifier as Snowflake stores it: in upper case unless quoted."""
    return identifier[1:-1].replace('""', '"') if identifier.startswith('"') else identifier.upper()


def option_differences(wanted: TableOptions, found: TableOptions, name: str) -> Iterable[str]:
    """Tells which wanted options a table lacks, and what to type; `name` is the table's quoted name."""
    if wanted.transient and not found.transient:
        yield (
            f"It is not transient, which no ALTER changes: CREATE TRANSIENT TABLE … CLONE {name}, then "
            f"ALTER TABLE {name} SWAP WITH the clone."
        )
    if wanted.cluster_by and _key(wanted.cluster_by) != _key(found.cluster_by):
        is_now = f"clustered by {found.cluster_by}" if found.cluster_by else "not clustered"
        yield f"It is {is_now}: ALTER TABLE {name} CLUSTER BY {wanted.cluster_by};"
    days = wanted.retention_days
    if days is not None and days != found.retention_days:
        yield (
            f"It keeps its past for {found.retention_days} days: "
            f"ALTER TABLE {name} SET DATA_RETENTION_TIME_IN_DAYS = {days};"
        )


def _key(cluster_by: str) -> str:
    """A clustering key as it can be compared: Snowflake tells `LINEAR(A, B)` of `(a, "B")`."""
    plain = re.sub(r"^\s*LINEAR\s*", "", cluster_by, flags=re.IGNORECASE)
    parts = re.split(r"('(?:[^']|'')*'|\"(?:[^\"]|\"\")+\")", plain)
    folded = [part if part[:1] == "'" else _unquoted(part) for part in parts]
    return "".join(folded)


def _unquoted(part: str) -> str:
    """Folds what is not quoted; quotes that change nothing are dropped."""
    if part.startswith('"'):
        return part[1:-1] if re.fullmatch(r'"[A-Z_][A-Z0-9_$]*"', part) else part
    return re.sub(r"\s+", "", part).upper()
