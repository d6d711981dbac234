"""What a run asks the org, and the staged answer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lht.errors import IncompleteExtractError
from lht.sfdc import soql

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lht.model.run import JobRecord
    from lht.model.table import Column, TableName
    from lht.records.parse import RecordStream
    from lht.sync.run import Run


@dataclass(frozen=True, slots=True)
class Question:
    """What one job asks. `purpose`: rows, backfill, ids, changed or formulas.

    `resumable`: whether the answer to a run that died may serve. Not where it must be younger, or no older, than
    another answer of the same run.
    """

    object: str
    table: TableName
    purpose: str
    columns: tuple[Column, ...]
    conditions: tuple[str, ...] = ()
    include_deleted: bool = True
    resumable: bool = False

    @property
    def soql(self) -> str:
        return soql.select([c.field or c.name for c in self.columns], self.object, self.conditions)

    @property
    def count_soql(self) -> str:
        return soql.count(self.object, self.conditions)

    def fingerprint(self, api_version: str) -> str:
        """Stands for the question and its types: only the same question may take up a job again."""
        typed = [(c.name, str(c.type)) for c in self.columns]
        asked = json.dumps([self.soql, typed, self.include_deleted, api_version])
        return hashlib.sha256(asked.encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Extract:
    """Rows of a question, staged and counted. `read_until`: what was committed before is among them."""

    staging: TableName
    rows: int
    read_until: datetime
    rounded: Mapping[str, int] = field(default_factory=dict)
    job: JobRecord | None = None


def staging_name(run: Run, question: Question) -> str:
    """Names the staging table after run, object and purpose: no two steps ever share one."""
    tag = hashlib.sha256(f"{question.table}".encode()).hexdigest()[:8]
    return f"_lht_stage_{run.run_id}_{tag}_{question.purpose}".replace("-", "_")


def stage_all(
    run: Run, question: Question, stream: RecordStream, *, expected: int | None = None, job_id: str = ""
) -> TableName:
    """Stages a stream to its end.

    IncompleteExtractError, with nothing left behind, unless as many rows are staged as came and were announced.
    `expected` None: the stream itself has read how many there are.
    """
    try:
        staging = run.warehouse.stage(question.columns, stream, staging_name(run, question))
    finally:
        stream.close()  # downloads behind a stream that was given up would go on
    announced = stream.expected if expected is None else expected
    staged = run.warehouse.row_count(staging)
    if not announced == stream.rows == staged:
        run.warehouse.drop_table(staging)
        raise incomplete(question, expected=announced, got=min(stream.rows, staged), job_id=job_id)
    return staging


def incomplete(question: Question, *, expected: int, got: int, job_id: str = "") -> IncompleteExtractError:
    """The error for counts that differ."""
    where = f"job {job_id}" if job_id else "the REST query"
    return IncompleteExtractError(
        f"{question.object}: {where} has {expected} rows, {got} arrived; {question.table} was not changed.",
        hint="Run the same command again; if it happens again, report it with the job id.",
        object=question.object,
        table=str(question.table),
    )
