"""Finds out what became of each row of a part, from what its job's result files tell.

Results have no row numbers and keep no order. A result finds its row by the match key, by the Id, by the text that
`--result_key` carries, or else by its content, where rows of equal content may stand for each other. Keys and values
are compared as Salesforce compares them, never by their spelling.

Every row of the part gets exactly one outcome. A row that stands in several files counts as succeeded before failed,
and as failed before unprocessed: where a batch is worked on twice, what was written once stays written, and a row
must not be sent again while a record of it may exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lht.model.retl import Operation, Outcome, positions_sent
from lht.model.salesforce import Field, JobState
from lht.retl import classes, normal
from lht.retl.told import Told, read_nothing, read_told
from lht.retl.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.retl import Part, SentColumn
    from lht.model.salesforce import BulkJob
    from lht.retl.run import RetlRun
    from lht.retl.work import Work

_MAKE = """
CREATE TABLE IF NOT EXISTS outcomes (
  part BIGINT, attempt BIGINT, row_number BIGINT, outcome VARCHAR, created BOOLEAN, sf_id VARCHAR,
  class VARCHAR, message VARCHAR, fields VARCHAR
)
"""
_ID = Field("Id", "id")
_GIVEN_UP = "The run was given up while its calls were under way: whether this row was sent is not known."
_RANK = "CASE outcome WHEN 'succeeded' THEN 0 WHEN 'failed' THEN 1 ELSE 2 END"


def begin_part(work: Work, part: Part) -> None:
    """Makes room for a part's outcomes; those of an earlier try to read them are removed."""
    work.execute(_MAKE)
    work.execute("DELETE FROM outcomes WHERE part = ? AND attempt = ?", [part.number, part.attempt])


def read_outcomes(run: RetlRun, part: Part, job: BulkJob | None, columns: Sequence[SentColumn]) -> None:
    """Fills `outcomes` for every row of a part whose job has ended. `job` None: Salesforce has forgotten it."""
    told = read_nothing(run.work) if job is None else _read(run, job)
    assign(run, part, None if told.gone else job, columns, told)


def assign(run: RetlRun, part: Part, job: BulkJob | None, columns: Sequence[SentColumn], told: Told) -> None:
    """Gives each row of a part its outcome by what `told` holds."""
    begin_part(run.work, part)
    reason = _Reason(*classes.why_unprocessed(job))
    _match(run, part, columns, told)
    _record_matched(run.work, part, reason)
    _record_rest(run, part, job, reason)


def give_up(run: RetlRun, part: Part) -> None:
    """Fills `outcomes` for a part whose calls were cut off and are not made again."""
    begin_part(run.work, part)
    run.work.execute(
        """
        INSERT INTO outcomes BY NAME
        SELECT part, attempt, row_number, ? AS outcome, FALSE AS created, record_id AS sf_id, ? AS class, ? AS message
        FROM outbox WHERE part = ?
        """,
        [Outcome.UNKNOWN.value, classes.UNKNOWN, _GIVEN_UP, part.number],
    )


@dataclass(frozen=True, slots=True)
class _Reason:
    """Why rows were not processed."""

    error_class: str
    message: str


# ---- reading


def _read(run: RetlRun, job: BulkJob) -> Told:
    """The files; once more where their rows are not as many as the job counts."""
    told = read_told(run.org, job, run.work, sleep=run.sleep)
    if told.gone:
        run.tell("warning", f"Salesforce no longer has all results of job {job.id}")
    elif _differs(told, job):
        told = read_told(run.org, job, run.work, sleep=run.sleep)
        if _differs(told, job):
            run.tell("warning", _difference(told, job))
    if told.skipped:
        run.tell(
            "warning", f"the results of job {job.id} have {counted(told.skipped, 'row')} that cannot be read"
        )
    return told


def _differs(told: Told, job: BulkJob) -> bool:
    return _counted(told) != (job.records - job.records_failed, job.records_failed)


def _counted(told: Told) -> tuple[int, int]:
    return told.rows.get(Outcome.SUCCEEDED, 0), told.rows.get(Outcome.FAILED, 0)


def _difference(told: Told, job: BulkJob) -> str:
    succeeded, failed = _counted(told)
    return (
        f"Salesforce counts {job.records - job.records_failed} succeeded and {job.records_failed} failed rows of job"
        f" {job.id}, its result files hold {succeeded} and {failed}"
    )


