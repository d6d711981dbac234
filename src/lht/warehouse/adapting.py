"""What the adapters share: names that people write, values as tables hold them, what errors say of a statement."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lht.errors import ConfigError, LhtError
from lht.warehouse.statements import split_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.model.table import TableName
    from lht.warehouse.port import RowStream, Warehouse

HEADLINE = 80


def placed_name(table: str, schema: str | None, *, folds_upper: bool) -> tuple[str, str, str]:
    """Splits a table's name into catalog, schema and name; what neither it nor `schema` says is empty."""
    parts = split_name(table, folds_upper=folds_upper)
    given = split_name(schema, folds_upper=folds_upper) if schema else ()
    if not parts or (schema and len(given) not in {1, 2}):
        raise ConfigError(
            f"{table if not parts else schema!r} is not a name.",
            hint="Write table, schema.table or database.schema.table.",
        )
    where = ("", "", *(parts[:-1] or given))
    return where[-2], where[-1], parts[-1]


def naive(value: object) -> object:
    """A value as tables hold it: aware datetimes become naive UTC."""
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC).replace(tzinfo=None)
    return value


def headline(sql: str) -> str:
    """A statement's first words."""
    words = " ".join(sql.split())
    return words if len(words) <= HEADLINE else f"{words[:HEADLINE]}…"


def first_line(text: object) -> str:
    """The line of a driver's message that says what happened."""
    return str(text).strip().partition("\n")[0]


@contextlib.contextmanager
def dropped_if_unfilled(warehouse: Warehouse, table: TableName, stream: RowStream) -> Iterator[None]:
    """Drops a staging table if filling it fails.

    Raises what the stream's reader raised, Ctrl-C included, where a driver has hidden it behind an error of its own.
    """
    try:
        yield
    except BaseException as error:
        with contextlib.suppress(LhtError):
            warehouse.drop_table(table)
        if stream.error is not None and stream.error is not error:
            raise stream.error from None
        raise
