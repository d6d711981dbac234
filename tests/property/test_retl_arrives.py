"""Any warehouse value of any type arrives in Salesforce as itself or is refused with its reason; a second run sends nothing.

Whole runs, from a table to what plain REST gives.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from retl_cells import BLANKS, LEFT, REFUSED, SOURCES, TARGETS, TRAITS, Table, Target, draw_table, is_held
from undoing import Writer
from world import open_world

from lht.errors import PlanRefusedError
from lht.model.retl import Nulls, Operation, RetlOptions, RetlRequest
from lht.retl.planning import query_task
from lht.testing import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.model.retl import RetlResult

KEYS = (
    'quo"te',
    "com,ma",
    "Ünï",
    " edge ",
    "semi;colon",
    "back\\slash",
    "it's",
    "per%cent",
    "a/b",
    "#1",
    "ß",
    "🙂",
    "x y",
)
BY_JOB = 2_000
"""From so many rows on a run goes by Bulk jobs."""


def field_of(target: Target) -> str:
    return target.name.replace("Related__r.ExternalId__c", "Related__c")


FIELDS = [field_of(target) for target in TARGETS]


Held = dict[str, dict[str, Any]]


class Specimens:
    """LHT writing drawn tables, and the org as plain REST gives it."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.ids: list[str] = []
        self.parents: dict[str, str] = {}

    def begin(self, *, rounds: bool) -> None:
        self.writer.world.local.admin.reset()
        admin, rest = self.writer.world.local.admin, self.writer.world.rest
        admin.change_settings(round_decimals=rounds)
        admin.add_field("Specimen__c", "Amount__c", "double", precision=18, scale=2)
        admin.add_field(
            "Specimen__c", "Tags__c", "multipicklist", picklist=list(TRAITS), restricted_picklist=True
        )
        self.writer.world.execute("DROP SCHEMA IF EXISTS lht CASCADE")
        self.ids = [rest.create("Account", Name=f"A{number}") for number in range(3)]
        self.parents = {
            key: rest.create("Specimen__c", Name="P", ExternalId__c=key) for key in ("P one", "p'2", "Pé")
        }

    def lay(self, table: Table) -> str:
        """Makes a table of the warehouse of drawn rows, and gives the query of it."""
        columns = {"k": pa.array(table.keys)}
        columns |= {
            f"c{n}": pa.array([c.literal for c in table.cells[t.name]], pa.string())
            for n, t in enumerate(table.targets)
        }
        connection = self.writer.world.lake.connection  # type: ignore[attr-defined]
        connection.register("drawn", pa.table(columns))
        casts = ", ".join(
            f'CAST(c{n} AS {table.types[t.name]}) AS "{t.name}"' for n, t in enumerate(table.targets)
        )
        connection.execute(
            f"CREATE OR REPLACE TABLE specimens AS SELECT k AS ExternalId__c, 'S' AS Name, {casts} FROM drawn"
        )
        connection.unregister("drawn")
        return "SELECT * FROM specimens"

    def write(self, table: Table, operation: str = "upsert", **options: Any) -> RetlResult:
        nulls = Nulls.CLEAR if table.clears else Nulls.IGNORE
        key = "ExternalId__c" if operation == "upsert" else None
        request = RetlRequest(
            Operation(operation),
            "Specimen__c",
            self.lay(table),
            key,
            options=RetlOptions(nulls=nulls, **options),
        )
        return self.writer.run(query_task(request), f"retl_{operation}")

    def held(self) -> Held:
        """The specimens by their keys as Salesforce compares them."""
        soql = f"SELECT Id, ExternalId__c, {', '.join(FIELDS)} FROM Specimen__c WHERE Name = 'S'"
        found = self.writer.world.rest.query(soql, include_deleted=False)
        return {one["ExternalId__c"].lower(): {name: one[name] for name in FIELDS} for one in found}


@pytest.fixture(scope="module")
def specimens() -> Iterator[Specimens]:
    with tempfile.TemporaryDirectory() as folder, simulator(records=0, seed=9, token_lifetime_s=1e9) as local:
        world = open_world(local, Path(folder) / "spool")
        yield Specimens(
            Writer(world, Path(folder) / "work", sleep=lambda seconds: time.sleep(min(seconds, 0.05)))
        )
        world.close()


def refused_counts(table: Table) -> dict[str, int]:
    counted = {target.name: table.expected(target).count(REFUSED) for target in table.targets}
    return {name: rows for name, rows in counted.items() if rows}


