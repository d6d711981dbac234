"""Commands for queries and Bulk jobs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lht.cli import options, render
from lht.cli.answer import Answer
from lht.cli.exits import exit_of
from lht.cli.screen import Screen

if TYPE_CHECKING:
    from lht.config.settings import Settings
    from lht.model.operations import QueryJob
    from lht.model.salesforce import BulkJob
    from lht.sfdc.org import Org


class RowFormat(StrEnum):
    """How a REST query's rows are printed."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


def query(
    screen: Screen,
    *,
    bapi20: Annotated[bool, typer.Option("--bapi20", help="Submit a Bulk API 2.0 query job.")] = False,
    sobject: Annotated[
        str | None, typer.Option("--sobject", metavar="OBJECT", help="The object to query.")
    ] = None,
    soql: Annotated[
        str | None, typer.Option("--soql", metavar="SOQL", help="The query, instead of all fields.")
    ] = None,
    where: options.Where = None,
    fields: options.Fields = None,
    include_deleted: Annotated[
        bool, typer.Option("--include_deleted", help="Deleted and archived records too.")
    ] = False,
    wait: options.Wait = False,
    output: Annotated[
        Path | None,
        typer.Option("--output", metavar="FILE", help="With --bapi20: a .csv or .parquet file for the rows."),
    ] = None,
    row_format: Annotated[
        RowFormat, typer.Option("--format", help="Without --bapi20: how rows are printed.")
    ] = RowFormat.TABLE,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, max=2000, help="Without --bapi20: rows to print.")
    ] = 100,
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Query the org. With --bapi20 a Bulk job is submitted, else rows are printed."""
    asked = {
        "query": soql,
        "where": where,
        "fields": options.split(fields),
        "include_deleted": include_deleted,
    }
    _check_query(sobject, soql, where=where, bapi20=bapi20, output=output)
    from lht.app import access, bulk, querying  # noqa: PLC0415

    settings = access.settings_here()
    capabilities = access.capabilities_of(settings, db_connect)
    with access.open_org(settings, username) as org:
        if not bapi20:
            found = querying.rest_query(org, sobject, limit=limit, capabilities=capabilities, **asked)  # type: ignore[arg-type]  # options by name
            return render.rows(found, "json" if screen.as_json else row_format.value)
        if output:
            bulk.check_output(output)
        job = bulk.submit_query(org, sobject or "", capabilities=capabilities, **asked)  # type: ignore[arg-type]  # options by name
        if not wait and not output:
            return render.submitted(job)
        screen.note(f"Submitted job {job.job_id}.")
        return render.submitted(_finish(screen, settings, org, job, output=output, db_connect=db_connect))


def _check_query(
    sobject: str | None, soql: str | None, *, where: str | None, bapi20: bool, output: Path | None
) -> None:
    if sobject is None and (bapi20 or soql is None):
        raise typer.BadParameter("say which object", param_hint="--sobject")
    if soql and where:
        raise typer.BadParameter("put the condition into --soql", param_hint="--where")
    if output and not bapi20:
        raise typer.BadParameter("it goes with --bapi20", param_hint="--output")


def _finish(
    screen: Screen,
    settings: Settings,
    org: Org,
    job: QueryJob,
    *,
    output: Path | None,
    db_connect: str | None,
) -> QueryJob:
    """Follows a submitted job to its end and writes its rows, if a file was named."""
    from dataclasses import replace  # noqa: PLC0415

    from lht.app import access, bulk  # noqa: PLC0415

    with render.job_progress(screen) as on_state:
        ended = bulk.follow(org, job.job_id, on_state=on_state)
    if output is None:
        return replace(job, state=ended.state.value, rows=ended.records)
    return bulk.write_results(
        org,
        ended,
        output,
        spool_dir=access.spool_directory(settings),
        overrides=access.overrides(settings),
        capabilities=access.capabilities_of(settings, db_connect),
    )


def bulk_status(
    screen: Screen,
    *,
    job_id: options.JobId,
    wait: options.Wait = False,
    username: options.Username = None,
) -> Answer:
    """Show the state of a Bulk API 2.0 job."""
    from lht.app import access, bulk  # noqa: PLC0415
    from lht.errors import BulkJobError  # noqa: PLC0415

    with access.open_org(access.settings_here(), username) as org:
        if not wait:
            return render.job(bulk.bulk_status(org, job_id))
        try:
            with render.job_progress(screen) as on_state:
                return render.job(bulk.follow(org, job_id, on_state=on_state))
        except BulkJobError as error:
            return render.job(bulk.bulk_status(org, job_id), exit_of(type(error)))


def bulk_results(
    screen: Screen,
    *,
    job_id: options.JobId,
    sobject: options.Sobject,
    table: options.Table,
    schema: options.Schema = None,
    append: Annotated[
        bool, typer.Option("--append", help="Add to the table's rows; replace nothing.")
    ] = False,
    wait: options.Wait = False,
    lock_timeout: options.LockTimeout = 10.0,
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Load a query job's rows into a table. They replace what it holds."""
    from lht.app import access, bulk, loading, syncing  # noqa: PLC0415

    settings = access.settings_here()
    with (
        access.open_org(settings, username) as org,
        access.open_target(settings, db_connect, schema=schema, lock_timeout_s=lock_timeout) as target,
        render.job_progress(screen) as on_state,
    ):
        screen.note(target.note)
        name = target.warehouse.table_name(table, target.schema)
        loader = loading.Loader(target.warehouse, name, syncing.new_run_id(), append, lock_timeout)
        result = bulk.bulk_results(
            org,
            loader,
            job_id,
            sobject,
            wait=wait,
            spool_dir=access.spool_directory(settings),
            overrides=access.overrides(settings),
            on_state=on_state,
        )
    return render.loaded(result)


