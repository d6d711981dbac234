"""Commands that create tables and look back at what was done to them."""

from __future__ import annotations

from typing import Annotated

import typer

from lht.cli import options, render
from lht.cli.answer import Answer
from lht.cli.screen import Screen

LONGEST_DAYS = 5
"""Digits of a number of days; more would leave the calendar."""


def create(
    screen: Screen,
    *,
    sobject: options.Sobject,
    table: options.Table,
    schema: options.Schema = None,
    transient: Annotated[
        bool, typer.Option("--transient", help="Snowflake: a TRANSIENT table, without Fail-safe.")
    ] = False,
    cluster_by: Annotated[
        str | None,
        typer.Option(
            "--cluster_by",
            metavar="(A,B)",
            help="Snowflake: its CLUSTER BY, such as '(CREATEDDATE, OWNERID)'.",
        ),
    ] = None,
    retention_days: Annotated[
        int | None,
        typer.Option(
            "--retention_days",
            metavar="DAYS",
            help="Snowflake: its DATA_RETENTION_TIME_IN_DAYS (Time Travel).",
        ),
    ] = None,
    live_view: Annotated[
        bool, typer.Option("--live_view", help="Make the view <TABLE>_LIVE, too: rows that are not deleted.")
    ] = False,
    dry_run: options.DryRun = False,
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Create a table that mirrors an object. An existing one is compared, never changed."""
    from lht.app import access, tables  # noqa: PLC0415
    from lht.mapping.table_options import check_capability  # noqa: PLC0415
    from lht.model.table import TableOptions  # noqa: PLC0415

    settings = access.settings_here()
    asked = TableOptions(transient, cluster_by or "", retention_days)
    check_capability(asked, access.capabilities_of(settings, db_connect))  # before a login, or a file is made
    with (
        access.open_org(settings, username) as org,
        access.open_target(settings, db_connect, schema=schema) as target,
    ):
        screen.note(target.note)
        types = access.overrides(settings)
        result = tables.create(
            org,
            target.warehouse,
            sobject,
            table,
            schema=target.schema,
            dry_run=dry_run,
            overrides=types,
            options=asked,
            live_view=live_view,
        )
    return render.created(result, dry_run=dry_run)


def runs(
    screen: Screen,
    *,
    run_id: Annotated[str | None, typer.Option("--run_id", metavar="ID", help="Only this run.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many, newest first.")] = 20,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Show past runs, newest first."""
    from lht.app import access, history  # noqa: PLC0415

    settings = access.settings_here()
    if missing := access.missing_file(settings, db_connect):
        screen.note(f"{missing} does not exist.")
        return render.runs([])
    with access.open_target(settings, db_connect) as target:
        screen.note(target.note)
        return render.runs(history.runs(target.warehouse, run_id=run_id, limit=limit))


def reset(
    screen: Screen,
    *,
    table: options.Table,
    schema: options.Schema = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Forget where a table stands. Its next sync is full; its rows stay."""
    from lht.app import access, history  # noqa: PLC0415
    from lht.errors import ConfigError  # noqa: PLC0415

    settings = access.settings_here()
    if missing := access.missing_file(settings, db_connect):
        raise ConfigError(
            f"{missing} does not exist.", hint="Nothing was synced into it. Is --db_connect right?"
        )
    with access.open_target(settings, db_connect, schema=schema) as target:
        screen.note(target.note)
        result = history.reset(target.warehouse, table, schema=target.schema)
    told = "forgotten; its next sync is full" if result.known else "LHT remembered nothing of it"
    return Answer(result, [f"{result.table}: {told}."])


def prune(
    screen: Screen,
    *,
    older_than: Annotated[
        str, typer.Option("--older_than", metavar="DAYS", help="Of runs that began so long ago, such as 90d.")
    ],
    dry_run: options.DryRun = False,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Drop what is remembered of single rows of old reverse ETL runs. They can then not be undone."""
    from lht.app import access, history  # noqa: PLC0415
    from lht.errors import ConfigError  # noqa: PLC0415

    days = _days(older_than)
    settings = access.settings_here()
    if missing := access.missing_file(settings, db_connect):
        raise ConfigError(
            f"{missing} does not exist.", hint="Nothing is remembered there. Is --db_connect right?"
        )
    with access.open_target(settings, db_connect) as target:
        screen.note(target.note)
        return render.pruned(history.prune(target.warehouse, older_than_days=days, dry_run=dry_run))


def _days(text: str) -> int:
    """Reads `90d`, or `90`."""
    number = text.strip().lower().removesuffix("d")
    if not (number.isascii() and number.isdigit() and len(number) <= LONGEST_DAYS):
        raise typer.BadParameter(
            f"{text!r} is no number of days; write it as 90d.", param_hint="--older_than"
        )
    return int(number)
