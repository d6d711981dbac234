"""However rows are cut into parts and whoever locks them, one end; and what LHT wrote itself comes back as no change."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from undoing import Writer
from world import open_world

from lht.model.retl import Nulls, Operation, RetlOptions, RetlRequest
from lht.retl.planning import query_task
from lht.testing import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.model.retl import RetlResult

SEEDS = settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
    phases=(Phase.explicit, Phase.generate),  # a smaller seed is no smaller example
)


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    with tempfile.TemporaryDirectory() as folder, simulator(seed=3, token_lifetime_s=1e9) as local:
        world = open_world(local, Path(folder) / "spool")
        yield Writer(world, Path(folder) / "work", sleep=lambda seconds: time.sleep(min(seconds, 0.05)))
        world.close()


def begin(writer: Writer) -> None:
    writer.world.local.admin.reset()
    writer.world.execute("DROP SCHEMA IF EXISTS lht CASCADE", "DROP TABLE IF EXISTS Specimen__c")


def write(writer: Writer, operation: str, object_name: str, query: str, **options: Any) -> RetlResult:
    key = "Id" if operation == "update" else None
    request = RetlRequest(Operation(operation), object_name, query, key, options=RetlOptions(**options))
    return writer.run(query_task(request), f"retl_{operation}")


# --- parts and locks


def lay_children(writer: Writer, chance: random.Random, rows: int) -> list[tuple[str, str]]:
    """Makes a table of contacts of few parents; some break a rule of the org."""
    parents = [writer.create(Name=f"P{number}") for number in range(4)]
    names = [("Bad" if chance.random() < 0.03 else "C") + str(chance.randrange(rows)) for _ in range(rows)]
    children = [(name, chance.choice(parents)) for name in names]
    values = ", ".join(f"('{name}', '{parent}')" for name, parent in children)
    writer.world.execute(
        f"CREATE OR REPLACE TABLE children AS SELECT * FROM (VALUES {values}) AS t(LastName, AccountId)"
    )
    return children


@SEEDS
@given(
    seed=st.integers(0, 2**32), batch_size=st.integers(90, 600), lock_rate=st.sampled_from([0.3, 0.7, 1.0])
)
def test_any_cut_into_parts_and_any_locks_end_with_the_same_org_and_one_fate_for_each_row(
    writer: Writer, seed: int, batch_size: int, lock_rate: float
) -> None:
    begin(writer)
    admin, chance = writer.world.local.admin, random.Random(seed)
    admin.add_validation_rule("Contact", "Good", "LastName LIKE 'Bad%'", "Be good", field="LastName")
    admin.change_settings(lock_rate=lock_rate, lock_seed=seed % 1000, chunk_delay_s=0.01)
    children = lay_children(writer, chance, chance.randrange(300, 600))

    done = write(writer, "insert", "Contact", "SELECT * FROM children", batch_size=batch_size)

    refused = Counter(one for one in children if one[0].startswith("Bad"))
    found = writer.world.rest.query("SELECT Id, LastName, AccountId FROM Contact", include_deleted=False)
    assert Counter((one["LastName"], one["AccountId"]) for one in found) == Counter(children) - refused
    assert (done.rows_sent, done.rows_failed) == (len(children), refused.total())
    fates = writer.world.rows(
        "SELECT row_number, outcome, sf_id, class, source FROM lht.row_results "
        f"WHERE run_id = '{done.run_id}' QUALIFY row_number() OVER (PARTITION BY row_number ORDER BY attempt DESC) = 1"
    )
    assert sorted(row[0] for row in fates) == list(range(1, len(children) + 1))
    assert {row[2] for row in fates if row[1] == "succeeded"} == {one["Id"] for one in found}
    assert {row[3] for row in fates if row[1] == "failed"} <= {"FIELD_CUSTOM_VALIDATION_EXCEPTION"}


# --- there and back again


FIELDS = (
    "Text__c", "Long__c", "Email__c", "Colour__c", "Mood__c", "Traits__c", "Checked__c", "Serials__c", "Ratio__c", "Mass__c",
    "Price__c", "Found__c", "Seen__c", "Opens__c", "Account__c", "Related__c",
)  # fmt: skip
QUERY = f"SELECT Id, {', '.join(FIELDS)} FROM Specimen__c WHERE _lht_deleted_at IS NULL ORDER BY Id"


def fill(writer: Writer, chance: random.Random, rows: int) -> None:
    """Makes specimens, field by field with what people type."""
    drawn: dict[str, Any] = {
        **dict.fromkeys(("Text__c", "Long__c"), lambda: chance.choice(
            ("a\r\nb", "c\rd", "e\nf", '"', "#1", "Größe", "🙂", "x" * 250, "0", "\u00a0 x", "1.50", "NULL", "a;b"))),
        "Email__c": lambda: chance.choice(("Ann@Example.com", "b+c@d.org")),
        "Colour__c": lambda: chance.choice(("Red", 'Ultra, "violet"')),
        "Mood__c": lambda: chance.choice(("Calm", "Odd")),
        "Traits__c": lambda: ";".join(chance.sample(("Rare", "Heavy", "Ölig", "Own"), 2)),
        "Checked__c": lambda: chance.random() < 0.5,
        "Serials__c": lambda: chance.randrange(-(10**18) + 1, 10**18),
        "Ratio__c": lambda: chance.choice((chance.uniform(-999, 999), 1e-7, 0.1 + 0.2, -0.0)),
        "Mass__c": lambda: chance.choice((chance.randrange(10**15), 123456789012345678)),
        "Price__c": lambda: chance.choice((1.005, chance.uniform(0, 1e13))),
        "Found__c": lambda: f"{chance.randrange(1700, 4001)}-02-28",
        "Seen__c": lambda: f"{chance.randrange(1700, 4001)}-02-28T23:59:{chance.randrange(60):02}Z",
        "Opens__c": lambda: f"{chance.randrange(24):02}:59:59.{chance.randrange(1000):03}Z",
    }  # fmt: skip
    accounts = [writer.create(Name=f"A{number}") for number in range(2)]
    related = ""
    for number in range(rows):
        record = {name: draw() for name, draw in drawn.items() if chance.random() < 0.8}
        if number % 3:
            record |= {"Account__c": chance.choice(accounts), "Related__c": related}
        related = writer.world.rest.create("Specimen__c", Name=f"S{number}", **record)


def edit(writer: Writer, chance: random.Random) -> None:
    """Changes values of the synced table: each becomes another record's, or none."""
    ids = [row[0] for row in writer.world.rows("SELECT Id FROM Specimen__c ORDER BY Id")]
    for _ in range(12):
        one, other, name = chance.choice(ids), chance.choice(ids), chance.choice(FIELDS)
        value = f"(SELECT max({name}) FROM Specimen__c WHERE Id = '{other}')"
        if name != "Checked__c" and chance.random() < 0.2:
            value = "NULL"
        writer.world.execute(f"UPDATE Specimen__c SET {name} = {value} WHERE Id = '{one}'")


