"""What Snowflake is really sent, compared by its shape with what is kept: SQL written anywhere is looked at by people.

A shape is a statement without its names, values, types and numbers of columns. Each that arrives must be one of the
builders' (tests/unit/warehouse/snowflake_sql) or of those in `snowflake_sql/received.sql`, and that file holds no
other. `pytest --snapshot-update` writes it anew.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlglot
from lakes import DuckDBLake
from sqlglot import exp

from lht.app import history
from lht.salesforce import sobject_create
from lht.sync.engine import run_sync
from lht.warehouse.snowflake.connect import open_snowflake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from world import World

    from lht.testing import StandInDatabase
    from lht.warehouse.snowflake.adapter import SnowflakeWarehouse

BUILT = Path(__file__).parents[1] / "unit" / "warehouse" / "snowflake_sql"
RECEIVED = Path(__file__).parent / "snowflake_sql" / "received.sql"
UNPARSED = re.compile(r"REMOVE @\"\w+\"\.\"LHT\"\.\"LHT_STAGE\"/[\w/-]+")
"""The parser keeps REMOVE as it is."""
NUMBERED = re.compile(r"_[0-9A-F]{8}(?=_)|-[0-9a-f]{8}(?=/)")
"""What makes the names of staging tables and folders unique."""
Shape = Any


@pytest.fixture
def scenario_lake() -> DuckDBLake:
    """The tests here open the warehouses that they are about."""
    return DuckDBLake()


@pytest.fixture
def lake(lht_snowflake: StandInDatabase) -> Iterator[SnowflakeWarehouse]:
    with open_snowflake(lht_snowflake.options, name="lake") as opened:
        yield opened


def shape_of(sql: str) -> Shape:
    (tree,) = sqlglot.parse(sql, dialect="snowflake", error_level=sqlglot.ErrorLevel.RAISE)
    assert tree is not None
    assert tree.find(exp.Command) is None, sql
    return outline(tree)


def outline(value: object) -> Shape:
    """A tree as nested tuples; names, values and types are one each, and what a list holds twice counts once."""
    if isinstance(
        value, exp.Identifier | exp.Literal | exp.DataType | exp.Placeholder | exp.Null | exp.Boolean
    ):
        return type(value).__name__
    if isinstance(value, exp.And | exp.Or):
        return (type(value).__name__, *unique(value.flatten()))
    if isinstance(value, exp.Expression):
        return (
            type(value).__name__,
            *((name, outline(part)) for name, part in sorted(value.args.items()) if part),
        )
    if isinstance(value, list):
        return unique(value)
    return "stage" if str(value).startswith("@") else str(value)


def unique(parts: Any) -> tuple[Shape, ...]:
    return tuple(sorted({outline(part) for part in parts}, key=repr))


def kept_statements(file: Path) -> list[str]:
    blocks = re.split(r"^-- .*\n", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return [block.strip().removesuffix(";") for block in blocks if block.strip()]


def live_through_it_all(world: World, lake: SnowflakeWarehouse) -> None:
    """One table's life: created, filled, changed, drifted in each way, emptied of a record, forgotten."""
    admin, rest = world.local.admin, world.rest
    sobject_create.create(lake, world.org, "Account", "ACCOUNT", live_view=True, retention_days=1)
    sobject_create.create(lake, world.org, "Account", "ACCOUNT", retention_days=1)
    first, second = (rest.create("Account", Name=name) for name in ("A", "B"))
    sync(world, lake)
    rest.update("Account", first, Name="changed")
    rest.delete("Account", second)
    sync(world, lake)
    sync(world, lake)
    admin.add_field("Account", "Score__c", "double", precision=18, scale=2)
    rest.update("Account", first, Score__c=1.25)
    sync(world, lake)
    admin.alter_field("Account", "Score__c", scale=4)
    sync(world, lake)
    sync(world, lake, full=True, deletes="remove")
    sync(world, lake, refresh_formulas=True)
    history.runs(lake)
    history.reset(lake, "ACCOUNT")
    sync(world, lake, adopt=True)


def sync(world: World, lake: SnowflakeWarehouse, **options: Any) -> None:
    world.runs += 1
    result = run_sync(
        world.org,
        lake,
        world.requests("Account", table="ACCOUNT", **options),
        run_id=f"run{world.runs:04}",
        spool_dir=world.spool_dir,
        on_event=world.events.append,
    )
    if result.failures:
        raise result.failures[0]
    world.local.admin.advance_clock(3600)


def test_every_statement_that_arrives_has_a_shape_that_is_kept(
    world: World,
    lake: SnowflakeWarehouse,
    lht_snowflake: StandInDatabase,
    request: pytest.FixtureRequest,
) -> None:
    live_through_it_all(world, lake)

    arrived = by_shape(sent(lht_snowflake))
    built = by_shape(sql for file in BUILT.glob("*.sql") for sql in kept_statements(file))
    others = {shape: sql for shape, sql in arrived.items() if shape not in built}
    if request.config.option.update_snapshots:
        RECEIVED.write_text(
            "\n".join(f"-- sent\n{sql};\n" for sql in sorted(others.values())), encoding="utf-8"
        )
    reviewed = by_shape(kept_statements(RECEIVED))
    assert [sql for shape, sql in others.items() if shape not in reviewed] == []
    assert [sql for shape, sql in reviewed.items() if shape not in others] == []


def sent(database: StandInDatabase) -> Iterator[str]:
    """What came, with names that are the same every time."""
    for statement in database.statements():
        sql = re.sub(r"\blht_run\d+", "lht_run", statement["sql"].replace(database.name, "LAKE"))
        if not UNPARSED.fullmatch(sql):
            yield re.sub(r"'file://.*/part-", "'file://part-", NUMBERED.sub("", sql))


def by_shape(statements: Iterable[str]) -> dict[Shape, str]:
    """One of each shape: the first in the alphabet's order."""
    return {shape_of(sql): sql for sql in sorted(statements, reverse=True)}
