"""Every known trap of reading Salesforce's CSV, by name."""

from __future__ import annotations

import gzip
import zlib
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

from lht.errors import IncompleteExtractError, Recovery, ValueOutOfRangeError
from lht.mapping.types import parse_type
from lht.model.table import Column
from lht.records.batches import FIRST_BLOCK_BYTES
from lht.records.parse import RecordStream, Tally, stream_pages

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.records.spool import Page


# -- numbers


def test_numbers_as_java_prints_doubles_become_exact_decimals(pages: Any) -> None:
    values = pages.values("number(38,2)", "23.0", "1.6147805824397E13", "-0.5", "0.0", "1.0E-2", "")

    assert values == [
        Decimal("23.00"), Decimal("16147805824397.00"), Decimal("-0.50"), Decimal("0.00"), Decimal("0.01"), None,
    ]  # fmt: skip


def test_whole_numbers_may_come_as_doubles(pages: Any) -> None:
    values = pages.values("number(38,0)", "23", "23.0", "2.3E1", "-1.0E7", "9223372036854775807", "")

    assert values == [23, 23, 23, -10_000_000, 9223372036854775807, None]


@pytest.mark.parametrize(
    "text", ["1.0E17", "123456789012345678.0", "1.0E36", "3.117E37", "1.0E40", "1.0E300"]
)
def test_e_notation_beyond_the_precision_is_refused(pages: Any, text: str) -> None:
    with pytest.raises(ValueOutOfRangeError, match=r"Invalid type conversion: Account\.Amount__c"):
        pages.values("number(18,2)", "1.0", text)


@pytest.mark.parametrize(("scale", "text"), [(2, "3.117E37"), (15, "1.0E23"), (9, "7.3E30"), (20, "1.0E19")])
def test_numbers_that_would_wrap_around_in_128_bits_are_refused(pages: Any, scale: int, text: str) -> None:
    with pytest.raises(ValueOutOfRangeError):
        pages.values(f"number(38,{scale})", "1.0", text)


def test_large_numbers_that_fit_are_read_exactly(pages: Any) -> None:
    assert pages.values("number(38,2)", "1.0", "1.25E30") == [Decimal("1.00"), Decimal("1.25E30")]
    assert pages.values("number(38,0)", "99999999999999999999999999999999999999") == [10**38 - 1]


def test_plain_digits_that_would_wrap_around_are_refused(pages: Any) -> None:
    with pytest.raises(ValueOutOfRangeError):
        pages.values("number(38,2)", "12345678901234567890123456789012345678")


def test_every_batch_is_validated_in_full(pages: Any) -> None:
    table = pages.read(pages.column("number(38,2)", "1.0", "2.0"))

    table.validate(full=True)
    with pytest.raises(ValueOutOfRangeError):
        pages.values("number(38,30)", "123456789.0")


def test_too_many_decimals_are_rounded_half_away_from_zero_and_counted(pages: Any) -> None:
    stream = pages.column("number(38,2)", "1.005", "-1.005", "2.675", "1.0", "", "1.004", "1.2E-3", "5.0")

    values = pages.read(stream)["Amount__c"].to_pylist()

    assert [str(value) for value in values if value is not None] == [
        "1.01", "-1.01", "2.68", "1.00", "1.00", "0.00", "5.00",
    ]  # fmt: skip
    assert stream.rounded == {"Amount__c": 5}
    assert stream.rows == 8


def test_roundings_are_counted_per_column_over_all_pages(pages: Any) -> None:
    header = ["Id", "A", "B"]
    made = [
        pages.page(header, ["1", "1.0", "0.5"], ["2", "1.234", "0.5"]),
        pages.page(header, ["3", "1.0", "0.55"], ["4", "1.1234", "0.5"]),
        pages.page(header, ["5", "9.999", "0.5"]),
    ]
    stream = pages.stream(made, Id="varchar(18)", A="number(38,2)", B="number(38,1)")

    table = pages.read(stream)

    assert stream.rounded == {"A": 3, "B": 1}
    assert [str(v) for v in table["A"].to_pylist()] == ["1.00", "1.23", "1.00", "1.12", "10.00"]
    assert table["Id"].to_pylist() == ["1", "2", "3", "4", "5"]


