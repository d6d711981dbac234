"""Case: what customers ask or complain about."""

from __future__ import annotations

from lht.simulator.org.objects.picklists import CASE_ORIGINS, CASE_REASONS, CASE_STATUSES, CASE_TYPES
from lht.simulator.org.schemas.fields import (
    SYSTEM,
    Facts,
    area,
    audit,
    email,
    flag,
    is_deleted,
    lookup,
    owner,
    phone,
    picklist,
    record_id,
    stamp,
    text,
    usual,
    viewed,
)
from lht.simulator.org.schemas.schema import ObjectSchema

KEPT: Facts = {"child_restricted": True, "search_prefilterable": True, "child_relationship": "Cases"}

FIELDS = (
    record_id("Case ID"),
    is_deleted(),
    lookup("MasterRecordId", "Master Record ID", "Case", SYSTEM),
    text("CaseNumber", "Case Number", 30, SYSTEM, auto_number=True, nillable=False, defaulted_on_create=True, id_lookup=True,
        name_field=True, groupable=False),
    lookup("ContactId", "Contact ID", "Contact", KEPT),
    lookup("AccountId", "Account ID", "Account", KEPT),
    lookup("AssetId", "Asset ID", "Asset", search_prefilterable=True, child_relationship="Cases"),
    lookup("ParentId", "Parent Case ID", "Case", search_prefilterable=True, child_relationship="Cases"),
    text("SuppliedName", "Name", 80),
    email("SuppliedEmail", "Email Address"),
    text("SuppliedPhone", "Phone", 40),
    text("SuppliedCompany", "Company", 80),
    picklist("Type", "Case Type", 40, CASE_TYPES),
    usual(picklist("Status", "Status", 40, CASE_STATUSES, permissionable=False), "New"),
    picklist("Reason", "Case Reason", 40, CASE_REASONS),
    picklist("Origin", "Case Origin", 40, CASE_ORIGINS),
    text("Subject", "Subject", 255),
    usual(picklist("Priority", "Priority", 40, ("High", "Medium", "Low")), "Medium"),
    area("Description", "Description"),
    flag("IsClosed", "Closed", SYSTEM),
    stamp("ClosedDate", "Closed Date", createable=False, updateable=False),
    flag("IsEscalated", "Escalated"),
    owner(("Group", "User")),
    *audit(),
    phone("ContactPhone", "Contact Phone", SYSTEM),
    phone("ContactMobile", "Contact Mobile", SYSTEM),
    email("ContactEmail", "Contact Email", SYSTEM),
    phone("ContactFax", "Contact Fax", SYSTEM),
    area("Comments", "Internal Comments", 4_000, byte_length=4_000, aggregatable=True, permissionable=False),
    *viewed(),
)  # fmt: skip

CASE = ObjectSchema(
    "Case",
    "Case",
    "Cases",
    "500",
    FIELDS,
    scopes=("genericteam", "queue_owned", "team_by_role", "user_owned"),
)
