"""Commands that write to Salesforce."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lht.cli import options, retl_render
from lht.cli.answer import Answer
from lht.cli.screen import Screen

if TYPE_CHECKING:
    from lht.app.access import Target
    from lht.cli.screen import Watch
    from lht.model.retl import RetlPlan, RetlRequest
    from lht.retl.planning import Task
    from lht.sfdc.org import Org


NOTHING_SENT = "Nothing was sent."


class NullsOption(StrEnum):
    """The words of `model.retl.Nulls`, for help."""

    IGNORE = "ignore"
    CLEAR = "clear"


class Against(StrEnum):
    """What rows are compared with."""

    ORG = "org"


QueryFile = Annotated[
    str | None,
    typer.Option("--query", metavar="FILE.sql", help="The file with the SELECT to run in the warehouse."),
]
Sql = Annotated[
    str | None, typer.Option("--sql", metavar="TEXT", help="The SELECT itself, in place of --query.")
]
MatchField = Annotated[
    str, typer.Option("--field", metavar="FIELD", help="The field that finds records: an external id, or Id.")
]
IdField = Annotated[str, typer.Option("--field", metavar="Id", help="The field that finds records: Id.")]
Map = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="COLUMN=Field", help="The field that a column goes to; may be repeated."),
]
NullsFlag = Annotated[
    NullsOption, typer.Option("--nulls", help="What NULL does to its field: nothing, or empty it.")
]
OnlyChanged = Annotated[
    bool, typer.Option("--only_changed", help="Send only rows that differ from what was last written.")
]
Compare = Annotated[
    Against | None,
    typer.Option("--compare", help="Send only rows that differ from what Salesforce holds now."),
]
IfUnchanged = Annotated[
    bool,
    typer.Option(
        "--if_unchanged_since_sync",
        help="Leave rows alone whose fields somebody changed in Salesforce since the sync.",
    ),
]
Baseline = Annotated[
    str | None,
    typer.Option(
        "--baseline", metavar="TABLE", help="With the above: the synced table, if it is not found by itself."
    ),
]
InsertMissing = Annotated[
    bool, typer.Option("--insert_missing", help="With --field Id: create a record for rows with no Id.")
]
ResultKey = Annotated[
    str | None,
    typer.Option(
        "--result_key", metavar="FIELD", help="A text field to write run and row to, so that each is found."
    ),
]
NoUndo = Annotated[
    bool, typer.Option("--no_undo", help="Do not keep the old values; the run cannot be undone.")
]
BatchSize = Annotated[
    int | None, typer.Option("--batch_size", metavar="N", min=1, help="The most rows of one job.")
]
MaxDeletes = Annotated[
    int, typer.Option("--max_deletes", metavar="N", min=0, help="Refuse to delete more without --yes.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
NewRun = Annotated[
    bool, typer.Option("--new_run", help="Give up the unfinished run of the same command, and start anew.")
]
RunId = Annotated[str, typer.Option("--run_id", metavar="ID", help="The run; 'lht runs' lists them.")]
Schema = Annotated[
    str | None,
    typer.Option(
        "--schema", metavar="SCHEMA", help="Where tables lie that are named without one (or LHT_SCHEMA)."
    ),
]


def retl_insert(
    screen: Screen,
    *,
    sobject: options.Sobject,
    query: QueryFile = None,
    sql: Sql = None,
    mapping: Map = None,
    nulls: NullsFlag = NullsOption.IGNORE,
    result_key: ResultKey = None,
    batch_size: BatchSize = None,
    api_budget: options.ApiBudget = 80.0,
    new_run: NewRun = False,
    dry_run: options.DryRun = False,
    lock_timeout: options.LockTimeout = 10.0,
    schema: Schema = None,
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Create a record for each row of a query."""
    given = {
        "mapping": _mapping(mapping),
        "nulls": nulls.value,
        "result_key": result_key,
        "batch_size": batch_size,
        "api_budget": api_budget,
        "new_run": new_run,
        "lock_timeout_s": lock_timeout,
    }
    place = _Place(username, db_connect, schema, lock_timeout)
    return _write(screen, place, _Rows("insert", sobject, query, sql, None), given, dry_run=dry_run)