def test_a_fraction_in_a_whole_number_is_rounded_and_counted(pages: Any) -> None:
    stream = pages.column("number(38,0)", "23.5", "7")

    assert pages.read(stream)["Amount__c"].to_pylist() == [24, 7]
    assert stream.rounded == {"Amount__c": 1}


@pytest.mark.parametrize("text", ["1.0E-40", "4.9E-324", "-1.0E-45"])
def test_vanishing_numbers_are_rounded_to_zero_and_counted(pages: Any, text: str) -> None:
    stream = pages.column("number(38,2)", text, "1.5")

    assert pages.read(stream)["Amount__c"].to_pylist() == [Decimal("0.00"), Decimal("1.50")]
    assert stream.rounded == {"Amount__c": 1}


def test_rounding_up_beyond_the_precision_is_refused(pages: Any) -> None:
    assert pages.values("number(4,2)", "99.994") == [Decimal("99.99")]
    with pytest.raises(ValueOutOfRangeError):
        pages.values("number(4,2)", "99.995")


def test_formula_numbers_keep_all_their_digits(pages: Any) -> None:
    values = pages.values("float", "0.1", "1.7976931348623157E308", "33.333333333333336", "4.9E-324", "")

    assert values == [0.1, 1.7976931348623157e308, 33.333333333333336, 5e-324, None]


def test_a_large_exponent_in_a_text_changes_nothing(pages: Any) -> None:
    page = pages.page(["Id", "Part__c", "Amount__c"], ["1", "1E40", "1.5"], ["2", "BRIE-25", "2.5"])

    table = pages.read(pages.stream([page], Id="varchar(18)", Part__c="varchar", Amount__c="number(38,2)"))

    assert table["Part__c"].to_pylist() == ["1E40", "BRIE-25"]
    assert table["Amount__c"].to_pylist() == [Decimal("1.50"), Decimal("2.50")]


@pytest.mark.parametrize("split", range(8))
def test_a_large_exponent_across_two_reads_is_seen(pages: Any, split: int) -> None:
    header = ["Id", "T", "Amount__c"]
    filler = [[f"{i}", "x" * 997, "1.0"] for i in range(1000)]
    read_ends = len(pages.csv(header)) + FIRST_BLOCK_BYTES
    written = len(pages.csv(header, *filler)) + len('"last","') + len('","')
    page = pages.page(header, *filler, ["last", "y" * (read_ends - written - split), "1.0E-40"])
    stream = pages.stream([page], Id="varchar(18)", T="varchar", Amount__c="number(38,2)")

    pages.read(stream)

    assert stream.rounded == {"Amount__c": 1}


# -- texts, dates and the rest


def test_newlines_commas_and_quotes_survive_in_values(pages: Any) -> None:
    texts = [
        "two\nlines",
        "Windows\r\nlines",
        'a "quoted" word',
        "a,b",
        "\n",
        '"',
        "ends\\",
        "😀 ünï\u2028code",
    ]

    assert pages.values("varchar", *texts) == texts


def test_a_quoted_empty_text_is_null(pages: Any) -> None:
    assert pages.values("varchar", "", "x", "") == [None, "x", None]


def test_texts_that_look_like_null_stay_texts(pages: Any) -> None:
    texts = ["null", "NULL", "NA", "N/A", "nan", "None", "#N/A", " ", "0"]

    assert pages.values("varchar", *texts) == texts


def test_all_digit_texts_stay_texts(pages: Any) -> None:
    assert pages.values("varchar", "007", "1.10") == ["007", "1.10"]


def test_nul_characters_are_removed_and_one_alone_is_null(pages: Any) -> None:
    assert pages.values("varchar", "a\0b", "\0", "\0\0", "c") == ["ab", None, None, "c"]


def test_booleans_are_read(pages: Any) -> None:
    assert pages.values("boolean", "true", "false", "") == [True, False, None]