def check_refused(specimens: Specimens, table: Table, operation: str) -> None:
    """What no field can hold is told by the plan: each column with its rows."""
    expected = refused_counts(table)
    if not expected:
        return
    with pytest.raises(PlanRefusedError) as caught:
        specimens.write(table, operation)
    told: Counter[str] = Counter()
    for mistake in caught.value.mistakes:
        told[str(mistake.column)] += mistake.rows
        assert mistake.example, mistake
        assert mistake.way_out, mistake
    wrong = {name: told[name] for name in {**told, **expected} if told[name] != expected.get(name, 0)}
    assert wrong == {}, {name: (table.types[name], refused_literals(table, name)) for name in wrong}


def refused_literals(table: Table, name: str) -> list[str | None]:
    (target,) = [target for target in table.targets if target.name == name]
    pairs = zip(table.cells[name], table.expected(target), strict=True)
    return [cell.literal for cell, told in pairs if told == REFUSED]


def check_held(table: Table, before: Held, after: Held, *, rounds: bool) -> None:
    wrong = []
    for target in table.targets:
        name = field_of(target)
        source = table.types[target.name]
        for key, cell, told in zip(table.keys, table.cells[target.name], table.expected(target), strict=True):
            folded = key.strip(BLANKS).lower()
            found = after[folded][name]
            if told == LEFT:
                is_right = (
                    found == before.get(folded, {name: False if target.kind == "boolean" else None})[name]
                )
            else:
                is_right = is_held(target, SOURCES[source][0], told, found, rounds=rounds)
            if not is_right:
                wrong.append((name, source, cell.literal, told, found))
    assert wrong == []


def differing(expected: Held, found: Held) -> list[Any]:
    assert expected.keys() == found.keys()
    pairs = [(name, expected[key][name], found[key][name]) for key in expected for name in FIELDS]
    return [pair for pair in pairs if pair[1] != pair[2]]


def draw_keys(chance: random.Random, rows: int) -> list[str]:
    keys = [*KEYS, *(f"K{number}" for number in range(rows))][:rows]
    chance.shuffle(keys)
    return keys


SEEDS = settings(
    max_examples=2,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    database=None,
    phases=(Phase.explicit, Phase.generate),  # a smaller seed is no smaller example
    report_multiple_bugs=False,
)


@SEEDS
@given(seed=st.integers(0, 2**32), rounds=st.booleans())
def test_by_calls_any_value_arrives_as_itself_and_a_second_run_sends_nothing(
    specimens: Specimens, *, seed: int, rounds: bool
) -> None:
    chance = random.Random(seed)
    specimens.begin(rounds=rounds)
    before: Held = {}
    for option in ("only_changed", "compare_org"):
        table = draw_table(chance, draw_keys(chance, 150), specimens.ids, specimens.parents)
        check_refused(specimens, table, "upsert")
        table = table.without_refused()

        done = specimens.write(table, **{option: True})
        after = specimens.held()
        assert (done.rows_sent + done.rows_unchanged, done.rows_failed) == (len(table.keys), 0), done.errors
        check_held(table, before, after, rounds=rounds)

        assert specimens.write(table, **{option: True}).rows_sent == 0
        before = after


@settings(SEEDS, max_examples=1)
@given(seed=st.integers(0, 2**32), rounds=st.booleans())
def test_by_jobs_any_value_arrives_as_itself_and_an_undo_brings_every_field_back(
    specimens: Specimens, *, seed: int, rounds: bool
) -> None:
    chance = random.Random(seed)
    specimens.begin(rounds=rounds)
    stages: list[Held] = [{}]
    for first in (0, BY_JOB // 2):
        keys = [*KEYS, *(f"K{number}" for number in range(first, first + BY_JOB - len(KEYS)))]
        table = draw_table(chance, keys, specimens.ids, specimens.parents).without_refused()
        done = specimens.write(table, batch_size=chance.randrange(700, 3000), compare_org=True)
        assert (done.rows_failed, done.rows_unknown) == (0, 0), done.errors
        assert done.jobs
        stages.append(specimens.held())
        check_held(table, stages[-2], stages[-1], rounds=rounds)

    assert specimens.write(table, only_changed=True).rows_sent <= done.rows_unchanged
    assert specimens.write(table, compare_org=True).rows_sent == 0

    undone = specimens.writer.undo(done.run_id)
    assert undone.is_whole, undone.errors
    wrong = differing(stages[-2], specimens.held())
    assert wrong == [], (len(wrong), wrong[:5])
