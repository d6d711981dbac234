"""Any value of any field type survives the way: Salesforce's CSV -> Arrow -> DuckDB."""

from __future__ import annotations

import gzip
import tempfile
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from lht.mapping.types import default_type
from lht.model.salesforce import Field
from lht.model.table import Column
from lht.records.parse import stream_pages
from lht.records.rest_rows import stream_rest
from lht.records.spool import Page

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lht.records.parse import RecordStream

Record = dict[str, Any]

FIELDS = (
    Field("Id", "id", length=18),
    Field("Name", "string", length=255),
    Field("Text__c", "textarea", length=131_072),
    Field("Many__c", "multipicklist", length=4099),
    Field("IsDeleted", "boolean"),
    Field("Count__c", "int", digits=9),
    Field("Long__c", "long"),
    Field("Amount__c", "currency", precision=18, scale=2),
    Field("Share__c", "percent", precision=18, scale=0),
    Field("Latitude__c", "double", precision=18, scale=15),
    Field("Formula__c", "double", precision=18, scale=2, calculated=True),
    Field("Day__c", "date"),
    Field("At__c", "time"),
    Field("SystemModstamp", "datetime"),
    Field("Any__c", "anyType"),
)
COLUMNS = tuple(Column(field.name, default_type(field), field=field.name) for field in FIELDS)


# -- an encoder of our own: it shares nothing with the reader


def java_double(value: float) -> str:
    """Writes a number as Java's Double.toString does."""
    if value == 0:
        return "-0.0" if str(value).startswith("-") else "0.0"
    sign, all_digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    digits = "".join(map(str, all_digits))
    point = len(digits) + int(exponent)
    if 1e-3 <= abs(value) < 1e7:
        padded = digits.ljust(point, "0") if point > 0 else "0" * (1 - point) + digits
        whole, fraction = padded[: max(point, 1)], padded[max(point, 1) :]
        return f"{'-' * sign}{whole}.{fraction or '0'}"
    return f"{'-' * sign}{digits[0]}.{digits[1:] or '0'}E{point - 1}"


def encode(value: Any) -> str:  # one line for each type
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return java_double(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    if isinstance(value, time):
        return f"{value:%H:%M:%S}.{value.microsecond // 1000:03d}Z"
    return value.isoformat() if isinstance(value, date) else str(value)


def csv_page(records: Sequence[Record], path: Path) -> Page:
    rows = [[field.name for field in FIELDS], *([encode(r[f.name]) for f in FIELDS] for r in records)]
    lines = (",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    path.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode()))
    return Page(0, None, path, len(records), 0)


def rest_page(records: Sequence[Record]) -> Record:
    def form(value: Any) -> Any:
        if isinstance(value, datetime):
            return encode(value).replace("Z", "+0000")
        return encode(value) if isinstance(value, date | time) else value

    shown = [{name: form(value) for name, value in record.items()} for record in records]
    return {"totalSize": len(records), "done": True, "records": shown}


# -- values and what becomes of them


def expected(field: Field, value: Any) -> Any:
    if value is None or value == "":
        return None
    kind = default_type(field)
    if isinstance(value, str):
        return value.replace("\0", "") or None
    if isinstance(value, float) and not field.calculated:
        unit = Decimal(1).scaleb(-(kind.scale or 0))
        return Decimal(repr(value)).quantize(unit, context=Context(prec=400, rounding=ROUND_HALF_UP))
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    return value


def is_rounded(field: Field, value: Any) -> bool:
    return (
        isinstance(value, float) and not field.calculated and expected(field, value) != Decimal(repr(value))
    )


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
stamps = st.datetimes(datetime(1700, 1, 1), datetime(4000, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": st.text("0123456789abcdefABCDEF", min_size=18, max_size=18),
    "string": texts,
    "textarea": texts | st.text("a\r\n\",'\\\0 \t", max_size=60),
    "multipicklist": st.lists(st.sampled_from(["A", "B b", "C,c"]), unique=True).map(";".join),
    "boolean": st.booleans(),
    "int": st.integers(-(10**9), 10**9),
    "long": st.integers(-(2**63), 2**63 - 1),
    "currency": st.floats(-1e15, 1e15) | st.integers(-(10**15), 10**15).map(lambda cents: cents / 100),
    "percent": st.floats(-1e18, 1e18),
    "double": st.floats(-1e20, 1e20),
    "date": st.dates(date(1700, 1, 1), date(4000, 12, 31)),
    "time": st.times().map(lambda t: t.replace(microsecond=t.microsecond // 1000 * 1000)),
    "datetime": stamps.map(lambda stamp: stamp.replace(microsecond=0)),
    "anyType": texts | st.just("1.0E40"),
}
records = st.fixed_dictionaries(
    {f.name: VALUES[f.type] if f.type in {"id", "boolean"} else st.none() | VALUES[f.type] for f in FIELDS}
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


def through_duckdb(connection: duckdb.DuckDBPyConnection, stream: RecordStream) -> list[Record]:
    connection.register("incoming", stream.reader)
    connection.execute("CREATE OR REPLACE TABLE t AS SELECT * FROM incoming")
    connection.unregister("incoming")
    rows = connection.execute("SELECT * FROM t").fetchall()
    return [dict(zip((c.name for c in COLUMNS), row, strict=True)) for row in rows]


def check(connection: duckdb.DuckDBPyConnection, stream: RecordStream, made: Sequence[Record]) -> None:
    wanted = [{f.name: expected(f, record[f.name]) for f in FIELDS} for record in made]
    lost = {f.name: sum(is_rounded(f, record[f.name]) for record in made) for f in FIELDS}

    assert wanted == through_duckdb(connection, stream)
    assert {name: count for name, count in lost.items() if count} == stream.rounded


@settings(deadline=None)
@given(made=st.lists(records, max_size=8))
def test_any_value_survives_bulk_csv(connection: duckdb.DuckDBPyConnection, made: list[Record]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        page = csv_page(made, Path(directory) / "0.csv.gz")
        check(connection, stream_pages([page], COLUMNS, object_name="Thing__c"), made)


@settings(deadline=None)
@given(made=st.lists(records, max_size=8))
def test_any_value_survives_rest_json(connection: duckdb.DuckDBPyConnection, made: list[Record]) -> None:
    check(connection, stream_rest([rest_page(made)], COLUMNS, object_name="Thing__c"), made)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_encoder_of_doubles_is_itself_right(value: float) -> None:
    assert float(java_double(value)) == value
