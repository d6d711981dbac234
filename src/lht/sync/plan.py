"""What one run will do to one table, decided from values already read. Pure.

`--dry_run` prints the plan; the run executes that very value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from lht.errors import ConfigError, WatermarkError
from lht.mapping.columns import columns_for, unknown_type_warnings
from lht.mapping.names import unknown_field
from lht.model.sync import DeletePolicy, SyncMode, SyncPlan
from lht.sfdc import soql
from lht.sync import window
from lht.sync.drift import find_drift

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from lht.model.run import SchemaChange
    from lht.model.salesforce import Field, SObject
    from lht.model.sync import Drift, SyncOptions, SyncRequest, Watermark
    from lht.model.table import Capabilities, Column, ColumnType, TableName


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What the table is like before the run. `newest` is the newest value of the cursor column."""

    columns: tuple[Column, ...]
    rows: int
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """Both sides, already read: what a plan is made from. `table_facts` None: there is no such table."""

    sobject: SObject
    table: TableName
    facts: TableFacts | None
    stored: Watermark | None
    owed: tuple[SchemaChange, ...]
    org_id: str
    types: Mapping[str, ColumnType]
    capabilities: Capabilities
    related: Mapping[str, Field] = field(default_factory=dict)
    """The fields at the ends of dotted paths, by path."""


class _Extent(NamedTuple):
    mode: SyncMode
    lower_bound: datetime | None
    reason: str


def plan_sync(request: SyncRequest, situation: Situation) -> SyncPlan:
    """Plans one object's run.

    Raises ConfigError for an option that does not fit the object, WatermarkError for a table that belongs to
    another org. Incompatible drift is in the plan; `drift.refuse_incompatible` raises it.
    """
    options, sobject = request.options, situation.sobject
    key = find_key(sobject, request.key)
    cursor = find_cursor(sobject, options.cursor)
    has_is_deleted = sobject.find("IsDeleted") is not None
    columns, excluded = _columns(situation, options, key, cursor)
    extent = _extent(request, situation, key, cursor)
    drift = _drift(situation, columns)
    backfill = _backfill(situation, columns, drift, extent.mode)
    return SyncPlan(
        object=sobject.name,
        table=situation.table,
        key=key.name,
        key_column=_column_of(columns, key.name),
        mode=extent.mode,
        reason=extent.reason,
        soql=_rows_soql(sobject.name, columns, options.where, cursor, extent.lower_bound),
        where=options.where,
        cursor=cursor,
        lower_bound=extent.lower_bound,
        columns=columns,
        drift=drift,
        backfill=backfill,
        creates_table=situation.facts is None,
        deletes=options.deletes,
        has_is_deleted=has_is_deleted,
        reads_deleted=sobject.replicateable and options.deletes is not DeletePolicy.KEEP,
        trusts_stamps=_is_own(situation) or extent.mode is SyncMode.INCREMENTAL,
        refresh_formulas=options.refresh_formulas and extent.mode is SyncMode.INCREMENTAL,
        fingerprint=window.fingerprint(sobject, key.name, cursor, options.where, situation.types),
        excluded=excluded,
        warnings=(*_warnings(drift, cursor, sobject, options), *unknown_type_warnings(sobject, columns)),
    )


def find_key(sobject: SObject, name: str) -> Field:
    """Gives the field by which rows are matched: Id, or one that describe calls unique or an external id."""
    found = sobject.find(name)
    if found is None:
        raise unknown_field(sobject, name)
    if found.type == "id" or found.unique or found.external_id:
        return found
    usable = [f.name for f in sobject.fields if f.type == "id" or f.unique or f.external_id]
    raise ConfigError(
        f"--sync_field {found.name} does not identify a record of {sobject.name}: it is neither unique nor an "
        "external id.",
        hint=f"Use --sync_field {' or '.join(usable)}.",
        object=sobject.name,
        field=found.name,
    )


def find_cursor(sobject: SObject, wished: str | None) -> str | None:
    """Gives the field that tells what changed, None where the object has none and is read in full each time."""
    if wished:
        found = sobject.find(wished)
        if found is None:
            raise unknown_field(sobject, wished)
        if found.type != "datetime" or not found.filterable:
            raise ConfigError(
                f"{sobject.name}.{found.name} cannot be a cursor: it is not a filterable datetime.",
                hint="Use SystemModstamp, LastModifiedDate, CreatedDate or LoginTime.",
            )
        return found.name
    only_grows = window.is_append_only(sobject.name)
    usable = (*window.CHANGE_CURSORS, *(window.APPEND_ONLY_CURSORS if only_grows else ()))
    return next((name for name in usable if sobject.find(name)), None)


def _columns(
    situation: Situation, options: SyncOptions, key: Field, cursor: str | None
) -> tuple[tuple[Column, ...], dict[str, str]]:
    always = ["Id", "IsDeleted", key.name, *([cursor] if cursor else [])]
    return columns_for(
        situation.sobject,
        fields=options.fields,
        exclude=options.exclude,
        always=[name for name in dict.fromkeys(always) if situation.sobject.find(name)],
        overrides=situation.types,
        capabilities=situation.capabilities,
        related=situation.related,
    )


def _column_of(columns: Sequence[Column], name: str) -> str:
    return next(column.name for column in columns if (column.field or "").lower() == name.lower())


