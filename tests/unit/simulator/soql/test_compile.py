from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import ApiFault
from lht.simulator.soql.compile import Parent, compile_query
from lht.simulator.soql.parse import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    import duckdb

    from lht.simulator.org.schemas.schema import ObjectSchema
    from lht.simulator.soql.compile import Compiled


def test_columns_carry_canonical_paths_and_types(compiled: Callable[..., Compiled]) -> None:
    query = compiled("SELECT id, contact.account.OWNER.name, Account.AnnualRevenue FROM CONTACT")

    expected = [("Id",), ("Account", "Owner", "Name"), ("Account", "AnnualRevenue")]
    assert expected == [c.path for c in query.columns]
    assert [c.type for c in query.columns] == ["id", "string", "currency"]
    assert query.object.name == "Contact"


def test_each_selected_parent_brings_its_id(
    compiled: Callable[..., Compiled], org: duckdb.DuckDBPyConnection
) -> None:
    query = compiled("SELECT Name, Owner.Manager.Email FROM Account WHERE Name = 'Acme'")

    assert (
        Parent((), "Account", "p0", None),
        Parent(("Owner",), "User", "p1", None),
        Parent(("Owner", "Manager"), "User", "p2", None),
    ) == query.parent_ids
    found = org.cursor().execute(query.sql, list(query.params)).fetchall()
    assert found == [("Acme", None, "0010000000000AbAAI", "005000000000001AAA", "005000000000002AAA")]


def test_a_polymorphic_parent_says_what_it_is(
    compiled: Callable[..., Compiled], org: duckdb.DuckDBPyConnection
) -> None:
    query = compiled("SELECT Subject, Who.Name FROM Task ORDER BY Subject")

    assert Parent(("Who",), None, "p1", "q1") == query.parent_ids[1]
    found = org.cursor().execute(query.sql, list(query.params)).fetchall()
    assert [row[-1] for row in found] == ["Contact", "Lead", None]


def test_a_polymorphic_parent_without_known_kinds_is_null(
    compiled: Callable[..., Compiled], org: duckdb.DuckDBPyConnection
) -> None:
    class Lonely:
        def object(self, name: str) -> ObjectSchema | None:
            return compiled("SELECT Id FROM Task").object if name.lower() == "task" else None

    settings = {"now": datetime.now(UTC), "include_deleted": False}
    query = compile_query(parse("SELECT Who.Name, Who.IsActive FROM Task"), Lonely(), **settings)

    assert [row[:2] for row in org.cursor().execute(query.sql).fetchall()] == [(None, None)] * 3


def test_bulk_queries_have_no_parent_columns(compiled: Callable[..., Compiled]) -> None:
    query = compiled("SELECT Owner.Name FROM Account ORDER BY Name LIMIT 5", bulk=True)

    assert query.parent_ids == ()
    assert "p0" not in query.sql


def test_an_address_comes_as_a_struct_of_its_parts(rows: Callable[..., list[tuple[object, ...]]]) -> None:
    found = rows("SELECT BillingAddress FROM Account WHERE Name IN ('Acme', 'beta') ORDER BY Name")

    assert found == [({"city": "Rome", "postalCode": None},), (None,)]


def test_a_location_comes_as_latitude_and_longitude(rows: Callable[..., list[tuple[object, ...]]]) -> None:
    found = rows("SELECT Place__c FROM Account WHERE Name = 'Acme'")

    assert found == [({"latitude": 41.9, "longitude": 12.5},)]


def test_a_compound_without_visible_parts_is_null(rows: Callable[..., list[tuple[object, ...]]]) -> None:
    assert rows("SELECT ShippingAddress FROM Account WHERE Name = 'Acme'") == [(None,)]


def test_fields_standard_leaves_custom_and_hidden_fields_out(compiled: Callable[..., Compiled]) -> None:
    names = {c.path[0] for c in compiled("SELECT FIELDS(STANDARD) FROM Account").columns}

    assert {"Name", "BillingAddress"} <= names
    assert not {"Active__c", "Secret__c"} & names


