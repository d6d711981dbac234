"""A run's two sides for tests of single steps: a local org, a warehouse, a work database."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from lht.model.retl import Operation, Part, PartStatus, RetlOptions, RetlRequest, SentColumn
from lht.retl.outcomes import read_outcomes
from lht.retl.run import RetlRun
from lht.retl.work import Work
from lht.sfdc import bulk, rest
from lht.sfdc.auth import Login
from lht.sfdc.org import Org
from lht.sfdc.transport import Transport
from lht.state.retl_store import RetlState
from lht.testing import simulator
from lht.testing.caller import Caller
from lht.warehouse.duckdb import open_duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lht.model.retl import RetlEvent
    from lht.testing.simulator import LocalOrg

OUTBOX = """
CREATE OR REPLACE TABLE outbox (
  part BIGINT, attempt BIGINT, row_number BIGINT, operation VARCHAR, match_key VARCHAR, record_id VARCHAR,
  sent VARCHAR[], source VARCHAR
)
"""


@dataclass
class Desk:
    """One run's step at a time; jobs are made by a bare caller, not by LHT."""

    api: Caller
    run: RetlRun
    events: list[RetlEvent] = field(default_factory=list)
    columns: tuple[SentColumn, ...] = ()
    part: Part | None = None

    def expect(
        self,
        operation: Operation,
        names: Sequence[str],
        *rows: Sequence[str | None],
        key: str | None = None,
        result_key: str | None = None,
    ) -> None:
        """Records rows as sent: `outbox` with one part of these columns. Parents' fields are given as `Rel.Field`."""
        self.columns = tuple(self._column(name, key) for name in names)
        request = RetlRequest(operation, "Account", "", key, options=RetlOptions(result_key=result_key))
        self.run = replace(self.run, request=request)
        self.run.work.execute(OUTBOX)
        ids = [name.lower() for name in names].index("id") if "Id" in names else None
        for number, row in enumerate(rows, start=1):
            record_id = None if ids is None else row[ids]
            self.run.work.execute(
                "INSERT INTO outbox VALUES (1, 1, ?, ?, ?, ?, ?, '{}')",
                [number, operation.value, None, record_id, list(row)],
            )
        self.part = Part(self.run.run_id, 1, 1, operation, PartStatus.CLOSED, len(rows), 0)

    def load(self, operation: str, names: Sequence[str], *rows: Sequence[str | None], **form: str) -> str:
        """Carries out a job of an object's rows by the bare caller; gives its id."""
        return str(self.api.load("Account", operation, _as_csv(names, *rows), **form)["id"])

    def read(self, job_id: str | None) -> dict[int, tuple[Any, ...]]:
        """What `outcomes` says of each row: outcome, created, sf_id, class, message, fields."""
        assert self.part is not None
        job = bulk.job_status(self.run.org, job_id) if job_id else None
        read_outcomes(self.run, self.part, job, self.columns)
        found = self.run.work.query(
            "SELECT row_number, outcome, created, sf_id, class, message, fields FROM outcomes"
            " WHERE part = 1 AND attempt = 1 ORDER BY row_number"
        )
        assert [row[0] for row in found] == list(range(1, self.part.rows + 1))
        return {row[0]: row[1:] for row in found}

    def warnings(self) -> list[str]:
        return [event.message for event in self.events if event.kind == "warning"]

    def _column(self, name: str, key: str | None) -> SentColumn:
        found = self.run.sobject.find(name)
        assert found is not None
        return SentColumn(name, name, found, name, is_key=name == key)


def _as_csv(names: Sequence[str], *rows: Sequence[str | None]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()


@pytest.fixture(scope="module")
def local_org() -> Iterator[LocalOrg]:
    with simulator(token_lifetime_s=1e9) as org:
        yield org


@pytest.fixture
def desk(local_org: LocalOrg, tmp_path: Path) -> Iterator[Desk]:
    local_org.admin.reset()
    api = Caller(local_org).login()
    token = api.headers["Authorization"].removeprefix("Bearer ")
    login = Login(username=local_org.username, instance_url=local_org.url, access_token=token)
    events: list[RetlEvent] = []
    with (
        Org(login, Transport(), owns_transport=True) as org,
        open_duckdb(":memory:") as warehouse,
        Work(tmp_path / "work") as work,
    ):
        run = RetlRun(
            run_id="run1",
            org=org,
            warehouse=warehouse,
            state=RetlState(warehouse),
            work=work,
            request=RetlRequest(Operation.UPSERT, "Account", ""),
            sobject=rest.describe(org, "Account"),
            now=lambda: datetime.now(UTC),
            sleep=lambda _seconds: None,
            on_event=events.append,
        )
        yield Desk(api, run, events)
