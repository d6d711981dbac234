"""Writing to Salesforce from what a user asked: where the query stands, which options go together, who is told."""

from __future__ import annotations

from dataclasses import fields as fields_of
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lht.app.syncing import new_run_id
from lht.errors import ConfigError, RowsFailedError
from lht.mapping.names import nearest
from lht.model.retl import Nulls, Operation, RetlOptions, RetlRequest

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from lht.model.retl import RetlEvent, RetlPlan, RetlResult
    from lht.retl.engine import Setting
    from lht.retl.planning import Task
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse

    Query = str | os.PathLike[str]

ID = "Id"
FILES_LIFE = timedelta(days=7)
"""What a killed run left of its work is removed after so long; nothing in it is needed to go on."""

_CHANGING = frozenset({Operation.UPDATE, Operation.UPSERT})
_WRITING = _CHANGING | {Operation.INSERT}
_KEYED = _CHANGING | {Operation.DELETE}
_GOES_WITH: Mapping[str, frozenset[Operation]] = {
    "nulls": _WRITING,
    "only_changed": _CHANGING,
    "compare_org": _CHANGING,
    "if_unchanged_since_sync": _KEYED,
    "baseline": _KEYED,
    "insert_missing": frozenset({Operation.UPSERT}),
    "max_deletes": frozenset({Operation.DELETE}),
    "undo": _KEYED,
    "result_key": frozenset({Operation.INSERT, Operation.UPSERT}),
    "recreate": frozenset(),
}
"""Options that not every operation has a use for. One that is given in vain would promise what is not done."""
_OF_A_REPAIR = frozenset(
    {
        "recreate",
        "batch_size",
        "max_deletes",
        "yes",
        "api_budget",
        "undo",
        "new_run",
        "lock_timeout_s",
        "job_timeout_s",
    }
)
"""What may be said anew of a run that is retried or undone."""


def read_query(query: Query, *, must_be_file: bool = False) -> tuple[str, str]:
    """Gives a query's text, and what people call it: the file's name, or `the query`.

    A path is an `os.PathLike`, a text without blanks that ends in `.sql`, or the name of a file that is there.
    """
    if isinstance(query, str) and not must_be_file and not _is_path(query):
        return _filled(query, "The query"), "the query"
    path = Path(query)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8 text.", hint="Save it as UTF-8.") from None
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"The query's file {_shown(query)} cannot be read: {_reason(error)}.", hint=_file_hint(query)
        ) from None
    return _filled(text, str(path)), str(path)


def _is_path(query: str) -> bool:
    if not query.split() or len(query.split()) > 1:
        return bool(query.strip()) and "\n" not in query and _is_file(query)
    return query.lower().endswith(".sql") or _is_file(query)


def _is_file(name: str) -> bool:
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL
        return False


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _shown(query: Query) -> str:
    text = " ".join(str(query).split())
    return text if len(text) <= 80 else f"{text[:80]}…"  # noqa: PLR2004 - a line


def _file_hint(query: Query) -> str:
    if len(str(query).split()) > 1 and str(query).split()[0].upper() in {"SELECT", "WITH"}:
        return "That is SQL, not a file: give it with --sql."
    return f"It is looked for from {Path.cwd()}. SQL itself goes with --sql."


def _filled(text: str, source: str) -> str:
    if not text.strip().strip(";").strip():
        raise ConfigError(f"{source} is empty.", hint="It is one SELECT statement.")
    return text


def options_from(operation: Operation | None, given: Mapping[str, Any]) -> RetlOptions:
    """Checks names and values of options. `operation` None: those of a retry or an undo."""
    known = [field.name for field in fields_of(RetlOptions)]
    for name in given:
        if name not in known:
            raise ConfigError(
                f"There is no option '{name}'.", hint=nearest(name, known) or f"There is {', '.join(known)}."
            )
    options = replace(RetlOptions(), **given)
    _check_values(options)
    if operation is not None:
        _check_use(operation, options)
    return replace(
        options, nulls=Nulls(options.nulls), only_changed=options.only_changed or options.compare_org
    )


def _check_values(options: RetlOptions) -> None:
    if options.nulls not in set(Nulls):
        raise ConfigError(f"nulls cannot be '{options.nulls}'.", hint=f"It is {' or '.join(Nulls)}.")
    for name, value, least in (
        ("batch_size", options.batch_size, 1),
        ("max_deletes", options.max_deletes, 0),
        ("api_budget", options.api_budget, 0),
    ):
        if value is not None and value < least:
            raise ConfigError(f"{name} cannot be {value}.", hint=f"It is {least} or more.")
    if options.api_budget > 100:  # noqa: PLR2004 - percent
        raise ConfigError(
            f"api_budget cannot be {options.api_budget}.", hint="It is a percentage, up to 100."
        )


def _check_use(operation: Operation, options: RetlOptions) -> None:
    defaults = RetlOptions()
    for name, operations in _GOES_WITH.items():
        if operation not in operations and getattr(options, name) != getattr(defaults, name):
            raise ConfigError(
                f"{name} has no meaning for {operation.value}.",
                hint=f"It goes with {', '.join(sorted(operations)) or 'an undo'}.",
            )
    if options.baseline and not options.if_unchanged_since_sync:
        raise ConfigError(
            "baseline is given without if_unchanged_since_sync.", hint="Add it: it needs the table."
        )


