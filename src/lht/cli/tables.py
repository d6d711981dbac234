"""Commands that create tables and keep them in step."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from lht.cli import options, render
from lht.cli.answer import Answer
from lht.cli.screen import Screen

if TYPE_CHECKING:
    from lht.app.access import Target
    from lht.config.settings import Settings
    from lht.model.sync import SyncOptions, SyncRequest
    from lht.sfdc.org import Org


class Deletes(StrEnum):
    """The words of `model.sync.DeletePolicy`, for help."""

    MARK = "mark"
    REMOVE = "remove"
    KEEP = "keep"


def create(
    screen: Screen,
    *,
    sobject: options.Sobject,
    table: options.Table,
    schema: options.Schema = None,
    dry_run: options.DryRun = False,
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Create a table that mirrors an object. An existing one is compared, never changed."""
    from lht.app import access, tables  # noqa: PLC0415

    settings = access.settings_here()
    with (
        access.open_org(settings, username) as org,
        access.open_target(settings, db_connect, schema=schema) as target,
    ):
        screen.note(target.note)
        types = access.overrides(settings)
        result = tables.create(
            org, target.warehouse, sobject, table, schema=target.schema, dry_run=dry_run, overrides=types
        )
    return render.created(result, dry_run=dry_run)


def _moment(text: str) -> datetime:
    """Reads a time as people write it; UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write it like '2024-01-01 00:00:00' (UTC)") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def sync(
    screen: Screen,
    *,
    sobject: Annotated[
        list[str] | None,
        typer.Option("--sobject", metavar="OBJECT", help="The object; may be given several times."),
    ] = None,
    all_objects: Annotated[
        bool, typer.Option("--all", help="Every object that can be kept in step.")
    ] = False,
    table: Annotated[
        str | None, typer.Option("--table", metavar="TABLE", help="The table, for one object.")
    ] = None,
    table_prefix: Annotated[
        str,
        typer.Option("--table_prefix", metavar="TEXT", help="For several objects: goes before their names."),
    ] = "",
    schema: options.Schema = None,
    sync_field: Annotated[
        str, typer.Option("--sync_field", metavar="FIELD", help="The field that identifies a record.")
    ] = "Id",
    lastmodifieddate: Annotated[
        datetime | None,
        typer.Option(
            "--lastmodifieddate",
            metavar="TIME",
            parser=_moment,
            help="Read what changed since then, such as '2024-01-01 00:00:00' (UTC).",
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Read every record again.")] = False,
    where: Annotated[
        str | None, typer.Option("--where", metavar="SOQL", help="Only records that meet this condition.")
    ] = None,
    fields: options.Fields = None,
    exclude: options.Exclude = None,
    deletes: Annotated[
        Deletes, typer.Option("--deletes", help="What happens to rows of deleted records.")
    ] = Deletes.MARK,
    refresh_formulas: Annotated[
        bool, typer.Option("--refresh_formulas", help="Also read the formula fields of all records.")
    ] = False,
    batch_size: Annotated[
        int | None,
        typer.Option("--batch_size", metavar="N", min=1, help="Rows in each download, one after the other."),
    ] = None,
    parallel: Annotated[
        int, typer.Option("--parallel", metavar="N", min=1, help="How many objects at a time.")
    ] = 3,
    allow_deletes: Annotated[
        int | None,
        typer.Option(
            "--allow_deletes", metavar="N", min=0, help="Let a full sync mark or remove up to so many rows."
        ),
    ] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Trust the rows of a table that LHT did not fill.")
    ] = False,
    rebind: Annotated[
        bool, typer.Option("--rebind", help="Let the table follow another org than before, from the start.")
    ] = False,
    cursor: Annotated[
        str | None, typer.Option("--cursor", metavar="FIELD", help="The field that tells what changed.")
    ] = None,
    lock_timeout: options.LockTimeout = 10.0,
    dry_run: options.DryRun = False,
    username: options.Username = None,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Bring tables in step with their objects. Without --sobject, those of lht.toml."""
    from lht.model.sync import DeletePolicy, SyncOptions  # noqa: PLC0415 - `lht --help` needs no model

    wanted = SyncOptions(
        full=full,
        where=where,
        fields=options.split(fields),
        exclude=options.split(exclude),
        deletes=DeletePolicy(deletes.value),
        lastmodifieddate=lastmodifieddate,
        batch_size=batch_size,
        refresh_formulas=refresh_formulas,
        allow_deletes=allow_deletes,
        adopt=adopt,
        rebind=rebind,
        cursor=cursor,
        lock_timeout_s=lock_timeout,
    )
    asked = _Asked(
        names=tuple(sobject or ()),
        all_objects=all_objects,
        table=table,
        prefix=table_prefix,
        key=sync_field,
        options=wanted,
    )
    asked.check()
    from lht.app import access, syncing  # noqa: PLC0415

    settings = access.settings_here()
    with (
        access.open_org(settings, username) as org,
        access.open_target(settings, db_connect, schema=schema, lock_timeout_s=lock_timeout) as target,
    ):
        screen.note(target.note)
        requests = asked.requests(screen, settings, org, target)
        spool = access.spool_directory(settings)
        if dry_run:
            return render.plans(syncing.plan_objects(org, target.warehouse, requests, spool_dir=spool))
        with screen.progress() as on_event:
            result = syncing.sync_objects(
                org, target.warehouse, requests, spool_dir=spool, parallel=parallel, on_event=on_event
            )
    return render.synced(result)


