"""Describe: an object and its fields as the REST API shows them, every key always present."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lht.simulator.org.saved_facts import with_saved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.simulator.org.catalog import Catalog
    from lht.simulator.org.schema import FieldSchema, ObjectSchema, PicklistValue

Json = dict[str, Any]

SOAP_TYPES = {
    "id": "tns:ID",
    "reference": "tns:ID",
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "long": "xsd:long",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "base64": "xsd:base64Binary",
    "byte": "xsd:byte",
    "anytype": "xsd:anyType",
    "address": "urn:address",
    "location": "urn:location",
    "json": "tns:json",
}

MASTER_RECORD_TYPE = "012000000000000AAA"


def describe_global(catalog: Catalog, version: str) -> Json:
    """Gives the answer of `/sobjects/`."""
    listed = [_listed(schema, version) for schema in catalog]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed}


def describe(schema: ObjectSchema, catalog: Catalog, version: str) -> Json:
    """Gives the answer of `/sobjects/X/describe/`; fields that the user may not see are not in it."""
    told = {
        "actionOverrides": [],
        **flags_of(schema),
        "childRelationships": list(_children(schema, catalog)),
        "compactLayoutable": schema.updateable,
        "defaultImplementation": None,
        "extendedBy": None,
        "extendsInterfaces": None,
        "fields": [describe_field(field) for field in schema.fields if not field.hidden],
        "implementedBy": None,
        "implementsInterfaces": None,
        "listviewable": None,
        "lookupLayoutable": None,
        "namedLayoutInfos": [],
        "networkScopeFieldName": None,
        "recordTypeInfos": [_master_record_type(schema, version)],
        "searchLayoutable": schema.updateable,
        "sobjectDescribeOption": "FULL",
        "supportedScopes": _scopes(schema),
        "urls": _urls(schema, version, whole=True),
    }
    return with_saved(told, schema.saved, version)


def _listed(schema: ObjectSchema, version: str) -> Json:
    return {**flags_of(schema), "urls": _urls(schema, version, whole=False)}


def flags_of(schema: ObjectSchema) -> Json:
    """The keys that both describes share."""
    usual = {
        "activateable": False,
        "associateEntityType": None,
        "associateParentEntity": None,
        "createable": schema.createable,
        "custom": schema.custom,
        "customSetting": False,
        "deepCloneable": False,
        "deletable": schema.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": schema.undeletable,
        "hasSubtypes": False,
        "isInterface": False,
        "isSubtype": False,
        "keyPrefix": schema.key_prefix,
        "label": schema.label,
        "labelPlural": schema.label_plural,
        "layoutable": schema.updateable,
        "mergeable": schema.mergeable,
        "mruEnabled": schema.updateable,
        "name": schema.name,
        "queryable": schema.queryable,
        "replicateable": schema.replicateable,
        "retrieveable": True,
        "searchable": schema.updateable,
        "triggerable": schema.updateable,
        "undeletable": schema.undeletable,
        "updateable": schema.updateable,
    }
    return usual | dict(schema.flags)


def _children(schema: ObjectSchema, catalog: Catalog) -> Iterator[Json]:
    for child, field in catalog.children(schema):
        if field.hidden or field.name == "MasterRecordId":  # the trace of a merge is no relationship
            continue
        if schema.saved and field.saved:  # the saved describe of the parent has it, or does not want it
            continue
        yield {
            "cascadeDelete": field.child_cascade,
            "childSObject": child.name,
            "deprecatedAndHidden": False,
            "field": field.name,
            "junctionIdListNames": [],
            "junctionReferenceTo": [],
            "relationshipName": field.child_relationship,
            "restrictedDelete": field.child_restricted,
        }


def _master_record_type(schema: ObjectSchema, version: str) -> Json:
    layout = f"/services/data/{version}/sobjects/{schema.name}/describe/layouts/{MASTER_RECORD_TYPE}"
    return {
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": True,
        "developerName": "Master",
        "master": True,
        "name": "Master",
        "recordTypeId": MASTER_RECORD_TYPE,
        "urls": {"layout": layout},
    }


def _scopes(schema: ObjectSchema) -> list[Json]:
    scopes = [{"label": f"All {schema.label_plural.lower()}", "name": "everything"}]
    if schema.find("OwnerId"):
        scopes.append({"label": f"My {schema.label_plural.lower()}", "name": "mine"})
    return scopes


def _urls(schema: ObjectSchema, version: str, *, whole: bool) -> Json:
    base = f"/services/data/{version}/sobjects/{schema.name}"
    urls = {"rowTemplate": f"{base}/{{ID}}", "describe": f"{base}/describe", "sobject": base}
    if whole or schema.updateable:
        urls |= {"layouts": f"{base}/describe/layouts", "compactLayouts": f"{base}/describe/compactLayouts"}
        urls |= {
            "approvalLayouts": f"{base}/describe/approvalLayouts",
            "quickActions": f"{base}/quickActions",
        }
        urls |= {
            "listviews": f"{base}/listviews",
            "defaultValues": f"{base}/defaultValues?recordTypeId&fields",
        }
    return urls


SAME_FOR_ALL: Json = {
    "aiPredictionField": False,
    "controllerName": None,
    "defaultValueFormula": None,
    "dependentPicklist": False,
    "deprecatedAndHidden": False,
    "filteredLookupInfo": None,
    "formulaTreatNullNumberAsZero": False,
    "highScaleNumber": False,
    "referenceTargetField": None,
    "relationshipOrder": None,
    "restrictedDelete": False,
    "writeRequiresMasterRead": False,
}
"""What no field of this org has."""


def describe_field(field: FieldSchema) -> Json:
    """Gives the 57 keys of a field."""
    kind = field.type.lower()
    return {
        **SAME_FOR_ALL,
        "aggregatable": field.aggregatable,
        "autoNumber": field.auto_number,
        "byteLength": 3 * field.length if field.byte_length is None else field.byte_length,
        "calculated": field.calculated,
        "calculatedFormula": field.calculated_formula,
        "cascadeDelete": field.cascade_delete,
        "caseSensitive": field.case_sensitive,
        "compoundFieldName": field.compound_field_name,
        "createable": field.createable and not field.read_only,
        "custom": field.custom,
        "defaultValue": field.default_value,
        "defaultedOnCreate": field.defaulted_on_create,
        "digits": field.digits,
        "displayLocationInDecimal": kind == "location",
        "encrypted": field.encrypted,
        "externalId": field.external_id,
        "extraTypeInfo": field.extra_type_info,
        "filterable": field.filterable,
        "groupable": field.groupable,
        "htmlFormatted": field.html_formatted,
        "idLookup": field.id_lookup,
        "inlineHelpText": field.help_text,
        "label": field.label or field.name,
        "length": field.length,
        "mask": field.mask,
        "maskType": field.mask_type,
        "name": field.name,
        "nameField": field.name_field,
        "namePointing": len(field.reference_to) > 1,
        "nillable": field.nillable,
        "permissionable": field.permissionable,
        "picklistValues": [_entry(entry) for entry in field.picklist],
        "polymorphicForeignKey": len(field.reference_to) > 1,
        "precision": field.precision,
        "queryByDistance": kind in {"address", "location"},
        "referenceTo": list(field.reference_to),
        "relationshipName": field.relationship_name,
        "restrictedPicklist": field.restricted_picklist,
        "scale": field.scale,
        "searchPrefilterable": field.search_prefilterable,
        "soapType": SOAP_TYPES.get(kind, "xsd:string"),
        "sortable": field.sortable,
        "type": field.type,
        "unique": field.unique,
        "updateable": field.updateable and not field.read_only,
        **dict(field.saved),
    }


def _entry(entry: PicklistValue) -> Json:
    return {
        "active": entry.active,
        "defaultValue": entry.default,
        "label": entry.label or entry.value,
        "validFor": None,
        "value": entry.value,
    }
