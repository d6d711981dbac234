"""Fills, deletions that no row tells, and refusals, on DuckDB in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from lht.errors import IncompleteExtractError, SyncError
from lht.model.sync import DeletePolicy
from lht.model.table import Column, ColumnKind, ColumnType, TableName
from lht.state.tables import system_column_definitions, system_columns
from lht.warehouse import merge
from lht.warehouse.duckdb import CAPABILITIES, DIALECT, DuckDBWarehouse, open_duckdb
from lht.warehouse.merge_spec import Deletions, KeyProblems, Marks, MergeCounts, MergeSpec
from lht.warehouse.statements import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = ColumnType(ColumnKind.TEXT)
TIMESTAMP = ColumnType(ColumnKind.TIMESTAMP)
COLUMNS = (
    Column("Id", TEXT),
    Column("Key__c", TEXT),
    Column("Name", TEXT),
    Column("Stamp", TIMESTAMP),
    Column("IsDeleted", ColumnType(ColumnKind.BOOLEAN)),
)
ARROW = {TEXT: pa.string(), TIMESTAMP: pa.timestamp("us")}
NOON = datetime(2025, 1, 1, 12)  # noqa: DTZ001 - as tables hold it
RUN_AT = datetime(2025, 2, 1, tzinfo=UTC)


@dataclass
class Stream:
    reader: pa.RecordBatchReader
    error: BaseException | None = None


@pytest.fixture(params=[None, 0], ids=["merge", "exchange"])
def warehouse(request: pytest.FixtureRequest) -> Iterator[DuckDBWarehouse]:
    opened = open_duckdb(":memory:")
    opened.dialect = replace(DIALECT, merge_limit=request.param)
    yield opened
    opened.close()


def stage(
    warehouse: DuckDBWarehouse,
    rows: list[tuple[Any, ...]],
    name: str = "s",
    columns: tuple[Column, ...] = COLUMNS,
) -> TableName:
    schema = pa.schema([(column.name, ARROW.get(column.type, pa.bool_())) for column in columns])
    named = [dict(zip(schema.names, row, strict=True)) for row in rows]
    batch = pa.RecordBatch.from_pylist(named, schema=schema)
    return warehouse.stage(columns, Stream(pa.RecordBatchReader.from_batches(schema, [batch])), name)


def target(warehouse: DuckDBWarehouse, *rows: tuple[Any, ...]) -> TableName:
    """A table of `(Id, Key__c, Name, Stamp, IsDeleted, _lht_deleted_at)`."""
    table = warehouse.table_name("T")
    warehouse.create_table(table, (*COLUMNS, *system_column_definitions(CAPABILITIES)))
    for row in rows:
        statement = "INSERT INTO T VALUES (?, ?, ?, ?, ?, 'old', NULL, ?)"
        warehouse.execute(Statement(statement, row))
    return table


def row(name: str, *, deleted: bool = False, stamp: datetime = NOON, text: str = "n") -> tuple[Any, ...]:
    return (name, f"k{name}", text, stamp, deleted)


def spec_for(warehouse: DuckDBWarehouse, table: TableName, staging: TableName, **others: Any) -> MergeSpec:
    spec = MergeSpec(
        target=table,
        staging=staging,
        key_column="Id",
        columns=tuple(column.name for column in COLUMNS),
        stamp_column="Stamp",
        deleted_column="IsDeleted",
        id_column="Id",
        policy=DeletePolicy.MARK,
        run_id="new",
        synced_at=RUN_AT,
        system=system_columns(CAPABILITIES),
    )
    return merge.prepare(warehouse, replace(spec, **others))


def stored(warehouse: DuckDBWarehouse, columns: str) -> list[tuple[object, ...]]:
    return warehouse.query(Statement(f"SELECT {columns} FROM T ORDER BY Id"))


def test_a_fill_writes_only_its_columns_of_rows_that_exist(warehouse: DuckDBWarehouse) -> None:
    table = target(warehouse, (*row("A"), NOON), (*row("B"), None), (*row("C", text="same"), None))
    staging = stage(warehouse, [("A", "new"), ("C", "same"), ("X", "new")], columns=(COLUMNS[0], COLUMNS[2]))
    spec = spec_for(warehouse, table, staging, columns=("Id", "Name"), stamp_column=None, deleted_column=None)

    with warehouse.transaction():
        filled = merge.fill(warehouse, spec)

    assert filled == 1
    assert stored(warehouse, "Id, Key__c, Name, _lht_run_id, _lht_deleted_at") == [
        ("A", "kA", "new", "new", NOON),
        ("B", "kB", "n", "old", None),
        ("C", "kC", "same", "old", None),
    ]


def test_a_fill_of_an_empty_table_changes_nothing(warehouse: DuckDBWarehouse) -> None:
    spec = spec_for(warehouse, target(warehouse), stage(warehouse, [row("A")]))

    assert merge.fill(warehouse, spec) == 0


@pytest.mark.parametrize("policy", list(DeletePolicy))
def test_absent_rows_are_treated_as_the_policy_says(warehouse: DuckDBWarehouse, policy: DeletePolicy) -> None:
    table = target(warehouse, (*row("A"), None), (*row("B"), None), (*row("C", deleted=True), NOON))
    spec = spec_for(warehouse, table, stage(warehouse, [row("A")]), policy=policy)

    assert (merge.live_count(warehouse, spec), merge.absent_count(warehouse, spec)) == (2, 1)
    changed = merge.delete_absent(warehouse, spec)

    kept = ("B", False, None, "old")
    marked = ("B", True, RUN_AT.replace(tzinfo=None), "new")
    middle = {DeletePolicy.MARK: [marked], DeletePolicy.KEEP: [kept], DeletePolicy.REMOVE: []}[policy]
    assert changed == (0 if policy is DeletePolicy.KEEP else 1)
    assert stored(warehouse, "Id, IsDeleted, _lht_deleted_at, _lht_run_id") == [
        ("A", False, None, "old"),
        *middle,
        ("C", True, NOON, "old"),
    ]


def test_absence_is_told_from_ids_alone(warehouse: DuckDBWarehouse) -> None:
    table = target(warehouse, (*row("A"), None), (*row("B"), None))
    ids = stage(warehouse, [("A",)], columns=COLUMNS[:1])
    facts = merge.staged_facts(warehouse, ids, Marks("Id"))
    spec = spec_for(warehouse, table, ids, facts=facts)

    assert merge.absent_count(warehouse, spec) == 1


@pytest.mark.parametrize("policy", list(DeletePolicy))
def test_named_deletions_spare_newer_and_living_rows(
    warehouse: DuckDBWarehouse, policy: DeletePolicy
) -> None:
    later = NOON + timedelta(hours=1)
    table = target(
        warehouse,
        (*row("A"), None),
        (*row("B", stamp=later + timedelta(seconds=1)), None),
        (*row("C"), None),
        (*row("D", deleted=True), NOON),
        (*row("E"), None),
    )
    columns = (COLUMNS[0], Column("deleted_at", TIMESTAMP))
    named = stage(warehouse, [(name, later) for name in "AABCDX"], "named", columns)
    rows = stage(warehouse, [row("C")])
    spec = spec_for(warehouse, table, rows, policy=policy)
    deletions = Deletions(named, "Id", "deleted_at", live_rows=rows)

    assert merge.deletions_count(warehouse, spec, deletions) == 1
    changed = merge.delete_named(warehouse, spec, deletions)

    assert changed == (0 if policy is DeletePolicy.KEEP else 1)
    marked = [("A",)] if policy is DeletePolicy.MARK else []
    assert warehouse.query(Statement("SELECT Id FROM T WHERE _lht_deleted_at = ?", (later,))) == marked
    assert warehouse.row_count(table) == (4 if policy is DeletePolicy.REMOVE else 5)


def test_named_deletions_apply_without_rows_or_stamps(warehouse: DuckDBWarehouse) -> None:
    table = target(warehouse, (*row("A"), None))
    named = stage(warehouse, [("A", None)], "named", (COLUMNS[0], Column("deleted_at", TIMESTAMP)))
    spec = spec_for(warehouse, table, named, columns=("Id",), stamp_column=None, deleted_column=None)

    assert merge.delete_named(warehouse, spec, Deletions(named, "Id", "deleted_at")) == 1
    assert stored(warehouse, "_lht_deleted_at") == [(RUN_AT.replace(tzinfo=None),)]


def test_keys_that_do_not_identify_a_record_are_told(warehouse: DuckDBWarehouse) -> None:
    staged = [
        ("A", "x", "n", NOON, False),
        ("B", "x", "n", NOON, False),
        ("C", None, "n", NOON, False),
        ("D", None, "n", NOON, True),
        ("E", "y", "n", NOON, True),
        ("F", "y", "n", NOON, False),
    ]
    spec = spec_for(warehouse, target(warehouse), stage(warehouse, staged), key_column="Key__c")
    by_id = spec_for(warehouse, spec.target, spec.staging)

    assert merge.key_problems(warehouse, spec) == KeyProblems(1, "C", 1, "x")
    assert not merge.key_problems(warehouse, by_id)


def test_a_target_with_a_repeated_key_is_refused(warehouse: DuckDBWarehouse) -> None:
    table = target(warehouse, (*row("A"), None), (*row("A"), None))

    with pytest.raises(SyncError, match="several rows with the same Id"):
        merge.classify(warehouse, spec_for(warehouse, table, stage(warehouse, [row("A")])))


def test_a_merge_that_changes_another_number_of_rows_is_undone(warehouse: DuckDBWarehouse) -> None:
    table = target(warehouse, (*row("A"), None))
    spec = spec_for(warehouse, table, stage(warehouse, [row("A", text="new")]))
    merge.classify(warehouse, spec)

    with pytest.raises(IncompleteExtractError, match="changed 1 rows where 2"), warehouse.transaction():
        merge.merge(warehouse, spec, MergeCounts(updated=2))

    assert stored(warehouse, "Name") == [("n",)]


def test_an_object_without_stamp_or_deletions_merges_by_value(warehouse: DuckDBWarehouse) -> None:
    table = target(warehouse, (*row("A"), None), (*row("B"), NOON))
    staging = stage(warehouse, [row("A"), row("B"), row("C"), row("C")])
    spec = spec_for(warehouse, table, staging, stamp_column=None, deleted_column=None)

    counts = merge.classify(warehouse, spec)
    merge.merge(warehouse, spec, counts)

    assert counts == MergeCounts(read=4, inserted=1, updated=1, unchanged=1, duplicate=1)
    assert stored(warehouse, "Id, _lht_deleted_at") == [("A", None), ("B", None), ("C", None)]


def test_values_are_compared_across_types(warehouse: DuckDBWarehouse) -> None:
    warehouse.execute(
        Statement(
            "CREATE TABLE T(Id VARCHAR, Name DECIMAL(20,2), _lht_run_id VARCHAR, _lht_synced_at TIMESTAMP, _lht_deleted_at TIMESTAMP)"
        )
    )
    warehouse.execute(Statement("INSERT INTO T(Id, Name) VALUES ('A', 1.5), ('B', 2), ('C', NULL)"))
    number = ColumnType(ColumnKind.DECIMAL, precision=18, scale=2)
    warehouse.execute(Statement("CREATE TEMP TABLE s(Id VARCHAR, Name DECIMAL(18,2))"))
    warehouse.execute(Statement("INSERT INTO s VALUES ('A', 1.5), ('B', 3), ('C', NULL)"))
    spec = spec_for(
        warehouse,
        warehouse.table_name("T"),
        TableName("temp", "main", "s"),
        columns=("Id", "Name"),
        stamp_column=None,
        deleted_column=None,
    )

    assert number == warehouse.columns(spec.staging)[1].type
    assert merge.classify(warehouse, spec) == MergeCounts(read=3, updated=1, unchanged=2)


def test_the_newest_stamp_is_aware(warehouse: DuckDBWarehouse) -> None:
    table = target(warehouse)
    assert merge.newest(warehouse, table, "Stamp") is None

    warehouse.execute(Statement("INSERT INTO T(Stamp) VALUES (?)", (NOON,)))

    assert merge.newest(warehouse, table, "Stamp") == NOON.replace(tzinfo=UTC)
