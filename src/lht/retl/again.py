"""Cuts rows that may go well another time into further parts of the same run: smaller ones, sorted by parent.

What is decided follows from what the state holds alone. A run that is cut off before the new parts are committed
decides the same again; afterwards they are parts like any others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lht.retl import parts
from lht.retl.classes import retryable_sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lht.model.retl import Part, SentColumn
    from lht.retl.run import RetlRun

MOST_ATTEMPTS: Final = 4
ROWS: Final = {2: 5_000, 3: 1_000, 4: 200}
"""The most rows of a part, by attempt: the last is one chunk of Salesforce's, in which no row waits for another."""
MOST_PARTS: Final = 50
"""Each part costs a batch of the day's, so very many rows go in larger parts."""
PAUSES_S: Final = {2: 2.0, 3: 8.0, 4: 30.0}


def cut_again(run: RetlRun, columns: Sequence[SentColumn]) -> tuple[Part, ...]:
    """Makes `outbox` of the rows that are worth another attempt, and gives their parts; none where there are none.

    Rows that Salesforce refused for what they hold are not among them, nor rows whose fate is unknown, which might
    be written twice. Waits a little, so that whoever holds a lock lets go of it.
    """
    sent = run.state.parts(run.run_id)
    attempt = max((part.attempt for part in sent), default=MOST_ATTEMPTS) + 1
    rows = _find_rows(run, columns, attempt) if attempt <= MOST_ATTEMPTS else 0
    if not rows:
        return ()
    run.tell("retrying", f"attempt {attempt} of {MOST_ATTEMPTS}", total=rows)
    run.sleep(PAUSES_S[attempt])
    run.work.execute("DROP TABLE IF EXISTS outbox")
    first = max(part.number for part in sent) + 1
    return parts.cut(
        run, columns, "again", first_part=first, attempt=attempt, max_rows=_rows_of_part(run, rows, attempt)
    )


def _rows_of_part(run: RetlRun, rows: int, attempt: int) -> int:
    """At least two parts, unless they would be smaller than a chunk; never more rows than the user allows."""
    most = max(ROWS[MOST_ATTEMPTS], min(ROWS[attempt], -(-rows // 2)), -(-rows // MOST_PARTS))
    return min(most, run.request.options.batch_size or most)


def _find_rows(run: RetlRun, columns: Sequence[SentColumn], attempt: int) -> int:
    """Makes `again`, shaped as `encoded`, of the rows whose last attempt may be repeated; gives how many."""
    if not _may_be_any(run):
        return 0
    kept = "row_number, part, attempt, outcome, class, message"
    run.work.load("fates", run.state.row_results(run.run_id), kept)
    run.work.execute(
        "DELETE FROM fates WHERE attempt <> ? OR outcome NOT IN ('failed', 'unprocessed')"
        f" OR NOT coalesce({retryable_sql('class', 'message')}, FALSE)",
        [attempt - 1],
    )
    texts = ", ".join(f"sent[{place}] AS c{place}" for place in range(1, len(columns) + 1))
    shape = f"row_number, match_key, record_id, operation, source, {texts}"
    made = False
    for (part,) in run.work.query("SELECT DISTINCT part FROM fates ORDER BY part"):
        run.work.load(
            "sent_before",
            run.state.outbox(run.run_id, part),
            "* REPLACE (from_json(sent, '[\"VARCHAR\"]') AS sent)",
        )
        selected = f"SELECT {shape} FROM sent_before SEMI JOIN fates USING (row_number)"
        run.work.execute(
            f"INSERT INTO again {selected}" if made else f"CREATE OR REPLACE TABLE again AS {selected}"
        )
        made = True
    return run.work.count("again") if made else 0


def _may_be_any(run: RetlRun) -> bool:
    """Whether a row failed or was left at all: one statement that counts saves reading every row's fate."""
    counted = run.state.counts(run.run_id)
    return bool(counted.rows_failed or counted.rows_unprocessed)
