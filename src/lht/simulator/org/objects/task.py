"""Task: what people did or will do, about a person and a thing."""

from __future__ import annotations

from lht.simulator.org.objects.time_zones import zone_labels
from lht.simulator.org.schemas.fields import (
    REQUIRED,
    SYSTEM,
    Facts,
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
    usual,
    whole,
)
from lht.simulator.org.schemas.schema import ObjectSchema

SUBJECTS = ("Call", "Email", "Send Letter", "Send Quote", "Other")
STATUSES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")

PEOPLE = ("Contact", "Lead")
ABOUT = ("Account", "Asset", "Campaign", "Case", "Opportunity", "Product2", "Specimen__c")
"""What an activity may be about, of the objects of this org."""
RECURRENCES = (
    ("RecursDaily", "Recurs Daily"),
    ("RecursEveryWeekday", "Recurs Every Weekday"),
    ("RecursMonthly", "Recurs Monthly"),
    ("RecursMonthlyNth", "Recurs Monthly Nth"),
    ("RecursWeekly", "Recurs Weekly"),
    ("RecursYearly", "Recurs Yearly"),
    ("RecursYearlyNth", "Recurs Yearly Nth"),
)
ORDINALS = (("First", "1st"), ("Second", "2nd"), ("Third", "3rd"), ("Fourth", "4th"), ("Last", "last"))
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip

REGENERATIONS = (
    ("RecurrenceRegenerateAfterDueDate", "After due date"),
    ("RecurrenceRegenerateAfterToday", "After date completed"),
    ("RecurrenceRegenerated", "(Task Closed)"),
)
OPEN: Facts = {"permissionable": False}
CHOSEN: Facts = {"permissionable": False, "restricted_picklist": True}

SUBJECT = other(
    "combobox",
    "Subject",
    "Subject",
    length=255,
    picklist=choices(SUBJECTS),
    name_field=True,
    groupable=False,
    permissionable=False,
)

FIELDS = (
    record_id("Activity ID"),
    lookup("WhoId", "Name ID", PEOPLE, search_prefilterable=True, child_relationship="Tasks", child_cascade=True),
    lookup("WhatId", "Related To ID", ABOUT, search_prefilterable=True, child_relationship="Tasks", child_cascade=True),
    SUBJECT,
    day("ActivityDate", "Due Date Only", aggregatable=False),
    usual(picklist("Status", "Status", 255, STATUSES, REQUIRED), "Not Started"),
    usual(picklist("Priority", "Priority", 255, ("High", "Normal", "Low"), REQUIRED), "Normal"),
    flag("IsHighPriority", "High Priority", also=SYSTEM),
    owner(("Group", "User"), "Assigned To ID"),
    area("Description", "Description"),
    is_deleted(),
    lookup("AccountId", "Account ID", "Account", also=SYSTEM, search_prefilterable=True),
    flag("IsClosed", "Closed", also=SYSTEM),
    *audit(),
    flag("IsArchived", "Archived", also=SYSTEM),
    whole("CallDurationInSeconds", "Call Duration", 8),
    picklist("CallType", "Call Type", 40, ("Internal", "Inbound", "Outbound"), restricted_picklist=True),
    text("CallDisposition", "Call Result", 255),
    text("CallObject", "Call Object Identifier", 255),
    stamp("ReminderDateTime", "Reminder Date/Time", OPEN),
    flag("IsReminderSet", "Reminder Set", OPEN),
    lookup("RecurrenceActivityId", "Recurrence Activity ID", "Task", SYSTEM, relationship_name=None,
        child_relationship="RecurringTasks"),
    flag("IsRecurrence", "Create Recurring Series of Tasks", OPEN, updateable=False),
    day("RecurrenceStartDateOnly", "Recurrence Start", OPEN),
    day("RecurrenceEndDateOnly", "Recurrence End", OPEN),
    picklist("RecurrenceTimeZoneSidKey", "Recurrence Time Zone", 40, zone_labels(), CHOSEN),
    picklist("RecurrenceType", "Recurrence Type", 40, RECURRENCES, CHOSEN),
    whole("RecurrenceInterval", "Recurrence Interval", 9, OPEN),
    whole("RecurrenceDayOfWeekMask", "Recurrence Day of Week Mask", 9, OPEN),
    whole("RecurrenceDayOfMonth", "Recurrence Day of Month", 9, OPEN),
    picklist("RecurrenceInstance", "Recurrence Instance", 40, ORDINALS, CHOSEN),
    picklist("RecurrenceMonthOfYear", "Recurrence Month of Year", 40, MONTHS, CHOSEN),
    picklist("RecurrenceRegeneratedType", "Repeat This Task", 40, REGENERATIONS, CHOSEN),
    picklist("TaskSubtype", "Task Subtype", 40, ("Task", "Email", "ListEmail", "Cadence", "Call", "LinkedIn"), CHOSEN, updateable=False),
    stamp("CompletedDateTime", "Completed Date/Time", also=SYSTEM),
)  # fmt: skip

TASK = ObjectSchema("Task", "Task", "Tasks", "00T", FIELDS, scopes=("delegated", "scopingRule", "team"))
