"""Whatever the org accepts it keeps: written, read, written again, nothing moves."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lht.simulator.errors import ApiFault
from lht.simulator.org.ids import make_id, to_long
from lht.simulator.org.objects.specimen import SPECIMEN
from lht.simulator.org.org import Org
from lht.simulator.org.writes.values import stored

if TYPE_CHECKING:
    from collections.abc import Iterator

WRITABLE = [
    f for f in SPECIMEN.fields if f.createable and f.has_column and not f.reference_to and not f.unique
]
TEXTS = ["Text__c", "Area__c", "Long__c", "Phone__c", "Url__c", "Mood__c", "Secret__c", "Anything__c"]
DATES = st.dates(date(1700, 1, 1), date(4000, 12, 31))
MOMENTS = st.datetimes(datetime(1700, 1, 1), datetime(4000, 12, 31, 23, 59, 59))  # noqa: DTZ001 - Hypothesis wants naive bounds
VALUES: dict[str, st.SearchStrategy[object]] = {
    **{name: st.text(max_size=40) for name in TEXTS},
    "Price__c": st.floats(-1e12, 1e12),
    "Ratio__c": st.floats(-999, 999),
    "Mass__c": st.floats(-1e17, 1e17),
    "Count__c": st.integers(-999_999_999, 999_999_999),
    "Serials__c": st.integers(-(10**18) + 1, 10**18 - 1),
    "Checked__c": st.booleans(),
    "Found__c": DATES.map(date.isoformat),
    "Seen__c": MOMENTS.map(lambda moment: moment.isoformat() + "Z"),
    "Opens__c": st.times().map(lambda moment: moment.isoformat() + "Z"),
    "Traits__c": st.lists(st.sampled_from(["Rare", "Brittle", "Heavy", "new one"])).map(";".join),
}


@pytest.fixture(scope="module")
def org() -> Iterator[Org]:
    org = Org.open()
    yield org
    org.close()


@given(number=st.integers(0, 62**9 - 1), prefix=st.sampled_from(["001", "00T", "a00", "00D"]))
def test_an_id_survives_any_letter_case(number: int, prefix: str) -> None:
    made = make_id(prefix, number)

    assert to_long(made.lower()) == to_long(made.upper()) == to_long(made[:15]) == made


@given(
    field=st.sampled_from(WRITABLE),
    value=st.one_of(st.text(), st.integers(), st.floats(), st.booleans(), st.none(), st.lists(st.none())),
)
def test_any_value_is_kept_or_refused_and_never_anything_else(field: Any, value: object) -> None:
    refusal: ApiFault | None = None
    try:
        kept = stored(field, value)
    except ApiFault as fault:
        refusal = fault
    else:
        assert kept is None or isinstance(kept, str | bool | int | float | date | datetime | time)

    assert refusal is None or (refusal.status, refusal.fields) == (400, (field.name,))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.fixed_dictionaries({}, optional=VALUES))
def test_what_is_read_can_be_written_again_and_reads_the_same(org: Org, body: dict[str, object]) -> None:
    first = org.records.read("Specimen__c", org.records.create("Specimen__c", body), fields=list(VALUES))
    back = {name: first[name] for name in VALUES}
    second = org.records.read("Specimen__c", org.records.create("Specimen__c", back), fields=list(VALUES))

    assert {name: second[name] for name in VALUES} == back
