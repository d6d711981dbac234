from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.config.keys import read_private_key
from lht.errors import ConfigError
from lht.sfdc.auth import App

if TYPE_CHECKING:
    from pathlib import Path


def app(path: Path | None) -> App:
    return App("prod", "id1", private_key_path=str(path) if path else None)


def test_a_private_key_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    path.touch(mode=0o600)
    path.write_bytes(b"PEM")

    assert read_private_key(app(path)) == b"PEM"


def test_a_key_that_is_not_named_is_told() -> None:
    with pytest.raises(ConfigError, match="set private_key_path in \\[prod\\]"):
        read_private_key(app(None))


def test_a_key_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.key of app 'prod' cannot be read: No such file"):
        read_private_key(app(tmp_path / "nowhere.key"))


def test_a_folder_is_no_key(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_private_key(app(tmp_path))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_key_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "server.key"
    path.write_bytes(b"s3cret")
    path.chmod(mode)

    with pytest.raises(ConfigError, match=r"other users\. chmod 600") as caught:
        read_private_key(app(path))

    assert "s3cret" not in str(caught.value)


def test_a_file_that_is_far_too_long_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    path.touch(mode=0o600)
    path.write_bytes(b"x" * 70_000)

    with pytest.raises(ConfigError, match="too large"):
        read_private_key(app(path))
