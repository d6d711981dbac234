"""Sends again what failed in a run that has ended, with the values that its query gives now.

A run's query is read anew, and of its rows only those go that did not succeed. Rows are known by their match key.
Inserts have none: of what the query gives now, everything is taken away that was written before, by content and as
often as it was written; what is left is sent only where it is certain that it never was.

A run and its retries count together, so that a second retry sends nothing that a first one wrote. Rows whose fate is
unknown may have been written, and are never sent.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lht.errors import PlanRefusedError
from lht.retl import normal
from lht.retl.intent import ended_intent, request_of
from lht.retl.planning import Task, prepare
from lht.state.retl_store import UNDO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.retl import Intent, SentColumn
    from lht.retl.run import RetlRun
    from lht.retl.work import Work
    from lht.state.retl_store import RetlState

_FAILED: Final = "('failed', 'unprocessed')"
_WRITTEN: Final = "('succeeded', 'unknown')"


def retry_task(state: RetlState, run_id: str) -> Task:
    """Sends again what failed in a run that has ended. ConfigError where there is no such run."""
    intent = ended_intent(state, run_id)
    if intent.command == UNDO:
        raise PlanRefusedError(
            f"Run {run_id} is an undo, which has no query to send again.",
            hint=f"To undo what is left: lht retl_undo --run_id {intent.of_run}",
        )
    request = request_of(intent)
    request = replace(request, options=replace(request.options, new_run=False))

    def keep(run: RetlRun, columns: Sequence[SentColumn]) -> int:
        return keep_failed(run, columns, intent)

    return Task(request, lambda run: prepare(run, keep=keep), run_id)


def keep_failed(run: RetlRun, columns: Sequence[SentColumn], of_run: Intent) -> int:
    """Leaves in `source` and `encoded` only rows that failed in a run, and in its retries since; gives how many.

    It comes before the rows are checked. PlanRefusedError where it cannot be told which
    rows were not written.
    """
    family = _family(run, of_run)
    _load_fates(run, family)
    _refuse_without_record(run, of_run)
    run.work.execute("CREATE OR REPLACE TABLE kept (row_number BIGINT)")
    _keep_by_key(run.work)
    if run.work.count("encoded", "match_key IS NULL"):
        _keep_by_content(run, columns, of_run, family)
    for table in ("source", "encoded"):  # what is not sent is not checked either
        run.work.execute(f"DELETE FROM {table} WHERE row_number NOT IN (SELECT row_number FROM kept)")
    kept, failed = run.work.count("kept"), _count_failed(run.work)
    if kept < failed:
        run.tell(
            "warning",
            f"{failed - kept} rows that failed in run {of_run.run_id} are not in its query any more",
        )
    return kept


# ---- what became of the rows


def _family(run: RetlRun, of_run: Intent) -> list[Intent]:
    """A run, its retries, theirs, and so on, in the order in which they were begun."""
    found = [of_run]
    for intent in found:  # it grows while it is gone through
        later = [other for other in run.state.runs_of(intent.run_id) if other.command != UNDO]
        for other in later:
            if other.status == "open" and other.run_id != run.run_id:
                raise PlanRefusedError(
                    f"Run {other.run_id}, a retry of {intent.run_id}, has not ended: what became of its rows is"
                    " not known yet.",
                    hint="Run its command again, so that it ends; then run this one again.",
                )
        found += later
    return sorted(found, key=lambda intent: (intent.started_at, intent.run_id))


def _load_fates(run: RetlRun, family: Sequence[Intent]) -> None:
    """Fills `fates`: what became of each row in each run, the runs numbered in order."""
    run.work.execute(
        "CREATE OR REPLACE TABLE fates (run BIGINT, row_number BIGINT, match_key VARCHAR, outcome VARCHAR)"
    )
    for number, intent in enumerate(family):
        results = run.state.row_results(intent.run_id)
        run.work.append("fates", results, f"{number} AS run, row_number, match_key, outcome")


def _refuse_without_record(run: RetlRun, of_run: Intent) -> None:
    """Raises where nothing is known of what became of a run's rows."""
    if of_run.rows_selected > of_run.rows_unchanged and not run.work.count("fates", "run = 0"):
        raise PlanRefusedError(
            f"Nothing is recorded of the rows of run {of_run.run_id}: it sent none, or 'lht prune' removed it.",
            hint="Run the query by its own command; with --only_changed it leaves out what was written already.",
        )


def _count_failed(work: Work) -> int:
    """Rows of all the runs whose last fate is that they were not written."""
    keyed = work.count("last_fates", f"outcome IN {_FAILED}")
    return keyed + _unwritten(work)


def _unwritten(work: Work) -> int:
    """Rows without a key that failed in the first run, less those that a retry has written."""
    failed = work.count("fates", f"match_key IS NULL AND run = 0 AND outcome IN {_FAILED}")
    return failed - work.count("fates", f"match_key IS NULL AND run > 0 AND outcome IN {_WRITTEN}")


# ---- rows with a key