def test_the_first_and_last_date_of_salesforce_are_read(pages: Any) -> None:
    assert pages.values("date", "1700-01-01", "4000-12-31", "") == [
        date(1700, 1, 1),
        date(4000, 12, 31),
        None,
    ]


@pytest.mark.parametrize("zone", ["Z", "+0000", "+00:00"])
def test_datetimes_are_utc_without_a_zone_in_all_spellings(pages: Any, zone: str) -> None:
    table = pages.read(
        pages.column("timestamp", f"2024-05-01T10:20:30.000{zone}", f"1700-01-01T00:00:00.000{zone}",
                     f"4000-12-31T23:59:59.999{zone}", "")
    )  # fmt: skip

    assert table.schema.field("Amount__c").type == pa.timestamp("us")
    assert table["Amount__c"].to_pylist() == [
        datetime(2024, 5, 1, 10, 20, 30),  # noqa: DTZ001  # columns hold UTC without a zone
        datetime(1700, 1, 1),  # noqa: DTZ001
        datetime(4000, 12, 31, 23, 59, 59, 999000),  # noqa: DTZ001
        None,
    ]


def test_other_offsets_are_brought_to_utc(pages: Any) -> None:
    assert pages.values("timestamp", "2024-05-01T10:20:30.000+02:00") == [datetime(2024, 5, 1, 8, 20, 30)]  # noqa: DTZ001


def test_a_date_in_a_timestamp_column_is_its_midnight(pages: Any) -> None:
    values = pages.values("timestamp", "2024-05-01", "2024-05-01T10:20:30.000Z", "2024-05-01T10:20:30", "")

    assert values == [
        datetime(2024, 5, 1),  # noqa: DTZ001
        datetime(2024, 5, 1, 10, 20, 30),  # noqa: DTZ001
        datetime(2024, 5, 1, 10, 20, 30),  # noqa: DTZ001
        None,
    ]


def test_times_with_a_z_are_read(pages: Any) -> None:
    values = pages.values("time", "10:20:30.000Z", "23:59:59.999Z", "00:00:00", "")

    assert values == [time(10, 20, 30), time(23, 59, 59, 999000), time(0), None]


def test_a_variant_is_its_text(pages: Any) -> None:
    assert pages.values("variant", '{"a": [1, "b"]}', "") == ['{"a": [1, "b"]}', None]


# -- what does not fit


@pytest.mark.parametrize(
    ("type_text", "value", "fitting"),
    [
        ("number(38,2)", "n/a", "string"),
        ("number(18,2)", "1.0E30", "float"),
        ("number(38,0)", "12 apples", "string"),
        ("float", "high", "string"),
        ("boolean", "perhaps", "string"),
        ("date", "31.12.2024", "string"),
        ("timestamp", "yesterday", "string"),
        ("time", "noon", "string"),
    ],
)
def test_invalid_type_conversion_names_field_record_value_and_the_types_line(
    pages: Any, type_text: str, value: str, fitting: str
) -> None:
    fits = {
        "boolean": "true",
        "date": "2024-05-01",
        "timestamp": "2024-05-01T10:20:30.000Z",
        "time": "10:20:30.000Z",
    }
    good = fits.get(type_text, "1")
    stream = pages.column(type_text, *[good] * 700, value, *[good] * 300, value)

    with pytest.raises(ValueOutOfRangeError) as caught:
        pages.read(stream)

    assert caught.value is stream.error
    assert caught.value.message == (
        f"Invalid type conversion: Account.Amount__c of record 001000000000700AAA holds {value!r}, "
        f"which is no {parse_type(type_text)}."
    )
    assert f'[types]\n"Account.Amount__c" = "{fitting}"' in caught.value.hint
    assert value not in str(caught.value.context.values())


def test_the_printed_types_line_is_one_that_the_settings_read(pages: Any) -> None:
    with pytest.raises(ValueOutOfRangeError) as caught:
        pages.values("date", "never")
    line = caught.value.hint.splitlines()[-1]

    assert str(parse_type(line.split(" = ")[1].strip('"'))) == "varchar"


