"""Results of the smaller verbs; their fields are the keys of `--json`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from lht.model.retl import ErrorClass


@dataclass(frozen=True, slots=True)
class CreatedColumn:
    """A column as `create` and `describe` report it."""

    name: str
    type: str
    field: str | None


@dataclass(frozen=True, slots=True)
class CreateResult:
    """What `create` did: `differences` tells how an existing table differs, one sentence each.

    The last four are what was asked of the table; `live_view` is the view's name.
    """

    table: str
    created: bool
    columns: tuple[CreatedColumn, ...]
    differences: tuple[str, ...] = ()
    transient: bool = False
    cluster_by: str | None = None
    retention_days: int | None = None
    live_view: str | None = None


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What `bulk_results` or `results` loaded; `errors` are those of the job's rows, by class."""

    job_id: str
    table: str
    rows_loaded: int
    rows_in_table: int
    errors: tuple[ErrorClass, ...] = ()


@dataclass(frozen=True, slots=True)
class InitResult:
    """What `init` wrote; `created` is False if the file was there and was left alone."""

    path: str
    created: bool


@dataclass(frozen=True, slots=True)
class LoginResult:
    """Whose session was opened."""

    username: str
    instance_url: str
    org_id: str
    app: str | None
    flow: str


@dataclass(frozen=True, slots=True)
class LogoutResult:
    """Whose session was forgotten; `revoked` is False if Salesforce did not end it, and `reason` says why."""

    username: str
    instance_url: str
    org_id: str
    app: str | None
    flow: str
    revoked: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionTest:
    """What became of trying a connection.

    `fix` is what to type or to change, or what may have to be typed later; `code` is the error's, empty if ok.
    """

    ok: bool
    finding: str
    fix: str
    seconds: float
    code: str = ""


@dataclass(frozen=True, slots=True)
class ConnectionInfo:
    """A configured connection. `kind`: app, login, duckdb or snowflake; `flow`: how an app or a login logs in.

    `test` None: not tried. `ok` and `finding` say the same in short.
    """

    name: str
    kind: str
    detail: str
    flow: str | None = None
    test: ConnectionTest | None = None
    ok: bool | None = None
    finding: str = ""


@dataclass(frozen=True, slots=True)
class DescribedField:
    """A field and the column it would become; `column` None: it is not read, `reason` says why."""

    name: str
    type: str
    label: str
    column: str | None
    column_type: str | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ObjectDescription:
    """An object as `describe` shows it."""

    object: str
    label: str
    queryable: bool
    replicateable: bool
    fields: tuple[DescribedField, ...]


@dataclass(frozen=True, slots=True)
class QueryJob:
    """A Bulk query job as `query` submitted it; `output` and `rows` are set where its rows were written."""

    job_id: str
    state: str
    object: str
    output: str | None = None
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class QueryRows:
    """A small REST query's answer: texts, as Salesforce spells them; `truncated` if there is more."""

    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    total: int


@dataclass(frozen=True, slots=True)
class ResetResult:
    """What `reset` forgot; `known` is False if LHT remembered nothing of the table."""

    table: str
    known: bool


@dataclass(frozen=True, slots=True)
class PruneResult:
    """How many row-level records of runs that began `before` were removed, or would be (`dry_run`)."""

    before: datetime
    dry_run: bool
    outbox_rows: int
    row_results_rows: int
    before_images_rows: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.outbox_rows + self.row_results_rows + self.before_images_rows
