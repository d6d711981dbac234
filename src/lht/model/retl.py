"""Values of reverse ETL: what is asked, planned, sent and reported."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lht.model.salesforce import Field

DEFAULT_MAX_DELETES = 10_000
DEFAULT_API_BUDGET = 80.0


class Operation(StrEnum):
    """What is done to records. UNDELETE is only part of an undo."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"
    DELETE = "delete"
    UNDELETE = "undelete"


class Nulls(StrEnum):
    """What a row's NULL does to its field: nothing, or empty it."""

    IGNORE = "ignore"
    CLEAR = "clear"


class Outcome(StrEnum):
    """One row's fate. UNKNOWN: it was sent, and Salesforce no longer tells what became of it."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNPROCESSED = "unprocessed"
    UNKNOWN = "unknown"
    CONFLICTING = "conflicting"


class PartStatus(StrEnum):
    """How far a part of a run has come; each is committed before the next step is taken.

    PLANNED: nothing is in Salesforce. CREATED: its job's id is known; until it is closed, aborting the job undoes
    all of it. UPLOADED: the job holds the rows. CLOSED: Salesforce may work on them. CALLING: rows go by calls that
    may be repeated. SETTLED: every row's fate is recorded. ABANDONED: nobody will send it.
    """

    PLANNED = "planned"
    CREATED = "created"
    UPLOADED = "uploaded"
    CLOSED = "closed"
    CALLING = "calling"
    SETTLED = "settled"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class RetlOptions:
    """What a user may ask of one run; the defaults are those of the command line.

    `mapping` names fields for columns. `batch_size` is the most rows of one job. `api_budget` is a share of each
    daily limit, in percent. `baseline` is the table that conflicts are judged by, else the one that was synced.
    `result_key` is a text field that carries `run:row`, so that each result finds its row.
    """

    mapping: Mapping[str, str] = field(default_factory=dict)
    nulls: Nulls = Nulls.IGNORE
    only_changed: bool = False
    compare_org: bool = False
    if_unchanged_since_sync: bool = False
    baseline: str | None = None
    insert_missing: bool = False
    batch_size: int | None = None
    max_deletes: int = DEFAULT_MAX_DELETES
    yes: bool = False
    api_budget: float = DEFAULT_API_BUDGET
    undo: bool = True
    result_key: str | None = None
    new_run: bool = False
    recreate: bool = False
    lock_timeout_s: float = 10.0
    job_timeout_s: float = 86_400.0


@dataclass(frozen=True, slots=True)
class RetlRequest:
    """One operation on one object with the rows of a query. `source` is where the query stands, for people."""

    operation: Operation
    object: str
    query: str
    match_field: str | None = None
    source: str = "the query"
    options: RetlOptions = field(default_factory=RetlOptions)


@dataclass(frozen=True, slots=True)
class SentColumn:
    """One column of what is sent.

    `header` is its name in the job's CSV: `Name`, `Account.Key__c`, `Lead:Who.Email`. `column` is the query's.
    `field` says how values are written: the field itself, or the parent's field that a relationship looks up.
    `target` is the field of the object that changes: `Name`, `AccountId`. `parent` is the looked-up object.
    """

    header: str
    column: str
    field: Field
    target: str
    parent: str | None = None
    is_key: bool = False


def positions_sent(operation: Operation, columns: Sequence[SentColumn]) -> tuple[int, ...]:
    """Which of a run's columns a part of that operation sends, counted from 0.

    Deletions send no column of the query's but the record's id alone; insertions leave out the Id, which is
    Salesforce's to give.
    """
    if operation in {Operation.DELETE, Operation.UNDELETE}:
        return ()
    leaves_id = operation is Operation.INSERT
    return tuple(n for n, column in enumerate(columns) if not (leaves_id and column.header.lower() == "id"))


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something for which a plan is refused. `rows` is how many rows have it, 0 where it is the query's own.

    `code` is a word for scripts (`TOO_LONG`), `message` a sentence, `example` a row with its value, `way_out` what
    to do.
    """

    code: str
    message: str
    rows: int = 0
    column: str | None = None
    field: str | None = None
    example: str = ""
    way_out: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that would change: as it is in Salesforce, and as it would be."""

    row: int
    key: str
    field: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class RetlPlan:
    """What a run would do; nothing has been sent. Counts of what Salesforce holds are None where it was not asked."""

    operation: Operation
    object: str
    match_field: str | None
    columns: tuple[SentColumn, ...]
    rows_selected: int
    rows_to_send: int
    rows_unchanged: int = 0
    rows_to_create: int | None = None
    rows_to_change: int | None = None
    rows_to_leave: int | None = None
    rows_to_delete: int | None = None
    rows_to_undelete: int | None = None
    rows_not_found: int | None = None
    rows_conflicting: int | None = None
    parts: int = 0
    api_calls: int = 0
    mistakes: tuple[Mistake, ...] = ()
    warnings: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    resumes: str | None = None
    """The id of the unfinished run that the same command would go on with."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A run as it was decided, committed with the rows to send before anything is sent.

    `headers` and `targets` are those of the columns, in order. `fingerprint` stands for the command: the same
    command finds the run again. `of_run` is the run that a retry or an undo is about. `status`: open, done or
    abandoned.
    """

    run_id: str
    org_id: str
    object: str
    command: str
    operation: Operation
    match_field: str | None
    headers: tuple[str, ...]
    targets: tuple[str, ...]
    fingerprint: str
    query: str
    options: str
    rows_selected: int
    rows_unchanged: int
    started_at: datetime
    status: str = "open"
    of_run: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Rows of a run that are sent together. `job_id` None: none yet, or they go by calls. `bytes` is their CSV.

    `job_state` is how the job ended, in Salesforce's words, once that is known.
    """

    run_id: str
    number: int
    attempt: int
    operation: Operation
    status: PartStatus
    rows: int
    bytes: int
    job_id: str | None = None
    job_state: str | None = None


@dataclass(frozen=True, slots=True)
class RetlJob:
    """A Bulk job of a run, as reported."""

    id: str
    rows: int
    state: str


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """Rows that ended with the same class of error, and the message of one of them."""

    error_class: str
    rows: int
    example: str


@dataclass(frozen=True, slots=True)
class RetlResult:
    """What a run did, every count counted: selected = unchanged + conflicting + sent.

    sent = succeeded + failed + unprocessed + unknown; `rows_created` are among the succeeded.
    """

    run_id: str
    operation: str
    object: str
    rows_selected: int = 0
    rows_unchanged: int = 0
    rows_sent: int = 0
    rows_succeeded: int = 0
    rows_failed: int = 0
    rows_unprocessed: int = 0
    rows_unknown: int = 0
    rows_created: int = 0
    rows_conflicting: int = 0
    jobs: tuple[RetlJob, ...] = ()
    errors: tuple[ErrorClass, ...] = ()
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    resumed: bool = False
    of_run: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every row that was to be written was."""
        return self.rows_succeeded == self.rows_sent and not self.rows_conflicting


@dataclass(frozen=True, slots=True)
class RetlEvent:
    """What a run tells while it works; `done` and `total` count rows, `total` None while it is unknown."""

    kind: str
    """reading, checking, comparing, recording, sending, waiting, settled, retrying or warning."""
    object: str
    message: str = ""
    done: int = 0
    total: int | None = None
