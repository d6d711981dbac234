"""Where files lie on their way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.app import access

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_cache_that_cannot_be_made_is_a_temporary_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.delenv("LHT_CACHE_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "cache"))

    spool = access.spool_directory(access.settings_of(tmp_path))

    assert spool.parent.parent == tmp_path
    assert spool.parent.is_dir()
