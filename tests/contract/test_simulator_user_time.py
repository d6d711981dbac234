"""The running user's time zone and the org's fiscal year: where they show and what they move."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.testing.simulator import AdminError

if TYPE_CHECKING:
    from lht.testing.caller import Caller


def _records(api: Caller, soql: str) -> list[dict[str, Any]]:
    return list(api.get("/query", q=soql).json()["records"])


def _names(api: Caller, where: str) -> list[str]:
    return sorted(r["Name"] for r in _records(api, f"SELECT Name FROM Opportunity WHERE {where}"))


def _deal(api: Caller, name: str, closes: str) -> str:
    return api.create("Opportunity", Name=name, StageName="Prospecting", CloseDate=closes)


def test_the_time_zone_shows_in_userinfo_user_and_organization(api: Caller) -> None:
    before = api.get("/services/oauth2/userinfo").json()["zoneinfo"]
    settings = api.org.admin.change_settings(timezone="Asia/Tokyo")

    info = api.get("/services/oauth2/userinfo").json()
    zones = [_records(api, f"SELECT TimeZoneSidKey FROM {name}") for name in ("User", "Organization")]
    assert (before, settings["timezone"], info["zoneinfo"]) == ("GMT", "Asia/Tokyo", "Asia/Tokyo")
    assert [rows[0]["TimeZoneSidKey"] for rows in zones] == ["Asia/Tokyo", "Asia/Tokyo"]


def test_a_day_begins_at_the_users_midnight(api: Caller) -> None:
    api.org.admin.set_clock("2024-03-09T15:30:00Z", frozen=True)
    api.login().create("Account", Name="A")
    api.org.admin.set_clock("2024-03-09T14:59:59Z", frozen=True)
    api.create("Account", Name="B")
    api.org.admin.set_clock("2024-03-09T16:00:00Z", frozen=True)
    in_gmt = _records(api, "SELECT Name FROM Account WHERE CreatedDate = TODAY")
    api.org.admin.change_settings(timezone="Asia/Tokyo")
    in_tokyo = _records(api, "SELECT Name FROM Account WHERE CreatedDate = TODAY")

    assert [r["Name"] for r in in_tokyo] == ["A"]
    assert len(in_gmt) == 2
    assert api.read_csv("SELECT Name FROM Account WHERE CreatedDate = TODAY").rows == [["Name"], ["A"]]


def test_the_fiscal_year_moves_the_fiscal_words_and_fields(api: Caller) -> None:
    api.org.admin.set_clock("2024-05-15T12:00:00Z", frozen=True)
    api.login()
    for name, closes in (("a", "2024-03-31"), ("b", "2024-04-01"), ("c", "2025-03-31"), ("d", "2025-04-01")):
        _deal(api, name, closes)
    by_calendar = _names(api, "CloseDate = THIS_FISCAL_YEAR")
    stamps = _records(api, "SELECT SystemModstamp FROM Opportunity ORDER BY Name")
    api.org.admin.advance_clock(60)
    api.org.admin.change_settings(fiscal_year_start_month=4)
    _deal(api, "e", "2024-07-01")

    assert by_calendar == ["a", "b"]
    assert _names(api, "CloseDate = THIS_FISCAL_YEAR") == ["b", "c", "e"]
    in_bulk = api.read_csv("SELECT Name FROM Opportunity WHERE CloseDate = THIS_FISCAL_YEAR").rows
    assert sorted(in_bulk[1:]) == [["b"], ["c"], ["e"]]
    assert _names(api, "CloseDate = THIS_FISCAL_QUARTER") == ["b"]
    assert _names(api, "CloseDate = LAST_FISCAL_QUARTER") == ["a"]
    fiscal = _records(api, "SELECT Fiscal, FiscalYear, FiscalQuarter FROM Opportunity ORDER BY Name")
    assert [(r["Fiscal"], r["FiscalYear"], r["FiscalQuarter"]) for r in fiscal] == [
        ("2024 4", 2024, 4),
        ("2025 1", 2025, 1),
        ("2025 4", 2025, 4),
        ("2026 1", 2026, 1),
        ("2025 2", 2025, 2),
    ]
    after = _records(api, "SELECT SystemModstamp FROM Opportunity WHERE Name != 'e' ORDER BY Name")
    assert [r["SystemModstamp"] for r in after] == [r["SystemModstamp"] for r in stamps]
    assert _records(api, "SELECT FiscalYearStartMonth FROM Organization")[0]["FiscalYearStartMonth"] == 4


def test_a_reset_puts_both_back(api: Caller) -> None:
    api.org.admin.change_settings(timezone="America/New_York", fiscal_year_start_month=7)
    api.org.admin.reset()

    settings = api.org.admin.settings()
    assert (settings["timezone"], settings["fiscal_year_start_month"]) == ("GMT", 1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"timezone": "Mars/Phobos"},
        {"timezone": "Asia/Calcutta"},
        {"timezone": "europe/berlin"},
        {"timezone": "../etc/passwd"},
        {"timezone": ""},
        {"timezone": 5},
        {"timezone": None},
        {"fiscal_year_start_month": 0},
        {"fiscal_year_start_month": 13},
        {"fiscal_year_start_month": True},
        {"fiscal_year_start_month": "4"},
        {"timezone": "Asia/Tokyo", "nonsense": 1},
    ],
)
def test_what_makes_no_sense_changes_nothing(api: Caller, wrong: dict[str, Any]) -> None:
    with pytest.raises(AdminError, match="INVALID_INPUT"):
        api.org.admin.change_settings(**wrong)

    settings = api.org.admin.settings()
    assert (settings["timezone"], settings["fiscal_year_start_month"]) == ("GMT", 1)


def test_the_users_own_record_decides(api: Caller) -> None:
    user = _records(api, "SELECT Id FROM User")[0]["Id"]
    api.org.admin.set_clock("2024-03-09T16:00:00Z", frozen=True)
    api.login().create("Account", Name="A")
    changed = api.call("PATCH", f"/sobjects/User/{user}", {"TimeZoneSidKey": "Asia/Tokyo"})

    assert changed.status == 204
    assert api.org.admin.settings()["timezone"] == "Asia/Tokyo"
    days = "SELECT DAY_ONLY(convertTimezone(CreatedDate)) d FROM Account GROUP BY DAY_ONLY(convertTimezone(CreatedDate))"
    assert [r["d"] for r in _records(api, days)] == ["2024-03-10"]
    assert api.read_csv("SELECT Name FROM Account WHERE CreatedDate = TODAY").rows[1:] == [["A"]]


def test_the_setting_and_the_record_take_the_same_time_zones(api: Caller) -> None:
    fields = {field["name"]: field for field in api.get("/sobjects/User/describe").json()["fields"]}
    listed = [entry["value"] for entry in fields["TimeZoneSidKey"]["picklistValues"]]
    user = _records(api, "SELECT Id FROM User")[0]["Id"]

    for zone in (listed[0], "America/Argentina/Buenos_Aires", listed[-1]):
        assert api.org.admin.change_settings(timezone=zone)["timezone"] == zone
        assert api.call("PATCH", f"/sobjects/User/{user}", {"TimeZoneSidKey": zone}).status == 204
    refused = api.call("PATCH", f"/sobjects/User/{user}", {"TimeZoneSidKey": "Asia/Calcutta"})
    assert refused.error[:2] == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")


def test_nobody_writes_the_fiscal_year_by_rest(api: Caller) -> None:
    organization = _records(api, "SELECT Id FROM Organization")[0]["Id"]

    refused = api.call("PATCH", f"/sobjects/Organization/{organization}", {"FiscalYearStartMonth": 4})
    assert refused.error[:2] == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_a_job_finds_what_is_mine(api: Caller) -> None:
    api.create("Account", Name="A")

    assert api.read_csv("SELECT Name FROM Account USING SCOPE mine").rows == [["Name"], ["A"]]
