"""Ctrl-C while a run clears up after itself: what it staged is of no use to anybody, and nobody else would find it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from lht.sync.engine import run_sync

if TYPE_CHECKING:
    from world import World

    from lht.model.table import TableName
    from lht.warehouse.port import Warehouse


class Interrupted:
    """A warehouse at whose first DROP somebody presses Ctrl-C; it hands everything else on."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.dropped: list[TableName] = []
        self._warehouse = warehouse

    def __getattr__(self, name: str) -> Any:
        return getattr(self._warehouse, name)

    def drop_table(self, table: TableName) -> None:
        self.dropped.append(table)
        if len(self.dropped) == 1:
            raise KeyboardInterrupt
        self._warehouse.drop_table(table)


def test_an_interrupted_clearing_is_done_to_its_end(world: World) -> None:
    world.rest.create("Account", Name="A")
    world.sync()
    world.local.admin.advance_clock(3600)
    world.rest.create("Account", Name="B")
    warehouse = Interrupted(world.lake.warehouse())

    with pytest.raises(KeyboardInterrupt):
        run_sync(
            world.org,
            cast("Warehouse", warehouse),
            world.requests("Account"),
            run_id="interrupted",
            spool_dir=world.spool_dir,
        )

    assert warehouse.dropped
    assert [t for t in warehouse.dropped if world.lake.warehouse().columns(t) is not None] == []
    assert world.value("SELECT count(*) FROM Account") == 2
