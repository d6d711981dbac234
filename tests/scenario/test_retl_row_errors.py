"""Each reason for which Salesforce refuses a row, from the row of a query to `row_results`.

What a plan finds beforehand is brought about between the plan and the sending, as it may be in a real org.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from world import World, open_world

from lht.errors import PlanRefusedError
from lht.model.retl import Operation, RetlRequest
from lht.retl.engine import Setting, run_retl
from lht.retl.planning import query_task
from lht.retl.retry import retry_task
from lht.state.retl_store import RetlState
from lht.testing import simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from lht.model.retl import RetlPlan, RetlResult
    from lht.retl.planning import Task

ABSENT = "001000000000001AAA"
FIELDS: dict[str, dict[str, Any]] = {
    "Key__c": {"length": 40, "external_id": True, "case_sensitive": True},
    "Loose__c": {"length": 40, "external_id": True},
    "Unique__c": {"length": 40, "unique": True},
    "Short__c": {"length": 80},
    "Colour__c": {"type": "picklist", "picklist": ["Red"]},
    "Number__c": {"length": 40},
    "Secret__c": {"length": 40},
    "Needed__c": {"length": 40},
}
INSERTS = {
    "REQUIRED_FIELD_MISSING": {"Needed__c": None},
    "STRING_TOO_LONG": {"Short__c": "x" * 60},
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": {"Colour__c": "Mauve"},
    "INVALID_TYPE_ON_FIELD_IN_RECORD": {"Number__c": "abc"},
    "INVALID_FIELD_FOR_INSERT_UPDATE": {"Secret__c": "s"},
    "DUPLICATE_VALUE": {"Unique__c": "taken"},
    "INVALID_FIELD": {"Parent.Key__c": "parent"},
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": {"Phone": "rule"},
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": {"Phone": "trigger"},
    "DUPLICATES_DETECTED": {"Site": "twin"},
}
"""What makes a new account be refused with that code."""
COLUMNS = [
    "Name",
    "Phone",
    "Site",
    "Parent.Key__c",
    *(name for name in FIELDS if not name.startswith(("Key", "Loose"))),
]


@dataclass
class Bench:
    """One org with rules, and what became of the rows of a few runs."""

    world: World
    folder: Path
    runs: int = 0

    def run(
        self, task: Task, confirm: Callable[[], None] = lambda: None, command: str = "retl"
    ) -> RetlResult:
        def confirmed(_plan: RetlPlan) -> bool:
            confirm()
            return True

        self.runs += 1
        setting = Setting(
            f"20260101T0000{self.runs:02}-0000",
            command,
            self.folder / "work",
            confirm=confirmed,
            sleep=lambda _seconds: None,
        )
        return run_retl(self.world.org, self.world.lake.warehouse(), task, setting)

    def write(
        self,
        operation: str,
        query: str,
        field: str | None = None,
        confirm: Callable[[], None] = lambda: None,
        kind: str = "Account",
    ) -> RetlResult:
        return self.run(query_task(RetlRequest(Operation(operation), kind, query, field)), confirm)

    def fates(self, result: RetlResult) -> list[dict[str, Any]]:
        """What is recorded of each row."""
        return self.state().row_results(result.run_id).read_all().to_pylist()

    def state(self) -> RetlState:
        return RetlState(self.world.lake.warehouse())

    def classes(self, result: RetlResult) -> dict[str, tuple[str | None, int]]:
        """The class of each row's error, and its last attempt, by match key."""
        return {row["match_key"]: (row["class"], row["attempt"]) for row in self.fates(result)}


def query(columns: list[str], rows: dict[str, dict[str, str | None]]) -> str:
    """A query of one row for each case."""
    names = ", ".join(f'"{name}"' for name in columns)
    lines = [
        ", ".join("NULL" if row.get(name) is None else f"'{row[name]}'" for name in columns)
        for row in rows.values()
    ]
    values = ", ".join(f"({line})" for line in lines)
    return f"SELECT {names} FROM (VALUES {values}) AS t({names})"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("bench")
    with simulator(token_lifetime_s=1e9) as local:
        for name, facts in FIELDS.items():
            local.admin.add_field("Account", name, **facts)
        local.admin.add_validation_rule("Account", "No", "Phone = 'rule'", "Not: that one", field="Phone")
        local.admin.add_validation_rule("Account", "Fails", "Phone = 'trigger'", "Oops", trigger="Trip")
        local.admin.add_duplicate_rule("Account", "Same", ["Site"])
        world = open_world(local, folder / "spool")
        yield Bench(world, folder)
        world.close()


