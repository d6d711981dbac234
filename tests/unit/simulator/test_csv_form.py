"""The text of values in result files, against a second implementation written from Java's documentation."""

from __future__ import annotations

import csv
import datetime as dt
import io
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lht.simulator.store.csv_form import CsvForm, double_sql, header, row_sql, value_sql

if TYPE_CHECKING:
    from collections.abc import Iterator


def java_double(value: float) -> str:
    """Double.toString of a finite number, by way of exact decimals."""
    if value == 0:
        return "0.0"
    digits = Decimal(repr(value)).normalize()
    if len(digits.as_tuple().digits) == 1:
        digits = Decimal(f"{value:.1e}").normalize()
    sign = "-" if value < 0 else ""
    exponent = digits.adjusted()
    if -3 <= exponent < 7:
        plain = format(abs(digits), "f")
        return sign + (plain if "." in plain else plain + ".0")
    text = "".join(map(str, digits.as_tuple().digits))
    return f"{sign}{text[0]}.{text[1:] or '0'}E{exponent}"


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (23.0, "23.0"),
        (100.0, "100.0"),
        (0.0, "0.0"),
        (-0.0, "0.0"),
        (16147805824397.0, "1.6147805824397E13"),
        (1e-4, "1.0E-4"),
        (0.001, "0.001"),
        (9999999.999, "9999999.999"),
        (1e7, "1.0E7"),
        (-12345678.9, "-1.23456789E7"),
        (5e-324, "4.9E-324"),
        (1e-323, "9.9E-324"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (0.00012345, "1.2345E-4"),
        (1e23, "1.0E23"),
        (float("nan"), None),
        (float("inf"), None),
        (None, None),
    ],
)
def test_doubles_are_written_as_java_writes_them(
    connection: duckdb.DuckDBPyConnection, value: object, text: str | None
) -> None:
    written = connection.execute(f"SELECT {double_sql('CAST(? AS DOUBLE)')}".replace("?", "$v"), {"v": value})

    assert written.fetchall() == [(text,)]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
@settings(deadline=None)
@example([1e15, 1e16, 123456789012345678.0, 2.0**-44, 1e-3, 9.99e-4, 2e-323, 6e-323])
def test_any_double_is_written_as_java_writes_it(values: list[Any]) -> None:
    with duckdb.connect() as connection:
        rows = connection.execute(
            f"SELECT {double_sql('x')} FROM (SELECT unnest($v::DOUBLE[]) AS x)", {"v": values}
        )

        assert [text for (text,) in rows.fetchall()] == [java_double(value) for value in values]


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("boolean", True, "true"),
        ("boolean", False, "false"),
        ("boolean", None, None),
        ("int", 10, "10"),
        ("long", -(2**53), "-9007199254740992"),
        ("date", dt.date(2024, 5, 1), "2024-05-01"),
        ("date", dt.date(1700, 1, 1), "1700-01-01"),
        ("datetime", dt.datetime.fromisoformat("2024-05-01T10:20:30"), "2024-05-01T10:20:30.000Z"),
        ("datetime", dt.datetime.fromisoformat("4000-12-31T23:59:59"), "4000-12-31T23:59:59.000Z"),
        ("time", dt.time(10, 20, 30), "10:20:30.000Z"),
        ("time", dt.time(0, 0, 0, 5000), "00:00:00.005Z"),
        ("percent", 33.0, "33.0"),
        ("string", 'ACME "North", Ltd', 'ACME ""North"", Ltd'),
        ("textarea", "a\x00b\r\nc", "a\x00b\r\nc"),
    ],
)
def test_values_are_written_in_salesforces_forms(
    connection: duckdb.DuckDBPyConnection, kind: str, value: object, text: str | None
) -> None:
    written = connection.execute(f"SELECT {value_sql('v', kind)} FROM (SELECT $v AS v)", {"v": value})

    assert written.fetchall() == [(text,)]


@given(st.lists(st.text(min_size=1).filter(lambda t: "\r" not in t), min_size=1, max_size=5))
@settings(deadline=None)
def test_a_row_reads_back_as_it_was(values: list[Any]) -> None:
    columns = [(f"c{number}", "string") for number in range(len(values))]
    select = ", ".join(f"${name} AS {name}" for name, _ in columns)
    with duckdb.connect() as connection:
        sql = f"SELECT {row_sql(columns, CsvForm())} FROM (SELECT {select})"
        line = connection.execute(sql, dict(zip([n for n, _ in columns], values, strict=True))).fetchall()[0][
            0
        ]

    assert list(csv.reader(io.StringIO(line.decode(), newline=""))) == [values]


def test_nulls_are_empty_pairs_and_every_header_is_quoted(connection: duckdb.DuckDBPyConnection) -> None:
    form = CsvForm("PIPE", "CRLF")
    sql = f"SELECT {row_sql([('a', 'string'), ('b', 'double'), ('c', 'string')], form)}"

    line = connection.execute(f"{sql} FROM (SELECT 'x' AS a, NULL AS b, NULL AS c)").fetchall()[0][0]

    assert (header(["Id", "Owner.Name"], form), line) == (b'"Id"|"Owner.Name"\r\n', b'"x"|""|""\r\n')
