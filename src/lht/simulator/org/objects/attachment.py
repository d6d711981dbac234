"""Attachment: files that belong to a record."""

from __future__ import annotations

from lht.simulator.org.schemas.fields import (
    REQUIRED,
    SYSTEM,
    area,
    audit,
    flag,
    is_deleted,
    lookup,
    other,
    owner,
    record_id,
    text,
    whole,
)
from lht.simulator.org.schemas.schema import ObjectSchema

PARENTS = (
    "Account", "Asset", "Campaign", "Case", "Contact", "Event", "Lead", "Opportunity", "Product2", "Specimen__c", "Task",
)  # fmt: skip
BODY_LENGTH = 26_214_400
"""Bytes of the largest file an attachment may hold."""

ATTACHMENT_FIELDS = (
    record_id("Attachment ID"),
    is_deleted(),
    lookup(
        "ParentId", "Parent ID", PARENTS,
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
