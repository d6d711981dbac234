from __future__ import annotations

import pytest
from situations import CAPABILITIES, plan_for

from lht.errors import SchemaDriftError
from lht.mapping.types import parse_type
from lht.model.sync import ColumnChange, Drift
from lht.model.table import Capabilities, Column
from lht.sync.drift import find_drift, refuse_incompatible


def column(name: str, kind: str, field: str | None = None) -> Column:
    return Column(name, parse_type(kind), field)


def drift(
    wanted: list[Column],
    existing: list[Column],
    *,
    before: tuple[str, ...] = (),
    known: tuple[str, ...] = (),
    capabilities: Capabilities = CAPABILITIES,
) -> Drift:
    return find_drift(wanted, existing, read_before=before, known_fields=known, capabilities=capabilities)


def test_equal_shapes_have_no_drift_whatever_the_letter_case() -> None:
    assert drift([column("Name", "varchar")], [column("NAME", "varchar")], before=("name",)) == Drift(
        vanished=("name",)
    )
    assert drift([column("Name", "varchar")], [column("NAME", "varchar")]) == Drift()


def test_columns_that_the_table_lacks_are_added_and_those_of_the_table_alone_are_left() -> None:
    new = column("New__c", "varchar", "New__c")

    assert drift([new], [column("own", "date")]) == Drift(added=(new,))


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("number(10,2)", "number(18,2)", "widened"),
        ("number(18,2)", "number(18,4)", "exchanged"),
        ("boolean", "timestamp", "incompatible"),
        ("number(18,2)", "number(10,2)", None),
    ],
)
def test_a_changed_type_is_told_with_both_types(old: str, new: str, kind: str | None) -> None:
    change = ColumnChange("A__C", "A__c", parse_type(old), parse_type(new))
    expected = Drift(**{kind: (change,)}) if kind else Drift()

    assert drift([column("A__c", new, "A__c")], [column("A__C", old)]) == expected


def test_a_change_of_a_column_without_a_field_is_told_by_the_column() -> None:
    found = drift([column("a", "varchar")], [column("a", "date")])

    assert [change.field for change in found.exchanged] == ["a"]


def test_fields_that_were_read_and_are_told_no_more_have_vanished_but_paths_have_not() -> None:
    found = drift([], [], before=("Gone__c", "Owner.Name", "Name"), known=("name",))

    assert found.vanished == ("Gone__c",)


def test_a_column_whose_field_the_last_run_did_not_read_is_back() -> None:
    back, usual = column("Back__c", "varchar", "Back__c"), column("Name", "varchar", "Name")

    assert drift([back, usual], [back, usual], before=("Name",), known=("Name",)).reappeared == (back,)
    assert drift([back, usual], [back, usual]).reappeared == ()


def test_only_incompatible_drift_is_refused_with_the_types_and_the_ways_out() -> None:
    change = ColumnChange("A__c", "A__c", parse_type("boolean"), parse_type("date"))
    refuse_incompatible(plan_for(drift=Drift()))

    with pytest.raises(
        SchemaDriftError, match=r'column "A__c" is boolean, field Account\.A__c is date'
    ) as refusal:
        refuse_incompatible(plan_for(drift=Drift(incompatible=(change,))))
    assert '"Account.A__c" = "boolean"' in refusal.value.hint
    assert "--exclude A__c" in refusal.value.hint
