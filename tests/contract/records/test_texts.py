"""CSV of any columns as texts: whatever a value holds, it arrives as it is."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from lht.errors import IncompleteExtractError
from lht.records.texts import TextRows

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Pages

ODD = ["", " ", "a\nb", 'say "x"', "a,b;c|d", "1.50", "#N/A", "ü€😀", "NULL", "\t"]


def read(path: Path, delimiter: str = ",") -> tuple[list[str], list[tuple[str, ...]], int]:
    with TextRows(path, delimiter=delimiter) as rows:
        found = rows.reader().read_all().to_pylist()
        return rows.header, [tuple(row.values()) for row in found], rows.skipped


def test_values_arrive_as_they_are(pages: Pages) -> None:
    page = pages.page(["sf__Id", "Name"], *[(str(n), value) for n, value in enumerate(ODD)])

    assert read(page.path) == (["sf__Id", "Name"], [(str(n), value) for n, value in enumerate(ODD)], 0)


@pytest.mark.parametrize(("delimiter", "end"), [("|", "\r\n"), ("\t", "\n"), ("^", "\n")])
def test_a_file_of_another_job_s_form_is_read(pages: Pages, delimiter: str, end: str) -> None:
    text = f'\ufeff"sf__Id"{delimiter}Name{end}"1"{delimiter}"a,b"{end}"2"{delimiter}""{end}'

    assert read(pages.raw(text.encode()).path, delimiter) == (
        ["sf__Id", "Name"],
        [("1", "a,b"), ("2", "")],
        0,
    )


def test_records_longer_than_a_block_are_read_and_none_twice(pages: Pages) -> None:
    values = ["a", "x" * 900_000, "b", "y\n" * 1_300_000, "c"] + ["z" * 1000] * 5000
    page = pages.page(["Id", "Text"], *[(str(n), value) for n, value in enumerate(values)])

    assert read(page.path)[1] == [(str(n), value) for n, value in enumerate(values)]


def test_a_row_of_another_width_is_left_out_and_counted(pages: Pages) -> None:
    page = pages.raw(b'"Id","Name"\n"1","a"\n"2"\n"3","c"\n')

    assert read(page.path) == (["Id", "Name"], [("1", "a"), ("3", "c")], 1)


def test_a_header_alone_has_no_rows(pages: Pages) -> None:
    assert read(pages.page(["Id", "Name"]).path) == (["Id", "Name"], [], 0)


def test_a_file_that_is_cut_off_is_noticed(pages: Pages) -> None:
    body = gzip.compress(pages.csv(["Id"], *[(str(n),) for n in range(50_000)]))

    with TextRows(pages.raw(body[:-4000]).path) as rows:
        with pytest.raises(IncompleteExtractError, match="did not arrive whole"):
            rows.reader().read_all()
        assert isinstance(rows.error, IncompleteExtractError)
