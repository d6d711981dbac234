"""Records of an object, found by Id or by another key, into a table of the run's database.

Up to 100,000 keys are asked for by calls, page by page; for more, one Bulk query reads the object, and the database
picks the records out.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lht.errors import ApiError, IncompleteExtractError, RequestRejectedError
from lht.mapping.types import TEXT
from lht.model.table import Column
from lht.records.extract import download, follow_job, list_pages
from lht.records.parse import stream_pages
from lht.records.rest_rows import text_at
from lht.records.spool import Spool
from lht.retl.literals import literal
from lht.sfdc import bulk, collections, rest, soql

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lht.model.salesforce import Field, SObject
    from lht.records.parse import RecordStream
    from lht.retl.run import RetlRun

MOST_BY_CALLS = 100_000
LONGEST_URL = 16_000
_LONGEST_START = 8_000
"""How much of a URL the fields may take, so that there is room for keys."""
_PAGE_LETTERS = 64 << 20
"""How many characters a page of records may have at most, by the lengths that describe tells."""
_FEWEST_READ = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records are read, and what of them.

    `keys` is a SELECT of one column that holds each key once, as text; `by` is the field that holds it. `fields` are
    read besides Id and the key, by their paths (`Name`, `Account.Key__c`). The records become `table`.
    """

    sobject: SObject
    by: Field
    fields: Mapping[str, Field]
    keys: str
    table: str

    @property
    def paths(self) -> tuple[str, ...]:
        """All that is selected, each once: Salesforce refuses a field that is named twice."""
        by_folded = {path.lower(): path for path in ("Id", self.by.name, *self.fields)}
        return tuple(by_folded.values())

    @property
    def has_relationships(self) -> bool:
        return any("." in path for path in self.fields)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A table of live records: a column of texts for each path."""

    table: str
    paths: tuple[str, ...]

    def column(self, path: str, alias: str = "f") -> str:
        """The SQL of a field's text."""
        folded = [known.lower() for known in self.paths]
        return f"{alias}.p{folded.index(path.lower())}"


def fetch(run: RetlRun, wanted: Wanted) -> Fetched:
    """Reads the live records of the keys; a key that no record has is not in the table."""
    number = int(run.work.value(f"SELECT count(*) FROM ({wanted.keys})"))
    if number > MOST_BY_CALLS and (fetched := _by_job(run, wanted)):
        return fetched
    if wanted.by.name == "Id" and not wanted.has_relationships:
        return _in_pages(run, wanted, number, _retrieved(run, wanted))
    if len(halves := _halves(run, wanted)) > 1:
        return _joined(run, wanted, [fetch(run, half) for half in halves])
    return _in_pages(run, wanted, number, _queried(run, wanted))


# ---- by calls


def _in_pages(
    run: RetlRun, wanted: Wanted, number: int, pages: Iterator[tuple[int, list[collections.Record]]]
) -> Fetched:
    fetched = Fetched(wanted.table, wanted.paths)
    names = [f"p{place}" for place in range(len(fetched.paths))]
    run.work.execute(f"CREATE OR REPLACE TABLE {fetched.table} ({', '.join(f'{n} VARCHAR' for n in names)})")
    done = 0
    for asked, records in pages:
        _append(run, wanted, fetched, records)
        done += asked
        run.tell("reading", f"reading records of {wanted.sobject.name}", done=done, total=number)
    return fetched


def _append(run: RetlRun, wanted: Wanted, fetched: Fetched, records: Sequence[collections.Record]) -> None:
    import pyarrow as pa  # noqa: PLC0415 - a driver: imported where it is needed

    alive = [record for record in records if record.get("IsDeleted") is not True]
    if not alive:
        return
    columns = {}
    for place, path in enumerate(fetched.paths):
        texts = [text_at(record, path) for record in alive]
        if _type_of(wanted, path) == "datetime":
            texts = [_in_utc(text) for text in texts]
        columns[f"p{place}"] = pa.array(texts, pa.string())
    run.work.append(fetched.table, pa.table(columns))


def _type_of(wanted: Wanted, path: str) -> str:
    known = wanted.fields.get(path)
    return known.type if known else ""


def _in_utc(text: str | None) -> str | None:
    """REST writes `+0000` where Bulk writes `Z`; only the latter can be sent back in a CSV."""
    return f"{text.removesuffix('+0000')}Z" if text and text.endswith("+0000") else text


