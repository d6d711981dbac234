"""The command that keeps tables in step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from lht.cli import options, render
from lht.cli.answer import Answer
from lht.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.app.access import Target
    from lht.config.settings import Settings
    from lht.model.sync import SyncOptions, SyncRequest
    from lht.sfdc.org import Org


class Deletes(StrEnum):
    """The words of `model.sync.DeletePolicy`, for help."""

    MARK = "mark"
    REMOVE = "remove"
    KEEP = "keep"


def _moment(text: str) -> datetime:
    """Reads a time as people write it; UTC unless it says otherwise."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no time; write it like '2024-01-01 00:00:00' (UTC)") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


Sobjects = Annotated[
    list[str] | None,
    typer.Option("--sobject", metavar="OBJECT", help="The object; may be given several times."),
]
All = Annotated[bool, typer.Option("--all", help="Every object that can be kept in step.")]
OneTable = Annotated[str | None, typer.Option("--table", metavar="TABLE", help="The table, for one object.")]
Prefix = Annotated[
    str, typer.Option("--table_prefix", metavar="TEXT", help="For several objects: goes before their names.")
]
Key = Annotated[
    str, typer.Option("--sync_field", metavar="FIELD", help="The field that identifies a record.")
]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--lastmodifieddate",
        metavar="TIME",
        parser=_moment,
        help="Read what changed since then, such as '2024-01-01 00:00:00' (UTC).",
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Read every record again.")]
DeletesOption = Annotated[Deletes, typer.Option("--deletes", help="What happens to rows of deleted records.")]
Formulas = Annotated[
    bool, typer.Option("--refresh_formulas", help="Also read the formula fields of all records.")
]
BatchSize = Annotated[
    int | None,
    typer.Option("--batch_size", metavar="N", min=1, help="Rows in each download, one after the other."),
]
Parallel = Annotated[int, typer.Option("--parallel", metavar="N", min=1, help="How many objects at a time.")]
AllowDeletes = Annotated[
    int | None,
    typer.Option("--allow_deletes", metavar="N", min=0, help="Let a full sync mark or remove up to N rows."),
]
Adopt = Annotated[bool, typer.Option("--adopt", help="Trust the rows of a table that LHT did not fill.")]
Rebind = Annotated[
    bool, typer.Option("--rebind", help="Let the table follow another org than before, from the start.")
]
Cursor = Annotated[
    str | None, typer.Option("--cursor", metavar="FIELD", help="The field that tells what changed.")
]


def sync(
    screen: Screen,
    *,
    sobject: Sobjects = None,
    all_objects: All = False,
    table: OneTable = None,
    table_prefix: Prefix = "",
    schema: options.Schema = None,
    sync_field: Key = "Id",
    lastmodifieddate: Since = None,
    full: Full = False,
    where: options.Where = None,
    fields: options.Fields = None,
    exclude: options.Exclude = None,
    deletes: DeletesOption = Deletes.MARK,
    refresh_formulas: Formulas = False,
    batch_size: BatchSize = None,
    parallel: Parallel = 3,
    allow_deletes: AllowDeletes = None,
    adopt: Adopt = False,
    rebind: Rebind = False,
    cursor: Cursor = None,
    api_budget: options.ApiBudget = 80.0,
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
        api_budget=api_budget,
    )
    asked = _Asked(_each_once(sobject or ()), all_objects, table, table_prefix, sync_field, wanted)
    asked.check()
    place = _Place(username, db_connect, schema)
    return _carry_out(screen, asked, place, parallel=parallel, dry_run=dry_run)


def _each_once(names: Sequence[str]) -> tuple[str, ...]:
    """Drops repetitions, in whatever letter case: Salesforce ignores it in names."""
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.lower(), name)
    return tuple(first.values())


@dataclass(frozen=True, slots=True)
class _Place:
    """Which org and which warehouse."""

    username: str | None
    db_connect: str | None
    schema: str | None


def _carry_out(screen: Screen, asked: _Asked, place: _Place, *, parallel: int, dry_run: bool) -> Answer:
    from lht.app import access, syncing  # noqa: PLC0415

    settings = access.settings_here()
    timeout_s = asked.options.lock_timeout_s
    with (
        access.open_org(settings, place.username) as org,
        access.open_target(
            settings, place.db_connect, schema=place.schema, lock_timeout_s=timeout_s
        ) as target,
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


@dataclass(frozen=True, slots=True)
class _Asked:
    """Which objects a `lht sync` is about, and how they are treated."""

    names: tuple[str, ...]
    all_objects: bool
    table: str | None
    prefix: str
    key: str
    options: SyncOptions

    def check(self) -> None:
        """Refuses options that contradict each other, before anything is opened."""
        if self.all_objects and self.names:
            raise typer.BadParameter("it goes without --sobject", param_hint="--all")
        if self.table and (self.all_objects or len(self.names) != 1):
            raise typer.BadParameter("it names the table of exactly one --sobject", param_hint="--table")
        if self.options.full and self.options.lastmodifieddate:
            raise typer.BadParameter("a full sync reads everything", param_hint="--lastmodifieddate")

    def requests(
        self, screen: Screen, settings: Settings, org: Org, target: Target
    ) -> tuple[SyncRequest, ...]:
        from lht.app import project, syncing  # noqa: PLC0415

        found = settings.project()
        options = replace(self.options, types=found.types)
        names = self.names
        if self.all_objects:
            names, skipped = syncing.syncable_objects(org)
            for name, reason in skipped.items():
                screen.note(f"skipped {name}: it {reason}")
        if not names:
            return project.project_requests(found, target.warehouse, schema=target.schema, flags=options)
        return syncing.requests_for(
            names,
            table=self.table,
            table_prefix=self.prefix,
            schema=target.schema,
            key=self.key,
            options=options,
        )
