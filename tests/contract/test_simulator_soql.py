"""SOQL over HTTP: what only the whole way from the address to the JSON can show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lht.testing import simulator
from lht.testing.caller import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

Json = dict[str, Any]
MANY = 450
"""Contacts of one account: more than two pages of the smallest batch size."""
SMALL_PAGES = {"Sforce-Query-Options": "batchSize=200"}


@pytest.fixture(scope="module")
def crowded() -> Iterator[Caller]:
    """A caller of an org that no test changes: a group with 450 contacts, a daughter with two, and a lonely account."""
    with simulator() as org:
        api = Caller(org).login()
        group = api.create("Account", Name="Group", Industry="Energy", Rating="Hot", AnnualRevenue=1235)
        daughter = api.create("Account", Name="Daughter", ParentId=group, Industry="Energy")
        api.create("Account", Name="Lonely", Industry="Retail", Rating="Hot")
        _create_contacts(api, group, [f"No {n:03d}" for n in range(MANY)])
        _create_contacts(api, daughter, ["Abel", "Zoe"])
        zoe = _records(api, "SELECT Id FROM Contact WHERE LastName = 'Zoe'")[0]["Id"]
        for subject in ("Call", "Mail"):
            api.create("Task", Subject=subject, WhoId=zoe, WhatId=daughter)
        api.create("Task", Subject="Think", WhatId=group)
        yield api


def _create_contacts(api: Caller, account: str, names: list[str]) -> None:
    for begin in range(0, len(names), 200):
        kind = {"attributes": {"type": "Contact"}}
        records = [
            {**kind, "LastName": name, "AccountId": account, "Email": f"x{n}@example.com"}
            for n, name in enumerate(names[begin : begin + 200])
        ]
        found = api.call("POST", "/composite/sobjects", {"allOrNone": True, "records": records}).json()
        assert all(entry["success"] for entry in found)


def _ask(api: Caller, soql: str, **headers: str) -> Json:
    found: Json = api.get("/query", q=soql, headers=headers).json()
    return found


def _records(api: Caller, soql: str) -> list[Json]:
    return list(_ask(api, soql)["records"])


def _values(record: Json) -> Json:
    return {name: value for name, value in record.items() if name != "attributes"}


# Child sub-queries --------------------------------------------------------------------------------------------------


def test_children_stand_in_their_record_and_no_children_are_null(crowded: Caller) -> None:
    soql = "SELECT Name, (SELECT LastName, account.NAME FROM contacts ORDER BY LastName), Id FROM Account WHERE Name != 'Group' ORDER BY Name"
    daughter, lonely = _records(crowded, soql)

    assert list(daughter) == ["attributes", "Name", "Contacts", "Id"]
    assert list(daughter["Contacts"]) == ["totalSize", "done", "records"]
    assert (daughter["Contacts"]["totalSize"], daughter["Contacts"]["done"]) == (2, True)
    abel = daughter["Contacts"]["records"][0]
    assert abel["attributes"]["type"] == "Contact"
    assert (abel["LastName"], _values(abel["Account"])) == ("Abel", {"Name": "Daughter"})
    assert lonely["Contacts"] is None


def test_limit_and_order_of_a_sub_query_count_for_each_parent(crowded: Caller) -> None:
    soql = "SELECT Name, (SELECT LastName FROM Contacts WHERE LastName != 'Zoe' ORDER BY LastName DESC LIMIT 1) FROM Account ORDER BY Name"
    found = {r["Name"]: r["Contacts"] for r in _records(crowded, soql)}

    assert [r["LastName"] for r in found["Group"]["records"]] == ["No 449"]
    assert [r["LastName"] for r in found["Daughter"]["records"]] == ["Abel"]
    assert found["Lonely"] is None


def test_an_offset_of_a_sub_query_needs_one_parent(crowded: Caller) -> None:
    child = "(SELECT LastName FROM Contacts ORDER BY LastName LIMIT 2 OFFSET 448)"
    (group,) = _records(crowded, f"SELECT Id, {child} FROM Account WHERE Name = 'Group' LIMIT 1")

    assert [r["LastName"] for r in group["Contacts"]["records"]] == ["No 448", "No 449"]
    assert crowded.get("/query", q=f"SELECT Id, {child} FROM Account").error[:2] == (400, "MALFORMED_QUERY")


def test_children_page_on_their_own(crowded: Caller) -> None:
    soql = "SELECT Name, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account ORDER BY Name DESC"
    page = _ask(crowded, soql, **SMALL_PAGES)
    children = next(r["Contacts"] for r in page["records"] if r["Name"] == "Group")
    first_address = children["nextRecordsUrl"]
    names = [r["LastName"] for r in children["records"]]
    sizes = [len(children["records"])]
    while "nextRecordsUrl" in children:
        children = crowded.get(children["nextRecordsUrl"]).json()
        names += [r["LastName"] for r in children["records"]]
        sizes.append(len(children["records"]))

    assert "nextRecordsUrl" not in page
    assert (sizes, children["totalSize"], children["done"]) == ([200, 200, 50], MANY, True)
    assert names == [f"No {n:03d}" for n in range(MANY)]
    assert len(crowded.get(first_address).json()["records"]) == 200


def test_pages_of_parents_carry_children_of_the_moment_of_the_query(api: Caller) -> None:
    kind = {"attributes": {"type": "Account"}}
    for begin in (0, 150):
        accounts = [{**kind, "Name": f"A{begin + n:03d}"} for n in range(150)]
        api.call("POST", "/composite/sobjects", {"records": accounts})
    last = _records(api, "SELECT Id FROM Account WHERE Name = 'A299'")[0]["Id"]
    _create_contacts(api, last, ["Old"])
    soql = "SELECT Name, (SELECT LastName FROM Contacts) FROM Account ORDER BY Name"
    page = _ask(api, soql, **SMALL_PAGES)
    api.call("DELETE", f"/sobjects/Contact/{_records(api, 'SELECT Id FROM Contact')[0]['Id']}")
    rest = api.get(page["nextRecordsUrl"]).json()

    assert (len(page["records"]), len(rest["records"]), rest["totalSize"]) == (200, 100, 300)
    assert [r["LastName"] for r in rest["records"][-1]["Contacts"]["records"]] == ["Old"]


def test_grandchildren_can_be_asked_for_since_version_58(crowded: Caller) -> None:
    soql = (
        "SELECT Name, (SELECT LastName, (SELECT Subject FROM Tasks ORDER BY Subject) FROM Contacts ORDER BY LastName) "
        "FROM Account WHERE Name = 'Daughter'"
    )
    (daughter,) = _records(crowded, soql)
    abel, zoe = daughter["Contacts"]["records"]
    older = Caller(crowded.org, "v57.0", dict(crowded.headers))

    assert abel["Tasks"] is None
    assert [r["Subject"] for r in zoe["Tasks"]["records"]] == ["Call", "Mail"]
    status, code, message = older.get("/query", q=soql).error
    assert (status, code) == (400, "MALFORMED_QUERY")
    assert message.endswith(
        "SOQL statements cannot query aggregate relationships more than 1 level away from the root entity object."
    )


def test_records_may_be_four_levels_below_the_root_and_no_deeper(crowded: Caller) -> None:
    def nested(levels: int) -> str:
        inner = "SELECT Id FROM ChildAccounts"
        for _ in range(levels - 1):
            inner = f"SELECT Id, ({inner}) FROM ChildAccounts"
        return f"SELECT Id, ({inner}) FROM Account"

    assert crowded.get("/query", q=nested(4)).status == 200
    assert "more than 4 levels away" in crowded.get("/query", q=nested(5)).error[2]


def test_at_most_twenty_sub_queries(crowded: Caller) -> None:
    def many(number: int) -> str:
        return f"SELECT {', '.join(['(SELECT Id FROM Contacts)'] * number)} FROM Account"

    assert (
        "Cannot follow the same aggregate relationship twice: Contacts"
        in crowded.get("/query", q=many(20)).error[2]
    )
    assert "more than 20 aggregate relationships" in crowded.get("/query", q=many(21)).error[2]


def test_query_all_sees_deleted_children_and_nobody_sees_hidden_ones(api: Caller) -> None:
    account = api.create("Account", Name="A")
    ids = {
        name: api.create("Contact", LastName=name, AccountId=account) for name in ("Here", "Gone", "Hidden")
    }
    api.call("DELETE", f"/sobjects/Contact/{ids['Gone']}")
    api.org.admin.hide_records("Contact", ids=[ids["Hidden"]])
    soql = "SELECT Id, (SELECT LastName FROM Contacts ORDER BY LastName) FROM Account"
    found = [
        api.get(path, q=soql).json()["records"][0]["Contacts"]["records"] for path in ("/query", "/queryAll")
    ]

    assert [[r["LastName"] for r in rows] for rows in found] == [["Here"], ["Gone", "Here"]]


def test_a_reference_hidden_from_the_user_leads_to_no_children(api: Caller) -> None:
    api.org.admin.hide_field("Contact", "AccountId")

    assert api.get("/query", q="SELECT Id, (SELECT Id FROM Contacts) FROM Account").error[1] == "INVALID_TYPE"


def test_children_over_a_custom_relationship(api: Caller) -> None:
    account = api.create("Account", Name="A")
    api.create("Specimen__c", Name="S", Account__c=account)
    found = _records(api, "SELECT Id, (SELECT Name FROM specimens__R) FROM Account")

    assert [r["Name"] for r in found[0]["Specimens__r"]["records"]] == ["S"]
    message = api.get("/query", q="SELECT Id, (SELECT Id FROM Specimens) FROM Account").error[2]
    assert "be sure to append the '__r' after the custom relationship name" in message


def test_column_metadata_shows_children_under_their_relationship(crowded: Caller) -> None:
    soql = "SELECT Id, (SELECT LastName FROM Contacts) FROM Account"
    metadata = crowded.get("/query", q=soql, columns="true").json()["columnMetadata"]

    assert [(c["columnName"], c["aggregate"]) for c in metadata] == [("Id", False), ("Contacts", True)]
    assert [c["columnName"] for c in metadata[1]["joinColumns"]] == ["LastName"]


# Semi-joins ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("Id IN (SELECT AccountId FROM Contact)", ["Daughter", "Group"]),
        ("Id NOT IN (SELECT accountid FROM contact)", ["Lonely"]),
        ("Id IN (SELECT AccountId FROM Contact WHERE LastName = 'abel') AND Industry = 'Energy'", ["Daughter"]),
        ("Id IN (SELECT AccountId FROM Contact) AND Id NOT IN (SELECT AccountId FROM Contact WHERE LastName = 'Abel')", ["Group"]),
        ("ParentId NOT IN (SELECT AccountId FROM Contact)", ["Group", "Lonely"]),
        ("Parent.Name = 'Group' AND OwnerId IN (SELECT Id FROM User WHERE IsActive = true)", ["Daughter"]),
    ],
)  # fmt: skip
def test_semi_and_anti_joins(crowded: Caller, where: str, expected: list[str]) -> None:
    found = _records(crowded, f"SELECT Name FROM Account WHERE {where} ORDER BY Name")

    assert expected == [r["Name"] for r in found]


def test_a_semi_join_sees_what_the_query_sees(api: Caller) -> None:
    account = api.create("Account", Name="A")
    contact = api.create("Contact", LastName="C", AccountId=account)
    api.call("DELETE", f"/sobjects/Contact/{contact}")
    soql = "SELECT Id FROM Account WHERE Id IN (SELECT AccountId FROM Contact)"

    assert [api.get(path, q=soql).json()["totalSize"] for path in ("/query", "/queryAll")] == [0, 1]


def test_bulk_takes_semi_joins_and_date_functions_in_where(crowded: Caller) -> None:
    where = "Id IN (SELECT AccountId FROM Contact) AND CALENDAR_YEAR(CreatedDate) > 2000 AND toLabel(Rating) = 'hot'"
    job = crowded.finished_job(f"SELECT Name FROM Account WHERE {where}")["id"]

    assert crowded.get(f"/jobs/query/{job}/results").rows == [["Name"], ["Group"]]


# Polymorphic parents ------------------------------------------------------------------------------------------------


def test_typeof_gives_each_kind_of_parent_its_fields(crowded: Caller) -> None:
    soql = (
        "SELECT Subject, TYPEOF Who WHEN Contact THEN LastName, Account.Name END, "
        "TYPEOF what WHEN Opportunity THEN Amount ELSE Name, Type END FROM Task WHERE Subject != 'Mail' ORDER BY Subject"
    )
    call, think = _records(crowded, soql)

    assert call["Who"]["attributes"]["type"] == "Contact"
    assert call["Who"]["LastName"] == "Zoe"
    assert _values(call["Who"]["Account"]) == {"Name": "Daughter"}
    assert _values(call["What"]) == {"Name": "Daughter", "Type": "Account"}
    assert think["Who"] is None
    assert think["What"]["attributes"]["type"] == "Account"


def test_typeof_came_with_version_46(crowded: Caller) -> None:
    older = Caller(crowded.org, "v45.0", dict(crowded.headers))
    message = older.get("/query", q="SELECT TYPEOF Who WHEN Lead THEN Name END FROM Task").error[2]

    assert message.endswith("SOQL TYPEOF expressions are not supported in this organization")


def test_a_parent_of_any_kind_has_what_all_names_have(crowded: Caller) -> None:
    soql = (
        "SELECT Owner.NameOrAlias, Owner.Profile.Name, Owner.UserRole.Name, Owner.MiddleName, Owner.LastViewedDate, "
        "What.NameOrAlias, What.ProfileId FROM Task WHERE Owner.Profile.Name LIKE 'system%' AND Subject = 'Think'"
    )

    (task,) = _records(crowded, soql)

    (user,) = _records(crowded, "SELECT Alias, Profile.Name FROM User WHERE Username = 'me@example.com'")
    owner = _values(task["Owner"])
    assert (user["Alias"], None, None) == (owner["NameOrAlias"], owner["UserRole"], owner["MiddleName"])
    assert _values(user["Profile"]) == _values(owner["Profile"])
    assert _values(task["What"]) == {"NameOrAlias": "Group", "ProfileId": None}


def test_records_are_filtered_by_the_kind_of_their_parent(crowded: Caller) -> None:
    found = _records(crowded, "SELECT Subject FROM Task WHERE Who.Type = 'contact' ORDER BY Subject")

    assert [r["Subject"] for r in found] == ["Call", "Mail"]


# Functions ----------------------------------------------------------------------------------------------------------


def test_moments_are_cut_in_gmt_or_in_the_users_zone(api: Caller) -> None:
    api.org.admin.set_clock("2024-12-31T23:30:00Z", frozen=True)
    api.login().create("Account", Name="A")
    api.org.admin.change_settings(timezone="Asia/Tokyo")
    soql = (
        "SELECT CALENDAR_YEAR(CreatedDate) gmt, CALENDAR_YEAR(convertTimezone(CreatedDate)) mine, "
        "HOUR_IN_DAY(convertTimezone(CreatedDate)) hour, DAY_ONLY(convertTimezone(CreatedDate)), COUNT(Id) n "
        "FROM Account GROUP BY CALENDAR_YEAR(CreatedDate), CALENDAR_YEAR(convertTimezone(CreatedDate)), "
        "HOUR_IN_DAY(convertTimezone(CreatedDate)), DAY_ONLY(convertTimezone(CreatedDate))"
    )
    (found,) = _records(api, soql)

    assert _values(found) == {"gmt": 2024, "mine": 2025, "hour": 8, "expr0": "2025-01-01", "n": 1}
    (shown,) = _records(api, "SELECT FORMAT(CreatedDate) FROM Account")
    assert shown["CreatedDate"] == "1/1/2025, 8:30 AM"


def test_fiscal_functions_follow_the_orgs_fiscal_year(api: Caller) -> None:
    api.org.admin.change_settings(fiscal_year_start_month=4)
    for day in ("2024-03-31", "2024-04-01"):
        api.create("Opportunity", Name=day, StageName="Prospecting", CloseDate=day)
    functions = [f"FISCAL_{unit}(CloseDate)" for unit in ("YEAR", "QUARTER", "MONTH")]
    found = _records(
        api, f"SELECT {', '.join(functions)} FROM Opportunity GROUP BY CloseDate ORDER BY {functions[0]}"
    )

    assert [list(_values(r).values()) for r in found] == [[2024, 4, 12], [2025, 1, 1]]


def test_subtotals_tell_what_they_sum(crowded: Caller) -> None:
    soql = (
        "SELECT Industry, Rating, GROUPING(Industry) i, GROUPING(Rating) r, COUNT(Id) n FROM Account "
        "GROUP BY {}(Industry, Rating) ORDER BY GROUPING(Industry), GROUPING(Rating), Industry, Rating"
    )
    rollup, cube = (
        [list(_values(r).values()) for r in _records(crowded, soql.format(word))]
        for word in ("ROLLUP", "cube")
    )

    rows = [["Energy", None, 0, 0, 1], ["Energy", "Hot", 0, 0, 1], ["Retail", "Hot", 0, 0, 1]]
    industries, whole = [["Energy", None, 0, 1, 2], ["Retail", None, 0, 1, 1]], [[None, None, 1, 1, 3]]
    assert rollup == rows + industries + whole
    assert cube == rows + industries + [[None, None, 1, 0, 1], [None, "Hot", 1, 0, 2]] + whole


def test_more_groups_than_a_page_holds_are_refused(crowded: Caller) -> None:
    soql = "SELECT LastName, COUNT(Id) FROM Contact GROUP BY LastName"
    refused = crowded.get("/query", q=soql, headers=SMALL_PAGES).error

    assert refused[:2] == (400, "EXCEEDED_ID_LIMIT")
    assert _ask(crowded, f"{soql} LIMIT 200", **SMALL_PAGES)["totalSize"] == 200


def test_shown_values_keep_the_name_of_their_field(crowded: Caller) -> None:
    soql = "SELECT AnnualRevenue, FORMAT(AnnualRevenue) text, toLabel(Rating), toLabel(Parent.Industry) FROM Account WHERE Name = 'Group'"
    (found,) = _records(crowded, soql)

    assert list(_values(found)) == ["AnnualRevenue", "text", "Rating", "Parent"]
    assert (found["AnnualRevenue"], found["text"], found["Rating"]) == (1235, "$1,235", "Hot")
    assert crowded.get("/query", q="SELECT Rating, toLabel(Rating) FROM Account").error[2] == (
        "duplicate field selected: Rating"
    )


def test_distances_are_selected_compared_and_sorted_by(api: Caller) -> None:
    places = {
        "Rome": (41.9, 12.5),
        "Berlin": (52.52, 13.405),
        "Sydney": (-33.87, 151.21),
        "Nowhere": (None, None),
    }
    for name, (latitude, longitude) in places.items():
        api.create("Account", Name=name, BillingLatitude=latitude, BillingLongitude=longitude)
    far = "DISTANCE(BillingAddress, GEOLOCATION(41.9, 12.5), 'km')"
    found = _records(api, f"SELECT Name, {far} FROM Account WHERE {far} < 20000 ORDER BY {far} DESC")

    assert [(r["Name"], round(r["expr0"], -1)) for r in found] == [
        ("Sydney", 16320),
        ("Berlin", 1180),
        ("Rome", 0),
    ]
    near = _records(api, f"SELECT Name FROM Account WHERE {far.replace('km', 'mi')} > 740")
    assert [r["Name"] for r in near] == ["Sydney"]


# Clauses ------------------------------------------------------------------------------------------------------------


def test_using_scope_mine_gives_the_records_of_who_asks(seeded: Caller) -> None:
    me = seeded.get("/services/oauth2/userinfo").json()["user_id"]
    owned = _ask(seeded, f"SELECT COUNT() FROM Account WHERE OwnerId = '{me}'")["totalSize"]
    mine, everything = (
        _ask(seeded, f"SELECT COUNT() FROM Account USING SCOPE {scope}")["totalSize"]
        for scope in ("Mine", "everything")
    )

    assert 0 < owned == mine < everything
    scopes = [s["name"] for s in seeded.get("/sobjects/Account/describe").json()["supportedScopes"]]
    answers = {s: _ask(seeded, f"SELECT COUNT() FROM Account USING SCOPE {s}")["totalSize"] for s in scopes}
    assert answers == {"everything": everything, "mine": mine, "scopingRule": everything, "team": 0}
    refused = seeded.get("/query", q="SELECT Id FROM Account USING SCOPE delegated").error
    assert refused[:2] == (400, "INVALID_QUERY_SCOPE")


def test_for_view_moves_the_stamps_of_viewing_and_no_other(api: Caller) -> None:
    api.org.admin.set_clock("2024-01-01T00:00:00Z", frozen=True)
    api.login()
    seen, other = (api.create("Account", Name=name) for name in ("Seen", "Other"))
    api.org.admin.advance_clock(60)
    _ask(api, "SELECT Id FROM Account WHERE Name = 'Seen' LIMIT 1 FOR VIEW")
    _ask(api, "SELECT Id FROM Account WHERE Name = 'Other' FOR REFERENCE")
    fields = "LastViewedDate, LastReferencedDate, SystemModstamp"
    found = {r["Id"]: r for r in _records(api, f"SELECT Id, {fields} FROM Account")}

    viewed, born = "2024-01-01T00:01:00.000+0000", "2024-01-01T00:00:00.000+0000"
    assert list(_values(found[seen]).values())[1:] == [viewed, viewed, born]
    assert (found[other]["LastReferencedDate"], found[other]["SystemModstamp"]) == (viewed, born)
    assert found[other]["LastViewedDate"] != viewed


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT Id FROM Account WITH SECURITY_ENFORCED LIMIT 1",
        "SELECT Id FROM Account WHERE Name != null WITH USER_MODE",
        "SELECT Id FROM Account WITH system_mode FOR UPDATE",
        "SELECT c.Id FROM Contact c, c.Account AS a WHERE a.Name LIKE 'D%'",
        "SELECT COUNT(Id) AS total FROM Account",
    ],
)
def test_what_changes_nothing_is_taken(crowded: Caller, soql: str) -> None:
    assert crowded.get("/query", q=soql).status == 200


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        ("SELECT Id FROM Account ALL ROWS", "ALL ROWS not allowed in this context"),
        ("SELECT Id FROM Account WHERE Name = 'x", "line 1:38 mismatched character '<EOF>' expecting '''"),
        ("SELECT Id FROM Account WHERE Name IN ()", "unexpected token: ')'"),
        ("SELECT Id FROM Account WITH DATA CATEGORY Geography__c AT usa__c", "unexpected token: 'CATEGORY'"),
        ("SELECT Id FROM Account /* all */", "unexpected token: '/'"),
        ("SELECT FROM Account", "unexpected token: 'FROM'"),
    ],
)
def test_what_is_no_soql_here_is_refused(crowded: Caller, soql: str, message: str) -> None:
    status, code, said = crowded.get("/query", q=soql).error

    assert (status, code, said.splitlines()[-1]) == (400, "MALFORMED_QUERY", message)


def test_names_come_back_as_the_org_spells_them(crowded: Caller) -> None:
    soql = "select NAME, (SELECT LASTNAME FROM CONTACTS LIMIT 1), PARENT.NAME from ACCOUNT where id in (select ACCOUNTID from CONTACT) limit 1"
    (found,) = _records(crowded, soql)

    assert list(found) == ["attributes", "Name", "Contacts", "Parent"]
    assert found["attributes"]["type"] == "Account"
