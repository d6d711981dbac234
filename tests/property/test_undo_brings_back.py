"""Whatever a few runs wrote: undone from the last to the first, every record is as it was before them."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from undoing import Writer
from world import open_world

from lht.testing import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.model.retl import RetlResult

KEY = "ExternalId__c"
NAMES = st.text("Aäß 'x\"\n,#N/A\\", min_size=1, max_size=8).filter(str.strip)
TEXTS = st.none() | NAMES.filter(lambda text: text != "#N/A")
ROWS = st.lists(
    st.tuples(
        st.integers(0, 5), NAMES.filter(lambda text: text != "#N/A"), TEXTS, st.none() | st.integers(0, 9)
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda row: row[0],
)
RUNS = st.lists(
    st.tuples(st.sampled_from(["upsert", "update", "delete", "insert"]), st.booleans(), ROWS),
    min_size=1,
    max_size=2,
)


@pytest.fixture(scope="module")
def writer() -> Iterator[Writer]:
    with (
        simulator(records=0, seed=5, token_lifetime_s=1e9) as local,
        tempfile.TemporaryDirectory() as folder,
    ):
        world = open_world(local, Path(folder) / "spool")
        yield Writer(world, Path(folder) / "work")
        world.close()


def write(writer: Writer, operation: str, rows: list[tuple[Any, ...]], *, clears: bool) -> RetlResult | None:
    """Writes to some of the accounts that there are, or makes new ones; None where there is none to write to."""
    fields, nulls = ("Name", "Description", "NumberOfEmployees"), "clear" if clears else "ignore"
    if operation == "insert":
        return writer.write("insert", fields, [row[1:] for row in rows], nulls=nulls)
    if operation == "upsert":
        return writer.write(
            "upsert", (KEY, *fields), [(f"K{row[0]}", *row[1:]) for row in rows], KEY, nulls=nulls
        )
    live = sorted(writer.accounts())
    chosen = {live[row[0] % len(live)]: row[1:] for row in rows if live}
    if not chosen:
        return None
    if operation == "delete":
        return writer.write("delete", ("Id",), [(one,) for one in chosen], "Id")
    updates = [(one, *values) for one, values in chosen.items()]
    return writer.write("update", ("Id", *fields), updates, "Id", nulls=nulls)


@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a run takes long, so nothing is shrunk
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(runs=RUNS)
@example(
    runs=[
        ("upsert", True, [(0, "A", None, 7), (4, "Ä'", "two\nlines", None)]),
        ("delete", False, [(1, "-", None, None)]),
    ]
)
def test_undone_from_the_last_run_to_the_first_every_record_is_as_it_was(writer: Writer, runs: Any) -> None:
    writer.world.local.admin.reset()
    for number in range(3):
        writer.create(
            Name=f"N{number}", ExternalId__c=f"K{number}", Description="old", NumberOfEmployees=number
        )
    stages = []
    for operation, clears, rows in runs:
        before = writer.accounts()
        done = write(writer, operation, rows, clears=clears)
        if done is not None:
            assert done.is_whole, done.errors
            stages.append((done.run_id, before))

    for run_id, before in reversed(stages):
        undone = writer.undo(run_id)
        assert undone.is_whole, undone.errors
        assert writer.accounts() == before
