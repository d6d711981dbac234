"""Salesforce types to column types, and the spelling that users write."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lht.errors import ConfigError
from lht.mapping import registry
from lht.mapping.types import (
    ALLOWED,
    FLOAT,
    ID_TEXT,
    INTEGER,
    TEXT,
    column_type,
    default_type,
    find_override,
    is_known,
    merge_overrides,
    parse_overrides,
    parse_type,
    why_unreadable,
)
from lht.model.salesforce import Field
from lht.model.table import ColumnKind, ColumnType
from lht.util import field_types

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _empty_registry() -> Iterator[None]:
    registry.clear()
    yield
    registry.clear()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("string(255)", ColumnType(ColumnKind.TEXT, length=255)),
        ("VarChar( 18 )", ColumnType(ColumnKind.TEXT, length=18)),
        ("varchar", TEXT),
        (" String ", TEXT),
        ("NUMBER(18,2)", ColumnType(ColumnKind.DECIMAL, precision=18, scale=2)),
        ("number(38, 0)", INTEGER),
        ("number(10,0)", ColumnType(ColumnKind.DECIMAL, precision=10, scale=0)),
        ("Float", FLOAT),
        ("boolean", ColumnType(ColumnKind.BOOLEAN)),
        ("date", ColumnType(ColumnKind.DATE)),
        ("TIMESTAMP", ColumnType(ColumnKind.TIMESTAMP)),
        ("time", ColumnType(ColumnKind.TIME)),
        ("variant", ColumnType(ColumnKind.VARIANT)),
    ],
)
def test_types_are_read_in_any_letter_case(text: str, expected: ColumnType) -> None:
    assert expected == parse_type(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "text", "number", "number(18)", "number(39,0)", "number(0,0)", "number(5,6)", "string(0)", "string(4,2)",
        "string(999999999)", "float(8)", "date()", "number(-1,2)", "int", "timestamp_ntz", "string(255", "varchar(x)",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_the_list_of_what_is_allowed(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_type(text)

    assert repr(text) in caught.value.message
    assert ALLOWED in caught.value.hint


_types = st.one_of(
    st.sampled_from(
        [TEXT, INTEGER, FLOAT, *map(ColumnType, (ColumnKind.BOOLEAN, ColumnKind.DATE, ColumnKind.TIME))]
    ),
    st.integers(1, 10_000).map(lambda length: ColumnType(ColumnKind.TEXT, length=length)),
    st.tuples(st.integers(1, 38), st.integers(0, 38))
    .filter(lambda pair: pair[1] <= pair[0] and pair != (38, 0))
    .map(lambda pair: ColumnType(ColumnKind.DECIMAL, precision=pair[0], scale=pair[1])),
)


@given(_types)
def test_a_printed_type_is_read_back(column_type: ColumnType) -> None:
    assert column_type == parse_type(str(column_type))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (Field("Id", "id", length=18), ID_TEXT),
        (Field("OwnerId", "reference", length=18), ID_TEXT),
        (Field("Name", "string", length=255), TEXT),
        (Field("Many__c", "multipicklist", length=4099, precision=4), TEXT),
        (Field("Any__c", "anyType"), TEXT),
        (Field("Json__c", "json"), TEXT),
        (Field("Group__c", "DataCategoryGroupReference"), TEXT),
        (Field("IsDeleted", "boolean"), ColumnType(ColumnKind.BOOLEAN)),
        (Field("NumberOfEmployees", "int", digits=8), INTEGER),
        (Field("Big__c", "long"), INTEGER),
        (
            Field("AnnualRevenue", "currency", precision=18, scale=2),
            ColumnType(ColumnKind.DECIMAL, None, 38, 2),
        ),
        (Field("Probability", "percent", precision=3), ColumnType(ColumnKind.DECIMAL, None, 38, 0)),
        (Field("Latitude", "double", precision=18, scale=15), ColumnType(ColumnKind.DECIMAL, None, 38, 15)),
        (Field("Formula__c", "double", scale=2, calculated=True), FLOAT),
        (Field("Count__c", "int", calculated=True), FLOAT),
        (Field("CloseDate", "date"), ColumnType(ColumnKind.DATE)),
        (Field("SystemModstamp", "datetime"), ColumnType(ColumnKind.TIMESTAMP)),
        (Field("At__c", "time"), ColumnType(ColumnKind.TIME)),
        (Field("New__c", "hologram"), TEXT),
    ],
)
def test_each_field_type_has_a_column_type(field: Field, expected: ColumnType) -> None:
    assert expected == default_type(field)


def test_only_a_type_of_the_future_is_unknown() -> None:
    assert not is_known(Field("New__c", "hologram"))
    assert is_known(Field("Name", "STRING"))
    assert is_known(Field("Place__c", "location"))


@pytest.mark.parametrize("word", ["address", "location", "base64", "byte", "JunctionIdList"])
def test_what_results_cannot_carry_has_a_reason(word: str) -> None:
    assert why_unreadable(Field("F", word))


def test_readable_fields_have_no_reason() -> None:
    assert why_unreadable(Field("Name", "string")) is None


def test_an_override_for_the_object_counts_more_than_one_for_the_field() -> None:
    overrides = {"Amount__c": FLOAT, "ACCOUNT.amount__C": TEXT}
    field = Field("Amount__c", "currency", scale=2)

    assert column_type(field, "Account", overrides) == TEXT
    assert column_type(field, "Contact", overrides) == FLOAT
    assert column_type(field, "Contact", {}) == ColumnType(ColumnKind.DECIMAL, None, 38, 2)
    assert find_override("Other__c", "Account", overrides) is None


def test_later_layers_of_overrides_lie_on_top() -> None:
    assert merge_overrides({"A__c": TEXT, "b__c": TEXT}, {"a__C": FLOAT}) == {"a__c": FLOAT, "b__c": TEXT}


def test_the_guides_custom_mappings_are_registered() -> None:
    field_types.register_custom_mappings(
        {"MyCustomField__c": "string(255)", "AnotherField__c": "number(18,2)"}
    )
    field_types.register_custom_mappings({"Account.AnotherField__c": "FLOAT"})

    assert registry.registered_mappings() == {
        "mycustomfield__c": ColumnType(ColumnKind.TEXT, length=255),
        "anotherfield__c": ColumnType(ColumnKind.DECIMAL, precision=18, scale=2),
        "account.anotherfield__c": FLOAT,
    }


def test_cleared_mappings_are_forgotten() -> None:
    field_types.register_custom_mappings({"A__c": "float"})
    field_types.clear_custom_mappings()

    assert registry.registered_mappings() == {}


@pytest.mark.parametrize(
    "mapping",
    [{"A__c": "float", "B__c": "money"}, {"A__c": "float", "not a field": "float"}, {"A__c": "float", 7: "float"},
     {"A__c": "float", "B__c": 7}],
)  # fmt: skip
def test_one_wrong_mapping_registers_none(mapping: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        field_types.register_custom_mappings(mapping)

    assert registry.registered_mappings() == {}


def test_a_wrong_type_names_its_field() -> None:
    with pytest.raises(ConfigError, match="B__c: 'money' is not a column type"):
        parse_overrides({"B__c": "money"})


def test_a_copy_of_the_registry_is_given() -> None:
    registry.registered_mappings()["a__c"] = FLOAT

    assert registry.registered_mappings() == {}