@pytest.fixture(scope="module")
def inserted(bench: Bench) -> dict[str, dict[str, Any]]:
    """What became of rows that one Bulk job was to insert."""
    admin, rest = bench.world.local.admin, bench.world.rest
    rest.create("Account", Name="first", Unique__c="taken", Site="twin", Needed__c="y")
    parent = rest.create("Account", Name="parent", Key__c="parent", Needed__c="y")

    def change() -> None:
        rest.delete("Account", parent)
        admin.alter_field("Account", "Short__c", length=40)
        admin.alter_field("Account", "Colour__c", restricted_picklist=True)
        admin.alter_field("Account", "Number__c", type="double", precision=18, scale=0)
        admin.alter_field("Account", "Needed__c", nillable=False)
        admin.read_only_field("Account", "Secret__c")

    rows = {code: {"Name": code, "Needed__c": "y", **values} for code, values in INSERTS.items()}
    rows["fine"] = {"Name": "fine", "Needed__c": "y"}
    result = bench.write("insert", query(COLUMNS, rows), confirm=change)
    return {json.loads(row["source"])["Name"]: row for row in bench.fates(result)}


@pytest.mark.parametrize("code", INSERTS)
def test_a_row_that_a_job_refuses_is_told_with_its_reason(
    inserted: dict[str, dict[str, Any]], code: str
) -> None:
    row = inserted[code]

    assert (row["outcome"], row["class"], row["attempt"], row["created"]) == ("failed", code, 1, False)
    assert row["sf_id"] is None
    assert row["message"]
    assert "--" not in row["message"]
    assert row["job_id"].startswith("750")


def test_the_row_beside_them_is_made(inserted: dict[str, dict[str, Any]]) -> None:
    row = inserted["fine"]

    assert (row["outcome"], row["class"], row["created"]) == ("succeeded", None, True)
    assert inserted["STRING_TOO_LONG"]["fields"] == "Short__c"
    assert inserted["FIELD_CUSTOM_VALIDATION_EXCEPTION"]["message"] == "Not: that one"


def test_records_that_cannot_be_written_are_told_and_what_was_locked_goes_again(bench: Bench) -> None:
    rest, admin, world = bench.world.rest, bench.world.local.admin, bench.world
    ids = {
        name: rest.create("Account", Name=name, Needed__c="y")
        for name in ("fine", "gone", "held", "locked", "children")
    }
    rest.create("Case", Subject="s", AccountId=ids["children"])
    rows = ", ".join(
        f"('{record_id}', 'old {name}')" for name, record_id in {**ids, "absent": ABSENT}.items()
    )
    world.execute(f"CREATE TABLE NEW_PHONES AS SELECT * FROM (VALUES {rows}) AS t(Id, Phone)")
    opened = []

    def change() -> None:
        rest.delete("Account", ids["gone"])
        admin.read_only_records("Account", ids=[ids["held"]])
        held = {"action": "update", "object": "Account", "id": ids["locked"], "fields": {"Site": "x"}}
        opened.append(admin.open_transaction(held)["id"])

    result = bench.write("update", "SELECT Id, Phone FROM NEW_PHONES", "Id", confirm=change)
    deleted = bench.write("delete", f"SELECT '{ids['children']}' AS Id", "Id")

    assert bench.classes(result) == {
        ids["fine"]: (None, 1),
        ids["children"]: (None, 1),
        ids["gone"]: ("ENTITY_IS_DELETED", 1),
        ids["held"]: ("INSUFFICIENT_ACCESS_OR_READONLY", 1),
        ids["locked"]: ("UNABLE_TO_LOCK_ROW", 4),
        ABSENT: ("INVALID_CROSS_REFERENCE_KEY", 1),
    }
    assert bench.classes(deleted) == {ids["children"]: ("DELETE_FAILED", 1)}

    admin.roll_back(opened[0])
    world.execute("UPDATE NEW_PHONES SET Phone = replace(Phone, 'old', 'new')")
    retry = [
        bench.run(retry_task(state, result.run_id), command="retl_retry") for state in [bench.state()] * 2
    ]

    assert bench.classes(retry[0]) == {
        ids["gone"]: ("ENTITY_IS_DELETED", 1),
        ids["held"]: ("INSUFFICIENT_ACCESS_OR_READONLY", 1),
        ids["locked"]: (None, 1),
        ABSENT: ("INVALID_CROSS_REFERENCE_KEY", 1),
    }
    assert (retry[1].rows_selected, retry[1].rows_sent) == (3, 3)
    phones = {
        row["Id"]: row["Phone"] for row in rest.query("SELECT Id, Phone FROM Account WHERE Phone != null")
    }
    assert (phones[ids["fine"]], phones[ids["locked"]]) == ("old fine", "new locked")


