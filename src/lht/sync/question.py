"""What a run asks the org, and the staged answer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lht.errors import IncompleteExtractError
from lht.sfdc import soql
from lht.warehouse import merge
from lht.warehouse.merge_spec import StagedFacts

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from lht.model.run import JobRecord
    from lht.model.table import Column, TableName
    from lht.records.parse import RecordStream
    from lht.sync.run import Run
    from lht.warehouse.merge_spec import Marks


@dataclass(frozen=True, slots=True)
class Question:
    """What one job asks. `purpose`: rows, backfill, ids, changed or formulas; `marks`: its key and what goes with it.

    `resumable`: whether the answer to a run that died may serve. Not where it must be younger, or no older, than
    another answer of the same run. `may_be_nothing`: whether an answer without rows is not worth a staging table.
    """

    object: str
    table: TableName
    purpose: str
    columns: tuple[Column, ...]
    marks: Marks
    conditions: tuple[str, ...] = ()
    include_deleted: bool = True
    resumable: bool = False
    may_be_nothing: bool = False

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


NOTHING = StagedFacts(staged=0, keyed=0, distinct=0, gone=0, empty=0, empty_example=None, newest=None)


@dataclass(frozen=True, slots=True)
class Extract:
    """Rows of a question, staged and counted. `read_until`: what was committed before is among them.

    `staging` None: there are no rows, and nobody wants an empty table.
    """

    staging: TableName | None
    facts: StagedFacts
    read_until: datetime
    rounded: Mapping[str, int] = field(default_factory=dict)
    job: JobRecord | None = None

    @property
    def rows(self) -> int:
        return self.facts.staged

    @property
    def table(self) -> TableName:
        """The staging table of an answer that had to be staged."""
        if self.staging is None:
            raise ValueError("an answer without rows was not staged")
        return self.staging


def staging_name(run: Run, question: Question) -> str:
    """Names the staging table after run, object and purpose: no two steps ever share one."""
    tag = hashlib.sha256(f"{question.table}".encode()).hexdigest()[:8]
    return f"_lht_stage_{run.run_id}_{tag}_{question.purpose}".replace("-", "_")


def stage_all(
    run: Run, question: Question, stream: RecordStream, *, expected: int | None = None, job_id: str = ""
) -> tuple[TableName, StagedFacts]:
    """Stages a stream to its end, and counts what is staged.

    IncompleteExtractError, with nothing left behind, unless as many rows are staged as came and were announced.
    `expected` None: the stream itself has read how many there are.
    """
    try:
        staging = run.warehouse.stage(question.columns, stream, staging_name(run, question))
    finally:
        stream.close()  # downloads behind a stream that was given up would go on
    announced = stream.expected if expected is None else expected
    facts = merge.staged_facts(run.warehouse, staging, question.marks)
    if not announced == stream.rows == facts.staged:
        run.warehouse.drop_table(staging)
        raise incomplete(question, expected=announced, got=min(stream.rows, facts.staged), job_id=job_id)
    return staging, facts


def incomplete(question: Question, *, expected: int, got: int, job_id: str = "") -> IncompleteExtractError:
    """The error for counts that differ."""
    where = f"job {job_id}" if job_id else "the REST query"
    return IncompleteExtractError(
        f"{question.object}: {where} has {expected} rows, {got} arrived; {question.table} was not changed.",
        hint="Run the same command again; if it happens again, report it with the job id.",
        object=question.object,
        table=str(question.table),
    )
