"""Runs and their undos for tests: rows written as SQL VALUES, an org looked at without LHT."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lht.model.retl import Operation, RetlOptions, RetlRequest
from lht.retl import engine
from lht.retl.planning import Task, query_task
from lht.retl.undo import undo_task
from lht.state.retl_store import RetlState

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from world import World

    from lht.model.retl import RetlEvent, RetlPlan, RetlResult

FIELDS = ("Name", "Phone", "NumberOfEmployees", "Description", "ParentId", "ExternalId__c")


NUMBERS = {"NumberOfEmployees"}


def quoted(name: str, value: Any) -> str:
    kind = "BIGINT" if name in NUMBERS else "VARCHAR"
    text = "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"
    return f"CAST({text} AS {kind})"


def select(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """A query that gives these rows."""
    listed = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(f"({', '.join(map(quoted, names, row))})" for row in rows)
    return f"SELECT {listed} FROM (VALUES {values}) AS v ({listed})"


@dataclass
class Writer:
    """LHT writing accounts into the org of a world."""

    world: World
    folder: Path
    events: list[RetlEvent] = field(default_factory=list)
    runs: int = 0
    on_event: Any = None
    sleep: Callable[[float], None] = lambda _s: None

    def write(
        self,
        operation: str,
        names: Sequence[str],
        rows: Sequence[Sequence[Any]],
        key: str | None = None,
        **options: Any,
    ) -> RetlResult:
        request = RetlRequest(
            Operation(operation), "Account", select(names, rows), key, options=RetlOptions(**options)
        )
        return self.run(query_task(request), f"retl_{operation}")

    def undo(self, run_id: str, **options: Any) -> RetlResult:
        return self.run(self.undo_task(run_id, **options), "retl_undo")

    def undo_task(self, run_id: str, **options: Any) -> Task:
        return undo_task(RetlState(self.world.lake.warehouse()), run_id, **options)

    def plan(self, task: Task) -> RetlPlan:
        return engine.plan_retl(self.world.org, self.world.lake.warehouse(), task, self._setting("retl_undo"))

    def run(self, task: Task, command: str) -> RetlResult:
        self.events.clear()
        return engine.run_retl(self.world.org, self.world.lake.warehouse(), task, self._setting(command))

    def _setting(self, command: str) -> engine.Setting:
        self.runs += 1
        return engine.Setting(
            f"run{self.runs:04}",
            command,
            self.folder,
            on_event=self.on_event or self.events.append,
            sleep=self.sleep,
        )

    def create(self, **values: Any) -> str:
        return self.world.rest.create("Account", **values)

    def accounts(self) -> dict[str, dict[str, Any]]:
        """The live accounts by their names' Ids, with the fields that the tests write."""
        found = self.world.rest.query(f"SELECT Id, {', '.join(FIELDS)} FROM Account", include_deleted=False)
        return {one["Id"]: {name: one[name] for name in FIELDS} for one in found}

    def requests(self, method: str, path: str) -> int:
        told = self.world.local.admin.requests()
        return sum(one["method"] == method and path in one["path"] for one in told)
