"""The part of the warehouse suite about values and rows: bound, staged, read."""

from __future__ import annotations

import json
import sys
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from lht.errors import LhtError
from lht.model.table import Column, ColumnKind, ColumnType
from lht.testing.suites.rows import (
    TEXT,
    WHOLE,
    Stream,
    failing_stream,
    rows_of,
    schema_of,
    stream_of,
    table_with,
)
from lht.warehouse.statements import Statement, quote_table, type_sql

if TYPE_CHECKING:
    from lht.warehouse.port import Warehouse

DECIMAL = ColumnType(ColumnKind.DECIMAL, precision=38, scale=18)
FLOAT = ColumnType(ColumnKind.FLOAT)
VARIANT = ColumnType(ColumnKind.VARIANT)
MOST = 10**38 - 1
MANY = 5_000


def _naive(text: str) -> datetime:
    return datetime.fromisoformat(text)


EXTREMES: dict[str, tuple[ColumnType, list[Any]]] = {
    "whole": (WHOLE, [MOST, -MOST, 0, 1, 2**63 - 1, -(2**63)]),
    "decimal": (DECIMAL, [Decimal("99999999999999999999.999999999999999999"), Decimal("-0.000000000000000001")]),
    "money": (ColumnType(ColumnKind.DECIMAL, precision=18, scale=2), [Decimal("12.50"), Decimal("-0.01"), Decimal(0)]),
    "float": (FLOAT, [sys.float_info.max, -sys.float_info.max, 5e-324, sys.float_info.min, 0.1, 1e-7, 1 / 3]),
    "flag": (ColumnType(ColumnKind.BOOLEAN), [True, False]),
    "day": (ColumnType(ColumnKind.DATE), [date(1, 1, 1), date(1700, 2, 28), date(1970, 1, 1), date(4000, 12, 31)]),
    "moment": (
        ColumnType(ColumnKind.TIMESTAMP),
        [
            _naive("1700-01-01T00:00:00.000001"),
            _naive("1969-12-31T23:59:59.999999"),
            _naive("1970-01-01T00:00:00"),
            _naive("2024-02-29T12:30:00.123456"),
            _naive("4000-12-31T23:59:59.999999"),
        ],
    ),
    "clock": (ColumnType(ColumnKind.TIME), [time(0, 0), time(23, 59, 59, 999999), time(12, 0, 0, 1000)]),
    "text": (
        TEXT,
        [
            "", " ", "NULL", "\\N", "#N/A", "it's", 'say "hi"', "a,b;c\td", "two\nlines", "two\r\nlines", "C:\\new",
            "😀🏳 Größe 数", "e\u0301", "\u200b", "?", "%s", "{x}", "-- no comment", "\u0001",
        ],
    ),
    "long_text": (TEXT, ["x" * 131_072, "😀" * 32_768]),
}  # fmt: skip
JSON_VALUES = [{"a": 1, "b": [True, None, 'it\'s \\ "q"']}, [], "text", 1.5, {"ü": "😀"}]


