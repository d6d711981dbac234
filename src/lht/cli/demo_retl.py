"""The second half of the tour: rows are written back to Salesforce, refused, sent again and undone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lht.app import reverse
from lht.cli import retl_render
from lht.cli.local_org import ask_admin
from lht.errors import PlanRefusedError
from lht.warehouse.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lht.cli.answer import Block
    from lht.model.retl import RetlResult
    from lht.retl.engine import Setting
    from lht.retl.planning import Task
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse

OBJECT, KEY = "Account", "ExternalId__c"
QUERY = f"SELECT {KEY}, Rating, AnnualRevenue FROM EDITS"
WRONG = f"SELECT {KEY}, repeat('much too ', 30) AS Name, 'blue' AS Colour FROM EDITS"
EDITS = f"""\
CREATE OR REPLACE TABLE EDITS AS
SELECT {KEY}, Rating, AnnualRevenue FROM ACCOUNTS
WHERE {KEY} IS NOT NULL AND NOT IsDeleted ORDER BY {KEY} LIMIT 2"""
RULE = {
    "name": "Sane_Revenue",
    "condition": "AnnualRevenue < 0",
    "message": "A revenue cannot be negative.",
    "field": "AnnualRevenue",
}
FILE = "edits.sql"


@dataclass(frozen=True, slots=True)
class WayBack:
    """Writes two edited rows back, in the tour's folder; `say` tells the story."""

    org: Org
    warehouse: Warehouse
    url: str
    folder: Path
    say: Callable[..., None]

    def run(self) -> dict[str, Any]:
        """Takes this part of the tour; gives its results as documents."""
        (self.folder / FILE).write_text(f"{QUERY}\n", encoding="utf-8")
        self._execute(EDITS, "UPDATE EDITS SET Rating = 'Hot', AnnualRevenue = 250000")
        self._plan()
        first = self._told("9  lht retl_upsert writes them, and says what became of each row:", self._edits())
        self._refused()
        failed = self._failed()
        self._execute("UPDATE EDITS SET AnnualRevenue = 400000 WHERE AnnualRevenue < 0")
        again = self._told(
            "12  The row is mended in the warehouse; lht retl_retry sends only what failed:",
            reverse.retry_of(self.warehouse, failed.run_id, {}),
            "retl_retry",
        )
        undone = self._told(
            "13  lht retl_undo puts back what that changed:",
            reverse.undo_of(self.warehouse, again.run_id, {"yes": True}),
            "retl_undo",
        )
        results = {"written": first, "failed": failed, "retried": again, "undone": undone}
        return {name: retl_render.result_document(result) for name, result in results.items()}

    def _execute(self, *statements: str) -> None:
        for sql in statements:
            self.warehouse.execute(Statement(sql))

    def _edits(self, sql: str = QUERY) -> Task:
        request = reverse.request_for("upsert", OBJECT, (sql, FILE), match_field=KEY, options={})
        return reverse.task_of(request)

    def _setting(self, command: str) -> Setting:
        return reverse.setting_for(command, self.folder / "retl")

    def _plan(self) -> None:
        """Shows what the edits would change."""
        plan = reverse.plan(self.org, self.warehouse, self._edits(), self._setting("retl_upsert"))
        words = ("retl_upsert", "--sobject", OBJECT, "--query", FILE, "--field", KEY, "--dry_run")
        self.say(
            f"8  Two rows are edited in the warehouse, in a table of their own. {FILE} selects them:",
            f"     {QUERY}",
            f"   {retl_render.command_line(words)}",
            "   shows what that would change in Salesforce:",
            "",
            *retl_render.told(plan),
        )

    def _told(self, title: str, task: Task, command: str = "retl_upsert") -> RetlResult:
        result = reverse.run(self.org, self.warehouse, task, self._setting(command))
        words = (command, "--run_id", result.of_run) if result.of_run else (command,)
        self.say(title, "", *retl_render.outcome(result, words))
        return result

    def _refused(self) -> None:
        """Shows that a query with mistakes sends nothing."""
        try:
            reverse.run(self.org, self.warehouse, self._edits(WRONG), self._setting("retl_upsert"))
        except PlanRefusedError as error:
            told: list[Block] = retl_render.refused(error)
            self.say("10  A query with mistakes is refused, all of them at once:", f"     {WRONG}", "", *told)

    def _failed(self) -> RetlResult:
        """Shows a row that only Salesforce can refuse."""
        ask_admin(self.url, f"/objects/{OBJECT}/validation_rules", RULE)
        self._execute(f"UPDATE EDITS SET AnnualRevenue = -1 WHERE {KEY} = (SELECT min({KEY}) FROM EDITS)")
        return self._told(
            "11  An administrator adds a validation rule. A row that breaks it fails; the other is written:",
            self._edits(),
        )
