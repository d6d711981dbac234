"""What one step of a reverse ETL run is given, for tests of single steps: a real org, warehouse, state and database."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from world import open_world

from lht.model.retl import Intent, Operation, Part, PartStatus, RetlOptions, RetlRequest, SentColumn
from lht.retl.run import RetlRun
from lht.retl.work import Work
from lht.sfdc import rest
from lht.state.retl_store import RetlState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from world import World

    from lht.model.retl import RetlEvent
    from lht.testing.simulator import LocalOrg

MASS = "composite/sobjects"


@dataclass
class Desk:
    """An org that a test fills, and a run on one of its objects."""

    world: World
    folder: Path
    events: list[RetlEvent] = field(default_factory=list)
    works: list[Work] = field(default_factory=list)

    def run(
        self, object_name: str, operation: str, match_field: str | None = None, **options: Any
    ) -> RetlRun:
        work = Work(self.folder / f"run{len(self.works)}")
        self.works.append(work)
        warehouse = self.world.lake.warehouse()
        return RetlRun(
            run_id="run0001",
            org=self.world.org,
            warehouse=warehouse,
            state=RetlState(warehouse),
            work=work,
            request=RetlRequest(
                Operation(operation), object_name, "SELECT 1", match_field, options=RetlOptions(**options)
            ),
            sobject=rest.describe(self.world.org, object_name),
            now=lambda: datetime(2026, 1, 2, tzinfo=UTC),
            sleep=lambda _s: None,
            on_event=self.events.append,
        )

    def column(self, object_name: str, header: str) -> SentColumn:
        """The column of a header as it stands in the CSV: `Name`, `Account.Key__c` or `Contact:Who.Email`."""
        sobject = rest.describe(self.world.org, object_name)
        if "." not in header:
            own = sobject.by_name[header.lower()]
            return SentColumn(header, header, own, own.name)
        typed, _, path = header.rpartition(":")
        relationship, _, name = path.partition(".")
        link = next(f for f in sobject.fields if f.relationship_name == relationship)
        parent = typed or link.reference_to[0]
        found = rest.describe(self.world.org, parent).by_name[name.lower()]
        return SentColumn(header, header, found, link.name, parent)

    def columns(self, object_name: str, *headers: str) -> tuple[SentColumn, ...]:
        return tuple(self.column(object_name, header) for header in headers)

    def create(self, object_name: str, records: Sequence[dict[str, Any]]) -> list[str]:
        """Makes any number of records; gives their ids."""
        found: list[str] = []
        for first in range(0, len(records), 200):
            body = [{"attributes": {"type": object_name}, **r} for r in records[first : first + 200]]
            found += [item["id"] for item in self.world.rest.call("POST", MASS, {"records": body})]
        return found

    def close(self) -> None:
        for work in self.works:
            work.close()
        self.world.close()


def rows_of(run: RetlRun, *rows: Sequence[Any], name: str = "encoded", texts: int = 0) -> str:
    """Makes `encoded` of rows (number, match key, record id, then the columns' texts)."""
    columns = "".join(f", c{n} VARCHAR" for n in range(1, texts + 1))
    run.work.execute(
        f"CREATE OR REPLACE TABLE {name} (row_number BIGINT, match_key VARCHAR, record_id VARCHAR, "
        f"operation VARCHAR{columns})"
    )
    for number, key, record_id, *values in rows:
        marks = ", ".join("?" * (4 + texts))
        given = [number, key, record_id, str(run.request.operation), *values]
        run.work.execute(f"INSERT INTO {name} VALUES ({marks})", given)
    return name


def part_of(run: RetlRun, *rows: Sequence[Any], number: int = 1, attempt: int = 1) -> Part:
    """Makes `outbox` of rows (number, match key, record id, then the texts to send) as one part."""
    run.work.execute(
        "CREATE TABLE IF NOT EXISTS outbox (part BIGINT, attempt BIGINT, row_number BIGINT, operation VARCHAR, "
        "match_key VARCHAR, record_id VARCHAR, sent VARCHAR[], source VARCHAR)"
    )
    for row, key, record_id, *values in rows:
        given = [number, attempt, row, str(run.request.operation), key, record_id, values, "{}"]
        run.work.execute("INSERT INTO outbox VALUES (?, ?, ?, ?, ?, ?, ?, ?)", given)
    operation = run.request.operation
    return Part(run.run_id, number, attempt, operation, PartStatus.PLANNED, len(rows), 0)


def open_desk(local: LocalOrg, folder: Path) -> Desk:
    return Desk(open_world(local, folder / "spool"), folder)


def begin(run: RetlRun, part: Part, columns: Sequence[SentColumn]) -> None:
    """Commits the run of one part, as it is before anything is sent."""
    run.state.ensure()
    intent = Intent(
        run_id=run.run_id,
        org_id=run.org.org_id,
        object=run.sobject.name,
        command="retl",
        operation=run.request.operation,
        match_field=run.request.match_field,
        headers=tuple(column.header for column in columns),
        targets=tuple(column.target for column in columns),
        fingerprint="f",
        query=run.request.query,
        options="{}",
        rows_selected=part.rows,
        rows_unchanged=0,
        started_at=run.now(),
    )
    sent = "* REPLACE (CAST(to_json(sent) AS VARCHAR) AS sent)"
    run.state.begin(intent, [part], run.work.batches(f"SELECT {sent} FROM outbox"))
