"""What reverse ETL remembers, on both warehouses."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pytest

from lht.errors import RetlError, RunLockedError, WarehouseUnreachableError
from lht.model.retl import ErrorClass, Intent, Operation, Part, PartStatus
from lht.state import retl_rows
from lht.state.locks import TableLock
from lht.state.retl_store import RetlState
from lht.warehouse.duckdb import from_connection
from lht.warehouse.snowflake.connect import open_snowflake

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lht.testing.stand_in import StandInDatabase
    from lht.warehouse.port import Warehouse

NOW = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
ORG = "00D000000000001EAA"
INTENT = Intent(
    "run-1", ORG, "Account", "retl_upsert", Operation.UPSERT, "Key__c", ("Key__c", "Name"), ("Key__c", "Name"),
    "print", "SELECT 1", "{}", 5, 1, NOW,
)  # fmt: skip
ONE = Part("run-1", 1, 1, Operation.UPSERT, PartStatus.PLANNED, 2, 20)
TWO = replace(ONE, number=2, bytes=21)
RECORDS = ("001000000000001AAA", "001000000000002AAA", "001000000000003AAA", "001000000000004AAA")


@pytest.fixture(params=["duckdb", "snowflake"])
def warehouse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Warehouse]:
    if request.param == "duckdb":
        yield from_connection(duckdb.connect(":memory:"))
        return
    database: StandInDatabase = request.getfixturevalue("lht_snowflake")
    with open_snowflake(database.options, name="lake", work_dir=tmp_path) as opened:
        yield opened


@pytest.fixture
def state(warehouse: Warehouse) -> RetlState:
    state = RetlState(warehouse)
    state.ensure()
    return state


def reader(**columns: list[Any]) -> pa.RecordBatchReader:
    return pa.table(columns).to_reader(max_chunksize=2)


def texts(*values: str | None) -> pa.Array[Any]:
    return pa.array(values, pa.string())


def outbox(*numbers: int, parts: tuple[int, ...] = (1, 1, 2, 2), attempt: int = 1) -> pa.RecordBatchReader:
    return reader(
        part=pa.array(parts[: len(numbers)], pa.int64()),
        attempt=pa.array([attempt] * len(numbers), pa.int64()),
        row_number=pa.array(numbers, pa.int64()),
        operation=texts(*["upsert" for _ in numbers]),
        match_key=texts(*[f"k{number}" for number in numbers]),
        record_id=texts(*[None for _ in numbers]),
        sent=texts(*[sent(number) for number in numbers]),
        source=texts(*['{"A": "\\\\N"}' for _ in numbers]),
    )


def sent(number: int) -> str:
    return json.dumps([f"k{number}", "Zoë, \\ 'x'"])


def results(*outcomes: str, first: int = 1) -> pa.RecordBatchReader:
    rows = range(first, first + len(outcomes))
    failed = [None if outcome == "succeeded" else outcome.upper() for outcome in outcomes]
    return reader(
        row_number=list(rows),
        match_key=[f"k{row}" for row in rows],
        sf_id=[RECORDS[row - 1] for row in rows],
        outcome=list(outcomes),
        created=[outcome == "succeeded" and row == 1 for outcome, row in zip(outcomes, rows, strict=True)],
        **{"class": pa.array(failed, pa.string()), "message": pa.array(failed, pa.string())},
    )


def pushed(*numbers: int) -> pa.RecordBatchReader:
    return reader(match_key=[f"k{number}" for number in numbers], sent=[sent(number) for number in numbers])


def known(state: RetlState, headers: tuple[str, ...] = ("Key__c", "Name")) -> list[str]:
    return sorted(state.pushed(ORG, "Account", "Key__c", headers).read_all()["match_key"].to_pylist())


def begin(state: RetlState) -> None:
    state.begin(INTENT, [ONE, TWO], outbox(1, 2, 3, 4))


def test_a_run_is_remembered_as_it_was_decided(state: RetlState) -> None:
    state.ensure()
    assert state.open_intents(ORG, "Account") == []
    begin(state)

    assert state.open_intents(ORG, "Account") == state.unfinished() == [INTENT]
    assert state.open_intents(ORG, "Contact") == []
    assert state.intent("run-1") == INTENT
    assert state.intent("run-2") is None
    assert state.parts("run-1") == [ONE, TWO]
    whole = state.outbox("run-1").read_all()
    assert whole.schema.field("row_number").type == pa.int64()
    assert sorted(whole["sent"].to_pylist()) == [sent(number) for number in (1, 2, 3, 4)]
    (row,) = [one for one in state.outbox("run-1", 1).read_all().to_pylist() if one["row_number"] == 2]
    assert row == {
        "run_id": "run-1", "part": 1, "attempt": 1, "row_number": 2, "operation": "upsert", "match_key": "k2",
        "record_id": None, "sent": sent(2), "source": '{"A": "\\\\N"}',
    }  # fmt: skip


def test_a_part_stands_where_it_was_last_said_to(state: RetlState) -> None:
    begin(state)
    created = replace(ONE, status=PartStatus.CREATED, job_id="750000000000001AAA")
    closed = replace(created, status=PartStatus.CLOSED)
    for part in (created, closed):
        state.save_part(part)

    assert state.parts("run-1") == [closed, TWO]


def test_what_became_of_the_rows_is_counted_from_their_last_attempt(state: RetlState) -> None:
    begin(state)
    state.settle(replace(ONE, job_id="750000000000001AAA"), results("succeeded", "failed"), pushed(1, 2))
    state.settle(TWO, results("succeeded", "unprocessed", first=3), pushed(3, 4))
    again = Part("run-1", 3, 2, Operation.UPSERT, PartStatus.PLANNED, 1, 10)
    state.add_parts("run-1", [again], outbox(4, parts=(3,), attempt=2))
    state.settle(again, results("succeeded", first=4), pushed(4))

    counted = state.counts("run-1")
    assert (counted.rows_sent, counted.rows_succeeded, counted.rows_failed) == (4, 3, 1)
    assert (counted.rows_created, counted.rows_unprocessed, counted.rows_unknown) == (1, 0, 0)
    assert counted.errors == (ErrorClass("FAILED", 1, "FAILED"),)
    assert [(job.id, job.rows) for job in counted.jobs] == [("750000000000001AAA", 2)]
    assert {part.status for part in state.parts("run-1")} == {PartStatus.SETTLED}
    rows = {row["row_number"]: row for row in state.row_results("run-1").read_all().to_pylist()}
    assert {number: row["attempt"] for number, row in rows.items()} == {1: 1, 2: 1, 3: 1, 4: 2}
    assert (rows[1]["org_id"], rows[1]["job_id"], rows[1]["part"]) == (ORG, "750000000000001AAA", 1)
    assert known(state) == ["k1", "k3", "k4"]


def test_rows_in_conflict_are_not_among_those_sent(state: RetlState) -> None:
    begin(state)
    state.save_results("run-1", results("conflicting"))
    state.settle(ONE, results("succeeded", first=2))

    counted = state.counts("run-1")
    assert (counted.rows_sent, counted.rows_conflicting, counted.rows_succeeded) == (3, 1, 1)


def test_rows_that_will_not_be_sent_are_recorded_with_the_intent(state: RetlState) -> None:
    state.begin(INTENT, [], outbox(), results("conflicting", "conflicting"))

    counted = state.counts("run-1")
    assert (counted.rows_sent, counted.rows_conflicting, state.parts("run-1")) == (0, 2, [])
    assert counted.errors == (ErrorClass("CONFLICTING", 2, "CONFLICTING"),)


def test_what_was_pushed_is_forgotten_once_the_record_is_deleted_or_put_back(state: RetlState) -> None:
    begin(state)
    state.settle(ONE, results("succeeded", "succeeded"), pushed(1, 2))
    state.settle(TWO, results("succeeded", "succeeded", first=3), pushed(3, 4))
    deletion = replace(
        INTENT,
        run_id="run-2",
        command="retl_delete",
        operation=Operation.DELETE,
        match_field="Id",
        headers=("Id",),
    )
    part = replace(ONE, run_id="run-2", operation=Operation.DELETE)
    state.begin(deletion, [part], outbox(1, 2))
    state.settle(part, results("succeeded", "failed"))
    assert known(state) == ["k2", "k3", "k4"]

    undo = replace(INTENT, run_id="run-3", command="retl_undo", operation=Operation.UPDATE, of_run="run-1")
    part = replace(ONE, run_id="run-3", rows=1)
    state.begin(undo, [part], outbox(3))
    state.settle(part, results("succeeded", first=3))
    assert known(state) == ["k2", "k4"]


def test_what_was_pushed_is_forgotten_of_rows_that_may_have_been_written(state: RetlState) -> None:
    begin(state)
    state.settle(ONE, results("succeeded", "succeeded"), pushed(1, 2))
    state.settle(TWO, results("succeeded", "succeeded", first=3), pushed(3, 4))
    by_key, by_id = replace(ONE, run_id="run-2", rows=2), replace(ONE, run_id="run-3", rows=1)
    state.begin(replace(INTENT, run_id="run-2"), [by_key], outbox(1, 2))
    told = results("unknown", "failed").read_all()
    place = told.schema.get_field_index("sf_id")
    nameless = told.set_column(place, "sf_id", texts(None, None)).to_reader()
    state.settle(by_key, nameless, pushed(1, 2), has_unknown=True)
    assert known(state) == ["k2", "k3", "k4"]

    other = replace(INTENT, run_id="run-3", match_field="Id", headers=("Id", "Phone"))
    state.begin(other, [by_id], outbox(3))
    state.settle(by_id, results("unknown", first=3), pushed(3), has_unknown=True)
    assert known(state) == ["k2", "k4"]


def test_what_was_written_over_by_other_columns_is_not_what_the_record_holds(state: RetlState) -> None:
    begin(state)
    state.settle(ONE, results("succeeded", "succeeded"), pushed(1, 2))
    for run_id, headers in (("run-2", ("Id", "Phone")), ("run-3", ("Id", "Account.Key__c", "NAME"))):
        other = replace(INTENT, run_id=run_id, match_field="Id", headers=headers)
        part = replace(ONE, run_id=run_id, rows=1)
        state.begin(other, [part], outbox(1))
        assert known(state) == ["k1", "k2"]
        state.settle(part, results("succeeded"), pushed(1))

    assert known(state) == ["k2"]
    assert known(state, ("Key__c", "Phone")) == []


def test_of_two_images_the_later_counts(state: RetlState) -> None:
    begin(state)
    for name in ("old", "newer"):
        state.save_images(
            "run-1",
            reader(
                row_number=[1],
                record_id=[RECORDS[0]],
                match_key=["k1"],
                modstamp=["2025-01-01T00:00:00.000Z"],
                image=[json.dumps({"Name": name})],
            ),
        )

    (row,) = state.images("run-1").read_all().to_pylist()
    assert (row["image"], row["org_id"], row["object"]) == ('{"Name": "newer"}', ORG, "Account")


def test_a_run_ends_with_a_record_of_it(state: RetlState, warehouse: Warehouse) -> None:
    from lht.app import history

    begin(state)
    assert [(run.run_id, run.status, run.is_resumable) for run in history.runs(warehouse)] == [
        ("run-1", "interrupted", True)
    ]
    with TableLock(
        warehouse, state.place(ORG, "Account"), run_id="run-1", org_id=ORG, object_name="Account",
        command="retl_upsert",
    ):  # fmt: skip
        assert [(run.run_id, run.status, run.is_resumable) for run in history.runs(warehouse)] == [
            ("run-1", "running", False)
        ]
    state.settle(ONE, results("succeeded", "failed"))
    state.settle(TWO, results("succeeded", "succeeded", first=3))
    result = replace(state.counts("run-1"), seconds=1.5, warnings=("w",))
    state.finish(INTENT, result)

    assert state.unfinished() == []
    assert state.intent("run-1") == replace(INTENT, status="done")
    (run,) = history.runs(warehouse)
    assert (run.status, run.command, run.is_resumable, run.result) == ("failed", "retl_upsert", False, result)


def test_what_is_recorded_must_be_all_that_is_to_be_sent(state: RetlState) -> None:
    with pytest.raises(RetlError, match="3 rows would be recorded where 4"):
        state.begin(INTENT, [ONE, TWO], outbox(1, 2, 3))

    assert state.unfinished() == []
    assert state.outbox("run-1").read_all().num_rows == 0


def test_nothing_is_written_once_the_lock_is_gone(state: RetlState, warehouse: Warehouse) -> None:
    place = state.place(ORG, "Account")
    with TableLock(warehouse, place, run_id="run-1", object_name="Account") as lock:
        held = state.guarded(lock.token)
        held.begin(INTENT, [ONE, TWO], outbox(1, 2, 3, 4))
    steps: list[Callable[[], None]] = [
        lambda: held.begin(replace(INTENT, run_id="run-2"), [replace(ONE, run_id="run-2")], outbox(1, 2)),
        lambda: held.save_part(replace(ONE, status=PartStatus.CREATED)),
        lambda: held.settle(ONE, results("succeeded", "succeeded"), pushed(1, 2)),
        lambda: held.add_parts("run-1", [replace(ONE, number=3)], outbox(1, 2)),
        lambda: held.finish(INTENT, None),
        lambda: held.save_results("run-1", results("conflicting")),
        held.check_held,
    ]
    for step in steps:
        with pytest.raises(RunLockedError, match="lost its lock"):
            step()

    assert state.unfinished() == [INTENT]
    assert state.parts("run-1") == [ONE, TWO]
    assert state.outbox("run-1").read_all().num_rows == 4
    assert state.row_results("run-1").read_all().num_rows == 0
    assert known(state) == []


class Cut:
    """A warehouse whose answer to the next COMMIT is lost, before or after it is done."""

    def __init__(self, warehouse: Warehouse, *, committed: bool) -> None:
        self._warehouse, self._committed = warehouse, committed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._warehouse, name)

    def transaction(self) -> Any:
        return self._cut()

    def reconnect(self) -> None:
        self.transaction = self._warehouse.transaction  # type: ignore[method-assign]

    def _cut(self) -> Any:
        from contextlib import contextmanager

        @contextmanager
        def cut() -> Iterator[None]:
            with self._warehouse.transaction():
                yield
                if not self._committed:
                    raise WarehouseUnreachableError("gone")
            raise WarehouseUnreachableError("gone")

        return cut()


@pytest.mark.parametrize("committed", [True, False])
def test_a_lost_answer_is_looked_up(state: RetlState, warehouse: Warehouse, *, committed: bool) -> None:
    first = INTENT if committed else replace(INTENT, run_id="run-2")

    def cut() -> RetlState:
        return RetlState(Cut(warehouse, committed=committed))  # type: ignore[arg-type]

    steps: list[Callable[[], None]] = [
        lambda: cut().begin(
            first, [replace(ONE, run_id=first.run_id), replace(TWO, run_id=first.run_id)], outbox(1, 2, 3, 4)
        ),
        lambda: cut().add_parts("run-1", [replace(ONE, number=3)], outbox(1, 2, parts=(3, 3))),
        lambda: cut().settle(ONE, results("succeeded", "succeeded"), pushed(1, 2)),
        lambda: cut().finish(INTENT, None),
    ]
    if committed:
        for step in steps:
            step()
        assert len(state.parts("run-1")) == 3
        assert (state.unfinished(), known(state)) == ([], ["k1", "k2"])
        return
    begin(state)
    for step in steps:
        with pytest.raises(WarehouseUnreachableError):
            step()
    assert (state.unfinished(), state.parts("run-1"), known(state)) == ([INTENT], [ONE, TWO], [])


def test_old_row_level_records_go_and_what_is_needed_stays(state: RetlState) -> None:
    old = replace(INTENT, run_id="old")
    undone = replace(INTENT, run_id="undone")
    undo = replace(INTENT, run_id="undo", of_run="undone")
    young = replace(INTENT, run_id="young", started_at=datetime(2026, 1, 1, tzinfo=UTC))
    for intent in (old, undone, undo, young):
        state.begin(intent, [replace(ONE, run_id=intent.run_id)], outbox(1, 2))
        state.settle(replace(ONE, run_id=intent.run_id), results("succeeded", "failed"), pushed(1, 2))
        if intent is not undo:
            state.finish(intent, state.counts(intent.run_id))

    before = datetime(2025, 6, 1, tzinfo=UTC)
    expected = {"outbox": 2, "row_results": 2, "before_images": 0}
    assert state.prune(before, dry_run=True) == expected
    assert state.prune(before) == expected
    assert state.prune(before) == dict.fromkeys(expected, 0)
    rows = [state.row_results(intent.run_id).read_all().num_rows for intent in (old, undone, undo, young)]
    assert rows == [0, 2, 2, 2]
    assert known(state) == ["k1"]


def test_lists_of_headers_overlap_where_they_write_one_field() -> None:
    lists = [
        ["Id", "Name"],
        ["Id", "Phone"],
        ["Id", "Parent.Key__c"],
        ["Id", "User:Owner.Email"],
        ["A__r.Key__c"],
    ]
    others = [json.dumps(one) for one in lists]

    def found(*headers: str) -> list[Any]:
        return [json.loads(one) for one in retl_rows.overlapping(headers, "Id", others)]

    assert found("ID", "NAME") == [["Id", "Name"]]
    assert found("Id", "ParentId", "a__c") == [["Id", "Parent.Key__c"], ["A__r.Key__c"]]
    assert found("Id", "OwnerId") == [["Id", "User:Owner.Email"]]