def request_for(
    operation: str,
    sobject: str,
    query: tuple[str, str],
    *,
    match_field: str | None,
    options: Mapping[str, Any],
) -> RetlRequest:
    """Asks for one operation with a query as `read_query` gives it; `options` are fields of `RetlOptions`."""
    if operation not in {*_WRITING, Operation.DELETE}:
        raise ConfigError(
            f"There is no operation '{operation}'.", hint="It is insert, update, upsert or delete."
        )
    verb = Operation(operation)
    text, source = query
    field = _match_field(verb, match_field)
    return RetlRequest(verb, sobject, text, field, source, options_from(verb, options))


def _match_field(operation: Operation, given: str | None) -> str | None:
    """Updates and deletions of Salesforce's Bulk API find records by Id alone."""
    if operation is Operation.INSERT:
        if given:
            raise ConfigError(
                "An insert finds no records, so it has no match field.", hint="Leave it out, or use upsert."
            )
        return None
    if operation is Operation.UPSERT:
        if not given:
            raise ConfigError(
                "An upsert needs the field that finds records.", hint="Name an external id, or Id."
            )
        return given.strip()
    if given and given.strip().lower() != ID.lower():
        way = (
            "Use upsert to match by another field."
            if operation is Operation.UPDATE
            else ("Select the Ids, such as by a join with the synced table.")
        )
        raise ConfigError(
            f"Salesforce finds the records of {_article(operation)} by Id, not by {given}.", hint=way
        )
    return ID


def _article(operation: Operation) -> str:
    return "an update" if operation is Operation.UPDATE else "a deletion"


def _nothing(_event: RetlEvent) -> None:
    pass


def _agree(_plan: RetlPlan) -> bool:
    return True


def setting_for(
    command: str,
    work_dir: Path,
    *,
    confirm: Callable[[RetlPlan], bool] = _agree,
    on_event: Callable[[RetlEvent], None] = _nothing,
) -> Setting:
    """How a run works. Clears what runs left that were killed long ago."""
    from lht.records.spool import remove_forgotten  # noqa: PLC0415
    from lht.retl.engine import Setting  # noqa: PLC0415

    remove_forgotten(work_dir, before=datetime.now(UTC) - FILES_LIFE)
    return Setting(new_run_id(), command, work_dir, confirm=confirm, on_event=on_event)


def task_of(request: RetlRequest) -> Task:
    """The work of writing a query's rows."""
    from lht.retl.planning import query_task  # noqa: PLC0415 - the engines bring pyarrow

    return query_task(request)


def retry_of(warehouse: Warehouse, run_id: str, given: Mapping[str, Any]) -> Task:
    """The work of sending again what failed in a run, with the values that its query gives now."""
    from lht.retl.retry import retry_task  # noqa: PLC0415
    from lht.state.retl_store import RetlState  # noqa: PLC0415

    return _with(retry_task(RetlState(warehouse), run_id), given)


def undo_of(warehouse: Warehouse, run_id: str, given: Mapping[str, Any]) -> Task:
    """The work of putting back what a run changed; `recreate`: also what can only be made anew, with a new Id."""
    from lht.retl.undo import undo_task  # noqa: PLC0415
    from lht.state.retl_store import RetlState  # noqa: PLC0415

    recreate = bool(given.get("recreate", False))
    return _with(undo_task(RetlState(warehouse), run_id, recreate=recreate), given)


def _with(task: Task, given: Mapping[str, Any]) -> Task:
    """Lays what was given now over the options of the run that is retried or undone."""
    options_from(None, given)
    for name in given:
        if name not in _OF_A_REPAIR:
            raise ConfigError(
                f"{name} cannot be chosen anew: a retry and an undo go by what their run was asked.",
                hint=f"What can be is {', '.join(sorted(_OF_A_REPAIR))}.",
            )
    options = replace(task.request.options, **given)
    return replace(task, request=replace(task.request, options=options))


def run(org: Org, warehouse: Warehouse, task: Task, setting: Setting) -> RetlResult:
    """Does the work; rows that failed are in the result."""
    from lht.retl import engine  # noqa: PLC0415

    return engine.run_retl(org, warehouse, task, setting)


def plan(org: Org, warehouse: Warehouse, task: Task, setting: Setting) -> RetlPlan:
    """Plans the same work and changes nothing; a plan with mistakes is refused as the run would be."""
    from lht.retl import engine  # noqa: PLC0415

    return _sound(engine.plan_retl(org, warehouse, task, setting))


def _sound(found: RetlPlan) -> RetlPlan:
    from lht.retl.planning import refusal  # noqa: PLC0415

    if found.mistakes:
        raise refusal(found)
    return found


def raise_failures(result: RetlResult) -> None:
    """Raises where a row was not written; the result, and the table of row results, tell which."""
    if result.is_whole:
        return
    fates = {
        "failed": result.rows_failed,
        "were not processed": result.rows_unprocessed,
        "have an unknown fate": result.rows_unknown,
        "were left alone as conflicts": result.rows_conflicting,
    }
    told = ", ".join(f"{rows:,} {fate}" for fate, rows in fates.items() if rows)
    raise RowsFailedError(
        f"{result.object}: of {result.rows_selected:,} rows {told}.",
        hint=f"What became of each is in row_results, under run {result.run_id}.",
        result=result,
    )


def rows_table(warehouse: Warehouse) -> str:
    """Where every row's fate stands, as SQL names it."""
    from lht.state.names import state_names  # noqa: PLC0415
    from lht.state.tables import ROW_RESULTS  # noqa: PLC0415

    found = state_names(warehouse, None).table(ROW_RESULTS)
    return f"{found.schema}.{found.name}"
