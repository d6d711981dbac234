"""What standard objects do by themselves: fields taken over from others, figures counted, records that follow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.simulator.errors import ApiFault
from lht.simulator.org.org import Org
from lht.simulator.org.schemas.catalog import TABLE

if TYPE_CHECKING:
    from pathlib import Path

DEAL = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2024-06-01"}


def values(org: Org, soql: str) -> list[dict[str, Any]]:
    return [
        {key: value for key, value in record.items() if key != "attributes"}
        for record in org.queries.query(soql)["records"]
    ]


def read(org: Org, name: str, record_id: str, *fields: str) -> list[Any]:
    record = org.records.read(name, record_id)
    return [record[field] for field in fields]


def priced(org: Org, *prices: float) -> list[str]:
    """Makes products with a standard price and gives the ids of their entries."""
    book = values(org, "SELECT Id FROM Pricebook2 WHERE IsStandard = true")[0]["Id"]
    products = [
        org.records.create("Product2", {"Name": f"P{n}", "ProductCode": f"C{n}", "IsActive": True})
        for n, _ in enumerate(prices)
    ]
    return [
        org.records.create(
            "PricebookEntry", {"Product2Id": one, "Pricebook2Id": book, "UnitPrice": price, "IsActive": True}
        )
        for one, price in zip(products, prices, strict=True)
    ]


def test_an_opportunity_is_worth_its_products(org: Org) -> None:
    first, second = priced(org, 10.5, 3)
    deal = org.records.create("Opportunity", {**DEAL, "Amount": 7})
    line = {"OpportunityId": deal, "PricebookEntryId": first, "Quantity": 4, "UnitPrice": 10}
    made = org.records.create("OpportunityLineItem", line)
    other = org.records.create("OpportunityLineItem", {**line, "PricebookEntryId": second, "UnitPrice": 5})
    org.records.update("Opportunity", deal, {"Amount": 1, "NextStep": "Call"})

    assert read(org, "OpportunityLineItem", made, "Name", "ProductCode", "ListPrice", "TotalPrice", "UnitPrice") == [
        "Deal P0", "C0", 10.5, 40.0, 10.0,
    ]  # fmt: skip
    assert read(org, "Opportunity", deal, "Amount", "HasOpportunityLineItem", "TotalOpportunityQuantity", "NextStep") == [
        60.0, True, 8.0, "Call",
    ]  # fmt: skip
    org.records.update("OpportunityLineItem", made, {"Quantity": 2})
    org.records.update("OpportunityLineItem", other, {"TotalPrice": 6})
    assert read(org, "OpportunityLineItem", other, "UnitPrice") == [1.5]
    assert read(org, "Opportunity", deal, "Amount", "ExpectedRevenue") == [26.0, 2.6]
    org.records.delete("OpportunityLineItem", made)
    org.records.delete("OpportunityLineItem", other)
    assert read(org, "Opportunity", deal, "Amount", "HasOpportunityLineItem") == [6.0, False]


def test_a_product_of_an_opportunity_needs_an_entry_of_its_price_book_and_one_price(org: Org) -> None:
    (entry,) = priced(org, 10)
    deal = org.records.create("Opportunity", DEAL)
    line = {"OpportunityId": deal, "PricebookEntryId": entry, "Quantity": 1}
    refused = [
        ({**line, "UnitPrice": 1, "TotalPrice": 1}, "FIELD_INTEGRITY_EXCEPTION"),
        (line, "REQUIRED_FIELD_MISSING"),
        ({**line, "PricebookEntryId": None, "UnitPrice": 1}, "REQUIRED_FIELD_MISSING"),
        ({**line, "UnitPrice": 1, "Quantity": 0}, "FIELD_INTEGRITY_EXCEPTION"),
    ]

    for body, code in refused:
        with pytest.raises(ApiFault, match=code):
            org.records.create("OpportunityLineItem", body)
    assert read(org, "Opportunity", deal, "HasOpportunityLineItem", "Pricebook2Id") == [False, None]


def test_a_custom_price_needs_a_standard_one(org: Org) -> None:
    (entry,) = priced(org, 10)
    product = read(org, "PricebookEntry", entry, "Product2Id")[0]
    book = org.records.create("Pricebook2", {"Name": "Partners", "IsActive": True})
    bare = org.records.create("Product2", {"Name": "Bare"})
    price = {"Product2Id": product, "Pricebook2Id": book, "UnitPrice": 8}

    with pytest.raises(ApiFault, match="STANDARD_PRICE_NOT_DEFINED"):
        org.records.create("PricebookEntry", {**price, "Product2Id": bare})
    made = org.records.create("PricebookEntry", {**price, "UseStandardPrice": True})
    with pytest.raises(ApiFault, match="This price definition already exists in this price book"):
        org.records.create("PricebookEntry", price)
    org.records.update("Product2", product, {"Name": "Renamed"})
    assert read(org, "PricebookEntry", made, "UnitPrice", "Name", "ProductCode") == [10.0, "Renamed", "C0"]


def test_campaigns_count_their_members_and_their_opportunities(org: Org) -> None:
    campaign = org.records.create("Campaign", {"Name": "Fair"})
    lead = org.records.create("Lead", {"LastName": "Lee", "FirstName": "Ann", "Company": "C"})
    account = org.records.create("Account", {"Name": "A"})
    contact = org.records.create("Contact", {"LastName": "Con", "AccountId": account, "MailingCity": "Oslo"})
    member = org.records.create(
        "CampaignMember", {"CampaignId": campaign, "LeadId": lead, "Status": "Responded"}
    )
    other = org.records.create(
        "CampaignMember", {"CampaignId": campaign, "ContactId": contact, "Status": "No such"}
    )
    org.records.create(
        "Opportunity", {**DEAL, "CampaignId": campaign, "Amount": 5, "StageName": "Closed Won"}
    )
    figures = (
        "NumberOfLeads",
        "NumberOfContacts",
        "NumberOfResponses",
        "NumberOfOpportunities",
        "AmountWonOpportunities",
    )

    shown = (
        "Name",
        "HasResponded",
        "FirstRespondedDate",
        "Status",
        "Type",
        "City",
        "CompanyOrAccount",
        "LeadOrContactId",
    )
    assert read(org, "CampaignMember", member, *shown) == [
        "Ann Lee", True, "2024-05-01", "Responded", "Lead", None, "C", lead,
    ]  # fmt: skip
    assert read(org, "CampaignMember", other, *shown) == [
        "Con",
        False,
        None,
        "Sent",
        "Contact",
        "Oslo",
        "A",
        contact,
    ]
    assert read(org, "Campaign", campaign, *figures) == [1, 1, 1, 1, 5.0]
    org.records.update("Lead", lead, {"LastName": "Lane"})
    assert read(org, "CampaignMember", member, "Name") == ["Ann Lane"]
    with pytest.raises(ApiFault, match="Already a campaign member"):
        org.records.create("CampaignMember", {"CampaignId": campaign, "LeadId": lead})
    with pytest.raises(ApiFault, match="REQUIRED_FIELD_MISSING"):
        org.records.create("CampaignMember", {"CampaignId": campaign})
    org.records.delete("CampaignMember", member)
    assert read(org, "Campaign", campaign, *figures[:3]) == [0, 1, 0]


def test_cases_are_numbered_show_their_contact_and_close(org: Org) -> None:
    account = org.records.create("Account", {"Name": "A"})
    contact = org.records.create(
        "Contact", {"LastName": "C", "AccountId": account, "Phone": "1", "Email": "C@x.org"}
    )
    case = org.records.create("Case", {"ContactId": contact, "Subject": "Help", "Comments": "not kept"})
    org.records.update("Contact", contact, {"Phone": "2"})

    assert read(org, "Case", case, "CaseNumber", "Status", "Priority", "IsClosed", "AccountId", "ContactPhone", "ContactEmail", "Comments") == [
        "00001001", "New", "Medium", False, account, "2", "c@x.org", None,
    ]  # fmt: skip
    org.records.update("Case", case, {"Status": "Closed"})
    assert read(org, "Case", case, "IsClosed", "ClosedDate") == [True, "2024-05-01T10:20:30.000+0000"]
    org.records.update("Case", case, {"Status": "Working"})
    assert read(org, "Case", case, "IsClosed", "ClosedDate") == [False, None]


@pytest.mark.parametrize(
    ("sent", "found"),
    [
        ({"StartDateTime": "2024-05-02T09:00:00Z", "DurationInMinutes": 90}, ["2024-05-02", 90, "T10:30:00"]),
        ({"ActivityDateTime": "2024-05-02T23:30:00Z", "EndDateTime": "2024-05-03T00:30:00Z"}, ["2024-05-02", 60, "T00:30:00"]),
        ({"IsAllDayEvent": True, "ActivityDate": "2024-05-02"}, ["2024-05-02", 1440, "T00:00:00"]),
        ({"IsAllDayEvent": True, "ActivityDate": "2024-05-02", "DurationInMinutes": 4320}, ["2024-05-02", 4320, "T00:00:00"]),
    ],
)  # fmt: skip
def test_an_event_knows_all_its_times_from_some(org: Org, sent: dict[str, Any], found: list[Any]) -> None:
    event = org.records.create("Event", {"Subject": "Meeting", **sent})
    day, minutes, end = read(org, "Event", event, "ActivityDate", "DurationInMinutes", "EndDateTime")

    assert [day, minutes, end[10:19]] == found
    assert (read(org, "Event", event, "ActivityDateTime")[0] is None) == bool(sent.get("IsAllDayEvent"))
    assert read(org, "Event", event, "EndDate")[0] == end[:10]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({}, "REQUIRED_FIELD_MISSING"),
        ({"StartDateTime": "2024-05-02T09:00:00Z"}, "REQUIRED_FIELD_MISSING"),
        ({"StartDateTime": "2024-05-02T09:00:00Z", "EndDateTime": "2024-05-02T08:00:00Z"}, "FIELD_INTEGRITY_EXCEPTION"),
        (
            {"StartDateTime": "2024-05-02T09:00:00Z", "EndDateTime": "2024-05-02T10:00:00Z", "DurationInMinutes": 5},
            "FIELD_INTEGRITY_EXCEPTION",
        ),
    ],
)  # fmt: skip
def test_events_whose_times_make_no_sense_are_refused(org: Org, sent: dict[str, Any], code: str) -> None:
    with pytest.raises(ApiFault, match=code):
        org.records.create("Event", {"Subject": "Meeting", **sent})


@pytest.mark.parametrize(
    ("name", "body", "change", "history"),
    [
        ("Account", {"Name": "A"}, {"AnnualRevenue": 5}, "AccountHistory"),
        ("Contact", {"LastName": "A"}, {"Title": "T"}, "ContactHistory"),
        ("Lead", {"LastName": "A", "Company": "C"}, {"Rating": "Hot"}, "LeadHistory"),
        ("Case", {}, {"Priority": "High"}, "CaseHistory"),
        ("Opportunity", DEAL, {"NextStep": "Call"}, "OpportunityFieldHistory"),
        ("Campaign", {"Name": "A"}, {"IsActive": True}, "CampaignHistory"),
        ("Product2", {"Name": "A"}, {"Family": "Service"}, "Product2History"),
    ],
)
def test_histories_and_shares_follow(
    org: Org, name: str, body: dict[str, Any], change: dict[str, Any], history: str
) -> None:
    made = org.records.create(name, body)
    org.records.update(name, made, change)
    ((field, value),) = change.items()
    rows = values(org, f"SELECT Id, Field, NewValue FROM {history} WHERE {name}Id = '{made}' ORDER BY Id")

    assert [row["Field"] for row in rows] == ["created", field]
    assert str(rows[1]["NewValue"]).lower().removesuffix(".0") == str(value).lower()
    assert all(row["Id"].startswith("017") for row in rows)
    if name != "Product2":
        shares = values(
            org,
            f"SELECT UserOrGroupId, RowCause, {name}AccessLevel FROM {name}Share WHERE {name}Id = '{made}'",
        )
        assert shares == [{"UserOrGroupId": org.user_id, "RowCause": "Owner", f"{name}AccessLevel": "All"}]


def test_a_new_owner_gets_the_share_and_history_tells_ids_and_names(org: Org) -> None:
    queue = values(org, "SELECT Id FROM Group WHERE DeveloperName = 'Support_Queue'")[0]["Id"]
    case = org.records.create("Case", {"Subject": "S"})
    org.records.update("Case", case, {"OwnerId": queue})

    rows = values(org, "SELECT DataType, OldValue, NewValue FROM CaseHistory WHERE Field = 'Owner'")
    assert sorted((row["DataType"], row["OldValue"], row["NewValue"]) for row in rows) == [
        ("EntityId", org.user_id, queue),
        ("Text", "Mia Admin", "Support Queue"),
    ]
    assert values(org, "SELECT UserOrGroupId FROM CaseShare") == [{"UserOrGroupId": queue}]


def test_the_stages_of_an_opportunity_are_kept(org: Org) -> None:
    deal = org.records.create("Opportunity", {**DEAL, "Amount": 10})
    org.records.update("Opportunity", deal, {"NextStep": "nothing of a stage"})
    org.records.update("Opportunity", deal, {"Amount": 20, "StageName": "Closed Won"})

    rows = values(
        org, "SELECT Id, StageName, Amount, PrevAmount, Probability FROM OpportunityHistory ORDER BY Id"
    )
    assert [(row["StageName"], row["Amount"], row["PrevAmount"], row["Probability"]) for row in rows] == [
        ("Prospecting", 10.0, None, 10.0),
        ("Closed Won", 20.0, 10.0, 100.0),
    ]
    kept = read(org, "Opportunity", deal, "LastAmountChangedHistoryId", "LastCloseDateChangedHistoryId")
    assert kept == [rows[1]["Id"], None]


def test_an_opportunity_has_one_primary_contact(org: Org) -> None:
    first, second = (org.records.create("Contact", {"LastName": name}) for name in ("One", "Two"))
    deal = org.records.create("Opportunity", {**DEAL, "ContactId": first})
    role = {"OpportunityId": deal, "ContactId": second, "IsPrimary": True, "Role": "Influencer"}
    org.records.create("OpportunityContactRole", role)

    rows = values(org, "SELECT ContactId, IsPrimary FROM OpportunityContactRole ORDER BY Id")
    assert [(row["ContactId"], row["IsPrimary"]) for row in rows] == [(first, False), (second, True)]
    assert read(org, "Opportunity", deal, "ContactId") == [second]


def test_an_org_that_was_made_with_fewer_objects_works_on_with_them(tmp_path: Path) -> None:
    gone = (
        "AccountShare",
        "Campaign",
        "CampaignMember",
        "Case",
        "ContactHistory",
        "OpportunityHistory",
        "RecordType",
    )
    first = Org.open(path=tmp_path)
    with first.db.transaction() as connection:
        for name in gone:
            connection.execute(f'DROP TABLE "{name}"')
            connection.execute(f"DELETE FROM {TABLE} WHERE name = ?", [name])
    first.close()

    org = Org.open(path=tmp_path)
    try:
        account = org.records.create("Account", {"Name": "A"})
        contact = org.records.create("Contact", {"LastName": "C", "AccountId": account})
        deal = org.records.create("Opportunity", {**DEAL, "AccountId": account})
        org.records.update("Contact", contact, {"Title": "T"})
        org.records.update("Opportunity", deal, {"Amount": 5})
        org.records.delete("Account", account)
        listed = {entry["name"] for entry in org.describe_global()["sobjects"]}
        assert not listed & set(gone)
        assert org.describe("Account")["recordTypeInfos"][-1]["master"]
        org.reset()
        assert set(gone) <= {entry["name"] for entry in org.describe_global()["sobjects"]}
    finally:
        org.close()
