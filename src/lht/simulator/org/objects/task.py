"""Task: what people did or will do, about a person and a thing."""

from __future__ import annotations

from lht.simulator.org.fields import (
    SYSTEM,
    area,
    audit,
    choices,
    day,
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

SUBJECTS = ("Call", "Email", "Send Letter", "Send Quote", "Other")
STATUSES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")

SUBJECT = other(
    "combobox",
    "Subject",
    "Subject",
    length=255,
    picklist=choices(SUBJECTS),
)

FIELDS = (
    record_id("Activity ID"),
    lookup("WhoId", "Name ID", ("Contact", "Lead"), child_relationship="Tasks", child_cascade=True),
    lookup(
        "WhatId", "Related To ID", ("Account", "Opportunity", "Specimen__c"), child_relationship="Tasks", child_cascade=True
    ),
    SUBJECT,
    day("ActivityDate", "Due Date Only"),
    picklist(
        "Status", "Status", 255, STATUSES, nillable=False, permissionable=False, defaulted_on_create=True,
        default_value="Not Started",
    ),
    picklist(
        "Priority", "Priority", 255, ("High", "Normal", "Low"), nillable=False, permissionable=False,
        defaulted_on_create=True, default_value="Normal",
    ),
    flag("IsHighPriority", "High Priority", also=SYSTEM),
    owner(("Group", "User"), "Assigned To ID"),
    area("Description", "Description"),
    is_deleted(),
    lookup("AccountId", "Account ID", "Account", also=SYSTEM),
    flag("IsClosed", "Closed", also=SYSTEM),
    *audit(),
    flag("IsArchived", "Archived", also=SYSTEM),
    whole("CallDurationInSeconds", "Call Duration", 8),
    picklist("CallType", "Call Type", 40, ("Internal", "Inbound", "Outbound"), restricted_picklist=True),
    text("CallDisposition", "Call Result", 255),
    picklist("TaskSubtype", "Task Subtype", 40, ("Task", "Email", "ListEmail", "Call"), updateable=False, restricted_picklist=True),
    stamp("CompletedDateTime", "Completed Date", also=SYSTEM),
)  # fmt: skip

TASK = ObjectSchema("Task", "Task", "Tasks", "00T", FIELDS)
