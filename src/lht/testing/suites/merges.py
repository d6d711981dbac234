"""The part of the warehouse suite about merging staged rows, through `lht.warehouse.merge`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from lht.errors import IncompleteExtractError, SyncError
from lht.model.sync import DeletePolicy
from lht.state.tables import DELETED_AT, RUN_ID, system_column_definitions, system_columns
from lht.testing.suites.rows import FLAG, MOMENT, TEXT, Row, stored_column, stream_of, table_with
from lht.warehouse import merge
from lht.warehouse.merge_spec import Deletions, MergeCounts, MergeSpec
from lht.warehouse.statements import Statement, listed, quote, quote_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.table import Column, TableName
    from lht.warehouse.port import Warehouse

RUN_AT = datetime(2025, 2, 1, tzinfo=UTC)
OLD, NOON, LATE = (datetime(2025, 1, 1, hour, tzinfo=UTC).replace(tzinfo=None) for hour in (6, 12, 18))


class MergesSuite:
    """What a merge does, whatever the warehouse."""

    def test_new_changed_and_unchanged_rows_are_told_apart(self, warehouse: Warehouse) -> None:
        table = _target(warehouse, _row("A"), _row("B"), _row("C"))
        staged = [_row("A"), _row("B", "new", LATE), _row("X")]

        counts = _merge(warehouse, table, staged)

        assert counts == MergeCounts(read=3, inserted=1, updated=1, unchanged=1)
        assert _stored(warehouse, table, "Id", "Name", RUN_ID) == [
            ("A", "n", "old"),
            ("B", "new", "new"),
            ("C", "n", "old"),
            ("X", "n", "new"),
        ]

    def test_an_empty_table_is_filled(self, warehouse: Warehouse) -> None:
        counts = _merge(warehouse, table := _target(warehouse), [_row("A"), _row("B", gone=True), _row("A")])

        assert counts == MergeCounts(read=3, inserted=1, deleted=1, duplicate=1)
        assert _stored(warehouse, table, "Id", DELETED_AT) == [("A", None), ("B", NOON)]

    def test_the_newest_of_repeated_keys_wins_and_one_row_stays(self, warehouse: Warehouse) -> None:
        table = _target(warehouse, _row("A"))
        staged = [
            _row("A", "second", NOON),
            _row("A", "last", LATE),
            _row("A", "first", OLD),
            _row("A", "empty", None),
        ]

        counts = _merge(warehouse, table, staged)

        assert counts == MergeCounts(read=4, updated=1, duplicate=3)
        assert _stored(warehouse, table, "Id", "Name") == [("A", "last")]

    def test_a_stale_row_is_ignored(self, warehouse: Warehouse) -> None:
        table = _target(warehouse, _row("A", "newer", LATE))

        counts = _merge(warehouse, table, [_row("A", "older", NOON)])

        assert counts == MergeCounts(read=1, ignored=1)
        assert _stored(warehouse, table, "Name") == [("newer",)]

    @pytest.mark.parametrize(
        ("policy", "counts", "left"),
        [
            (
                DeletePolicy.MARK,
                MergeCounts(read=3, deleted=2, unchanged=1),
                [("A", NOON), ("B", None), ("X", NOON)],
            ),
            (DeletePolicy.REMOVE, MergeCounts(read=3, deleted=1, unchanged=1, ignored=1), [("B", None)]),
            (DeletePolicy.KEEP, MergeCounts(read=3, unchanged=1, ignored=2), [("A", None), ("B", None)]),
        ],
        ids=list(DeletePolicy),
    )
    def test_deleted_records_are_marked_removed_or_kept(
        self, warehouse: Warehouse, policy: DeletePolicy, counts: MergeCounts, left: list[Row]
    ) -> None:
        table = _target(warehouse, _row("A"), _row("B"))
        staged = [_row("A", gone=True), _row("B"), _row("X", gone=True)]

        assert _merge(warehouse, table, staged, policy=policy) == counts
        assert _stored(warehouse, table, "Id", DELETED_AT) == left
        again = _merge(warehouse, table, staged, policy=policy)
        assert again.changed == 0

    def test_a_record_that_lives_again_loses_its_marks(self, warehouse: Warehouse) -> None:
        table = _target(warehouse, _row("A"))
        _merge(warehouse, table, [_row("A", gone=True)])

        counts = _merge(warehouse, table, [_row("A", stamp=LATE)])

        assert counts == MergeCounts(read=1, updated=1)
        assert _stored(warehouse, table, "IsDeleted", DELETED_AT) == [(False, None)]

    def test_columns_of_the_users_own_are_left_alone(self, warehouse: Warehouse) -> None:
        table = _target(warehouse, _row("A"))
        note = stored_column(warehouse, "note")
        warehouse.add_columns(table, [note])
        warehouse.execute(Statement(f"UPDATE {quote_table(table)} SET {quote(note.name)} = 'mine'"))

        _merge(warehouse, table, [_row("A", "new", LATE), _row("B")])

        assert _stored(warehouse, table, "Id", "Name", "note") == [("A", "new", "mine"), ("B", "n", None)]

    def test_empty_and_shared_keys_are_found(self, warehouse: Warehouse) -> None:
        rows = [("A", None, "n", NOON, False), ("B", "k", "n", NOON, False), ("C", "k", "n", NOON, False)]
        spec = _spec(
            warehouse, _target(warehouse), _stage(warehouse, rows), key_column=_name(warehouse, "Key__c")
        )

        problems = merge.key_problems(warehouse, spec)

        assert (problems.empty, problems.empty_example) == (1, "A")
        assert (problems.repeated, problems.repeated_example) == (1, "k")

    def test_a_target_with_a_repeated_key_is_refused(self, warehouse: Warehouse) -> None:
        table = _target(warehouse, _row("A"), _row("A"))
        spec = _spec(warehouse, table, _stage(warehouse, [_row("A", stamp=LATE)]))

        with pytest.raises(SyncError, match="several rows"):
            merge.classify(warehouse, spec)

    def test_a_merge_that_changes_other_rows_than_counted_is_rolled_back(self, warehouse: Warehouse) -> None:
        table = _target(warehouse, _row("A"))
        spec = _spec(warehouse, table, _stage(warehouse, [_row("A", "new", LATE), _row("B")]))
        counts = replace(merge.classify(warehouse, spec), inserted=2)

        with pytest.raises(IncompleteExtractError), warehouse.transaction():
            merge.merge(warehouse, spec, counts)

        assert _stored(warehouse, table, "Id", "Name") == [("A", "n")]

    def test_a_fill_writes_its_columns_of_rows_that_exist(self, warehouse: Warehouse) -> None:
        table = _target(warehouse, _row("A"), _row("B"))
        columns = (_columns(warehouse)[0], _columns(warehouse)[2])
        staging = warehouse.stage(columns, stream_of(columns, [("A", "new"), ("X", "new")]), "fill")
        names = tuple(column.name for column in columns)
        spec = _spec(
            warehouse, table, staging, columns=names, stamp_column=None, deleted_column=None, fills=True
        )
        counts = merge.classify(warehouse, spec)

        with warehouse.transaction():
            merge.merge(warehouse, spec, counts)

        assert counts.changed == 1
        assert _stored(warehouse, table, "Id", "Key__c", "Name") == [("A", "kA", "new"), ("B", "kB", "n")]

    @pytest.mark.parametrize("policy", DeletePolicy)
    def test_rows_that_are_absent_are_marked_removed_or_kept(
        self, warehouse: Warehouse, policy: DeletePolicy
    ) -> None:
        table = _target(warehouse, _row("A"), _row("B"), _row("C"))
        spec = _spec(warehouse, table, _stage(warehouse, [_row("A")]), policy=policy)

        absent = merge.absent_count(warehouse, spec)
        with warehouse.transaction():
            changed = merge.delete_absent(warehouse, spec)

        assert (absent, changed) == (2, 0 if policy is DeletePolicy.KEEP else 2)
        live = 3 if policy is DeletePolicy.KEEP else 1
        assert merge.live_count(warehouse, spec) == live

    def test_named_deletions_spare_rows_that_changed_since(self, warehouse: Warehouse) -> None:
        table = _target(warehouse, _row("A"), _row("B", stamp=LATE), _row("C"))
        columns = (stored_column(warehouse, "Id"), stored_column(warehouse, "DeletedAt", MOMENT))
        staging = warehouse.stage(
            columns, stream_of(columns, [("A", NOON), ("B", NOON), ("X", NOON)]), "gone"
        )
        spec = _spec(warehouse, table, _stage(warehouse, []))
        deletions = Deletions(staging, columns[0].name, columns[1].name)

        named = merge.deletions_count(warehouse, spec, deletions)
        with warehouse.transaction():
            changed = merge.delete_named(warehouse, spec, deletions)

        assert named == changed == 1
        assert _stored(warehouse, table, "Id", DELETED_AT) == [("A", NOON), ("B", None), ("C", None)]

    def test_a_record_with_a_new_key_has_one_row(self, warehouse: Warehouse) -> None:
        table = _target(warehouse, _row("A"), _row("B"))
        staging = _stage(warehouse, [("A", "moved", "n", LATE, False)])
        spec = _spec(warehouse, table, staging, key_column=_name(warehouse, "Key__c"))
        counts = merge.classify(warehouse, spec)

        with warehouse.transaction():
            merge.merge(warehouse, spec, counts)
            moved = merge.delete_moved(warehouse, spec)

        assert moved == 1
        assert _stored(warehouse, table, "Id", "Key__c") == [("A", "moved"), ("B", "kB")]


def _name(warehouse: Warehouse, field: str) -> str:
    return stored_column(warehouse, field).name


def _columns(warehouse: Warehouse) -> tuple[Column, ...]:
    types = {"Id": TEXT, "Key__c": TEXT, "Name": TEXT, "SystemModstamp": MOMENT, "IsDeleted": FLAG}
    return tuple(stored_column(warehouse, name, column_type) for name, column_type in types.items())


def _row(key: str, name: str = "n", stamp: datetime | None = NOON, *, gone: bool = False) -> Row:
    return (key, f"k{key}", name, stamp, gone)


def _target(warehouse: Warehouse, *rows: Row) -> TableName:
    columns = (*_columns(warehouse), *system_column_definitions(warehouse.capabilities))
    return table_with(warehouse, columns, *((*row, "old", RUN_AT, None) for row in rows))


def _stage(warehouse: Warehouse, rows: Sequence[Row]) -> TableName:
    columns = _columns(warehouse)
    return warehouse.stage(columns, stream_of(columns, rows), "merge_suite")


def _spec(warehouse: Warehouse, table: TableName, staging: TableName, **others: Any) -> MergeSpec:
    columns = _columns(warehouse)
    spec = MergeSpec(
        target=table,
        staging=staging,
        key_column=columns[0].name,
        columns=tuple(column.name for column in columns),
        stamp_column=columns[3].name,
        deleted_column=columns[4].name,
        id_column=columns[0].name,
        policy=DeletePolicy.MARK,
        run_id="new",
        synced_at=RUN_AT,
        system=system_columns(warehouse.capabilities),
    )
    return merge.prepare(warehouse, replace(spec, **others))


def _merge(warehouse: Warehouse, table: TableName, rows: Sequence[Row], **others: Any) -> MergeCounts:
    staging = _stage(warehouse, rows)
    spec = _spec(warehouse, table, staging, **others)
    counts = merge.classify(warehouse, spec)
    with warehouse.transaction():
        merge.merge(warehouse, spec, counts)
    for left in (spec.changes, staging):
        warehouse.drop_table(left)
    return counts


def _stored(warehouse: Warehouse, table: TableName, *fields: str) -> list[Row]:
    names = [_name(warehouse, field) for field in fields]
    asking = f"SELECT {listed(names)} FROM {quote_table(table)} ORDER BY {quote(_name(warehouse, 'Id'))}"
    return [tuple(row) for row in warehouse.query(Statement(asking))]
