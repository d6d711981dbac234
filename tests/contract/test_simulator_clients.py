"""A stock client, written by others, uses the local org unmodified."""

from __future__ import annotations

import base64
import csv
import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from simple_salesforce import (
    Salesforce,
    SalesforceExpiredSession,
    SalesforceGeneralError,
    SalesforceMalformedRequest,
    SalesforceMoreThanOneRecord,
    SalesforceRefusedRequest,
    SalesforceResourceNotFound,
    format_external_id,
    format_soql,
)
from simple_salesforce.exceptions import SalesforceOperationError

from lht.testing.simulator import AdminError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


def test_refusals_of_each_kind_are_told_apart(sf: Salesforce, api: Caller) -> None:
    for name in "ab":
        sf.Contact.create({"LastName": name, "Email": "same@example.com"})
    with pytest.raises(SalesforceMoreThanOneRecord) as several:
        sf.Contact.get_by_custom_id("Email", "same@example.com")
    with pytest.raises(SalesforceGeneralError, match="405"):
        sf.restful("limits", method="DELETE")
    api.org.admin.change_settings(limits={"DailyApiRequests": 0})
    with pytest.raises(SalesforceRefusedRequest, match="TotalRequests Limit exceeded"):
        sf.limits()
    api.org.admin.expire_sessions()
    with pytest.raises(SalesforceExpiredSession, match="INVALID_SESSION_ID"):
        sf.limits()

    assert len(several.value.content) == 2


def test_every_way_to_name_a_record(sf: Salesforce) -> None:
    made = sf.Account.create(
        {"Name": "O'Neil & Söhne", "ExternalId__c": "k/1"}, headers={"Sforce-Auto-Assign": "false"}
    )
    where = format_external_id("ExternalId__c", "k 2")
    raw = sf.Account.upsert(where, {"Name": "b"}, raw_response=True)
    found = sf.query(format_soql("SELECT Id FROM Account WHERE Name = {}", "O'Neil & Söhne"))

    assert found["records"][0]["Id"] == made["id"]
    assert (raw.status_code, raw.json()["created"]) == (201, True)
    assert sf.Account.get(made["id"], params={"fields": "Name"})["Name"] == "O'Neil & Söhne"
    assert sf.Account.update(made["id"], {"Name": "c"}, raw_response=True).status_code == 204
    assert sf.Account.delete(where) == 204
    assert sf.query("SELECT COUNT() FROM Account")["totalSize"] == 1


def test_composites_and_collections_are_reached_by_restful(sf: Salesforce) -> None:
    records = [{"attributes": {"type": "Account"}, "Name": name} for name in "ab"]
    made = sf.restful("composite/sobjects", method="POST", json={"allOrNone": True, "records": records})
    ids = [one["id"] for one in made]
    changed = [{"attributes": {"type": "Account"}, "Id": one, "Name": "c"} for one in ids]
    updated = sf.restful("composite/sobjects", method="PATCH", json={"records": changed})
    read = sf.restful("composite/sobjects/Account", params={"ids": ",".join(ids), "fields": "Name"})
    parts = [
        {
            "method": "POST",
            "url": "/services/data/v59.0/sobjects/Account",
            "referenceId": "a",
            "body": {"Name": "d"},
        },
        {"method": "GET", "url": "/services/data/v59.0/sobjects/Account/@{a.id}", "referenceId": "b"},
    ]
    composite = sf.restful("composite", method="POST", json={"allOrNone": True, "compositeRequest": parts})
    batch = sf.restful(
        "composite/batch", method="POST", json={"batchRequests": [{"method": "GET", "url": "v59.0/limits"}]}
    )
    tree_records = [{"attributes": {"type": "Account", "referenceId": "r"}, "Name": "e"}]
    tree = sf.restful("composite/tree/Account", method="POST", json={"records": tree_records})
    gone = sf.restful(
        "composite/sobjects", params={"ids": ",".join(ids), "allOrNone": "true"}, method="DELETE"
    )

    assert [one["success"] for one in made + updated + gone] == [True] * 6
    assert [one["Name"] for one in read] == ["c", "c"]
    assert [one["httpStatusCode"] for one in composite["compositeResponse"]] == [201, 200]
    assert (batch["hasErrors"], tree["hasErrors"]) == (False, False)
    assert sorted(one["Name"] for one in sf.query_all("SELECT Name FROM Account")["records"]) == ["d", "e"]


def test_further_pages_by_address_and_by_identifier(sf: Salesforce) -> None:
    for number in (200, 50):
        people = [{"attributes": {"type": "Contact"}, "LastName": "a"}] * number
        sf.restful("composite/sobjects", method="POST", json={"records": people})
    sf.headers["Sforce-Query-Options"] = "batchSize=200"
    first = sf.query("SELECT Id FROM Contact")
    by_address = sf.query_more(first["nextRecordsUrl"], identifier_is_url=True)
    by_name = sf.query_more(first["nextRecordsUrl"].rpartition("/")[2])

    assert (len(first["records"]), len(by_address["records"]), by_address["done"]) == (200, 50, True)
    assert by_address == by_name
    assert len(list(sf.query_all_iter("SELECT Id FROM Contact"))) == 250


def test_deleted_records_are_asked_for_too(sf_seeded: Salesforce) -> None:
    alive = sf_seeded.query_all("SELECT Id FROM Account")["totalSize"]
    every = sf_seeded.query_all("SELECT Id FROM Account", include_deleted=True)["totalSize"]

    assert alive < every
    assert len(list(sf_seeded.query_all_iter("SELECT Id FROM Account", include_deleted=True))) == every


