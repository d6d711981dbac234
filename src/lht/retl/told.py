"""What a job's three result files tell, brought into the work database.

Its table `told` has one row for each row of the files: `outcome`, `sf_id`, `created`, `error`, and the columns that
were sent, as Salesforce gives them back, as `v1`, `v2` …; all are texts. Values come back spelled anew (912260031 as
9.12260031E8), in any order.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lht.errors import (
    IncompleteExtractError,
    Recovery,
    RequestRejectedError,
    TransportError,
    UnreachableError,
)
from lht.model.retl import Outcome
from lht.records.inflate import PageReader
from lht.records.texts import TextRows
from lht.sfdc.ingest import ResultFile, open_results

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from lht.model.salesforce import BulkJob
    from lht.retl.work import Work
    from lht.sfdc.org import Org
    from lht.sfdc.transport import StreamedResponse

OUTCOMES: Final = {
    ResultFile.SUCCESSFUL: Outcome.SUCCEEDED,
    ResultFile.FAILED: Outcome.FAILED,
    ResultFile.UNPROCESSED: Outcome.UNPROCESSED,
}
_DELIMITERS: Final = {"BACKQUOTE": "`", "CARET": "^", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t"}
_OWN: Final = {"sf__id": "sf_id", "sf__created": "created", "sf__error": "error"}
_ATTEMPTS: Final = 4
_PAUSE_S: Final = 0.5
_NOT_FOUND: Final = 404
_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Told:
    """What came: the sent columns' headers (`v1` is the first), rows by outcome, and what is missing.

    `gone` are the files that Salesforce no longer has; `skipped` counts rows that could not be read.
    """

    headers: tuple[str, ...] = ()
    rows: dict[str, int] = field(default_factory=dict)
    gone: tuple[ResultFile, ...] = ()
    skipped: int = 0

    def column(self, header: str) -> str | None:
        """The column of `told` that holds what was sent under a header; letter case does not matter."""
        names = [name.lower() for name in self.headers]
        return f"v{names.index(header.lower()) + 1}" if header.lower() in names else None


def read_told(org: Org, job: BulkJob, work: Work, *, sleep: Callable[[float], None] = time.sleep) -> Told:
    """Fetches the three files and fills `told` anew; what does not arrive whole is fetched again, a few times."""
    for attempt in range(_ATTEMPTS - 1):
        try:
            return _read_once(org, job, work)
        except (TransportError, IncompleteExtractError) as error:
            if error.recovery is not Recovery.RETRY:
                raise
            sleep(_PAUSE_S * 2**attempt)
    return _read_once(org, job, work)


def read_nothing(work: Work) -> Told:
    """Makes `told` empty."""
    work.execute(
        "CREATE OR REPLACE TABLE told (outcome VARCHAR, sf_id VARCHAR, created VARCHAR, error VARCHAR)"
    )
    return Told()


def _read_once(org: Org, job: BulkJob, work: Work) -> Told:
    folder = work.folder / "results"
    folder.mkdir(mode=0o700, exist_ok=True)
    paths = {file: folder / f"{file}.csv" for file in ResultFile}
    try:
        gone = tuple(file for file in ResultFile if not _fetch(org, job, file, paths[file]))
        present = {
            file: paths[file] for file in ResultFile if file not in gone and not _is_blank(paths[file])
        }
        return _load(work, present, gone, _delimiter(job))
    finally:
        for path in paths.values():
            path.unlink(missing_ok=True)


def _fetch(org: Org, job: BulkJob, file: ResultFile, path: Path) -> bool:
    """Writes a file to disk as it comes; False if Salesforce does not have it any more."""
    try:
        answer = open_results(org, job.id, file)
    except RequestRejectedError as error:
        if error.status != _NOT_FOUND:
            raise
        return False
    with answer, path.open("wb") as target:
        for chunk in _whole(answer, file):
            target.write(chunk)
    return True


def _whole(answer: StreamedResponse, file: ResultFile) -> Iterator[bytes]:
    """Checks the announced length: what stands in between may have hung up politely."""
    size = 0
    for chunk in answer.chunks():
        size += len(chunk)
        yield chunk
    announced = answer.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) != size:
        raise UnreachableError(f"The file {file} came with {size} of {announced} bytes.")


def _is_blank(path: Path) -> bool:
    """Whether not even a header came, as it may be where no row ended that way."""
    reader = PageReader(path)
    try:
        return not reader.read(1 << 10).removeprefix(_BOM).strip()
    finally:
        reader.close()


def _delimiter(job: BulkJob) -> str:
    told = (job.resource or {}).get("columnDelimiter")
    return _DELIMITERS.get(str(told).upper(), ",")


def _load(work: Work, paths: dict[ResultFile, Path], gone: tuple[ResultFile, ...], delimiter: str) -> Told:
    headers: dict[tuple[str, int], str] = {}
    rows: dict[str, int] = {}
    skipped = 0
    read_nothing(work)
    for file, path in paths.items():
        with TextRows(path, delimiter=delimiter) as texts:
            select = _select(work, texts.header, headers)
            outcome = OUTCOMES[file]
            work.append("told", texts.reader(), f"'{outcome}' AS outcome{select}")
            rows[outcome] = work.count("told", f"outcome = '{outcome}'")
            skipped += texts.skipped
    return Told(tuple(headers.values()), rows, gone, skipped)


def _select(work: Work, header: Sequence[str], headers: dict[tuple[str, int], str]) -> str:
    """Which columns of a file go where; a header that no file had before becomes a new column of `told`."""
    seen: Counter[str] = Counter()
    chosen = []
    for number, name in enumerate(header):
        key = name.lower(), seen[name.lower()]
        seen[name.lower()] += 1
        own = _OWN.get(key[0])
        if own is None and key not in headers:
            headers[key] = name
            work.execute(f"ALTER TABLE told ADD COLUMN v{len(headers)} VARCHAR")
        target = own or f"v{list(headers).index(key) + 1}"
        chosen.append(f", f{number} AS {target}")
    return "".join(chosen)
