"""Event: what people meet for, at a time or on a day."""

from __future__ import annotations

from lht.simulator.org.objects.task import ABOUT, MONTHS, ORDINALS, PEOPLE, RECURRENCES
from lht.simulator.org.objects.time_zones import zone_labels
from lht.simulator.org.schemas.fields import (
    READ_ONLY,
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

SUBJECTS = ("Call", "Email", "Meeting", "Send Letter/Quote", "Other")
KINDS = (
    ("0", "Non-group Event"),
    ("1", "Group Event"),
    ("2", "Proposed Event"),
    ("3", "IsRecurrence2 Series Pattern"),
)
PATTERNS = (("1", "RFC 5545 v4 RRULE"), ("2", "RFC 5545 v4_2 RRULE"))
OPEN: Facts = {"permissionable": False}
CHOSEN: Facts = {"permissionable": False, "restricted_picklist": True}

FIELDS = (
    record_id("Activity ID"),
    lookup("WhoId", "Name ID", PEOPLE, search_prefilterable=True, child_relationship="Events", child_cascade=True),
    lookup("WhatId", "Related To ID", ABOUT, search_prefilterable=True, child_relationship="Events", child_cascade=True),
    other("combobox", "Subject", "Subject", OPEN, length=255, picklist=choices(SUBJECTS), name_field=True, groupable=False),
    text("Location", "Location", 255),
    flag("IsAllDayEvent", "All-Day Event"),
    stamp("ActivityDateTime", "Due Date Time", OPEN),
    day("ActivityDate", "Due Date Only", OPEN, aggregatable=False),
    whole("DurationInMinutes", "Duration", 8, OPEN),
    stamp("StartDateTime", "Start Date Time", OPEN),
    stamp("EndDateTime", "End Date Time", OPEN),
    day("EndDate", "End Date", SYSTEM),
    area("Description", "Description"),
    lookup("AccountId", "Account ID", "Account", SYSTEM, search_prefilterable=True),
    owner(("Calendar", "User"), "Assigned To ID"),
    flag("IsPrivate", "Private", OPEN),
    usual(picklist("ShowAs", "Show Time As", 40, ("Busy", ("OutOfOffice", "Out of Office"), "Free"), CHOSEN), "Busy"),
    is_deleted(),
    flag("IsChild", "Is Child", SYSTEM),
    flag("IsGroupEvent", "Is Group Event", SYSTEM),
    usual(picklist("GroupEventType", "Group Event Type", 40, KINDS, CHOSEN | READ_ONLY), "0"),
    *audit(),
    flag("IsArchived", "Archived", SYSTEM),
    lookup("RecurrenceActivityId", "Recurrence Activity ID", "Event", SYSTEM, relationship_name=None,
        child_relationship="RecurringEvents"),
    flag("IsRecurrence", "Create Recurring Series of Events", OPEN, updateable=False),
    stamp("RecurrenceStartDateTime", "Recurrence Start", OPEN),
    day("RecurrenceEndDateOnly", "Recurrence End", OPEN),
    picklist("RecurrenceTimeZoneSidKey", "Recurrence Time Zone", 40, zone_labels(), CHOSEN),
    picklist("RecurrenceType", "Recurrence Type", 40, RECURRENCES, CHOSEN),
    whole("RecurrenceInterval", "Recurrence Interval", 9, OPEN),
    whole("RecurrenceDayOfWeekMask", "Recurrence Day of Week Mask", 9, OPEN),
    whole("RecurrenceDayOfMonth", "Recurrence Day of Month", 9, OPEN),
    picklist("RecurrenceInstance", "Recurrence Instance", 40, ORDINALS, CHOSEN),
    picklist("RecurrenceMonthOfYear", "Recurrence Month of Year", 40, MONTHS, CHOSEN),
    stamp("ReminderDateTime", "Reminder Date/Time", OPEN),
    flag("IsReminderSet", "Reminder Set", OPEN),
    picklist("EventSubtype", "Event Subtype", 40, ("Event",), CHOSEN, updateable=False),
    flag("IsRecurrence2Exclusion", "Historical Event, Not Following Recurrence", SYSTEM),
    area("Recurrence2PatternText", "Recurrence Pattern", 512, OPEN, updateable=False),
    picklist("Recurrence2PatternVersion", "Pattern Version", 40, PATTERNS, CHOSEN | READ_ONLY),
    flag("IsRecurrence2", "Repeat", SYSTEM),
    flag("IsRecurrence2Exception", "Is Exception", SYSTEM),
    stamp("Recurrence2PatternStartDate", "Recurrence Pattern Start Date", SYSTEM),
    text("Recurrence2PatternTimeZone", "Recurrence Pattern Time Zone Reference", 255, SYSTEM),
)  # fmt: skip

EVENT = ObjectSchema(
    "Event",
    "Event",
    "Events",
    "00U",
    FIELDS,
    flags={"feedEnabled": False},
    scopes=("delegated", "scopingRule", "team"),
)