def test_the_org_tells_about_itself(sf_seeded: Salesforce) -> None:
    assert sf_seeded.is_sandbox() in (True, False)
    assert sf_seeded.oauth2("userinfo")["preferred_username"] == "me@example.com"
    assert sf_seeded.restful("")["sobjects"] == "/services/data/v59.0/sobjects"
    assert (
        sf_seeded.restful("limits/recordCount", params={"sObjects": "Account"})["sObjects"][0]["name"]
        == "Account"
    )
    assert (
        sf_seeded.restful("query", params={"q": "SELECT Id FROM Account", "columns": "true"})["idSelected"]
        is True
    )


def test_files_are_read_and_replaced(sf: Salesforce, tmp_path: Path) -> None:
    account = sf.Account.create({"Name": "a"})["id"]
    made = sf.Attachment.create(
        {"Name": "a.txt", "ParentId": account, "Body": base64.b64encode(b"one").decode()}
    )
    file = tmp_path / "b.txt"
    file.write_bytes(b"two")
    before = sf.Attachment.get_base64(made["id"])

    assert sf.Attachment.update_base64(made["id"], str(file)) == 204
    assert (before, sf.Attachment.get_base64(made["id"])) == (b"one", b"two")
    with pytest.raises(SalesforceMalformedRequest, match="REQUIRED_FIELD_MISSING"):
        sf.Attachment.upload_base64(str(file))


def test_bulk_results_go_to_files(sf_seeded: Salesforce, tmp_path: Path) -> None:
    found = sf_seeded.bulk2.Account.download("SELECT Id FROM Account", str(tmp_path), max_records=20)
    texts = [Path(part["file"]).read_text(encoding="utf-8") for part in found]
    rows = [row for text in texts for row in csv.DictReader(io.StringIO(text, newline=""))]
    every = list(sf_seeded.bulk2.Account.query_all("SELECT Id FROM Account", max_records=1_000))

    assert len(rows) == sf_seeded.query("SELECT COUNT() FROM Account")["totalSize"]
    assert len(every[0].splitlines()) > len(rows)


def test_bulk_jobs_write_by_every_operation_and_bring_their_results(
    api: Caller, sf: Salesforce, tmp_path: Path
) -> None:
    api.org.admin.change_settings(hard_delete=True)
    bulk = sf.bulk2.Account
    file = tmp_path / "accounts.csv"
    file.write_text('Name,ExternalId__c\n"one, ""1""",k1\ntwo,k2\n,k3\n', encoding="utf-8")
    (made,) = bulk.insert(str(file), wait=0.01)
    told = bulk.get_all_ingest_records(made["job_id"])
    ids = {row["ExternalId__c"]: row["sf__Id"] for row in told["successfulRecords"]}
    bulk.update(records=[{"Id": ids["k2"], "Site": "here"}], wait=0.01)
    (merged,) = bulk.upsert(
        records=[{"ExternalId__c": "k1", "Name": "uno"}, {"ExternalId__c": "k4", "Name": "four"}],
        external_id_field="ExternalId__c", column_delimiter="TAB", line_ending="CRLF", wait=0.01,
    )  # fmt: skip
    bulk.delete(records=[{"Id": ids["k1"]}], wait=0.01)
    bulk.hard_delete(records=[{"Id": ids["k2"]}], wait=0.01)
    rows = sf.query_all("SELECT Name, Site, IsDeleted FROM Account ORDER BY Name", include_deleted=True)[
        "records"
    ]
    written = tmp_path / "ok.csv"
    bulk.get_successful_records(merged["job_id"], file=str(written))

    assert {name: made[name] for name in made if name != "job_id"} == {
        "numberRecordsFailed": 1, "numberRecordsProcessed": 3, "numberRecordsTotal": 3,
    }  # fmt: skip
    assert told["failedRecords"][0]["sf__Error"] == (
        "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
    )
    assert told["unprocessedRecords"] == []
    assert bulk.get_unprocessed_records(made["job_id"]) == "Name,ExternalId__c\n"
    assert [(row["Name"], row["Site"], row["IsDeleted"]) for row in rows] == [
        ("four", None, False), ("two", "here", True), ("uno", None, True),
    ]  # fmt: skip
    assert api.org.admin.undelete([ids["k1"]]) == 1
    with pytest.raises(AdminError, match="recycle bin"):
        api.org.admin.undelete([ids["k2"]])
    assert "\ttrue\t" in written.read_text(encoding="utf-8").replace('"', "")


def test_a_bulk_job_that_fails_says_why(sf: Salesforce) -> None:
    with pytest.raises(SalesforceOperationError, match="InvalidBatch : Field name not found : Nope"):
        sf.bulk2.Account.insert(records=[{"Nope": "a"}], wait=0.01)


@pytest.mark.parametrize(
    "ask",
    [
        lambda sf: sf.search("FIND {a}"),
        lambda sf: sf.quick_search("a"),
        lambda sf: sf.toolingexecute("query?q=SELECT+Id+FROM+ApexClass"),
        lambda sf: sf.Account.describe_layout("012000000000000AAA"),
        lambda sf: sf.set_password("005000000000000AAA", "secret"),
        lambda sf: sf.restful("recent"),
        lambda sf: sf.apexecute("mine"),
        lambda sf: sf.bulk.Account.query("SELECT Id FROM Account"),
    ],
)
def test_what_is_not_served_is_not_found(sf_seeded: Salesforce, ask: Callable[[Salesforce], Any]) -> None:
    with pytest.raises(SalesforceResourceNotFound, match="NOT_FOUND"):
        ask(sf_seeded)