def test_keys_that_find_several_records_or_stand_twice_are_told(bench: Bench) -> None:
    rest, admin = bench.world.rest, bench.world.local.admin
    rest.create("Account", Name="one", Loose__c="L", Needed__c="y")

    def change() -> None:
        rest.create("Account", Name="two", Loose__c="l", Needed__c="y")
        admin.alter_field("Account", "Key__c", case_sensitive=False)

    rows = "(VALUES ('{}', 'a', 'y'), ('{}', 'b', 'y')) AS t({}, Name, Needed__c)"
    loose = bench.write(
        "upsert", f"SELECT * FROM {rows.format('l', 'other', 'Loose__c')}", "Loose__c", change
    )
    admin.alter_field("Account", "Key__c", case_sensitive=True)
    twice = bench.write("upsert", f"SELECT * FROM {rows.format('k', 'K', 'Key__c')}", "Key__c", change)

    assert bench.classes(loose) == {"l": ("DUPLICATE_EXTERNAL_ID", 1), "other": (None, 1)}
    assert bench.classes(twice) == {"k": ("DUPLICATE_VALUE", 1), "K": ("DUPLICATE_VALUE", 1)}


def test_ids_of_another_object_never_leave_the_warehouse(bench: Bench) -> None:
    contact = bench.world.rest.create("Contact", LastName="x")

    with pytest.raises(PlanRefusedError) as refused:
        bench.write("update", f"SELECT '{contact}' AS Id, 'p' AS Phone", "Id")

    assert [mistake.rows for mistake in refused.value.mistakes] == [1]


def test_children_of_one_parent_that_lock_each_other_go_again_until_all_are_made(bench: Bench) -> None:
    parent = bench.world.rest.create("Account", Name="parent of many", Needed__c="y")
    bench.world.local.admin.change_settings(lock_rate=1)
    children = f"SELECT 'child ' || n AS LastName, '{parent}' AS AccountId FROM range(450) AS t(n)"

    result = bench.write("insert", children, kind="Contact")
    bench.world.local.admin.change_settings(lock_rate=0)

    made = bench.world.rest.query(f"SELECT Id FROM Contact WHERE AccountId = '{parent}'")
    assert (result.rows_sent, result.rows_succeeded, len(made)) == (450, 450, 450)
    assert {row["attempt"] for row in bench.fates(result)} > {1}


def test_inserts_without_a_key_are_retried_where_the_rest_is_found_by_content(bench: Bench) -> None:
    world = bench.world
    world.execute(
        "CREATE TABLE NEW_ACCOUNTS AS SELECT * FROM (VALUES ('same', '1'), ('same', '1'), ('other', 'rule'))"
        " AS t(Name, Phone), (SELECT 'y' AS Needed__c)"
    )
    first = bench.write("insert", "SELECT * FROM NEW_ACCOUNTS")
    world.execute("UPDATE NEW_ACCOUNTS SET Phone = 'mended' WHERE Name = 'other'")
    second, third = (
        bench.run(retry_task(bench.state(), first.run_id), command="retl_retry") for _ in range(2)
    )

    counts = [(r.rows_selected, r.rows_sent, r.rows_created, r.rows_failed) for r in (first, second, third)]
    assert counts == [(3, 3, 2, 1), (1, 1, 1, 0), (0, 0, 0, 0)]
    made = world.rest.query("SELECT Name, Phone FROM Account WHERE Phone IN ('1', 'mended')")
    assert sorted(row["Phone"] for row in made) == ["1", "1", "mended"]
    world.execute("INSERT INTO NEW_ACCOUNTS VALUES ('new', '2', 'y')")
    with pytest.raises(PlanRefusedError, match="1 rows that were not written, but only 0 failed"):
        bench.run(retry_task(bench.state(), first.run_id), command="retl_retry")


SPECIMENS = """
SELECT 'plain' AS Text__c, 912260031 AS Mass__c, 1.005 AS Level__c, TRUE AS Checked__c, DATE '2026-01-02' AS Found__c,
  TIMESTAMP '2026-01-02 03:04:05.678' AS Seen__c, TIME '03:04:05' AS Opens__c, 'Rare;brittle' AS Traits__c,
  'A@B.Example' AS Email__c, 'a' || chr(13) || chr(10) || 'b' AS Area__c
UNION ALL BY NAME SELECT '  blanks, "quotes" ' AS Text__c, 1e15 AS Mass__c, -0.5 AS Level__c, FALSE AS Checked__c
UNION ALL BY NAME SELECT 'emoji 😀' AS Text__c, 'x' || chr(10) || 'y' AS Area__c
UNION ALL BY NAME SELECT '#N/A ' AS Text__c, 0.1 + 0.2 AS Level__c
UNION ALL BY NAME SELECT 'all the same' AS Text__c FROM range(3)
"""


def test_rows_of_every_type_are_found_again_by_their_content(bench: Bench) -> None:
    result = bench.write("insert", SPECIMENS, kind="Specimen__c")

    texts = {
        row["Id"]: row["Text__c"] for row in bench.world.rest.query("SELECT Id, Text__c FROM Specimen__c")
    }
    told = {row["sf_id"]: json.loads(row["source"])["Text__c"].strip() for row in bench.fates(result)}
    assert (result.rows_sent, result.rows_created, result.rows_unknown) == (7, 7, 0)
    assert {key: text or "#N/A" for key, text in texts.items()} == told