def _extent(request: SyncRequest, situation: Situation, key: Field, cursor: str | None) -> _Extent:
    """Decides how much is read, and says why."""
    options, facts, stored = request.options, situation.facts, situation.stored
    if not options.rebind:
        _refuse_other_use(situation)
    if options.lastmodifieddate and not cursor:
        raise ConfigError(
            f"--lastmodifieddate needs a field that tells when a record changed; {situation.sobject.name} has none.",
            hint="Leave the option out: the object is read in full.",
        )
    why_full = _why_full(options, situation, key, cursor)
    starts_by_hand = not why_full or (stored is None and not options.full)
    if options.lastmodifieddate and starts_by_hand:
        return _Extent(
            SyncMode.INCREMENTAL, options.lastmodifieddate, "--lastmodifieddate sets the lower bound"
        )
    if why_full:
        return _Extent(SyncMode.FULL, None, why_full)
    if stored and stored.read_until:
        bound = window.next_lower_bound(stored.read_until, options.overlap_s)
        return _Extent(SyncMode.INCREMENTAL, bound, "changes since the last sync")
    newest = facts.newest if facts else None
    if newest is None:
        return _Extent(SyncMode.FULL, None, "the table has no cursor value to start from")
    bound = window.next_lower_bound(newest, options.overlap_s)
    return _Extent(SyncMode.INCREMENTAL, bound, "--adopt trusts the rows that are there")


def _refuse_other_use(situation: Situation) -> None:
    """Refuses a table that is in use for something else: its rows would all be taken for deleted."""
    stored, name = situation.stored, situation.sobject.name
    if stored is None or _is_own(situation):
        return
    if stored.org_id != situation.org_id:
        other, way_out = f"this login is for org {situation.org_id}", "log in to the other org"
    else:
        other, way_out = f"this run is for {name}", f"sync {stored.object}"
    raise WatermarkError(
        f"Table {situation.table} holds {stored.object} of org {stored.org_id}; {other}.",
        hint=f"Choose another --table, {way_out}, or add --rebind to give the table to {name} of this org.",
        table=str(situation.table),
    )


def _is_own(situation: Situation) -> bool:
    """Whether the table's rows are known to be of this object and org."""
    stored = situation.stored
    is_same_org = stored is not None and stored.org_id == situation.org_id
    return stored is not None and is_same_org and stored.object.lower() == situation.sobject.name.lower()


def _why_full(options: SyncOptions, situation: Situation, key: Field, cursor: str | None) -> str:
    """Says why all rows must be read; empty where the changes are enough."""
    facts, stored = situation.facts, situation.stored
    if options.full:
        return "--full was given"
    if facts is None:
        return "the table is new"
    if cursor is None:
        return f"{situation.sobject.name} has no field that tells what changed"
    if stored is None:
        return "" if options.adopt and facts.rows else _why_first(facts)
    return _why_again(options, situation, stored, key, cursor)


def _why_first(facts: TableFacts) -> str:
    return "the table has rows but no sync state" if facts.rows else "the table is empty"


def _why_again(options: SyncOptions, situation: Situation, stored: Watermark, key: Field, cursor: str) -> str:
    """Says why a table with a state is read in full all the same."""
    if not _is_own(situation):
        return f"--rebind takes the table from {stored.object} of org {stored.org_id}"
    asked = window.fingerprint(situation.sobject, key.name, cursor, options.where, situation.types)
    if stored.fingerprint != asked:
        return f"the {_what_changed(options, stored, key, cursor)} changed since the last sync"
    if stored.read_until is None:
        return "no full sync has ended yet"
    if situation.facts and situation.facts.rows == 0 and stored.rows_in_table:
        return "the table was emptied since the last sync"
    return ""


def _what_changed(options: SyncOptions, stored: Watermark, key: Field, cursor: str) -> str:
    if (stored.where or "").strip() != (options.where or "").strip():
        return "filter"
    if stored.key.lower() != key.name.lower():
        return "key"
    return "cursor" if stored.cursor != cursor else "type overrides"


def _drift(situation: Situation, columns: Sequence[Column]) -> Drift:
    stored = situation.stored
    return find_drift(
        columns,
        situation.facts.columns if situation.facts else (),
        read_before=stored.fields if stored and situation.facts else (),
        known_fields=[f.name for f in situation.sobject.fields] + [c.field or "" for c in columns],
        capabilities=situation.capabilities,
    )


def _backfill(
    situation: Situation, columns: Sequence[Column], drift: Drift, mode: SyncMode
) -> tuple[Column, ...]:
    """Gives the columns whose old rows lack a value that the run's own job will not bring."""
    if situation.facts is None or situation.facts.rows == 0 or mode is SyncMode.FULL:
        return ()
    owed = {change.column.lower() for change in situation.owed}
    owed |= {column.name.lower() for column in (*drift.added, *drift.reappeared)}
    return tuple(column for column in columns if column.name.lower() in owed)


def _rows_soql(
    object_name: str, columns: Sequence[Column], where: str | None, cursor: str | None, bound: datetime | None
) -> str:
    fields = [column.field or column.name for column in columns]
    return soql.select(fields, object_name, conditions(where, cursor, bound))


def conditions(where: str | None, cursor: str | None, bound: datetime | None) -> list[str]:
    """Gives the conditions that a record must meet, all of them."""
    parts = [where] if where and where.strip() else []
    if cursor and bound:
        parts.append(f"{cursor} >= {soql.format_datetime(bound)}")
    return parts


def _warnings(drift: Drift, cursor: str | None, sobject: SObject, options: SyncOptions) -> tuple[str, ...]:
    told = [
        f"field {sobject.name}.{name} is gone; its column keeps the old values" for name in drift.vanished
    ]
    told += [f"field {sobject.name}.{c.field} is back; its column is filled anew" for c in drift.reappeared]
    if cursor in window.APPEND_ONLY_CURSORS and not window.is_append_only(sobject.name):
        told.append(f"{cursor} is the cursor: changes of existing records will not be seen")
    if options.adopt and options.full:
        told.append("--adopt has no effect with --full")
    return tuple(told)
