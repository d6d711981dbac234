"""Files of ingest jobs: what was uploaded, and what became of its records. None of them is ever held in memory."""

from __future__ import annotations

import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lht.simulator.store.results import RowReader

if TYPE_CHECKING:
    from collections.abc import Sequence

SUCCEEDED, FAILED, UNPROCESSED = "successfulresults", "failedresults", "unprocessedrecords"
KINDS = (SUCCEEDED, FAILED, UNPROCESSED)


@dataclass(frozen=True, slots=True)
class JobFiles:
    """The files of one job; each result file holds rows only, as its header is known before there are any."""

    directory: Path
    name: str

    @property
    def upload(self) -> Path:
        """What was uploaded, byte by byte; not there before."""
        return self.directory / f"{self.name}.csv"

    def add(self, kind: str, lines: Sequence[str]) -> None:
        """Adds rows to one of the result files."""
        if lines:
            with self._path(kind).open("ab") as file:
                file.write("".join(lines).encode("utf-8", "replace"))

    def read(self, kind: str) -> RowReader:
        """Opens the rows of a result file; a deleted file can be read to its end."""
        path = self._path(kind)
        path.touch()
        return RowReader(path, 0, path.stat().st_size)

    def clear_results(self) -> None:
        """Forgets the rows so far."""
        for kind in KINDS:
            self._path(kind).unlink(missing_ok=True)

    def delete(self) -> None:
        """Removes all of them."""
        self.upload.unlink(missing_ok=True)
        self.clear_results()

    def _path(self, kind: str) -> Path:
        return self.directory / f"{self.name}.{kind}"


class UploadStore:
    """A directory for the files of ingest jobs; it is removed on close."""

    def __init__(self) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="lht-uploads-", ignore_cleanup_errors=True)
        self._spools = itertools.count(1)

    def spool(self) -> Path:
        """Names a file for what is on its way in; whoever asked moves or removes it."""
        return Path(self._directory.name) / f"spool-{next(self._spools)}"

    def files(self, name: str) -> JobFiles:
        """Gives the files of a job."""
        return JobFiles(Path(self._directory.name), name)

    def close(self) -> None:
        """Removes the directory with all files."""
        self._directory.cleanup()