def in_table(writer: Writer) -> dict[str, tuple[Any, ...]]:
    """The synced rows; line ends are sent as LF, whatever they were."""
    return {row[0]: tuple(map(with_line_feeds, row)) for row in writer.world.rows(QUERY)}


def differing(expected: dict[str, tuple[Any, ...]], found: dict[str, tuple[Any, ...]]) -> list[Any]:
    assert list(expected) == list(found)
    pairs = [
        (name, a, b)
        for one in expected
        for name, a, b in zip(("Id", *FIELDS), expected[one], found[one], strict=True)
    ]
    return [pair for pair in pairs if pair[1] != pair[2]]


def with_line_feeds(value: Any) -> Any:
    return value.replace("\r\n", "\n").replace("\r", "\n") if isinstance(value, str) else value


@settings(SEEDS, max_examples=1)
@given(seed=st.integers(0, 2**32), option=st.sampled_from(["only_changed", "compare_org"]))
def test_what_was_synced_edited_and_written_back_does_not_come_round(
    writer: Writer, seed: int, option: str
) -> None:
    begin(writer)
    chance = random.Random(seed)
    fill(writer, chance, 25)
    writer.world.sync("Specimen__c")
    options: dict[str, Any] = {option: True, "nulls": Nulls.CLEAR}
    untouched = in_table(writer)
    for turn in range(2):
        edit(writer, chance)
        edited = in_table(writer)

        done = write(writer, "update", "Specimen__c", QUERY, **options)
        assert done.is_whole, done.errors
        if turn or option == "compare_org":
            assert done.rows_sent <= sum(edited[one] != untouched[one] for one in edited)
        echoed = writer.world.sync("Specimen__c")
        assert differing(edited, in_table(writer)) == []
        assert echoed.rows_inserted == echoed.rows_deleted == 0

        assert write(writer, "update", "Specimen__c", QUERY, **options).rows_sent == 0
        again = writer.world.sync("Specimen__c")
        assert (again.rows_inserted, again.rows_updated, again.rows_deleted) == (0, 0, 0)
        untouched = edited
