"""Our describes against those recorded from a real org; not collected where the recordings are not at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lht.simulator.org.objects import STANDARD

if TYPE_CHECKING:
    from lht.simulator.org.org import Org

BESIDE = Path(__file__).parents[4] / "shared" / "describes"
RECORDINGS = Path(os.environ.get("LHT_RECORDED_DESCRIBES") or BESIDE)
OURS = {"ExternalId__c", "Specimen__c"}
"""A field and an object that only the local org has."""
THEIRS = {"Primary_Contact__c", "ns__Description__c", "History__c", "ns__LinkedAccount__c"}
"""Custom fields of the recorded org."""
OBJECTS = ["Account", "Contact", "Event", "Opportunity"]
NESTED = {"fields", "childRelationships", "recordTypeInfos", "urls"}
HERE = {schema.name for schema in STANDARD}


def recorded(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((RECORDINGS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def told(org: Org, name: str) -> dict[str, Any]:
    """Describes in the form of the recording: one of them is of an old version."""
    return org.describe(name, version="v58.0" if "sobjectDescribeOption" in recorded(name) else "v48.0")


@pytest.mark.parametrize("name", OBJECTS)
def test_fields_are_as_recorded_key_by_key(org: Org, name: str) -> None:
    theirs = [field for field in recorded(name)["fields"] if field["name"] not in THEIRS]
    ours = [field for field in told(org, name)["fields"] if field["name"] not in OURS]
    for field in theirs:
        field["referenceTo"] = [target for target in field["referenceTo"] if target in HERE]
    for field in ours:
        field["referenceTo"] = [target for target in field["referenceTo"] if target not in OURS]

    assert ours == theirs


@pytest.mark.parametrize("name", OBJECTS)
def test_objects_have_the_recorded_keys_and_values(org: Org, name: str) -> None:
    theirs, ours = recorded(name), told(org, name)

    assert ours.keys() == theirs.keys()
    assert {key: ours[key] for key in ours if key not in NESTED} == {
        key: theirs[key] for key in theirs if key not in NESTED
    }
    assert ours["urls"].keys() == theirs["urls"].keys()
    assert ours["recordTypeInfos"][-1].keys() == theirs["recordTypeInfos"][-1].keys()


@pytest.mark.parametrize("name", OBJECTS)
def test_children_that_are_here_are_related_as_recorded(org: Org, name: str) -> None:
    theirs = [child for child in recorded(name)["childRelationships"] if child["childSObject"] in HERE]
    ours = [child for child in told(org, name)["childRelationships"] if child["childSObject"] not in OURS]

    assert ours == theirs
