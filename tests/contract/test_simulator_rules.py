"""Salesforce's rules for records, and their admin resources, over HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from lht.simulator.errors import SimulatorError
from lht.testing import simulator
from lht.testing.caller import Caller
from lht.testing.simulator import AdminError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DAY_S = 86_400


@pytest.fixture(scope="module")
def running() -> Iterator[Caller]:
    with simulator() as org:
        yield Caller(org).login()


@pytest.fixture
def api(running: Caller) -> Caller:
    """A caller of an org that is as new for every test."""
    running.org.admin.reset()
    return running.login()


def rows(api: Caller, soql: str, path: str = "/queryAll") -> list[list[Any]]:
    found = api.get(path, q=soql).json()["records"]
    return [[value for key, value in row.items() if key != "attributes"] for row in found]


def test_the_recycle_bin_empties_itself_by_the_clock_of_the_org(api: Caller) -> None:
    admin = api.org.admin
    account = api.create("Account", Name="A")
    api.call("DELETE", f"/sobjects/Account/{account}")
    admin.advance_clock(15 * DAY_S)
    api.login()
    lingering = rows(api, "SELECT Id FROM Account")
    admin.advance_clock(DAY_S)
    api.login()

    assert lingering == [[account]]
    assert rows(api, "SELECT Id FROM Account") == []


def test_an_emptied_bin_is_seen_by_query_all_only(api: Caller) -> None:
    account = api.create("Account", Name="A")
    api.call("DELETE", f"/sobjects/Account/{account}")
    count = api.org.admin.empty_bin("Account", [account])

    assert (count, rows(api, "SELECT Id FROM Account")) == (1, [[account]])
    assert rows(api, "SELECT Id FROM Account", "/query") == []


def refusal(reply: Any) -> tuple[int, str, str, list[str]]:
    (entry,) = reply.json()
    return reply.status, entry["errorCode"], entry["message"], entry.get("fields")


@pytest.mark.parametrize(
    ("object_name", "kind", "facts"),
    [
        ("Account", "validation_rules", {"condition": "T__c = 'bad'", "message": "m"}),
        ("Account", "validation_rules", {"condition": "Name = 'bad'", "message": "m", "field": "T__c"}),
        ("Contact", "validation_rules", {"condition": "Account.T__c = 'bad'", "message": "m"}),
        ("Account", "duplicate_rules", {"fields": ["T__c"]}),
    ],
)
def test_a_field_that_a_rule_names_cannot_be_dropped(
    api: Caller, object_name: str, kind: str, facts: dict[str, object]
) -> None:
    admin = api.org.admin
    admin.add_field("Account", "T__c", "string", length=20)
    admin.call("POST", f"/objects/{object_name}/{kind}", {"name": "Keeps_it"} | facts)

    with pytest.raises(AdminError, match=f"Keeps_it of {object_name} .*DEPENDENCY_EXISTS"):
        admin.drop_field("Account", "T__c")
    assert api.create("Account", Name="still there", T__c="good")
    admin.call("DELETE", f"/objects/{object_name}/{kind}/Keeps_it")
    admin.drop_field("Account", "T__c")


def test_a_field_that_a_rule_compares_keeps_its_kind(api: Caller) -> None:
    admin = api.org.admin
    admin.add_field("Account", "T__c", "string", length=20)
    admin.call(
        "POST",
        "/objects/Account/validation_rules",
        {"name": "R", "condition": "T__c = 'bad'", "message": "m", "field": "T__c"},
    )

    with pytest.raises(AdminError, match="DEPENDENCY_EXISTS"):
        admin.call("PATCH", "/objects/Account/fields/T__c", {"type": "double"})
    admin.call("PATCH", "/objects/Account/fields/T__c", {"length": 40, "hidden": True})
    admin.drop_field("Account", "Site")
    assert api.create("Account", Name="hidden does not matter")


def test_a_validation_rule_refuses_what_its_condition_is_true_of(api: Caller) -> None:
    admin = api.org.admin
    admin.add_validation_rule(
        "Contact", "Oslo", "MailingCity = 'Oslo' AND Account.Industry = 'Banking'", "No.", field="mailingcity"
    )
    bank = api.create("Account", Name="B", Industry="Banking")
    refused = api.call(
        "POST", "/sobjects/Contact", {"LastName": "x", "MailingCity": "oslo", "AccountId": bank}
    )
    other = api.create("Contact", LastName="y", MailingCity="Oslo")
    moved = api.call("PATCH", f"/sobjects/Contact/{other}", {"AccountId": bank})
    kept = api.call("PATCH", f"/sobjects/Contact/{other}", {"AccountId": bank, "MailingCity": "Bergen"})

    expected = (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "No.", ["MailingCity"])
    assert (refusal(refused), refusal(moved), kept.status) == (expected, expected, 204)


def test_a_rule_can_rest_be_replaced_and_end(api: Caller) -> None:
    admin = api.org.admin
    admin.add_validation_rule("Account", "Any", "Name != null", "No.", active=False)
    api.create("Account", Name="A")
    admin.add_validation_rule("Account", "any", "Name != null", "No!")
    refused = api.call("POST", "/sobjects/Account", {"Name": "B"})
    listed = admin.validation_rules("Account")
    admin.drop_validation_rule("Account", "ANY")

    assert refusal(refused) == (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "No!", [])
    assert [(rule["name"], rule["active"]) for rule in listed] == [("any", True)]
    assert api.call("POST", "/sobjects/Account", {"Name": "B"}).status == 201


def test_a_rule_may_speak_of_a_field_that_the_user_cannot_see(api: Caller) -> None:
    admin = api.org.admin
    admin.add_validation_rule("Account", "Silent", "Phone = null", "No.")
    admin.hide_field("Account", "Phone")

    assert api.call("POST", "/sobjects/Account", {"Name": "B"}).status == 400


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"name": "R", "condition": "Nope = 1", "message": "m"}, "No such column 'Nope'"),
        ({"name": "R", "condition": "Name =", "message": "m"}, "condition: "),
        ({"name": "R", "condition": "Name = 'a' LIMIT 1", "message": "m"}, "only a condition is needed"),
        ({"name": "R", "condition": "Name = 'a'"}, "message is missing"),
        ({"name": "R", "condition": "Name = 'a'", "message": "m", "field": "Nope"}, "has no field 'Nope'"),
        ({"name": "R", "condition": "Name = 'a'", "message": "m", "colour": 1}, "there is no colour"),
    ],
)
def test_a_validation_rule_that_makes_no_sense_is_refused(
    api: Caller, rule: dict[str, Any], words: str
) -> None:
    status, code, message, _ = refusal(
        api.raw("POST", "/simulator/objects/Account/validation_rules", json.dumps(rule).encode())
    )

    assert (status, code) == (400, "INVALID_INPUT")
    assert words in message
    assert api.org.admin.validation_rules("Account") == []


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"name": "R", "fields": []}, "fields"),
        ({"name": "R", "fields": ["Nope"]}, "has no field 'Nope'"),
        ({"name": "R", "fields": ["Name"], "action": "warn"}, "action must be one of block, allow"),
    ],
)
def test_a_duplicate_rule_that_makes_no_sense_is_refused(
    api: Caller, rule: dict[str, Any], words: str
) -> None:
    status, _, message, _ = refusal(
        api.raw("POST", "/simulator/objects/Account/duplicate_rules", json.dumps(rule).encode())
    )

    assert (status, words in message) == (400, True)


def test_duplicates_are_named_and_may_be_saved_where_the_rule_lets_them(api: Caller) -> None:
    api.org.admin.add_duplicate_rule("Contact", "Same", ["LastName", "Email"], "allow")
    first = api.create("Contact", LastName="Ann", Email="a@x.org")
    body = {"LastName": "ANN", "Email": "A@x.org"}
    refused = api.call("POST", "/sobjects/Contact", body)
    saved = api.call(
        "POST", "/sobjects/Contact", body, headers={"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    )
    without = api.call("POST", "/sobjects/Contact", {"LastName": "Ann"})

    (entry,) = refused.json()
    found = entry["duplicateResut"]
    assert (refused.status, entry["errorCode"], entry["message"]) == (
        400, "DUPLICATES_DETECTED", "Use one of these records?",
    )  # fmt: skip
    assert (found["allowSave"], found["duplicateRule"], found["duplicateRuleEntityType"]) == (
        True, "Same", "Contact",
    )  # fmt: skip
    records = found["matchResults"][0]["matchRecords"]
    url = f"/services/data/v66.0/sobjects/Contact/{first}"
    assert [match["record"] for match in records] == [
        {"attributes": {"type": "Contact", "url": url}, "Id": first}
    ]
    assert (saved.status, without.status) == (201, 201)


def test_a_blocking_duplicate_rule_lets_nothing_pass(api: Caller) -> None:
    api.org.admin.add_duplicate_rule("Account", "Same", ["Name"])
    first = api.create("Account", Name="A")
    second = api.create("Account", Name="B")
    allow = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    created = api.call("POST", "/sobjects/Account", {"Name": "a"}, headers=allow)
    renamed = api.call("PATCH", f"/sobjects/Account/{second}", {"Name": "A"})
    untouched = api.call("PATCH", f"/sobjects/Account/{first}", {"Phone": "1"})
    same = api.call("PATCH", f"/sobjects/Account/{first}", {"Name": "A"})

    assert [reply.status for reply in (created, renamed, untouched, same)] == [400, 400, 204, 204]
    assert created.json()[0]["duplicateResut"]["allowSave"] is False


def test_rules_of_a_schema_file_hold_last_and_come_back(tmp_path: Path) -> None:
    file, place = tmp_path / "schema.toml", tmp_path / "org"
    file.write_text(
        "[[objects.Account.fields]]\nname = 'Tier__c'\ntype = 'string'\n"
        "[[objects.Account.validation_rules]]\nname = 'V'\ncondition = \"Tier__c = 'x'\"\nmessage = 'no x'\n"
        "[[objects.Account.duplicate_rules]]\nname = 'D'\nfields = ['Name']\naction = 'allow'\n"
    )
    with simulator(path=place, schema=file) as org:
        api = Caller(org).login()
        org.admin.drop_validation_rule("Account", "V")
        passed = api.call("POST", "/sobjects/Account", {"Name": "A", "Tier__c": "x"}).status
        org.admin.reset()
        refused = refusal(api.call("POST", "/sobjects/Account", {"Name": "A", "Tier__c": "x"}))
    with simulator(path=place) as org:
        listed = org.admin.validation_rules("Account"), org.admin.duplicate_rules("Account")

    assert (passed, refused) == (201, (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "no x", []))
    assert [[rule["name"] for rule in rules] for rules in listed] == [["V"], ["D"]]


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (
            "[[objects.Account.validation_rules]]\nname = 'V'",
            "Account, validation_rules V: condition is missing",
        ),
        (
            "[[objects.Account.validation_rules]]\nname='V'\ncondition='x = 1'\nmessage='m'",
            "No such column 'x'",
        ),
        ("[[objects.Account.duplicate_rules]]\nname='D'\nfields='Name'", "fields is of the wrong kind"),
        ("[objects.Account]\nduplicate_rules = 1", "duplicate_rules must be a list of tables"),
    ],
)
def test_a_schema_file_with_a_rule_that_makes_no_sense_is_refused_with_its_place(
    tmp_path: Path, rules: str, words: str
) -> None:
    file = tmp_path / "schema.toml"
    file.write_text(rules)
    with pytest.raises(SimulatorError) as refused, simulator(schema=file):
        pass

    assert words in str(refused.value)


NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def at(api: Caller, **moved: float) -> str:
    """Stops the clock at a known moment, or some time after it, and writes the stamp that records get there."""
    moment = NOW + timedelta(**moved)
    api.org.admin.set_clock(moment, frozen=True)
    api.login()
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"


def stamps(api: Caller, object_name: str, record_id: str) -> tuple[str, str]:
    """Gives LastModifiedDate and SystemModstamp."""
    soql = f"SELECT LastModifiedDate, SystemModstamp FROM {object_name} WHERE Id = '{record_id}'"
    ((modified, system),) = rows(api, soql)
    return modified, system


def test_a_merge_bins_the_losers_and_moves_their_children(api: Caller) -> None:
    born = at(api)
    master, one, two = (api.create("Account", Name=name) for name in ("M", "L1", "L2"))
    contact = api.create("Contact", LastName="c", AccountId=one)
    child = api.create("Account", Name="C", ParentId=two)
    merged = at(api, minutes=1)
    api.org.admin.merge("Account", master, [one, two], Phone="1")

    soql = "SELECT Name, IsDeleted, MasterRecordId, Phone FROM Account ORDER BY Name"
    assert rows(api, soql) == [
        ["C", False, None, None], ["L1", True, master, None], ["L2", True, master, None], ["M", False, None, "1"],
    ]  # fmt: skip
    assert rows(api, "SELECT AccountId FROM Contact") == [[master]]
    assert rows(api, f"SELECT ParentId FROM Account WHERE Id = '{child}'") == [[master]]
    moved = {name: stamps(api, *pair) for name, pair in {
        "master": ("Account", master), "loser": ("Account", one), "child": ("Contact", contact),
    }.items()}  # fmt: skip
    assert moved == {"master": (merged, merged), "loser": (born, merged), "child": (born, merged)}


def test_a_loser_comes_back_alone(api: Caller) -> None:
    master, loser = (api.create("Account", Name=name) for name in "ML")
    api.create("Contact", LastName="c", AccountId=loser)
    api.org.admin.merge("Account", master, [loser])
    api.org.admin.undelete([loser])

    assert rows(api, f"SELECT IsDeleted, MasterRecordId FROM Account WHERE Id = '{loser}'") == [[False, None]]
    assert rows(api, "SELECT AccountId FROM Contact") == [[master]]


def test_a_master_below_a_loser_is_not_made_its_own_parent(api: Caller) -> None:
    loser = api.create("Account", Name="L")
    master = api.create("Account", Name="M", ParentId=loser)
    api.org.admin.merge("Account", master, [loser])

    assert rows(api, f"SELECT ParentId FROM Account WHERE Id = '{master}'") == [[None]]


@pytest.mark.parametrize(
    ("object_name", "losers", "words"),
    [
        ("Account", [], "one or two"),
        ("Account", ["self"], "one or two"),
        ("Account", ["a", "a"], "one or two"),
        ("Account", ["a", "b", "c"], "one or two"),
        ("Account", ["001000000000099"], "INVALID_CROSS_REFERENCE_KEY"),
        ("Opportunity", ["a"], "does not support merge"),
    ],
)
def test_a_merge_that_makes_no_sense_is_refused(
    api: Caller, object_name: str, losers: list[str], words: str
) -> None:
    known = {name: api.create("Account", Name=name) for name in ("self", "a", "b", "c")}
    with pytest.raises(AdminError, match=words):
        api.org.admin.merge(object_name, known["self"], [known.get(name, name) for name in losers])

    assert len(rows(api, "SELECT Id FROM Account", "/query")) == len(known)


def test_a_late_commit_shows_its_records_with_the_stamps_of_the_start(api: Caller) -> None:
    admin = api.org.admin
    born = at(api)
    kept, gone = (api.create("Account", Name=name) for name in "KG")
    opened = at(api, minutes=2)
    transaction = admin.open_transaction(
        {"action": "create", "object": "Account", "fields": {"Name": "late"}},
        {"action": "update", "object": "Account", "id": kept, "fields": {"Phone": "1"}},
        {"action": "delete", "object": "Account", "id": gone},
    )
    at(api, minutes=30)
    hidden = rows(
        api, "SELECT Name, Phone, SystemModstamp FROM Account WHERE IsDeleted = false ORDER BY Name"
    )
    admin.commit(transaction["id"])
    shown = rows(api, "SELECT Name, Phone, SystemModstamp, IsDeleted FROM Account ORDER BY Name")
    late = api.get("/query", q="SELECT Id, CreatedDate FROM Account WHERE Name = 'late'").json()["records"][0]

    assert hidden == [["G", None, born], ["K", None, born]]
    assert shown == [["G", None, opened, True], ["K", "1", opened, False], ["late", None, opened, False]]
    assert (late["Id"], late["CreatedDate"]) == (transaction["changes"][0]["id"], opened)


def window(api: Caller, kind: str) -> str:
    start, end = NOW - timedelta(hours=1), NOW + timedelta(hours=2)
    reply = api.get(f"/sobjects/Account/{kind}", start=start.isoformat(), end=end.isoformat())
    return str(reply.json()["latestDateCovered"])


def test_the_date_covered_follows_the_oldest_open_transaction(api: Caller) -> None:
    admin = api.org.admin
    change = {"action": "create", "object": "Account", "fields": {"Name": "late"}}
    first_at = at(api, minutes=2)
    first = admin.open_transaction(change)
    second_at = at(api, minutes=5)
    second = admin.open_transaction(change)
    at(api, minutes=30)
    covered = [(window(api, "updated"), window(api, "deleted"))]
    admin.commit(first["id"])
    covered.append((window(api, "updated"), window(api, "deleted")))
    admin.roll_back(second["id"])
    covered.append((window(api, "updated"), window(api, "deleted")))

    now = f"{NOW + timedelta(minutes=30):%Y-%m-%dT%H:%M}:00.000+0000"
    assert covered == [(first_at, first_at), (second_at, second_at), (now, now)]
    assert rows(api, "SELECT Name FROM Account") == [["late"]]


def test_an_open_transaction_holds_its_records_and_nobody_elses(api: Caller) -> None:
    admin = api.org.admin
    held, free = (api.create("Account", Name=name) for name in "HF")
    change = {"action": "update", "object": "Account", "id": held, "fields": {"Phone": "1"}}
    transaction = admin.open_transaction(change)
    path = f"/sobjects/Account/{held}"
    refused = [api.call("PATCH", path, {"Phone": "2"}), api.call("DELETE", path)]
    with pytest.raises(AdminError, match="UNABLE_TO_LOCK_ROW"):
        admin.open_transaction(change)
    passed = api.call("PATCH", f"/sobjects/Account/{free}", {"Phone": "2"}).status
    admin.roll_back(transaction["id"])

    text = f"unable to obtain exclusive access to this record or 1 records: {held}"
    assert [refusal(reply) for reply in refused] == [(400, "UNABLE_TO_LOCK_ROW", text, [])] * 2
    assert (passed, api.call("PATCH", path, {"Phone": "2"}).status) == (204, 204)


def test_a_transaction_is_checked_when_it_opens_and_when_it_commits(api: Caller) -> None:
    admin = api.org.admin
    with pytest.raises(AdminError, match="REQUIRED_FIELD_MISSING"):
        admin.open_transaction({"action": "create", "object": "Account"})
    transaction = admin.open_transaction(
        {"action": "create", "object": "Account", "fields": {"Name": "a", "ExternalId__c": "k"}}
    )
    api.create("Account", Name="b", ExternalId__c="k")
    with pytest.raises(AdminError, match="DUPLICATE_VALUE"):
        admin.commit(transaction["id"])

    assert (admin.transactions(), rows(api, "SELECT Name FROM Account")) == ([], [["b"]])


@pytest.mark.parametrize(
    "change",
    [
        {}, {"action": "undelete", "object": "Account", "id": "001"}, {"action": "create"},
        {"action": "create", "object": "Account", "id": "001000000000001"}, {"action": "delete", "object": "Account"},
        {"action": "create", "object": "Account", "fields": []}, {"action": "create", "object": "Account", "colour": 1},
    ],
)  # fmt: skip
def test_a_change_that_makes_no_sense_is_refused(api: Caller, change: dict[str, Any]) -> None:
    with pytest.raises(AdminError, match="INVALID_INPUT"):
        api.org.admin.open_transaction(change)

    assert api.org.admin.transactions() == []


def test_a_reset_forgets_open_transactions(api: Caller) -> None:
    api.org.admin.open_transaction({"action": "create", "object": "Account", "fields": {"Name": "a"}})
    api.org.admin.reset()

    assert api.org.admin.transactions() == []


def test_archived_activities_are_seen_by_query_all_alone(api: Caller) -> None:
    admin = api.org.admin
    born = at(api)
    done = {"Status": "Completed", "ActivityDate": "2026-03-01"}
    old = api.create("Task", Subject="old", **done)
    open_task = api.create("Task", Subject="open", ActivityDate="2026-03-01")
    archived = at(api, days=370)
    recent = api.create("Task", Subject="recent", Status="Completed", ActivityDate="2027-03-01")
    count = admin.archive()

    assert count == 1
    assert sorted(rows(api, "SELECT Id FROM Task", "/query")) == sorted([[open_task], [recent]])
    assert rows(api, "SELECT Id FROM Task WHERE IsArchived = true") == [[old]]
    assert api.get("/query", q="SELECT COUNT() FROM Task").json()["totalSize"] == 2
    assert stamps(api, "Task", old) == (born, archived)
    assert admin.archive(older_than_days=1) == 1


def test_a_finished_activity_moves_the_day_of_its_parents_but_not_who_changed_them(api: Caller) -> None:
    born = at(api)
    account = api.create("Account", Name="A")
    contact = api.create("Contact", LastName="c", AccountId=account)
    moved = at(api, minutes=1)
    task = api.create("Task", Subject="t", WhatId=account, WhoId=contact, ActivityDate="2026-03-02")
    before = rows(api, "SELECT LastActivityDate FROM Account")
    api.call("PATCH", f"/sobjects/Task/{task}", {"Status": "Completed"})
    api.create("Task", Subject="older", WhatId=account, Status="Completed", ActivityDate="2026-01-01")

    assert before == [[None]]
    for name, record_id in (("Account", account), ("Contact", contact)):
        assert rows(api, f"SELECT LastActivityDate FROM {name}") == [["2026-03-02"]]
        assert stamps(api, name, record_id) == (born, moved)


def test_a_renamed_picklist_value_is_still_the_usual_one(api: Caller) -> None:
    api.org.admin.rename_value("Lead", "Status", "Open - Not Contacted", "Fresh")
    api.create("Lead", LastName="a", Company="b")

    assert rows(api, "SELECT Status FROM Lead") == [["Fresh"]]


def test_a_renamed_picklist_value_moves_only_the_system_stamp(api: Caller) -> None:
    admin = api.org.admin
    born = at(api)
    hot, cold = api.create("Account", Name="h", Rating="Hot"), api.create("Account", Name="c", Rating="Cold")
    admin.add_field("Account", "Tags__c", "multipicklist", picklist=["Red", "Green", "Blue"])
    api.call("PATCH", f"/sobjects/Account/{cold}", {"Tags__c": "Green;Red"})
    moved = at(api, minutes=1)
    admin.rename_value("Account", "Rating", "hot", "Blazing")
    admin.rename_value("Account", "Tags__c", "Green", "Lime")

    assert rows(api, "SELECT Rating, Tags__c FROM Account ORDER BY Name") == [
        ["Cold", "Red;Lime"],
        ["Blazing", None],
    ]
    assert (stamps(api, "Account", hot), stamps(api, "Account", cold)) == ((born, moved), (born, moved))
    fields = {f["name"]: f for f in api.get("/sobjects/Account/describe").json()["fields"]}
    assert [entry["value"] for entry in fields["Rating"]["picklistValues"]] == ["Blazing", "Warm", "Cold"]
    with pytest.raises(AdminError, match="no value 'Hot'"):
        admin.rename_value("Account", "Rating", "Hot", "x")
    with pytest.raises(AdminError, match="a value 'Warm' already"):
        admin.rename_value("Account", "Rating", "Cold", "Warm")


def test_formulas_and_parents_move_no_stamp(api: Caller) -> None:
    admin = api.org.admin
    born = at(api)
    account = api.create("Account", Name="a", NumberOfEmployees=2)
    contact = api.create("Contact", LastName="c", AccountId=account)
    at(api, minutes=1)
    admin.add_field("Account", "Twice__c", "double", formula='"NumberOfEmployees" * 2')
    admin.alter_field("Account", "Twice__c", formula='"NumberOfEmployees" * 3')
    api.call("PATCH", f"/sobjects/Account/{account}", {"Name": "b"})

    assert rows(api, "SELECT Twice__c FROM Account") == [[6.0]]
    assert stamps(api, "Contact", contact) == (born, born)


def test_a_read_only_field_is_seen_and_not_written(api: Caller) -> None:
    account = api.create("Account", Name="a", Phone="1")
    api.org.admin.read_only_field("Account", "Phone")
    refused = [
        api.call("PATCH", f"/sobjects/Account/{account}", {"Phone": "2"}),
        api.call("POST", "/sobjects/Account", {"Name": "b", "Phone": "2"}),
    ]
    fields = {f["name"]: f for f in api.get("/sobjects/Account/describe").json()["fields"]}
    seen = rows(api, "SELECT Phone FROM Account")
    api.org.admin.read_only_field("Account", "Phone", read_only=False)

    text = (
        "Unable to create/update fields: Phone. Please check the security settings of this field and verify that it is "
        "read/write for your profile or permission set."
    )
    assert [refusal(reply) for reply in refused] == [
        (400, "INVALID_FIELD_FOR_INSERT_UPDATE", text, ["Phone"])
    ] * 2
    assert (fields["Phone"]["createable"], fields["Phone"]["updateable"], seen) == (False, False, [["1"]])
    assert api.call("PATCH", f"/sobjects/Account/{account}", {"Phone": "2"}).status == 204


def test_a_read_only_record_is_seen_and_not_changed(api: Caller) -> None:
    account, other = (api.create("Account", Name=name) for name in "AB")
    count = api.org.admin.read_only_records("Account", where="Name = 'A'")
    path = f"/sobjects/Account/{account}"
    refused = [api.call("PATCH", path, {"Phone": "2"}), api.call("DELETE", path)]
    passed = api.call("PATCH", f"/sobjects/Account/{other}", {"Phone": "2"}).status
    again = api.org.admin.read_only_records("Account", [account], read_only=False)

    text = "insufficient access rights on object id"
    assert [refusal(r) for r in refused] == [(403, "INSUFFICIENT_ACCESS_OR_READONLY", text, [])] * 2
    assert (count, again, passed, api.call("DELETE", path).status) == (1, 1, 204, 204)


def test_audit_fields_are_set_at_creation_where_the_org_allows_it(api: Caller) -> None:
    user = api.get("/query", q="SELECT Id FROM User").json()["records"][0]["Id"]
    audit = {
        "CreatedDate": "2020-01-02T03:04:05Z",
        "CreatedById": user,
        "LastModifiedDate": "2021-01-02T03:04:05Z",
    }
    before = api.call("POST", "/sobjects/Account", {"Name": "a", **audit})
    api.org.admin.change_settings(set_audit_fields=True)
    now = at(api)
    made = api.create("Account", Name="a", **audit)
    stamp = api.call("POST", "/sobjects/Account", {"Name": "a", "SystemModstamp": "2020-01-02T03:04:05Z"})
    later = api.call("PATCH", f"/sobjects/Account/{made}", {"CreatedDate": "2020-01-02T03:04:05Z"})

    codes = [reply.json()[0]["errorCode"] for reply in (before, stamp, later)]
    assert codes == ["INVALID_FIELD_FOR_INSERT_UPDATE"] * 3
    assert rows(api, "SELECT CreatedDate, LastModifiedDate, SystemModstamp FROM Account") == [
        ["2020-01-02T03:04:05.000+0000", "2021-01-02T03:04:05.000+0000", now]
    ]


def test_a_lookup_to_another_object_and_one_that_is_no_id_are_told_apart(api: Caller) -> None:
    contact = api.create("Contact", LastName="c")
    replies = [
        api.call("POST", "/sobjects/Account", {"Name": "a", "ParentId": i}) for i in (contact, "nonsense")
    ]

    text = "Parent Account ID: id value of incorrect type: "
    assert [refusal(reply) for reply in replies] == [
        (400, "FIELD_INTEGRITY_EXCEPTION", text + contact, ["ParentId"]),
        (400, "MALFORMED_ID", text + "nonsense", ["ParentId"]),
    ]


def test_a_restricted_picklist_takes_active_values_only_and_an_open_one_takes_all(api: Caller) -> None:
    values = [{"value": "A"}, {"value": "B", "active": False}]
    api.org.admin.add_field("Account", "Strict__c", "picklist", picklist=values, restricted_picklist=True)
    api.org.admin.add_field("Account", "Loose__c", "picklist", picklist=values)
    api.org.admin.add_field("Account", "Many__c", "multipicklist", picklist=values, restricted_picklist=True)
    refused = [
        api.call("POST", "/sobjects/Account", {"Name": "a", name: value})
        for name, value in (("Strict__c", "B"), ("Strict__c", "C"), ("Many__c", "A;B"))
    ]
    api.create("Account", Name="a", Strict__c="a", Loose__c="B", Many__c="A;a")
    api.create("Account", Name="b", Loose__c="C")

    assert [refusal(reply)[1:] for reply in refused] == [
        ("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", f"{name}: bad value for restricted picklist field: {value}", [name])
        for name, value in (("Strict__c", "B"), ("Strict__c", "C"), ("Many__c", "B"))
    ]  # fmt: skip
    assert rows(api, "SELECT Strict__c, Loose__c, Many__c FROM Account ORDER BY Name") == [
        ["A", "B", "A"], [None, "C", None],
    ]  # fmt: skip


def test_an_owner_must_be_there_and_active(api: Caller) -> None:
    account = api.create("Account", Name="a")
    user = api.create(
        "User", Username="x@example.com", LastName="x", Email="x@example.com", Alias="x", CommunityNickname="x",
        TimeZoneSidKey="GMT", LocaleSidKey="en_US", EmailEncodingKey="UTF-8", LanguageLocaleKey="en_US",
        **profile(api), IsActive=False,
    )  # fmt: skip
    inactive = api.call("PATCH", f"/sobjects/Account/{account}", {"OwnerId": user})
    blank = api.call("PATCH", f"/sobjects/Account/{account}", {"OwnerId": None})
    api.call("PATCH", f"/sobjects/User/{user}", {"IsActive": True})
    taken = api.call("PATCH", f"/sobjects/Account/{account}", {"OwnerId": user})

    text = f"operation performed with inactive user [{user}] as owner of account"
    assert refusal(inactive) == (400, "INACTIVE_OWNER_OR_USER", text, ["OwnerId"])
    assert refusal(blank) == (
        400,
        "INVALID_CROSS_REFERENCE_KEY",
        "Owner ID: owner cannot be blank",
        ["OwnerId"],
    )
    assert (taken.status, rows(api, "SELECT OwnerId FROM Account")) == (204, [[user]])


def profile(api: Caller) -> dict[str, str]:
    """What a new user needs besides, where users have profiles."""
    names = {field["name"] for field in api.get("/sobjects/User/describe").json()["fields"]}
    return {"ProfileId": rows(api, "SELECT Id FROM Profile", "/query")[0][0]} if "ProfileId" in names else {}


def record_type_infos(api: Caller, object_name: str) -> dict[str, tuple[str, bool, bool]]:
    infos = api.get(f"/sobjects/{object_name}/describe").json()["recordTypeInfos"]
    return {
        info["developerName"]: (info["recordTypeId"], info["active"], info["defaultRecordTypeMapping"])
        for info in infos
    }


def test_a_new_record_gets_the_default_record_type_of_its_object(api: Caller) -> None:
    admin = api.org.admin
    before = [field["name"] for field in api.get("/sobjects/Contact/describe").json()["fields"]]
    first = admin.add_record_type("Contact", "Business Contact")["id"]
    second = admin.add_record_type("Contact", "Private", developer_name="Own")["id"]
    made = [
        api.create("Contact", LastName="a"), api.create("Contact", LastName="b", RecordTypeId=second),
        api.create("Contact", LastName="c", RecordTypeId="012000000000000AAA"),
    ]  # fmt: skip

    assert "RecordTypeId" not in before
    assert rows(api, "SELECT Id, RecordTypeId, RecordType.DeveloperName FROM Contact ORDER BY LastName") == [
        [made[0], first, {"attributes": parent(first), "DeveloperName": "Business_Contact"}],
        [made[1], second, {"attributes": parent(second), "DeveloperName": "Own"}],
        [made[2], None, None],
    ]
    infos = record_type_infos(api, "Contact")
    assert (infos["Business_Contact"], infos["Own"]) == ((first, True, True), (second, True, False))
    assert [kind["developer_name"] for kind in admin.record_types("Contact")] == [
        "Business_Contact", "Own", "Master",
    ]  # fmt: skip


def parent(record_type: str) -> dict[str, str]:
    return {"type": "RecordType", "url": f"/services/data/v66.0/sobjects/RecordType/{record_type}"}


def test_a_record_type_of_another_object_or_one_that_rests_is_refused(api: Caller) -> None:
    admin = api.org.admin
    of_case = admin.add_record_type("Case", "Complaint")["id"]
    resting = admin.add_record_type("Contact", "Old")["id"]
    contact = api.create("Contact", LastName="a")
    admin.add_record_type("Contact", "Old", active=False)
    later = api.create("Contact", LastName="b")
    replies = [
        api.call("POST", "/sobjects/Contact", {"LastName": "x", "RecordTypeId": of_case}),
        api.call("PATCH", f"/sobjects/Contact/{later}", {"RecordTypeId": resting}),
    ]

    text = "Record Type ID: this ID value isn't valid for the user: "
    assert [refusal(reply) for reply in replies] == [
        (400, "INVALID_CROSS_REFERENCE_KEY", text + wrong, ["RecordTypeId"]) for wrong in (of_case, resting)
    ]
    assert rows(api, "SELECT Id, RecordTypeId FROM Contact ORDER BY LastName") == [
        [contact, resting], [later, None],
    ]  # fmt: skip


@pytest.mark.parametrize(
    "facts", [{"name": " "}, {"name": "A", "developer_name": "1 x"}, {"name": "A", "active": 1}]
)
def test_a_record_type_that_makes_no_sense_is_refused(api: Caller, facts: dict[str, Any]) -> None:
    with pytest.raises(AdminError, match="INVALID_INPUT"):
        api.org.admin.add_record_type("Contact", **facts)
    with pytest.raises(AdminError, match="Master"):
        api.org.admin.add_record_type("Contact", "Master")


def test_record_types_of_a_schema_file_last_and_come_back(tmp_path: Path) -> None:
    file, place = tmp_path / "schema.toml", tmp_path / "org"
    file.write_text(
        "[objects.Invoice__c]\n[[objects.Invoice__c.record_types]]\nname = 'Pro forma'\n"
        "[[objects.Invoice__c.record_types]]\nname = 'Final'\ndeveloper_name = 'Last'\n"
    )
    found = []
    with simulator(path=place, schema=file) as org:
        api = Caller(org).login()
        api.create("Invoice__c")
        found.append(rows(api, "SELECT RecordType.DeveloperName FROM Invoice__c"))
        org.admin.reset()
        found.append(sorted(record_type_infos(api, "Invoice__c")))
    with simulator(path=place, schema=file) as org:
        found.append(sorted(record_type_infos(Caller(org).login(), "Invoice__c")))

    names = ["Last", "Master", "Pro_forma"]
    assert [value["DeveloperName"] for ((value,),) in found[:1]] == ["Pro_forma"]
    assert found[1:] == [names, names]


def test_a_queue_owns_records_and_another_group_does_not(api: Caller) -> None:
    groups = dict(rows(api, "SELECT Type, Id FROM Group ORDER BY Id DESC", "/query"))
    case = api.create("Case", Subject="c", OwnerId=groups["Queue"])
    refused = api.call("PATCH", f"/sobjects/Case/{case}", {"OwnerId": groups["Regular"]})

    assert rows(api, "SELECT OwnerId FROM Case") == [[groups["Queue"]]]
    text = "Queue not associated with this SObject type"
    assert refusal(refused) == (400, "INVALID_OPERATION", text, ["OwnerId"])


def test_an_open_transaction_holds_the_parents_of_what_it_writes(api: Caller) -> None:
    held, free = (api.create("Account", Name=name) for name in ("held", "free"))
    change = {"action": "create", "object": "Contact", "fields": {"LastName": "late", "AccountId": held}}
    opened = api.org.admin.open_transaction(change)
    rows = [
        {"attributes": {"type": "Contact"}, "LastName": f"c{place}", "AccountId": account}
        for place, account in enumerate((held, free, held))
    ]
    meanwhile = api.call("POST", "/composite/sobjects", {"records": rows}).json()
    itself = api.call("PATCH", f"/sobjects/Account/{held}", {"Phone": "1"})
    api.org.admin.commit(opened["id"])
    later = api.call("POST", "/composite/sobjects", {"records": rows}).json()

    message = f"unable to obtain exclusive access to this record or 1 records: {held}"
    error = {"statusCode": "UNABLE_TO_LOCK_ROW", "message": message, "fields": []}
    assert [one["errors"] for one in meanwhile] == [[error], [], [error]]
    assert itself.error == (400, "UNABLE_TO_LOCK_ROW", message)
    assert [one["success"] for one in later] == [True] * 3