def _retrieved(run: RetlRun, wanted: Wanted) -> Iterator[tuple[int, list[collections.Record]]]:
    """Asks for whole pages of Ids: 2,000 a call, fewer where the records may be very long."""
    longest = sum(field.length for field in wanted.fields.values()) or 1
    size = max(_FEWEST_READ, min(collections.MOST_READ, _PAGE_LETTERS // longest))
    names = [*wanted.paths, *(field.name for field in [wanted.sobject.find("IsDeleted")] if field)]
    for keys in _keys(run, wanted, size):
        yield len(keys), collections.retrieve(run.org, wanted.sobject.name, keys, list(dict.fromkeys(names)))


def _queried(run: RetlRun, wanted: Wanted) -> Iterator[tuple[int, list[collections.Record]]]:
    """Asks by SOQL for as many keys at once as a URL holds."""
    start = _url_bytes(run, wanted, "''")
    for keys in _keys(run, wanted, collections.MOST_READ):
        for some in _chunks(wanted, keys, LONGEST_URL - start):
            for page in collections.query(run.org, _soql(wanted, ",".join(some))):
                yield 0, page
        yield len(keys), []


def _keys(run: RetlRun, wanted: Wanted, size: int) -> Iterator[list[str]]:
    for batch in run.work.batches(wanted.keys, rows=size):
        keys: list[str] = [key for key in batch.column(0).to_pylist() if key]
        if wanted.by.name == "Id":  # Salesforce may refuse a whole call for one that is none
            keys = [key for key in keys if literal(wanted.by, key)]
        for first in range(0, len(keys), size):
            yield keys[first : first + size]


def _chunks(wanted: Wanted, keys: Sequence[str], room: int) -> Iterator[list[str]]:
    """Cuts keys so that each list of literals fits into the rest of a URL; what is no key at all is left out."""
    chunk: list[str] = []
    used = 0
    for text in filter(None, (literal(wanted.by, key) for key in keys)):
        size = len(soql.url_encoded(f"{text},"))
        if chunk and used + size > room:
            yield chunk
            chunk, used = [], 0
        chunk.append(text)
        used += size
    if chunk:
        yield chunk


def _soql(wanted: Wanted, literals: str) -> str:
    return soql.select(wanted.paths, wanted.sobject.name, [f"{wanted.by.name} IN ({literals})"])


def _url_bytes(run: RetlRun, wanted: Wanted, literals: str) -> int:
    return rest.query_url_bytes(run.org, _soql(wanted, literals), include_deleted=False)


def _halves(run: RetlRun, wanted: Wanted) -> list[Wanted]:
    """Cuts the fields in two where they leave no room for keys in a URL."""
    names = list(wanted.fields)
    if len(names) < 2 or _url_bytes(run, wanted, "''") < _LONGEST_START:  # noqa: PLR2004 - two halves
        return [wanted]
    middle = len(names) // 2
    return [
        replace(wanted, fields={name: wanted.fields[name] for name in some}, table=f"{wanted.table}_{n}")
        for n, some in enumerate((names[:middle], names[middle:]))
    ]


def _joined(run: RetlRun, wanted: Wanted, parts: Sequence[Fetched]) -> Fetched:
    """Joins what was read of the same records by Id."""
    whole = Fetched(wanted.table, wanted.paths)
    owners = [
        next(n for n, part in enumerate(parts) if path.lower() in map(str.lower, part.paths))
        for path in whole.paths
    ]
    chosen = ", ".join(
        f"{parts[n].column(path, f't{n}')} AS p{place}"
        for place, (n, path) in enumerate(zip(owners, whole.paths, strict=True))
    )
    others = " ".join(
        f"JOIN {part.table} AS t{n} ON {part.column('Id', f't{n}')} = {parts[0].column('Id', 't0')}"
        for n, part in enumerate(parts)
        if n
    )
    run.work.execute(
        f"CREATE OR REPLACE TABLE {whole.table} AS SELECT {chosen} FROM {parts[0].table} AS t0 {others}"
    )
    return whole


# ---- by a Bulk job


def _by_job(run: RetlRun, wanted: Wanted) -> Fetched | None:
    """Reads all records that have a key by one Bulk query; None where Bulk does not serve the object."""
    conditions = [] if wanted.by.name == "Id" else [f"{wanted.by.name} != null"]
    question = soql.select(wanted.paths, wanted.sobject.name, conditions)
    try:
        job = bulk.create_query_job(run.org, question, include_deleted=False)
    except RequestRejectedError as refusal:
        if not rest.has_code(refusal, "INVALIDENTITY"):
            raise
        return None
    try:
        return _downloaded(run, wanted, job.id)
    finally:
        with suppress(ApiError):  # it expires by itself
            bulk.delete_job(run.org, job.id)


def _downloaded(run: RetlRun, wanted: Wanted, job_id: str) -> Fetched:
    fetched = Fetched(wanted.table, wanted.paths)
    job = follow_job(
        run.org,
        job_id,
        timeout_s=run.request.options.job_timeout_s,
        sleep=run.sleep,
        on_state=lambda j: run.tell("reading", f"reading by job {j.id}, {j.state}", done=j.records),
    )
    columns = [Column(f"p{place}", TEXT, field=path) for place, path in enumerate(fetched.paths)]
    spool = Spool(run.work.folder / f"spool-{job_id}")
    try:
        pages = download(run.org, job, spool, locators=list_pages(run.org, job, batch_size=None))
        stream = stream_pages(pages, columns, object_name=wanted.sobject.name)
        _load(run, fetched, stream, job.records)
    finally:
        spool.remove()
    return fetched


def _load(run: RetlRun, fetched: Fetched, stream: RecordStream, expected: int) -> None:
    try:
        rows = run.work.load(fetched.table, stream.reader)
    except BaseException:
        if stream.error is not None:
            raise stream.error from None  # what the driver raised is only its wrapping
        raise
    if rows != expected:
        raise IncompleteExtractError(
            f"The Bulk query of what Salesforce holds has {expected} rows, {rows} arrived.",
            hint="Run the same command again.",
        )
