"""Describe: an object and its fields as the REST API shows them, every key always present."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lht.simulator.org.schemas.describe_links import is_old, listed_urls, page_urls, scopes
from lht.simulator.org.schemas.saved_facts import with_saved

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lht.simulator.org.rules.record_types import RecordType
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.schema import FieldSchema, ObjectSchema, PicklistValue

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


def describe_global(catalog: Catalog, version: str) -> Json:
    """Gives the answer of `/sobjects/`."""
    listed = [_listed(schema, version) for schema in catalog]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": listed}


def describe(
    schema: ObjectSchema,
    catalog: Catalog,
    version: str,
    *,
    types: Sequence[RecordType] = (),
    base_url: str = "",
) -> Json:
    """Gives the answer of `/sobjects/X/describe/`; fields that the user may not see are not in it."""
    flags = flags_of(schema, version)
    told = {
        "actionOverrides": [],
        **flags,
        "childRelationships": list(_children(schema, catalog)),
        "compactLayoutable": flags["layoutable"],
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
        "recordTypeInfos": [_record_type(schema, known, version) for known in types if schema.record_types],
        "searchLayoutable": flags["searchable"],
        "supportedScopes": scopes(schema, version),
        "urls": listed_urls(schema, version, flags) | page_urls(schema, version, flags, base_url),
    }
    if not is_old(version):
        told["sobjectDescribeOption"] = "FULL"
    return with_saved(told, schema.saved, version)


def _listed(schema: ObjectSchema, version: str) -> Json:
    flags = flags_of(schema, version)
    return {**flags, "urls": listed_urls(schema, version, flags)}


def flags_of(schema: ObjectSchema, version: str = "v66.0") -> Json:
    """The keys that both describes share."""
    later = {} if is_old(version) else {"associateEntityType": None, "associateParentEntity": None}
    usual = later | {
        "activateable": False,
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


def _record_type(schema: ObjectSchema, known: RecordType, version: str) -> Json:
    layout = f"/services/data/{version}/sobjects/{schema.name}/describe/layouts/{known.id}"
    return {
        "active": known.active,
        "available": known.active,
        "defaultRecordTypeMapping": known.default,
        "developerName": known.developer_name,
        "master": known.is_master,
        "name": known.name,
        "recordTypeId": known.id,
        "urls": {"layout": layout},
    }


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