def results(
    screen: Screen,
    *,
    job_id: options.JobId,
    table: options.Table,
    schema: options.Schema = None,
    wait: options.Wait = False,
    lock_timeout: options.LockTimeout = 10.0,
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Load what became of the rows of a job that wrote to Salesforce. Rows of other jobs stay."""
    from lht.app import access, syncing  # noqa: PLC0415
    from lht.app import results as reading  # noqa: PLC0415

    settings = access.settings_here()
    with (
        access.open_org(settings, username) as org,
        access.open_target(settings, db_connect, schema=schema, lock_timeout_s=lock_timeout) as target,
        render.job_progress(screen) as on_state,
    ):
        screen.note(target.note)
        name = target.warehouse.table_name(table, target.schema)
        loader = reading.loader(target.warehouse, name, syncing.new_run_id(), lock_timeout_s=lock_timeout)
        result = reading.load_results(
            org, loader, job_id, wait=wait, work_dir=access.spool_directory(settings), on_state=on_state
        )
    return render.results(result)


def jobs(
    screen: Screen,  # noqa: ARG001
    *,
    state: Annotated[
        str | None,
        typer.Option("--state", metavar="STATE", help="Only jobs in this state, such as InProgress."),
    ] = None,
    abort: Annotated[
        list[str] | None, typer.Option("--abort", metavar="ID", help="Stop a job that has not ended.")
    ] = None,
    delete: Annotated[
        list[str] | None, typer.Option("--delete", metavar="ID", help="Remove an ended job and its results.")
    ] = None,
    username: options.Username = None,
) -> Answer:
    """List the org's Bulk jobs; stop or remove some."""
    from lht.app import access, history  # noqa: PLC0415

    with access.open_org(access.settings_here(), username) as org:
        notes = [f"Aborted {history.abort_job(org, job_id).id}." for job_id in abort or ()]
        for job_id in delete or ():
            history.delete_job(org, job_id)
            notes.append(f"Deleted {job_id}.")
        found: tuple[BulkJob, ...] = history.jobs(org, state=state)
    return render.jobs(found, notes)