# ---- matching


@dataclass(frozen=True, slots=True)
class _Mark:
    """One thing that tells rows apart: what was sent and what came back, as expressions, and how both are read."""

    sent: str
    told: str
    field: Field


def _match(run: RetlRun, part: Part, columns: Sequence[SentColumn], told: Told) -> None:
    """Fills `matched` with pairs of `row_number` and `told_row`, each at most once."""
    key = _key(part.operation, columns, told, run.request.options.result_key)
    marks = [key] if key else _content(part.operation, columns, told)
    compared = [(normal.key_sql if key else normal.normal_sql)(f"m{n}", m.field) for n, m in enumerate(marks)]
    known_by = compared[0] if key else _digest(compared)
    sent = "".join(f", {mark.sent} AS m{n}" for n, mark in enumerate(marks))
    back = "".join(f", {mark.told} AS m{n}" for n, mark in enumerate(marks))
    run.work.execute(
        f"""
        CREATE OR REPLACE TABLE sent_keys AS
        SELECT row_number, k, row_number() OVER (PARTITION BY k ORDER BY row_number) AS nth
        FROM (SELECT row_number, {known_by} AS k
              FROM (SELECT row_number{sent} FROM outbox WHERE part = {part.number:d}))
        """
    )
    run.work.execute(
        f"""
        CREATE OR REPLACE TABLE told_keys AS
        SELECT told_row, k, row_number() OVER (PARTITION BY k ORDER BY rank, told_row) AS nth
        FROM (SELECT told_row, rank, {known_by} AS k
              FROM (SELECT rowid AS told_row, {_RANK} AS rank{back} FROM told))
        """
    )
    run.work.execute(
        "CREATE OR REPLACE TABLE matched AS SELECT row_number, told_row FROM sent_keys JOIN told_keys USING (k, nth)"
    )
    _pair_what_is_left(run.work, part)
    _tell_repeated(run)


def _key(
    operation: Operation, columns: Sequence[SentColumn], told: Told, result_key: str | None
) -> _Mark | None:
    """What a row is known by, if anything was sent for that and came back."""
    if operation is Operation.DELETE:
        name = told.column("Id")
        return _Mark("record_id", _echoed(name), _ID) if name else None
    for number in positions_sent(operation, columns):
        column = columns[number]
        name = told.column(column.header)
        if name and _is_key(column, operation, result_key):
            back = _echoed(name) if column.field.type == "id" else name
            return _Mark(f"sent[{number + 1}]", back, column.field)
    return None


def _is_key(column: SentColumn, operation: Operation, result_key: str | None) -> bool:
    if operation is Operation.INSERT:
        return result_key is not None and column.header.lower() == result_key.lower()
    return column.is_key


def _echoed(name: str) -> str:
    """The Id of a result: one that succeeded tells it apart, one that failed has it only among what was sent."""
    return f"coalesce(nullif({name}, ''), sf_id)"


def _content(operation: Operation, columns: Sequence[SentColumn], told: Told) -> list[_Mark]:
    sent = [(n, columns[n]) for n in positions_sent(operation, columns)]
    return [_Mark(f"sent[{n + 1}]", v, c.field) for n, c in sent if (v := told.column(c.header))]


def _digest(values: Sequence[str]) -> str:
    """Stands for a row's content; NULL where there is none to compare by."""
    if not values:
        return "CAST(NULL AS VARCHAR)"
    return f"md5(CAST(to_json([{', '.join(f'CAST({value} AS VARCHAR)' for value in values)}]) AS VARCHAR))"


def _pair_what_is_left(work: Work, part: Part) -> None:
    """Gives altered results to the rows left, where there is one of each, or where all say the same of no record."""
    work.execute(
        """
        CREATE OR REPLACE TABLE strangers AS
        SELECT rowid AS told_row, * FROM told
        WHERE rowid NOT IN (SELECT told_row FROM told_keys SEMI JOIN sent_keys USING (k))
        """
    )
    lost, strangers = _count_lost(work, part), work.count("strangers")
    says = work.query("SELECT DISTINCT outcome, error FROM strangers LIMIT 2")
    if not lost or lost != strangers or len(says) > 1:
        return
    if lost > 1 and says[0][0] == Outcome.SUCCEEDED:
        return
    work.execute(
        f"""
        INSERT INTO matched
        SELECT row_number, told_row
        FROM (SELECT row_number, row_number() OVER (ORDER BY row_number) AS nth FROM outbox
              WHERE part = {part.number:d} AND row_number NOT IN (SELECT row_number FROM matched))
        JOIN (SELECT told_row, row_number() OVER (ORDER BY told_row) AS nth FROM strangers) USING (nth)
        """
    )
    work.execute("DELETE FROM strangers")


