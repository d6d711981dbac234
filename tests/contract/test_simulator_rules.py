"""Salesforce's rules for records, and their admin resources, over HTTP."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lht.simulator.errors import SimulatorError
from lht.testing import simulator
from lht.testing.caller import Caller

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
    return running


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
