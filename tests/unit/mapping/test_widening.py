"""What an existing column must become."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lht.mapping.types import parse_type
from lht.mapping.widening import Change, compare
from lht.model.table import Capabilities, ColumnKind

SNOWFLAKE = Capabilities(
    name="snowflake", state_schema="LHT", folds_upper=True, has_text_length=True,
    has_column_comments=True, has_variant=True, widens_text=True, widens_precision=True,
    has_transactional_ddl=False, is_single_process=False,
    has_table_options=False,
)  # fmt: skip
RIGID = replace(SNOWFLAKE, widens_text=False, widens_precision=False)
LENGTHLESS = replace(SNOWFLAKE, has_text_length=False)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("varchar", "varchar(10)", Change.SAME),
        ("varchar(18)", "varchar(18)", Change.SAME),
        ("varchar(18)", "varchar(10)", Change.SAME),
        ("varchar(18)", "varchar(19)", Change.ALTER),
        ("varchar(18)", "varchar", Change.ALTER),
        ("number(18,2)", "number(38,2)", Change.ALTER),
        ("number(38,2)", "number(18,2)", Change.SAME),
        ("number(38,2)", "number(38,4)", Change.EXCHANGE),
        ("number(38,0)", "number(38,2)", Change.EXCHANGE),
        ("number(38,2)", "number(38,0)", Change.SAME),
        ("number(18,2)", "number(38,0)", Change.INCOMPATIBLE),
        ("number(38,0)", "number(38,0)", Change.SAME),
        ("number(38,2)", "float", Change.EXCHANGE),
        ("number(38,0)", "float", Change.EXCHANGE),
        ("float", "number(38,2)", Change.SAME),
        ("float", "float", Change.SAME),
        ("float", "boolean", Change.INCOMPATIBLE),
        ("date", "timestamp", Change.EXCHANGE),
        ("timestamp", "date", Change.INCOMPATIBLE),
        ("boolean", "varchar", Change.EXCHANGE),
        ("varchar", "number(38,2)", Change.INCOMPATIBLE),
        ("varchar", "variant", Change.EXCHANGE),
        ("boolean", "number(38,0)", Change.INCOMPATIBLE),
        ("time", "time", Change.SAME),
    ],
)
def test_a_column_widens(old: str, new: str, expected: Change) -> None:
    assert expected == compare(parse_type(old), parse_type(new), SNOWFLAKE)


@pytest.mark.parametrize(("old", "new"), [("varchar(18)", "varchar(80)"), ("number(18,2)", "number(38,2)")])
def test_what_alter_cannot_do_is_an_exchange(old: str, new: str) -> None:
    assert compare(parse_type(old), parse_type(new), RIGID) == Change.EXCHANGE


def test_lengths_do_not_count_where_the_warehouse_keeps_none() -> None:
    assert compare(parse_type("varchar(18)"), parse_type("varchar"), LENGTHLESS) == Change.SAME


@given(st.sampled_from(["varchar(9)", "number(18,2)", "number(38,0)", *(k.value for k in ColumnKind if k not in
       {ColumnKind.TEXT, ColumnKind.INTEGER, ColumnKind.DECIMAL})]))  # fmt: skip
def test_a_type_is_the_same_as_itself(text: str) -> None:
    assert compare(parse_type(text), parse_type(text), SNOWFLAKE) == Change.SAME
