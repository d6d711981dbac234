"""The library's own verbs, in the words of the command line; `import lht` finds them when they are asked for."""

from __future__ import annotations

from dataclasses import fields as fields_of
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lht.app import access, reverse, syncing
from lht.config import orgs
from lht.config.settings import given_login
from lht.errors import ConfigError
from lht.mapping.names import nearest
from lht.mapping.types import parse_overrides
from lht.model.retl import Operation
from lht.model.sync import DeletePolicy, SyncOptions, SyncRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lht.app.reverse import Query
    from lht.model.retl import RetlPlan, RetlRequest, RetlResult
    from lht.model.sync import SyncEvent, SyncResult
    from lht.retl.engine import Setting
    from lht.sfdc.org import Org
    from lht.warehouse.port import Warehouse


def connect_org(
    username: str | None = None, *, access_token: str | None = None, instance_url: str | None = None
) -> Org:
    """Opens an org: a stored login, as `lht login` keeps it, or a token that you bring.

    Nothing is sent yet. The org is a context manager; close it, or leave the block.
    """
    settings = access.settings_here()
    if not access_token and not instance_url:
        return orgs.open_org(settings, username)
    if not access_token or not instance_url:
        raise ConfigError(
            "A token comes with its org.", hint="Pass access_token and instance_url, or neither."
        )
    return orgs.open_org(settings, login=given_login(access_token, instance_url, username=username or ""))


def connect_warehouse(
    db_connect: object = None, *, lock_timeout_s: float = access.LOCK_TIMEOUT_S
) -> Warehouse:
    """Opens a warehouse: a connection's name, a URL such as `duckdb:///lake.duckdb`, or a session of yours.

    A session is a Snowpark `Session`, a connection of Snowflake's connector or of DuckDB. It stays yours: no setting
    of it is changed, it must have no open transaction, and it is never closed.
    """
    if db_connect is None or isinstance(db_connect, str):
        return access.connect(access.settings_here(), db_connect, lock_timeout_s=lock_timeout_s).warehouse
    return access.warehouse_of(db_connect)


def sync_objects(
    org: Org,
    warehouse: Warehouse,
    objects: str | Sequence[str | SyncRequest],
    *,
    table: str | None = None,
    table_prefix: str = "",
    schema: str | None = None,
    sync_field: str = "Id",
    parallel: int = syncing.PARALLEL,
    on_event: Callable[[SyncEvent], None] = lambda _event: None,
    raise_failures: bool = True,
    types: Mapping[str, str] | None = None,
    **options: Any,
) -> SyncResult:
    """Brings tables in step with their objects. `options` are the fields of `lht.model.sync.SyncOptions`.

    One object that fails stops no other. When all have ended, the first failure is raised, unless
    `raise_failures` is False: then it is in the result's `failures`.
    """
    settings = access.settings_here()
    common = _options(options, types)
    _check_number("parallel", parallel, least=1)
    names = [objects] if isinstance(objects, str) else list(objects)
    requests = [
        name
        if isinstance(name, SyncRequest)
        else syncing.requests_for(
            [name], table=table, table_prefix=table_prefix, schema=schema, key=sync_field, options=common
        )[0]
        for name in names
    ]
    if table and len(requests) != 1:
        raise ConfigError("One table cannot hold several objects.", hint="Use table_prefix instead of table.")
    result = syncing.sync_objects(
        org,
        warehouse,
        requests,
        spool_dir=access.spool_directory(settings),
        parallel=parallel,
        on_event=on_event,
    )
    if result.failures and raise_failures:
        raise result.failures[0]
    return result


def _policy(word: str) -> DeletePolicy:
    if word not in set(DeletePolicy):
        raise ConfigError(f"deletes cannot be '{word}'.", hint=f"It is {', '.join(DeletePolicy)}.")
    return DeletePolicy(word)


def _names(given: str | Iterable[str]) -> tuple[str, ...]:
    """Takes a list of names, or a text with commas, as `--fields` does."""
    names = given.split(",") if isinstance(given, str) else given
    return tuple(name.strip() for name in names)


def _check_number(name: str, value: int | None, *, least: int) -> None:
    if value is not None and value < least:
        raise ConfigError(f"{name} cannot be {value}.", hint=f"It is {least} or more.")


def _options(given: Mapping[str, Any], types: Mapping[str, str] | None) -> SyncOptions:
    """Checks the names, and takes lists and words where options want tuples and policies."""
    known = [field.name for field in fields_of(SyncOptions)]
    for name in given:
        if name not in known:
            raise ConfigError(
                f"There is no option '{name}'.", hint=nearest(name, known) or f"There is {', '.join(known)}."
            )
    _check_number("batch_size", given.get("batch_size"), least=1)
    _check_number("allow_deletes", given.get("allow_deletes"), least=0)
    _check_number("api_budget", given.get("api_budget"), least=0)
    values = dict(given)
    for name in ("fields", "exclude"):
        if name in values:
            values[name] = _names(values[name])
    if "deletes" in values:
        values["deletes"] = _policy(values["deletes"])
    return replace(SyncOptions(), **values, types=parse_overrides(types or {}))


