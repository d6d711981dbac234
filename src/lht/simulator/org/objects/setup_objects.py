"""What an administrator sets up: record types, groups and queues, profiles, roles, calendars."""

from __future__ import annotations

from lht.simulator.org.schemas.fields import (
    READ_ONLY,
    REQUIRED,
    SYSTEM,
    Facts,
    area,
    audit,
    email,
    flag,
    lookup,
    picklist,
    record_id,
    stamp,
    text,
    usual,
)
from lht.simulator.org.schemas.schema import ObjectSchema

CHOSEN: Facts = REQUIRED | {"restricted_picklist": True}
FIXED: Facts = SYSTEM | {"nillable": False}
QUIET = {"layoutable": False, "mruEnabled": False, "triggerable": False, "feedEnabled": False}

RECORD_TYPE_FIELDS = (
    record_id("Record Type ID"),
    text("Name", "Name", 80, REQUIRED, name_field=True),
    text("DeveloperName", "Record Type Name", 80, REQUIRED),
    text("NamespacePrefix", "Namespace Prefix", 15, SYSTEM),
    text("Description", "Description", 255, permissionable=False),
    picklist(
        "SobjectType", "SObject Type Name", 40,
        ("Account", "Campaign", "CampaignMember", "Case", "Contact", "Event", "Lead", "Opportunity", "Pricebook2", "Product2", "Task"),
        REQUIRED, updateable=False,
    ),
    flag("IsActive", "Active", createable=False, permissionable=False),
    *audit(),
)  # fmt: skip

RECORD_TYPE = ObjectSchema(
    "RecordType", "Record Type", "Record Types", "012", RECORD_TYPE_FIELDS,
    createable=False, updateable=False, deletable=False, undeletable=False, record_types=False,
)  # fmt: skip

GROUP_TYPES = (
    "Regular", "Role", "RoleAndSubordinates", "Organization", "Territory", "TerritoryAndSubordinates", "Queue", "Manager",
    "ManagerAndSubordinatesInternal",
)  # fmt: skip

GROUP_FIELDS = (
    record_id("Group ID"),
    text("Name", "Name", 40, REQUIRED, name_field=True),
    text("DeveloperName", "Developer Name", 80, permissionable=False),
    lookup("RelatedId", "Related ID", ("User", "UserRole"), SYSTEM),
    usual(picklist("Type", "Type", 40, GROUP_TYPES, CHOSEN, updateable=False), "Regular"),
    email("Email", "Email", length=255, permissionable=False),
    lookup("OwnerId", "Owner ID", ("Organization", "User"), SYSTEM, nillable=False, defaulted_on_create=True),
    flag("DoesSendEmailToMembers", "Send Email to Members", permissionable=False),
    flag("DoesIncludeBosses", "Include Bosses", default=True, permissionable=False),
    *audit(),
    area("Description", "Description", permissionable=False),
)

GROUP = ObjectSchema(
    "Group", "Group", "Group", "00G", GROUP_FIELDS, undeletable=False, flags=QUIET, record_types=False
)

PROFILE_FIELDS = (
    record_id("Profile ID"),
    text("Name", "Name", 255, REQUIRED, name_field=True),
    flag("PermissionsApiEnabled", "API Enabled", READ_ONLY, permissionable=False),
    flag("PermissionsModifyAllData", "Modify All Data", READ_ONLY, permissionable=False),
    flag("PermissionsViewAllData", "View All Data", READ_ONLY, permissionable=False),
    picklist(
        "UserType", "User Type", 40, ("Standard", "PowerPartner", "CsnOnly"), SYSTEM, restricted_picklist=True
    ),
    *audit(),
    text("Description", "Description", 255, permissionable=False),
    stamp("LastViewedDate", "Last Viewed Date", SYSTEM),
    stamp("LastReferencedDate", "Last Referenced Date", SYSTEM),
)

PROFILE = ObjectSchema(
    "Profile", "Profile", "Profile", "00e", PROFILE_FIELDS,
    createable=False, updateable=False, deletable=False, undeletable=False, record_types=False,
)  # fmt: skip

ROLE_FIELDS = (
    record_id("Role ID"),
    text("Name", "Name", 80, REQUIRED, name_field=True),
    lookup("ParentRoleId", "Parent Role ID", "UserRole", permissionable=False),
    text("RollupDescription", "Description", 80, permissionable=False),
    *audit()[2:],
    text("DeveloperName", "Developer Name", 80, permissionable=False),
    lookup("PortalAccountId", "Account ID", "Account", permissionable=False, updateable=False),
)

USER_ROLE = ObjectSchema(
    "UserRole",
    "Role",
    "Role",
    "00E",
    ROLE_FIELDS,
    undeletable=False,
    flags=QUIET | {"searchable": True},
    record_types=False,
)

CALENDAR_FIELDS = (
    record_id("Calendar ID"),
    text("Name", "Calendar Name", 80, FIXED, name_field=True),
    lookup("UserId", "User ID", "User", SYSTEM),
    picklist(
        "Type",
        "Calendar Type",
        40,
        ("User", "Public", "Resource", "Holiday"),
        FIXED,
        restricted_picklist=True,
    ),
    flag("IsActive", "Active", SYSTEM),
    *audit(),
)

CALENDAR = ObjectSchema(
    "Calendar", "Calendar", "Calendar", "023", CALENDAR_FIELDS,
    createable=False, updateable=False, deletable=False, undeletable=False, record_types=False,
)  # fmt: skip