def _keep_by_key(work: Work) -> None:
    work.execute(
        """
        CREATE OR REPLACE TABLE last_fates AS
        SELECT match_key, max_by(outcome, run) AS outcome FROM fates WHERE match_key IS NOT NULL GROUP BY match_key
        """
    )
    work.execute(
        f"""
        INSERT INTO kept
        SELECT row_number FROM encoded JOIN last_fates USING (match_key) WHERE last_fates.outcome IN {_FAILED}
        """
    )


# ---- rows without


@dataclass(frozen=True, slots=True)
class _Left:
    """What is left of a query's rows without a key, once what was written is taken away.

    `lost`: rows that were written and are not in the query as they were. `changed`: rows left that are not as any
    that failed.
    """

    rows: int
    changed: int
    lost: int


def _keep_by_content(
    run: RetlRun, columns: Sequence[SentColumn], of_run: Intent, family: Sequence[Intent]
) -> None:
    """Takes what was written away from what the query gives now; refuses where the rest may have been written."""
    _number_now(run, columns)
    _number_before(run, columns, family)
    left, allowed = _take_away(run.work), _unwritten(run.work)
    if left.rows > allowed:
        raise _ambiguous(
            of_run, f"the query gives {left.rows} rows that were not written, but only {allowed} failed"
        )
    if left.changed and left.lost:
        raise _ambiguous(
            of_run,
            f"{left.lost} rows that were written are not in the query any more as they were, and {left.changed} are"
            " new or changed",
        )
    run.work.execute("INSERT INTO kept SELECT row_number FROM contents_left")


def _number_now(run: RetlRun, columns: Sequence[SentColumn]) -> None:
    """Makes `contents_now`: the content of each row without a key, equal ones numbered."""
    compared = [(f"c{place}", column) for place, column in _compared(run, columns)]
    run.work.execute(
        f"""
        CREATE OR REPLACE TABLE contents_now AS
        SELECT row_number, k, row_number() OVER (PARTITION BY k ORDER BY row_number) AS nth
        FROM (SELECT row_number, {_content(compared)} AS k FROM encoded WHERE match_key IS NULL)
        """
    )


def _number_before(run: RetlRun, columns: Sequence[SentColumn], family: Sequence[Intent]) -> None:
    """Makes `contents_before`: what rows without a key held in each run, by their last attempt, and their fate."""
    run.work.execute("CREATE OR REPLACE TABLE contents_before (k VARCHAR, outcome VARCHAR)")
    for number, intent in enumerate(family):
        places = {header.lower(): place for place, header in enumerate(intent.headers, start=1)}
        compared = [
            (f"sent[{places[column.header.lower()]}]" if column.header.lower() in places else "''", column)
            for _, column in _compared(run, columns)
        ]
        run.work.load(
            "sent_before",
            run.state.outbox(intent.run_id),
            "row_number, attempt, match_key, from_json(sent, '[\"VARCHAR\"]') AS sent",
        )
        run.work.execute(
            f"""
            INSERT INTO contents_before
            SELECT {_content(compared)} AS k, outcome
            FROM (SELECT row_number, max_by(sent, attempt) AS sent FROM sent_before
                  WHERE match_key IS NULL GROUP BY row_number)
            JOIN fates USING (row_number)
            WHERE run = {number:d}
            """
        )


def _take_away(work: Work) -> _Left:
    """Makes `contents_left` and counts it."""
    work.execute(
        f"""
        CREATE OR REPLACE TABLE contents_written AS
        SELECT k, row_number() OVER (PARTITION BY k) AS nth FROM contents_before WHERE outcome IN {_WRITTEN}
        """
    )
    work.execute(
        "CREATE OR REPLACE TABLE contents_left AS"
        " SELECT row_number, k FROM contents_now ANTI JOIN contents_written USING (k, nth)"
    )
    failed = f"(SELECT k FROM contents_before WHERE outcome IN {_FAILED})"
    rows = work.count("contents_left")
    found = work.count("contents_now") - rows
    return _Left(
        rows, work.count("contents_left", f"k NOT IN {failed}"), work.count("contents_written") - found
    )


def _compared(run: RetlRun, columns: Sequence[SentColumn]) -> list[tuple[int, SentColumn]]:
    """The columns that make a row's content: not the Id, nor the text that tells rows of a run apart."""
    left_out = {"id", (run.request.options.result_key or "").lower()}
    return [(n, column) for n, column in enumerate(columns, 1) if column.header.lower() not in left_out]


def _content(compared: Sequence[tuple[str, SentColumn]]) -> str:
    """Stands for a row's content, as Salesforce tells values apart."""
    values = ", ".join(
        f"CAST({normal.normal_sql(text, column.field)} AS VARCHAR)" for text, column in compared
    )
    return f"md5(CAST(to_json([{values}]) AS VARCHAR))"


def _ambiguous(of_run: Intent, why: str) -> PlanRefusedError:
    return PlanRefusedError(
        f"Which rows of run {of_run.run_id} are to be sent again cannot be told, as they have no key: {why}."
        " Nothing was sent.",
        hint="Put the rows to insert, and no others, into a query of their own and run lht retl_insert with it; an"
        " upsert by an external id has no such trouble.",
    )
