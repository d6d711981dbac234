"""Any warehouse value of any type is written as a text that reads back as itself, or refused with its reason.

The texts are read back here by rules of Python's own.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from retl_rows import FIELDS, Rows, open_rows

from lht.model.retl import Operation
from lht.retl.normal import key_sql, normal_sql

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ONE_OF_EACH_TYPE = {
    "Id", "Text__c", "Exact__c", "Email__c", "Mood__c", "Traits__c", "Checked__c", "Count__c", "Ratio__c", "Found__c",
    "Seen__c", "Opens__c",
}  # fmt: skip
BLANKS = "".join(map(chr, range(33)))
EXACT = Context(prec=60)
HOW = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rows]:
    with open_rows(tmp_path_factory.mktemp("work")) as opened:
        yield opened.asked(Operation.INSERT)


def check(  # noqa: PLR0917 - each call is a line of a table
    rows: Rows,
    name: str,
    values: list[Any],
    types: tuple[pa.DataType, str],
    expected: Callable[[Any], bool],
    read: Callable[[str], Any],
) -> None:
    """Each value reads back as itself where `expected` says that the field holds it, and is counted as refused else."""
    matched = rows.put(name, values, *types)
    texts = rows.texts()

    held = [None if value is None or not expected(value) else value for value in values]
    assert [None if text is None else read(text) for text in texts] == held
    refused = sum(value is not None and text is None for value, text in zip(values, texts, strict=True))
    counted = rows.codes(matched)
    counted.pop("REQUIRED_FIELD_MISSING", None)
    assert sum(counted.values()) == refused


def plain(text: str) -> Decimal:
    assert re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]*[1-9])?", text), text
    return Decimal(text)


def fits(value: Decimal, digits: int, scale: int) -> bool:
    return abs(value.quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, EXACT)) < 10**digits


def several(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.none() | strategy, min_size=1, max_size=30)


@HOW
@given(values=several(st.integers(-(2**63), 2**63 - 1) | st.integers(-(10**10), 10**10)))
def test_whole_numbers(rows: Rows, values: list[Any]) -> None:
    for kind in ("BIGINT", "HUGEINT", "DECIMAL(38,0)"):
        check(rows, "Count__c", values, (pa.int64(), kind), lambda v: abs(v) < 10**9, lambda t: int(plain(t)))
    check(
        rows, "Ratio__c", values, (pa.int64(), "BIGINT"), lambda v: abs(v) < 10**16, lambda t: int(plain(t))
    )
    check(rows, "Text__c", values, (pa.int64(), "BIGINT"), lambda _: True, int)


@HOW
@given(values=several(st.decimals(-(10**20), 10**20, places=10)))
def test_decimals(rows: Rows, values: list[Any]) -> None:
    kind = (pa.decimal128(38, 10), "DECIMAL(38,10)")
    check(rows, "Ratio__c", values, kind, lambda v: fits(v, 16, 2), plain)
    check(rows, "Share__c", values, kind, lambda v: fits(v, 3, 2), plain)
    check(rows, "Text__c", values, kind, lambda _: True, Decimal)
    rows.put("Ratio__c", [None if v is None else f" {v:e}" for v in values], pa.string(), "VARCHAR")
    read_back = [None if text is None else plain(text) for text in rows.texts()]
    assert read_back == [v if v is not None and fits(v, 16, 2) else None for v in values]


@HOW
@given(values=several(st.floats() | st.floats(-1e6, 1e6) | st.sampled_from([0.1 + 0.2, 1e20, 5e-324, -0.0])))
def test_floats(rows: Rows, values: list[Any]) -> None:
    def fitting(value: float) -> bool:
        return abs(value) < 1e20 and fits(Decimal(repr(value)), 16, 2)

    kind = (pa.float64(), "DOUBLE")
    finite = [None if value is None or math.isnan(value) else value for value in values]
    check(rows, "Ratio__c", finite, kind, fitting, lambda t: float(plain(t)))
    check(rows, "Long__c", finite, kind, lambda v: abs(v) != float("inf"), lambda t: float(plain(t)))


@HOW
@given(values=several(st.floats(width=32, allow_nan=False)))
def test_narrow_floats_keep_their_short_form(rows: Rows, values: list[Any]) -> None:
    rows.put("Text__c", values, pa.float32(), "FLOAT")

    for value, text in zip(values, rows.texts(), strict=True):
        if value is None or abs(value) == float("inf"):
            assert text is None
        else:
            assert pa.scalar(float(plain(text or "")), pa.float32()).as_py() == value
            assert len(str(plain(text or "").as_tuple().digits).split(",")) <= 40


@HOW
@given(
    values=several(
        st.text(max_size=40) | st.sampled_from(["", " ", "#N/A", "a\r\nb\rc", "\0", " x ", '"', "🙂"])
    )
)
def test_texts(rows: Rows, values: list[Any]) -> None:
    values = [None if value is None or "\ud800" <= value <= "\udfff" else value for value in values]
    given_ones = [
        None if value is None or not value.strip(BLANKS.replace("\0", "")) else value for value in values
    ]
    lines = [None if v is None else v.replace("\r\n", "\n").replace("\r", "\n") for v in given_ones]
    check(rows, "Text__c", lines, (pa.string(), "VARCHAR"), lambda v: "\0" not in v and v != "#N/A", str)
    rows.put("Text__c", given_ones, pa.string(), "VARCHAR")
    assert rows.texts() == [None if v is None or "\0" in v or v == "#N/A" else v for v in lines]


@HOW
@given(values=several(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31))))  # noqa: DTZ001
def test_moments(rows: Rows, values: list[Any]) -> None:
    def in_range(value: datetime) -> bool:
        return 1700 <= value.year <= 4000

    def read(text: str) -> datetime:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
        return datetime.fromisoformat(text)

    def cut(value: datetime | None) -> datetime | None:
        return value and value.replace(microsecond=value.microsecond // 1000 * 1000, tzinfo=UTC)

    milli = [cut(value) for value in values]
    for kind in ("TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_MS"):
        check(rows, "Seen__c", milli, (pa.timestamp("us", "UTC"), kind), in_range, read)
    texts = [None if m is None else m.isoformat() for m in milli]
    check(
        rows,
        "Seen__c",
        texts,
        (pa.string(), "VARCHAR"),
        lambda t: 1700 <= int(t[:4]) <= 4000,
        lambda t: read(t).isoformat(),
    )


@HOW
@given(values=several(st.dates()))
def test_days(rows: Rows, values: list[Any]) -> None:
    def in_range(value: date) -> bool:
        return 1700 <= value.year <= 4000

    check(rows, "Found__c", values, (pa.date32(), "DATE"), in_range, date.fromisoformat)
    texts = [value and value.isoformat() for value in values]
    check(rows, "Found__c", texts, (pa.string(), "VARCHAR"), lambda t: 1700 <= int(t[:4]) <= 4000, str)
    check(
        rows, "Seen__c", values, (pa.date32(), "DATE"), in_range, lambda t: datetime.fromisoformat(t).date()
    )


@HOW
@given(values=several(st.times()))
def test_times(rows: Rows, values: list[Any]) -> None:
    whole = [value and value.replace(microsecond=value.microsecond // 1000 * 1000) for value in values]
    check(
        rows,
        "Opens__c",
        whole,
        (pa.time64("us"), "TIME"),
        lambda _: True,
        lambda t: time.fromisoformat(t.removesuffix("Z")),
    )


@HOW
@given(values=several(st.booleans()))
def test_booleans(rows: Rows, values: list[Any]) -> None:
    words = {"true": True, "false": False}
    check(rows, "Checked__c", values, (pa.bool_(), "BOOLEAN"), lambda _: True, words.__getitem__)
    check(
        rows,
        "Checked__c",
        [v if v is None else int(v) for v in values],
        (pa.int8(), "TINYINT"),
        lambda _: True,
        words.__getitem__,
    )


ANY = st.none() | st.text(max_size=12) | st.sampled_from(
    ["#N/A", "", " a", "1.0", "1", "9.1E3", "-0", "true", "2024-01-31T01:02:03.000+0000", "2024-01-31T01:02:03Z", "10:00:00.000Z", "Heavy;rare", "rare; Heavy", "001gK0000000001", "001gK0000000001AAA"]
)  # fmt: skip


@settings(HOW, max_examples=2)
@given(values=st.lists(st.tuples(ANY, ANY), min_size=20, max_size=40))
def test_a_normal_form_is_its_own_normal_form(rows: Rows, values: list[tuple[Any, Any]]) -> None:
    safe = [(a and a.replace("\0", ""), b and b.replace("\0", "")) for a, b in values]
    work = rows.run.work
    left, right = pa.array([a for a, _ in safe], pa.string()), pa.array([b for _, b in safe], pa.string())
    work.load("pairs", pa.table({"a": left, "b": right}).to_reader())
    for known in (f for f in FIELDS if f.name in ONE_OF_EACH_TYPE):
        for form in (normal_sql, key_sql):
            once = f"SELECT {form('a', known)} AS a, {form('b', known)} AS b FROM pairs"
            work.execute(f"CREATE OR REPLACE TABLE formed AS {once}")
            ((unstable,),) = work.query(
                f"SELECT count(*) FILTER (a IS DISTINCT FROM {form('a', known)}) FROM formed"
            )
            assert unstable == 0, (known.name, form.__name__)