def test_a_long_value_is_not_shown_whole(pages: Any) -> None:
    with pytest.raises(ValueOutOfRangeError) as caught:
        pages.values("date", "x" * 5000)

    assert "(5000 characters)" in caught.value.message
    assert len(caught.value.message) < 300


def test_without_an_id_the_field_and_value_are_named(pages: Any) -> None:
    stream = pages.stream([pages.page(["A"], ["x"])], A="date")

    with pytest.raises(ValueOutOfRangeError, match=r"Account\.A holds 'x', which is no date"):
        pages.read(stream)


def test_bytes_that_are_not_utf8_name_their_record(pages: Any) -> None:
    body = b'"Id","Name"\n"001A","good"\n"001B","M\xfcller"\n'

    with pytest.raises(
        ValueOutOfRangeError, match=r"Account\.Name of record 001B holds .*M\\xfcller"
    ) as caught:
        pages.read(pages.stream([pages.raw(body)], Id="varchar(18)", Name="varchar"))

    assert "not UTF-8" in caught.value.hint


# -- pages


def test_a_record_longer_than_two_blocks_is_read_with_larger_ones(pages: Any) -> None:
    texts = ["a", "b" * 9_000_000, "c", "d" * 5_000_000, "e"]

    assert pages.values("varchar", *texts) == texts


def test_a_record_longer_than_the_largest_block_is_refused(pages: Any) -> None:
    page = pages.page(["Id", "T"], ["1", "x" * 140_000_000])

    with pytest.raises(IncompleteExtractError, match="longer than 64 MB"):
        pages.read(pages.stream([page], Id="varchar(18)", T="varchar"))


def test_rows_are_neither_lost_nor_repeated_when_a_page_is_read_again(pages: Any) -> None:
    ids = [f"{i:06d}" for i in range(30_000)]
    records = [[i, "z" * 500, "1.0" if n < 25_000 else "1.2345"] for n, i in enumerate(ids)]
    records[27_000][1] = "long" * 2_000_000
    stream = pages.stream(
        [pages.page(["Id", "T", "N"], *records)], Id="varchar(18)", T="varchar", N="number(38,2)"
    )

    table = pages.read(stream)

    assert table["Id"].to_pylist() == ids
    assert stream.rounded == {"N": 5000}


def test_each_page_repeats_the_header(pages: Any) -> None:
    made = [pages.page(["Id"], ["a"]), pages.page(["Id"], ["b"]), pages.page(["Id"], ["c"])]

    assert pages.read(pages.stream(made, Id="varchar(18)"))["Id"].to_pylist() == ["a", "b", "c"]


def test_a_page_of_a_header_alone_has_no_rows(pages: Any) -> None:
    made = [pages.page(["Id", "N"]), pages.raw(b'"Id","N"'), pages.page(["Id", "N"], ["a", "1.0"])]
    stream = pages.stream(made, Id="varchar(18)", N="number(38,2)")

    table = pages.read(stream)

    assert table.num_rows == 1
    assert table.schema == pa.schema([("Id", pa.string()), ("N", pa.decimal128(38, 2))])


def test_no_pages_are_an_empty_table_with_all_columns(pages: Any) -> None:
    assert pages.read(pages.stream([], Id="varchar(18)", B="boolean")).schema.names == ["Id", "B"]


def test_old_versions_sort_their_columns_and_letter_case_may_differ(pages: Any) -> None:
    page = pages.page(["AMOUNT", "id", "Name"], ["1.5", "001", "Acme"])

    table = pages.read(pages.stream([page], Id="varchar(18)", Name="varchar", Amount="number(38,2)"))

    assert table.to_pylist() == [{"Id": "001", "Name": "Acme", "Amount": Decimal("1.50")}]


