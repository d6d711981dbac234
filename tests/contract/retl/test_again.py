"""What is sent another time, by the run itself and by a retry, as the state has recorded it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from lht.errors import PlanRefusedError
from lht.model.retl import Intent, Operation, Part, PartStatus
from lht.retl.again import MOST_ATTEMPTS, cut_again
from lht.retl.retry import keep_failed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from conftest import Desk

KEY = "ExternalId__c"
LOCK = ("failed", "UNABLE_TO_LOCK_ROW")
GOOD = ("succeeded", None)
BAD = ("failed", "REQUIRED_FIELD_MISSING")
LEFT = ("unprocessed", "UNPROCESSED")
LOST = ("unknown", "UNKNOWN")
Fate = tuple[str, str | None]
TO_STATE = """
SELECT operation, match_key, record_id, CAST(to_json(sent) AS VARCHAR) AS sent, source, part, attempt, row_number
FROM outbox
"""


def begin(
    desk: Desk,
    *rows: Sequence[str | None],
    key: str | None = KEY,
    run_id: str = "run1",
    of_run: str | None = None,
) -> Intent:
    """Records a run of rows (Key, Name), with its one part."""
    operation = Operation.UPSERT if key else Operation.INSERT
    desk.run = replace(desk.run, run_id=run_id)
    desk.expect(operation, [KEY, "Name"], *rows, key=key)
    desk.run.work.execute("UPDATE outbox SET match_key = lower(sent[1])" if key else "SELECT 1")
    begun = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=len(run_id))
    headers = tuple(column.header for column in desk.columns)
    command = "retl_retry" if of_run else f"retl_{operation}"
    intent = Intent(
        run_id, "00D", "Account", command, operation, key, headers, headers, "f", "SELECT 1", "{}", len(rows), 0,
        begun, of_run=of_run,
    )  # fmt: skip
    desk.run.state.ensure()
    part = Part(run_id, 1, 1, operation, PartStatus.PLANNED, len(rows), 100)
    desk.run.state.begin(intent, [part], desk.run.work.batches(TO_STATE))
    return intent


def settle(desk: Desk, part: Part, fates: Mapping[int, Fate]) -> None:
    """Records what became of a part's rows."""
    work = desk.run.work
    work.execute("CREATE OR REPLACE TABLE given (row_number BIGINT, outcome VARCHAR, class VARCHAR)")
    for row, fate in fates.items():
        work.execute("INSERT INTO given VALUES (?, ?, ?)", [row, *fate])
    told = "SELECT row_number, match_key, outcome, class FROM given JOIN outbox USING (row_number)"
    desk.run.state.settle(part, work.batches(told))


def end(desk: Desk, intent: Intent, *fates: Fate) -> Intent:
    """Records what became of the rows of a run's only part, and that the run has ended."""
    (part,) = desk.run.state.parts(intent.run_id)
    settle(desk, part, dict(enumerate(fates, start=1)))
    desk.run.state.finish(intent, None)
    return intent


def rows_again(desk: Desk) -> list[tuple[int, int, int, str]]:
    return desk.run.work.query("SELECT part, attempt, row_number, sent[1] FROM outbox ORDER BY row_number")


def test_rows_that_may_go_well_another_time_are_cut_into_new_parts(desk: Desk) -> None:
    begin(desk, *[(f"K{n}", "x") for n in range(1, 6)])
    (part,) = desk.run.state.parts("run1")
    settle(desk, part, dict(enumerate([GOOD, LOCK, BAD, LEFT, LOST], start=1)))

    first, repeated = cut_again(desk.run, desk.columns), cut_again(desk.run, desk.columns)

    assert [(p.number, p.attempt, p.rows, p.status) for p in first] == [(2, 2, 2, PartStatus.PLANNED)]
    assert repeated == first
    assert rows_again(desk) == [(2, 2, 2, "K2"), (2, 2, 4, "K4")]


def test_attempts_come_to_an_end(desk: Desk) -> None:
    begin(desk, ("K1", "x"), ("K2", "x"))
    (part,) = desk.run.state.parts("run1")
    settle(desk, part, {1: GOOD, 2: LOCK})
    attempts = []

    while parts := cut_again(desk.run, desk.columns):
        desk.run.state.add_parts("run1", parts, desk.run.work.batches(TO_STATE))
        settle(desk, parts[0], {2: LOCK})
        attempts.append([part.attempt for part in parts])

    assert attempts == [[2], [3], [4]]
    assert MOST_ATTEMPTS == 4