# ---- writing to Salesforce


def retl_insert(org: Org, warehouse: Warehouse, sobject: str, query: Query, **options: Any) -> RetlResult:
    """Creates a record for each row of a query: a path, or the SQL itself.

    `options` are the fields of `lht.model.retl.RetlOptions`, and three more: `on_event`, called with each step;
    `confirm`, called with the plan before anything is sent, which gives whether to go on; and `raise_failures`:
    rows that failed raise `RowsFailedError` at the end, unless it is False.
    """
    return _write(org, warehouse, _asked(Operation.INSERT, sobject, query, None, options), options)


def retl_update(
    org: Org, warehouse: Warehouse, sobject: str, query: Query, match_field: str = reverse.ID, **options: Any
) -> RetlResult:
    """Changes the records that the rows name by Id; further options as of `retl_insert`."""
    return _write(org, warehouse, _asked(Operation.UPDATE, sobject, query, match_field, options), options)


def retl_upsert(
    org: Org, warehouse: Warehouse, sobject: str, query: Query, match_field: str, **options: Any
) -> RetlResult:
    """Changes the records that `match_field` finds, and creates the others; further options as of `retl_insert`."""
    return _write(org, warehouse, _asked(Operation.UPSERT, sobject, query, match_field, options), options)


def retl_delete(
    org: Org, warehouse: Warehouse, sobject: str, query: Query, match_field: str = reverse.ID, **options: Any
) -> RetlResult:
    """Deletes the records that the rows name by Id; further options as of `retl_insert`."""
    return _write(org, warehouse, _asked(Operation.DELETE, sobject, query, match_field, options), options)


def retl_plan(  # noqa: PLR0917 - as the operations have them
    org: Org,
    warehouse: Warehouse,
    operation: str,
    sobject: str,
    query: Query,
    match_field: str | None = None,
    **options: Any,
) -> RetlPlan:
    """Tells what an operation would do, and changes nothing; `PlanRefusedError` where it would be refused."""
    task = reverse.task_of(_asked(operation, sobject, query, match_field, options))
    return reverse.plan(org, warehouse, task, _setting(f"retl_{operation}", options))


def retl_retry(org: Org, warehouse: Warehouse, run_id: str, **options: Any) -> RetlResult:
    """Sends what failed in a run again, with the values that its query gives now."""
    task = reverse.retry_of(warehouse, run_id, _own(options))
    return _done(reverse.run(org, warehouse, task, _setting("retl_retry", options)), options)


def retl_plan_retry(org: Org, warehouse: Warehouse, run_id: str, **options: Any) -> RetlPlan:
    """Tells what a retry would do, and changes nothing."""
    task = reverse.retry_of(warehouse, run_id, _own(options))
    return reverse.plan(org, warehouse, task, _setting("retl_retry", options))


def retl_undo(org: Org, warehouse: Warehouse, run_id: str, **options: Any) -> RetlResult:
    """Puts back what a run changed; with `recreate=True`, also what can only be made anew, with a new Id."""
    task = reverse.undo_of(warehouse, run_id, _own(options))
    return _done(reverse.run(org, warehouse, task, _setting("retl_undo", options)), options)


def retl_plan_undo(org: Org, warehouse: Warehouse, run_id: str, **options: Any) -> RetlPlan:
    """Tells what an undo would do, and changes nothing."""
    task = reverse.undo_of(warehouse, run_id, _own(options))
    return reverse.plan(org, warehouse, task, _setting("retl_undo", options))


_OF_THE_CALL = frozenset({"on_event", "confirm", "raise_failures"})
"""What a call may say besides the fields of `RetlOptions`."""


def _own(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in _OF_THE_CALL}


def _asked(
    operation: str, sobject: str, query: Query, match_field: str | None, options: Mapping[str, Any]
) -> RetlRequest:
    return reverse.request_for(
        operation, sobject, reverse.read_query(query), match_field=match_field, options=_own(options)
    )


def _setting(command: str, options: Mapping[str, Any]) -> Setting:
    work_dir = access.work_directory(access.settings_here())
    seams = {name: options[name] for name in ("on_event", "confirm") if name in options}
    return reverse.setting_for(command, work_dir, **seams)


def _write(org: Org, warehouse: Warehouse, request: RetlRequest, options: Mapping[str, Any]) -> RetlResult:
    setting = _setting(f"retl_{request.operation.value}", options)
    return _done(reverse.run(org, warehouse, reverse.task_of(request), setting), options)


def _done(result: RetlResult, options: Mapping[str, Any]) -> RetlResult:
    if options.get("raise_failures", True):
        reverse.raise_failures(result)
    return result
