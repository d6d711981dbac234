"""Result pages on disk, exactly as they came: what makes a download resumable.

A page counts as present only with its line in the manifest, which is written after the page was synced to disk
and had its final name: a process killed at any instant leaves whole pages, or none.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from lht.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

_MANIFEST: Final = "manifest.jsonl"
_BYTES_PER_ROW: Final = 300
"""About what a record of 40 fields takes, compressed; only to refuse a disk that is far too small."""
_LEAST_FREE_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Page:
    """A result page on disk.

    `rows` is what Salesforce said (None: it did not say), `locator` where the page was read (None: the first of
    a chain), `following` where the chain goes on (None: nowhere).
    """

    number: int
    locator: str | None
    path: Path
    rows: int | None
    bytes: int
    following: str | None = None


@runtime_checkable
class FetchesAgain(Protocol):
    """Pages that can be downloaded once more, where one turns out to be damaged only when it is read."""

    def again(self, page: Page) -> Page: ...


class Spool:
    """A directory of pages, for this user's eyes only. Opening one again finds the pages that are whole."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._lock = Lock()
        self._pages: dict[int, Page] | None = None

    def pages(self) -> dict[int, Page]:
        """Gives the pages that are present, by number; their bytes are checked the first time."""
        with self._lock:
            if self._pages is None:
                self._pages = {page.number: page for page in self._read_manifest()}
            return dict(self._pages)

    def write(
        self,
        number: int,
        chunks: Iterable[bytes],
        *,
        locator: str | None,
        rows: int | None,
        following: str | None,
    ) -> Page:
        """Writes a page; one of the same number is replaced."""
        path = self.directory / f"{number}.csv.gz"
        try:
            self.pages()
            self._create()
            size, digest = _write_synced(path, chunks)
            page = Page(number, locator, path, rows, size, following)
            self._remember(page, digest)
        except OSError as error:
            raise _translate(error, self.directory) from error
        return page

    def check_free_space(self, rows: int) -> None:
        """Refuses to start where the disk can hardly hold the result."""
        needed = max(_LEAST_FREE_BYTES, rows * _BYTES_PER_ROW)
        try:
            self._create()
            free = shutil.disk_usage(self.directory).free
        except OSError as error:
            raise _translate(error, self.directory) from error
        if free < needed:
            raise _no_space(self.directory, f"about {needed >> 20} MB are needed, {free >> 20} MB are free")

    def remove(self) -> None:
        """Removes the directory with all pages; one that is not there is fine."""
        with self._lock:
            shutil.rmtree(self.directory, ignore_errors=True)
            self._pages = None

    def _create(self) -> None:
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        self.directory.mkdir(mode=0o700, exist_ok=True)

    def _remember(self, page: Page, digest: str) -> None:
        line = json.dumps(
            {
                "number": page.number,
                "locator": page.locator,
                "rows": page.rows,
                "bytes": page.bytes,
                "sha256": digest,
                "following": page.following,
            }
        )
        with self._lock:
            _append_synced(self.directory / _MANIFEST, f"{line}\n".encode())
            if self._pages is not None:
                self._pages[page.number] = page

    def _read_manifest(self) -> Iterable[Page]:
        try:
            lines = (self.directory / _MANIFEST).read_bytes().splitlines()
        except (
            FileNotFoundError,
            NotADirectoryError,
        ):  # a file in the way is told when a page is to be written
            return
        newest = {entry["number"]: entry for line in lines if (entry := _read_line(line))}
        for entry in newest.values():
            path = self.directory / f"{entry['number']}.csv.gz"
            if _is_whole(path, entry):
                yield Page(
                    entry["number"], entry["locator"], path, entry["rows"], entry["bytes"], entry["following"]
                )


def remove_forgotten(parent: Path, *, before: datetime) -> None:
    """Removes spools in which nothing was written since: their jobs are long gone, or nobody remembers them."""
    for directory in parent.iterdir() if parent.is_dir() else ():
        if directory.is_dir() and _written_at(directory) < before.timestamp():
            shutil.rmtree(directory, ignore_errors=True)


def _written_at(directory: Path) -> float:
    try:
        return directory.stat().st_mtime
    except FileNotFoundError:  # another run was quicker
        return float("inf")


def _read_line(line: bytes) -> dict[str, Any] | None:
    """A line that a dying process left unfinished is as if it were not there."""
    try:
        entry: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return entry


def _is_whole(path: Path, entry: dict[str, Any]) -> bool:
    try:
        if path.stat().st_size != entry["bytes"]:
            return False
        with path.open("rb") as file:
            return bool(hashlib.file_digest(file, "sha256").hexdigest() == entry["sha256"])
    except FileNotFoundError:
        return False


def _write_synced(path: Path, chunks: Iterable[bytes]) -> tuple[int, str]:
    digest = hashlib.sha256()
    size = 0
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
            digest.update(chunk)
            size += len(chunk)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    _sync_directory(path.parent)
    return size, digest.hexdigest()


def _append_synced(path: Path, line: bytes) -> None:
    """Starts on a line of its own: a process that died may have left half a line."""
    with path.open("ab") as file:
        file.write(line if _ends_with_newline(path) else b"\n" + line)
        file.flush()
        os.fsync(file.fileno())


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            return True
        file.seek(size - 1)
        return file.read(1) == b"\n"


def _sync_directory(directory: Path) -> None:
    """Makes a rename last; Windows has no such thing, and needs none."""
    if os.name == "nt":  # pragma: no cover
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _translate(error: OSError, directory: Path) -> ConfigError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return _no_space(directory, "the disk is full")
    return ConfigError(
        f"The directory {directory} for downloaded pages cannot be written: {error.strerror}.",
        hint="Set LHT_CACHE_DIR to one that can.",
    )


def _no_space(directory: Path, how: str) -> ConfigError:
    return ConfigError(
        f"There is no room for downloaded pages in {directory}: {how}.",
        hint="Free some space, or set LHT_CACHE_DIR to a larger disk; then run the same command again.",
    )