def test_query_all_sees_deleted_rows_but_never_hidden_ones(
    rows: Callable[..., list[tuple[object, ...]]],
) -> None:
    found = rows("SELECT Name FROM Account WHERE SystemModstamp = TODAY ORDER BY Name", include_deleted=True)

    assert found == [("Acme",), ("Gone",)]
    assert rows("SELECT Name FROM Account WHERE IsDeleted = true") == []


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("Name", ["50%_o\\f", "Acme", "beta"]),
        ("Name DESC", ["beta", "Acme", "50%_o\\f"]),
        ("AnnualRevenue", ["beta", "50%_o\\f", "Acme"]),
        ("AnnualRevenue DESC", ["beta", "Acme", "50%_o\\f"]),
        ("AnnualRevenue DESC NULLS LAST", ["Acme", "50%_o\\f", "beta"]),
        ("AnnualRevenue ASC NULLS FIRST, Name", ["beta", "50%_o\\f", "Acme"]),
        ("Parent.Name NULLS LAST", ["Acme", "beta", "50%_o\\f"]),
    ],
)
def test_order_by(order: str, expected: list[str], rows: Callable[..., list[tuple[object, ...]]]) -> None:
    assert expected == [name for (name,) in rows(f"SELECT Name FROM Account ORDER BY {order}")]


def test_count_is_one_number(compiled: Callable[..., Compiled]) -> None:
    query = compiled("SELECT COUNT() FROM Account")

    assert query.count_only
    assert not query.aggregate


def test_grouped_queries_name_their_columns(
    compiled: Callable[..., Compiled], rows: Callable[..., list[tuple[object, ...]]]
) -> None:
    text = "SELECT Owner.IsActive, COUNT(Id), MAX(Name) m FROM Account GROUP BY Owner.IsActive ORDER BY MAX(Name)"

    query = compiled(text)
    assert query.aggregate
    assert [c.path for c in query.columns] == [("IsActive",), ("expr0",), ("m",)]
    assert [c.type for c in query.columns] == ["boolean", "int", "string"]
    assert rows(text) == [(None, 1, "50%_o\\f"), (True, 1, "Acme"), (False, 1, "beta")]


def test_aggregates_over_a_range_answer_minimum_maximum_and_count(
    rows: Callable[..., list[tuple[object, ...]]],
) -> None:
    found = rows(
        "SELECT COUNT(Id) c, MIN(SystemModstamp), MAX(SystemModstamp) FROM Account "
        "WHERE SystemModstamp >= 2024-05-01T00:00:00Z AND SystemModstamp < 2024-06-01T00:00:00Z"
    )

    assert [(2, datetime(2024, 5, 14, 23, 59, 59), datetime(2024, 5, 15))] == found  # noqa: DTZ001 - stored without zone


def test_date_words_follow_the_users_zone(rows: Callable[..., list[tuple[object, ...]]]) -> None:
    tokyo = timezone(timedelta(hours=9))

    found = rows("SELECT Name FROM Account WHERE SystemModstamp = TODAY ORDER BY Name", timezone=tokyo)

    assert found == [("Acme",), ("beta",)]


def test_last_n_days_of_a_datetime_end_now(rows: Callable[..., list[tuple[object, ...]]]) -> None:
    before_acme = datetime(2024, 5, 14, 23, 59, 59, tzinfo=UTC)

    assert rows("SELECT Name FROM Account WHERE SystemModstamp = LAST_N_DAYS:1", now=before_acme) == [
        ("beta",)
    ]


def test_a_text_over_4000_characters_is_refused(compiled: Callable[..., Compiled]) -> None:
    with pytest.raises(ApiFault, match="string literal longer than 4000 characters"):
        compiled(f"SELECT Id FROM Account WHERE Name = '{'x' * 4001}'")


def test_a_great_number_is_compared_not_refused(rows: Callable[..., list[tuple[object, ...]]]) -> None:
    assert rows(f"SELECT Name FROM Account WHERE NumberOfEmployees > 1{'0' * 60}") == []


def test_thousands_of_ids_in_one_set(rows: Callable[..., list[tuple[object, ...]]]) -> None:
    ids = ", ".join(f"'001{n:012}'" for n in range(4000))

    assert rows(f"SELECT Name FROM Account WHERE Id IN ({ids}) ORDER BY Name") == [("50%_o\\f",), ("beta",)]


def test_fields_came_with_version_51(compiled: Callable[..., Compiled]) -> None:
    with pytest.raises(ApiFault) as caught:
        compiled("SELECT FIELDS(STANDARD) FROM Account", version=50.0)

    assert caught.value.code == "MALFORMED_QUERY"
    assert compiled("SELECT FIELDS(STANDARD) FROM Account", version=51.0).columns
