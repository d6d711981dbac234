"""Merging, against a model in plain Python: any rows, any policy, both ways of writing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lht.model.sync import DeletePolicy
from lht.model.table import Column, ColumnKind, ColumnType, TableName
from lht.state.tables import system_column_definitions, system_columns
from lht.warehouse import merge
from lht.warehouse.duckdb import CAPABILITIES, DIALECT, DuckDBWarehouse, open_duckdb
from lht.warehouse.merge_spec import MergeCounts, MergeSpec
from lht.warehouse.statements import Statement, quote_table

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = ColumnType(ColumnKind.TEXT)
COLUMNS = (
    Column("Id", TEXT),
    Column("Key__c", TEXT),
    Column("Name", TEXT),
    Column("Amount", ColumnType(ColumnKind.DECIMAL, precision=18, scale=2)),
    Column("SystemModstamp", ColumnType(ColumnKind.TIMESTAMP)),
    Column("IsDeleted", ColumnType(ColumnKind.BOOLEAN)),
)
ARROW = pa.schema(
    [
        ("Id", pa.string()),
        ("Key__c", pa.string()),
        ("Name", pa.string()),
        ("Amount", pa.decimal128(38, 2)),
        ("SystemModstamp", pa.timestamp("us")),
        ("IsDeleted", pa.bool_()),
    ]
)
START = datetime(2024, 1, 1)  # noqa: DTZ001 - as tables hold it
NOW = datetime(2025, 1, 1, tzinfo=UTC)
NAIVE_NOW = NOW.replace(tzinfo=None)
NUMBERS = count()


@dataclass
class Stream:
    reader: pa.RecordBatchReader
    error: BaseException | None = None


@dataclass(frozen=True)
class Row:
    """A target row as the model sees it."""

    values: dict[str, Any]
    deleted_at: datetime | None
    run: str | None
    note: str | None

    @property
    def marked(self) -> bool:
        return self.deleted_at is not None or bool(self.values["IsDeleted"])


def staged_row(
    ids: st.SearchStrategy[str], keys: st.SearchStrategy[str | None]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "Id": ids,
            "Key__c": keys,
            "Name": st.sampled_from(["a", "b", None]),
            "Amount": st.sampled_from([None, Decimal("0.10")]),
            "SystemModstamp": st.integers(0, 3).map(lambda s: START + timedelta(seconds=s)) | st.none(),
            "IsDeleted": st.booleans(),
        }
    )


ID_ROWS = staged_row(st.sampled_from("ABCDEF"), st.none())
KEY_ROWS = staged_row(st.sampled_from("ABCDEF"), st.sampled_from(["x", "y", "z", None]))
MARKS = st.none() | st.just(START)


def precedence(row: dict[str, Any], *, by_id: bool) -> tuple[Any, ...]:
    stamp = row["SystemModstamp"] or datetime.min  # noqa: DTZ901
    gone = row["IsDeleted"]
    rest = tuple(str(row[c] or "") for c in ("Id", "Key__c", "Name", "Amount"))
    return (stamp, gone, rest) if by_id else (not gone, stamp, rest)


def model_merge(
    target: dict[str, Row], staged: list[dict[str, Any]], key: str, policy: DeletePolicy
) -> tuple[dict[str, Row], MergeCounts]:
    """The rules, one row at a time."""
    counts = dict.fromkeys(("inserted", "updated", "unchanged", "deleted", "duplicate", "ignored"), 0)
    result, chosen = dict(target), {}
    for row in staged:
        if row[key] is None:
            counts["ignored"] += 1
        elif row[key] not in chosen:
            chosen[row[key]] = row
        else:
            counts["duplicate"] += 1
            chosen[row[key]] = max(chosen[row[key]], row, key=lambda r: precedence(r, by_id=key == "Id"))
    for name, row in chosen.items():
        what, after = model_row(target.get(name), row, policy)
        counts[what] += 1
        if after is None:
            result.pop(name, None)
        else:
            result[name] = after
    return result, MergeCounts(read=len(staged), **counts)


def model_row(  # noqa: PLR0911 - one return for each rule
    old: Row | None, row: dict[str, Any], policy: DeletePolicy
) -> tuple[str, Row | None]:
    stamp, note = row["SystemModstamp"], old.note if old else None
    if old and stamp and old.values["SystemModstamp"] and stamp < old.values["SystemModstamp"]:
        return "ignored", old
    if not row["IsDeleted"]:
        new = Row(row, None, "new", note)
        if old is None:
            return "inserted", new
        return ("updated", new) if old.marked or old.values != row else ("unchanged", old)
    if policy is DeletePolicy.KEEP or (old and old.values["Id"] != row["Id"]):
        return "ignored", old
    if policy is DeletePolicy.REMOVE:
        return ("deleted" if old else "ignored"), None
    new = Row(row, stamp or NAIVE_NOW, "new", note)
    if old is None or not old.marked:
        return "deleted", new
    return ("updated", new) if old.values != row or old.deleted_at is None else ("unchanged", old)


@pytest.fixture(scope="module")
def warehouse() -> Iterator[DuckDBWarehouse]:
    opened = open_duckdb(":memory:")
    yield opened
    opened.close()


def load(
    warehouse: DuckDBWarehouse,
    target: list[tuple[dict[str, Any], datetime | None]],
    staged: list[dict[str, Any]],
) -> tuple[TableName, TableName]:
    number = next(NUMBERS)
    table = warehouse.table_name(f"t{number}")
    warehouse.create_table(table, (*COLUMNS, *system_column_definitions(CAPABILITIES), Column("note", TEXT)))
    for row, deleted_at in target:
        marks = ", ".join("?" for _ in range(len(COLUMNS) + 4))
        values = (*(row[c.name] for c in COLUMNS), "old", NAIVE_NOW, deleted_at, f"note {row['Id']}")
        warehouse.execute(Statement(f"INSERT INTO {quote_table(table)} VALUES ({marks})", values))
    return table, stage(warehouse, staged, f"s{number}")


def stage(warehouse: DuckDBWarehouse, rows: list[dict[str, Any]], name: str) -> TableName:
    batch = pa.RecordBatch.from_pylist(rows, schema=ARROW)
    return warehouse.stage(COLUMNS, Stream(pa.RecordBatchReader.from_batches(ARROW, [batch])), name)


def spec_for(table: TableName, staging: TableName, key: str, policy: DeletePolicy) -> MergeSpec:
    return MergeSpec(
        target=table,
        staging=staging,
        key_column=key,
        columns=tuple(column.name for column in COLUMNS),
        stamp_column="SystemModstamp",
        deleted_column="IsDeleted",
        id_column="Id",
        policy=policy,
        run_id="new",
        synced_at=NOW,
        system=system_columns(CAPABILITIES),
    )


def stored(warehouse: DuckDBWarehouse, table: TableName, key: str) -> dict[str, Row]:
    rows = warehouse.query(Statement(f"SELECT * FROM {quote_table(table)}"))
    names = [column.name for column in COLUMNS]
    found = [
        Row(dict(zip(names, row[: len(names)], strict=True)), row[len(names) + 2], row[len(names)], row[-1])
        for row in rows
    ]
    assert len(found) == len({row.values[key] for row in found})
    return {row.values[key]: row for row in found}


def unique(
    rows: list[tuple[dict[str, Any], datetime | None]], key: str
) -> list[tuple[dict[str, Any], datetime | None]]:
    return list({row[key]: (row, mark) for row, mark in rows if row[key] is not None}.values())


@dataclass(frozen=True)
class Case:
    key: str
    policy: DeletePolicy
    merge_limit: int | None
    row_hash: str | None

    @property
    def rows(self) -> st.SearchStrategy[dict[str, Any]]:
        return ID_ROWS if self.key == "Id" else KEY_ROWS


CASES = [
    Case(key, policy, merge_limit, row_hash)
    for key in ("Id", "Key__c")
    for policy in DeletePolicy
    for merge_limit, row_hash in ((None, "hash"), (0, "hash"), (None, None))
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.key}-{c.policy}-{c.merge_limit}-{c.row_hash}")
@settings(max_examples=12, deadline=None)
@given(data=st.data())
def test_a_merge_does_what_the_rules_say(warehouse: DuckDBWarehouse, case: Case, data: st.DataObject) -> None:
    warehouse.dialect = replace(DIALECT, merge_limit=case.merge_limit, row_hash=case.row_hash)
    target = unique(data.draw(st.lists(st.tuples(case.rows, MARKS), max_size=6)), case.key)
    staged = data.draw(st.lists(case.rows, max_size=8))
    before = {row[case.key]: Row(row, mark, "old", f"note {row['Id']}") for row, mark in target}
    expected, expected_counts = model_merge(before, staged, case.key, case.policy)
    table, staging = load(warehouse, target, staged)

    spec = merge.prepare(warehouse, spec_for(table, staging, case.key, case.policy))
    counts = merge.classify(warehouse, spec)
    with warehouse.transaction():
        merge.merge(warehouse, spec, counts)

    assert counts == expected_counts
    assert counts.read == counts.changed + counts.unchanged + counts.duplicate + counts.ignored
    assert stored(warehouse, table, case.key) == expected
    assert_second_merge_changes_nothing(warehouse, spec)


def assert_second_merge_changes_nothing(warehouse: DuckDBWarehouse, spec: MergeSpec) -> None:
    again = merge.classify(warehouse, merge.prepare(warehouse, spec))
    assert again.changed == 0
