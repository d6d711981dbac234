"""What people do beside the API, object by object: merges of leads and cases, events archived, whole trees undeleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lht.testing.caller import Caller


def _rows(api: Caller, soql: str) -> list[list[Any]]:
    records = api.get("/queryAll", q=soql).json()["records"]
    return [[value for name, value in record.items() if name != "attributes"] for record in records]


def test_a_lead_that_is_merged_gives_its_activities_and_memberships_away(api: Caller) -> None:
    master, loser = (api.create("Lead", LastName=name, Company="x") for name in ("M", "L"))
    campaign = api.create("Campaign", Name="c")
    task = api.create("Task", Subject="t", WhoId=loser)
    member = api.create("CampaignMember", CampaignId=campaign, LeadId=loser)
    api.org.admin.merge("Lead", master, [loser], Phone="1")

    leads = "SELECT Id, IsDeleted, MasterRecordId, Phone FROM Lead ORDER BY LastName DESC"
    assert _rows(api, leads) == [[master, False, None, "1"], [loser, True, master, None]]
    assert _rows(api, "SELECT Id, WhoId FROM Task") == [[task, master]]
    assert _rows(api, "SELECT Id, LeadId, LeadOrContactId, IsDeleted FROM CampaignMember") == [
        [member, master, master, False]
    ]

    api.org.admin.undelete([loser])

    assert _rows(api, leads) == [[master, False, None, "1"], [loser, False, None, None]]
    assert _rows(api, "SELECT WhoId FROM Task") == [[master]]


def test_a_case_that_is_merged_gives_its_children_away(api: Caller) -> None:
    master, loser = (api.create("Case", Subject=name) for name in ("M", "L"))
    child = api.create("Case", Subject="C", ParentId=loser)
    task = api.create("Task", Subject="t", WhatId=loser)
    api.org.admin.merge("Case", master, [loser])

    cases = "SELECT Id, IsDeleted, MasterRecordId, ParentId FROM Case ORDER BY Subject"
    moved = [child, False, None, master]
    assert _rows(api, cases) == [moved, [loser, True, master, None], [master, False, None, None]]
    assert _rows(api, "SELECT Id, WhatId FROM Task") == [[task, master]]

    api.org.admin.undelete([loser])

    assert _rows(api, cases) == [moved, [loser, False, None, None], [master, False, None, None]]
    assert _rows(api, "SELECT WhatId FROM Task") == [[master]]


def test_events_are_archived_by_when_they_ended(api: Caller) -> None:
    api.org.admin.set_clock("2026-03-04T05:06:07Z", frozen=True)
    api.login()
    past, current, whole = (
        api.create("Event", Subject=name, **when)
        for name, when in {
            "past": {"ActivityDateTime": "2025-03-03T10:00:00Z", "DurationInMinutes": 30},
            "current": {"ActivityDateTime": "2025-03-05T10:00:00Z", "DurationInMinutes": 30},
            "whole": {"IsAllDayEvent": True, "ActivityDate": "2025-03-01", "DurationInMinutes": 1440},
        }.items()
    )
    api.org.admin.advance_clock(60)

    assert api.org.admin.archive() == 2
    assert [r["Id"] for r in api.get("/query", q="SELECT Id FROM Event").json()["records"]] == [current]
    assert sorted(_rows(api, "SELECT Id FROM Event WHERE IsArchived = true")) == sorted([[past], [whole]])
    stamps = f"SELECT LastModifiedDate, SystemModstamp FROM Event WHERE Id = '{past}'"
    assert _rows(api, stamps) == [["2026-03-04T05:06:07.000+0000", "2026-03-04T05:07:07.000+0000"]]
    assert api.org.admin.archive() == 0


def test_an_undelete_brings_back_three_levels(api: Caller) -> None:
    account = api.create("Account", Name="a")
    tree = {"Account": account, "Contact": api.create("Contact", LastName="c", AccountId=account)}
    tree["Opportunity"] = api.create(
        "Opportunity", Name="o", StageName="Prospecting", CloseDate="2026-01-01", AccountId=account
    )
    tree["Task"] = api.create("Task", Subject="t", WhatId=tree["Opportunity"])
    tree["Event"] = api.create(
        "Event",
        Subject="e",
        WhoId=tree["Contact"],
        ActivityDateTime="2026-01-01T00:00:00Z",
        DurationInMinutes=1,
    )
    tree["OpportunityContactRole"] = api.create(
        "OpportunityContactRole", OpportunityId=tree["Opportunity"], ContactId=tree["Contact"]
    )

    def states() -> dict[str, list[list[Any]]]:
        return {name: _rows(api, f"SELECT Id, IsDeleted FROM {name}") for name in tree}

    assert api.call("DELETE", f"/sobjects/Account/{account}").status == 204
    assert states() == {name: [[record, True]] for name, record in tree.items()}

    api.org.admin.undelete([account])

    assert states() == {name: [[record, False]] for name, record in tree.items()}
    assert _rows(api, "SELECT AccountId FROM Contact") == [[account]]
    assert _rows(api, "SELECT WhatId FROM Task") == [[tree["Opportunity"]]]