def test_columns_may_be_named_otherwise_than_their_fields(pages: Any) -> None:
    page = pages.page(["Id", "Owner.Name"], ["001", "Ann"])
    wanted = [
        Column("ID", parse_type("varchar"), "Id"),
        Column("OWNER_NAME", parse_type("varchar"), "Owner.Name"),
    ]

    assert pages.read(stream_pages([page], wanted)).to_pylist() == [{"ID": "001", "OWNER_NAME": "Ann"}]


@pytest.mark.parametrize(
    ("header", "how"),
    [
        (["Id"], "without Name"),
        (["Id", "Name", "Extra__c"], "with Extra__c"),
        (["Id", "Nmae"], "without Name and with Nmae"),
        (["Id", "Name", "Name"], "with a column twice"),
    ],
)
def test_a_header_that_differs_from_the_columns_asked_is_refused(
    pages: Any, header: list[str], how: str
) -> None:
    page = pages.page(header, ["x"] * len(header))

    with pytest.raises(IncompleteExtractError, match=how) as caught:
        pages.read(pages.stream([page], Id="varchar(18)", Name="varchar"))

    assert caught.value.recovery is Recovery.ABORT


def test_a_byte_order_mark_is_no_part_of_the_first_name(pages: Any) -> None:
    page = pages.raw(b"\xef\xbb\xbf" + pages.csv(["Id"], ["a"]))

    assert pages.read(pages.stream([page], Id="varchar(18)"))["Id"].to_pylist() == ["a"]


def test_other_delimiters_and_line_endings_are_read(pages: Any) -> None:
    page = pages.raw(b'"Id"\t"Name"\r\n"a"\t"x,y"\r\n"b"\t"two\r\nlines"\r\n')

    table = pages.read(stream_pages([page], pages.columns(Id="varchar(18)", Name="varchar"), delimiter="\t"))

    assert table["Name"].to_pylist() == ["x,y", "two\r\nlines"]


def test_a_row_of_the_wrong_width_is_told_without_its_values(pages: Any) -> None:
    page = pages.raw(b'"Id","Name"\n"a","secret"\n"b"\n')

    with pytest.raises(IncompleteExtractError, match=r"a row of 1 columns instead of 2") as caught:
        pages.read(pages.stream([page], Id="varchar(18)", Name="varchar"))

    assert "secret" not in str(caught.value)


def test_a_page_with_other_than_the_announced_rows_is_refused(pages: Any) -> None:
    page = pages.page(["Id"], ["a"], ["b"], rows=3)

    with pytest.raises(IncompleteExtractError, match="has 2 rows, Salesforce said 3"):
        pages.read(pages.stream([page], Id="varchar(18)"))


# -- compressed bytes