class ValuesSuite:
    """What a warehouse does with values and rows."""

    @pytest.mark.parametrize(("column_type", "values"), EXTREMES.values(), ids=EXTREMES.keys())
    def test_staged_values_come_out_as_they_went_in(
        self, warehouse: Warehouse, column_type: ColumnType, values: list[Any]
    ) -> None:
        columns = (Column("N", WHOLE), Column("V", column_type))
        rows = list(enumerate([*values, None]))

        staging = warehouse.stage(columns, stream_of(columns, rows), "extremes")

        assert rows_of(warehouse, staging) == rows
        assert [c.type for c in warehouse.columns(staging) or ()] == [WHOLE, column_type]
        assert _read(warehouse, staging) == rows

    def test_staged_variants_are_json_not_text(self, warehouse: Warehouse) -> None:
        columns = (Column("N", WHOLE), Column("V", VARIANT))
        rows = [(n, json.dumps(value)) for n, value in enumerate(JSON_VALUES)]

        staging = warehouse.stage(columns, stream_of(columns, [*rows, (99, None)]), "variants")

        found = [value for _, value in rows_of(warehouse, staging)]
        assert [None if v is None else json.loads(str(v)) for v in found] == [*JSON_VALUES, None]

    @pytest.mark.parametrize(
        "value",
        [MOST, -1, Decimal("1.25"), True, False, date(1700, 1, 1), _naive("2024-02-29T12:30:00.123456"),
         time(23, 59, 59, 999999), "", "it's \\ \"q\" \n 😀 ? %s", None],
        ids=repr,
    )  # fmt: skip
    def test_bound_values_come_out_as_they_went_in(self, warehouse: Warehouse, value: object) -> None:
        column_type = _type_of(value)
        table = table_with(warehouse, [Column("V", column_type)], (value,))

        assert rows_of(warehouse, table) == [(value,)]

    def test_aware_moments_are_stored_as_utc(self, warehouse: Warehouse) -> None:
        moment = datetime(2024, 1, 1, 2, tzinfo=timezone(timedelta(hours=5, minutes=30)))
        sql = f"SELECT CAST(? AS {type_sql(ColumnType(ColumnKind.TIMESTAMP), warehouse.dialect)}) AS A"

        ((stored,),) = warehouse.query(Statement(sql, (moment,)))

        assert stored == moment.astimezone(UTC).replace(tzinfo=None)

    def test_execute_gives_the_number_of_rows_it_changed(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, [Column("A", TEXT)], ("1",), ("2",), ("3",))
        name = quote_table(table)

        changed = [
            warehouse.execute(Statement(f"UPDATE {name} SET A = 'x' WHERE A <> ?", ("1",))),
            warehouse.execute(Statement(f"INSERT INTO {name} SELECT A FROM {name}")),
            warehouse.execute(Statement(f"DELETE FROM {name} WHERE A = 'nobody'")),
            warehouse.execute(Statement(f"DELETE FROM {name}")),
        ]

        assert changed == [2, 3, 0, 6]

    def test_an_empty_stream_makes_an_empty_table(self, warehouse: Warehouse) -> None:
        columns = (Column("A", TEXT), Column("V", VARIANT))

        for name, stream in {"no_batch": stream_of(columns), "no_row": stream_of(columns, [])}.items():
            assert warehouse.row_count(warehouse.stage(columns, stream, name)) == 0

    def test_staged_rows_come_from_all_batches(self, warehouse: Warehouse) -> None:
        columns = (Column("A", WHOLE),)
        batches = [[(n * 10 + i,) for i in range(10)] for n in range(3)]

        staging = warehouse.stage(columns, stream_of(columns, batches[0], [], *batches[1:]), "batches")

        assert rows_of(warehouse, staging) == [(n,) for n in range(30)]

    def test_a_name_may_be_staged_again(self, warehouse: Warehouse) -> None:
        columns = (Column("A", TEXT),)

        for value in ("first", "second"):
            staging = warehouse.stage(columns, stream_of(columns, [(value,)]), "again")

        assert rows_of(warehouse, staging) == [("second",)]

    @pytest.mark.parametrize("error", [KeyboardInterrupt("Ctrl-C"), ValueError("a bad page")], ids=repr)
    @pytest.mark.parametrize("batches", [0, 2])
    def test_a_stream_that_fails_raises_its_own_error_and_leaves_nothing(
        self, warehouse: Warehouse, error: BaseException, batches: int
    ) -> None:
        columns = (Column("A", TEXT),)
        before = warehouse.stage(columns, stream_of(columns, [("1",)]), "whole")
        rows = [[(str(n),)] for n in range(batches)]

        with pytest.raises(type(error)) as raised:
            warehouse.stage(columns, failing_stream(columns, error, *rows), "broken")

        assert raised.value is error
        assert warehouse.columns(_named_like(warehouse, before, "broken")) is None
        assert rows_of(warehouse, before) == [("1",)]

    def test_a_value_that_does_not_fit_is_an_error_of_ours_and_leaves_nothing(
        self, warehouse: Warehouse
    ) -> None:
        columns = (Column("A", WHOLE),)
        before = warehouse.stage(columns, stream_of(columns, [(1,)]), "whole")
        bad = pa.record_batch({"A": ["no number"]})

        with pytest.raises(LhtError):
            warehouse.stage(columns, Stream(pa.RecordBatchReader.from_batches(bad.schema, [bad])), "bad")

        assert warehouse.columns(_named_like(warehouse, before, "bad")) is None

    def test_a_result_is_read_in_batches_of_one_schema(self, warehouse: Warehouse) -> None:
        columns = (Column("A", WHOLE), Column("B", TEXT))
        rows = [(n, None if n % 2 else str(n)) for n in range(MANY)]
        staging = warehouse.stage(columns, stream_of(columns, rows), "many")

        reader = warehouse.read(Statement(f"SELECT A, B FROM {quote_table(staging)} ORDER BY A"))
        batches = list(reader)

        assert {batch.schema for batch in batches} == {reader.schema}
        found = pa.Table.from_batches(batches, reader.schema)
        assert [int(v) for v in found.column(0).to_pylist() if v is not None] == list(range(MANY))
        assert found.column(1).to_pylist() == [row[1] for row in rows]

    def test_a_result_of_no_rows_or_of_nulls_has_its_columns(self, warehouse: Warehouse) -> None:
        types = {name: column_type for name, (column_type, _) in EXTREMES.items()}
        columns = [Column(name.upper(), column_type) for name, column_type in types.items()]
        table = table_with(warehouse, columns)
        empty = warehouse.read(Statement(f"SELECT * FROM {quote_table(table)}"))
        nothing = empty.read_all()
        warehouse.execute(Statement(f"INSERT INTO {quote_table(table)} ({columns[0].name}) VALUES (NULL)"))

        nulls = warehouse.read(Statement(f"SELECT * FROM {quote_table(table)}")).read_all()

        assert nothing.num_rows == 0
        assert nulls.to_pylist() == [dict.fromkeys(schema_of(columns).names)]
        assert nulls.schema == nothing.schema == empty.schema

    def test_results_are_read_one_after_the_other(self, warehouse: Warehouse) -> None:
        table = table_with(warehouse, [Column("A", TEXT)], ("1",))
        asking = Statement(f"SELECT A FROM {quote_table(table)} WHERE A = ?", ("1",))

        read = [warehouse.read(asking).read_all().to_pylist() for _ in range(2)]

        assert read == [[{"A": "1"}]] * 2
        assert warehouse.query(asking) == [("1",)]

    def test_a_query_that_cannot_be_read_is_an_error_of_ours(self, warehouse: Warehouse) -> None:
        with pytest.raises(LhtError):
            warehouse.read(Statement("SELECT nothing_of_that_name FROM no_table_of_that_name")).read_all()


def _read(warehouse: Warehouse, table: Any) -> list[tuple[Any, ...]]:
    found = warehouse.read(Statement(f"SELECT * FROM {quote_table(table)} ORDER BY 1")).read_all()
    return [(int(row["N"]), row["V"]) for row in found.to_pylist()]


def _named_like(warehouse: Warehouse, staging: Any, name: str) -> Any:
    """Where a staging table of another name would be."""
    folded = name.upper() if warehouse.capabilities.folds_upper else name
    return type(staging)(staging.catalog, staging.schema, folded)


def _type_of(value: object) -> ColumnType:
    kinds: dict[type, ColumnType] = {
        bool: ColumnType(ColumnKind.BOOLEAN),
        int: WHOLE,
        Decimal: ColumnType(ColumnKind.DECIMAL, precision=18, scale=2),
        date: ColumnType(ColumnKind.DATE),
        datetime: ColumnType(ColumnKind.TIMESTAMP),
        time: ColumnType(ColumnKind.TIME),
    }
    return kinds.get(type(value), TEXT)
