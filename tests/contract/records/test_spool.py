"""Pages on disk outlive the process that fetched them, or are not there at all."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING

import pytest

from lht.errors import ConfigError
from lht.records.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def write(spool: Spool, number: int, *chunks: bytes) -> None:
    spool.write(number, chunks, locator=f"L{number}", rows=number, following=None)


def test_pages_are_found_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "run")
    write(spool, 0, b"abc", b"def")
    write(spool, 1, b"x")

    found = Spool(tmp_path / "run").pages()

    assert found == spool.pages()
    assert found[0].path.read_bytes() == b"abcdef"
    assert (found[1].locator, found[1].rows, found[1].bytes) == ("L1", 1, 1)


def test_only_this_user_may_look(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "cache" / "spool" / "run")
    write(spool, 0, b"abc")

    assert stat.S_IMODE(spool.directory.stat().st_mode) == 0o700


def test_a_page_that_was_being_written_is_not_present(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "run")
    write(spool, 0, b"abc")

    def dying() -> Iterator[bytes]:
        yield b"half"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        spool.write(1, dying(), locator="L1", rows=1, following=None)

    assert set(Spool(tmp_path / "run").pages()) == {0}


def test_a_page_without_its_line_is_not_present(tmp_path: Path) -> None:
    write(Spool(tmp_path / "run"), 0, b"abc")
    (tmp_path / "run" / "1.csv.gz").write_bytes(b"whole, but the process died before it said so")

    assert set(Spool(tmp_path / "run").pages()) == {0}


def test_a_line_cut_in_its_middle_counts_as_none_and_spoils_no_other(tmp_path: Path) -> None:
    write(Spool(tmp_path / "run"), 0, b"abc")
    manifest = tmp_path / "run" / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes() + b'{"number": 1, "loc')

    write(Spool(tmp_path / "run"), 2, b"ghi")

    assert set(Spool(tmp_path / "run").pages()) == {0, 2}


@pytest.mark.parametrize("damage", [b"abd", b"ab", b""])
def test_a_page_whose_bytes_changed_is_not_present(tmp_path: Path, damage: bytes) -> None:
    write(Spool(tmp_path / "run"), 0, b"abc")
    (tmp_path / "run" / "0.csv.gz").write_bytes(damage)

    assert Spool(tmp_path / "run").pages() == {}


def test_a_page_written_again_replaces_the_first(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "run")
    write(spool, 0, b"damaged")
    write(spool, 0, b"whole")

    found = Spool(tmp_path / "run").pages()

    assert found[0].path.read_bytes() == b"whole"
    assert len(found) == 1


def test_removing_leaves_nothing_and_may_be_repeated(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "run")
    write(spool, 0, b"abc")

    spool.remove()
    spool.remove()

    assert not spool.directory.exists()
    assert spool.pages() == {}
    write(spool, 0, b"again")
    assert set(spool.pages()) == {0}


def test_a_full_disk_is_told_with_the_way_out(tmp_path: Path) -> None:
    def full() -> Iterator[bytes]:
        yield b"abc"
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ConfigError, match="the disk is full") as caught:
        Spool(tmp_path / "run").write(0, full(), locator=None, rows=0, following=None)

    assert "LHT_CACHE_DIR" in caught.value.hint


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a directory")

    with pytest.raises(ConfigError, match="cannot be written"):
        write(Spool(tmp_path / "file" / "run"), 0, b"abc")