def test_a_truncated_gzip_is_noticed(pages: Any) -> None:
    whole = gzip.compress(pages.csv(["Id"], *[[f"{i}"] for i in range(50_000)]), 1)

    for cut in (len(whole) - 1, len(whole) - 8, len(whole) // 2, 20, 5):
        with pytest.raises(IncompleteExtractError, match="did not arrive whole") as caught:
            pages.read(pages.stream([pages.raw(whole[:cut])], Id="varchar(18)"))
        assert caught.value.recovery is Recovery.RETRY


def test_damaged_gzip_bytes_are_noticed(pages: Any) -> None:
    whole = bytearray(gzip.compress(pages.csv(["Id"], *[[f"{i}"] for i in range(50_000)]), 1))
    whole[-6] ^= 0xFF

    with pytest.raises(IncompleteExtractError, match="damaged"):
        pages.read(pages.stream([pages.raw(bytes(whole))], Id="varchar(18)"))


def test_all_members_of_a_gzip_are_read(pages: Any) -> None:
    parts = [pages.csv(["Id"], ["a"]), b'"b', b'c"\n', b"", pages.csv([], ["d"]).removeprefix(b"\n")]
    body = b"".join(gzip.compress(part) for part in parts)

    assert pages.read(pages.stream([pages.raw(body)], Id="varchar(18)"))["Id"].to_pylist() == ["a", "bc", "d"]


def test_zero_bytes_after_a_gzip_are_padding(pages: Any) -> None:
    body = gzip.compress(pages.csv(["Id"], ["a"])) + bytes(300_000)

    assert pages.read(pages.stream([pages.raw(body)], Id="varchar(18)"))["Id"].to_pylist() == ["a"]


def test_a_page_that_was_never_compressed_is_read(pages: Any) -> None:
    records = [[f"{i}"] for i in range(200_000)]

    page = pages.raw(pages.csv(["Id"], *records), rows=200_000)

    assert pages.read(pages.stream([page], Id="varchar(18)")).num_rows == 200_000


def test_an_empty_page_is_noticed(pages: Any) -> None:
    for body in (b"", gzip.compress(b"")):
        with pytest.raises(IncompleteExtractError, match="not even a header"):
            pages.read(pages.stream([pages.raw(body)], Id="varchar(18)"))


def test_other_compressions_are_refused(pages: Any) -> None:
    with pytest.raises(IncompleteExtractError):
        pages.read(pages.stream([pages.raw(zlib.compress(pages.csv(["Id"], ["a"])))], Id="varchar(18)"))


class Refetching:
    """Pages of which the damaged ones come whole after a few more tries."""

    def __init__(self, first: list[Page], better: list[Page]) -> None:
        self._first = iter(first)
        self._better = iter(better)
        self.asked: list[int] = []

    def __iter__(self) -> Iterator[Page]:
        return self._first

    def again(self, page: Page) -> Page:
        self.asked.append(page.number)
        return next(self._better)


def test_a_damaged_page_is_fetched_again_and_read_on_from_where_it_was(pages: Any) -> None:
    ids = [f"{i:07d}" for i in range(400_000)]
    whole = gzip.compress(pages.csv(["Id"], *[[i] for i in ids]), 1)
    cut, better = pages.raw(whole[: len(whole) * 3 // 4], rows=400_000), pages.raw(whole, rows=400_000)
    source = Refetching([cut, pages.page(["Id"], ["last"])], [cut, better])

    stream = stream_pages(source, pages.columns(Id="varchar(18)"))
    table = pages.read(stream)

    assert table["Id"].to_pylist() == [*ids, "last"]
    assert source.asked == [0, 0]
    assert stream.expected == stream.rows == 400_001


def test_a_page_that_stays_damaged_ends_the_reading(pages: Any) -> None:
    cut = pages.raw(gzip.compress(pages.csv(["Id"], ["a"]))[:-4])
    source = Refetching([cut], [cut] * 9)

    with pytest.raises(IncompleteExtractError):
        pages.read(stream_pages(source, pages.columns(Id="varchar(18)")))

    assert len(source.asked) == 2


# -- errors inside the reader


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, ValueOutOfRangeError])
def test_the_first_exception_inside_the_reader_is_kept(pages: Any, kind: type[BaseException]) -> None:
    raised = kind("stop")

    def source() -> Iterator[Page]:
        yield pages.page(["Id"], ["a"])
        raise raised

    stream = stream_pages(source(), pages.columns(Id="varchar(18)"))
    connection = duckdb.connect()
    reader = stream.reader
    connection.register("incoming", reader)

    with pytest.raises(BaseException, match="stop"):  # DuckDB wraps it in its own kind
        connection.execute("SELECT count(*) FROM incoming")

    assert stream.error is raised


def test_pages_are_closed_when_the_reader_is_given_up(pages: Any) -> None:
    closed = []

    def source() -> Iterator[Page]:
        try:
            for _ in range(100):
                yield pages.page(["Id"], ["a"])
        finally:
            closed.append(True)

    stream = stream_pages(source(), pages.columns(Id="varchar(18)"))
    stream.reader.read_next_batch()
    stream.close()

    assert closed == [True]


def test_a_stream_counts_what_it_gave() -> None:
    schema = pa.schema([("a", pa.int64())])
    batch = pa.record_batch([pa.array([1, 2])], schema=schema)
    stream = RecordStream(schema, [batch, batch], Tally(expected=4))

    stream.reader.read_all()

    assert (stream.rows, stream.expected, stream.rounded, stream.error) == (4, 4, {}, None)