def _tell_repeated(run: RetlRun) -> None:
    repeated = run.work.value(
        "SELECT count(*) FROM told_keys WHERE k IN (SELECT k FROM sent_keys)"
        " AND told_row NOT IN (SELECT told_row FROM matched)"
    )
    if repeated:
        run.tell(
            "warning",
            f"{repeated} results are of rows that stand in the results already: success counts before failure",
        )


# ---- recording


def _record_matched(work: Work, part: Part, reason: _Reason) -> None:
    work.execute(
        f"""
        INSERT INTO outcomes BY NAME
        SELECT {part.number:d} AS part, {part.attempt:d} AS attempt, row_number, {_FATE}
        FROM matched
        JOIN outbox USING (row_number)
        JOIN (SELECT rowid AS told_row, *, {classes.parsed_sql("error")} AS said FROM told) USING (told_row)
        WHERE part = {part.number:d}
        """,
        [reason.error_class, reason.message],
    )


_FATE = """outcome,
  outcome = 'succeeded' AND coalesce(lower(nullif(created, '')) = 'true', operation = 'insert') AS created,
  coalesce(nullif(sf_id, ''), record_id) AS sf_id,
  CASE outcome WHEN 'failed' THEN said.class WHEN 'unprocessed' THEN ? END AS class,
  CASE outcome WHEN 'failed' THEN said.message WHEN 'unprocessed' THEN ? END AS message,
  CASE outcome WHEN 'failed' THEN nullif(said.fields, '') END AS fields"""


def _record_rest(run: RetlRun, part: Part, job: BulkJob | None, reason: _Reason) -> None:
    """Gives the rows that found no result what can be said of all of them."""
    lost = _count_lost(run.work, part)
    if not lost:
        return
    strangers = run.work.count("strangers")
    kinds = run.work.query("SELECT DISTINCT outcome FROM strangers")
    if strangers == lost and len(kinds) == 1:
        outcome, fate = Outcome(kinds[0][0]), _Reason(classes.UNMATCHED, _alike(lost, kinds[0][0]))
    elif not strangers and _did_nothing(run.work, job):
        outcome, fate = Outcome.UNPROCESSED, reason
    else:
        outcome, fate = Outcome.UNKNOWN, _unknown(job, strangers)
    run.work.execute(
        f"""
        INSERT INTO outcomes BY NAME
        SELECT part, attempt, row_number, ? AS outcome, ? AND operation = 'insert' AS created, record_id AS sf_id,
          ? AS class, ? AS message
        FROM outbox
        WHERE part = {part.number:d} AND row_number NOT IN (SELECT row_number FROM matched)
        """,
        [outcome.value, outcome is Outcome.SUCCEEDED, fate.error_class, fate.message],
    )
    if outcome is not Outcome.UNPROCESSED or strangers:
        run.tell("warning", f"{lost} rows of part {part.number} found no result of their own: {fate.message}")


def _count_lost(work: Work, part: Part) -> int:
    matched = "row_number NOT IN (SELECT row_number FROM matched)"
    return work.count("outbox", f"part = {part.number:d} AND {matched}")


def _alike(rows: int, outcome: str) -> str:
    return f"{rows} rows came back altered and all of them {outcome}: which result is whose cannot be told."


def _did_nothing(work: Work, job: BulkJob | None) -> bool:
    """Whether a job was refused as a whole, so that even a row that it does not give back was not worked on."""
    if job is None or job.state is not JobState.FAILED or job.records or job.records_failed:
        return False
    return work.count("told", "outcome <> 'unprocessed'") == 0


def _unknown(job: BulkJob | None, strangers: int) -> _Reason:
    if job is None:
        return _Reason(classes.UNKNOWN, "Salesforce no longer has the results of the job that took this row.")
    if strangers:
        return _Reason(
            classes.UNMATCHED,
            f"{strangers} results of job {job.id} came back altered: which row is whose cannot be told.",
        )
    return _Reason(classes.UNKNOWN, f"This row is in none of the results of job {job.id}.")