class _Asked:
    """Which objects a `lht sync` is about."""

    def __init__(
        self,
        *,
        names: tuple[str, ...],
        all_objects: bool,
        table: str | None,
        prefix: str,
        key: str,
        options: SyncOptions,
    ) -> None:
        self._names = names
        self._all = all_objects
        self._table = table
        self._prefix = prefix
        self._key = key
        self._options = options

    def check(self) -> None:
        """Refuses options that contradict each other, before anything is opened."""
        if self._all and self._names:
            raise typer.BadParameter("it goes without --sobject", param_hint="--all")
        if self._table and (self._all or len(self._names) != 1):
            raise typer.BadParameter("it names the table of exactly one --sobject", param_hint="--table")
        if self._options.full and self._options.lastmodifieddate:
            raise typer.BadParameter("a full sync reads everything", param_hint="--lastmodifieddate")

    def requests(
        self, screen: Screen, settings: Settings, org: Org, target: Target
    ) -> tuple[SyncRequest, ...]:
        from dataclasses import replace  # noqa: PLC0415

        from lht.app import project, syncing  # noqa: PLC0415

        found = settings.project()
        options = replace(self._options, types=found.types)
        names = self._names
        if self._all:
            names, skipped = syncing.syncable_objects(org)
            for name, reason in skipped.items():
                screen.note(f"skipped {name}: it {reason}")
        if not names:
            return project.project_requests(found, target.warehouse, schema=target.schema, flags=options)
        return syncing.requests_for(
            names,
            table=self._table,
            table_prefix=self._prefix,
            schema=target.schema,
            key=self._key,
            options=options,
        )


def runs(
    screen: Screen,
    *,
    run_id: Annotated[str | None, typer.Option("--run_id", metavar="ID", help="Only this run.")] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="How many, newest first.")] = 20,
    db_connect: options.DbConnect = None,
) -> Answer:
    """Show past runs, newest first."""
    from lht.app import access, history  # noqa: PLC0415

    with access.open_target(access.settings_here(), db_connect) as target:
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

    with access.open_target(access.settings_here(), db_connect, schema=schema) as target:
        screen.note(target.note)
        result = history.reset(target.warehouse, table, schema=target.schema)
    told = "forgotten; its next sync is full" if result.known else "LHT remembered nothing of it"
    return Answer(result, [f"{result.table}: {told}."])
