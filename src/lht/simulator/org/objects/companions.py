"""The objects that follow another one: history, sharing and files."""

from __future__ import annotations

from lht.simulator.org.fields import (
    REQUIRED,
    SYSTEM,
    Facts,
    area,
    audit,
    created,
    flag,
    is_deleted,
    lookup,
    other,
    owner,
    picklist,
    record_id,
    stamp,
    text,
    whole,
)
from lht.simulator.org.schema import ObjectSchema

LEVELS = ("Read", "Edit", "All")
CAUSES = ("Owner", "Manual", "Rule", "ImplicitChild", "ImplicitParent", "Team", "Territory")
TRACKED = (
    "created",
    "Name",
    "Type",
    "Industry",
    "Rating",
    "Owner",
    "Phone",
    "Website",
    "AnnualRevenue",
    "NumberOfEmployees",
)
KINDS = ("Text", "DynamicEnum", "EntityId", "Double", "Boolean", "DateTime")

FIXED: Facts = SYSTEM | {"nillable": False, "restricted_picklist": True}
OPAQUE: Facts = SYSTEM | {"filterable": False, "sortable": False, "groupable": False}

HISTORY_FIELDS = (
    record_id("History ID"),
    is_deleted(),
    lookup(
        "AccountId",
        "Account ID",
        "Account",
        child_relationship="Histories",
        child_cascade=True,
        nillable=False,
        also=SYSTEM,
    ),
    *reversed(created()),
    picklist("Field", "Changed Field", 255, TRACKED, also=FIXED),
    picklist("DataType", "Datatype", 40, KINDS, also=FIXED),
    other("anyType", "OldValue", "Old Value", length=765, byte_length=765, also=OPAQUE),
    other("anyType", "NewValue", "New Value", length=765, byte_length=765, also=OPAQUE),
)

ACCOUNT_HISTORY = ObjectSchema(
    "AccountHistory",
    "Account History",
    "Account History",
    "017",
    HISTORY_FIELDS,
    createable=False,
    updateable=False,
    deletable=False,
    undeletable=False,
)

SHARE_FIELDS = (
    record_id("Account Share ID"),
    lookup(
        "AccountId",
        "Account ID",
        "Account",
        child_relationship="Shares",
        child_cascade=True,
        updateable=False,
        also=REQUIRED,
    ),
    lookup(
        "UserOrGroupId",
        "User/Group ID",
        ("Group", "User"),
        updateable=False,
        relationship_name="UserOrGroup",
        also=REQUIRED,
    ),
    picklist("AccountAccessLevel", "Account Access", 40, LEVELS, restricted_picklist=True, also=REQUIRED),
    picklist(
        "OpportunityAccessLevel",
        "Opportunity Access",
        40,
        ("None", *LEVELS),
        restricted_picklist=True,
        also=REQUIRED,
    ),
    picklist(
        "CaseAccessLevel", "Case Access", 40, ("None", *LEVELS), restricted_picklist=True, also=REQUIRED
    ),
    picklist(
        "ContactAccessLevel",
        "Contact Access",
        40,
        ("None", *LEVELS),
        restricted_picklist=True,
        permissionable=False,
    ),
    picklist(
        "RowCause", "Row Cause", 40, CAUSES, restricted_picklist=True, updateable=False, permissionable=False
    ),
    stamp("LastModifiedDate", "Last Modified Date", nillable=False, defaulted_on_create=True, also=SYSTEM),
    lookup(
        "LastModifiedById",
        "Last Modified By ID",
        "User",
        nillable=False,
        defaulted_on_create=True,
        also=SYSTEM,
    ),
    is_deleted(),
)

ACCOUNT_SHARE = ObjectSchema(
    "AccountShare",
    "Account Share",
    "Account Share",
    "00r",
    SHARE_FIELDS,
    undeletable=False,
    replicateable=False,
)

BODY_LENGTH = 26_214_400
"""Bytes of the largest file an attachment may hold."""

ATTACHMENT_FIELDS = (
    record_id("Attachment ID"),
    is_deleted(),
    lookup(
        "ParentId", "Parent ID", ("Account", "Contact", "Opportunity", "Task", "Specimen__c"),
        child_relationship="Attachments", child_cascade=True, updateable=False, also=REQUIRED,
    ),
    text("Name", "File Name", 255, name_field=True, also=REQUIRED),
    flag("IsPrivate", "Private", permissionable=False),
    text("ContentType", "Content Type", 120, permissionable=False),
    whole("BodyLength", "Body Length", 9, filterable=False, also=SYSTEM),
    other("base64", "Body", "Body", nillable=False, permissionable=False, filterable=False, sortable=False, groupable=False,
        aggregatable=False, length=BODY_LENGTH, byte_length=BODY_LENGTH,
    ),
    owner(),
    *audit(),
    area("Description", "Description", 500, filterable=True, sortable=True, permissionable=False),
)  # fmt: skip

ATTACHMENT = ObjectSchema("Attachment", "Attachment", "Attachments", "00P", ATTACHMENT_FIELDS, bulk=False)
