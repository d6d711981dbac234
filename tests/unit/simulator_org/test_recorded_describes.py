"""Our describes against those recorded from a real org; not collected where the recordings are not at hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lht.simulator.org.org import Org

RECORDINGS = Path(__file__).parents[4] / "shared" / "describes"
OURS = {"ExternalId__c"}
"""Fields that the local org adds."""
OBJECTS = ["Account", "Contact", "Opportunity"]
NESTED = {"fields", "childRelationships", "recordTypeInfos", "urls", "supportedScopes", "actionOverrides"}


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize("name", OBJECTS)
def test_fields_are_as_recorded_key_by_key(org: Org, name: str) -> None:
    theirs = {field["name"]: field for field in recorded(name)["fields"]}
    ours = {field["name"]: field for field in org.describe(name)["fields"] if field["name"] not in OURS}

    assert ours == {field: theirs[field] for field in ours}


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_have_the_recorded_keys_and_flags(org: Org, name: str) -> None:
    theirs, ours = recorded(name), org.describe(name)
    flags = set(theirs) - NESTED

    assert set(theirs) <= set(ours)
    assert {key: ours[key] for key in flags} == {key: theirs[key] for key in flags}


@pytest.mark.parametrize("name", OBJECTS)
def test_standard_children_are_related_as_recorded(org: Org, name: str) -> None:
    theirs = {(c["childSObject"], c["field"]): c for c in recorded(name)["childRelationships"]}
    ours = {(c["childSObject"], c["field"]): c for c in org.describe(name)["childRelationships"]}
    standard = {key for key in ours if key[0] != "Specimen__c"}

    assert {key: ours[key] for key in standard} == {key: theirs[key] for key in standard}


def test_accounts_carry_at_least_forty_fields(org: Org) -> None:
    assert len(org.describe("Account")["fields"]) >= 40


@pytest.mark.parametrize("name", ["Account", "Contact", "Event", "Opportunity"])
def test_an_org_made_from_the_recordings_tells_them_again(name: str) -> None:
    from lht.simulator.org.org import Org

    org = Org.open(records=50, from_describe=RECORDINGS)
    told, theirs = org.describe(name), recorded(name)
    org.close()
    wanted = at_our_version({key: value for key, value in theirs.items() if key != "urls"})

    assert {field["name"]: field for field in told["fields"]} == {f["name"]: f for f in wanted["fields"]}
    assert {key: told[key] for key in wanted if key != "fields"} == {
        key: wanted[key] for key in wanted if key != "fields"
    }


def at_our_version(body: dict[str, Any]) -> dict[str, Any]:
    """Recordings have other versions in their addresses, or none that can be read."""
    found: dict[str, Any] = json.loads(
        re.sub(r"/services/data/v[^/]+/", "/services/data/v66.0/", json.dumps(body))
    )
    return found
