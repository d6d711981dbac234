"""Types of columns, of files and of results on Snowflake."""

from __future__ import annotations

from types import SimpleNamespace

import pyarrow as pa
import pytest

from lht.mapping.widening import Change, compare
from lht.model.table import Column, ColumnKind, ColumnType
from lht.warehouse import statements
from lht.warehouse.snowflake.dialect import CAPABILITIES, DIALECT, parse_type
from lht.warehouse.snowflake.reading import result_schema
from lht.warehouse.snowflake.staging import part_schema, typed

TYPES = (
    ColumnType(ColumnKind.TEXT, length=18),
    ColumnType(ColumnKind.TEXT),
    ColumnType(ColumnKind.INTEGER),
    ColumnType(ColumnKind.DECIMAL, precision=18, scale=2),
    ColumnType(ColumnKind.DECIMAL, precision=9, scale=0),
    ColumnType(ColumnKind.FLOAT),
    ColumnType(ColumnKind.BOOLEAN),
    ColumnType(ColumnKind.DATE),
    ColumnType(ColumnKind.TIMESTAMP),
    ColumnType(ColumnKind.TIME),
    ColumnType(ColumnKind.VARIANT),
)


@pytest.mark.parametrize("column_type", TYPES, ids=str)
def test_a_type_that_lht_creates_is_read_back(column_type: ColumnType) -> None:
    assert parse_type(statements.type_sql(column_type, DIALECT)) == column_type


@pytest.mark.parametrize(
    ("spelling", "kind"),
    [
        ("VARCHAR(16777216)", ColumnKind.TEXT),
        ("VARCHAR(134217728)", ColumnKind.TEXT),
        ("VARCHAR(18) COLLATE 'en-ci'", ColumnKind.TEXT),
        ("TIMESTAMP_NTZ(9)", ColumnKind.TIMESTAMP),
        ("TIMESTAMP_LTZ(3)", ColumnKind.TIMESTAMP),
        ("TIME(9)", ColumnKind.TIME),
        ("ARRAY(NUMBER(38,0))", ColumnKind.VARIANT),
        ("GEOGRAPHY", ColumnKind.TEXT),
        ("BINARY(8388608)", ColumnKind.TEXT),
        ("", ColumnKind.TEXT),
    ],
)
def test_types_of_others_are_read_as_what_holds_them(spelling: str, kind: ColumnKind) -> None:
    assert parse_type(spelling).kind is kind


def test_a_text_of_any_length_has_no_length() -> None:
    assert parse_type("VARCHAR(16777216)") == ColumnType(ColumnKind.TEXT)


def test_a_collation_is_noticed_and_is_no_drift() -> None:
    plain, collated = parse_type("VARCHAR(18)"), parse_type("VARCHAR(18) COLLATE 'en-ci'")

    assert [plain.is_collated, collated.is_collated] == [False, True]
    assert compare(collated, plain, CAPABILITIES) is Change.SAME


def test_parts_hold_each_type_exactly() -> None:
    columns = [Column(f"C{place}", column_type) for place, column_type in enumerate(TYPES)]

    assert [str(field.type) for field in part_schema(columns)] == [
        "string",
        "string",
        "decimal128(38, 0)",
        "decimal128(18, 2)",
        "decimal128(9, 0)",
        "double",
        "bool",
        "date32[day]",
        "timestamp[us]",
        "time64[us]",
        "string",
    ]


def test_a_timestamp_with_a_zone_is_kept_as_utc() -> None:
    schema = part_schema([Column("AT", ColumnType(ColumnKind.TIMESTAMP))])
    batch = pa.record_batch({"at": pa.array([0], pa.timestamp("us", "Europe/Berlin"))})

    assert typed(batch, schema).column(0) == pa.array([0], pa.timestamp("us"))


@pytest.mark.parametrize(
    ("code", "precision", "scale", "expected"),
    [
        (0, 38, 0, "decimal128(38, 0)"),
        (0, 18, 0, "int64"),
        (0, 19, 0, "decimal128(38, 0)"),
        (0, 10, 2, "decimal128(10, 2)"),
        (1, None, None, "double"),
        (2, None, None, "string"),
        (3, None, None, "date32[day]"),
        (5, None, None, "string"),
        (6, 0, 9, "timestamp[us]"),
        (8, 0, 9, "timestamp[us]"),
        (11, None, None, "binary"),
        (12, 0, 9, "time64[us]"),
        (13, None, None, "bool"),
        (14, None, None, "string"),
    ],
)
def test_a_result_is_typed_by_its_description(
    code: int, precision: int | None, scale: int | None, expected: str
) -> None:
    column = SimpleNamespace(name="C", type_code=code, precision=precision, scale=scale)

    assert str(result_schema([column]).field("C").type) == expected