def kept(desk: Desk, of_run: Intent, *now: Sequence[str | None], run_id: str = "later") -> list[str | None]:
    """The names of the rows that a retry would send of what the query gives now."""
    work = desk.run.work
    work.execute(
        "CREATE OR REPLACE TABLE encoded (row_number BIGINT, match_key VARCHAR, record_id VARCHAR, operation VARCHAR,"
        " source VARCHAR, c1 VARCHAR, c2 VARCHAR)"
    )
    for number, (key, name) in enumerate(now, start=1):
        known_by = key.lower() if key and of_run.match_field else None
        work.execute(
            "INSERT INTO encoded VALUES (?, ?, NULL, 'x', '{}', ?, ?)", [number, known_by, key, name]
        )
    work.execute("CREATE OR REPLACE TABLE source AS SELECT row_number FROM encoded")
    left = keep_failed(replace(desk.run, run_id=run_id), desk.columns, of_run)
    names = [name for (name,) in work.query("SELECT c2 FROM encoded ORDER BY row_number")]
    assert left == len(names) == work.count("source")
    return names


def test_a_retry_takes_what_failed_with_its_values_now(desk: Desk) -> None:
    rows = [(f"K{n}", "old") for n in range(1, 7)]
    run = end(desk, begin(desk, *rows), GOOD, BAD, LEFT, LOST, LOCK, ("conflicting", "CONFLICT"))

    names = kept(
        desk, run, ("k1", "n1"), ("k2", "n2"), ("K3", "n3"), ("K4", "n4"), ("K6", "n6"), ("K7", "n7")
    )

    assert names == ["n2", "n3"]
    assert any(
        "1 rows that failed in run run1 are not in its query any more" in told for told in desk.warnings()
    )


def test_a_second_retry_sends_nothing_that_the_first_wrote(desk: Desk) -> None:
    run = end(desk, begin(desk, ("K1", "a"), ("K2", "b"), ("K3", "c")), GOOD, BAD, BAD)
    first = end(desk, begin(desk, ("K2", "b"), ("K3", "c"), run_id="retry1", of_run="run1"), GOOD, BAD)
    now = [("K1", "a"), ("K2", "b"), ("K3", "d")]
    still = kept(desk, run, *now), kept(desk, first, *now)
    end(desk, begin(desk, ("K3", "d"), run_id="retry-two", of_run="retry1"), GOOD)

    assert still == (["d"], ["d"])
    assert kept(desk, run, *now) == kept(desk, first, *now) == []


def test_rows_without_a_key_go_again_where_what_was_written_is_found_by_content(desk: Desk) -> None:
    rows = [("1", "same"), ("1", "same"), ("2", "bad"), ("3", "good")]
    run = end(desk, begin(desk, *rows, key=None), GOOD, LOCK, BAD, GOOD)
    now = [("3", " good "), ("1", "same"), ("1", "same"), ("2", "mended")]

    assert kept(desk, run, *now) == ["same", "mended"]
    retry = end(
        desk, begin(desk, ("1", "same"), ("2", "mended"), key=None, run_id="retry1", of_run="run1"), GOOD, BAD
    )
    assert kept(desk, run, *now) == kept(desk, run, *now[1:]) == ["mended"]
    assert kept(desk, retry, ("2", "mended")) == ["mended"]
    end(desk, begin(desk, ("2", "mended"), key=None, run_id="retry-two", of_run="run1"), GOOD)
    assert kept(desk, run, *now) == []


@pytest.mark.parametrize(
    ("now", "why"),
    [
        ([("1", "good"), ("2", "mended"), ("3", "new")], "2 rows that were not written, but only 1 failed"),
        ([("1", "good, changed since")], "1 rows that were written are not in the query any more"),
    ],
)
def test_rows_without_a_key_that_may_have_been_written_are_refused(
    desk: Desk, now: list[tuple[str, str]], why: str
) -> None:
    run = end(desk, begin(desk, ("1", "good"), ("2", "bad"), key=None), GOOD, BAD)

    with pytest.raises(PlanRefusedError, match=why) as refused:
        kept(desk, run, *now)

    assert "lht retl_insert" in refused.value.hint


def test_a_retry_beside_an_unfinished_one_is_refused(desk: Desk) -> None:
    run = end(desk, begin(desk, ("K1", "a")), BAD)
    begin(desk, ("K1", "a"), run_id="retry1", of_run="run1")

    with pytest.raises(PlanRefusedError, match="Run retry1, a retry of run1, has not ended"):
        kept(desk, run, ("K1", "b"))
    assert kept(desk, run, ("K1", "b"), run_id="retry1") == ["b"]


def test_a_run_whose_rows_are_not_recorded_any_more_is_refused(desk: Desk) -> None:
    run = begin(desk, ("K1", "a"))
    desk.run.state.finish(run, None)

    with pytest.raises(PlanRefusedError, match="Nothing is recorded of the rows of run run1"):
        kept(desk, run, ("K1", "b"))
