"""A stock client, written by others, uses the local org unmodified."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from simple_salesforce import Salesforce, SalesforceMalformedRequest, SalesforceResourceNotFound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.testing.caller import Caller


class _PlainHttp(requests.adapters.HTTPAdapter):
    """The one concession to this client: it says https whatever address it is given."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        request.url = str(request.url).replace("https://", "http://", 1)
        return super().send(request, **options)


@pytest.fixture
def sf(api: Caller) -> Iterator[Salesforce]:
    token = api.token().json()
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", _PlainHttp())
        address, ticket = token["instance_url"], token["access_token"]
        yield Salesforce(instance_url=address, session_id=ticket, version="59.0", session=session)


@pytest.fixture
def sf_seeded(seeded: Caller) -> Iterator[Salesforce]:
    token = seeded.token().json()
    with requests.Session() as session:
        session.trust_env = False
        session.mount("https://", _PlainHttp())
        address, ticket = token["instance_url"], token["access_token"]
        yield Salesforce(instance_url=address, session_id=ticket, version="59.0", session=session)


def test_parents_come_with_their_children(sf_seeded: Salesforce) -> None:
    found = sf_seeded.query_all("SELECT Id, (SELECT AccountId FROM Contacts) FROM Account")["records"]
    sets = [(r["Id"], r["Contacts"]["records"]) for r in found if r["Contacts"]]
    contacts = sf_seeded.query("SELECT COUNT() FROM Contact WHERE AccountId != null")["totalSize"]

    assert sum(len(children) for _, children in sets) == contacts > 0
    assert all(child["AccountId"] == parent for parent, children in sets for child in children)


def test_records_live_and_die(sf: Salesforce) -> None:
    made = sf.Account.create({"Name": "Ann's", "AnnualRevenue": 150})
    changed = sf.Account.update(made["id"], {"Name": "Bo's"})
    read = sf.Account.get(made["id"])
    deleted = sf.Account.delete(made["id"])

    assert (made["success"], changed, deleted) == (True, 204, 204)
    assert (read["Name"], read["AnnualRevenue"], read["attributes"]["type"]) == ("Bo's", 150.0, "Account")
    with pytest.raises(SalesforceResourceNotFound):
        sf.Account.get(made["id"])


def test_upserts_by_external_id(sf: Salesforce) -> None:
    codes = [sf.Account.upsert("ExternalId__c/k1", {"Name": name}) for name in ("A", "B")]

    assert (codes, sf.Account.get_by_custom_id("ExternalId__c", "k1")["Name"]) == ([201, 200], "B")


def test_changes_and_deletions_are_told(sf: Salesforce, api: Caller) -> None:
    api.org.admin.advance_clock(-600)
    kept, gone = (sf.Account.create({"Name": name})["id"] for name in "AB")
    sf.Account.delete(gone)
    now = datetime.now(UTC)
    window = now - timedelta(hours=1), now
    api.org.admin.advance_clock(600)

    assert sf.Account.updated(*window)["ids"] == [kept]
    assert [record["id"] for record in sf.Account.deleted(*window)["deletedRecords"]] == [gone]


def test_queries_page_through_everything(sf_seeded: Salesforce) -> None:
    soql = "SELECT Id, Name, Owner.Name FROM Contact"
    whole = sf_seeded.query_all(soql)
    sf_seeded.headers["Sforce-Query-Options"] = "batchSize=200"
    paged = [record["Id"] for record in sf_seeded.query_all_iter(soql)]

    assert whole["done"] is True
    assert sorted(paged) == sorted(record["Id"] for record in whole["records"])
    assert sf_seeded.query("SELECT COUNT() FROM Contact")["totalSize"] == len(paged) == whole["totalSize"]


def test_describes_and_limits(sf_seeded: Salesforce) -> None:
    names = {entry["name"] for entry in sf_seeded.describe()["sobjects"]}

    assert {"Account", "Contact", "User"} <= names
    assert sf_seeded.Account.describe()["keyPrefix"] == "001"
    assert sf_seeded.Account.metadata()["objectDescribe"]["name"] == "Account"
    assert sf_seeded.limits()["DailyApiRequests"]["Max"] == 15_000
    assert sf_seeded.api_usage["api-usage"].total == 15_000


@pytest.mark.parametrize("page", [7, 1000])
def test_bulk_queries_give_every_row(sf_seeded: Salesforce, page: int) -> None:
    soql = "SELECT Id, Name, Description FROM Account"
    rest = sorted(record["Id"] for record in sf_seeded.query_all(soql)["records"])
    pages = list(sf_seeded.bulk2.Account.query(soql, max_records=page))
    rows = [row for text in pages for row in csv.DictReader(io.StringIO(text, newline=""))]

    assert sorted(row["Id"] for row in rows) == rest


def test_refusals_are_understood(sf: Salesforce) -> None:
    with pytest.raises(SalesforceMalformedRequest, match="No such column 'Nope'"):
        sf.query("SELECT Nope FROM Account")
