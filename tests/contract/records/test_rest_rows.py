"""REST answers and deletions become the same typed batches as Bulk results."""

from __future__ import annotations

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from lht.errors import IncompleteExtractError, ValueOutOfRangeError
from lht.mapping.types import parse_type
from lht.model.salesforce import DeletedRecord
from lht.model.table import Column
from lht.records.deletions import stream_deletions
from lht.records.rest_rows import stream_rest


def columns(**types: str) -> list[Column]:
    return [
        Column(name, parse_type(text), field=name.replace("Owner_", "Owner.")) for name, text in types.items()
    ]


def answer(*records: dict[str, Any], total: int | None = None) -> dict[str, Any]:
    shown = [{"attributes": {"type": "Account", "url": "/x"}, **record} for record in records]
    return {"totalSize": len(records) if total is None else total, "done": True, "records": shown}


def test_json_values_become_typed_columns() -> None:
    record = {
        "Id": "001A", "Name": "Acme", "Active": True, "Count": 10, "Amount": 150.0, "Big": 1.6147805824397e13,
        "Day": "2021-05-19", "At": "10:20:30.000Z", "Stamp": "2024-05-01T10:20:30.000+0000", "Free": {"a": [1]},
    }  # fmt: skip
    types = columns(Id="varchar(18)", Name="varchar", Active="boolean", Count="number(38,0)", Amount="number(38,2)",
                    Big="float", Day="date", At="time", Stamp="timestamp", Free="varchar")  # fmt: skip

    table = stream_rest([answer(record)], types).reader.read_all()

    row = table.to_pylist()[0]
    assert row["Amount"] == Decimal("150.00")
    assert (row["Active"], row["Count"], row["Big"]) == (True, 10, 16147805824397.0)
    assert row["At"] == time(10, 20, 30)
    assert row["Stamp"] == datetime(2024, 5, 1, 10, 20, 30)  # noqa: DTZ001  # columns hold UTC without a zone
    assert row["Free"] == '{"a": [1]}'


def test_pages_become_batches_and_are_counted() -> None:
    first = answer({"Id": "a"}, {"Id": "b"}, total=3)
    stream = stream_rest([first, answer({"Id": "c"}, total=3), answer(total=3)], columns(Id="varchar(18)"))

    batches = list(stream.reader)

    assert [batch.num_rows for batch in batches] == [2, 1]
    assert (stream.rows, stream.expected) == (3, 3)


def test_an_answer_without_records_is_an_empty_table() -> None:
    stream = stream_rest([answer()], columns(Id="varchar(18)", Amount="number(38,2)"))

    assert stream.reader.read_all().schema == pa.schema(
        [("Id", pa.string()), ("Amount", pa.decimal128(38, 2))]
    )
    assert stream.expected == 0


def test_dotted_paths_reach_the_parent_and_a_missing_parent_is_null() -> None:
    records = [
        {"Id": "a", "Owner": {"attributes": {}, "Name": "Ann", "Manager": {"Name": "Bo"}}},
        {"Id": "b", "Owner": None},
        {"Id": "c", "Owner": {"attributes": {}, "Name": None, "Manager": None}},
    ]
    types = [
        *columns(Id="varchar(18)", Owner_Name="varchar"),
        Column("M", parse_type("varchar"), "owner.manager.name"),
    ]

    table = stream_rest([answer(*records)], types).reader.read_all()

    assert table["Owner_Name"].to_pylist() == ["Ann", None, None]
    assert table["M"].to_pylist() == ["Bo", None, None]


def test_a_field_that_is_missing_is_an_error_and_no_null() -> None:
    stream = stream_rest([answer({"Id": "a"})], columns(Id="varchar(18)", Name="varchar"))

    with pytest.raises(IncompleteExtractError, match="lacks the field Name"):
        stream.reader.read_all()


def test_too_many_decimals_are_rounded_and_counted() -> None:
    stream = stream_rest(
        [answer({"N": 1.005}, {"N": 1.0}, {"N": None}), answer({"N": -2.675})], columns(N="number(38,2)")
    )

    assert [str(v) for v in stream.reader.read_all()["N"].to_pylist()] == ["1.01", "1.00", "None", "-2.68"]
    assert stream.rounded == {"N": 2}


def test_empty_texts_and_nul_characters_are_as_in_bulk() -> None:
    stream = stream_rest([answer({"T": ""}, {"T": "a\0b"}, {"T": "\0"})], columns(T="varchar"))

    assert stream.reader.read_all()["T"].to_pylist() == [None, "ab", None]


def test_invalid_type_conversion_names_the_record() -> None:
    records = [{"Id": "001A", "D": "2024-05-01"}, {"Id": "001B", "D": "soon"}]
    stream = stream_rest([answer(*records)], columns(Id="varchar(18)", D="date"), object_name="Account")

    with pytest.raises(ValueOutOfRangeError, match=r"Account\.D of record 001B holds 'soon'"):
        stream.reader.read_all()


def test_deletions_are_ids_and_utc_times() -> None:
    gone = [DeletedRecord(f"{i}", datetime(2024, 5, 1, 12, tzinfo=UTC)) for i in range(60_000)]
    stream = stream_deletions(gone)

    table = stream.reader.read_all()

    assert table.num_rows == stream.rows == stream.expected == 60_000
    assert table.slice(0, 1).to_pylist() == [{"Id": "0", "deleted_at": datetime(2024, 5, 1, 12)}]  # noqa: DTZ001
