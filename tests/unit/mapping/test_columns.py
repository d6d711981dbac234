"""Which fields are read, and how they are named, typed and commented."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from lht.errors import ConfigError, NameCollisionError, UnknownFieldError
from lht.mapping.columns import columns_for, unknown_type_warnings
from lht.mapping.names import column_name, nearest
from lht.mapping.types import FLOAT, ID_TEXT, TEXT
from lht.model.salesforce import Field, SObject
from lht.model.table import Capabilities, Column, ColumnKind, ColumnType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DUCKDB = Capabilities(
    name="duckdb", state_schema="lht", folds_upper=False, has_text_length=False,
    has_column_comments=True, has_variant=False, widens_text=False, widens_precision=False,
    has_transactional_ddl=True, is_single_process=True,
    has_table_options=False,
)  # fmt: skip
SNOWFLAKE = replace(DUCKDB, name="snowflake", folds_upper=True, has_text_length=True, widens_text=True)

ACCOUNT = SObject(
    "Account",
    "Account",
    (
        Field("Id", "id", label="Account ID"),
        Field("IsDeleted", "boolean", label="Deleted"),
        Field("Name", "string", label="Account Name", help_text="As in the register"),
        Field("BillingAddress", "address", label="Billing Address"),
        Field("OwnerId", "reference", label="Owner ID", relationship_name="Owner", reference_to=("User",)),
        Field("Margin__c", "double", label="Margin", scale=2, calculated=True),
        Field("CreatedDate", "datetime"),
        Field("SystemModstamp", "datetime", label="System Modstamp"),
    ),
)


def names(columns: Iterable[Column]) -> list[str]:
    return [column.name for column in columns]


def read(
    sobject: SObject = ACCOUNT,
    *,
    overrides: Mapping[str, ColumnType] | None = None,
    capabilities: Capabilities = DUCKDB,
    **options: Any,
) -> tuple[tuple[Column, ...], dict[str, str]]:
    return columns_for(sobject, overrides=overrides or {}, capabilities=capabilities, **options)


def test_every_readable_field_becomes_a_column_in_describes_order() -> None:
    columns, excluded = read()

    assert names(columns) == [
        "Id",
        "IsDeleted",
        "Name",
        "OwnerId",
        "Margin__c",
        "CreatedDate",
        "SystemModstamp",
    ]
    assert excluded == {"BillingAddress": "a compound field: its parts are read instead"}
    assert columns[0] == Column("Id", ID_TEXT, field="Id", comment="Account ID")
    assert columns[4] == Column("Margin__c", FLOAT, field="Margin__c", comment="Margin", calculated=True)


def test_the_comment_is_label_and_help_text() -> None:
    columns, _ = read()

    assert columns[2].comment == "Account Name: As in the register"
    assert columns[5].comment == ""


def test_snowflake_names_are_upper_case_and_fields_keep_theirs() -> None:
    columns, _ = read(capabilities=SNOWFLAKE)

    assert columns[4].name == "MARGIN__C"
    assert columns[4].field == "Margin__c"


def test_chosen_fields_bring_id_cursor_and_is_deleted() -> None:
    columns, excluded = read(fields=("name",))

    assert names(columns) == ["Id", "IsDeleted", "Name", "SystemModstamp"]
    assert excluded["OwnerId"] == "not among --fields"


def test_excluded_fields_are_left_out_but_never_id_cursor_or_key() -> None:
    columns, excluded = read(
        exclude=("Name", "Id", "SystemModstamp", "isdeleted", "OwnerId", "Owner.Name"), always=("ownerid",)
    )

    assert names(columns) == ["Id", "IsDeleted", "OwnerId", "Margin__c", "CreatedDate", "SystemModstamp"]
    assert excluded["Name"] == "excluded by --exclude"


def test_an_object_without_system_fields_reads_what_it_has() -> None:
    history = SObject(
        "LoginHistory", "", (Field("Id", "id"), Field("LoginTime", "datetime"), Field("Status", "string"))
    )

    columns, _ = read(history, fields=("Status",), always=("LoginTime",))

    assert names(columns) == ["Id", "LoginTime", "Status"]


def test_an_object_without_any_cursor_reads_what_it_has() -> None:
    columns, _ = read(SObject("Odd", "", (Field("DurableId", "string"), Field("B", "string"))), fields=("B",))

    assert names(columns) == ["B"]


@pytest.mark.parametrize("option", ["fields", "exclude", "always"])
def test_a_misspelt_field_is_refused_with_the_nearest_name(option: str) -> None:
    with pytest.raises(UnknownFieldError) as caught:
        read(**{option: ("Nmae",)})

    assert caught.value.hint == "Did you mean Name?"
    assert caught.value.context == {"object": "Account", "field": "Nmae"}


def test_a_hint_is_empty_where_nothing_is_near() -> None:
    assert nearest("xyz", ["Name"]) == ""


def test_a_compound_field_asked_for_by_name_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"Account\.BillingAddress cannot be read: it is a compound field"):
        read(fields=("BillingAddress",))


def test_a_dotted_path_becomes_a_text_column_at_the_end() -> None:
    columns, _ = read(fields=("owner.Name", "Owner.name", "Name"))

    assert names(columns) == ["Id", "IsDeleted", "Name", "SystemModstamp", "Owner_Name"] or names(columns)[
        -1
    ] == ("Owner_name")
    assert columns[-1].type == TEXT
    assert columns[-1].field.startswith("Owner.")
    assert sum(1 for column in columns if column.field.lower() == "owner.name") == 1


def test_a_dotted_path_takes_the_type_and_comment_of_its_end() -> None:
    end = Field("NumberOfLogins__c", "int", label="Logins")

    columns, _ = read(fields=("owner.NumberOfLogins__c",), related={"Owner.NumberOfLogins__c": end})

    assert columns[-1] == Column(
        "Owner_NumberOfLogins__c",
        ColumnType(ColumnKind.INTEGER),
        field="Owner.NumberOfLogins__c",
        comment="Logins",
    )


def test_a_dotted_path_may_be_overridden_and_excluded() -> None:
    columns, _ = read(
        fields=("Owner.Age__c", "Owner.Name"),
        exclude=("owner.name",),
        overrides={"Account.Owner.Age__c": FLOAT},
    )

    assert columns[-1] == Column("Owner_Age__c", FLOAT, field="Owner.Age__c")


@pytest.mark.parametrize("path", ["Onwer.Name", "Owner."])
def test_an_unknown_relationship_is_refused(path: str) -> None:
    with pytest.raises(UnknownFieldError, match="has no relationship"):
        read(fields=(path,))


def test_two_fields_for_one_column_collide() -> None:
    sobject = replace_fields(Field("Owner_Name", "string"))

    with pytest.raises(
        NameCollisionError, match=r"Account\.Owner_Name and Account\.Owner\.Name would both become"
    ):
        read(sobject, fields=("Owner_Name", "Owner.Name"))


def test_letter_case_does_not_tell_columns_apart() -> None:
    with pytest.raises(NameCollisionError):
        read(replace_fields(Field("NAME", "string")))


def test_reserved_names_are_refused() -> None:
    with pytest.raises(NameCollisionError, match="are LHT's own"):
        read(replace_fields(Field("_LHT_x", "string")))


def test_a_type_of_the_future_is_read_as_text_with_a_warning() -> None:
    sobject = replace_fields(Field("New__c", "hologram"))

    columns, _ = read(sobject, fields=("New__c", "Owner.Name"))

    assert unknown_type_warnings(sobject, [*columns, Column("_lht_run_id", TEXT)]) == (
        "Account.New__c has the type 'hologram', which LHT does not know; it is read as text.",
    )


def test_dots_become_underscores() -> None:
    assert column_name("Account.Owner.Name", DUCKDB) == "Account_Owner_Name"


def replace_fields(*more: Field) -> SObject:
    return SObject("Account", "Account", (*ACCOUNT.fields, *more))
