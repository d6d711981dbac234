"""Pages of a query over REST: how many records one holds, where the next one is, and how long it can be had."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACCOUNTS = 420


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """An org with enough accounts for several pages, and with fields that make its records large."""
    file: Path = tmp_path_factory.mktemp("schema") / "schema.toml"
    field = '[[objects.Account.fields]]\nname = "{}"\ntype = "{}"\n{}\n'
    long = [field.format(f"Long{n}__c", "textarea", "length = 32768") for n in range(2)]
    short = [field.format(f"Short{n}__c", "textarea", "length = 255") for n in range(2)]
    wide = [field.format(f"W{n}__c", "double", "") for n in range(500)]
    file.write_text("".join([*long, *short, *wide]), encoding="utf-8")
    with simulator(records=ACCOUNTS, seed=3, schema=file) as org:
        yield Caller(org).login()


def _sizes(caller: Caller, soql: str, resource: str = "/query", **headers: str) -> list[int]:
    """The sizes of all pages, following nothing but nextRecordsUrl."""
    page = caller.get(resource, q=soql, headers=headers).json()
    sizes, ids = [len(page["records"])], [r["Id"] for r in page["records"]]
    while not page["done"]:
        assert page["nextRecordsUrl"].startswith("/services/data/v66.0/query/01g")
        page = caller.get(page["nextRecordsUrl"]).json()
        sizes.append(len(page["records"]))
        ids += [r["Id"] for r in page["records"]]
    assert "nextRecordsUrl" not in page
    assert page["totalSize"] == sum(sizes) == len(set(ids))
    return sizes


def _live(caller: Caller) -> int:
    return int(caller.get("/query", q="SELECT COUNT() FROM Account").json()["totalSize"])


@pytest.mark.parametrize(
    ("asked", "size"),
    [("batchSize=250", 250), ("batchsize = 200", 200), ("batchSize=1", 200), ("batchSize=2000", 2000), ("batchSize=9999", 2000), ("x", 2000)],
)  # fmt: skip
def test_a_caller_may_ask_for_200_to_2000_records_a_page(many: Caller, asked: str, size: int) -> None:
    total = _live(many)

    sizes = _sizes(many, "SELECT Id FROM Account", **{"Sforce-Query-Options": asked})
    assert sizes == [size] * (total // size) + ([total % size] if total % size else [])


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ("Long0__c", ACCOUNTS),
        ("Long0__c, Description", ACCOUNTS),
        ("Short0__c, Short1__c", ACCOUNTS),
        ("Long0__c, Long1__c", 200),
    ],
)
def test_two_long_texts_of_ones_own_shrink_the_pages(many: Caller, fields: str, first: int) -> None:
    sizes = _sizes(many, f"SELECT Id, {fields} FROM Account", "/queryAll")

    assert sizes[0] == first


@pytest.mark.parametrize(("columns", "first"), [(100, 420), (475, 420), (500, 400)])
def test_wide_records_shrink_the_pages(many: Caller, columns: int, first: int) -> None:
    names = ", ".join(f"W{n}__c" for n in range(columns - 1))

    assert _sizes(many, f"SELECT Id, {names} FROM Account", "/queryAll")[0] == first


def test_a_page_may_be_smaller_than_asked_but_never_larger(many: Caller) -> None:
    asked = {"Sforce-Query-Options": "batchSize=250"}

    assert _sizes(many, "SELECT Id, Long0__c, Long1__c FROM Account", **asked)[0] == 200
    assert _sizes(many, "SELECT Id, Long0__c FROM Account", **asked)[0] == 250


def test_a_cursor_lives_two_days_by_the_orgs_clock(many: Caller) -> None:
    many.org.admin.freeze_clock()
    page = many.get(
        "/query", q="SELECT Id FROM Account", headers={"Sforce-Query-Options": "batchSize=200"}
    ).json()
    many.org.admin.advance_clock(2 * 24 * 3600)
    many.login()
    in_time = many.get(page["nextRecordsUrl"]).status
    many.org.admin.advance_clock(1)
    late = many.get(page["nextRecordsUrl"]).error

    assert in_time == 200
    assert late == (400, "INVALID_QUERY_LOCATOR", "invalid query locator")


def test_groups_have_one_page_only(many: Caller) -> None:
    asked = {"Sforce-Query-Options": "batchSize=200"}

    refused = many.get("/query", q="SELECT Id, COUNT(Name) FROM Account GROUP BY Id", headers=asked).error
    limited = many.get(
        "/query", q="SELECT Id, COUNT(Name) FROM Account GROUP BY Id LIMIT 200", headers=asked
    ).json()
    assert refused[:2] == (400, "EXCEEDED_ID_LIMIT")
    assert (limited["totalSize"], limited["done"]) == (200, True)


def test_records_have_the_selected_fields_in_their_order_and_spelling(api: Caller) -> None:
    api.create("Account", Name="A", YearStarted="1999", NumberOfEmployees=10, AnnualRevenue=150)
    api.create("Contact", LastName="c")

    account: dict[str, Any] = api.get(
        "/query",
        q="select numberofemployees, PHONE, yearstarted, annualrevenue, parent.name, billingaddress from account",
    ).json()["records"][0]
    assert list(account) == [
        "attributes",
        "NumberOfEmployees",
        "Phone",
        "YearStarted",
        "AnnualRevenue",
        "Parent",
        "BillingAddress",
    ]
    assert list(account.values())[1:] == [10, None, "1999", 150.0, None, None]
    counted = api.get("/query", q="SELECT COUNT(Id), MAX(Name) m, COUNT(Phone) FROM Account").json()[
        "records"
    ]
    assert counted == [{"attributes": {"type": "AggregateResult"}, "expr0": 1, "m": "A", "expr1": 0}]


def test_deleted_records_are_found_by_query_all_only(api: Caller) -> None:
    api.call("DELETE", f"/sobjects/Account/{api.create('Account', Name='gone')}")
    soql = "SELECT Name, IsDeleted FROM Account WHERE IsDeleted = true"

    assert api.get("/query", q=soql).json()["records"] == []
    assert [r["Name"] for r in api.get("/queryAll", q=soql).json()["records"]] == ["gone"]
