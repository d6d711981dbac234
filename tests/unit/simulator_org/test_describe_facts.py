"""Facts of real describes, written down here: what was recorded of seven objects, field by field and key by key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lht.simulator.org.org import Org

if TYPE_CHECKING:
    from collections.abc import Iterator

FACTS = json.loads((Path(__file__).parents[2] / "fixtures" / "describes" / "facts.json").read_text("utf-8"))
OBJECTS: dict[str, dict[str, Any]] = FACTS["objects"]
OURS = {"ExternalId__c", "Specimen__c"}
"""A field and an object that only the local org has."""
KEYS = 57


def fields_of(org: Org, name: str) -> dict[str, Any]:
    found = org.describe(name, version=OBJECTS[name]["version"])["fields"]
    return {field["name"]: field for field in found if field["name"] not in OURS}


def entries(told: list[Any]) -> list[list[str]]:
    """Writes picklist entries as the facts do; of very long lists both ends are known."""
    assert all(entry["active"] and entry["validFor"] is None for entry in told)
    found = [
        [entry["value"], *([entry["label"]] * (entry["label"] != entry["value"] or entry["defaultValue"]))]
        + ["default"] * entry["defaultValue"]
        for entry in told
    ]
    return found if len(found) <= 100 else [*found[:3], "...", *found[-3:]]  # type: ignore[list-item]


@pytest.fixture(scope="module")
def whole() -> Iterator[Org]:
    org = Org.open()
    yield org
    org.close()


@pytest.mark.parametrize("name", OBJECTS)
def test_fields_have_the_recorded_facts_in_the_recorded_order(whole: Org, name: str) -> None:
    told = fields_of(whole, name)

    assert list(told) == list(OBJECTS[name]["fields"])
    for field, facts in OBJECTS[name]["fields"].items():
        wanted = FACTS["usual"] | {"name": field, **facts}
        found = told[field] | {"referenceTo": [to for to in told[field]["referenceTo"] if to not in OURS]}
        if found["picklistValues"]:
            found["picklistValues"] = entries(found["picklistValues"])
        assert len(found) == KEYS
        assert found == wanted


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_have_the_recorded_flags_scopes_and_addresses(whole: Org, name: str) -> None:
    facts = OBJECTS[name]
    told = whole.describe(name, version=facts["version"], base_url="http://127.0.0.1:8")

    assert {key: value for key, value in told.items() if not isinstance(value, list | dict)} == facts["flags"]
    assert [[scope["name"], scope["label"]] for scope in told["supportedScopes"]] == facts["scopes"]
    assert sorted(told["urls"]) == facts["urls"]
    assert told["urls"]["sobject"] == f"/services/data/{facts['version']}/sobjects/{name}"
    assert all(told["urls"][key].startswith("http://127.0.0.1:8/") for key in told["urls"] if key[:2] == "ui")


@pytest.mark.parametrize("name", OBJECTS)
def test_children_that_are_here_are_related_as_recorded(whole: Org, name: str) -> None:
    told = whole.describe(name)["childRelationships"]
    found = [
        [child["childSObject"], child["field"], child["relationshipName"]]
        + ["cascade"] * child["cascadeDelete"]
        + ["restricted"] * child["restrictedDelete"]
        for child in told
        if child["childSObject"] not in OURS
    ]

    assert found == OBJECTS[name]["children"]
    assert all(not child["deprecatedAndHidden"] and child["junctionIdListNames"] == [] for child in told)


@pytest.mark.parametrize("name", ["Account", "Contact"])
def test_record_types_end_with_the_master(whole: Org, name: str) -> None:
    *others, master = whole.describe(name)["recordTypeInfos"]

    assert bool(others) == (name == "Account")
    assert [known["defaultRecordTypeMapping"] for known in (*others, master)].count(True) == 1
    assert (master["recordTypeId"], master["master"], master["developerName"]) == (
        "012000000000000AAA",
        True,
        "Master",
    )
    assert all(known.keys() == master.keys() and not known["master"] for known in others)


def test_contact_roles_have_no_record_types(whole: Org) -> None:
    assert whole.describe("OpportunityContactRole")["recordTypeInfos"] == []


def test_prefixes_are_those_of_salesforce(whole: Org) -> None:
    prefixes = {entry["name"]: entry["keyPrefix"] for entry in whole.describe_global()["sobjects"]}

    assert {name: prefixes[name] for name in PREFIXES} == PREFIXES


PREFIXES = {
    "Account": "001", "AccountHistory": "017", "AccountShare": "00r", "Asset": "02i", "Attachment": "00P", "Calendar": "023",
    "Campaign": "701", "CampaignHistory": "017", "CampaignMember": "00v", "CampaignMemberStatus": "01Y", "CampaignShare": "08s",
    "Case": "500", "CaseHistory": "017", "CaseShare": "01n", "Contact": "003", "ContactHistory": "017", "ContactShare": "03s",
    "DandBCompany": "06E", "Event": "00U", "Group": "00G", "Individual": "0PK", "Lead": "00Q", "LeadHistory": "017",
    "LeadShare": "01o", "OperatingHours": "0OH", "Opportunity": "006", "OpportunityContactRole": "00K",
    "OpportunityFieldHistory": "017", "OpportunityHistory": "008", "OpportunityLineItem": "00k", "OpportunityShare": "00t",
    "Organization": "00D", "Pricebook2": "01s", "PricebookEntry": "01u", "Product2": "01t", "Product2History": "017",
    "Profile": "00e", "RecordType": "012", "Task": "00T", "User": "005", "UserRole": "00E",
}  # fmt: skip
