"""Any value of any field type: written to the org, read by REST and by Bulk, it stands in the table unchanged.

What to expect is read from the org by plain HTTP and converted here, by rules that share nothing with LHT's.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lakes import SnowflakeLake
from world import World, open_world

from lht.app.bulk import bulk_results
from lht.app.loading import Loader
from lht.sfdc import bulk
from lht.testing import simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lht.testing import StandIn

EXACT = Context(prec=60)
TEXT = st.text(max_size=60) | st.sampled_from(
    ["", " ", "nan", "NULL", "#N/A", '"', '","', "a\r\nb", "\0", "=1+1", "00123"]
)
SCALES = {"Ratio__c": 15, "Mass__c": 0, "Level__c": 2, "Price__c": 2, "Share__c": 2}
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "Text__c": TEXT,
    "Area__c": TEXT,
    "Long__c": TEXT,
    "Rich__c": TEXT,
    "Phone__c": st.text("0123456789+-() ", max_size=20),
    "Email__c": st.sampled_from(["Ann@Example.com", "b.c+d@example.org"]),
    "Url__c": TEXT,
    "Mood__c": TEXT,
    "Traits__c": st.lists(st.sampled_from(["Rare", "Brittle", "Heavy"]), unique=True).map(";".join),
    "Checked__c": st.booleans(),
    "Count__c": st.integers(-999_999_999, 999_999_999),
    "Serials__c": st.integers(-(10**15), 10**15),
    "Ratio__c": st.floats(-999, 999),
    "Mass__c": st.floats(-1e17, 1e17),
    "Level__c": st.floats(-99_999_999, 99_999_999),
    "Price__c": st.floats(-1e13, 1e13),
    "Share__c": st.floats(-999, 999),
    "Found__c": st.dates(date(1700, 1, 1), date(4000, 12, 31)).map(date.isoformat),
    "Seen__c": st.datetimes(datetime(1700, 1, 1), datetime(4000, 12, 31)).map(lambda t: t.strftime("%Y-%m-%dT%H:%M:%SZ") if t.year >= 1000 else None),  # noqa: DTZ001 - Hypothesis wants naive bounds
    "Opens__c": st.times().map(lambda t: t.strftime("%H:%M:%S.") + f"{t.microsecond // 1000:03}Z"),
}  # fmt: skip
NEVER_NULL = {"Checked__c"}
RECORDS = st.lists(
    st.fixed_dictionaries(
        {}, optional={k: v if k in NEVER_NULL else st.none() | v for k, v in VALUES.items()}
    ),
    min_size=1,
    max_size=5,
)


def as_text(value: Any) -> Any:
    return value.replace("\0", "") or None


def as_decimal(scale: int) -> Callable[[Any], Decimal]:
    return lambda value: Decimal(repr(value)).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP, EXACT)


def as_moment(value: str) -> datetime:
    return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.000+0000").replace(tzinfo=UTC).replace(tzinfo=None)


READ: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(VALUES, as_text),
    **{name: as_decimal(scale) for name, scale in SCALES.items()},
    "Checked__c": bool,
    "Count__c": int,
    "Serials__c": int,
    "Found__c": date.fromisoformat,
    "Seen__c": as_moment,
    "Opens__c": lambda value: time.fromisoformat(value.removesuffix("Z")),
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as spool, simulator(token_lifetime_s=1e9) as local:
        opened = open_world(local, Path(spool))
        yield opened
        opened.close()


@given(records=RECORDS)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_values_survive_the_way_from_org_to_table(world: World, records: list[dict[str, Any]]) -> None:
    world.execute("DROP TABLE IF EXISTS Specimen__c")
    world.local.admin.reset()
    for number, record in enumerate(records):
        world.rest.create("Specimen__c", Name=f"S{number}", **record)
    names = ", ".join(VALUES)
    expected = {
        told["Id"]: tuple(None if told[n] is None else READ[n](told[n]) for n in VALUES)
        for told in world.rest.query(f"SELECT Id, {names} FROM Specimen__c")
    }

    world.sync("Specimen__c", full=True)
    load_by_bulk(world, f"SELECT Id, {names} FROM Specimen__c")

    for table in ("Specimen__c", "by_bulk"):
        assert {row[0]: row[1:] for row in world.rows(f"SELECT Id, {names} FROM {table}")} == expected


@pytest.fixture(scope="module")
def snowflake_world(lht_stand_in: StandIn) -> Iterator[World]:
    with tempfile.TemporaryDirectory() as spool, simulator(token_lifetime_s=1e9) as local:
        opened = open_world(local, Path(spool), SnowflakeLake(lht_stand_in.database(), Path(spool) / "parts"))
        yield opened
        opened.close()


@given(records=RECORDS)
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_values_survive_the_way_from_org_to_snowflake(
    snowflake_world: World, records: list[dict[str, Any]]
) -> None:
    test_values_survive_the_way_from_org_to_table.hypothesis.inner_test(snowflake_world, records)


def load_by_bulk(world: World, soql: str) -> None:
    warehouse = world.lake.warehouse()
    job = bulk.create_query_job(world.org, soql)
    loader = Loader(warehouse, warehouse.table_name("by_bulk"), "run1")
    bulk_results(world.org, loader, job.id, "Specimen__c", wait=True, spool_dir=world.spool_dir, overrides={})
