"""Result pages joined into one file."""

from __future__ import annotations

import csv
import gzip
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lht.errors import ConfigError, IncompleteExtractError, ValueOutOfRangeError
from lht.model.table import Column, ColumnKind, ColumnType
from lht.records.files import read_header, write_csv, write_parquet
from lht.records.parse import stream_pages
from lht.records.spool import Page

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = (Column("Id", ColumnType(ColumnKind.TEXT), "Id"), Column("N", ColumnType(ColumnKind.INTEGER), "N"))


def page(folder: Path, number: int, text: str) -> Page:
    path = folder / f"{number}.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return Page(number, None, path, None, path.stat().st_size)


def test_headers_are_read_from_compressed_and_plain_bodies() -> None:
    text = '\ufeff"Id","Account.Name"\r\n"1","a"\n'.encode()
    packed = gzip.compress(text)

    assert read_header([packed[:5], packed[5:]]) == ("Id", "Account.Name")
    assert read_header([text[:4], text[4:]]) == ("Id", "Account.Name")
    with pytest.raises(IncompleteExtractError):
        read_header([])


def test_pages_share_one_header(tmp_path: Path) -> None:
    pages = [
        page(tmp_path, 1, '"Id"\n"a"\n"b"'),
        page(tmp_path, 2, '"Id"\n"c\nd"\n'),
        page(tmp_path, 3, '"Id"\n'),
    ]

    rows = write_csv(pages, tmp_path / "out.csv")

    assert rows == 3
    assert (tmp_path / "out.csv").read_text() == '"Id"\n"a"\n"b"\n"c\nd"\n'


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    st.lists(
        st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0")), max_size=4), max_size=3
    )
)
def test_records_are_counted_whatever_they_hold(tmp_path: Path, pages: list[list[str]]) -> None:
    quoted = [[f'"{text.replace(chr(34), chr(34) * 2)}"\n' for text in texts] for texts in pages]
    files = [page(tmp_path, n, '"Id"\n' + "".join(texts)) for n, texts in enumerate(quoted)]

    rows = write_csv(files, tmp_path / "out.csv")

    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        read = [record[0] for record in csv.reader(file)][1:]
    assert read == [text for texts in pages for text in texts]
    assert rows == len(read)


def test_parquet_is_typed(tmp_path: Path) -> None:
    stream = stream_pages([page(tmp_path, 1, '"Id","N"\n"a","1"\n"b",""\n')], COLUMNS)

    assert write_parquet(stream, tmp_path / "out.parquet") == 2
    assert pq.read_table(tmp_path / "out.parquet").to_pylist() == [
        {"Id": "a", "N": 1},
        {"Id": "b", "N": None},
    ]


def test_a_value_that_does_not_fit_leaves_no_file(tmp_path: Path) -> None:
    stream = stream_pages([page(tmp_path, 1, '"Id","N"\n"a","many"\n')], COLUMNS)

    with pytest.raises(ValueOutOfRangeError, match="Invalid type conversion"):
        write_parquet(stream, tmp_path / "out.parquet")
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith("out")] == []


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        write_csv([], tmp_path / "no" / "out.csv")
