"""The `[[sync]]` entries of lht.toml as requests: flags over entries over defaults."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lht.errors import ConfigError
from lht.model.sync import SyncOptions, SyncRequest
from lht.state.store import State

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from lht.config.project import Project, SyncEntry
    from lht.warehouse.port import Warehouse


def project_requests(
    project: Project, warehouse: Warehouse, *, schema: str | None = None, flags: SyncOptions | None = None
) -> tuple[SyncRequest, ...]:
    """Gives one request for each entry. What an entry leaves out comes from `flags`.

    An entry whose `full_every` or `refresh_formulas_every` has passed asks for that.
    """
    if not project.syncs:
        raise ConfigError(
            "Nothing says what to sync: no --sobject was given, and there is no [[sync]] in lht.toml.",
            hint="Try: lht sync --sobject Account --table MY_ACCOUNTS",
        )
    base = flags or SyncOptions()
    return tuple(_request(entry, warehouse, schema, base) for entry in project.syncs)


def _request(entry: SyncEntry, warehouse: Warehouse, schema: str | None, base: SyncOptions) -> SyncRequest:
    options = replace(
        base,
        where=entry.where or base.where,
        fields=entry.fields or base.fields,
        exclude=entry.exclude or base.exclude,
        deletes=entry.deletes or base.deletes,
        cursor=entry.cursor or base.cursor,
    )
    place = entry.schema or schema
    options = _with_what_is_due(entry, warehouse, place, options)
    return SyncRequest(entry.object, entry.table, place, entry.sync_field or "Id", options)


def _with_what_is_due(
    entry: SyncEntry, warehouse: Warehouse, schema: str | None, options: SyncOptions
) -> SyncOptions:
    if not entry.full_every and not entry.refresh_formulas_every:
        return options
    stored = State(warehouse).watermark(warehouse.table_name(entry.table or entry.object, schema))
    if stored is None:
        return options
    now = warehouse.now()
    return replace(
        options,
        full=options.full or _is_due(stored.fully_read_at, entry.full_every, now),
        refresh_formulas=options.refresh_formulas
        or _is_due(stored.formulas_read_at, entry.refresh_formulas_every, now),
    )


def _is_due(last: datetime | None, every: timedelta | None, now: datetime) -> bool:
    return every is not None and (last is None or now - last >= every)