def retl_update(
    screen: Screen,
    *,
    sobject: options.Sobject,
    query: QueryFile = None,
    sql: Sql = None,
    field: IdField = "Id",
    mapping: Map = None,
    nulls: NullsFlag = NullsOption.IGNORE,
    only_changed: OnlyChanged = False,
    compare: Compare = None,
    if_unchanged_since_sync: IfUnchanged = False,
    baseline: Baseline = None,
    no_undo: NoUndo = False,
    batch_size: BatchSize = None,
    api_budget: options.ApiBudget = 80.0,
    new_run: NewRun = False,
    dry_run: options.DryRun = False,
    lock_timeout: options.LockTimeout = 10.0,
    schema: Schema = None,
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Change the records that the rows of a query name by Id."""
    given = {
        "mapping": _mapping(mapping),
        "nulls": nulls.value,
        "only_changed": only_changed,
        "compare_org": compare is Against.ORG,
        "if_unchanged_since_sync": if_unchanged_since_sync,
        "baseline": baseline,
        "undo": not no_undo,
        "batch_size": batch_size,
        "api_budget": api_budget,
        "new_run": new_run,
        "lock_timeout_s": lock_timeout,
    }
    place = _Place(username, db_connect, schema, lock_timeout)
    return _write(screen, place, _Rows("update", sobject, query, sql, field), given, dry_run=dry_run)


def retl_upsert(
    screen: Screen,
    *,
    sobject: options.Sobject,
    query: QueryFile = None,
    sql: Sql = None,
    field: MatchField,
    mapping: Map = None,
    nulls: NullsFlag = NullsOption.IGNORE,
    only_changed: OnlyChanged = False,
    compare: Compare = None,
    if_unchanged_since_sync: IfUnchanged = False,
    baseline: Baseline = None,
    insert_missing: InsertMissing = False,
    result_key: ResultKey = None,
    no_undo: NoUndo = False,
    batch_size: BatchSize = None,
    api_budget: options.ApiBudget = 80.0,
    new_run: NewRun = False,
    dry_run: options.DryRun = False,
    lock_timeout: options.LockTimeout = 10.0,
    schema: Schema = None,
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Change records by a key; create the others."""
    given = {
        "mapping": _mapping(mapping),
        "nulls": nulls.value,
        "only_changed": only_changed,
        "compare_org": compare is Against.ORG,
        "if_unchanged_since_sync": if_unchanged_since_sync,
        "baseline": baseline,
        "insert_missing": insert_missing,
        "result_key": result_key,
        "undo": not no_undo,
        "batch_size": batch_size,
        "api_budget": api_budget,
        "new_run": new_run,
        "lock_timeout_s": lock_timeout,
    }
    place = _Place(username, db_connect, schema, lock_timeout)
    return _write(screen, place, _Rows("upsert", sobject, query, sql, field), given, dry_run=dry_run)


def retl_delete(
    screen: Screen,
    *,
    sobject: options.Sobject,
    query: QueryFile = None,
    sql: Sql = None,
    field: IdField = "Id",
    mapping: Map = None,
    if_unchanged_since_sync: IfUnchanged = False,
    baseline: Baseline = None,
    max_deletes: MaxDeletes = 10_000,
    yes: Yes = False,
    no_undo: NoUndo = False,
    batch_size: BatchSize = None,
    api_budget: options.ApiBudget = 80.0,
    new_run: NewRun = False,
    dry_run: options.DryRun = False,
    lock_timeout: options.LockTimeout = 10.0,
    schema: Schema = None,
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Delete the records that the rows of a query name by Id. On a terminal it asks first."""
    given = {
        "mapping": _mapping(mapping),
        "if_unchanged_since_sync": if_unchanged_since_sync,
        "baseline": baseline,
        "max_deletes": max_deletes,
        "yes": yes,
        "undo": not no_undo,
        "batch_size": batch_size,
        "api_budget": api_budget,
        "new_run": new_run,
        "lock_timeout_s": lock_timeout,
    }
    place = _Place(username, db_connect, schema, lock_timeout)
    return _write(screen, place, _Rows("delete", sobject, query, sql, field), given, dry_run=dry_run)


def retl_retry(
    screen: Screen,
    *,
    run_id: RunId,
    batch_size: BatchSize = None,
    api_budget: options.ApiBudget = 80.0,
    yes: Yes = False,
    new_run: NewRun = False,
    dry_run: options.DryRun = False,
    lock_timeout: options.LockTimeout = 10.0,
    schema: Schema = None,
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Send again only what failed in a run. Its query is run again, for the values as they are now."""
    from lht.app import reverse  # noqa: PLC0415 - `lht --help` needs none of it

    given = {"api_budget": api_budget, "yes": yes, "new_run": new_run, "lock_timeout_s": lock_timeout}
    chosen = given if batch_size is None else given | {"batch_size": batch_size}
    work = _Work(
        screen, lambda target: reverse.retry_of(target.warehouse, run_id, chosen), _asks_for_deletes(yes=yes)
    )
    return work.carry_out(_Place(username, db_connect, schema, lock_timeout), dry_run=dry_run)


def retl_undo(
    screen: Screen,
    *,
    run_id: RunId,
    recreate: Annotated[
        bool,
        typer.Option(
            "--recreate", help="Make records anew that can be had in no other way; they get new Ids."
        ),
    ] = False,
    api_budget: options.ApiBudget = 80.0,
    yes: Yes = False,
    new_run: NewRun = False,
    dry_run: options.DryRun = False,
    lock_timeout: options.LockTimeout = 10.0,
    schema: Schema = None,
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Put back what a run changed. On a terminal it asks first."""
    from lht.app import reverse  # noqa: PLC0415

    given = {
        "recreate": recreate,
        "api_budget": api_budget,
        "yes": yes,
        "new_run": new_run,
        "lock_timeout_s": lock_timeout,
    }
    work = _Work(
        screen, lambda target: reverse.undo_of(target.warehouse, run_id, given), lambda _plan: not yes
    )
    return work.carry_out(_Place(username, db_connect, schema, lock_timeout), dry_run=dry_run)


# ---- what was asked


def _query(file: str | None, sql: str | None) -> tuple[str, str]:
    """The query's text, and where it stands."""
    from lht.app import reverse  # noqa: PLC0415

    if file and sql:
        raise typer.BadParameter("give the query once: as a file, or as --sql", param_hint="--query")
    if file:
        return reverse.read_query(file, must_be_file=True)
    if sql:
        return sql, "--sql"
    raise typer.BadParameter("say which rows: with --query FILE.sql, or with --sql", param_hint="--query")


def _mapping(given: list[str] | None) -> dict[str, str]:
    """Reads `COLUMN=Field`; a column goes to one field."""
    found: dict[str, str] = {}
    for pair in given or ():
        column, separator, field = (part.strip() for part in pair.partition("="))
        if not column or not separator or not field:
            raise typer.BadParameter(f"{pair!r} is not COLUMN=Field", param_hint="--map")
        if column.lower() in {known.lower() for known in found}:
            raise typer.BadParameter(f"it names the column {column} twice", param_hint="--map")
        found[column] = field
    return found


@dataclass(frozen=True, slots=True)
class _Place:
    """Which org and which warehouse."""

    username: str | None
    db_connect: str | None
    schema: str | None
    lock_timeout_s: float

    @contextmanager
    def opened(self) -> Iterator[tuple[Org, Target]]:
        from lht.app import access  # noqa: PLC0415

        settings = access.settings_here()
        with (
            access.open_org(settings, self.username) as org,
            access.open_target(
                settings, self.db_connect, schema=self.schema, lock_timeout_s=self.lock_timeout_s
            ) as target,
        ):
            yield org, target


@dataclass(frozen=True, slots=True)
class _Rows:
    """Which rows, and what is done with them."""

    operation: str
    sobject: str
    file: str | None
    sql: str | None
    field: str | None

    def request(self, given: Mapping[str, Any]) -> RetlRequest:
        from lht.app import reverse  # noqa: PLC0415

        query = _query(self.file, self.sql)
        return reverse.request_for(self.operation, self.sobject, query, match_field=self.field, options=given)


def _write(screen: Screen, place: _Place, rows: _Rows, given: Mapping[str, Any], *, dry_run: bool) -> Answer:
    from lht.app import reverse  # noqa: PLC0415

    request = rows.request(given)
    work = _Work(screen, lambda _target: reverse.task_of(request), _asks_for_deletes(yes=request.options.yes))
    return work.carry_out(place, dry_run=dry_run)


def _asks_for_deletes(*, yes: bool) -> Callable[[RetlPlan], bool]:
    return lambda plan: plan.operation.value == "delete" and not yes


@dataclass(frozen=True, slots=True)
class _Work:
    """One run to be planned or done. `asks`: whether somebody must agree to a plan."""

    screen: Screen
    task: Callable[[Target], Task]
    asks: Callable[[RetlPlan], bool]

    def carry_out(self, place: _Place, *, dry_run: bool) -> Answer:
        """Plans or does it."""
        from lht.app import access, reverse  # noqa: PLC0415

        command, work_dir = self.screen.words[0], access.work_directory(access.settings_here())
        with place.opened() as (org, target), self.screen.progress() as watch:
            self.screen.note(target.note)
            task = self.task(target)
            setting = reverse.setting_for(
                command, work_dir, confirm=self._confirm(org, watch), on_event=watch
            )
            if dry_run:
                return retl_render.plan(reverse.plan(org, target.warehouse, task, setting), self.screen.words)
            with self._told_if_interrupted():
                result = reverse.run(org, target.warehouse, task, setting)
            rows_table = reverse.rows_table(target.warehouse)
        return retl_render.result(result, self.screen.words, rows_table=rows_table)

    def _confirm(self, org: Org, watch: Watch) -> Callable[[RetlPlan], bool]:
        def confirm(plan: RetlPlan) -> bool:
            if not self.asks(plan):
                return True
            question = retl_render.question(plan, self.screen.words, org.username or org.instance_url)
            if not sys.stdin or not sys.stdin.isatty():
                self.screen.note(question)
                return True
            with watch.hidden():
                return _agrees(question)

        return confirm

    @contextmanager
    def _told_if_interrupted(self) -> Iterator[None]:
        try:
            yield
        except KeyboardInterrupt as stopped:
            told = "What was sent is recorded; the same command resumes from there."
            self.screen.note(NOTHING_SENT if NOTHING_SENT in stopped.args else told)
            raise


def _agrees(question: str) -> bool:
    """Asks on the terminal; where the question could not be seen, the answer is no."""
    from lht.cli.person import ask  # noqa: PLC0415
    from lht.errors import AuthError, PlanRefusedError  # noqa: PLC0415

    if not sys.stderr.isatty():
        raise PlanRefusedError(
            "Somebody should be asked, but stderr is no terminal; nothing was sent.",
            hint="Say so with --yes.",
        )
    try:
        return ask(f"{question} Go on? [y/N] ").strip().lower() in {"y", "yes"}
    except AuthError:  # the input ended
        return False
    except KeyboardInterrupt:
        raise KeyboardInterrupt(NOTHING_SENT) from None
