from __future__ import annotations

from pathlib import Path

import pytest

from lht.config.files import can_others_write, expand_home, find_directory, line_of, write_private


def test_the_nearest_directory_upward_is_found(tmp_path: Path) -> None:
    (tmp_path / ".snowflake").mkdir()
    work = tmp_path / "a" / "b"
    work.mkdir(parents=True)

    assert find_directory(work, {"SNOWFLAKE_HOME": str(tmp_path)}) == tmp_path / ".snowflake"


def test_then_snowflakes_own_places_follow(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".snowflake").mkdir(parents=True)
    other = tmp_path / "other"
    other.mkdir()
    work = tmp_path / "work"
    work.mkdir()

    assert find_directory(work, {"HOME": str(home)}) == home / ".snowflake"
    assert find_directory(work, {"HOME": str(home), "SNOWFLAKE_HOME": str(other)}) == other
    assert find_directory(work, {"HOME": str(home), "SNOWFLAKE_HOME": "~/.snowflake"}) == home / ".snowflake"
    assert "snowflake" in find_directory(work, {"HOME": str(work)}).name


def test_a_home_without_variables_is_the_systems() -> None:
    assert expand_home("~", {}) == Path.home()
    assert expand_home("x", {}) == Path("x")


TEXT = """version = 1
[types]
"A.B__c" = "date"
[[sync]]
object = "A"
[[sync]]
# comment
object = "B"
'where' = "x"
"""


@pytest.mark.parametrize(
    ("table", "key", "index", "expected"),
    [
        (None, "version", 0, 1),
        ("types", None, 0, 2),
        ("types", "A.B__c", 0, 3),
        ("sync", "object", 0, 5),
        ("sync", None, 1, 6),
        ("sync", "object", 1, 8),
        ("sync", "where", 1, 9),
        ("sync", "where", 0, None),
        ("nothing", None, 0, None),
    ],
)
def test_lines_are_found(table: str | None, key: str | None, index: int, expected: int | None) -> None:
    assert line_of(TEXT, table, key, index=index) == expected


def test_a_private_file_is_replaced_in_one_step_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"

    write_private(path, "one")
    write_private(path, "two")

    assert path.read_text() == "two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.mkdir()

    with pytest.raises(OSError):  # noqa: PT011
        write_private(path, "x")

    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(("mode", "expected"), [(0o600, False), (0o644, False), (0o620, True), (0o602, True)])
def test_write_bits_for_others_are_seen(tmp_path: Path, mode: int, expected: bool) -> None:  # noqa: FBT001
    path = tmp_path / "file"
    path.write_text("x")
    path.chmod(mode)

    assert can_others_write(path) == expected
