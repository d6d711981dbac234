"""However a job's results come back: mixed, altered, twice or not at all, no row that may have been written is sent again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lht.model.retl import Operation, Part, PartStatus, RetlOptions, RetlRequest, SentColumn
from lht.model.salesforce import BulkJob, Field, JobState
from lht.retl.outcomes import assign
from lht.retl.told import Told, read_nothing
from lht.retl.work import Work

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELD = Field("Name", "string")
COLUMNS = (SentColumn("Name", "Name", FIELD, "Name"),)
RANKS = {"succeeded": 0, "failed": 1, "unprocessed": 2}
Row = tuple[str, str, bool, str | None]
"""What was sent, what became of it (`absent`: it stands nowhere), whether it comes back altered, and a second,
worse result that stands in another file. Such a row is like no other: of equal rows nobody could tell the results apart."""


def rows() -> st.SearchStrategy[list[Row]]:
    content = st.sampled_from(["a", "b", "c"])
    plain = st.tuples(content, st.sampled_from([*RANKS, "absent"]), st.just(value=False), st.none())
    altered = st.tuples(content, st.sampled_from([*RANKS]), st.just(value=True), st.none())
    twice = st.tuples(
        content, st.just("succeeded"), st.just(value=False), st.sampled_from(["failed", "unprocessed"])
    )
    several = st.lists(st.one_of(plain, altered, twice), min_size=1, max_size=8)
    return several.map(
        lambda found: [(f"own{n}", *row[1:]) if row[3] else row for n, row in enumerate(found)]
    )


@dataclass
class Run:
    """As much of a run as outcomes ask for."""

    work: Work
    request: RetlRequest = field(
        default_factory=lambda: RetlRequest(Operation.INSERT, "Account", "", options=RetlOptions())
    )
    told: list[str] = field(default_factory=list)

    def tell(self, _kind: str, message: str = "", **_counts: Any) -> None:
        self.told.append(message)


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Work]:
    with Work(tmp_path_factory.mktemp("work")) as opened:
        yield opened


def outcomes(work: Work, sent: list[Row], order: list[int]) -> list[tuple[str, str, str | None]]:
    """Content, outcome and id of each row, as told by results in some order."""
    work.execute(
        "CREATE OR REPLACE TABLE outbox (part BIGINT, attempt BIGINT, row_number BIGINT, operation VARCHAR,"
        " record_id VARCHAR, sent VARCHAR[])"
    )
    read_nothing(work)
    work.execute("ALTER TABLE told ADD COLUMN v1 VARCHAR")
    results = []
    for number, (content, fate, is_altered, second) in enumerate(sent):
        work.execute("INSERT INTO outbox VALUES (1, 1, ?, 'insert', NULL, ?)", [number, [content]])
        for outcome in filter(None, (None if fate == "absent" else fate, second)):
            record_id = f"001-{content}-{number}" if outcome == "succeeded" else ""
            results.append([outcome, record_id, "CODE:m:--", "altered" if is_altered else content])
    for place in order:
        if place < len(results):
            work.execute("INSERT INTO told VALUES (?, ?, NULL, ?, ?)", results[place])
    part = Part("run", 1, 1, Operation.INSERT, PartStatus.CLOSED, len(sent), 0)
    job = BulkJob("750", JobState.JOB_COMPLETE, "Account", "insert", None, "66.0")
    assign(Run(work), part, job, COLUMNS, Told(("Name",)))  # type: ignore[arg-type]  # stands for a RetlRun
    return work.query(
        "SELECT sent[1], outcome, sf_id FROM outcomes JOIN outbox USING (row_number) ORDER BY row_number"
    )


@settings(max_examples=20, deadline=None)
@given(rows(), st.permutations(range(16)))
def test_no_row_that_was_written_counts_as_failed(work: Work, sent: list[Row], order: list[int]) -> None:
    found = outcomes(work, sent, order)

    assert [content for content, _, _ in found] == [content for content, *_ in sent]
    may_repeat = Counter(content for content, outcome, _ in found if outcome in {"failed", "unprocessed"})
    did_fail = Counter(content for content, fate, *_ in sent if fate in {"failed", "unprocessed"})
    assert may_repeat.total() <= did_fail.total()
    ids = [record_id for *_, record_id in found if record_id]
    assert len(ids) == len(set(ids))
    if not any(is_altered for *_, is_altered, _ in sent):
        truth = Counter((content, "unknown" if fate == "absent" else fate) for content, fate, *_ in sent)
        assert Counter((content, outcome) for content, outcome, _ in found) == truth
        assert all(record_id.split("-")[1] == content for content, _, record_id in found if record_id)
