from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import ApiFault
from lht.simulator.org.objects import STANDARD

if TYPE_CHECKING:
    from lht.simulator.org.org import Org

FIELD_KEYS = {
    "aggregatable", "aiPredictionField", "autoNumber", "byteLength", "calculated",
    "calculatedFormula", "cascadeDelete", "caseSensitive", "compoundFieldName", "controllerName",
    "createable", "custom", "defaultValue", "defaultValueFormula", "defaultedOnCreate",
    "dependentPicklist", "deprecatedAndHidden", "digits", "displayLocationInDecimal", "encrypted",
    "externalId", "extraTypeInfo", "filterable", "filteredLookupInfo",
    "formulaTreatNullNumberAsZero", "groupable", "highScaleNumber", "htmlFormatted", "idLookup",
    "inlineHelpText", "label", "length", "mask", "maskType", "name", "nameField", "namePointing",
    "nillable", "permissionable", "picklistValues", "polymorphicForeignKey", "precision",
    "queryByDistance", "referenceTargetField", "referenceTo", "relationshipName",
    "relationshipOrder", "restrictedDelete", "restrictedPicklist", "scale", "searchPrefilterable",
    "soapType", "sortable", "type", "unique", "updateable", "writeRequiresMasterRead",
}  # fmt: skip
OBJECT_KEYS = {
    "actionOverrides", "activateable", "associateEntityType", "associateParentEntity",
    "childRelationships", "compactLayoutable", "createable", "custom", "customSetting",
    "deepCloneable", "defaultImplementation", "deletable", "deprecatedAndHidden", "extendedBy",
    "extendsInterfaces", "feedEnabled", "fields", "hasSubtypes", "implementedBy",
    "implementsInterfaces", "isInterface", "isSubtype", "keyPrefix", "label", "labelPlural",
    "layoutable", "listviewable", "lookupLayoutable", "mergeable", "mruEnabled", "name",
    "namedLayoutInfos", "networkScopeFieldName", "queryable", "recordTypeInfos", "replicateable",
    "retrieveable", "searchLayoutable", "searchable", "sobjectDescribeOption", "supportedScopes",
    "triggerable", "undeletable", "updateable", "urls",
}  # fmt: skip
GLOBAL_KEYS = {
    "activateable", "associateEntityType", "associateParentEntity", "createable", "custom",
    "customSetting", "deepCloneable", "deletable", "deprecatedAndHidden", "feedEnabled",
    "hasSubtypes", "isInterface", "isSubtype", "keyPrefix", "label", "labelPlural", "layoutable",
    "mergeable", "mruEnabled", "name", "queryable", "replicateable", "retrieveable", "searchable",
    "triggerable", "undeletable", "updateable", "urls",
}  # fmt: skip
NAMES = [schema.name for schema in STANDARD]
ALL_TYPES = {
    "string", "boolean", "int", "long", "double", "date", "datetime", "time", "base64", "byte",
    "id", "reference", "currency", "textarea", "percent", "phone", "url", "email", "combobox",
    "picklist", "multipicklist", "anytype", "location", "encryptedstring",
    "datacategorygroupreference", "complexvalue", "json",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_every_object_and_field_has_every_key(org: Org, name: str) -> None:
    described = org.describe(name)

    assert set(described) == OBJECT_KEYS
    assert len(FIELD_KEYS) == 57
    assert all(set(field) == FIELD_KEYS for field in described["fields"])


def test_describe_global_lists_every_object_with_every_key(org: Org) -> None:
    listed = org.describe_global()

    assert [entry["name"] for entry in listed["sobjects"]] == sorted(NAMES)
    assert all(set(entry) == GLOBAL_KEYS for entry in listed["sobjects"])
    assert (listed["encoding"], listed["maxBatchSize"]) == ("UTF-8", 200)


def test_the_specimen_has_a_field_of_every_type_but_addresses(org: Org) -> None:
    assert {field["type"].lower() for field in org.describe("Specimen__c")["fields"]} == ALL_TYPES


def test_names_in_any_letter_case_find_the_object(org: Org) -> None:
    assert org.describe("sPECIMEN__C")["name"] == "Specimen__c"


def test_an_unknown_object_is_not_found(org: Org) -> None:
    with pytest.raises(ApiFault, match="NOT_FOUND: The requested resource does not exist"):
        org.describe("Nope__c")


def test_the_cursors_that_objects_offer_are_those_of_salesforce(org: Org) -> None:
    offered = {
        name: {field["name"] for field in org.describe(name)["fields"] if field["type"] == "datetime"}
        for name in NAMES
    }

    assert offered["AccountHistory"] == {"CreatedDate"}
    assert offered["AccountShare"] == {"LastModifiedDate"}
    assert offered["OpportunityHistory"] == {"CreatedDate", "SystemModstamp"}
    assert all(
        "SystemModstamp" in stamps
        for name, stamps in offered.items()
        if not name.endswith(("History", "Share"))
    )


def test_shares_cannot_be_replicated_and_users_cannot_be_deleted(org: Org) -> None:
    listed = {entry["name"]: entry for entry in org.describe_global()["sobjects"]}

    assert not listed["AccountShare"]["replicateable"]
    assert not listed["User"]["deletable"]
    assert listed["User"]["replicateable"]


@pytest.mark.parametrize("name", NAMES)
def test_booleans_always_have_a_value_and_formulas_cannot_be_written(org: Org, name: str) -> None:
    fields = org.describe(name)["fields"]

    assert not [f["name"] for f in fields if f["type"] == "boolean" and f["nillable"]]
    assert not [f["name"] for f in fields if f["calculated"] and (f["createable"] or f["updateable"])]


@pytest.mark.parametrize("name", ["Account", "Contact", "Opportunity"])
def test_external_ids_are_unique_and_found_by(org: Org, name: str) -> None:
    field = next(f for f in org.describe(name)["fields"] if f["name"] == "ExternalId__c")

    assert (field["externalId"], field["unique"], field["idLookup"], field["custom"]) == (
        True,
        True,
        True,
        True,
    )


def test_urls_carry_the_version_that_was_asked(org: Org) -> None:
    assert (
        org.describe("Account", version="v40.0")["urls"]["sobject"] == "/services/data/v40.0/sobjects/Account"
    )
