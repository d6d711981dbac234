"""What became of each row of a job, read from the org's result files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.model.retl import Operation
from lht.retl import classes

if TYPE_CHECKING:
    from conftest import Desk

KEY = "ExternalId__c"
ABSENT = "001000000000001AAA"
OTHER = "003000000000001AAA"


def of(found: dict[int, tuple[Any, ...]], position: int) -> dict[int, Any]:
    """One value of each row: 0 the outcome, 3 the class."""
    return {row: values[position] for row, values in found.items()}


def test_upserted_rows_are_found_by_their_key_however_it_is_spelled(desk: Desk) -> None:
    rows = [("K1", "One", "912260031"), ("k2", None, None), ("k3", 'Multi\nline, "quoted"', "1.50")]
    desk.expect(Operation.UPSERT, [KEY, "Name", "AnnualRevenue"], *rows, key=KEY)
    first = desk.api.create("Account", Name="Old", ExternalId__c="k1")
    job = desk.load("upsert", ["externalid__C", "NAME", "AnnualRevenue"], *rows, externalIdFieldName=KEY)

    found = desk.read(job)

    assert found[1] == ("succeeded", False, first, None, None, None)
    assert found[2] == (
        "failed", False, None, "REQUIRED_FIELD_MISSING", "Required fields are missing: [Name]", "Name",
    )  # fmt: skip
    assert found[3][:2] == ("succeeded", True)
    assert found[3][2].startswith("001")
    assert desk.warnings() == []


@pytest.mark.parametrize("operation", [Operation.UPDATE, Operation.DELETE])
def test_rows_that_are_known_by_id_are_found_where_no_id_is_told(desk: Desk, operation: Operation) -> None:
    there = desk.api.create("Account", Name="There")
    rows = [(there[:15], "New"), (ABSENT, "New"), (OTHER, "New")]
    desk.expect(operation, ["Id", "Name"], *rows, key="Id")
    names = ["Id", "Name"] if operation is Operation.UPDATE else ["Id"]
    job = desk.load(operation.value, names, *[row[: len(names)] for row in rows])

    found = desk.read(job)

    assert found[1][:3] == ("succeeded", False, there)
    assert (found[2][0], found[2][2]) == ("failed", ABSENT)
    assert found[3][2:] == (
        OTHER, "MALFORMED_ID", f"Account ID: id value of incorrect type: {OTHER}", "Id",
    )  # fmt: skip
    assert found[2][3] in {"INVALID_CROSS_REFERENCE_KEY", "ENTITY_IS_DELETED"}


def test_inserts_without_a_key_are_found_by_content_and_equal_rows_stand_for_each_other(desk: Desk) -> None:
    rows = [("Twin", "912260031"), ("Twin", "912260031.0"), (None, "1"), (None, "1"), ("Single", "7")]
    desk.expect(Operation.INSERT, ["Name", "AnnualRevenue"], *rows)
    job = desk.load("insert", ["Name", "AnnualRevenue"], *rows)

    found = desk.read(job)

    assert of(found, 0) == {1: "succeeded", 2: "succeeded", 3: "failed", 4: "failed", 5: "succeeded"}
    assert of(found, 1) == {1: True, 2: True, 3: False, 4: False, 5: True}
    assert len({found[1][2], found[2][2], found[5][2]}) == 3
    assert desk.warnings() == []


def test_a_result_key_tells_equal_rows_apart(desk: Desk) -> None:
    rows = [("Twin", f"run1:{number}") for number in range(1, 5)]
    desk.expect(Operation.INSERT, ["Name", "Site"], *rows, result_key="Site")
    job = desk.load("insert", ["Name", "Site"], *rows)

    found = desk.read(job)

    sites = {
        row["Id"]: row["Site"]
        for row in desk.api.get("/query", q="SELECT Id, Site FROM Account").json()["records"]
    }
    assert {row: sites[values[2]] for row, values in found.items()} == {n: f"run1:{n}" for n in range(1, 5)}


def test_a_row_that_failed_and_succeeded_counts_as_succeeded(desk: Desk) -> None:
    there = desk.api.create("Account", Name="There")
    desk.expect(Operation.UPDATE, ["Id", "Name"], (there, "New"), key="Id")
    others = [(f"001{number:015d}", "x") for number in range(200)]
    job = desk.load("update", ["Id", "Name"], (there, "New"), *others, (there, "x" * 300))

    found = desk.read(job)

    assert found[1][:3] == ("succeeded", False, there)
    assert any("stand in the results already" in warning for warning in desk.warnings())


def test_rows_that_no_file_holds_are_unknown(desk: Desk) -> None:
    desk.expect(Operation.UPSERT, [KEY, "Name"], ("k1", "A"), ("k2", "B"), key=KEY)
    job = desk.load("upsert", [KEY, "Name"], ("k1", "A"), externalIdFieldName=KEY)

    found = desk.read(job)

    assert of(found, 0) == {1: "succeeded", 2: "unknown"}
    assert found[2][3] == classes.UNKNOWN
    assert any("1 rows of part 1" in warning for warning in desk.warnings())


def test_a_job_that_is_gone_leaves_its_rows_unknown(desk: Desk) -> None:
    desk.expect(Operation.INSERT, ["Name"], ("A",), ("B",))

    found = desk.read(None)

    assert {values[0] for values in found.values()} == {"unknown"}


def test_a_single_altered_result_belongs_to_the_single_row_left(desk: Desk) -> None:
    """A row of the wrong width comes back without its values."""
    desk.expect(Operation.INSERT, ["Name", "Site"], ("A", "s"), ("B", "s"))
    job = desk.load("insert", ["Name", "Site"], ("A", "s"), ("B",))

    found = desk.read(job)

    assert of(found, 0) == {1: "succeeded", 2: "failed"}
    assert found[2][3] == "INVALID_FIELD"


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ([("a",), ("b",)], {1: ("succeeded", None), 2: ("succeeded", classes.UNMATCHED), 3: ("succeeded", classes.UNMATCHED)}),
        ([("a",), (None,)], {1: ("succeeded", None), 2: ("unknown", classes.UNMATCHED), 3: ("unknown", classes.UNMATCHED)}),
    ],
)  # fmt: skip
def test_altered_results_that_cannot_be_told_apart_are_said_so(
    desk: Desk, sent: list[tuple[str | None]], expected: dict[int, tuple[str, str | None]]
) -> None:
    desk.expect(Operation.INSERT, ["Name"], ("same",), ("A",), ("B",))
    job = desk.load("insert", ["Name", "Site"], ("same", ""), *[(*row, "") for row in sent])

    found = desk.read(job)

    assert {row: (values[0], values[3]) for row, values in found.items()} == expected
    assert found[2][2] is None
    assert any("came back altered" in warning for warning in desk.warnings())


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("InvalidBatch : Field name not found : Foo__c", ("InvalidBatch", "Field name not found : Foo__c")),
        ("TooManyLockFailure : Too many", ("TooManyLockFailure", "Too many")),
    ],
)
def test_rows_of_a_failed_job_carry_its_reason(desk: Desk, message: str, expected: tuple[str, str]) -> None:
    rows = [(f"k{number}", f"n{number}") for number in range(250)]
    desk.expect(Operation.UPSERT, [KEY, "Name"], *rows, key=KEY)
    desk.api.org.admin.fault("job_fails", error_message=message, after_rows=1)
    job = desk.load("upsert", [KEY, "Name"], *rows, externalIdFieldName=KEY)

    found = desk.read(job)

    left = [values for values in found.values() if values[0] != "succeeded"]
    assert 0 < len(left) < 250
    assert {(values[0], values[3], values[4]) for values in left} == {("unprocessed", *expected)}


def test_a_job_refused_as_a_whole_leaves_every_row_unprocessed(desk: Desk) -> None:
    desk.expect(Operation.INSERT, ["Name"], ("A",), ("B",))
    job = desk.load("insert", ["Name", "Foo__c"], ("A", "1"), ("B", "2"))

    found = desk.read(job)

    assert {values[0] for values in found.values()} == {"unprocessed"}
    assert {values[3] for values in found.values()} == {"InvalidBatch"}


def test_an_aborted_job_leaves_its_rows_unprocessed(desk: Desk) -> None:
    desk.expect(Operation.INSERT, ["Name"], ("A",))
    made = desk.api.call("POST", "/jobs/ingest", {"object": "Account", "operation": "insert"}).json()["id"]
    desk.api.put(made, "Name\nA\n")
    desk.api.org.admin.fault("job_hangs")
    desk.api.call("PATCH", f"/jobs/ingest/{made}", {"state": "UploadComplete"})
    desk.api.call("PATCH", f"/jobs/ingest/{made}", {"state": "Aborted"})
    desk.api.wait(made, kind="ingest")

    found = desk.read(made)

    assert found[1][0] == "unprocessed"
    assert found[1][3] == classes.JOB_ABORTED


def test_files_that_do_not_arrive_whole_are_fetched_again(desk: Desk) -> None:
    rows = [(f"k{number}", f"name {number}") for number in range(300)]
    desk.expect(Operation.UPSERT, [KEY, "Name"], *rows, key=KEY)
    job = desk.load("upsert", [KEY, "Name"], *rows, externalIdFieldName=KEY)
    desk.api.org.admin.fault("truncate_gzip", path="successfulResults", times=1)

    found = desk.read(job)

    assert {values[:2] for values in found.values()} == {("succeeded", True)}
    assert desk.warnings() == []


def test_reading_again_changes_nothing(desk: Desk) -> None:
    desk.expect(Operation.INSERT, ["Name"], ("A",), (None,), ("A",))
    job = desk.load("insert", ["Name", "Site"], ("A", ""), ("", ""), ("A", ""))

    assert desk.read(job) == desk.read(job)
