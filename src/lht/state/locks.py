"""Keeps two runs off one table, by a row in the `locks` table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from lht.model.table import TableName
    from lht.warehouse.port import Warehouse


@dataclass(frozen=True, slots=True)
class Owner:
    """Who holds a lock: a random token, and where its process can be looked for."""

    token: str
    host: str
    boot_id: str
    pid: int


class TableLock:
    """A lock on one table, held while the `with` block runs; RunLockedError names who holds it otherwise.

    Entering creates the state tables if needed, and must happen outside transactions.
    """

    def __init__(
        self,
        warehouse: Warehouse,
        table: TableName,
        *,
        run_id: str,
        schema: str | None = None,
        owner: Owner | None = None,
        timeout_s: float = 0.0,
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        raise NotImplementedError

    def check(self) -> None:
        """Raises RunLockedError if the lock is no longer ours; call it in the final transaction."""
        raise NotImplementedError
